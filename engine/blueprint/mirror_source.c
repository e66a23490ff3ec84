/*
 * What the source's TimescaleDB does to rows that a stream does not show, or shows as something
 * else: by version, by setting, by policy. Each is a finding with the statement that ends it.
 */
#include "blueprint/mirror_internal.h"

#include <stdlib.h>
#include <string.h>

/* \note Source: TimescaleDB's CHANGELOG and tsl/src/compression/wal_utils.h: from 2.16 on what
 * compression moves stands between markers; policies of 2.16 to 2.18 recompress without them. */
#define MARKED_FROM        216
#define RECOMPRESSED_CLEAN 219

/* Settings whose value makes rows come, or go, without a sign in the stream. */
static const struct {
    const char *name, *bad, *good, *what;
} SETTINGS[] = {
    {"timescaledb.enable_compressed_direct_batch_delete", "on", "off",
     "a DELETE may remove whole batches of compressed rows, and the stream shows none of them"},
    {"timescaledb.enable_direct_compress_copy", "on", "off",
     "COPY may write compressed rows, and the stream shows none of them"},
    {"timescaledb.enable_direct_compress_insert", "on", "off",
     "INSERT may write compressed rows, and the stream shows none of them"},
    {"timescaledb.enable_compression_wal_markers", "off", "on",
     "what compression moves is not marked, and would be repeated on the target"},
};

static void refuse(Build *build, const char *what, const char *hint)
{
    build_find(build, DIAG_MIRROR, build->plan->mirror_pos, 1, "%s", what);
    build_hint(build, "%s", hint);
}

static void check_restoring(Build *build)
{
    const CatSetting *restoring = catalog_setting(build->source, "timescaledb.restoring");
    if (restoring != NULL && strcmp(restoring->value, "on") == 0)
        refuse(build, "timescaledb.mirror: the source is in restoring mode",
               "A restore there was not ended: SELECT timescaledb_post_restore().");
    if (build->source->server.timescaledb_version == NULL)
        refuse(build, "timescaledb.mirror: the source has no TimescaleDB",
               "Take the key out; \"hypertables\" says which tables become hypertables.");
}

static bool has_columnstore(Build *build)
{
    for (size_t i = 0; i < build->source->columnstores_count; i++) {
        const CatRelation *table =
            catalog_relation_named(build->source, &build->source->columnstores[i].table);
        if (table != NULL && table->is_hypertable && build_mark(build, table)->selected)
            return true;
    }
    return false;
}

/* Where nothing is compressed they do no harm, and one of them is on from the start.
 *
 * ALTER SYSTEM where it counts at once for everybody (a marker is the server's), else for new
 * sessions of the database. */
static void check_settings(Build *build)
{
    for (size_t i = 0; i < sizeof(SETTINGS) / sizeof(*SETTINGS); i++) {
        const CatSetting *setting = catalog_setting(build->source, SETTINGS[i].name);
        if (setting == NULL || strcmp(setting->value, SETTINGS[i].bad) != 0)
            continue;
        bool server = strcmp(SETTINGS[i].good, "on") == 0;
        const char *database = name_part_text(build->arena, build->source->server.database);
        refuse(build,
               arena_printf(build->arena, "the source has %s = %s: %s", SETTINGS[i].name,
                            SETTINGS[i].bad, SETTINGS[i].what),
               server ? arena_printf(build->arena,
                                     "ALTER SYSTEM SET %s = on; SELECT pg_reload_conf();",
                                     SETTINGS[i].name)
                      : arena_printf(build->arena,
                                     "ALTER DATABASE %s SET %s = off; and let the applications "
                                     "connect anew.",
                                     database, SETTINGS[i].name));
    }
}

static const char *version_text(const Build *build)
{
    return build->source->server.timescaledb_version;
}

static void check_columnstore(Build *build, const CatRelation *table)
{
    const CatColumnstore *columnstore = catalog_columnstore(build->source, &table->name);
    const CatJob *job = mirror_job_of(build, &table->name, "policy_compression");
    int release = timescaledb_release(version_text(build));
    const char *name = build_name(build, &table->name);
    if (columnstore == NULL || release >= RECOMPRESSED_CLEAN)
        return;
    if (release < MARKED_FROM)
        refuse(build,
               arena_printf(build->arena,
                            "%s has a columnstore, and TimescaleDB %s does not mark "
                            "what compression moves",
                            name, version_text(build)),
               "Update the source: ALTER EXTENSION timescaledb UPDATE TO '2.19.3', as the first "
               "command of a session.");
    else if (job != NULL && job->scheduled && !build_job_rests(build, job))
        refuse(build,
               arena_printf(build->arena,
                            "job %lld (%s of %s) recompresses without marks in "
                            "TimescaleDB %s, which would delete rows on the target",
                            (long long)job->id, job->procedure.rel, name, version_text(build)),
               arena_printf(build->arena,
                            "Let the run pause it (source.pause_jobs), or update the source: ALTER "
                            "EXTENSION timescaledb UPDATE TO '2.19.3', as the first "
                            "command of a session."));
}

/* Of a policy by creation time each alter_job() is refused, too, so that it could not be paused. */
bool build_job_fails(const Build *build, const CatJob *job)
{
    size_t count = 0;
    if (job->created_before == NULL || job->table.rel == NULL ||
        strcmp(job->procedure.rel, "policy_retention") != 0 ||
        timescaledb_drops_created(version_text(build)))
        return false;
    const CatDimension *range = catalog_dimensions(build->source, &job->table, &count);
    return count > 0 && (!range->interval_is_integer || range->integer_now_func.rel != NULL);
}

static void check_retention(Build *build, const CatRelation *table)
{
    const CatJob *job = mirror_job_of(build, &table->name, "policy_retention");
    if (job == NULL || !job->scheduled || build_job_rests(build, job) ||
        build_job_fails(build, job))
        return;
    refuse(build,
           arena_printf(build->arena, "job %lld (%s of %s) would run during the migration",
                        (long long)job->id, job->procedure.rel, build_name(build, &table->name)),
           arena_printf(build->arena,
                        "Let the run pause it (source.pause_jobs), or pause it on the source: "
                        "SELECT alter_job(%lld, scheduled => false); then it is made paused on the "
                        "target, too, unless an entry of hypertables says what its retention is.",
                        (long long)job->id));
}

/* What of a hypertable cannot be read, or has no place in the public functions. */
static void check_storage(Build *build, const CatRelation *table)
{
    const CatHypertable *facts = catalog_hypertable(build->source, &table->name);
    const char *name = build_name(build, &table->name);
    if (facts == NULL)
        return;
    if (facts->is_distributed)
        refuse(build, arena_printf(build->arena, "%s is a distributed hypertable", name),
               "TimescaleDB 2.14 dropped them: exclude it (select.exclude).");
    if (facts->chunk_schema != NULL || facts->chunk_prefix != NULL)
        mirror_not(build,
                   arena_printf(build->arena, "where %s keeps its chunks is not mirrored: %s.%s*",
                                name,
                                facts->chunk_schema == NULL ? CHUNK_SCHEMA : facts->chunk_schema,
                                facts->chunk_prefix == NULL ? "" : facts->chunk_prefix),
                   "They get TimescaleDB's own names on the target; no statement can change that.");
    for (size_t i = 0; i < facts->tablespace_count; i++)
        mirror_not(build,
                   arena_printf(build->arena, "tablespace %s of %s is not mirrored",
                                name_part_text(build->arena, facts->tablespaces[i]), name),
                   "Attach one on the target after the run: SELECT attach_tablespace(...); it "
                   "counts for new chunks.");
}

static void check_tiered(Build *build, const CatRelation *chunk)
{
    const CatRelation *table = catalog_relation(build->source, chunk->hypertable);
    if (chunk->kind != 'f' || table == NULL || !build_mark(build, table)->selected)
        return;
    refuse(build,
           arena_printf(build->arena, "%s has tiered rows (%s)", build_name(build, &table->name),
                        build_name(build, &chunk->name)),
           "Bring them back first: CALL untier_chunk(...).");
}

void build_mirror_source(Build *build)
{
    if (!build->plan->mirror)
        return;
    check_restoring(build);
    if (has_columnstore(build))
        check_settings(build);
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *relation = build->source->by_name[i];
        if (relation->is_chunk)
            check_tiered(build, relation);
        if (!relation->is_hypertable || !build_mark(build, relation)->selected)
            continue;
        check_columnstore(build, relation);
        check_retention(build, relation);
        check_storage(build, relation);
    }
}
