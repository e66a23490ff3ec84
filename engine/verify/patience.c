/*
 * How long to look at rows of which nothing can be said. A row may be written between any two looks
 * for as long as the application likes, the more so when looks are slow: that ends only when writes
 * stop, and what is left then is compared by key, in moments. So such rows are not waited for where
 * somebody does that. A row that stands and differs may be the work of a transaction that the
 * source does not show yet: it gets a minute.
 */
#include "verify/verify_internal.h"

#define LOOKS_AT_LEAST   20
#define LOOK_AGAIN_MS    60000
#define LOOK_LONGEST_MS  180000 /* however few looks that were */
#define WRITTEN_LOOKS    5
#define WRITTEN_AFTER_MS 2000

bool looked_enough(const Looked *looked)
{
    if (looked->compared && looked->written >= WRITTEN_LOOKS && looked->for_ms >= WRITTEN_AFTER_MS)
        return true;
    if (looked->for_ms >= LOOK_LONGEST_MS)
        return true;
    return looked->count >= LOOKS_AT_LEAST && (looked->hurried || looked->for_ms > LOOK_AGAIN_MS);
}
