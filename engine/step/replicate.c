/*
 * Step replicate: starts the stream, a service that runs beside the other steps until the cutover
 * has drained it.
 */
#include "cdc/stream.h"
#include "copy/leaves.h"
#include "pg/ddl.h"
#include "step/common.h"
#include "step/foreign_key.h"
#include "step/replicate.h"
#include "step/triggers_late.h"

extern const StepKind STEP_REPLICATE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_REPLICATE, "preflight");
    step_at(step, blueprint->plan->replication.pos);
    if (blueprint->replicating) { /* what is late is held, and joins */
        step_needs_kind(builder, step, "control_schema");
        return true;
    }
    step_needs_kind(builder, step, "wave_end");
    /* Apply finds rows by key: the key indexes must stand, and nothing may be half built under it.
     */
    step_needs_kind(builder, step, "index");
    step_needs_kind(builder, step, "constraint");
    step_needs_kind(builder, step, "foreign_key");
    step_needs_kind(builder, step, "schema_post");
    step_needs_kind(builder, step, "spool");
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    uint32_t lanes = ctx->run->plan->apply.lanes;
    description->sentence =
        arena_printf(ctx->arena, "apply changes from slot %s until the cutover has drained it",
                     ctx->run->slot_name);
    if (lanes > 1)
        description->sentence =
            arena_printf(ctx->arena,
                         "%s, in %u lanes: who reads the target meanwhile may, for moments, see a "
                         "part of a source transaction",
                         description->sentence, lanes);
    if (ctx->run->blueprint->chunk_way == CHUNKS_BY_PLUGIN)
        description->sentence =
            arena_printf(ctx->arena,
                         "%s; new chunks of hypertables come by themselves, as test_decoding tells "
                         "of every table",
                         description->sentence);
    return true;
}

/* Tables of one pool are copied anew together, their target emptied as a whole (wave.c): by index
 * of the first, whether one of them is not copied. */
static const bool *pools_waiting(Arena *arena, const Blueprint *blueprint,
                                 const JournalLeaf *const *states)
{
    bool *waiting = arena_array(arena, bool, blueprint->relation_count + 1);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Relation *first = blueprint->leaves[i].root->pool;
        if (first != NULL && !leaf_is_copied(states[i]))
            waiting[first->index] = true;
    }
    return waiting;
}

/* sync_lsn of every leaf, in blueprint order, and whether it is held: one that was copied while the
 * stream went on is as good as one that was not, until it has joined. */
static bool read_leaves(StepCtx *ctx, StreamSpec *spec, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    const JournalLeaf **states = NULL;
    if (!leaves_states(ctx->arena, ctx->run, ctx->target, &states, err))
        return false;
    const bool *waiting = pools_waiting(ctx->arena, blueprint, states);
    Lsn *sync = arena_array(&ctx->run->arena, Lsn, blueprint->leaf_count + 1);
    bool *held = arena_array(&ctx->run->arena, bool, blueprint->leaf_count + 1);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Relation *first = blueprint->leaves[i].root->pool;
        bool joined = states[i] != NULL && states[i]->state == 'r';
        bool emptied = first != NULL && waiting[first->index];
        held[i] = blueprint->replicating && (!joined || emptied);
        if (leaf_is_copied(states[i]))
            sync[i] = states[i]->sync_lsn;
        else if (!held[i])
            return err_set(err, ERR_RUN, "%s is not copied yet",
                           name_text(ctx->arena, &blueprint->leaves[i].source));
    }
    spec->sync_lsn = sync;
    spec->held = held;
    return true;
}

/* All that the stream reads, quoted. */
static const char *publications(const StepCtx *ctx)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    AUTO_STR Str out = {0};
    for (size_t i = 0; i < blueprint->publication_count; i++) {
        const char *name = blueprint->publications[i].name;
        str_append(&out, i == 0 ? "" : ",");
        ddl_ident(&out, ctx->source, name != NULL ? name : ctx->run->publication_name);
    }
    return str_dup(&ctx->run->arena, &out);
}

/* Where chunks of each hypertable are published, one by one; NULL: nowhere. */
static const char *const *chunk_publications(const StepCtx *ctx)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    if (blueprint->chunk_way != CHUNKS_BY_WATCH)
        return NULL;
    const char **names = arena_array(&ctx->run->arena, const char *, blueprint->relation_count + 1);
    for (size_t i = 0; i < blueprint->publication_count; i++) {
        const PublicationDef *def = &blueprint->publications[i];
        for (size_t r = 0; r < def->relation_count; r++)
            if (def->relations[r]->chunked)
                names[def->relations[r]->index] =
                    def->name != NULL ? def->name : ctx->run->publication_name;
    }
    return names;
}

void replicate_spec(const StepCtx *ctx, StreamSpec *spec)
{
    Run *run = ctx->run;
    *spec = (StreamSpec){
        .blueprint = run->blueprint,
        .source = &run->source,
        .target = &run->target,
        .slot_name = run->slot_name,
        .publications = publications(ctx),
        .books_chunks = run->blueprint->has_chunked,
        .chunk_publications = chunk_publications(ctx),
        .run_mark = run->journal.mark,
        .run_id = run->journal.id,
        .epoch = run->journal.epoch,
        .spool_owner = arena_printf(
            &run->arena, "godwit spool 1\nrun %s %lld\nslot %s\nsystem %s\n", run->plan->name,
            (long long)run->journal.id, run->slot_name, run->journal.source_system),
        .left_out = run->blueprint->left_out,
        .left_out_count = run->blueprint->left_out_count,
        .stop = run->stop,
        .budget = run->budget,
        .log = {.run = run->plan->name, .step = "replicate"},
    };
}

/* The spool is this stream's from now on. What ended receiving early is told, and told again if it
 * lasts. */
static void take_spool(Run *run)
{
    AUTO_ERR Err ended = {0};
    if (!stream_stop(run_withdraw_spooler(run), &ended))
        log_err(&run->log, LOG_WARN, &ended);
}

static bool apply(StepCtx *ctx, Err *err)
{
    Run *run = ctx->run;
    StreamSpec spec;
    Stream *stream = NULL;
    replicate_spec(ctx, &spec);
    if (!read_leaves(ctx, &spec, err) || !triggers_late_hold(ctx, err) ||
        !foreign_keys_late_hold(ctx, err))
        return false;
    take_spool(run);
    if (!stream_start(&stream, &spec, err))
        return false;
    run_publish_stream(run, stream);
    return run->blueprint->replicating || journal_leaves_stream(ctx->target, run->journal.id, err);
}

bool replicate_look(StepCtx *ctx, Stream **stream, Err *err)
{
    StreamSpec spec;
    replicate_spec(ctx, &spec);
    /* All copies lie far below the position; what the source has made since has none. */
    spec.sync_lsn = arena_array(&ctx->run->arena, Lsn, ctx->run->blueprint->leaf_count + 1);
    spec.chunk_publications = NULL;
    spec.books_chunks = false;
    spec.sealed = true;
    return stream_start(stream, &spec, err);
}

const StepKind STEP_REPLICATE = {
    .name = "replicate",
    .phase = PHASE_CATCHUP,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_SERVICE | STEP_SESSION | STEP_CHANGES,
    .summary = "Applies the source's changes to the target until the cutover.",
    .expand = expand,
    .describe = describe,
    .observe = observe_until_switch,
    .apply = apply,
    .verify = verify_in_apply,
};
