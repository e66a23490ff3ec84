/*
 * Transfer: the bytes of some large objects out of the source as one binary COPY of pieces, into
 * the target by lo_put() in a pipeline. Values pass as they come: oid, place and bytes have the
 * same binary form as parameters. One piece at a time is in memory, however large the object is.
 *
 * \note Source: PostgreSQL docs, COPY, "Binary Format".
 */
#include "base/digest.h"
#include "lob/lob_internal.h"
#include "pg/copy.h"
#include "pg/pipeline.h"

#include <arpa/inet.h>

#define HEADER_BYTES 19 /* signature, flags, an extension of none */
#define COLUMNS      3
#define BUFFER_BYTES (LOB_PIECE_BYTES + COPY_PIECE_BYTES + 4096) /* a row and what came with it */

static const char PUT[] = "SELECT pg_catalog.lo_put($1::pg_catalog.oid, $2::bigint, $3::bytea)";

typedef struct Hashing {
    uint32_t oid;
    Str pieces; /* the hexadecimal hashes of its pieces */
} Hashing;

typedef struct Transfer {
    Arena *arena;
    Run *run;
    Conn *source;
    Conn *target;
    LobObjectVec *objects;
    char *buffer;  /* of BUFFER_BYTES */
    size_t length; /* of what came */
    size_t used;   /* of that */
    bool ended;
    Hashing hashing;
} Transfer;

/* Makes sure of so many bytes from where reading is. */
static bool need(Transfer *transfer, size_t bytes, Err *err)
{
    while (transfer->length - transfer->used < bytes) {
        size_t got = 0;
        transfer->length -= transfer->used;
        memmove(transfer->buffer, transfer->buffer + transfer->used, transfer->length);
        transfer->used = 0;
        size_t room = BUFFER_BYTES - transfer->length;
        if (!copy_out_read(transfer->source, transfer->buffer + transfer->length,
                           room < COPY_PIECE_BYTES ? room : COPY_PIECE_BYTES, &got, err))
            return false;
        transfer->length += got;
        if (got > 0)
            continue;
        transfer->ended = true;
        return err_set(err, ERR_RUN, "the source's large objects ended in the middle of one");
    }
    return true;
}

static uint32_t number_at(const char *data)
{
    uint32_t number = 0;
    memcpy(&number, data, sizeof(number));
    return ntohl(number);
}

static void hash_end(Transfer *transfer)
{
    LobObject *object = lob_find(transfer->objects, transfer->hashing.oid);
    if (object != NULL && transfer->hashing.pieces.length > 0)
        object->hash = digest_hex(transfer->arena, transfer->hashing.pieces.data,
                                  transfer->hashing.pieces.length);
    str_reset(&transfer->hashing.pieces);
}

static void hash_piece(Transfer *transfer, uint32_t oid, const char *data, size_t bytes)
{
    AUTO_ARENA Arena arena = {0};
    if (oid != transfer->hashing.oid)
        hash_end(transfer);
    transfer->hashing.oid = oid;
    str_append(&transfer->hashing.pieces, digest_hex(&arena, data, bytes));
}

/* One row: three values, each with its length. */
static bool pass_piece(Transfer *transfer, Err *err)
{
    const char *values[COLUMNS];
    int lengths[COLUMNS];
    size_t offset = 2;
    for (size_t i = 0; i < COLUMNS; i++) {
        if (!need(transfer, offset + 4, err))
            return false;
        lengths[i] = (int)number_at(transfer->buffer + transfer->used + offset);
        if (lengths[i] < 0 || lengths[i] > LOB_PIECE_BYTES)
            return err_set(err, ERR_RUN, "a piece of a large object has no length that can be");
        offset += 4 + (size_t)lengths[i];
    }
    if (!need(transfer, offset, err))
        return false;
    const char *row = transfer->buffer + transfer->used;
    size_t at = 2;
    for (size_t i = 0; i < COLUMNS; i++) {
        values[i] = row + at + 4;
        at += 4 + (size_t)lengths[i];
    }
    transfer->used += offset;
    if (lengths[0] != 4 || lengths[1] != 8)
        return err_set(err, ERR_RUN, "a piece of a large object has no oid and place");
    hash_piece(transfer, number_at(values[0]), values[2], (size_t)lengths[2]);
    atomic_fetch_add(&transfer->run->counters.bytes_copied, (long long)lengths[2]);
    static const int BINARY[COLUMNS] = {1, 1, 1};
    return pipe_execute(transfer->target, "", &(PipeArgs){COLUMNS, values, lengths, BINARY}, err);
}

static bool pass_pieces(Transfer *transfer, Err *err)
{
    if (!need(transfer, HEADER_BYTES, err))
        return false;
    transfer->used += HEADER_BYTES;
    for (;;) {
        if (!need(transfer, 2, err))
            return false;
        const unsigned char *count = (const unsigned char *)transfer->buffer + transfer->used;
        if (count[0] == 0xff && count[1] == 0xff)
            break;
        if (count[0] != 0 || count[1] != COLUMNS)
            return err_set(err, ERR_RUN, "a piece of a large object has not three values");
        if (!pass_piece(transfer, err))
            return false;
    }
    hash_end(transfer);
    transfer->used += 2;
    size_t got = 0;
    char rest[16];
    if (!copy_out_read(transfer->source, rest, sizeof(rest), &got, err))
        return false;
    transfer->ended = got == 0;
    return got == 0 || err_set(err, ERR_RUN, "something follows the source's large objects");
}

static bool begin_reading(Transfer *transfer, const char *oids, Err *err)
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
    return copy_out_begin(transfer->source, sql.data, err);
}

static bool transfer_all(Transfer *transfer, const char *oids, Err *err)
{
    AUTO_ERR Err written = {0};
    if (!begin_reading(transfer, oids, err))
        return false;
    bool ok = pipe_begin(transfer->target, err);
    if (ok) {
        ok = pipe_prepare(transfer->target, "", PUT, err) && pass_pieces(transfer, err);
        if (!pipe_end(transfer->target, NULL, NULL, &written) && ok)
            ok = err_move(err, &written);
    }
    int64_t pieces = 0;
    if (!ok && !transfer->ended)
        copy_out_abort(transfer->source);
    return ok && copy_out_end(transfer->source, &pieces, err);
}

bool lob_transfer(Arena *arena, Run *run, Conn *source, Conn *target, const char *oids,
                  LobObjectVec *objects, Err *err)
{
    Transfer transfer = {
        .arena = arena, .run = run, .source = source, .target = target, .objects = objects};
    transfer.buffer = arena_alloc(arena, BUFFER_BYTES);
    bool ok = transfer_all(&transfer, oids, err);
    str_release(&transfer.hashing.pieces);
    return ok || err_context(err, "could not copy large objects");
}
