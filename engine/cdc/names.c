/*
 * Names: one query, which names only what is astray.
 */
#include "cdc/names.h"

#include "base/jsontext.h"
#include "cdc/apply.h"
#include "journal/journal.h"
#include "sql_text.h"

bool names_matter(const Stream *stream)
{
    return decoding_by_name(&stream->decoding);
}

const char *names_known(Arena *arena, const Blueprint *blueprint)
{
    json_t *leaves = json_array();
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        json_array_append_new(leaves, json_pack("[Iss]", (json_int_t)leaf->oid, leaf->source.schema,
                                                leaf->source.rel));
    }
    return jsontext_compact(arena, leaves);
}

static void note(Stream *stream, const Rows *rows)
{
    const Blueprint *blueprint = stream->spec.blueprint;
    for (size_t r = 0; r < rows_count(rows); r++) {
        Arena *arena = &stream->astray_arena;
        const Leaf *leaf = &blueprint->leaves[rows_int64(rows, r, 0)];
        Name now = {rows_text(rows, r, 1), rows_text(rows, r, 2)};
        const char *text =
            now.rel == NULL ? arena_printf(arena, "%s is another relation now.",
                                           name_text(arena, &leaf->source))
                            : arena_printf(arena, "%s is called %s now.",
                                           name_text(arena, &leaf->source), name_text(arena, &now));
        *vec_push(arena, &stream->astray) = (Astray){.leaf = leaf, .text = text};
    }
}

bool names_look(Stream *stream, Conn *conn, const char *known, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_CDC_NAMES, PARAMS(known), &rows, err))
        return false;
    pthread_mutex_lock(&stream->mutex);
    if (stream->astray.count == 0)
        note(stream, rows);
    stream->looks++;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->mutex);
    atomic_store(&stream->went_astray, rows_count(rows) > 0);
    return true;
}

bool names_complete(Stream *stream, Err *err)
{
    StreamStatus status;
    stream_status(stream, &status);
    if (!names_matter(stream) || !status.partitions_moved)
        return true;
    err_set(err, ERR_DRIFT, "partitions of selected tables came or went on the source");
    return err_hint(err, "test_decoding tells changes by name, so theirs were left out. Run "
                         "\"godwit refresh\", which takes them in.");
}

/* What cannot be marked now is found astray again by the next session, or was never passed. */
static void mark(StreamSession *session, const Leaf *leaf)
{
    const Stream *stream = session->stream;
    AUTO_ERR Err problem = {0};
    if (!journal_leaf_state(session->target, stream->spec.run_id, &leaf->source, 'i', &problem))
        log_err(&stream->spec.log, LOG_WARN, &problem);
}

bool names_check(StreamSession *session, Err *err)
{
    Stream *stream = session->stream;
    if (!atomic_load(&stream->went_astray))
        return true;
    apply_rollback(&stream->applier);
    pthread_mutex_lock(&stream->mutex);
    AUTO_STR Str text = {0};
    for (size_t i = 0; i < stream->astray.count; i++)
        str_appendf(&text, "%s%s", i == 0 ? "" : " ", stream->astray.items[i].text);
    size_t count = stream->astray.count;
    pthread_mutex_unlock(&stream->mutex);
    for (size_t i = 0; i < count; i++)
        mark(session, stream->astray.items[i].leaf);
    err_set(err, ERR_DRIFT, "relations of the source do not bear their names any more");
    err_detail(err, "%s", text.data);
    return err_hint(err, "test_decoding tells changes by name, so what was written meanwhile may "
                         "be lost to them. Give the names back and apply again: these relations "
                         "are copied anew.");
}
