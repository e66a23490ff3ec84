/*
 * Node: small questions about one node.
 */
#include "plan/node.h"

#include "base/str.h"
#include "plan/report.h"

#include <ctype.h>

const Node *node_get(const Node *mapping, const char *key)
{
    if (mapping == NULL || mapping->kind != NODE_MAPPING)
        return NULL;
    for (const Node *child = mapping->first; child != NULL; child = child->next) {
        if (text_equal(child->key->text, key))
            return child;
    }
    return NULL;
}

const Node *node_at(const Node *mapping, const char *path)
{
    const Node *node = mapping;
    while (node != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        const Node *child = node->kind == NODE_MAPPING ? node->first : NULL;
        while (child != NULL &&
               (strncmp(child->key->text, path, length) != 0 || child->key->text[length] != '\0'))
            child = child->next;
        node = child;
        path += length + (path[length] == '.');
    }
    return node;
}

uint32_t node_span(const Node *node)
{
    if (node->end.line != node->pos.line || node->end.column <= node->pos.column)
        return 1;
    return node->end.column - node->pos.column;
}

bool node_is_null(const Node *node)
{
    if (node->kind != NODE_SCALAR || node->style != STYLE_PLAIN)
        return false;
    const char *t = node->text;
    return *t == '\0' || text_equal(t, "~") || strcasecmp(t, "null") == 0;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcasecmp(text, *words) == 0)
            return true;
    }
    return false;
}

/* Numbers of YAML 1.1 and 1.2: signs, underscores, bases, exponents, base 60. Wider than needed. */
static bool looks_numeric(const char *text)
{
    static const char *const SPECIAL[] = {".inf", "+.inf", "-.inf", ".nan", NULL};
    if (is_one_of(text, SPECIAL))
        return true;
    const char *at = text + strspn(text, "+-");
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'o' || at[1] == 'b'))
        return at[2] != '\0' && at[2 + strspn(at + 2, "0123456789abcdefABCDEF_")] == '\0';
    if (*at == '.' ? !isdigit((unsigned char)at[1]) : !isdigit((unsigned char)*at))
        return false;
    at += strspn(at, "0123456789_:.");
    if (*at == 'e' || *at == 'E') {
        at++;
        at += strspn(at, "+-");
        at += strspn(at, "0123456789");
    }
    return *at == '\0';
}

/* 2026-12-31, and the same with a time of day. */
static bool looks_dated(const char *text)
{
    static const char SHAPE[] = "dddd-dd-dd";
    for (size_t i = 0; SHAPE[i] != '\0'; i++) {
        bool fits = SHAPE[i] == 'd' ? isdigit((unsigned char)text[i]) != 0 : text[i] == SHAPE[i];
        if (!fits)
            return false;
    }
    char after = text[strlen(SHAPE)];
    return after == '\0' || after == ' ' || after == 'T' || after == 't';
}

const char *node_misread(const Node *node)
{
    static const char *const BOOLEANS[] = {"y",   "n",    "yes",   "no", "on",
                                           "off", "true", "false", NULL};
    if (node->kind != NODE_SCALAR || node->style != STYLE_PLAIN)
        return NULL;
    if (is_one_of(node->text, BOOLEANS))
        return "a boolean";
    if (looks_numeric(node->text))
        return "a number";
    return looks_dated(node->text) ? "a date" : NULL;
}

/* How many source characters one character of a quoted value takes. */
static size_t source_characters(NodeStyle style, const char *at)
{
    if (style == STYLE_SINGLE)
        return at[0] == '\'' && at[1] == '\'' ? 2 : 1;
    if (style != STYLE_DOUBLE || at[0] != '\\')
        return 1;
    return at[1] == 'x' ? 4 : at[1] == 'u' ? 6 : at[1] == 'U' ? 10 : 2;
}

PlanPos node_character(const Node *node, const char *source, size_t bytes, size_t character)
{
    size_t length = 0;
    const char *line = text_line(source, bytes, node->pos.line, &length);
    if (line == NULL || node->style == STYLE_BLOCK || node->end.line != node->pos.line)
        return node->pos;
    const char *end = line + length;
    uint32_t code = 0;
    size_t skip = node->pos.column - 1 + (node->style == STYLE_PLAIN ? 0 : 1);
    PlanPos pos = {.line = node->pos.line, .column = 1};
    while (line < end && (skip > 0 || character > 0)) {
        size_t take = 1;
        if (skip > 0) {
            skip--;
        } else {
            take = source_characters(node->style, line);
            character--;
        }
        for (; take > 0 && line < end; take--, pos.column++)
            line += text_character(line, (size_t)(end - line), &code);
    }
    return pos;
}
