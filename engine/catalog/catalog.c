/*
 * Reads one server into a Catalog: one set-based query per kind of object, inside one read-only,
 * repeatable-read transaction. Which versions a query is for stands in the table at its row.
 */
#include "catalog/catalog.h"

#include "catalog/read.h"
#include "pg/query.h"
#include "provider/provider.h"
#include "sql_text.h"

#include <limits.h>
#include <stdlib.h>

#define MOST_LOOKS    10
#define LOOK_AGAIN_MS 200

/* One query of the inspection. */
typedef struct ReadStep {
    const char *what; /* "the columns": in errors */
    int min_version;  /* server_version_num, inclusive */
    int max_version;
    bool timescaledb; /* only where the extension is created */
    const char *const *sql;
    void (*read)(Catalog *catalog, const Rows *rows);
} ReadStep;

#define EVERY_VERSION 0, INT_MAX

static const ReadStep read_steps[] = {
    {"the settings", EVERY_VERSION, false, &SQL_CATALOG_SETTINGS, read_settings},
    {"the relations", EVERY_VERSION, false, &SQL_CATALOG_RELATIONS, read_relations},
    {"the columns", EVERY_VERSION, false, &SQL_CATALOG_COLUMNS, read_columns},
    {"the indexes", EVERY_VERSION, false, &SQL_CATALOG_INDEXES, read_indexes},
    {"the constraints", EVERY_VERSION, false, &SQL_CATALOG_CONSTRAINTS, read_constraints},
    {"the sequences", EVERY_VERSION, false, &SQL_CATALOG_SEQUENCES, read_sequences},
    {"the triggers", EVERY_VERSION, false, &SQL_CATALOG_TRIGGERS, read_triggers},
    {"the publications", 100000, INT_MAX, false, &SQL_CATALOG_PUBLICATIONS, read_publications},
    {"the extensions", EVERY_VERSION, false, &SQL_CATALOG_EXTENSIONS, read_extensions},
    {"the available extensions", EVERY_VERSION, false, &SQL_CATALOG_AVAILABLE, read_available},
    {"the objects", EVERY_VERSION, false, &SQL_CATALOG_OBJECTS, read_objects},
    {"the dependencies", EVERY_VERSION, false, &SQL_CATALOG_DEPENDENCIES, read_dependencies},
    {"the uses of columns", EVERY_VERSION, false, &SQL_CATALOG_COLUMN_USES, read_column_uses},
    {"the hypertables", EVERY_VERSION, true, &SQL_CATALOG_HYPERTABLES, read_hypertables},
    {"the chunks", EVERY_VERSION, true, &SQL_CATALOG_CHUNKS, read_chunks},
    {"the dimensions", EVERY_VERSION, true, &SQL_CATALOG_DIMENSIONS, read_dimensions},
    {"the columnstores", EVERY_VERSION, true, &SQL_CATALOG_COLUMNSTORES, read_columnstores},
    {"the jobs", EVERY_VERSION, true, &SQL_CATALOG_JOBS, read_jobs},
    {"the continuous aggregates", EVERY_VERSION, true, &SQL_CATALOG_AGGREGATES, read_aggregates},
};

bool catalog_identify(Catalog *catalog, Conn *conn, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    catalog->side = conn_side(conn);
    if (!pg_one(conn, SQL_CATALOG_SERVER, NO_PARAMS, &rows, err))
        return err_context(err, "reading what the %s is", conn_side_name(conn_side(conn)));
    bool identifies = rows_bool(rows, 0, 2);
    read_server_row(catalog, rows);
    if (!identifies)
        return true;
    AUTO_ROWS Rows *identity = NULL;
    if (!pg_one(conn, SQL_CATALOG_SYSTEM_IDENTIFIER, NO_PARAMS, &identity, err))
        return err_context(err, "reading the system identifier");
    catalog->server.system_identifier = arena_strdup(&catalog->arena, rows_text(identity, 0, 0));
    return true;
}

static bool read_step(Catalog *catalog, Conn *conn, const ReadStep *step, Err *err)
{
    const CatServer *server = &catalog->server;
    if (server->version < step->min_version || server->version > step->max_version)
        return true;
    if (step->timescaledb && server->timescaledb_version == NULL)
        return true;
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, *step->sql, NO_PARAMS, &rows, err))
        return err_context(err, "reading %s of the %s", step->what,
                           conn_side_name(conn_side(conn)));
    step->read(catalog, rows);
    return true;
}

static bool read_all(Catalog *catalog, Conn *conn, Err *err)
{
    if (!catalog_identify(catalog, conn, err))
        return false;
    for (size_t i = 0; i < sizeof(read_steps) / sizeof(read_steps[0]); i++)
        if (!read_step(catalog, conn, &read_steps[i], err))
            return false;
    return true;
}

/* Tried in a transaction that is rolled back; refused is an answer, not an error. */
static bool try_replica_way(Conn *conn, const ProviderReplicaWay *way, bool *may, Err *err)
{
    AUTO_ROWS Rows *there = NULL;
    *may = false;
    if (way->needs != NULL) {
        if (!pg_one(conn, SQL_CATALOG_FUNCTION, PARAMS(way->needs), &there, err))
            return false;
        if (!rows_bool(there, 0, 0))
            return true;
    }
    AUTO_ERR Err refused = {0};
    if (!pg_begin(conn, "READ ONLY", err))
        return false;
    *may = pg_script(conn, way->sql, &refused);
    pg_rollback(conn);
    return *may || conn_is_ok(conn) || err_move(err, &refused);
}

/* Privileges do not tell: providers let their users set it by hooks and functions of their own. */
bool catalog_replica_way(Catalog *catalog, Conn *conn, Err *err)
{
    size_t count = 0;
    const ProviderReplicaWay *ways = provider_replica_ways(&count);
    for (size_t i = 0; i < count; i++) {
        bool may = false;
        if (!try_replica_way(conn, &ways[i], &may, err))
            return err_context(err, "trying whether session_replication_role can be set");
        if (may) {
            catalog->server.replica_sql = ways[i].sql;
            return true;
        }
    }
    return true;
}

static bool inspect(Catalog *catalog, Conn *conn, Err *err)
{
    catalog->side = conn_side(conn);
    bool own = !conn_in_transaction(conn);
    if (own && catalog->side == CONN_TARGET && !catalog_replica_way(catalog, conn, err))
        return false;
    if (own && !pg_begin(conn, "ISOLATION LEVEL REPEATABLE READ READ ONLY", err))
        return false;
    if (!read_all(catalog, conn, err)) {
        if (own)
            pg_rollback(conn);
        return false;
    }
    if (own && !pg_commit(conn, err))
        return false;
    catalog_complete(catalog);
    return true;
}

/* Rows come from one snapshot, what functions of the server say of them (definitions) from now: of
 * what was dropped in between they say "cache lookup failed". */
static bool moved_meanwhile(const Conn *conn, const Err *problem)
{
    return strcmp(problem->sqlstate, "XX000") == 0 && !conn_in_transaction(conn) &&
           conn_is_ok(conn) && conn_stop(conn) != NULL;
}

bool catalog_inspect(Catalog *catalog, Conn *conn, Err *err)
{
    for (int look = 1;; look++) {
        AUTO_ERR Err problem = {0};
        if (inspect(catalog, conn, &problem))
            return true;
        if (look == MOST_LOOKS || !moved_meanwhile(conn, &problem))
            return err_move(err, &problem);
        catalog_release(catalog);
        if (!stop_sleep(conn_stop(conn), LOOK_AGAIN_MS))
            return stop_error(conn_stop(conn), err);
    }
}

void catalog_release(Catalog *catalog)
{
    arena_release(&catalog->arena);
    *catalog = (Catalog){0};
}

/* The topmost partitioned table; parents are few levels up, each a binary search away. */
static uint32_t find_root(const Catalog *catalog, const CatRelation *relation)
{
    const CatRelation *at = relation;
    for (int level = 0; at->parent != 0 && level < 1000; level++) {
        const CatRelation *parent = catalog_relation(catalog, at->parent);
        if (parent == NULL)
            break;
        at = parent;
    }
    return at->oid;
}

static int by_name(const void *a, const void *b)
{
    return name_compare(&(*(const CatRelation *const *)a)->name,
                        &(*(const CatRelation *const *)b)->name);
}

static CatRelation *find(Catalog *catalog, uint32_t oid)
{
    const CatRelation *found = catalog_relation(catalog, oid);
    return found == NULL ? NULL : &catalog->relations[found - catalog->relations];
}

/* A hypertable's own heap is empty: what is known of its size is known of its chunks. */
static void add_chunks(Catalog *catalog)
{
    for (size_t i = 0; i < catalog->relations_count; i++) {
        const CatRelation *chunk = &catalog->relations[i];
        CatRelation *table = chunk->hypertable == 0 ? NULL : find(catalog, chunk->hypertable);
        if (table == NULL)
            continue;
        table->bytes += chunk->bytes;
        table->tuples =
            (table->tuples > 0 ? table->tuples : 0) + (chunk->tuples > 0 ? chunk->tuples : 0);
    }
}

void catalog_complete(Catalog *catalog)
{
    size_t count = catalog->relations_count;
    catalog->by_name = arena_array(&catalog->arena, const CatRelation *, count);
    for (size_t i = 0; i < count; i++) {
        CatRelation *relation = &catalog->relations[i];
        relation->root = find_root(catalog, relation);
        relation->is_hypertable = catalog_hypertable(catalog, &relation->name) != NULL;
        catalog->by_name[i] = relation;
    }
    if (count > 1)
        qsort(catalog->by_name, count, sizeof(*catalog->by_name), by_name);
    add_chunks(catalog);
}
