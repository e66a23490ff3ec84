/*
 * Newcomers: one question about a relation, one about all partitions.
 */
#include "cdc/newcomers.h"

#include "base/digest.h"
#include "base/str.h"
#include "sql_text.h"

#include <inttypes.h>

static int find_by_oid(const void *key, const void *item)
{
    uint32_t left = *(const uint32_t *)key, right = (*(Relation *const *)item)->oid;
    return left < right ? -1 : left > right;
}

static bool is_selected_root(const Blueprint *blueprint, uint32_t oid)
{
    Relation **found = bsearch(&oid, blueprint->by_oid, blueprint->relation_count,
                               sizeof(Relation *), find_by_oid);
    return found != NULL && (*found)->partitioned;
}

/* What the catalog showed as a partition when the blueprint was made was left out; a table that was
 * there and has been attached since is as late as a new one. */
static bool is_late(const Blueprint *blueprint, uint32_t oid, uint32_t root)
{
    const CatRelation *known = catalog_relation(blueprint->source, oid);
    return (known == NULL || !known->is_partition) && is_selected_root(blueprint, root);
}

bool newcomers_stranger(Stream *stream, Conn *conn, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    const Blueprint *blueprint = stream->spec.blueprint;
    pthread_mutex_lock(&stream->mutex);
    bool asked = stream->stranger == STRANGER_ASKED;
    uint32_t oid = stream->stranger_oid;
    pthread_mutex_unlock(&stream->mutex);
    if (!asked)
        return true;
    if (!pg_rows(conn, SQL_CDC_PARTITION_ROOT, PARAMS(arena_int64(&arena, oid)), &rows, err))
        return false;
    Stranger found = STRANGER_GONE;
    if (rows_count(rows) > 0) {
        bool late = is_late(blueprint, oid, rows_oid(rows, 0, 0));
        Name name = {rows_text(rows, 0, 1), rows_text(rows, 0, 2)};
        found = late ? STRANGER_LATE : STRANGER_FOREIGN;
        if (late)
            log_info(&stream->spec.log,
                     "a change of %s, a new partition, waits until it is taken in",
                     name_text(&arena, &name));
    }
    pthread_mutex_lock(&stream->mutex);
    stream->stranger = found;
    stream->status.partitions_moved = stream->status.partitions_moved || found == STRANGER_LATE;
    pthread_mutex_unlock(&stream->mutex);
    return true;
}

static int by_oid(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

const char *newcomers_known(Arena *arena, const Blueprint *blueprint, const char **roots)
{
    AUTO_STR Str tables = {0};
    AUTO_STR Str text = {0};
    const Catalog *catalog = blueprint->source;
    uint32_t *oids = arena_array(arena, uint32_t, catalog->relations_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        if (blueprint->relations[i].partitioned)
            str_appendf(&tables, "%s%" PRIu32, tables.length == 0 ? "{" : ",",
                        blueprint->relations[i].oid);
    }
    *roots = NULL;
    if (tables.length == 0)
        return NULL;
    str_append(&tables, "}");
    *roots = str_dup(arena, &tables);
    for (size_t i = 0; i < catalog->relations_count; i++) {
        const CatRelation *relation = &catalog->relations[i];
        if (relation->is_partition && is_selected_root(blueprint, relation->root))
            oids[count++] = relation->oid;
    }
    if (count > 1)
        qsort(oids, count, sizeof(*oids), by_oid);
    for (size_t i = 0; i < count; i++)
        str_appendf(&text, "%s%" PRIu32, i == 0 ? "" : ",", oids[i]);
    return digest_hex(arena, str_text(&text), text.length);
}

bool newcomers_look(Stream *stream, Conn *conn, const char *roots, const char *known, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (roots == NULL)
        return true;
    if (!pg_one(conn, SQL_CDC_PARTITIONS, PARAMS(roots), &rows, err))
        return false;
    bool moved = strcmp(rows_text(rows, 0, 0), known) != 0;
    pthread_mutex_lock(&stream->mutex);
    if (moved && !stream->status.partitions_moved)
        log_info(&stream->spec.log, "partitions of selected tables came or went on the source");
    stream->status.partitions_moved = stream->status.partitions_moved || moved;
    pthread_mutex_unlock(&stream->mutex);
    return true;
}

bool stream_partitions_moved(Stream *stream, Conn *source, bool *moved, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    StreamStatus status = {0};
    const char *roots = NULL;
    const char *known = newcomers_known(&arena, stream->spec.blueprint, &roots);
    if (!newcomers_look(stream, source, roots, known, err))
        return false;
    stream_status(stream, &status);
    *moved = status.partitions_moved;
    return true;
}

bool newcomers_shape(Stream *stream, Conn *conn, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(conn, SQL_CDC_SHAPE, NO_PARAMS, &rows, err))
        return false;
    const char *shape = rows_text(rows, 0, 0);
    if (stream->shape != NULL && strcmp(stream->shape, shape) == 0)
        return true;
    size_t size = strlen(shape) + 1;
    stream->shape = mem_resize(stream->shape, size);
    memcpy(stream->shape, shape, size);
    pthread_mutex_lock(&stream->mutex);
    stream->status.shapes++;
    pthread_mutex_unlock(&stream->mutex);
    return true;
}
