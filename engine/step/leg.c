/*
 * Leg: the steps replica_identity, publication and slot, carried out for a direction.
 */
#include "step/leg.h"

#include "cdc/health.h"
#include "cdc/stream.h"
#include "pg/ddl.h"
#include "sql_text.h"
#include "step/publication.h"
#include "step/replica_identity.h"

extern const StepKind STEP_REPLICA_IDENTITY;
extern const StepKind STEP_PUBLICATION;
extern const StepKind STEP_SLOT;

static StepCtx ctx_of(const LegEnds *ends, const Step *step)
{
    return (StepCtx){.run = ends->leg,
                     .step = step,
                     .source = ends->from,
                     .target = ends->to,
                     .arena = ends->arena,
                     .log = ends->log};
}

static bool carry_out(const LegEnds *ends, const StepKind *kind, const void *object, Err *err)
{
    Step step = {.id = kind->name, .kind = kind, .object = object};
    StepCtx ctx = ctx_of(ends, &step);
    return kind->apply(&ctx, err) ||
           err_context(err, "%s on the %s", kind->name, conn_side_name(conn_side(ends->from)));
}

static bool publish(const LegEnds *ends, Err *err)
{
    const Blueprint *blueprint = ends->leg->blueprint;
    for (size_t i = 0; i < blueprint->publication_count; i++) {
        const PublicationDef *def = &blueprint->publications[i];
        if (!def->adopted && !carry_out(ends, &STEP_PUBLICATION, def, err))
            return false;
    }
    return true;
}

bool leg_prepare(const LegEnds *ends, Err *err)
{
    return leg_drop(ends, false, err) &&
           (ends->leg->blueprint->identity_count == 0 ||
            carry_out(ends, &STEP_REPLICA_IDENTITY, NULL, err)) &&
           publish(ends, err) && carry_out(ends, &STEP_SLOT, NULL, err);
}

/* Whatever was committed before is flushed with it, asynchronous commits too. */
static bool flush(const LegEnds *ends, Err *err)
{
    Lsn ignored = 0;
    return pg_begin(ends->from, NULL, err) &&
           pg_none(ends->from, "SET LOCAL synchronous_commit = local", NO_PARAMS, err) &&
           stream_marker_emit(ends->from, ends->leg->journal.mark, "armed", &ignored, err) &&
           pg_commit(ends->from, err);
}

bool leg_arm(const LegEnds *ends, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_ROWS Rows *moved = NULL;
    if (!flush(ends, err)) {
        pg_rollback(ends->from);
        return false;
    }
    if (!pg_one(ends->from, SQL_FAILBACK_WAL_END, NO_PARAMS, &rows, err))
        return false;
    Lsn end = rows_lsn(rows, 0, 0);
    if (!journal_lane_place(ends->to, ends->leg->journal.id, end, err) ||
        !pg_one(ends->from, SQL_FAILBACK_SLOT_ADVANCE,
                PARAMS(ends->leg->slot_name, lsn_text(end).text), &moved, err))
        return false;
    log_info(&ends->log, "slot %s on the %s begins at %s", ends->leg->slot_name,
             conn_side_name(conn_side(ends->from)), lsn_text(end).text);
    return true;
}

/* All that the stream reads, quoted. */
static const char *publications(Run *leg, const Conn *from)
{
    const Blueprint *blueprint = leg->blueprint;
    AUTO_STR Str out = {0};
    for (size_t i = 0; i < blueprint->publication_count; i++) {
        const char *name = blueprint->publications[i].name;
        str_append(&out, i == 0 ? "" : ",");
        ddl_ident(&out, from, name != NULL ? name : leg->publication_name);
    }
    return str_dup(&leg->arena, &out);
}

/* Of the way back; the way there is looked at by its step. */
static bool slot_stands(const Run *leg, Conn *from, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    SlotLook look = {0};
    if (leg->forth == NULL)
        return true;
    if (!health_look(&arena, from, leg->slot_name, &look, err))
        return false;
    if (look.exists && strcmp(look.wal_status, "lost") != 0 && *look.reason == '\0')
        return true;
    return health_lost_back(leg->slot_name, look.exists ? look.reason : NULL, leg->plan->path, err);
}

bool leg_stream(Run *leg, Conn *from, bool sealed, Stream **stream, Err *err)
{
    if (!slot_stands(leg, from, err))
        return false;
    StreamSpec spec = {
        .blueprint = leg->blueprint,
        .source = &leg->source,
        .target = &leg->target,
        .slot_name = leg->slot_name,
        .publications = publications(leg, from),
        .run_mark = leg->journal.mark,
        .run_id = leg->journal.id,
        .epoch = leg->journal.epoch,
        .sync_lsn = arena_array(&leg->arena, Lsn, leg->blueprint->leaf_count + 1),
        .sealed = sealed,
        .stop = leg->stop,
        .budget = leg->budget,
        .log = {.run = leg->log.run, .step = leg->forth != NULL ? "failback" : "replicate"},
    };
    return stream_start(stream, &spec, err);
}

static bool drop_publications(const LegEnds *ends, Err *err)
{
    const Blueprint *blueprint = ends->leg->blueprint;
    size_t count = blueprint == NULL ? 1 : blueprint->publication_count;
    for (size_t i = 0; i < count; i++) {
        AUTO_STR Str sql = {0};
        const PublicationDef *def = blueprint == NULL ? NULL : &blueprint->publications[i];
        if (def != NULL && def->adopted)
            continue;
        publication_drop_sql(&sql, ends->from,
                             def != NULL && def->name != NULL ? def->name
                                                              : ends->leg->publication_name);
        if (!pg_none(ends->from, sql.data, NO_PARAMS, err))
            return false;
    }
    return true;
}

/* What waits there came from the slot that goes with it; a new one under its name knows nothing of
 * it. */
static bool remove_spool(const Run *leg, Err *err)
{
    bool removed = false;
    const char *directory = leg->plan->replication.spool_directory;
    return directory == NULL || spool_remove(directory, leg->slot_name, &removed, err);
}

bool leg_drop(const LegEnds *ends, bool identities, Err *err)
{
    if (!pg_none(ends->from, SQL_SLOT_DROP, PARAMS(ends->leg->slot_name), err) ||
        !remove_spool(ends->leg, err) || !drop_publications(ends, err))
        return false;
    if (!identities || ends->leg->journal.id == 0)
        return true;
    StepCtx ctx = ctx_of(ends, NULL);
    return identity_restore(&ctx, err);
}
