/*
 * The live rule, for one suspicious row:
 *
 *   read the source (S1), take the WAL insert position, wait until that is applied, read the target
 *   (T), read the source again (S2). S1 = S2, versions included, means that the row had this one
 *   value all the time between, so T must have it too; if it does not, that is a difference.
 *   A row written in between is looked at again.
 *
 * More rows on the target than on the source need one look more: one that came and went on the
 * source between S1 and S2 may just have been there. It is a difference if the same versions still
 * stand on the target once everything up to after S2 is applied.
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
    if (target->copies <= second->copies)
        return VERDICT_DIFFERENT;
    bool stood = earlier != NULL && seen_unchanged(earlier, target);
    return stood ? VERDICT_DIFFERENT : VERDICT_LOOK_AGAIN;
}
