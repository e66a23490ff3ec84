/*
 * Emit: parameters are copied once into one reused buffer; expected counts are kept beside.
 */
#include "cdc/emit.h"

#include "cdc/encode.h"
#include "pg/copy.h"
#include "pg/pipeline.h"

#define EMIT_COPY_PIECE ((size_t)256 * 1024)

void emit_begin(Emit *emit, Conn *conn)
{
    emit->conn = conn;
    emit->pipe_open = false;
    emit->copy_open = false;
    emit->expected_count = 0;
    emit->mismatch = false;
    emit->texts.ceiling_bytes = ENCODE_CEILING_BYTES;
    emit->copy.ceiling_bytes = ENCODE_CEILING_BYTES;
}

void emit_init(Emit *emit, Budget *budget)
{
    *emit = (Emit){.budget = budget};
}

static void count(Emit *emit, const Str *text, size_t *counted)
{
    if (text->length <= *counted)
        return;
    budget_resize(emit->budget, BUDGET_APPLY, *counted, text->length);
    *counted = text->length;
}

static void forget(Emit *emit, Str *text, size_t *counted)
{
    budget_resize(emit->budget, BUDGET_APPLY, *counted, 0);
    *counted = 0;
    str_release(text);
    text->ceiling_bytes = ENCODE_CEILING_BYTES;
}

/* What a row that is larger than all else has made of them does not stay. */
static void settle(Emit *emit)
{
    count(emit, &emit->texts, &emit->texts_counted);
    count(emit, &emit->copy, &emit->copy_counted);
    if (emit->budget == NULL)
        return;
    if (emit->texts_counted > 2 * emit->budget->group_bytes)
        forget(emit, &emit->texts, &emit->texts_counted);
    if (emit->copy_counted > 2 * emit->budget->group_bytes)
        forget(emit, &emit->copy, &emit->copy_counted);
}

void emit_release(Emit *emit)
{
    budget_resize(emit->budget, BUDGET_APPLY, emit->texts_counted, 0);
    budget_resize(emit->budget, BUDGET_APPLY, emit->copy_counted, 0);
    mem_free(emit->expected);
    str_release(&emit->texts);
    str_release(&emit->copy);
    mem_free(emit->values);
    mem_free(emit->lengths);
    mem_free(emit->formats);
    emit_init(emit, emit->budget);
}

static void on_result(void *data, size_t index, int64_t affected, const char *first)
{
    Emit *emit = data;
    emit->last_affected = affected;
    emit->last_number = first == NULL ? 0 : strtoll(first, NULL, 10);
    if (index < emit->expected_count && emit->expected[index] != EMIT_ANY_COUNT &&
        emit->expected[index] != affected)
        emit->mismatch = true;
}

bool emit_flush(Emit *emit, Err *err)
{
    if (!emit->pipe_open)
        return true;
    emit->pipe_open = false;
    bool ok = pipe_end(emit->conn, on_result, emit, err);
    emit->expected_count = 0;
    return ok;
}

static bool open_pipe(Emit *emit, int64_t expected, Err *err)
{
    if (!emit->pipe_open) {
        if (!pipe_begin(emit->conn, err))
            return false;
        emit->pipe_open = true;
    }
    if (emit->expected_count == emit->expected_capacity) {
        emit->expected_capacity = emit->expected_capacity * 2 + 64;
        emit->expected =
            mem_resize(emit->expected, emit->expected_capacity * sizeof(*emit->expected));
    }
    emit->expected[emit->expected_count++] = expected;
    return true;
}

bool emit_sql(Emit *emit, const char *sql, Params params, int64_t expected, Err *err)
{
    return open_pipe(emit, expected, err) && pipe_query(emit->conn, sql, params, err);
}

static void parameter_room(Emit *emit, size_t count)
{
    if (count <= emit->parameter_capacity)
        return;
    emit->values = mem_resize(emit->values, count * sizeof(*emit->values));
    emit->lengths = mem_resize(emit->lengths, count * sizeof(*emit->lengths));
    emit->formats = mem_resize(emit->formats, count * sizeof(*emit->formats));
    emit->parameter_capacity = count;
}

/* libpq wants text terminated; in the message another value follows at once. The buffer has room
 * for all, so that pointers into it stay. */
static void add_parameter(Emit *emit, int *count, const PgoValue *value)
{
    int at = (*count)++;
    emit->lengths[at] = (int)value->length;
    emit->formats[at] = value->kind == PGO_BINARY ? 1 : 0;
    emit->values[at] = value->data;
    if (value->kind != PGO_TEXT)
        return;
    emit->values[at] = emit->texts.data + emit->texts.length;
    str_append_bytes(&emit->texts, value->data, value->length);
    str_append_char(&emit->texts, '\0');
}

static size_t text_bytes(const PgoValue *values, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += (size_t)values[i].length + 1;
    return bytes;
}

static bool send(Emit *emit, Statement *statement, int parameters, int64_t expected, Err *err)
{
    if (!open_pipe(emit, expected, err))
        return false;
    if (!statement->prepared) {
        if (!pipe_prepare(emit->conn, statement->name, statement->sql, err))
            return false;
        statement->prepared = true;
    }
    PipeArgs args = {parameters, emit->values, emit->lengths, emit->formats};
    bool ok = pipe_execute(emit->conn, statement->name, &args, err);
    settle(emit);
    return ok;
}

/* One element of an array's text form; everything is quoted, so that nothing needs a look. */
static void append_element(Str *text, const PgoValue *value)
{
    if (value->kind == PGO_NULL) {
        str_append(text, "NULL");
        return;
    }
    char *at = str_reserve(text, (size_t)value->length * 2 + 2);
    char *start = at;
    *at++ = '"';
    for (uint32_t i = 0; i < value->length; i++) {
        if (value->data[i] == '"' || value->data[i] == '\\')
            *at++ = '\\';
        *at++ = value->data[i];
    }
    *at++ = '"';
    *at = '\0';
    text->length += (size_t)(at - start);
}

/* An array's binary form: one dimension from 1 on. */
static void binary_array(Str *out, const EmitArrays *arrays, size_t column)
{
    size_t nulls_at = out->length + 4;
    encode_be32(out, 1);
    encode_be32(out, 0);
    encode_be32(out, arrays->type_oid(arrays->data, column));
    encode_be32(out, (uint32_t)arrays->rows);
    encode_be32(out, 1);
    bool nulls = false;
    for (size_t r = 0; r < arrays->rows; r++) {
        const PgoValue *value = arrays->value(arrays->data, r, column);
        bool null = value->kind == PGO_NULL;
        nulls = nulls || null;
        encode_be32(out, null ? UINT32_MAX : value->length);
        if (!null)
            str_append_bytes(out, value->data, value->length);
    }
    out->data[nulls_at + 3] = nulls ? 1 : 0;
}

static void text_array(Str *out, const EmitArrays *arrays, size_t column)
{
    str_append_char(out, '{');
    for (size_t r = 0; r < arrays->rows; r++) {
        if (r > 0)
            str_append_char(out, ',');
        append_element(out, arrays->value(arrays->data, r, column));
    }
    str_append_bytes(out, "}", 2);
}

bool emit_arrays(Emit *emit, Statement *statement, const EmitArrays *arrays, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    size_t *starts = arena_array(&arena, size_t, arrays->columns + 1);
    parameter_room(emit, arrays->columns);
    str_reset(&emit->texts);
    for (size_t c = 0; c < arrays->columns; c++) {
        starts[c] = emit->texts.length; /* the buffer may still move */
        if (arrays->binary)
            binary_array(&emit->texts, arrays, c);
        else
            text_array(&emit->texts, arrays, c);
        emit->lengths[c] = (int)(emit->texts.length - starts[c]);
        emit->formats[c] = arrays->binary ? 1 : 0;
    }
    for (size_t c = 0; c < arrays->columns; c++)
        emit->values[c] = emit->texts.data + starts[c];
    return send(emit, statement, (int)arrays->columns, (int64_t)arrays->rows, err);
}

bool emit_statement(Emit *emit, Statement *statement, const EmitRow *row, int64_t expected,
                    Err *err)
{
    size_t columns = row->row != NULL ? row->columns : 0;
    parameter_room(emit, columns + row->tail_count);
    str_reset(&emit->texts);
    str_reserve(&emit->texts,
                text_bytes(row->row, columns) + text_bytes(row->tail, row->tail_count) + 1);
    int count = 0;
    for (size_t c = 0; c < columns; c++) {
        if (row->mask == NULL || row->mask[c])
            add_parameter(emit, &count, &row->row[c]);
    }
    for (size_t t = 0; t < row->tail_count; t++)
        add_parameter(emit, &count, &row->tail[t]);
    return send(emit, statement, count, expected, err);
}

void emit_abort(Emit *emit)
{
    AUTO_ERR Err ignored = {0};
    if (emit->copy_open && conn_is_ok(emit->conn))
        copy_in_abort(emit->conn, "the rows could not be completed", NULL);
    emit->copy_open = false;
    if (conn_is_ok(emit->conn) && !emit_flush(emit, &ignored))
        log_debug(conn_log(emit->conn), "left open: %s", ignored.message);
    emit->pipe_open = false;
}

bool emit_copy_begin(Emit *emit, const char *sql, bool binary, Err *err)
{
    if (!emit_flush(emit, err) || !copy_in_begin(emit->conn, sql, err))
        return false;
    emit->copy_open = true;
    emit->copied = 0;
    emit->copy_binary = binary;
    str_reset(&emit->copy);
    if (binary)
        encode_binary_header(&emit->copy);
    return true;
}

bool emit_copy_row(Emit *emit, const PgoValue *values, size_t count, Err *err)
{
    if (!encode_fits(values, count, emit->copy_binary ? PGO_BINARY : PGO_TEXT)) {
        emit->mismatch = true; /* the bytes of one form may be good ones of the other */
        return true;
    }
    if (emit->copy_binary)
        encode_binary_row(&emit->copy, values, count);
    else
        encode_text_row(&emit->copy, values, count);
    emit->copied++;
    if (emit->copy.length < EMIT_COPY_PIECE)
        return true;
    bool ok = copy_in_write(emit->conn, emit->copy.data, emit->copy.length, err);
    settle(emit);
    str_reset(&emit->copy);
    return ok;
}

bool emit_copy_end(Emit *emit, Err *err)
{
    if (emit->copy_binary)
        encode_binary_trailer(&emit->copy);
    if (emit->copy.length > 0 &&
        !copy_in_write(emit->conn, emit->copy.data, emit->copy.length, err))
        return false;
    int64_t rows = 0;
    emit->copy_open = false;
    if (!copy_in_end(emit->conn, &rows, err))
        return false;
    emit->mismatch = emit->mismatch || rows != emit->copied;
    return true;
}
