/*
 * verify:ID: one entry of the plan's `verify`, live, after the stream has caught up and before the
 * gate. Its parts are relations. Every engine looks at all of them, but for what an engine before
 * it found the same and nobody touched since; what was found is journalled, and the step's proof is
 * that the journal has every relation and no difference.
 */
#include "verify/verify.h"

#include "sql_text.h"
#include "step/common.h"

#include <inttypes.h>

extern const StepKind STEP_VERIFY;

static bool verify_expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    for (size_t i = 0; i < blueprint->plan->verify_count; i++) {
        const PlanVerify *entry = &blueprint->plan->verifies[i];
        Step *step = step_add(builder, &STEP_VERIFY, entry->id, entry, 0);
        step_at(step, entry->pos);
        step_needs_kind(builder, step, "catchup");
    }
    return true;
}

static size_t selected_count(const StepCtx *ctx)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    size_t count = 0;
    for (size_t i = 0; i < blueprint->relation_count; i++)
        count += verify_selects(ctx->step->object, &blueprint->relations[i], true);
    return count;
}

static const Relation *selected(const StepCtx *ctx, size_t part)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        if (verify_selects(ctx->step->object, &blueprint->relations[i], true) && part-- == 0)
            return &blueprint->relations[i];
    }
    BUG("verify has no such part");
}

static VerifySpec spec_of(const StepCtx *ctx, const Relation *relation)
{
    const PlanVerify *entry = ctx->step->object;
    return (VerifySpec){
        .relation = relation,
        .method = entry->method,
        .where = entry->where,
        .partial = !ctx->run->plan->copy.data,
        .source = ctx->source,
        .target = ctx->target,
        .stream = ctx->run->stream,
        .throttle = &ctx->run->throttle,
    };
}

static bool verify_describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    const PlanVerify *entry = ctx->step->object;
    size_t count = selected_count(ctx);
    description->sentence = arena_printf(ctx->arena, "compare %zu relation%s by %s", count,
                                         count == 1 ? "" : "s", verify_method_text(entry->method));
    if (!ctx->run->plan->copy.data)
        description->sentence = arena_printf(ctx->arena,
                                             "%s; rows that are not on the target prove nothing: "
                                             "copy.data is false",
                                             description->sentence);
    description->estimate.work = WORK_VERIFY;
    for (size_t i = 0; i < count; i++) {
        VerifySpec spec = spec_of(ctx, selected(ctx, i));
        description_measure(description, spec.relation);
        description_add(ctx->arena, description, CONN_SOURCE,
                        verify_statement(ctx->arena, &spec, CONN_SOURCE));
        description_add(ctx->arena, description, CONN_TARGET,
                        verify_statement(ctx->arena, &spec, CONN_TARGET));
    }
    return true;
}

static bool verify_part_count(StepCtx *ctx, size_t *count, Err *err)
{
    (void)err;
    *count = selected_count(ctx);
    return true;
}

static bool report_finding(StepCtx *ctx, const char *severity, const char *object,
                           const char *message, Err *err)
{
    bool is_error = strcmp(severity, "error") == 0;
    log_message(&ctx->log, is_error ? LOG_ERROR : LOG_WARN, "%s: %s", object, message);
    return journal_finding(ctx->target, ctx->run->journal.id, err_code_name(ERR_DIFFERENCE),
                           severity, object, message, err);
}

static bool report(StepCtx *ctx, const Relation *relation, const VerifyResult *result, Err *err)
{
    const char *object = name_text(ctx->arena, &relation->source);
    for (size_t i = 0; i < result->difference_count; i++) {
        if (!report_finding(ctx, "error", object,
                            difference_text(ctx->arena, &result->differences[i]), err))
            return false;
    }
    if (result->difference_total > (int64_t)result->difference_count &&
        !report_finding(ctx, "error", object,
                        arena_printf(ctx->arena, "%s%" PRId64 " differences in all",
                                     result->more ? "at least " : "", result->difference_total),
                        err))
        return false;
    if (result->busy > 0 &&
        !report_finding(ctx, "warning", object, verify_busy_text(ctx->arena, result->busy), err))
        return false;
    const PlanVerify *entry = ctx->step->object;
    return journal_verification(ctx->target, ctx->run->journal.id, entry->id, &relation->source,
                                result->source_rows, result->target_rows, result->difference_total,
                                err);
}

static bool sees_all(const StepCtx *ctx, const PlanVerify *entry)
{
    return entry->method == PLAN_VERIFY_CHECKSUM && entry->where == NULL &&
           ctx->run->plan->copy.data;
}

/* A look at every row makes what was touched before it old news; what is touched from here on is
 * looked at again before the cutover. A count, or a look at some rows, forgets nothing; nor does a
 * verification that goes on where an earlier one ended. */
static bool forget_touched(void *data, const Relation *relation)
{
    StepCtx *ctx = data;
    const PlanVerify *entry = ctx->step->object;
    bool any = false;
    if (!sees_all(ctx, entry))
        return false;
    for (; relation != NULL; relation = relation->merge_next) {
        TouchedKeys keys = {0};
        stream_touched_take(ctx->arena, ctx->run->stream, relation, &keys);
        any = any || keys.overflow || keys.count > 0;
    }
    return any;
}

/* Rows of a partition that came a moment ago are not on the target yet, those of one that went are
 * still there: the engine begins anew, and this verification with it. */
static bool partitions_stand(StepCtx *ctx, const VerifyResult *result, Err *err)
{
    bool moved = false;
    if (result->difference_total == 0)
        return true;
    if (!stream_partitions_moved(ctx->run->stream, ctx->source, &moved, err))
        return false;
    if (!moved)
        return true;
    stop_request(ctx->run->stop, STOP_LATE);
    return stop_error(ctx->run->stop, err);
}

/* What an earlier look found is no news any more once all rows are the same. */
static bool settle(StepCtx *ctx, const Relation *relation, const VerifyResult *result, Err *err)
{
    if (result->difference_total > 0 || result->busy > 0 || !sees_all(ctx, ctx->step->object))
        return true;
    for (; relation != NULL; relation = relation->merge_next)
        if (!journal_settle_findings(ctx->target, ctx->run->journal.id,
                                     err_code_name(ERR_DIFFERENCE), &relation->source,
                                     &relation->target, err))
            return false;
    return true;
}

static bool verify_part_apply(StepCtx *ctx, size_t part, Err *err)
{
    const Relation *relation = selected(ctx, part);
    VerifySpec spec = spec_of(ctx, relation);
    VerifyResult result;
    const PlanVerify *entry = ctx->step->object;
    VerifyNotes notes = {.book = ctx->target,
                         .run_id = ctx->run->journal.id,
                         .id = entry->id,
                         .anew = forget_touched,
                         .data = ctx};
    spec.notes = &notes;
    if (!verify_relation(ctx->arena, &spec, &result, err))
        return err_context(err, "verify %s", name_text(ctx->arena, &relation->source));
    stream_touched_put(ctx->run->stream, relation, &result.busy_keys);
    if (!partitions_stand(ctx, &result, err) || !report(ctx, relation, &result, err) ||
        !settle(ctx, relation, &result, err))
        return false;
    atomic_fetch_add(&ctx->run->counters.relations_verified, 1);
    atomic_fetch_add(&ctx->run->counters.differences, result.difference_total);
    return true;
}

static bool verify_proof(StepCtx *ctx, Err *err)
{
    const PlanVerify *entry = ctx->step->object;
    AUTO_ROWS Rows *rows = NULL;
    const char *run = arena_printf(ctx->arena, "%" PRId64, ctx->run->journal.id);
    if (!pg_one(ctx->target, SQL_VERIFY_OUTCOME, PARAMS(run, entry->id), &rows, err))
        return false;
    int64_t looked_at = rows_int64(rows, 0, 0);
    if (looked_at < (int64_t)selected_count(ctx))
        return err_set(err, ERR_RUN, "only %" PRId64 " of %zu relations were verified", looked_at,
                       selected_count(ctx));
    int64_t differing = rows_int64(rows, 0, 1);
    if (differing == 0)
        return true;
    err_set(err, ERR_DIFFERENCE, "%" PRId64 " of %" PRId64 " relations differ", differing,
            looked_at);
    return err_detail(err,
                      "There are %" PRId64 " differences; the first ones of each relation are "
                      "in the log and in godwit.finding.",
                      rows_int64(rows, 0, 2));
}

const StepKind STEP_VERIFY = {
    .name = "verify",
    .phase = PHASE_CATCHUP,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION,
    .summary = "compares source and target, live: row counts, or checksums down to rows",
    .per_object = true,
    .expand = verify_expand,
    .describe = verify_describe,
    .observe = observe_until_switch,
    .part_count = verify_part_count,
    .part_apply = verify_part_apply,
    .verify = verify_proof,
};
