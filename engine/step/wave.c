/*
 * Step wave: locks what is left to copy and takes the snapshot it is copied under. Both live in
 * sessions of this process, so a new engine needs a new wave for what is not finished.
 */
#include "copy/wave.h"

#include "cdc/stream.h"
#include "pg/ddl.h"
#include "step/common.h"

extern const StepKind STEP_WAVE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_add_after(builder, &STEP_WAVE, "slot");
    return true;
}

static int by_oid(const void *a, const void *b)
{
    uint32_t left = (*(const Leaf *const *)a)->oid, right = (*(const Leaf *const *)b)->oid;
    return left < right ? -1 : left > right;
}

/* Of plain tables and partitions in one mode, of hypertables with their chunks in another. */
static bool lock_sql(Str *sql, const StepCtx *ctx, bool chunked)
{
    bool any = false;
    const Blueprint *blueprint = ctx->run->blueprint;
    const Leaf **leaves = arena_array(ctx->arena, const Leaf *, blueprint->leaf_count);
    for (size_t i = 0; i < blueprint->leaf_count; i++)
        leaves[i] = &blueprint->leaves[i];
    if (blueprint->leaf_count > 1)
        qsort(leaves, blueprint->leaf_count, sizeof(*leaves), by_oid);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        if (leaves[i]->root->chunked != chunked)
            continue;
        str_append(sql, any ? ",\n           " : "LOCK TABLE ");
        str_append(sql, chunked ? "" : "ONLY ");
        ddl_qname(sql, ctx->source, &leaves[i]->source);
        any = true;
    }
    str_append(sql, chunked ? "\n    IN ROW SHARE MODE" : "\n    IN ACCESS SHARE MODE");
    return any;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    AUTO_STR Str sql = {0};
    size_t count = ctx->run->blueprint->leaf_count;
    if (!ctx->run->plan->copy.data) {
        description->sentence =
            arena_printf(ctx->arena,
                         "copy nothing (copy.data is false): of %zu table%s only what changes "
                         "after the slot is made comes to the target",
                         count, count == 1 ? "" : "s");
        return true;
    }
    description->sentence = arena_printf(
        ctx->arena, "keep %zu table%s from being rewritten until %s copied, and take a snapshot",
        count, count == 1 ? "" : "s", count == 1 ? "it is" : "they are");
    for (int chunked = 0; chunked < 2; chunked++) {
        str_reset(&sql);
        if (lock_sql(&sql, ctx, chunked != 0))
            description_add(ctx->arena, description, CONN_SOURCE, sql.data);
    }
    str_reset(&sql);
    str_appendf(&sql, "CREATE_REPLICATION_SLOT godwit_%s_wave TEMPORARY LOGICAL %s EXPORT_SNAPSHOT",
                ctx->run->journal.mark, plan_plugin_name(ctx->run->plan->replication.plugin));
    description_add(ctx->arena, description, CONN_SOURCE, sql.data);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    size_t left = 0;
    if (run_is_switched(ctx->run) || ctx->run->wave != NULL)
        return true;
    if (!wave_leaves_left(ctx->run, ctx->target, &left, err))
        return false;
    observation->state = left == 0 ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

/* What commits below the snapshot need not wait for the copy. A stream that is not there yet reads
 * the journal; step join tells it once more. */
static bool tell_stream(Run *run, Err *err)
{
    const Blueprint *blueprint = run->blueprint;
    for (size_t i = 0; blueprint->replicating && i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (run->stream != NULL && wave_leaf(run->wave, leaf)->included &&
            !stream_leaf_sync(run->stream, leaf, wave_sync_lsn(run->wave), err))
            return false;
    }
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    Run *run = ctx->run;
    if (!run->plan->copy.data)
        return wave_none(run, ctx->source, ctx->target, err);
    return wave_begin(&run->wave, run, ctx->target, err) && tell_stream(run, err);
}

const StepKind STEP_WAVE = {
    .name = "wave",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SESSION,
    .summary = "Locks the tables to be copied against rewriting and takes their snapshot.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
