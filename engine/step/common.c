/*
 * Shared by step kinds: see the header.
 */
#include "step/common.h"

#include "journal/run_state_table.h"

bool run_is_switched(const Run *run)
{
    if (run->forth != NULL)
        return text_equal(run->forth->journal.state, RUN_FAILED_BACK);
    return text_equal(run->journal.state, RUN_SWITCHED) ||
           text_equal(run->journal.state, RUN_FINISHED);
}

bool run_is_past(const Run *run, const StepKind *kind)
{
    return kind->phase < PHASE_CUTOVER && (kind->flags & STEP_USER) == 0 && run_is_switched(run);
}

bool observe_until_switch(StepCtx *ctx, Observation *observation, Err *err)
{
    (void)err;
    observation->state = run_is_switched(ctx->run) ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

bool verify_in_apply(StepCtx *ctx, Err *err)
{
    (void)ctx;
    (void)err;
    return true;
}

bool none_is_paused(const Blueprint *blueprint, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *names = "";
    for (size_t i = 0; i < blueprint->paused_count; i++)
        names = arena_printf(&arena, "%s%s%s", names, i == 0 ? "" : ", ",
                             name_text(&arena, &blueprint->paused[i]));
    if (blueprint->paused_count == 0)
        return true;
    err_set(err, ERR_STALE, "the cutover cannot come: %s %s paused, altered on the source", names,
            blueprint->paused_count == 1 ? "is" : "are");
    return err_hint(err, "\"godwit status\" says what to do on the target; then \"godwit resync "
                         "PLAN TABLE\" takes it in again.");
}

uint64_t relation_bytes(const Relation *relation)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < relation->leaf_count; i++)
        bytes += relation->leaves[i]->bytes;
    return bytes;
}

void description_measure(Description *description, const Relation *relation)
{
    StepEstimate *estimate = &description->estimate;
    for (size_t i = 0; i < relation->leaf_count; i++) {
        double rows = relation->leaves[i]->rows_estimate;
        estimate->rows = rows < 0 || estimate->rows < 0 ? -1 : estimate->rows + (int64_t)rows;
    }
    estimate->bytes += relation_bytes(relation);
}

Step *step_add_after(StepBuilder *builder, const StepKind *kind, const char *after_kind)
{
    Step *step = step_add(builder, kind, NULL, NULL, 0);
    step_needs_kind(builder, step, after_kind);
    return step;
}
