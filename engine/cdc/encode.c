/*
 * Encode: COPY's text and binary rows.
 * Source: PostgreSQL, COPY, "File Formats".
 */
#include "cdc/encode.h"

static void append_be(Str *out, uint32_t value, size_t bytes)
{
    char text[4];
    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)(value >> (8 * (bytes - 1 - i)) & 0xff);
    str_append_bytes(out, text, bytes);
}

void encode_be32(Str *out, uint32_t value)
{
    append_be(out, value, 4);
}

void encode_binary_header(Str *out)
{
    static const char HEADER[19] = "PGCOPY\n\377\r\n\0"; /* signature, flags, extension length */
    str_append_bytes(out, HEADER, sizeof(HEADER));
}

void encode_binary_trailer(Str *out)
{
    append_be(out, 0xffff, 2);
}

void encode_binary_row(Str *out, const PgoValue *values, size_t count)
{
    append_be(out, (uint32_t)count, 2);
    for (size_t i = 0; i < count; i++) {
        bool null = values[i].kind == PGO_NULL;
        append_be(out, null ? UINT32_MAX : values[i].length, 4);
        if (!null)
            str_append_bytes(out, values[i].data, values[i].length);
    }
}

static char escape_of(char c)
{
    switch (c) {
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\v':
        return 'v';
    case '\\':
        return '\\';
    default:
        return '\0';
    }
}

static void append_text_value(Str *out, const PgoValue *value)
{
    char *at = str_reserve(out, (size_t)value->length * 2);
    char *start = at;
    for (uint32_t i = 0; i < value->length; i++) {
        char c = value->data[i];
        char escape = c > '\r' && c != '\\' ? '\0' : escape_of(c);
        if (escape != '\0')
            *at++ = '\\';
        *at++ = escape != '\0' ? escape : c;
    }
    *at = '\0';
    out->length += (size_t)(at - start);
}

void encode_text_row(Str *out, const PgoValue *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            str_append_char(out, '\t');
        if (values[i].kind == PGO_NULL)
            str_append(out, "\\N");
        else
            append_text_value(out, &values[i]);
    }
    str_append_char(out, '\n');
}

bool encode_fits(const PgoValue *values, size_t count, PgoValueKind form)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i].kind != form && values[i].kind != PGO_NULL)
            return false;
    }
    return true;
}
