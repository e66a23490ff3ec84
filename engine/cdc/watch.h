/*
 * Watch: the thread of the stream that takes in chunks which were made behind the publication, many
 * at a time: publishes them, copies what was in them, and says from which position on their changes
 * are applied (docs/adr/0034). Who decodes asks here before it applies a change of a chunk.
 *
 * A pass is one look at all chunks. It is whole when every chunk that it saw is copied, by that
 * pass or a later one: those that are made meanwhile are not waited for.
 */
#ifndef GODWIT_CDC_WATCH_H
#define GODWIT_CDC_WATCH_H

#include "base/vec.h"
#include "blueprint/blueprint.h"
#include "pg/conn.h"

#include <stdatomic.h>

typedef struct Stream Stream;

/* What is known of a chunk: published, from this position on. */
typedef struct WatchChunk {
    uint32_t oid;
    Lsn sync_lsn;
    bool copied;
    const Leaf *leaf;   /* its hypertable's; this and what follows is NULL before it is copied */
    const char *bounds; /* as copy_chunks.sql shows them; NULL: not known */
    Name name;
    uint64_t seen; /* the first pass that saw it; kept */
} WatchChunk;

/* Under the stream's mutex, but for `failed` and `passes_due`. */
typedef struct ChunkWatch {
    VEC(WatchChunk) chunks; /* sorted by oid */
    Arena arena;
    uint32_t wanted; /* apply waits for this chunk, at a change of the transaction that commits at
                        wanted_lsn, all before which is applied; 0: it does not */
    Lsn wanted_lsn;
    uint64_t begun; /* passes */
    uint64_t whole; /* the newest pass that is whole: so are those before it */
    size_t waiting; /* chunks that the last look found, and that are not copied yet */
    bool still;     /* nobody writes on the source any more */
    VEC(const char *)
    unpublished;        /* statements: for chunks that were taken in then, while the
                           fence's own locks kept the publication from growing */
    bool rests;         /* behind the last pass */
    bool read;          /* what the journal knows */
    atomic_bool failed; /* the decoding thread ends the stream with `error` */
    Err error;
} ChunkWatch;

/** What the watcher knows of a chunk now; false: nothing yet. Takes the mutex. */
bool watch_look_up(Stream *stream, uint32_t oid, WatchChunk *chunk);

/** What is known of the chunk from now on; the watcher's. Takes the mutex; copies the texts. */
void watch_note(Stream *stream, const WatchChunk *chunk);

/** A pass sees a chunk; the watcher's. Takes the mutex. \return what is known of it by now */
WatchChunk watch_see(Stream *stream, uint32_t oid, uint64_t pass);

/** Apply waits for a chunk; 0: not any more. Takes the mutex. */
void watch_want(Stream *stream, uint32_t oid, Lsn commit_lsn);

/** Whether apply waits for a chunk of which nothing is known yet that lets it go on; under the
 * mutex.
 */
bool watch_is_wanted(const ChunkWatch *watch);

/** \return false with what ended the watcher */
MUSTCHECK bool watch_check(Stream *stream, Err *err);

void watch_release(ChunkWatch *watch);

#endif
