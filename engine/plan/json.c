/*
 * Json: escapes what JSON demands and nothing else.
 */
#include "plan/json.h"

#include "plan/report.h"

#include <inttypes.h>

static void begin_value(Json *json, const char *key)
{
    if (json->follows)
        str_append_char(json->out, ',');
    if (json->pretty && json->depth > 0)
        str_appendf(json->out, "\n%*s", json->depth * 2, "");
    if (key != NULL) {
        json_write_text(json->out, key);
        str_append(json->out, json->pretty ? ": " : ":");
    }
    json->follows = true;
}

void json_open(Json *json, const char *key, char bracket)
{
    begin_value(json, key);
    str_append_char(json->out, bracket);
    json->follows = false;
    json->depth++;
}

void json_close(Json *json, char bracket)
{
    json->depth--;
    if (json->pretty && json->follows)
        str_appendf(json->out, "\n%*s", json->depth * 2, "");
    str_append_char(json->out, bracket);
    json->follows = true;
}

void json_text(Json *json, const char *key, const char *text)
{
    begin_value(json, key);
    if (text == NULL)
        str_append(json->out, "null");
    else
        json_write_text(json->out, text);
}

void json_number(Json *json, const char *key, uint64_t number)
{
    begin_value(json, key);
    str_appendf(json->out, "%" PRIu64, number);
}

void json_bool(Json *json, const char *key, bool value)
{
    begin_value(json, key);
    str_append(json->out, value ? "true" : "false");
}

void json_raw(Json *json, const char *key, const char *value)
{
    begin_value(json, key);
    str_append(json->out, value == NULL ? "null" : value);
}

/* Escaped although JSON would not: what YAML reads as a break or not at all. */
static bool is_special(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029 ||
           code == 0xFEFF || code == 0xFFFE || code == 0xFFFF;
}

void json_write_text(Str *out, const char *text)
{
    size_t bytes = strlen(text);
    str_append_char(out, '"');
    for (size_t at = 0; at < bytes;) {
        uint32_t code = 0;
        size_t length = text_character(text + at, bytes - at, &code);
        if (code == '"' || code == '\\')
            str_appendf(out, "\\%c", (char)code);
        else if (code == '\n')
            str_append(out, "\\n");
        else if (code == '\t')
            str_append(out, "\\t");
        else if (is_special(code))
            str_appendf(out, "\\u%04x", code);
        else
            str_append_bytes(out, text + at, length);
        at += length;
    }
    str_append_char(out, '"');
}
