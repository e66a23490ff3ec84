/*
 * Mentions: a reader of SQL's words, as far as names need it.
 */
#include "plan/mentions.h"

#include "base/str.h"

#include <ctype.h>
#include <string.h>

static bool starts_word(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word(char c)
{
    return starts_word(c) || isdigit((unsigned char)c) || c == '$';
}

/* Behind a text that ends with `end`; at the end of all where it is not closed. */
static const char *behind(const char *sql, const char *end)
{
    const char *found = strstr(sql, end);
    return found == NULL ? sql + strlen(sql) : found + strlen(end);
}

/* Comments nest in SQL. */
static const char *behind_comment(const char *sql)
{
    size_t depth = 1;
    while (*sql != '\0' && depth > 0) {
        if (sql[0] == '*' && sql[1] == '/')
            depth--;
        else if (sql[0] == '/' && sql[1] == '*')
            depth++;
        else {
            sql++;
            continue;
        }
        sql += 2;
    }
    return sql;
}

/* A text in quotes; a quote that is doubled stays within it. */
static const char *behind_quoted(const char *sql, char quote, bool escapes)
{
    while (*sql != '\0') {
        if (escapes && sql[0] == '\\' && sql[1] != '\0')
            sql += 2;
        else if (sql[0] != quote)
            sql++;
        else if (sql[1] == quote)
            sql += 2;
        else
            return sql + 1;
    }
    return sql;
}

/* "$tag$ ... $tag$"; a parameter ($1) is none. */
static const char *behind_dollar(const char *sql)
{
    AUTO_ARENA Arena arena = {0};
    const char *end = sql + 1;
    while (is_word(*end) && *end != '$')
        end++;
    if (*end != '$' || isdigit((unsigned char)sql[1]))
        return sql + 1;
    return behind(end + 1, arena_memdup(&arena, sql, (size_t)(end + 1 - sql)));
}

/* Blanks and comments. */
static const char *skip_blanks(const char *sql)
{
    for (;;) {
        if (isspace((unsigned char)*sql))
            sql++;
        else if (sql[0] == '-' && sql[1] == '-')
            sql = behind(sql, "\n");
        else if (sql[0] == '/' && sql[1] == '*')
            sql = behind_comment(sql + 2);
        else
            return sql;
    }
}

/* An identifier as the server reads it. \return behind it; NULL where there is none */
static const char *read_part(const char *sql, Str *part)
{
    str_reset(part);
    if (*sql == '"') {
        const char *end = behind_quoted(sql + 1, '"', false);
        for (const char *at = sql + 1; at + 1 < end; at++) {
            str_append_char(part, *at);
            if (*at == '"')
                at++;
        }
        return end;
    }
    if (!starts_word(*sql))
        return NULL;
    for (; is_word(*sql); sql++)
        str_append_char(part, (char)(isupper((unsigned char)*sql) ? tolower(*sql) : *sql));
    return sql;
}

/* What is no identifier: one character, or a text as a whole. */
static const char *skip_other(const char *sql)
{
    if (*sql == '\'')
        return behind_quoted(sql + 1, '\'', false);
    if (*sql == '$')
        return behind_dollar(sql);
    if (isdigit((unsigned char)*sql)) {
        while (is_word(*sql) || *sql == '.')
            sql++;
        return sql;
    }
    return sql + 1;
}

bool sql_mentions(const char *sql, const Name *name)
{
    AUTO_STR Str before = {0};
    AUTO_STR Str part = {0};
    bool dotted = false; /* `before` and a dot stand before what comes */
    for (sql = skip_blanks(sql); *sql != '\0'; sql = skip_blanks(sql)) {
        const char *end = read_part(sql, &part);
        if (end == NULL) {
            dotted = *sql == '.' && before.length > 0;
            if (!dotted)
                str_reset(&before);
            sql = skip_other(sql);
            continue;
        }
        if (*end == '\'' && end == sql + 1 && strchr("eE", *sql) != NULL) {
            sql = behind_quoted(end + 1, '\'', true);
            continue;
        }
        if (dotted && strcmp(str_text(&before), name->schema) == 0 &&
            strcmp(str_text(&part), name->rel) == 0)
            return true;
        str_reset(&before);
        str_append(&before, str_text(&part));
        dotted = false;
        sql = end;
    }
    return false;
}
