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

static const struct {
    uint8_t kind;
    const char *name;
} KIND_NAMES[] = {
    {PGO_BEGIN, "begin"},       {PGO_COMMIT, "commit"},   {PGO_DELETE, "delete"},
    {PGO_INSERT, "insert"},     {PGO_MESSAGE, "message"}, {PGO_ORIGIN, "origin"},
    {PGO_RELATION, "relation"}, {PGO_TYPE, "type"},       {PGO_TRUNCATE, "truncate"},
    {PGO_UPDATE, "update"},
};

const char *pgo_kind_name(uint8_t kind)
{
    for (size_t i = 0; i < sizeof(KIND_NAMES) / sizeof(KIND_NAMES[0]); i++) {
        if (KIND_NAMES[i].kind == kind)
            return KIND_NAMES[i].name;
    }
    return NULL;
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

static bool read_time(Reader *reader, int64_t *unix_us)
{
    uint64_t wide = 0;
    if (!read_uint(reader, 8, "the commit time", &wide))
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
           read_time(reader, &begin->commit_unix_us) &&
           read_u32(reader, "the transaction id", &begin->xid);
}

static bool read_commit(Reader *reader, PgoCommit *commit)
{
    uint8_t flags = 0;
    if (!read_u8(reader, "the flags", &flags))
        return false;
    if (flags != 0) {
        reader->at--;
        return malformed(reader, "unknown flags");
    }
    return read_uint(reader, 8, "the commit LSN", &commit->commit_lsn) &&
           read_uint(reader, 8, "the end LSN", &commit->end_lsn) &&
           read_time(reader, &commit->commit_unix_us);
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

static bool read_body(Reader *reader, PgoMessage *message)
{
    switch (message->kind) {
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
    }
    BUG("a kind of message is named but not read: %d", (int)message->kind);
}

bool pgo_decode(const void *data, size_t size_bytes, PgoMessage *message, Err *err)
{
    if (size_bytes == 0)
        return err_set(err, ERR_PROTOCOL, "empty replication message");
    Reader reader = {.data = data, .size = size_bytes, .at = 1, .err = err};
    reader.what = pgo_kind_name(reader.data[0]);
    if (reader.what == NULL)
        return err_set(err, ERR_PROTOCOL, "unknown kind of replication message: byte 0x%02x",
                       reader.data[0]);
    *message = (PgoMessage){.kind = (PgoKind)reader.data[0]};
    return read_body(&reader, message) && read_end(&reader);
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
