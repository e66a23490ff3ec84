/*
 * The live rule, for one suspicious row:
 *
 *   read the source (S1), take the WAL insert position, wait until that is applied, read the target
 *   (T), ask the source who writes the relation (W), read the source again (S2).
 *   S1 = S2, versions included, means that the row had this one value all the time between, so T
 *   must have it too. A row written in between is looked at again.
 *
 * If T has not, it need not be a difference: the target may be ahead. A transaction is decoded once
 * its commit is flushed; the source's other sessions see it only when its backend goes on, and that
 * may wait for a processor, or for ever for a synchronous standby. Two things tell, and no clock:
 *
 *   - A row that is there and has no xmax is nobody's: who deletes or updates it puts its xmax
 *     there before it commits. So T must have it, and a difference is one at the first look.
 *   - Who inserts into a relation holds a lock on it until the source's other sessions see what it
 *     did. W has them all, less those that are idle in a transaction: they have not committed. When
 *     T stands unchanged from one look to the next and none of the first look's W is in the second
 *     one's, then whatever T showed first is seen by S2 (`settled`). If at one further look S1 = S2
 *     and T still stands, it is a difference: S1 has seen what put T there, and what it saw is
 *     applied. The further look is for a row that came and went on the source between S1 and S2.
 *
 * A transaction that writes the relation for longer than suspects.c looks makes such a row one of
 * which nothing can be said ("busy").
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

/* Whether no transaction in flight can have made of the source's rows what the target has: it could
 * only have added some, and there is none too many. */
static bool cannot_be_ahead(const Seen *source, const Seen *target)
{
    if (source->copies == 0 || source->held)
        return false;
    return target->copies < source->copies || (target->copies == 1 && source->copies == 1);
}

Verdict verdict_of(const Seen *first, const Seen *target, const Seen *second, const Seen *earlier,
                   bool settled)
{
    if (seen_alike(target, second) || seen_alike(target, first))
        return VERDICT_SAME;
    if (!seen_unchanged(first, second))
        return VERDICT_LOOK_AGAIN;
    if (cannot_be_ahead(second, target))
        return VERDICT_DIFFERENT;
    if (earlier == NULL || !seen_unchanged(earlier, target))
        return VERDICT_APART;
    return settled ? VERDICT_DIFFERENT : VERDICT_STANDS;
}

bool writers_gone(const Rows *before, const Rows *now)
{
    size_t b = 0;
    size_t n = 0;
    while (b < rows_count(before) && n < rows_count(now)) {
        int order = strcmp(rows_text(before, b, 0), rows_text(now, n, 0));
        if (order == 0)
            return false;
        b += order < 0 ? 1 : 0;
        n += order > 0 ? 1 : 0;
    }
    return true;
}
