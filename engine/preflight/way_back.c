/*
 * Checks of what the way back (failback.prepare) needs beside the rest: the target is streamed
 * from, the source is written to. Where the plan goes on without a way back, what is missing is a
 * warning.
 */
#include "preflight/check.h"

#include "base/jsontext.h"
#include "cdc/quiet.h"
#include "sql_text.h"

#include <inttypes.h>

#define WHY_STREAM                                                                                 \
    "failback.prepare: the target's changes are streamed back to the source after the switch."

static FindingSeverity severity_of(const Check *check)
{
    return check->plan->failback.goes_without ? FINDING_WARNING : FINDING_ERROR;
}

/* --- the target is streamed from ----------------------------------------------------------- */

static void check_decodes(Check *check)
{
    const Side *target = &check->target;
    const CatSetting *level = catalog_setting(target->catalog, "wal_level");
    if (level != NULL && text_equal(level->value, "logical"))
        return;
    check_add(check, CODE_BACK_WAL_LEVEL, severity_of(check), target, "wal_level",
              check_text(check, "is %s", level == NULL ? "unknown" : level->value), WHY_STREAM,
              check_remedy(check, target, TOPIC_WAL_LEVEL, NULL, NULL));
}

static void check_room(Check *check, const char *setting, int64_t used, const char *what)
{
    const Side *target = &check->target;
    int64_t limit = catalog_setting_int(target->catalog, setting, 0);
    if (limit > used)
        return;
    check_add(check, CODE_BACK_ROOM, severity_of(check), target, setting,
              check_text(check, "%" PRId64 " of %" PRId64 " %s are in use, one more is needed",
                         used, limit, what),
              "failback.prepare: one carries the way back, from the cutover on.",
              check_remedy(check, target, TOPIC_SETTING_RESTART, setting,
                           check_text(check, "%" PRId64, used + 2)));
}

static void check_publishes(Check *check)
{
    const Side *target = &check->target;
    const Blueprint *blueprint = check->blueprint;
    const char *user = target->catalog->server.user;
    if (!target->facts.may_replicate)
        check_add(check, CODE_BACK_ROLE, severity_of(check), target, check_part(check, user),
                  "may not use replication", WHY_STREAM,
                  check_remedy(check, target, TOPIC_REPLICATION_ROLE, NULL, NULL));
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Name *name = &blueprint->relations[i].target;
        const CatRelation *table = catalog_relation_named(target->catalog, name);
        if (table == NULL || table->owns || blueprint->relations[i].schema_only)
            continue;
        check_add(check, CODE_BACK_ROLE, severity_of(check), target, check_name(check, name),
                  check_text(check, "belongs to %s", check_part(check, table->owner)),
                  "failback.prepare: only its owner may put a table into the publication of the "
                  "way back.",
                  check_text(check, GRANT_OWNER, check_sql_part(check, target, table->owner),
                             check_sql_part(check, target, user)));
    }
}

void check_way_back(Check *check)
{
    if (!check->plan->failback.prepare)
        return;
    check_decodes(check);
    check_plugin_of(check, &check->target, PLAN_PLUGIN_PGOUTPUT, severity_of(check));
    check_room(check, "max_replication_slots", check->target.facts.slots_used, "slots");
    check_room(check, "max_wal_senders", check->target.facts.senders_used, "WAL senders");
    check_publishes(check);
}

/* --- the source is written to -------------------------------------------------------------- */

static const char *oids_of_tables(Check *check)
{
    const Blueprint *blueprint = check->blueprint;
    json_t *oids = json_array();
    for (size_t i = 0; i < blueprint->relation_count; i++)
        if (!blueprint->relations[i].schema_only)
            json_array_append_new(oids, json_integer(blueprint->relations[i].oid));
    for (size_t i = 0; i < blueprint->leaf_count; i++)
        if (blueprint->leaves[i].oid != blueprint->leaves[i].root->oid)
            json_array_append_new(oids, json_integer(blueprint->leaves[i].oid));
    return jsontext_compact(check->arena, oids);
}

static const char *oids_of_sequences(Check *check)
{
    json_t *oids = json_array();
    for (size_t i = 0; i < check->blueprint->sequence_count; i++)
        json_array_append_new(oids, json_integer(check->blueprint->sequences[i].oid));
    return jsontext_compact(check->arena, oids);
}

static void lacks(Check *check, const Rows *rows, size_t r)
{
    const Side *source = &check->source;
    const char *kind = arena_strdup(check->arena, rows_text(rows, r, 0));
    const char *missing = arena_strdup(check->arena, rows_text(rows, r, 3));
    const Name name = {rows_text(rows, r, 1), rows_text(rows, r, 2)};
    bool database = name.schema == NULL;
    check_add(check, CODE_BACK_WRITE, severity_of(check), source,
              database ? check_part(check, name.rel) : check_name(check, &name),
              check_text(check, "%s may not %s here",
                         check_part(check, source->catalog->server.user), missing),
              "failback.prepare: what is written on the target is written here, too, after the "
              "switch.",
              check_text(check, "GRANT %s ON %s %s TO %s;", missing, kind,
                         database ? check_sql_part(check, source, name.rel)
                                  : check_sql(check, source, &name),
                         check_sql_part(check, source, source->catalog->server.user)));
}

static bool probe_write(Check *check, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(check->source.conn, SQL_PREFLIGHT_WRITE_BACK,
                 PARAMS(oids_of_tables(check), oids_of_sequences(check)), &rows, err))
        return err_context(err, "asking the source what the way back may write");
    for (size_t r = 0; r < rows_count(rows); r++)
        lacks(check, rows, r);
    return true;
}

/* Without it every trigger and foreign key of the source acts on what comes back. */
static bool probe_replica(Check *check, Err *err)
{
    const Side *source = &check->source;
    Catalog may = {.side = CONN_SOURCE};
    if (!catalog_replica_way(&may, source->conn, err))
        return false;
    if (may.server.replica_sql == NULL)
        check_add(check, CODE_BACK_WRITE, severity_of(check), source,
                  check_part(check, source->catalog->server.user),
                  "may not set session_replication_role",
                  "failback.prepare: triggers and foreign keys of the source would act on what "
                  "comes back.",
                  check_remedy(check, source, TOPIC_REPLICA_ROLE, NULL, NULL));
    return true;
}

static bool probe_unsilenced(Check *check, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const Side *source = &check->source;
    if (!quiet_unsilenced(check->blueprint, source->conn, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        const Name table = {rows_text(rows, r, 2), rows_text(rows, r, 3)};
        const char *kind = arena_strdup(check->arena, rows_text(rows, r, 0));
        const char *name = check_sql_part(check, source, rows_text(rows, r, 1));
        bool rule = kind[0] == 'r';
        check_add(check, CODE_BACK_ACTING, severity_of(check), source, check_name(check, &table),
                  check_text(check, "its %s %s is ENABLE %s", kind, name,
                             rows_char(rows, r, 4) == 'A' ? "ALWAYS" : "REPLICA"),
                  "failback.prepare: it would act on the source on what it, or the application, "
                  "did on the target already.",
                  kind[0] == 'f' ? check_text(check, "ALTER TABLE %s ENABLE TRIGGER ALL;",
                                              check_sql(check, source, &table))
                                 : check_text(check, "ALTER TABLE %s ENABLE %s %s;",
                                              check_sql(check, source, &table),
                                              rule ? "RULE" : "TRIGGER", name));
    }
    return true;
}

/* No stream carries them, and only the way there looks for those that changed. */
static bool probe_lobs(Check *check, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!check->plan->copy.data)
        return true;
    if (!pg_one(check->source.conn, SQL_LOB_POWERS, NO_PARAMS, &rows, err))
        return err_context(err, "could not look at the large objects");
    if (rows_int64(rows, 0, 0) > 0)
        check_add(check, CODE_BACK_LARGE_OBJECTS, severity_of(check), &check->source,
                  "large objects",
                  check_text(check, "there are %" PRId64 ", and they do not come back",
                             rows_int64(rows, 0, 0)),
                  "failback.prepare: no stream carries them. A failback is refused when they "
                  "differ by then.",
                  "-- waive it if nobody writes large objects after the switch, or do without: "
                  "failback.prepare: false");
    return true;
}

bool probe_way_back(Check *check, Err *err)
{
    return !check->plan->failback.prepare ||
           (probe_write(check, err) && probe_replica(check, err) && probe_unsilenced(check, err) &&
            probe_lobs(check, err));
}
