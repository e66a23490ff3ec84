/*
 * test_decoding: one reader that walks over the line and checks it; the cursors walk again, over
 * what was checked.
 */
#include "cdc/test_decoding.h"

#include "base/arena.h"

#include <string.h>
#include <time.h>

typedef struct Reader {
    const char *data;
    size_t size;
    size_t at;
    Err *err;
} Reader;

static bool malformed(const Reader *reader, const char *problem)
{
    return err_set(reader->err, ERR_PROTOCOL,
                   "malformed test_decoding line: %s at offset %zu of %zu", problem, reader->at,
                   reader->size);
}

static char peek(const Reader *reader)
{
    return reader->at < reader->size ? reader->data[reader->at] : '\0';
}

static bool at_end(const Reader *reader)
{
    return reader->at == reader->size;
}

/* Steps over the text if it is next. */
static bool skip(Reader *reader, const char *text)
{
    size_t length = strlen(text);
    if (reader->size - reader->at < length || memcmp(reader->data + reader->at, text, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static bool expect(Reader *reader, const char *text)
{
    AUTO_ARENA Arena arena = {0};
    return skip(reader, text) ||
           malformed(reader, arena_printf(&arena, "\"%s\" was expected", text));
}

static bool read_end(const Reader *reader)
{
    return at_end(reader) || malformed(reader, "bytes are left over");
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_bare_name(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
}

static bool read_number(Reader *reader, uint64_t most, uint64_t *number)
{
    size_t start = reader->at;
    uint64_t value = 0;
    while (is_digit(peek(reader)) && value <= most)
        value = value * 10 + (uint64_t)(reader->data[reader->at++] - '0');
    if (reader->at == start || value > most) {
        reader->at = start;
        return malformed(reader, "a number was expected");
    }
    *number = value;
    return true;
}

/* Text between two of `quote`, which is doubled where it stands for itself. */
static bool read_quoted(Reader *reader, char quote, TdText *text)
{
    size_t start = reader->at + 1;
    for (reader->at = start; !at_end(reader); reader->at++) {
        if (reader->data[reader->at] != quote)
            continue;
        if (reader->at + 1 == reader->size || reader->data[reader->at + 1] != quote) {
            *text = (TdText){reader->data + start, reader->at - start};
            reader->at++;
            return true;
        }
        reader->at++;
    }
    reader->at = start - 1;
    return malformed(reader, "a quote is not closed");
}

static bool read_name(Reader *reader, TdText *name)
{
    size_t start = reader->at;
    TdText inside;
    if (peek(reader) == '"') {
        if (!read_quoted(reader, '"', &inside))
            return false;
    } else {
        while (is_bare_name(peek(reader)))
            reader->at++;
    }
    *name = (TdText){reader->data + start, reader->at - start};
    return name->bytes > 0 || malformed(reader, "a name was expected");
}

static bool read_relation(Reader *reader)
{
    TdText name;
    return read_name(reader, &name) && expect(reader, ".") && read_name(reader, &name);
}

/* "integer[]", "public.\"odd]type\"": up to the bracket that closes the first one. */
static bool read_type(Reader *reader, TdText *type)
{
    if (!expect(reader, "["))
        return false;
    size_t start = reader->at;
    TdText inside;
    for (size_t depth = 1; !at_end(reader);) {
        char c = peek(reader);
        if (c == '"') {
            if (!read_quoted(reader, '"', &inside))
                return false;
            continue;
        }
        if (c == '[')
            depth++;
        if (c == ']' && --depth == 0) {
            *type = (TdText){reader->data + start, reader->at - start};
            reader->at++;
            return true;
        }
        reader->at++;
    }
    return malformed(reader, "a type is not closed");
}

static bool is_bare_value(char c)
{
    return is_bare_name(c) || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' || c == '.';
}

static bool text_is(TdText text, const char *word)
{
    return text.bytes == strlen(word) && memcmp(text.data, word, text.bytes) == 0;
}

static bool read_value(Reader *reader, TdColumn *column)
{
    if (peek(reader) == '\'') {
        column->kind = TD_QUOTED;
        return read_quoted(reader, '\'', &column->value);
    }
    if (skip(reader, "B'")) {
        reader->at--;
        column->kind = TD_BITS;
        return read_quoted(reader, '\'', &column->value);
    }
    size_t start = reader->at;
    while (is_bare_value(peek(reader)))
        reader->at++;
    column->value = (TdText){reader->data + start, reader->at - start};
    column->kind = TD_BARE;
    if (column->value.bytes == 0)
        return malformed(reader, "a value was expected");
    if (text_is(column->value, "null"))
        column->kind = TD_NULL;
    else if (text_is(column->value, "unchanged-toast-datum"))
        column->kind = TD_UNCHANGED;
    return true;
}

static bool read_column(Reader *reader, TdColumn *column)
{
    return read_name(reader, &column->name) && read_type(reader, &column->type) &&
           expect(reader, ":") && read_value(reader, column);
}

/* A minus is in no bare name: so this cannot be a column. */
#define NEW_TUPLE " new-tuple:"

static bool read_tuple(Reader *reader, TdTuple *tuple)
{
    if (skip(reader, " (no-tuple-data)"))
        return true;
    size_t start = reader->at;
    while (!at_end(reader)) {
        TdColumn column;
        size_t before = reader->at;
        if (skip(reader, NEW_TUPLE)) {
            reader->at = before;
            break;
        }
        if (!expect(reader, " ") || !read_column(reader, &column))
            return false;
    }
    tuple->present = true;
    tuple->columns = (TdText){reader->data + start, reader->at - start};
    return true;
}

static bool read_truncate(Reader *reader, TdLine *line)
{
    line->kind = TD_TRUNCATE;
    if (skip(reader, " (no-flags)"))
        return true;
    line->restart_identity = skip(reader, " restart_seqs");
    line->cascade = skip(reader, " cascade");
    return line->restart_identity || line->cascade ||
           malformed(reader, "flags of a truncate were expected");
}

static bool read_change(Reader *reader, TdLine *line)
{
    size_t start = reader->at;
    size_t relations = 0;
    do {
        if (!read_relation(reader))
            return false;
        relations++;
    } while (skip(reader, ", "));
    line->relation = (TdText){reader->data + start, reader->at - start};
    if (!expect(reader, ": "))
        return false;
    if (skip(reader, "TRUNCATE:"))
        return read_truncate(reader, line);
    if (relations > 1)
        return malformed(reader, "\"TRUNCATE:\" was expected");
    if (skip(reader, "INSERT:")) {
        line->kind = TD_INSERT;
        return read_tuple(reader, &line->new_tuple);
    }
    if (skip(reader, "DELETE:")) {
        line->kind = TD_DELETE;
        return read_tuple(reader, &line->old_tuple);
    }
    line->kind = TD_UPDATE;
    if (!expect(reader, "UPDATE:"))
        return false;
    if (skip(reader, " old-key:") &&
        (!read_tuple(reader, &line->old_tuple) || !expect(reader, NEW_TUPLE)))
        return false;
    return read_tuple(reader, &line->new_tuple);
}

/* --- messages and bounds --- */

/* The prefix may hold anything; only at its end does the size fit what is left. */
static bool read_message(Reader *reader, TdLine *line)
{
    line->kind = TD_MESSAGE;
    line->transactional = skip(reader, "1");
    if (!line->transactional && !expect(reader, "0"))
        return false;
    if (!expect(reader, " prefix: "))
        return false;
    size_t start = reader->at;
    for (; reader->at < reader->size; reader->at++) {
        size_t end = reader->at;
        AUTO_ERR Err ignored = {0};
        Reader ahead = {reader->data, reader->size, end, &ignored};
        uint64_t bytes = 0;
        if (skip(&ahead, ", sz: ") && read_number(&ahead, UINT32_MAX, &bytes) &&
            skip(&ahead, " content:") && ahead.size - ahead.at == bytes) {
            line->prefix = (TdText){reader->data + start, end - start};
            line->content = (TdText){reader->data + ahead.at, bytes};
            reader->at = reader->size;
            return true;
        }
    }
    return malformed(reader, "the size and content of a message were expected");
}

static bool read_part(Reader *reader, const char *before, uint64_t most, int *part)
{
    uint64_t number = 0;
    if (!expect(reader, before) || !read_number(reader, most, &number))
        return false;
    *part = (int)number;
    return true;
}

static bool read_fraction(Reader *reader, int64_t *us)
{
    *us = 0;
    if (!skip(reader, "."))
        return true;
    int64_t unit = 100000;
    size_t start = reader->at;
    for (; is_digit(peek(reader)) && unit > 0; unit /= 10)
        *us += (reader->data[reader->at++] - '0') * unit;
    return reader->at > start || malformed(reader, "a fraction was expected");
}

/* "+00", "-03:30", "+05:30:15": seconds east of Greenwich. */
static bool read_zone(Reader *reader, int64_t *seconds)
{
    bool west = peek(reader) == '-';
    int hours = 0;
    int minutes = 0;
    int rest = 0;
    if (!read_part(reader, west ? "-" : "+", 16, &hours) ||
        (peek(reader) == ':' && !read_part(reader, ":", 59, &minutes)) ||
        (peek(reader) == ':' && !read_part(reader, ":", 59, &rest)))
        return false;
    *seconds = (int64_t)hours * 3600 + minutes * 60 + rest;
    *seconds = west ? -*seconds : *seconds;
    return true;
}

static bool read_time(Reader *reader, int64_t *unix_us)
{
    struct tm tm = {0};
    int64_t fraction = 0;
    int64_t zone = 0;
    if (!read_part(reader, "", 9999, &tm.tm_year) || !read_part(reader, "-", 12, &tm.tm_mon) ||
        !read_part(reader, "-", 31, &tm.tm_mday) || !read_part(reader, " ", 23, &tm.tm_hour) ||
        !read_part(reader, ":", 59, &tm.tm_min) || !read_part(reader, ":", 60, &tm.tm_sec) ||
        !read_fraction(reader, &fraction) || !read_zone(reader, &zone))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *unix_us = ((int64_t)timegm(&tm) - zone) * 1000000 + fraction;
    return true;
}

static bool read_xid(Reader *reader, TdLine *line)
{
    uint64_t xid = 0;
    if (!expect(reader, " ") || !read_number(reader, UINT32_MAX, &xid))
        return false;
    line->xid = (uint32_t)xid;
    return true;
}

static bool read_commit(Reader *reader, TdLine *line)
{
    line->kind = TD_COMMIT;
    if (!read_xid(reader, line))
        return false;
    return !skip(reader, " (at ") ||
           (read_time(reader, &line->commit_unix_us) && expect(reader, ")"));
}

bool td_decode(const void *data, size_t size_bytes, TdLine *line, Err *err)
{
    Reader reader = {.data = data, .size = size_bytes, .err = err};
    bool ok = false;
    *line = (TdLine){.kind = TD_BEGIN};
    if (skip(&reader, "table "))
        ok = read_change(&reader, line);
    else if (skip(&reader, "BEGIN"))
        ok = read_xid(&reader, line);
    else if (skip(&reader, "COMMIT"))
        ok = read_commit(&reader, line);
    else if (skip(&reader, "message: transactional: "))
        ok = read_message(&reader, line);
    else
        return malformed(&reader, "BEGIN, COMMIT, a table or a message was expected");
    return ok && read_end(&reader);
}

/* --- walking over what was checked --- */

static TdCursor over(TdText text)
{
    if (text.data == NULL)
        return (TdCursor){0};
    return (TdCursor){text.data, text.data + text.bytes};
}

TdCursor td_columns(const TdTuple *tuple)
{
    return over(tuple->columns);
}

static Reader again(const TdCursor *cursor, Err *err)
{
    return (Reader){cursor->at, (size_t)(cursor->end - cursor->at), 0, err};
}

bool td_column(TdCursor *cursor, TdColumn *column)
{
    if (cursor->at == cursor->end)
        return false;
    AUTO_ERR Err err = {0};
    Reader reader = again(cursor, &err);
    if (!expect(&reader, " ") || !read_column(&reader, column))
        BUG("a tuple that was checked cannot be read: %s", err.message);
    cursor->at += reader.at;
    return true;
}

TdCursor td_relations(const TdLine *line)
{
    return over(line->relation);
}

bool td_relation(TdCursor *cursor, TdText *schema, TdText *name)
{
    if (cursor->at == cursor->end)
        return false;
    AUTO_ERR Err err = {0};
    Reader reader = again(cursor, &err);
    skip(&reader, ", ");
    if (!read_name(&reader, schema) || !expect(&reader, ".") || !read_name(&reader, name))
        BUG("a relation that was checked cannot be read: %s", err.message);
    cursor->at += reader.at;
    return true;
}

/* Without each second of two `quote`. */
static size_t undouble(TdText text, char quote, char *out)
{
    size_t length = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        out[length++] = text.data[i];
        if (text.data[i] == quote)
            i++;
    }
    return length;
}

size_t td_unquote_name(TdText text, char *out)
{
    if (text.bytes > 1 && text.data[0] == '"')
        return undouble((TdText){text.data + 1, text.bytes - 2}, '"', out);
    memcpy(out, text.data, text.bytes);
    return text.bytes;
}

size_t td_value(const TdColumn *column, char *out)
{
    if (column->kind == TD_QUOTED)
        return undouble(column->value, '\'', out);
    bool is_bool = text_is(column->type, "boolean");
    size_t bytes =
        column->kind == TD_NULL || column->kind == TD_UNCHANGED ? 0 : column->value.bytes;
    if (is_bool && bytes > 0)
        bytes = 1; /* true and false begin as the server writes them */
    memcpy(out, column->value.data, bytes);
    return bytes;
}

/* Behind a modifier: "(10,2)" of "numeric(10,2)[]". */
static const char *without_modifier(const char *at)
{
    const char *end = *at == '(' ? strchr(at, ')') : NULL;
    return end != NULL ? end + 1 : at;
}

static bool is_interval(TdText type, const char *type_text)
{
    size_t bytes = strlen("interval");
    return type.bytes >= bytes && memcmp(type.data, "interval", bytes) == 0 &&
           strncmp(type_text, "interval", bytes) == 0; /* "interval day to second(3)" */
}

/* With a modifier of -1 format_type() writes two types in a way of its own: "character" without a
 * length means a length of 1 there, so does "bit". test_decoding asks without one.
 * \return the type as test_decoding has it; NULL: none of the two
 * \param rest what follows: "[]" */
static const char *without_length(const char *type_text, const char **rest)
{
    static const char *const WRITTEN[][2] = {{"bpchar", "character"}, {"\"bit\"", "bit"}};
    for (size_t i = 0; i < sizeof(WRITTEN) / sizeof(WRITTEN[0]); i++) {
        size_t bytes = strlen(WRITTEN[i][0]);
        if (strncmp(type_text, WRITTEN[i][0], bytes) != 0)
            continue;
        *rest = type_text + bytes;
        if (**rest == '\0' || **rest == '[')
            return WRITTEN[i][1];
    }
    return NULL;
}

static bool is_without_length(TdText type, const char *type_text)
{
    const char *rest = NULL;
    const char *told = without_length(type_text, &rest);
    size_t bytes = told == NULL ? 0 : strlen(told);
    return told != NULL && type.bytes == bytes + strlen(rest) &&
           memcmp(type.data, told, bytes) == 0 &&
           memcmp(type.data + bytes, rest, type.bytes - bytes) == 0;
}

static bool is_another_spelling(TdText type, const char *type_text)
{
    return is_interval(type, type_text) || is_without_length(type, type_text);
}

bool td_type_is(TdText type, const char *type_text)
{
    bool quoted = false;
    const char *at = type_text;
    for (size_t i = 0; i < type.bytes; i++, at++) {
        at = quoted ? at : without_modifier(at);
        if (*at != type.data[i])
            return is_another_spelling(type, type_text);
        quoted = quoted != (*at == '"');
    }
    return *without_modifier(at) == '\0' || is_another_spelling(type, type_text);
}

bool td_name_is(TdText text, const char *name)
{
    size_t i = 0;
    bool quoted = text.bytes > 1 && text.data[0] == '"';
    if (!quoted)
        return text_is(text, name);
    for (i = 1; i + 1 < text.bytes; i++, name++) {
        if (*name != text.data[i])
            return false;
        if (text.data[i] == '"')
            i++;
    }
    return *name == '\0';
}
