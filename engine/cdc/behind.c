/*
 * Behind: a few numbers for each relation, under the stream's mutex; the first changes by key.
 */
#include "cdc/behind.h"

#define NAMED_MOST 10

static void forget(Stream *stream)
{
    arena_release(&stream->behind_arena);
    stream->behind.items = NULL;
    stream->behind.count = 0;
    stream->behind.capacity = 0;
}

void behind_begin(Stream *stream)
{
    if (!stream->sealed)
        return;
    pthread_mutex_lock(&stream->mutex);
    forget(stream);
    size_t kept = 0;
    for (size_t i = 0; i < stream->markers.count; i++) {
        if (!stream->markers.items[i].sealed)
            stream->markers.items[kept++] = stream->markers.items[i];
    }
    stream->markers.count = kept;
    stream->stays = false;
    pthread_mutex_unlock(&stream->mutex);
}

void behind_meet(Stream *stream, const char *nonce)
{
    pthread_mutex_lock(&stream->mutex);
    stream->sealed = stream->sealed || (stream->last != NULL && strcmp(stream->last, nonce) == 0);
    pthread_mutex_unlock(&stream->mutex);
}

/* The key as the source knows it now; "" when it cannot be told. */
static const char *key_of(Arena *arena, Relmap *relmap, const LeafState *leaf,
                          const PgoMessage *message)
{
    const Relation *relation = leaf->leaf->root;
    const PgoTuple *tuple =
        message->kind == PGO_DELETE ? &message->change.old_tuple : &message->change.new_tuple;
    if (relation->key == NULL || !leaf->known || tuple->column_count != leaf->map_count)
        return "";
    change_values(leaf, tuple, relmap->scratch, relmap->new_values);
    if (!change_old_key(relation, NULL, relmap->new_values, relmap->key_values))
        return "";
    return change_key_text(arena, relation, relmap->key_values);
}

static StreamBehind *find(Stream *stream, const Relation *relation)
{
    for (size_t i = 0; i < stream->behind.count; i++) {
        if (stream->behind.items[i].relation == relation)
            return &stream->behind.items[i];
    }
    StreamBehind *item = vec_push(&stream->behind_arena, &stream->behind);
    *item = (StreamBehind){.relation = relation, .keys = ""};
    return item;
}

void behind_note(Lane *lane, const LeafState *leaf, const PgoMessage *message)
{
    AUTO_ARENA Arena arena = {0};
    Stream *stream = lane->stream;
    const char *key =
        message->kind == PGO_TRUNCATE ? "" : key_of(&arena, &stream->relmap, leaf, message);
    pthread_mutex_lock(&stream->mutex);
    StreamBehind *item = find(stream, leaf->leaf->root);
    bool first = item->changes++ == 0;
    if (*key != '\0' && item->named++ < NAMED_MOST)
        item->keys = arena_printf(&stream->behind_arena, "%s%s%s", item->keys,
                                  item->named == 1 ? "" : ", ", key);
    item->lsn = lane->group->txns[lane->group->txn_count - 1].commit_lsn;
    item->truncated = item->truncated || message->kind == PGO_TRUNCATE;
    stream->selected++;
    stream->stays = true;
    pthread_mutex_unlock(&stream->mutex);
    if (first)
        log_error(&stream->spec.log,
                  "%s was written behind the last marker of the cutover, %s: it is not applied",
                  name_text(&arena, &leaf->leaf->root->source), *key == '\0' ? "no key" : key);
}

void stream_seal_at(Stream *stream, const char *nonce)
{
    pthread_mutex_lock(&stream->mutex);
    stream->last = arena_strdup(&stream->marker_arena, nonce);
    pthread_mutex_unlock(&stream->mutex);
}

/* Under the mutex. */
static void copy_all(const Stream *stream, Arena *arena, StreamBehind **items, size_t *count)
{
    *count = stream->behind.count;
    *items = arena_array(arena, StreamBehind, *count + 1);
    for (size_t i = 0; i < *count; i++) {
        (*items)[i] = stream->behind.items[i];
        (*items)[i].keys = arena_strdup(arena, stream->behind.items[i].keys);
    }
}

bool stream_behind(Arena *arena, Stream *stream, const char *nonce, int timeout_ms,
                   StreamBehind **items, size_t *count, Err *err)
{
    for (bool there = false; !there;) {
        if (!stream_wait_seen(stream, nonce, timeout_ms, err))
            return false;
        pthread_mutex_lock(&stream->mutex);
        for (size_t i = 0; i < stream->markers.count; i++)
            there = there || strcmp(stream->markers.items[i].nonce, nonce) == 0;
        if (there) /* and no new session has begun since */
            copy_all(stream, arena, items, count);
        pthread_mutex_unlock(&stream->mutex);
    }
    return true;
}
