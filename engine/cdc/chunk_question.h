/*
 * A question about a relation that the stream sends and the blueprint lacks, where hypertables are
 * selected: is it one of their chunks? See chunks.h.
 */
#ifndef GODWIT_CDC_CHUNK_QUESTION_H
#define GODWIT_CDC_CHUNK_QUESTION_H

#include "blueprint/blueprint.h"

typedef enum ChunkAnswer {
    CHUNK_NONE,
    CHUNK_ASKED, /* the pulse looks at the source */
    CHUNK_IS,    /* of a selected hypertable */
    CHUNK_ALONG, /* TimescaleDB's own, or a chunk of another hypertable: it is not selected */
    CHUNK_GONE,  /* not there any more */
    CHUNK_OTHER, /* an ordinary relation */
} ChunkAnswer;

typedef struct ChunkQuestion {
    uint64_t ticket; /* of this question and no other */
    uint32_t oid;    /* 0: by name */
    Name name;       /* memory of who asks, who waits for the answer */
    uint32_t xid;    /* the transaction that the change is of; 0: one that is over */
    ChunkAnswer answer;
    const Leaf *leaf; /* CHUNK_IS: its hypertable's */
} ChunkQuestion;

/* TimescaleDB's messages around what it moves inside begin so.
 * \note Source: TimescaleDB 2.29, tsl/src/compression/wal_utils.h; transactional, without content.
 */
#define MOVES_PREFIX "::timescaledb-"

/** 1 for a message behind which compression or decompression moves rows, -1 for the one that ends
 * it, 0 for any other. */
int moves_step(const char *prefix, size_t bytes);

/** Refuses a TRUNCATE of some chunks of a hypertable. \return false with ERR_DRIFT */
bool chunks_truncate_refused(const Leaf *leaf, Err *err);

#endif
