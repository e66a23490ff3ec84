/*
 * Newcomers: one question about a relation, one about all partitions.
 */
#include "cdc/newcomers.h"

#include "base/digest.h"
#include "base/str.h"
#include "cdc/late.h"
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

/* What a relation is that the blueprint lacks. One that is not published now was so when it was
 * written to: as a partition that has been detached since, or because somebody had added it to the
 * publication and took it out. Its rows are none of the selection's, whatever they were then. */
static Stranger judge(const Stream *stream, uint32_t oid, const Rows *rows)
{
    uint32_t root = rows_oid(rows, 0, 0);
    if (is_late(stream->spec.blueprint, oid, root))
        return STRANGER_LATE;
    bool published = rows_bool(rows, 0, 3);
    return published && !late_is_gone(stream, root) ? STRANGER_FOREIGN : STRANGER_GONE;
}

bool newcomers_stranger(Stream *stream, Conn *conn, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    pthread_mutex_lock(&stream->mutex);
    bool asked = stream->stranger == STRANGER_ASKED;
    uint32_t oid = stream->stranger_oid;
    pthread_mutex_unlock(&stream->mutex);
    if (!asked)
        return true;
    if (!pg_rows(conn, SQL_CDC_PARTITION_ROOT,
                 PARAMS(arena_int64(&arena, oid), stream->spec.publications), &rows, err))
        return false;
    Stranger found = STRANGER_GONE;
    if (rows_count(rows) > 0) {
        Name name = {rows_text(rows, 0, 1), rows_text(rows, 0, 2)};
        found = judge(stream, oid, rows);
        if (found == STRANGER_LATE)
            log_info(&stream->spec.log,
                     "a change of %s, a new partition, waits until it is taken in",
                     name_text(&arena, &name));
    }
    pthread_mutex_lock(&stream->mutex);
    if (stream->stranger_oid == oid) /* a session that began meanwhile may ask about another one */
        stream->stranger = found;
    stream->status.partitions_moved = stream->status.partitions_moved || found == STRANGER_LATE;
    pthread_mutex_unlock(&stream->mutex);
    return true;
}

static int by_oid(const void *a, const void *b)
{
    uint32_t left = (*(const CatRelation *const *)a)->oid;
    uint32_t right = (*(const CatRelation *const *)b)->oid;
    return left < right ? -1 : left > right;
}

const char *newcomers_known(Arena *arena, const Blueprint *blueprint, const char **roots)
{
    AUTO_STR Str tables = {0};
    AUTO_STR Str text = {0};
    const Catalog *catalog = blueprint->source;
    const CatRelation **list =
        arena_array(arena, const CatRelation *, catalog->relations_count + 1);
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
            list[count++] = relation;
    }
    if (count > 1)
        qsort(list, count, sizeof(*list), by_oid);
    for (size_t i = 0; i < count; i++)
        str_appendf(&text, "%s%" PRIu32 ":%s", i == 0 ? "" : ",", list[i]->oid, list[i]->attached);
    return digest_hex(arena, str_text(&text), text.length);
}

bool newcomers_look(Stream *stream, Conn *conn, const char *roots, const char *known, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (roots == NULL)
        return true;
    if (!pg_one(conn, SQL_CDC_PARTITIONS, PARAMS(roots), &rows, err))
        return false;
    AUTO_ARENA Arena arena = {0};
    const char *now = rows_text(rows, 0, 0);
    if (rows_bool(rows, 0, 1)) /* a server that cannot hash */
        now = digest_hex(&arena, now, strlen(now));
    bool moved = strcmp(now, known) != 0;
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
