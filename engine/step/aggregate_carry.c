/*
 * Step aggregate.carry:V brings the rows of one continuous aggregate that outlived the raw ones,
 * behind its refresh and behind the switch: the source is fenced, and the jobs that would change
 * its rows rest. In ranges of buckets, each in one transaction that empties the range, fills it
 * from the source, compares both sides and writes down where it came to:
 *
 * - killed within a range: the server rolls it back, the next engine begins that range anew.
 * - killed behind a range: the next engine goes on behind the border in the journal.
 * - killed behind the last range: that one is filled once more, with the same rows. Then the last
 *   bucket is written down, for `godwit verify`.
 *
 * Before the first range the target refreshes up to behind the last bucket: what has never been
 * refreshed is invalid, and the next refresh would drop it. See docs/adr/0037.
 */
#include "timescale/carry.h"

#include "pg/copy_through.h"
#include "step/builder.h"
#include "step/common.h"
#include "step/community.h"
#include "timescale/aggregate.h"

#include <inttypes.h>

extern const StepKind STEP_AGGREGATE_CARRY;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->aggregate_count; i++) {
        const PlanAggregate *aggregate = blueprint->aggregates[i];
        const char *view = name_text(&arena, &aggregate->target_view);
        if (!aggregate->carry)
            continue;
        Step *step = step_add(builder, &STEP_AGGREGATE_CARRY, view, aggregate, 0);
        step_at(step, aggregate->pos);
        step_needs_id(builder, step, arena_printf(&arena, "aggregate.refresh:%s", view));
    }
    return true;
}

static const char *view_text(const StepCtx *ctx)
{
    const PlanAggregate *aggregate = ctx->step->object;
    return name_text(ctx->arena, &aggregate->target_view);
}

/* --- what is printed --- */

/* The hypertable of the rows gets its name when the aggregate is made. */
static bool rows_there(StepCtx *ctx, const CarryPlace *source, Description *description, Name *rows,
                       Err *err)
{
    const PlanAggregate *aggregate = ctx->step->object;
    CarryPlace target = {0};
    const char *schema = NULL;
    if (!timescaledb_schema(ctx->arena, ctx->target, &schema, err))
        return false;
    if (schema != NULL &&
        !carry_place(ctx->arena, ctx->target, &aggregate->target_view, &target, err))
        return false;
    *rows = target.rows;
    if (target.rows.rel != NULL)
        return true;
    *rows = source->rows;
    description->sentence = arena_printf(
        ctx->arena, "%s; their hypertable, named here as on the source, gets its own name",
        description->sentence);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    const PlanAggregate *aggregate = ctx->step->object;
    AUTO_STR Str sql = {0};
    CarryPlace source = {0};
    Name rows = {0};
    description->sentence = arena_printf(
        ctx->arena, "carry over what outlived the raw rows of %s, range by range", view_text(ctx));
    if (!carry_place(ctx->arena, ctx->source, &aggregate->target_view, &source, err))
        return false;
    if (source.rows.rel == NULL)
        return true;
    if (!rows_there(ctx, &source, description, &rows, err))
        return false;
    carry_read_sql(&sql, ctx->source, &source, NULL);
    description_add(ctx->arena, description, CONN_SOURCE, sql.data);
    description_add(ctx->arena, description, CONN_TARGET, "BEGIN");
    str_reset(&sql);
    carry_delete_sql(&sql, ctx->target, &source, &rows, NULL);
    description_add(ctx->arena, description, CONN_TARGET, sql.data);
    str_reset(&sql);
    carry_write_sql(&sql, ctx->target, &source, &rows);
    description_add(ctx->arena, description, CONN_TARGET, sql.data);
    description_add(ctx->arena, description, CONN_TARGET, "COMMIT");
    return true;
}

/* --- the rows --- */

typedef struct Carry {
    StepCtx *ctx;
    CarryPlace source;
    CarryPlace target;
    int64_t rows; /* so far */
} Carry;

static bool copy_range(Carry *carry, const CarryRange *range, Err *err)
{
    Conn *source = carry->ctx->source;
    Conn *target = carry->ctx->target;
    AUTO_STR Str from = {0};
    AUTO_STR Str into = {0};
    CopyThrough through = {0};
    carry_read_sql(&from, source, &carry->source, range);
    carry_write_sql(&into, target, &carry->source, &carry->target.rows);
    if (!copy_through(source, from.data, target, into.data, &through, err))
        return false;
    carry->rows += through.rows;
    return true;
}

static bool sum(Carry *carry, Conn *conn, const Name *rows, const CarryRange *range, Rows **result,
                Err *err)
{
    AUTO_STR Str sql = {0};
    carry_sum_sql(&sql, conn, &carry->source, rows, range);
    return pg_one(conn, sql.data, NO_PARAMS, result, err);
}

/* Read back within the transaction: a trigger, or a type that is read in another way than it was
 * written, would show here. */
static bool compare_range(Carry *carry, const CarryRange *range, Err *err)
{
    AUTO_ROWS Rows *ours = NULL;
    AUTO_ROWS Rows *theirs = NULL;
    if (!sum(carry, carry->ctx->source, &carry->source.rows, range, &theirs, err) ||
        !sum(carry, carry->ctx->target, &carry->target.rows, range, &ours, err))
        return false;
    if (rows_int64(ours, 0, 0) == rows_int64(theirs, 0, 0) &&
        text_equal(rows_text(ours, 0, 1), rows_text(theirs, 0, 1)))
        return true;
    return err_set(err, ERR_ROW_COUNT,
                   "%s: rows that are carried over differ: the source has %" PRId64
                   " of them, the target %" PRId64,
                   view_text(carry->ctx), rows_int64(theirs, 0, 0), rows_int64(ours, 0, 0));
}

static bool fill_range(Carry *carry, const CarryRange *range, Err *err)
{
    StepCtx *ctx = carry->ctx;
    AUTO_STR Str sql = {0};
    carry_delete_sql(&sql, ctx->target, &carry->source, &carry->target.rows, range);
    return pg_begin(ctx->target, "READ WRITE", err) &&
           pg_none(ctx->target, sql.data, NO_PARAMS, err) &&
           pg_begin(ctx->source, "ISOLATION LEVEL REPEATABLE READ READ ONLY", err) &&
           copy_range(carry, range, err) && compare_range(carry, range, err) &&
           pg_commit(ctx->source, err) &&
           (range->until == NULL ||
            journal_gate(ctx->target, ctx->run->journal.id, ctx->step->id, range->until, err)) &&
           pg_commit(ctx->target, err);
}

static bool fill_ranges(Carry *carry, const CarryRanges *ranges, Err *err)
{
    StepCtx *ctx = carry->ctx;
    for (size_t i = 0; i < ranges->count; i++) {
        const CarryRange *range = &ranges->items[i];
        if (!fill_range(carry, range, err)) {
            pg_rollback(ctx->source);
            pg_rollback(ctx->target);
            return err_context(err, "could not carry over rows of %s", view_text(ctx));
        }
        if (range->until != NULL)
            log_info(&ctx->log, "rows of %s are carried over up to %s, range %zu of %zu",
                     view_text(ctx), range->until, i + 1, ranges->count);
    }
    return true;
}

/* --- the whole --- */

/* Real-time aggregation looks up to the watermark only at what is materialized, and nothing but a
 * refresh that finds raw rows moves it. */
static bool tell_hidden(Carry *carry, const CarryLot *lot, Err *err)
{
    StepCtx *ctx = carry->ctx;
    const PlanAggregate *aggregate = ctx->step->object;
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (aggregate->materialized_only)
        return true;
    str_append(&sql, "SELECT EXISTS (SELECT FROM ");
    ddl_qname(&sql, ctx->target, &aggregate->target_view);
    str_append(&sql, " v WHERE v.");
    ddl_ident(&sql, ctx->target, carry->source.column);
    str_append(&sql, " = ");
    ddl_literal(&sql, ctx->target, lot->last);
    str_append(&sql, ")");
    if (!pg_one(ctx->target, sql.data, NO_PARAMS, &rows, err))
        return false;
    if (!rows_bool(rows, 0, 0))
        log_warn(&ctx->log,
                 "%s: rows up to %s are carried over and lie beyond its newest raw row: real-time "
                 "aggregation shows them once newer rows are refreshed",
                 view_text(ctx), lot->last);
    return true;
}

/* What has never been refreshed is invalid, whatever it holds. Not forced: what is replicated was
 * refreshed by the step before. */
static bool cover(Carry *carry, const char *done, const char *until, Err *err)
{
    StepCtx *ctx = carry->ctx;
    const AggregateRange range = {.start = done, .until = until};
    TsTarget target;
    if (!ts_target(ctx->arena, ctx->target, ctx->run->blueprint, &target, err))
        return false;
    target.release = 0;
    const char *sql = aggregate_refresh_sql(ctx->arena, ctx->target, ctx->run->blueprint,
                                            ctx->step->object, &range, &target);
    return pg_none(ctx->target, sql, NO_PARAMS, err) ||
           err_context(err, "could not refresh %s", view_text(ctx));
}

static bool open_carry(Carry *carry, Err *err)
{
    StepCtx *ctx = carry->ctx;
    const PlanAggregate *aggregate = ctx->step->object;
    if (!carry_place(ctx->arena, ctx->source, &aggregate->target_view, &carry->source, err) ||
        !carry_place(ctx->arena, ctx->target, &aggregate->target_view, &carry->target, err))
        return false;
    if (carry->source.rows.rel == NULL || carry->target.rows.rel == NULL)
        return err_set(err, ERR_DRIFT, "%s is no continuous aggregate on the %s any more",
                       view_text(ctx), carry->source.rows.rel == NULL ? "source" : "target");
    return true;
}

static bool carry_over(StepCtx *ctx, Err *err)
{
    Carry carry = {.ctx = ctx};
    CarryLot lot = {0};
    const char *done = NULL;
    if (!open_carry(&carry, err) ||
        !journal_gate_detail(ctx->arena, ctx->target, ctx->run->journal.id, ctx->step->id, &done,
                             err) ||
        !carry_lot(ctx->arena, ctx->source, &carry.source, done, &lot, err))
        return false;
    if (lot.last == NULL) {
        log_info(&ctx->log, "no row of %s has outlived the raw ones", view_text(ctx));
        return true;
    }
    if (!cover(&carry, done, lot.cover, err) || !fill_ranges(&carry, &lot.ranges, err) ||
        !journal_gate(ctx->target, ctx->run->journal.id, carry_last_gate(ctx->arena, ctx->step->id),
                      lot.last, err))
        return false;
    log_info(&ctx->log, "%" PRId64 " rows of %s up to %s are carried over", carry.rows,
             view_text(ctx), lot.last);
    return tell_hidden(&carry, &lot, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    return community_patiently(ctx, carry_over, err);
}

const StepKind STEP_AGGREGATE_CARRY = {
    .name = "aggregate.carry",
    .phase = PHASE_FINISH,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Brings the rows of one continuous aggregate that outlived the raw ones.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = community_observe_recorded,
    .apply = apply,
    .verify = verify_in_apply,
};
