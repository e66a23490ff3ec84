/*
 * Check of limits.memory: what was read of the source's relations has its place in it, beside the
 * plan's jobs. The jobs alone are the plan's own matter (P280).
 */
#include "preflight/check.h"

#include "base/budget.h"
#include "base/units.h"

#include <inttypes.h>

void check_memory(Check *check)
{
    BudgetNeeds needs = plan_budget_needs(check->plan, check->blueprint->leaf_count);
    uint64_t least = budget_least(&needs);
    if (check->plan->memory_bytes >= least)
        return;
    const char *size = check_text(check, "%" PRIu64 "MB", least >> 20);
    check_add(
        check, CODE_MEMORY, FINDING_ERROR, &check->source, "limits.memory",
        check_text(check, "is %s; with %zu tables this plan needs %s",
                   units_size_text(check->arena, check->plan->memory_bytes),
                   check->blueprint->leaf_count, size),
        "The engine divides the limit among catalogs, jobs, lanes and the stream, and holds to "
        "it; what is left for the stream would be too little to go on.",
        check_text(check,
                   "-- set limits.memory: %s, or lower copy.table_jobs, "
                   "copy.index_jobs or apply.lanes",
                   size));
}
