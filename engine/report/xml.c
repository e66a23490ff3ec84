/*
 * XML out.
 */
#include "report/xml.h"

#include "plan/report.h"

/* Source: Extensible Markup Language (XML) 1.0, fifth edition, 2.2 Characters. */
static bool is_allowed(uint32_t code)
{
    return code == '\t' || code == '\n' || (code >= 0x20 && code <= 0xD7FF && code != 0x7F) ||
           (code >= 0xE000 && code <= 0xFFFD) || (code >= 0x10000 && code <= 0x10FFFF);
}

static const char *entity(uint32_t code, bool in_attribute)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\n':
        return in_attribute ? "&#10;" : NULL;
    case '\t':
        return in_attribute ? "&#9;" : NULL;
    default:
        return NULL;
    }
}

static void append(Str *out, const char *text, bool in_attribute)
{
    for (size_t left = strlen(text); left > 0;) {
        uint32_t code = 0;
        size_t bytes = text_character(text, left, &code);
        const char *known = entity(code, in_attribute);
        if (known != NULL)
            str_append(out, known);
        else if (is_allowed(code))
            str_append_bytes(out, text, bytes);
        else
            for (size_t i = 0; i < bytes; i++)
                str_appendf(out, "\\x%02X", (unsigned char)text[i]);
        text += bytes;
        left -= bytes;
    }
}

void xml_text(Str *out, const char *text)
{
    append(out, text, false);
}

void xml_attribute(Str *out, const char *name, const char *value)
{
    str_appendf(out, " %s=\"", name);
    append(out, value, true);
    str_append_char(out, '"');
}

void xml_number(Str *out, const char *name, size_t value)
{
    str_appendf(out, " %s=\"%zu\"", name, value);
}
