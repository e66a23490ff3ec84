/*
 * Pieces: the bytes of some large objects as one binary COPY, hashed here as the server would hash
 * them (lob_hash.sql), and passed on. One piece at a time is in memory, however large the object
 * is.
 *
 * \note Source: PostgreSQL docs, COPY, "Binary Format".
 */
#include "base/digest.h"
#include "lob/lob_internal.h"
#include "pg/copy.h"

#include <arpa/inet.h>

#define HEADER_BYTES 19 /* signature, flags, an extension of none */
#define BUFFER_BYTES (LOB_PIECE_BYTES + COPY_PIECE_BYTES + 4096) /* a row and what came with it */

typedef struct Hashing {
    uint32_t oid;
    int64_t size;
    Str pieces; /* the hexadecimal hashes of its pieces */
} Hashing;

typedef struct Pieces {
    Arena *arena;
    Conn *source;
    LobObjectVec *objects;
    LobPassOn *pass_on;
    void *data;
    char *buffer;  /* of BUFFER_BYTES */
    size_t length; /* of what came */
    size_t used;   /* of that */
    bool ended;
    Hashing hashing;
} Pieces;

/* Makes sure of so many bytes from where reading is. */
static bool need(Pieces *pieces, size_t bytes, Err *err)
{
    while (pieces->length - pieces->used < bytes) {
        size_t got = 0;
        pieces->length -= pieces->used;
        memmove(pieces->buffer, pieces->buffer + pieces->used, pieces->length);
        pieces->used = 0;
        size_t room = BUFFER_BYTES - pieces->length;
        if (!copy_out_read(pieces->source, pieces->buffer + pieces->length,
                           room < COPY_PIECE_BYTES ? room : COPY_PIECE_BYTES, &got, err))
            return false;
        pieces->length += got;
        if (got > 0)
            continue;
        int64_t rows = 0;
        pieces->ended = true; /* the server's reason, if it had one, is the better one */
        return copy_out_end(pieces->source, &rows, err) &&
               err_set(err, ERR_RUN, "the source's large objects ended in the middle of one");
    }
    return true;
}

static uint32_t number_at(const char *data)
{
    uint32_t number = 0;
    memcpy(&number, data, sizeof(number));
    return ntohl(number);
}

static void hash_end(Pieces *pieces)
{
    LobObject *object = lob_find(pieces->objects, pieces->hashing.oid);
    if (object != NULL && pieces->hashing.pieces.length > 0) {
        object->size = pieces->hashing.size;
        object->hash =
            digest_hex(pieces->arena, pieces->hashing.pieces.data, pieces->hashing.pieces.length);
    }
    str_reset(&pieces->hashing.pieces);
    pieces->hashing.size = 0;
}

static void hash_piece(Pieces *pieces, uint32_t oid, const char *data, size_t bytes)
{
    AUTO_ARENA Arena arena = {0};
    if (oid != pieces->hashing.oid)
        hash_end(pieces);
    pieces->hashing.oid = oid;
    pieces->hashing.size += (int64_t)bytes;
    str_append(&pieces->hashing.pieces, digest_hex(&arena, data, bytes));
}

/* One row: three values, each with its length. */
static bool pass_piece(Pieces *pieces, Err *err)
{
    const char *values[LOB_PIECE_VALUES];
    int lengths[LOB_PIECE_VALUES];
    size_t offset = 2;
    for (size_t i = 0; i < LOB_PIECE_VALUES; i++) {
        if (!need(pieces, offset + 4, err))
            return false;
        lengths[i] = (int)number_at(pieces->buffer + pieces->used + offset);
        if (lengths[i] < 0 || lengths[i] > LOB_PIECE_BYTES)
            return err_set(err, ERR_RUN, "a piece of a large object has no length that can be");
        offset += 4 + (size_t)lengths[i];
    }
    if (!need(pieces, offset, err))
        return false;
    const char *row = pieces->buffer + pieces->used;
    size_t at = 2;
    for (size_t i = 0; i < LOB_PIECE_VALUES; i++) {
        values[i] = row + at + 4;
        at += 4 + (size_t)lengths[i];
    }
    pieces->used += offset;
    if (lengths[0] != 4 || lengths[1] != 8)
        return err_set(err, ERR_RUN, "a piece of a large object has no oid and place");
    hash_piece(pieces, number_at(values[0]), values[2], (size_t)lengths[2]);
    return pieces->pass_on == NULL || pieces->pass_on(pieces->data, values, lengths, err);
}

static bool pass_pieces(Pieces *pieces, Err *err)
{
    if (!need(pieces, HEADER_BYTES, err))
        return false;
    pieces->used += HEADER_BYTES;
    for (;;) {
        if (!need(pieces, 2, err))
            return false;
        const unsigned char *count = (const unsigned char *)pieces->buffer + pieces->used;
        if (count[0] == 0xff && count[1] == 0xff)
            break;
        if (count[0] != 0 || count[1] != LOB_PIECE_VALUES)
            return err_set(err, ERR_RUN, "a piece of a large object has not three values");
        if (!pass_piece(pieces, err))
            return false;
    }
    hash_end(pieces);
    pieces->used += 2;
    size_t got = 0;
    char rest[16];
    if (!copy_out_read(pieces->source, rest, sizeof(rest), &got, err))
        return false;
    pieces->ended = got == 0;
    return got == 0 || err_set(err, ERR_RUN, "something follows the source's large objects");
}

static bool begin_reading(Pieces *pieces, const char *oids, Err *err)
{
    AUTO_STR Str sql = {0};
    /* COPY takes no parameters; these are numbers. The places are sorted, not the bytes. */
    str_appendf(
        &sql,
        "COPY (SELECT p.oid, p.place, pg_catalog.lo_get(p.oid, p.place, " LOB_PIECE_TEXT
        ") FROM (SELECT m.oid, g.place FROM pg_catalog.pg_largeobject_metadata AS m, "
        "LATERAL (SELECT pg_catalog.lo_open(m.oid, 262144) AS fd OFFSET 0) AS f, "
        "LATERAL (SELECT pg_catalog.lo_lseek64(f.fd, 0, 2) AS size, "
        "pg_catalog.lo_close(f.fd) AS closed OFFSET 0) AS s, "
        "LATERAL pg_catalog.generate_series(0::bigint, GREATEST(s.size - 1, 0), " LOB_PIECE_TEXT
        "::bigint) AS g (place) "
        "WHERE m.oid = ANY ('%s'::pg_catalog.oid[]) ORDER BY m.oid, g.place OFFSET 0) "
        "AS p) TO STDOUT (FORMAT binary)",
        oids);
    return copy_out_begin(pieces->source, sql.data, err);
}

bool lob_pieces(Arena *arena, Conn *source, const char *oids, LobObjectVec *objects,
                LobPassOn *pass_on, void *data, Err *err)
{
    int64_t rows = 0;
    Pieces pieces = {
        .arena = arena, .source = source, .objects = objects, .pass_on = pass_on, .data = data};
    if (!begin_reading(&pieces, oids, err))
        return false;
    pieces.buffer = arena_alloc(arena, BUFFER_BYTES);
    bool ok = pass_pieces(&pieces, err);
    str_release(&pieces.hashing.pieces);
    if (!ok && !pieces.ended)
        copy_out_abort(source);
    return ok && copy_out_end(source, &rows, err);
}
