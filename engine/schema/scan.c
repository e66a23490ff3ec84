/*
 * Scan: quotes, dollar quotes and comments are each one token.
 */
#include "schema/scan.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

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

const char *scan_token(const char *at)
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

const char *scan_blank(const char *at)
{
    for (;;) {
        at += strspn(at, " \t\r\n");
        if ((at[0] != '-' || at[1] != '-') && (at[0] != '/' || at[1] != '*'))
            return at;
        at = skip_comment(at);
    }
}
