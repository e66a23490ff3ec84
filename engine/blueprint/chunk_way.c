/*
 * How changes of chunks that are made after the publication come into the stream. A publication
 * names tables, and a chunk made later is none of them: its rows would never arrive. Which ways the
 * source allows follows from what it is: the schema that they are made in, published as a whole;
 * else the watcher of the stream, who adds them one by one; where it allows none the plan is
 * refused.
 *
 * A schema that is published as a whole publishes UPDATE and DELETE of everything in it, and a
 * table without a replica identity then refuses them to the applications, and to TimescaleDB's own
 * jobs. So that way is taken only where nothing in the schema could suffer.
 */
#include "blueprint/build.h"

#include "base/str.h"

#define SCHEMA_PUBLISHED_VERSION 150000

static bool has_primary_key(const Build *build, uint32_t relation)
{
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(build->source, relation, &count);
    for (size_t i = 0; i < count; i++)
        if (indexes[i].primary && indexes[i].valid && indexes[i].immediate)
            return true;
    return false;
}

static bool has_identity(const Build *build, const CatRelation *table)
{
    return table->replica_identity == 'f' ||
           (table->replica_identity == 'i' && table->replica_identity_index != 0) ||
           (table->replica_identity == 'd' && has_primary_key(build, table->oid));
}

/* A hypertable whose chunks could not be updated any more; NULL: there is none. The extension's own
 * tables in the schema are written to by its jobs alone, which are looked at by themselves. */
static const CatRelation *without_identity(const Build *build)
{
    if (!build_publishes_old_rows(build->plan))
        return NULL;
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *table = &build->source->relations[i];
        if ((table->is_hypertable || table->is_chunk) && !has_identity(build, table))
            return table;
    }
    return NULL;
}

static const CatRelation *elsewhere(const Build *build)
{
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *chunk = &build->source->relations[i];
        if (blueprint_chunked(build->blueprint, chunk->hypertable) != NULL &&
            !text_equal(chunk->name.schema, CHUNK_SCHEMA))
            return chunk;
    }
    return NULL;
}

static bool has_column_list(const Build *build)
{
    for (size_t i = 0; i < build->blueprint->relation_count; i++)
        if (build->blueprint->relations[i].list != NULL)
            return true;
    return false;
}

/* A job that may run while the schema is published; NULL: none. One that is off is taken for one
 * that somebody runs by hand, unless the plan says that jobs rest. */
static const CatJob *may_run(Build *build)
{
    for (size_t i = 0; i < build->source->jobs_count; i++) {
        const CatJob *job = &build->source->jobs[i];
        bool off = build->plan->source.pause_jobs && !job->scheduled;
        if (!off && !build_job_rests(build, job))
            return job;
    }
    return NULL;
}

/* Why the chunks' schema cannot be published as a whole; NULL: it can. */
static const char *why_not_schema(Build *build)
{
    const CatServer *server = &build->source->server;
    const CatRelation *bare = without_identity(build);
    const CatRelation *other = elsewhere(build);
    const CatJob *job = may_run(build);
    if (server->version < SCHEMA_PUBLISHED_VERSION)
        return "PostgreSQL publishes whole schemas from 15 on";
    if (!server->is_superuser)
        return arena_printf(build->arena, "%s is no superuser, and only one may publish a schema",
                            server->user);
    if (build->plan->replication.publication_count > 0)
        return "replication.publications names publications of its own";
    if (build->source->aggregates_count > 0)
        return arena_printf(build->arena,
                            "continuous aggregate %s could not be refreshed on the source any more",
                            build_name(build, &build->source->aggregates[0].view));
    if (build->source->columnstores_count > 0)
        return arena_printf(build->arena,
                            "%s has a columnstore, whose own tables would be published",
                            build_name(build, &build->source->columnstores[0].table));
    if (job != NULL)
        return arena_printf(build->arena, "job %lld could not write down what it did any more",
                            (long long)job->id);
    if (bare != NULL)
        return arena_printf(build->arena,
                            "%s has no replica identity: UPDATE and DELETE would fail there",
                            build_name(build, &bare->name));
    if (other != NULL)
        return arena_printf(build->arena, "chunk %s is in another schema",
                            build_name(build, &other->name));
    if (has_column_list(build))
        return "select.columns: a publication cannot hold a column list and a schema";
    return NULL;
}

/* What is said of a hypertable alone would not hold for its chunks, under whose names the changes
 * come. */
static void check_wishes(Build *build)
{
    const Blueprint *blueprint = build->blueprint;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (!relation->chunked || relation->filter == NULL)
            continue;
        build_find(build, DIAG_MIRROR, relation->filter_from->pos, 1,
                   "select.rows: %s is a hypertable on the source, and its chunks are published "
                   "without a filter",
                   build_name(build, &relation->source));
        build_hint(build, "Take the filter out; drop_chunks() on the target removes what is old.");
    }
    for (size_t i = 0; i < blueprint->identity_count; i++) {
        const Leaf *leaf = blueprint->identities[i].leaf;
        if (!leaf->root->chunked)
            continue;
        build_find(build, DIAG_MIRROR, build->plan->replication.pos, 1,
                   "replication.replica_identity: %s is a hypertable on the source, its chunks "
                   "would have to get one, too",
                   build_name(build, &leaf->source));
        build_hint(build, "Set it yourself, for good: ALTER TABLE ... REPLICA IDENTITY; "
                          "TimescaleDB passes it on to the chunks.");
    }
}

/* The publication that the relation is in, when it is not the run's own; NULL: it is. */
static const PublicationDef *adopted(const Blueprint *blueprint, const Relation *relation)
{
    for (size_t i = 0; i < blueprint->publication_count; i++) {
        const PublicationDef *def = &blueprint->publications[i];
        for (size_t r = 0; def->adopted && r < def->relation_count; r++)
            if (def->relations[r] == relation)
                return def;
    }
    return NULL;
}

/* A chunk whose UPDATE would fail on the source once it is published. */
static const CatRelation *bare_selected(const Build *build)
{
    if (!build_publishes_old_rows(build->plan))
        return NULL;
    for (size_t i = 0; i < build->source->relations_count; i++) {
        const CatRelation *table = &build->source->relations[i];
        bool ours = blueprint_chunked(build->blueprint, table->oid) != NULL ||
                    blueprint_chunked(build->blueprint, table->hypertable) != NULL;
        if (ours && !has_identity(build, table))
            return table;
    }
    return NULL;
}

/* Why the watcher cannot take new chunks in; NULL: it can. */
static const char *why_not_watch(Build *build)
{
    const Blueprint *blueprint = build->blueprint;
    const CatRelation *bare = bare_selected(build);
    if (!build->plan->copy.data)
        return "copy.data is false: what is in a chunk before it is published would be missing";
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        const PublicationDef *def = relation->chunked ? adopted(blueprint, relation) : NULL;
        if (def != NULL)
            return arena_printf(build->arena, "publication %s is not the run's to add chunks to",
                                name_part_text(build->arena, def->name));
    }
    if (bare != NULL)
        return arena_printf(build->arena,
                            "%s has no replica identity: UPDATE and DELETE would fail there",
                            build_name(build, &bare->name));
    return NULL;
}

void build_chunk_way(Build *build)
{
    Blueprint *blueprint = build->blueprint;
    if (!blueprint->has_chunked)
        return;
    check_wishes(build);
    if (build->plan->replication.plugin == PLAN_PLUGIN_TEST_DECODING) {
        blueprint->chunk_way = CHUNKS_BY_PLUGIN;
        return;
    }
    const char *why = why_not_schema(build);
    blueprint->chunk_way = why == NULL ? CHUNKS_BY_SCHEMA : CHUNKS_BY_WATCH;
    blueprint->chunk_why = why;
    const char *neither = why == NULL ? NULL : why_not_watch(build);
    if (neither == NULL)
        return;
    build_find(build, DIAG_NEW_CHUNKS, build->plan->mirror_pos, 1,
               "chunks that are made from now on cannot be published: %s%s%s", neither,
               text_equal(neither, why) ? "" : "; nor can the whole schema that they are made in: ",
               text_equal(neither, why) ? "" : why);
    build_hint(build, "Write \"replication: {plugin: test_decoding}\": that plugin knows no "
                      "publications, and tells of every table.");
}
