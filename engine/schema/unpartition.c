/*
 * Unpartition: a scanner that knows where a statement of SQL ends, and no more.
 */
#include "schema/unpartition.h"

#include "base/str.h"

#include <ctype.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* Behind a string or a quoted name: the quote is doubled inside. */
static const char *skip_quoted(const char *at, bool escapes)
{
    char quote = *at++;
    for (; *at != '\0'; at++) {
        if (escapes && *at == '\\' && at[1] != '\0')
            at++;
        else if (*at == quote && at[1] == quote)
            at++;
        else if (*at == quote)
            return at + 1;
    }
    return at;
}

/* Behind $tag$ ... $tag$; behind the dollar alone when it begins no such thing. */
static const char *skip_dollar(const char *at)
{
    const char *end = at + 1;
    while (is_word(*end) && *end != '$')
        end++;
    if (*end != '$' || isdigit((unsigned char)at[1]))
        return at + 1;
    size_t length = (size_t)(end - at) + 1;
    for (const char *next = strchr(end + 1, '$'); next != NULL; next = strchr(next + 1, '$')) {
        if (strncmp(next, at, length) == 0)
            return next + length;
    }
    return at + strlen(at);
}

static const char *skip_comment(const char *at)
{
    int depth = 0;
    if (*at == '-')
        return at + strcspn(at, "\n");
    do {
        if (at[0] == '/' && at[1] == '*') {
            depth++;
            at += 2;
        } else if (at[0] == '*' && at[1] == '/') {
            depth--;
            at += 2;
        } else if (*at != '\0') {
            at++;
        }
    } while (depth > 0 && *at != '\0');
    return at;
}

static const char *skip_word(const char *at)
{
    while (is_word(*at))
        at++;
    return at;
}

/* Behind whatever begins here: a quoted thing, a comment, a word, one character. */
static const char *skip_token(const char *at)
{
    if ((*at == 'E' || *at == 'e') && at[1] == '\'')
        return skip_quoted(at + 1, true);
    if (*at == '\'' || *at == '"')
        return skip_quoted(at, false);
    if (*at == '$')
        return skip_dollar(at);
    if ((at[0] == '-' && at[1] == '-') || (at[0] == '/' && at[1] == '*'))
        return skip_comment(at);
    return is_word(*at) ? skip_word(at) : at + 1;
}

static const char *skip_blank(const char *at)
{
    for (;;) {
        at += strspn(at, " \t\r\n");
        if ((at[0] != '-' || at[1] != '-') && (at[0] != '/' || at[1] != '*'))
            return at;
        at = skip_comment(at);
    }
}

static bool is_converted(const Blueprint *blueprint, const Name *name)
{
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (relation_is_gathered(relation) && name_equal(&relation->source, name))
            return true;
    }
    return false;
}

/* Whether the statement creates such a table. */
static bool creates_converted(Arena *arena, const Blueprint *blueprint, const char *statement)
{
    static const char CREATE[] = "CREATE TABLE ";
    Name name;
    if (!text_starts_with(statement, CREATE))
        return false;
    const char *begin = statement + strlen(CREATE);
    const char *end = skip_token(begin);
    if (*end != '.')
        return false;
    end = skip_token(end + 1);
    return name_parse(arena, arena_memdup(arena, begin, (size_t)(end - begin)), &name) &&
           is_converted(blueprint, &name);
}

const char *unpartition(Arena *arena, const Blueprint *blueprint, const char *script)
{
    AUTO_STR Str out = {0};
    const char *copied = script;
    for (const char *at = skip_blank(script); *at != '\0'; at = skip_blank(at)) {
        bool wanted = creates_converted(arena, blueprint, at);
        const char *partition = NULL;
        int depth = 0;
        while (*at != '\0' && (*at != ';' || depth > 0)) {
            depth += (*at == '(') - (*at == ')');
            if (wanted && depth == 0 && text_starts_with(at, "PARTITION BY "))
                partition = at;
            at = skip_token(at);
        }
        if (partition != NULL) {
            str_append_bytes(&out, copied, (size_t)(partition - copied));
            copied = at;
        }
        at += *at == ';';
    }
    if (copied == script)
        return script;
    str_append(&out, copied);
    return str_dup(arena, &out);
}
