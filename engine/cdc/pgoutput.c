/*
 * pgoutput: a reader that walks over the bytes once, refusing whatever would run over their end,
 * and little functions that read again, unchecked, what was checked.
 */
#include "cdc/pgoutput.h"

#include "base/clock.h"

#include <inttypes.h>

typedef struct Reader {
    const uint8_t *data;
    size_t size;
    size_t at;
    const char *what; /* kind of message, for errors */
    Err *err;
} Reader;

/* Where a kind of message may stand. */
typedef enum Place {
    OUTSIDE,       /* of streamed blocks */
    EITHER,        /* without an xid in a block */
    EITHER_OF_XID, /* with an xid first in a block */
    INSIDE,
} Place;

static const struct {
    uint8_t kind;
    Place place;
    const char *name;
} KINDS[] = {
    {PGO_BEGIN, OUTSIDE, "begin"},
    {PGO_COMMIT, OUTSIDE, "commit"},
    {PGO_DELETE, EITHER_OF_XID, "delete"},
    {PGO_INSERT, EITHER_OF_XID, "insert"},
    {PGO_MESSAGE, EITHER_OF_XID, "message"},
    {PGO_ORIGIN, EITHER, "origin"},
    {PGO_RELATION, EITHER_OF_XID, "relation"},
    {PGO_TYPE, EITHER_OF_XID, "type"},
    {PGO_TRUNCATE, EITHER_OF_XID, "truncate"},
    {PGO_UPDATE, EITHER_OF_XID, "update"},
    {PGO_STREAM_START, OUTSIDE, "stream start"},
    {PGO_STREAM_STOP, INSIDE, "stream stop"},
    {PGO_STREAM_COMMIT, OUTSIDE, "stream commit"},
    {PGO_STREAM_ABORT, OUTSIDE, "stream abort"},
    {PGO_BEGIN_PREPARE, OUTSIDE, "begin prepare"},
    {PGO_PREPARE, OUTSIDE, "prepare"},
    {PGO_COMMIT_PREPARED, OUTSIDE, "commit prepared"},
    {PGO_ROLLBACK_PREPARED, OUTSIDE, "rollback prepared"},
    {PGO_STREAM_PREPARE, OUTSIDE, "stream prepare"},
};
#define KIND_COUNT (sizeof(KINDS) / sizeof(KINDS[0]))

static size_t find_kind(uint8_t kind)
{
    size_t i = 0;
    while (i < KIND_COUNT && KINDS[i].kind != kind)
        i++;
    return i;
}

const char *pgo_kind_name(uint8_t kind)
{
    size_t index = find_kind(kind);
    return index < KIND_COUNT ? KINDS[index].name : NULL;
}

static bool malformed(const Reader *reader, const char *problem)
{
    return err_set(reader->err, ERR_PROTOCOL, "malformed %s message: %s at offset %zu of %zu",
                   reader->what, problem, reader->at, reader->size);
}

static uint64_t big_endian(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

static bool read_uint(Reader *reader, size_t bytes, const char *field, uint64_t *value)
{
    if (reader->size - reader->at < bytes) {
        AUTO_ARENA Arena arena = {0};
        return malformed(reader, arena_printf(&arena, "the message ends inside %s", field));
    }
    *value = big_endian(reader->data + reader->at, bytes);
    reader->at += bytes;
    return true;
}

static bool read_u8(Reader *reader, const char *field, uint8_t *value)
{
    uint64_t wide = 0;
    if (!read_uint(reader, 1, field, &wide))
        return false;
    *value = (uint8_t)wide;
    return true;
}

static bool read_u16(Reader *reader, const char *field, uint16_t *value)
{
    uint64_t wide = 0;
    if (!read_uint(reader, 2, field, &wide))
        return false;
    *value = (uint16_t)wide;
    return true;
}

static bool read_u32(Reader *reader, const char *field, uint32_t *value)
{
    uint64_t wide = 0;
    if (!read_uint(reader, 4, field, &wide))
        return false;
    *value = (uint32_t)wide;
    return true;
}

static bool read_time(Reader *reader, const char *field, int64_t *unix_us)
{
    uint64_t wide = 0;
    if (!read_uint(reader, 8, field, &wide))
        return false;
    *unix_us = (int64_t)(wide + (uint64_t)CLOCK_PG_EPOCH_US);
    return true;
}

static bool read_text(Reader *reader, const char *field, PgoText *text)
{
    const uint8_t *start = reader->data + reader->at;
    const uint8_t *end = memchr(start, '\0', reader->size - reader->at);
    if (end == NULL) {
        AUTO_ARENA Arena arena = {0};
        return malformed(reader, arena_printf(&arena, "%s is not terminated", field));
    }
    *text = (const char *)start;
    reader->at += (size_t)(end - start) + 1;
    return true;
}

static bool skip_bytes(Reader *reader, uint32_t bytes, const char *problem)
{
    if (reader->size - reader->at < bytes)
        return malformed(reader, problem);
    reader->at += bytes;
    return true;
}

static bool check_value(Reader *reader)
{
    uint8_t kind = 0;
    if (!read_u8(reader, "a tuple", &kind))
        return false;
    if (kind == PGO_NULL || kind == PGO_UNCHANGED)
        return true;
    if (kind != PGO_TEXT && kind != PGO_BINARY) {
        reader->at--;
        return malformed(reader, "unknown kind of value");
    }
    uint32_t length = 0;
    if (!read_u32(reader, "the length of a value", &length))
        return false;
    return skip_bytes(reader, length, "a value runs over the end of the message");
}

static bool read_tuple(Reader *reader, char kind, PgoTuple *tuple)
{
    uint16_t count = 0;
    if (!read_u16(reader, "the number of columns", &count))
        return false;
    size_t start = reader->at;
    for (uint16_t i = 0; i < count; i++) {
        if (!check_value(reader))
            return false;
    }
    *tuple = (PgoTuple){.data = reader->data + start,
                        .bytes = (uint32_t)(reader->at - start),
                        .column_count = count,
                        .kind = kind};
    return true;
}

static bool read_end(Reader *reader)
{
    return reader->at == reader->size || malformed(reader, "bytes are left over");
}

static bool read_begin(Reader *reader, PgoBegin *begin)
{
    return read_uint(reader, 8, "the final LSN", &begin->final_lsn) &&
           read_time(reader, "the commit time", &begin->commit_unix_us) &&
           read_u32(reader, "the transaction id", &begin->xid);
}

/* Flags that no version has given a meaning yet. */
static bool read_no_flags(Reader *reader)
{
    uint8_t flags = 0;
    if (!read_u8(reader, "the flags", &flags))
        return false;
    if (flags == 0)
        return true;
    reader->at--;
    return malformed(reader, "unknown flags");
}

static bool read_commit(Reader *reader, PgoCommit *commit)
{
    return read_no_flags(reader) && read_uint(reader, 8, "the commit LSN", &commit->commit_lsn) &&
           read_uint(reader, 8, "the end LSN", &commit->end_lsn) &&
           read_time(reader, "the commit time", &commit->commit_unix_us);
}

static bool read_logical_message(Reader *reader, PgoLogicalMessage *message)
{
    uint8_t flags = 0;
    if (!read_u8(reader, "the flags", &flags))
        return false;
    if (flags > 1) {
        reader->at--;
        return malformed(reader, "unknown flags");
    }
    message->transactional = flags == 1;
    if (!read_uint(reader, 8, "the LSN", &message->lsn) ||
        !read_text(reader, "the prefix", &message->prefix) ||
        !read_u32(reader, "the length of the content", &message->content_bytes))
        return false;
    message->content = reader->data + reader->at;
    return skip_bytes(reader, message->content_bytes, "the content runs over the end");
}

static bool read_relation(Reader *reader, PgoRelation *relation)
{
    uint8_t identity = 0;
    if (!read_u32(reader, "the relation", &relation->oid) ||
        !read_text(reader, "the schema", &relation->schema) ||
        !read_text(reader, "the relation's name", &relation->name) ||
        !read_u8(reader, "the replica identity", &identity) ||
        !read_u16(reader, "the number of columns", &relation->column_count))
        return false;
    relation->replica_identity = (char)identity;
    relation->columns = reader->data + reader->at;
    for (uint16_t i = 0; i < relation->column_count; i++) {
        uint8_t flags = 0;
        PgoText name = NULL;
        uint64_t type_and_modifier = 0;
        if (!read_u8(reader, "a column's flags", &flags) ||
            !read_text(reader, "a column's name", &name) ||
            !read_uint(reader, 8, "a column's type", &type_and_modifier))
            return false;
    }
    return true;
}

static bool read_type(Reader *reader, PgoType *type)
{
    return read_u32(reader, "the type", &type->oid) &&
           read_text(reader, "the schema", &type->schema) &&
           read_text(reader, "the type's name", &type->name);
}

static bool read_marked_tuple(Reader *reader, const char *allowed, const char *problem,
                              PgoTuple *tuple)
{
    uint8_t mark = 0;
    if (!read_u8(reader, "the kind of a tuple", &mark))
        return false;
    if (mark == '\0' || strchr(allowed, (char)mark) == NULL) {
        reader->at--;
        return malformed(reader, problem);
    }
    return read_tuple(reader, (char)mark, tuple);
}

static bool read_insert(Reader *reader, PgoChange *change)
{
    return read_u32(reader, "the relation", &change->relation_oid) &&
           read_marked_tuple(reader, "N", "a new tuple was expected", &change->new_tuple);
}

static bool read_update(Reader *reader, PgoChange *change)
{
    PgoTuple first = {0};
    if (!read_u32(reader, "the relation", &change->relation_oid) ||
        !read_marked_tuple(reader, "KON", "a key, an old or a new tuple was expected", &first))
        return false;
    if (first.kind == 'N') {
        change->new_tuple = first;
        return true;
    }
    change->old_tuple = first;
    return read_marked_tuple(reader, "N", "a new tuple was expected", &change->new_tuple);
}

static bool read_delete(Reader *reader, PgoChange *change)
{
    return read_u32(reader, "the relation", &change->relation_oid) &&
           read_marked_tuple(reader, "KO", "a key or an old tuple was expected",
                             &change->old_tuple);
}

static bool read_truncate(Reader *reader, PgoTruncate *truncate)
{
    uint8_t options = 0;
    if (!read_u32(reader, "the number of relations", &truncate->relation_count) ||
        !read_u8(reader, "the options", &options))
        return false;
    if (options > 3) {
        reader->at--;
        return malformed(reader, "unknown options");
    }
    truncate->cascade = (options & 1) != 0;
    truncate->restart_identity = (options & 2) != 0;
    truncate->relations = reader->data + reader->at;
    if (truncate->relation_count > (reader->size - reader->at) / 4)
        return malformed(reader, "the relations run over the end of the message");
    reader->at += (size_t)truncate->relation_count * 4;
    return true;
}

/* --- streamed and prepared transactions --- */

static bool read_stream_start(Reader *reader, PgoStreamStart *start)
{
    uint8_t first = 0;
    if (!read_u32(reader, "the transaction id", &start->xid) ||
        !read_u8(reader, "the mark of the first segment", &first))
        return false;
    if (first > 1) {
        reader->at--;
        return malformed(reader, "unknown mark of the first segment");
    }
    start->first = first == 1;
    return true;
}

static bool read_stream_commit(Reader *reader, PgoStreamCommit *commit)
{
    return read_u32(reader, "the transaction id", &commit->xid) &&
           read_commit(reader, &commit->commit);
}

static bool read_stream_abort(Reader *reader, PgoStreamAbort *abort)
{
    if (!read_u32(reader, "the transaction id", &abort->xid) ||
        !read_u32(reader, "the subtransaction id", &abort->subxid))
        return false;
    abort->told = reader->at < reader->size;
    return !abort->told || (read_uint(reader, 8, "the abort LSN", &abort->abort_lsn) &&
                            read_time(reader, "the abort time", &abort->abort_unix_us));
}

typedef struct PrepareFields {
    const char *lsn;
    const char *end_lsn;
    const char *time;
} PrepareFields;

static const PrepareFields OF_PREPARE = {"the prepare LSN", "the end LSN", "the prepare time"};
static const PrepareFields OF_COMMIT = {"the commit LSN", "the end LSN", "the commit time"};

static bool read_prepare(Reader *reader, const PrepareFields *fields, PgoPrepare *prepare)
{
    return read_uint(reader, 8, fields->lsn, &prepare->lsn) &&
           read_uint(reader, 8, fields->end_lsn, &prepare->end_lsn) &&
           read_time(reader, fields->time, &prepare->unix_us) &&
           read_u32(reader, "the transaction id", &prepare->xid) &&
           read_text(reader, "the global transaction id", &prepare->gid);
}

static bool read_rollback_prepared(Reader *reader, PgoRollbackPrepared *rollback)
{
    return read_no_flags(reader) &&
           read_uint(reader, 8, "the prepare's end LSN", &rollback->prepare_end_lsn) &&
           read_uint(reader, 8, "the rollback's end LSN", &rollback->rollback_end_lsn) &&
           read_time(reader, "the prepare time", &rollback->prepare_unix_us) &&
           read_time(reader, "the rollback time", &rollback->rollback_unix_us) &&
           read_u32(reader, "the transaction id", &rollback->xid) &&
           read_text(reader, "the global transaction id", &rollback->gid);
}

static bool read_large_body(Reader *reader, PgoMessage *message)
{
    switch ((int)message->kind) {
    case PGO_STREAM_START:
        return read_stream_start(reader, &message->stream_start);
    case PGO_STREAM_STOP:
        return true;
    case PGO_STREAM_COMMIT:
        return read_stream_commit(reader, &message->stream_commit);
    case PGO_STREAM_ABORT:
        return read_stream_abort(reader, &message->stream_abort);
    case PGO_BEGIN_PREPARE:
        return read_prepare(reader, &OF_PREPARE, &message->prepare);
    case PGO_PREPARE:
    case PGO_STREAM_PREPARE:
        return read_no_flags(reader) && read_prepare(reader, &OF_PREPARE, &message->prepare);
    case PGO_COMMIT_PREPARED:
        return read_no_flags(reader) && read_prepare(reader, &OF_COMMIT, &message->prepare);
    case PGO_ROLLBACK_PREPARED:
        return read_rollback_prepared(reader, &message->rollback_prepared);
    default:
        BUG("a kind of message is named but not read: %d", (int)message->kind);
    }
}

static bool read_body(Reader *reader, PgoMessage *message)
{
    switch ((int)message->kind) {
    case PGO_BEGIN:
        return read_begin(reader, &message->begin);
    case PGO_COMMIT:
        return read_commit(reader, &message->commit);
    case PGO_MESSAGE:
        return read_logical_message(reader, &message->message);
    case PGO_ORIGIN:
        return read_uint(reader, 8, "the LSN", &message->origin.lsn) &&
               read_text(reader, "the name", &message->origin.name);
    case PGO_RELATION:
        return read_relation(reader, &message->relation);
    case PGO_TYPE:
        return read_type(reader, &message->type);
    case PGO_INSERT:
        return read_insert(reader, &message->change);
    case PGO_UPDATE:
        return read_update(reader, &message->change);
    case PGO_DELETE:
        return read_delete(reader, &message->change);
    case PGO_TRUNCATE:
        return read_truncate(reader, &message->truncate);
    default:
        return read_large_body(reader, message);
    }
}

static bool decode(const void *data, size_t size_bytes, bool streamed, PgoMessage *message,
                   Err *err)
{
    if (size_bytes == 0)
        return err_set(err, ERR_PROTOCOL, "empty replication message");
    Reader reader = {.data = data, .size = size_bytes, .at = 1, .err = err};
    size_t index = find_kind(reader.data[0]);
    if (index == KIND_COUNT)
        return err_set(err, ERR_PROTOCOL, "unknown kind of replication message: byte 0x%02x",
                       reader.data[0]);
    reader.what = KINDS[index].name;
    if (KINDS[index].place == (streamed ? OUTSIDE : INSIDE))
        return err_set(err, ERR_PROTOCOL, "a %s message came %s a streamed block", reader.what,
                       streamed ? "inside" : "outside");
    *message = (PgoMessage){.kind = (PgoKind)reader.data[0]};
    if (streamed && KINDS[index].place == EITHER_OF_XID &&
        !read_u32(&reader, "the transaction id", &message->xid))
        return false;
    return read_body(&reader, message) && read_end(&reader);
}

bool pgo_decode(const void *data, size_t size_bytes, PgoMessage *message, Err *err)
{
    return decode(data, size_bytes, false, message, err);
}

bool pgo_decode_streamed(const void *data, size_t size_bytes, PgoMessage *message, Err *err)
{
    return decode(data, size_bytes, true, message, err);
}

void pgo_tuple_values(const PgoTuple *tuple, PgoValue *values)
{
    const uint8_t *at = tuple->data;
    for (uint16_t i = 0; i < tuple->column_count; i++) {
        PgoValueKind kind = (PgoValueKind)*at++;
        if (kind == PGO_NULL || kind == PGO_UNCHANGED) {
            values[i] = (PgoValue){.kind = kind};
            continue;
        }
        uint32_t length = (uint32_t)big_endian(at, 4);
        values[i] = (PgoValue){.data = (const char *)at + 4, .length = length, .kind = kind};
        at += 4 + length;
    }
}

const uint8_t *pgo_relation_column(const uint8_t *at, PgoColumn *column)
{
    column->in_key = (*at++ & 1) != 0;
    column->name = (const char *)at;
    at += strlen(column->name) + 1;
    column->type_oid = (uint32_t)big_endian(at, 4);
    column->type_modifier = (int32_t)(uint32_t)big_endian(at + 4, 4);
    return at + 8;
}

uint32_t pgo_truncate_relation(const PgoTruncate *truncate, uint32_t index)
{
    return (uint32_t)big_endian(truncate->relations + (size_t)index * 4, 4);
}

bool pgo_value_equal(const PgoValue *a, const PgoValue *b)
{
    return a->kind == b->kind && a->length == b->length &&
           (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}
