/*
 * The live rule, for one suspicious row:
 *
 *   read the source (S1), take the WAL insert position, wait until that is applied, read the target
 *   (T), read the source again (S2). S1 = S2, versions included, means that the row had this one
 *   value all the time between, so T must have it too.
 *   A row written in between is looked at again.
 *
 * If T has not, it need not be a difference yet. The target may be ahead: a transaction is decoded
 * once its commit is flushed, and the source's other sessions see it only when its backend goes on
 * (it may wait for a processor, or for a synchronous standby). And a row that came and went on the
 * source between S1 and S2 may just have been on the target. Both pass; a difference stands. So the
 * same versions must be there again at the next look, and suspects.c lets some time go by.
 */
#include "verify/verify_internal.h"

bool seen_alike(const Seen *a, const Seen *b)
{
    return a->copies == b->copies && strcmp(a->sum, b->sum) == 0;
}

static bool seen_unchanged(const Seen *a, const Seen *b)
{
    return seen_alike(a, b) && strcmp(a->version, b->version) == 0;
}

Verdict verdict_of(const Seen *first, const Seen *target, const Seen *second, const Seen *earlier)
{
    if (seen_alike(target, second) || seen_alike(target, first))
        return VERDICT_SAME;
    if (!seen_unchanged(first, second))
        return VERDICT_LOOK_AGAIN;
    bool stood = earlier != NULL && seen_unchanged(earlier, target);
    return stood ? VERDICT_DIFFERENT : VERDICT_LOOK_AGAIN;
}
