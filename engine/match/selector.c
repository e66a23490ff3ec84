/*
 * Selector: tells names from patterns, checks names as SQL would read them.
 */
#include "match/selector.h"

#include "base/str.h"
#include "match/pattern.h"

/* PostgreSQL cuts longer names: NAMEDATALEN - 1. */
#define NAME_MAX_BYTES 63

static bool is_plain_char(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || c == '_' || (unsigned char)c >= 0x80)
        return true;
    return !first && ((c >= '0' && c <= '9') || c == '$');
}

/* The closing quote of a part that begins with a double quote; NULL if there is none. */
static const char *read_quoted(const char *at, Str *text, Err *err)
{
    for (at++; *at != '"' || at[1] == '"'; at++) {
        if (*at == '\0') {
            err_set(err, ERR_PLAN, "a double quote is not closed");
            return NULL;
        }
        if (*at == '"')
            at++;
        str_append_char(text, *at);
    }
    return at + 1;
}

/* The end of a part without quotes; NULL if SQL would read another name. */
static const char *read_plain(const char *whole, const char *at, Str *text, Err *err)
{
    const char *start = at;
    const char *end = at + strcspn(at, ".");
    for (; at < end; at++) {
        if (is_plain_char(*at, at == start))
            continue;
        err_set(err, ERR_PLAN, "a name with \"%c\" in it needs double quotes", *at);
        err_hint(err, "SQL would read another name without them. In YAML, write '%.*s\"%.*s\"%s'.",
                 (int)(start - whole), whole, (int)(end - start), start, end);
        return NULL;
    }
    str_append_bytes(text, start, (size_t)(end - start));
    return end;
}

/* One part at `at`: a plain lower-case identifier or a double-quoted one. Returns its end. */
static const char *read_part(Arena *arena, const char *whole, const char *at, const char **part,
                             Err *err)
{
    AUTO_STR Str text = {0};
    at = *at == '"' ? read_quoted(at, &text, err) : read_plain(whole, at, &text, err);
    if (at == NULL)
        return NULL;
    if (text.length == 0)
        err_set(err, ERR_PLAN, "a name is empty");
    else if (text.length > NAME_MAX_BYTES)
        err_set(err, ERR_PLAN, "a name is longer than %d bytes", NAME_MAX_BYTES);
    else
        *part = str_dup(arena, &text);
    return err_is_set(err) ? NULL : at;
}

static bool compile_pattern(const char *text, Selector *selector, size_t *column, Err *err)
{
    if (text[1] == '\0') {
        *column = 1;
        return err_set(err, ERR_PLAN, "a pattern is empty");
    }
    selector->pattern = pattern_compile(text + 1, column, err);
    if (selector->pattern != NULL)
        return true;
    *column += 1;
    return false;
}

bool selector_relation(Arena *arena, const char *text, Selector *selector, size_t *column, Err *err)
{
    *column = 0;
    *selector = (Selector){.text = arena_strdup(arena, text)};
    if (*text == '~')
        return compile_pattern(text, selector, column, err);
    const char *at = read_part(arena, text, text, &selector->name.schema, err);
    if (at == NULL)
        return false;
    if (*at != '.')
        return err_set(err, ERR_PLAN, "a relation is written schema.name");
    at = read_part(arena, text, at + 1, &selector->name.rel, err);
    if (at == NULL)
        return false;
    return *at == '\0' || err_set(err, ERR_PLAN, "a relation is written schema.name");
}

bool selector_schema(Arena *arena, const char *text, Selector *selector, size_t *column, Err *err)
{
    *column = 0;
    *selector = (Selector){.text = arena_strdup(arena, text)};
    if (*text == '~')
        return compile_pattern(text, selector, column, err);
    const char *at = read_part(arena, text, text, &selector->name.schema, err);
    if (at == NULL)
        return false;
    return *at == '\0' || err_set(err, ERR_PLAN, "a schema has a name of one part");
}

static bool pattern_matches_name(const Pattern *pattern, const Name *name)
{
    if (name->rel == NULL)
        return pattern_matches(pattern, name->schema);
    AUTO_STR Str subject = {0};
    str_append(&subject, name->schema);
    str_append_char(&subject, '.');
    str_append(&subject, name->rel);
    return pattern_matches(pattern, str_text(&subject));
}

bool selector_matches(const Selector *selector, const Name *name)
{
    if (selector->pattern != NULL)
        return pattern_matches_name(selector->pattern, name);
    return text_equal(selector->name.schema, name->schema) &&
           (selector->name.rel == NULL || text_equal(selector->name.rel, name->rel));
}

/* One part of an expanding name, its quotes taken off, references left as they are. Returns its
 * end. */
static const char *read_template(const char *at, Str *part)
{
    bool quoted = *at == '"';
    for (at += quoted; *at != '\0'; at++) {
        unsigned number = 0;
        size_t length = 0;
        if (quoted && *at == '"' && *++at != '"')
            return at;
        if (!quoted && *at == '.')
            return at;
        if (reference_read(at, &number, &length)) {
            str_append_bytes(part, at, length);
            at += length - 1;
        } else {
            str_append_char(part, *at);
        }
    }
    return at;
}

static bool expand_part(Arena *arena, const Selector *selector, const char *subject,
                        const char *text, const char **part, Err *err)
{
    AUTO_STR Str expanded = {0};
    if (selector->pattern != NULL) {
        if (!pattern_expand(selector->pattern, subject, text, &expanded, err))
            return false;
    } else {
        for (const char *at = text; *at != '\0'; str_append_char(&expanded, *at++)) {
            unsigned number = 0;
            size_t length = 0;
            if (reference_read(at, &number, &length))
                return err_set(err, ERR_PLAN, "a name has no groups, only a pattern has");
        }
    }
    *part = str_dup(arena, &expanded);
    if (expanded.length == 0)
        return err_set(err, ERR_PLAN, "a part of the name would be empty");
    return expanded.length <= NAME_MAX_BYTES ||
           err_set(err, ERR_PLAN, "the name would be longer than %d bytes: %s", NAME_MAX_BYTES,
                   *part);
}

bool selector_expand(Arena *arena, const Selector *selector, const Name *name, const char *text,
                     Name *expanded, Err *err)
{
    AUTO_STR Str schema = {0};
    AUTO_STR Str rel = {0};
    AUTO_STR Str subject = {0};
    const char *at = read_template(text, &schema);
    if (*at != '.' || *read_template(at + 1, &rel) != '\0')
        return err_set(err, ERR_PLAN, "a relation is written schema.name");
    str_append(&subject, name->schema);
    str_append_char(&subject, '.');
    str_append(&subject, name->rel);
    return expand_part(arena, selector, str_text(&subject), str_text(&schema), &expanded->schema,
                       err) &&
           expand_part(arena, selector, str_text(&subject), str_text(&rel), &expanded->rel, err);
}

void selector_release(Selector *selector)
{
    union {
        const Pattern *shared;
        Pattern *own;
    } pattern = {.shared = selector->pattern};
    pattern_free(pattern.own);
    selector->pattern = NULL;
}
