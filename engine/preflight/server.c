/*
 * Checks of the servers themselves: settings, versions, room for slots, locks and connections.
 */
#include "preflight/check.h"

#include "base/str.h"
#include "cdc/decoder.h"
#include "schema/tools.h"

#include <string.h>

/* Slots and senders that a run needs at once: the main one, and one for the wave's snapshot. */
#define SLOTS_NEEDED 2

/* Connections beside the workers: main, keeper or holder, heartbeat, slot watch, requests. */
#define SPARE_CONNECTIONS 5

#define OLDEST_TARGET    140000 /* and of a source that the way back writes into */
#define TRUNCATE_VERSION 110000 /* from here on test_decoding tells a TRUNCATE */
#define FAILOVER_VERSION 170000
#define NEWEST_KNOWN     189999

static const char *setting_value(const Side *side, const char *name)
{
    const CatSetting *setting = catalog_setting(side->catalog, name);
    return setting == NULL ? "" : setting->value;
}

void check_wal_level(Check *check)
{
    const Side *source = &check->source;
    const char *level = setting_value(source, "wal_level");
    if (strcmp(level, "logical") != 0)
        check_add(check, CODE_WAL_LEVEL, FINDING_ERROR, source, "wal_level",
                  check_text(check, "is %s", level),
                  "Changes can be streamed only out of a WAL with logical information.",
                  check_remedy(check, source, TOPIC_WAL_LEVEL, NULL, NULL));
}

/* "a, b" as the server splits it: names are compared whole. */
static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; *at != '\0';) {
        at += strspn(at, " ,\"");
        size_t word = strcspn(at, " ,\"");
        if (word == length && strncmp(at, name, length) == 0)
            return true;
        at += word;
    }
    return false;
}

void check_plugin_of(Check *check, const Side *side, PlanPlugin plugin, FindingSeverity severity)
{
    const char *name = plan_plugin_name(plugin);
    const CatSetting *allowed = catalog_setting(side->catalog, "output_plugin_libraries");
    if (allowed == NULL || is_listed(allowed->value, name))
        return;
    const char *wanted = *allowed->value == '\0'
                             ? check_text(check, "'%s'", name)
                             : check_text(check, "'%s, %s'", allowed->value, name);
    check_add(check, CODE_PLUGIN_ALLOWED, severity, side, "output_plugin_libraries",
              check_text(check, "is \"%s\", without %s", allowed->value, name),
              "A slot is made only for an output plugin that stands in this list.",
              check_remedy(check, side, TOPIC_SETTING_RELOAD, "output_plugin_libraries", wanted));
}

void check_plugin(Check *check)
{
    check_plugin_of(check, &check->source, check->plan->replication.plugin, FINDING_ERROR);
}

static void check_room(Check *check, Code code, const char *name, int64_t used, const char *what)
{
    const Side *source = &check->source;
    int64_t limit = catalog_setting_int(source->catalog, name, 0);
    int64_t needed = check->input->resuming ? SLOTS_NEEDED - 1 : SLOTS_NEEDED;
    if (limit - used >= needed)
        return;
    const char *wanted = check_text(check, "%lld", (long long)(used + SLOTS_NEEDED + 2));
    check_add(check, code, FINDING_ERROR, source, name,
              check_text(check, "%lld of %lld %s are in use, %lld more are needed", (long long)used,
                         (long long)limit, what, (long long)needed),
              "One carries the stream for the whole run, one exports the snapshot of each wave.",
              check_remedy(check, source, TOPIC_SETTING_RESTART, name, wanted));
}

void check_slots(Check *check)
{
    const Facts *facts = &check->source.facts;
    check_room(check, CODE_SLOTS, "max_replication_slots", facts->slots_used, "slots");
    check_room(check, CODE_SENDERS, "max_wal_senders", facts->senders_used, "WAL senders");
}

static void check_standby_of(Check *check, const Side *side)
{
    if (side->catalog->server.in_recovery)
        check_add(check, CODE_STANDBY, FINDING_ERROR, side,
                  check_part(check, side->catalog->server.database), "is a standby",
                  side->side == CONN_SOURCE
                      ? "Publications and fences are made on the primary, and it alone is fenced."
                      : "Nothing can be written to it.",
                  check_text(check, "-- connect to the primary\n%s",
                             check_remedy(check, side, TOPIC_DIRECT, NULL, NULL)));
}

void check_standby(Check *check)
{
    check_standby_of(check, &check->source);
    check_standby_of(check, &check->target);
}

static const char *name_of_version(const Check *check, int version)
{
    return conn_version_text(check->arena, version);
}

static void check_newest(Check *check, const Side *side)
{
    const CatServer *server = &side->catalog->server;
    if (server->version > NEWEST_KNOWN)
        check_add(check, CODE_VERSION, FINDING_WARNING, side, "server_version",
                  check_text(check, "is %s, which this version of godwit was not tested with",
                             server->version_text),
                  "New versions may change catalogs and the stream's protocol.",
                  "-- rehearse first, or look for a newer godwit");
}

static void too_old(Check *check, const Side *side, int oldest, const char *why, const char *way)
{
    check_add(check, CODE_VERSION, FINDING_ERROR, side, "server_version",
              check_text(check, "is %s; this version of godwit needs %s or later",
                         side->catalog->server.version_text, name_of_version(check, oldest)),
              why, way);
}

static void check_source_version(Check *check)
{
    const Side *source = &check->source;
    int version = source->catalog->server.version;
    int by_text = decoder_oldest(PLAN_PLUGIN_TEST_DECODING);
    int oldest = decoder_oldest(check->plan->replication.plugin);
    check_newest(check, source);
    if (version < by_text)
        too_old(check, source, by_text,
                "Before 9.5 catalogs lack too much of what a migration compares (row security, "
                "jsonb's functions, the pids of slots).",
                "-- upgrade the source to PostgreSQL 9.5 or later first");
    else if (version < oldest)
        too_old(check, source, oldest,
                "pgoutput carries logical messages from PostgreSQL 14, and the marker that ends "
                "a cutover is one. test_decoding carries it from 9.5.",
                "-- set replication.plugin: test_decoding in the plan");
    if (version < OLDEST_TARGET && check->plan->failback.prepare)
        check_add(check, CODE_VERSION, FINDING_ERROR, source, "failback.prepare",
                  check_text(check, "is asked for, and the source is PostgreSQL %s",
                             name_of_version(check, version)),
                  "The way back writes into the source as into a target, which must be 14 or "
                  "later.",
                  "-- set failback.prepare: false");
}

/* The run finds it by the table's file, see catalog_relations.sql. */
static void check_truncates(Check *check)
{
    const Side *source = &check->source;
    int version = source->catalog->server.version;
    if (version < TRUNCATE_VERSION)
        check_add(check, CODE_TRUNCATE_UNTOLD, FINDING_WARNING, source, "server_version",
                  check_text(check, "is %s: its stream does not tell of a TRUNCATE",
                             source->catalog->server.version_text),
                  "A table that is truncated, or rewritten (VACUUM FULL, CLUSTER, ALTER TABLE), is "
                  "found by its new file and copied anew.",
                  "-- delete rows instead of truncating large tables while the run lasts, or waive "
                  "this");
}

static void check_target_version(Check *check)
{
    check_newest(check, &check->target);
    if (check->target.catalog->server.version < OLDEST_TARGET)
        too_old(check, &check->target, OLDEST_TARGET,
                "The journal and apply use what came with 14.",
                check_text(check, "-- upgrade the target to PostgreSQL %d or later",
                           OLDEST_TARGET / 10000));
}

void check_versions(Check *check)
{
    int source = check->source.catalog->server.version;
    int target = check->target.catalog->server.version;
    check_source_version(check);
    check_truncates(check);
    check_target_version(check);
    if (target / 10000 < source / 10000)
        check_add(check, CODE_VERSION, FINDING_ERROR, &check->target, "server_version",
                  check_text(check, "is %s, but the source is %s", name_of_version(check, target),
                             name_of_version(check, source)),
                  "An older server may not know what the source's schema uses.",
                  check_text(check, "-- use a target of PostgreSQL %s or later",
                             name_of_version(check, source)));
}

void check_tools(Check *check)
{
    AUTO_ERR Err missing = {0};
    PgTools tools = {0};
    if (tools_find(check->arena, check->plan, check->source.catalog->server.version,
                   check->target.catalog->server.version, &tools, &missing))
        return;
    check_add(check, CODE_TOOLS, FINDING_ERROR, &check->source, "pg_dump",
              check_text(check, "%s%s%s", missing.message, missing.detail == NULL ? "" : ": ",
                         missing.detail == NULL ? "" : missing.detail),
              "The schema travels by pg_dump and pg_restore, and pg_dump refuses servers that are "
              "newer than itself.",
              check_text(check, "-- %s",
                         missing.hint == NULL ? "Set tools.pg_bin in the plan." : missing.hint));
}

void check_same_database(Check *check)
{
    const CatServer *source = &check->source.catalog->server;
    const CatServer *target = &check->target.catalog->server;
    if (source->system_identifier == NULL || target->system_identifier == NULL ||
        strcmp(source->system_identifier, target->system_identifier) != 0 ||
        source->database_oid != target->database_oid)
        return;
    bool clone =
        strcmp(setting_value(&check->source, "port"), setting_value(&check->target, "port")) != 0;
    check_add(check, CODE_SAME_DATABASE, FINDING_ERROR, &check->target,
              check_part(check, target->database),
              clone ? "has the source's system identifier and database: a copy of it, or the "
                      "source itself"
                    : "is the source itself: system identifier and database are the same",
              "The run would write into what it reads.",
              "-- point target at another database; a physical copy of the source is not a target");
}

/* A walsender does not convert test_decoding's text: it comes as the database has it. */
static void check_encoding_of_lines(Check *check)
{
    static const char *const READ[] = {"UTF8", "LATIN1", "SQL_ASCII"};
    const CatServer *source = &check->source.catalog->server;
    if (check->plan->replication.plugin != PLAN_PLUGIN_TEST_DECODING)
        return;
    for (size_t i = 0; i < sizeof(READ) / sizeof(READ[0]); i++)
        if (strcmp(source->encoding, READ[i]) == 0)
            return;
    check_add(check, CODE_ENCODING, FINDING_ERROR, &check->source,
              check_part(check, source->database),
              check_text(check, "has encoding %s, which is not read from test_decoding",
                         source->encoding),
              "The plugin sends its text unconverted: names would not be found, and what is not "
              "ASCII would come to the target as other characters.",
              "-- replication.plugin: pgoutput (from PostgreSQL 14), or a source of encoding UTF8 "
              "or LATIN1");
}

void check_encoding(Check *check)
{
    const CatServer *source = &check->source.catalog->server;
    check_encoding_of_lines(check);
    const CatServer *target = &check->target.catalog->server;
    if (strcmp(source->encoding, target->encoding) == 0)
        return;
    bool fits = strcmp(target->encoding, "UTF8") == 0 && strcmp(source->encoding, "SQL_ASCII") != 0;
    check_add(
        check, CODE_ENCODING, FINDING_ERROR, &check->target, check_part(check, target->database),
        check_text(check, "has encoding %s, the source has %s", target->encoding, source->encoding),
        fits ? "Lengths of names and of char(n) columns, and ranges over text, would differ."
             : "Characters of the source may not exist on the target.",
        check_text(check,
                   "-- CREATE DATABASE ... ENCODING '%s' TEMPLATE template0; and use that as "
                   "the target.",
                   source->encoding));
}

/* The plan wants what the source cannot do: the run goes on with a plain slot. */
static void check_failover(Check *check)
{
    const CatServer *source = &check->source.catalog->server;
    if (!check->plan->replication.slot_failover || source->version >= FAILOVER_VERSION)
        return;
    check_add(check, CODE_SLOT_FAILOVER, FINDING_WARNING, &check->source,
              "replication.slot.failover",
              check_text(check, "is asked for, and the source is PostgreSQL %s",
                         name_of_version(check, source->version)),
              "Before PostgreSQL 17 a slot stays behind when a standby takes over: the run is then "
              "begun anew.",
              "-- keep the source from failing over during the run, and take the key out of the "
              "plan");
}

/* What makes a slot fail in the middle of the run. */
static void check_slot_kept(Check *check, const Side *side)
{
    int64_t keep_mb = catalog_setting_int(side->catalog, "max_slot_wal_keep_size", -1);
    bool back = side->side == CONN_TARGET;
    if (keep_mb >= 0)
        check_add(check, CODE_WAL_KEEP, FINDING_WARNING, side, "max_slot_wal_keep_size",
                  check_text(check, "is %lld MB", (long long)keep_mb),
                  back ? "failback.prepare: WAL beyond it is removed although the way back has not "
                         "read it, and the way back is lost."
                       : "WAL beyond it is removed although the run has not read it, and the slot "
                         "is lost: the run must then begin anew.",
                  check_remedy(check, side, TOPIC_SETTING_RELOAD, "max_slot_wal_keep_size", "-1"));
    if (catalog_setting_int(side->catalog, "idle_replication_slot_timeout", 0) > 0)
        check_add(
            check, CODE_IDLE_SLOT, FINDING_WARNING, side, "idle_replication_slot_timeout",
            check_text(check, "is %s", setting_value(side, "idle_replication_slot_timeout")),
            "A slot that nobody reads for so long, as while the engine is stopped, is lost.",
            check_remedy(check, side, TOPIC_SETTING_RELOAD, "idle_replication_slot_timeout", "0"));
}

/* What makes a slot or a long snapshot fail in the middle of the run. */
void check_retention(Check *check)
{
    const Side *source = &check->source;
    check_slot_kept(check, source);
    if (check->plan->failback.prepare)
        check_slot_kept(check, &check->target);
    check_failover(check);
    if (catalog_setting_int(source->catalog, "old_snapshot_threshold", -1) >= 0)
        check_add(
            check, CODE_OLD_SNAPSHOT, FINDING_ERROR, source, "old_snapshot_threshold",
            check_text(check, "is %s", setting_value(source, "old_snapshot_threshold")),
            "The copy reads from one snapshot for as long as it takes; with a threshold it "
            "fails with \"snapshot too old\".",
            check_remedy(check, source, TOPIC_SETTING_RESTART, "old_snapshot_threshold", "-1"));
}

void check_prepared(Check *check)
{
    const Facts *facts = &check->source.facts;
    /* A run that is there can replicate all the same; a wave and the cutover look for themselves.
     */
    FindingSeverity severity = check->input->resuming ? FINDING_WARNING : FINDING_ERROR;
    if (facts->prepared > 0)
        check_add(check, CODE_PREPARED, severity, &check->source,
                  check_part(check, check->source.catalog->server.database),
                  check_text(check, "%lld prepared transaction%s: %s", (long long)facts->prepared,
                             facts->prepared == 1 ? "" : "s", facts->prepared_names),
                  "No snapshot for the copy can be taken until they end, and a cutover is refused "
                  "while there are any.",
                  "-- COMMIT PREPARED or ROLLBACK PREPARED each");
}

static void check_lock_table_of(Check *check, const Side *side, int64_t needed, const char *what)
{
    int64_t per_transaction = catalog_setting_int(side->catalog, "max_locks_per_transaction", 64);
    int64_t sessions = catalog_setting_int(side->catalog, "max_connections", 100) +
                       catalog_setting_int(side->catalog, "max_prepared_transactions", 0);
    int64_t room = per_transaction * sessions;
    if (sessions <= 0 || needed * 2 <= room)
        return;
    const char *wanted = check_text(check, "%lld", (long long)(needed * 2 / sessions + 1));
    check_add(
        check, CODE_LOCK_TABLE, needed > room ? FINDING_ERROR : FINDING_WARNING, side,
        "max_locks_per_transaction",
        check_text(check, "is %lld: room for about %lld locks, %s takes %lld",
                   (long long)per_transaction, (long long)room, what, (long long)needed),
        "When the lock table is full the run fails, and so may others' transactions.",
        check_remedy(check, side, TOPIC_SETTING_RESTART, "max_locks_per_transaction", wanted));
}

/* The source: the holder's locks and pg_dump's, both on every table. The target: all tables with
 * their indexes, for restoring and for the fence. */
void check_lock_table(Check *check)
{
    int64_t tables = (int64_t)(check->blueprint->leaf_count + check->blueprint->relation_count);
    int64_t dumped = (int64_t)check->source.catalog->relations_count;
    check_lock_table_of(check, &check->source, tables + dumped, "holding every table and dumping");
    check_lock_table_of(check, &check->target, tables + (int64_t)check->blueprint->index_count,
                        "restoring every table and index");
}

static int64_t least_limit(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

static void check_connections_of(Check *check, const Side *side, int64_t jobs)
{
    const Catalog *catalog = side->catalog;
    int64_t all = catalog_setting_int(catalog, "max_connections", 100);
    int64_t reserved = catalog_setting_int(catalog, "superuser_reserved_connections", 0) +
                       catalog_setting_int(catalog, "reserved_connections", 0);
    int64_t free_now = all - reserved - side->facts.connections_used;
    int64_t limit = least_limit(side->facts.role_limit, side->facts.database_limit);
    int64_t needed = jobs + SPARE_CONNECTIONS;
    if (limit >= 0 && limit < free_now)
        free_now = limit;
    if (free_now >= (int64_t)side->endpoint->max_connections)
        return;
    bool enough = free_now >= needed;
    check_add(
        check, CODE_CONNECTIONS, enough ? FINDING_WARNING : FINDING_ERROR, side, "max_connections",
        check_text(check, "%lld connections are free, the run needs %lld and may take %u",
                   (long long)(free_now < 0 ? 0 : free_now), (long long)needed,
                   side->endpoint->max_connections),
        "A worker that cannot connect fails, and the applications may find no room.",
        enough ? check_text(check, "-- lower %s.max_connections in the plan, or free some",
                            conn_side_name(side->side))
               : check_remedy(check, side, TOPIC_SETTING_RESTART, "max_connections",
                              check_text(check, "%lld", (long long)(all + needed - free_now))));
}

void check_connections(Check *check)
{
    const PlanCopy *copy = &check->plan->copy;
    check_connections_of(check, &check->source, (int64_t)copy->table_jobs);
    check_connections_of(check, &check->target,
                         (int64_t)copy->table_jobs + (int64_t)copy->index_jobs);
}
