/*
 * Memory: what a plan has the engine do at the same time, for the division of limits.memory.
 */
#include "plan/plan.h"

/* As the executor counts its workers. */
#define MAX_WORKERS  64
#define USER_WORKERS 4

static uint32_t at_most(uint32_t count, uint32_t most)
{
    return count < most ? count : most;
}

BudgetNeeds plan_budget_needs(const Plan *plan, size_t relations)
{
    const PlanCopy *copy = &plan->copy;
    uint32_t jobs = at_most(copy->table_jobs, MAX_WORKERS) + at_most(copy->index_jobs, MAX_WORKERS);
    return (BudgetNeeds){
        .workers = at_most(jobs + USER_WORKERS, MAX_WORKERS),
        .copies = at_most(copy->table_jobs, MAX_WORKERS),
        .lanes = plan->apply.lanes,
        .spool = plan->replication.spool_directory != NULL,
        .relations = relations,
    };
}
