/*
 * DryRun: counting and estimating.
 */
#include "report/dry_run.h"

#define MB (UINT64_C(1024) * 1024)

const char *dry_state_name(DryState state)
{
    static const char *const NAMES[DRY_STATE_COUNT] = {
        [DRY_CREATE] = "create",
        [DRY_CHANGE] = "change",
        [DRY_DONE] = "done",
        [DRY_FINDING] = "finding",
    };
    return NAMES[state];
}

size_t dry_run_changes(const DryRun *dry)
{
    size_t changes = 0;
    for (size_t i = 0; i < dry->steps.count; i++)
        changes += dry->steps.items[i].state != DRY_DONE;
    return changes;
}

size_t dry_run_findings(const DryRun *dry, const char *severity)
{
    size_t count = 0;
    for (size_t i = 0; i < dry->steps.count; i++) {
        const DryStep *step = &dry->steps.items[i];
        for (size_t f = 0; f < step->findings.count; f++)
            count += text_equal(step->findings.items[f].severity, severity);
    }
    return count;
}

const DryAssumption *dry_assumption(StepWork work)
{
    static const DryAssumption TABLE[WORK_COUNT] = {
        [WORK_COPY] = {"copy", 40 * MB, "table job"},
        [WORK_INDEX] = {"index", 30 * MB, "index job"},
        [WORK_VERIFY] = {"verify", 60 * MB, "verification"},
    };
    return work == WORK_NONE ? NULL : &TABLE[work];
}

static int64_t duration_us(uint64_t bytes, uint64_t bytes_per_second)
{
    return (int64_t)((double)bytes * 1e6 / (double)bytes_per_second);
}

int64_t dry_step_us(const DryStep *step)
{
    const DryAssumption *assumption = dry_assumption(step->estimate.work);
    return assumption == NULL ? 0 : duration_us(step->estimate.bytes, assumption->bytes_per_second);
}

DryTotal dry_run_total(const DryRun *dry, StepWork work)
{
    DryTotal total = {0};
    for (size_t i = 0; i < dry->steps.count; i++) {
        const DryStep *step = &dry->steps.items[i];
        if (step->estimate.work != work || step->state == DRY_DONE)
            continue;
        bool known = total.rows >= 0 && step->estimate.rows >= 0;
        total.steps++;
        total.bytes += step->estimate.bytes;
        total.rows = known ? total.rows + step->estimate.rows : -1;
    }
    uint32_t jobs = dry->jobs[work] > 0 ? dry->jobs[work] : 1;
    total.us = duration_us(total.bytes, dry_assumption(work)->bytes_per_second * jobs);
    return total;
}
