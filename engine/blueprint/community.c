/*
 * Whether the target can have what the plan wants of TimescaleDB's community edition, and whether
 * the tables have what columnstore and policies name.
 */
#include "blueprint/build.h"

#include "base/str.h"

/* Where the plan asks for such a feature first; line 0: nowhere. */
static PlanPos first_wish(const PlanHypertable *table, const char **feature)
{
    if (table->columnstore != NULL) {
        *feature = "columnstore";
        return table->columnstore->policy.pos;
    }
    if (table->retention != NULL) {
        *feature = "retention";
        return table->retention->policy.pos;
    }
    const PlanPos nowhere = {0};
    *feature = "reorder";
    return table->reorder == NULL ? nowhere : table->reorder->policy.pos;
}

void build_edition(Build *build, PlanPos pos, const char *what)
{
    const char *license = build->target->server.timescaledb_license;
    bool created = build->target->server.timescaledb_version != NULL;
    if (!created || license == NULL) {
        build_find(build, DIAG_COMMUNITY_UNKNOWN, pos, 1,
                   "%s needs the community edition, and the target's edition is not known before "
                   "TimescaleDB is created there",
                   what);
        build_hint(build, "Create it beforehand (CREATE EXTENSION timescaledb) and check again; "
                          "otherwise the run stops before any row is copied.");
    } else if (strcmp(license, "timescale") != 0) {
        build_find(build, DIAG_COMMUNITY, pos, 1,
                   "%s needs the community edition, the target has timescaledb.license = %s", what,
                   license);
        build_hint(build, "Leave it out, or install the community edition on the target and run "
                          "ALTER SYSTEM SET timescaledb.license = 'timescale'.");
    }
}

static void check_edition(Build *build, const PlanHypertable *table)
{
    const char *feature = NULL;
    PlanPos pos = first_wish(table, &feature);
    if (pos.line != 0)
        build_edition(build, pos,
                      arena_printf(build->arena, "hypertables: %s of %s", feature,
                                   build_name(build, &table->target_table)));
}

static bool has_column(Build *build, const Relation *relation, const char *column)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(build->source, relation->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(columns[i].name, column) == 0)
            return true;
    return false;
}

/* \note Source: TimescaleDB refuses row security and exclusion constraints beside a columnstore
 * (process_utility.c, compression_unsupported). */
static void check_columnstore(Build *build, const PlanHypertable *table, const Relation *relation)
{
    const PlanColumnstore *columnstore = table->columnstore;
    const char *name = build_name(build, &table->target_table);
    const CatRelation *from = catalog_relation(build->source, relation->oid);
    size_t count = 0;
    for (size_t i = 0; i < columnstore->segmentby_count; i++)
        if (!has_column(build, relation, columnstore->segmentby[i]))
            build_find(build, DIAG_POLICY_NAME, columnstore->policy.pos, 1,
                       "hypertables: segmentby of %s: it has no column %s", name,
                       columnstore->segmentby[i]);
    if (from != NULL && from->row_security)
        build_find(build, DIAG_POLICY_NAME, columnstore->policy.pos, 1,
                   "hypertables: %s has row security, which a columnstore refuses", name);
    const CatIndex *indexes = catalog_indexes(build->source, relation->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (indexes[i].exclusion)
            build_find(build, DIAG_POLICY_NAME, columnstore->policy.pos, 1,
                       "hypertables: %s has exclusion constraint %s, which a columnstore refuses",
                       name, name_part_text(build->arena, indexes[i].name.rel));
}

static void check_reorder(Build *build, const PlanHypertable *table, const Relation *relation)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, relation->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(indexes[i].name.rel, table->reorder->index) == 0)
            return;
    build_find(build, DIAG_POLICY_NAME, table->reorder->policy.pos, 1,
               "hypertables: reorder of %s: it has no index %s",
               build_name(build, &table->target_table), table->reorder->index);
}

/* A policy that counts from now needs to know what now is. */
static void check_clock(Build *build, const PlanHypertable *table)
{
    bool counts = (table->columnstore != NULL && table->columnstore->after_is_integer) ||
                  (table->retention != NULL && table->retention->drop_after_is_integer);
    if (!counts || table->integer_now_func != NULL)
        return;
    build_find(build, DIAG_POLICY_NAME, table->pos, 1,
               "hypertables: a policy of %s counts in integers, and no integer_now_func says what "
               "now is",
               build_name(build, &table->target_table));
}

void build_retention(Build *build, const Name *table, const PlanRetention *retention, bool has_now)
{
    const char *version = build_target_version(build);
    if (retention == NULL || retention->drop_created_before == NULL || version == NULL ||
        timescaledb_drops_created(version) || !has_now)
        return;
    build_find(build, DIAG_RETENTION_CREATED, retention->policy.pos, 1,
               "retention of %s by drop_created_before: in TimescaleDB %s such a job fails "
               "whenever it runs, and drops nothing",
               build_name(build, table), version);
    build_hint(build, "Let it drop by drop_after, or update the target's TimescaleDB to 2.26.3, "
                      "2.27 or later.");
}

void build_community(Build *build, const PlanHypertable *table, const Relation *relation)
{
    check_edition(build, table);
    check_clock(build, table);
    if (table->columnstore != NULL)
        check_columnstore(build, table, relation);
    if (table->reorder != NULL)
        check_reorder(build, table, relation);
}
