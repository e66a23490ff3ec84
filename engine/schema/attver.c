/*
 * Attver: see the header.
 */
#include "schema/attver.h"

#include "base/str.h"
#include "schema/scan.h"

static const char OPTION[] = "pg_attver=";

static const char *behind(const char *at, const char *words)
{
    return at != NULL && text_starts_with(at, words) ? at + strlen(words) : NULL;
}

static const char *behind_token(const char *at)
{
    return at == NULL || *at == '\0' ? NULL : scan_token(at);
}

/* The first option of "ALTER TABLE ONLY s.t ALTER COLUMN c SET (", NULL: it is another statement.
 */
static const char *column_options(const char *statement)
{
    const char *at = behind(statement, "ALTER TABLE ONLY ");
    if (at == NULL)
        at = behind(statement, "ALTER FOREIGN TABLE ONLY ");
    at = behind_token(behind(behind_token(at), "."));
    return behind(behind_token(behind(at, " ALTER COLUMN ")), " SET (");
}

static const char *statement_end(const char *at)
{
    while (*at != '\0' && *at != ';')
        at = scan_token(at);
    return at + (*at == ';');
}

/* The options between two parentheses without ours. \return how many there are */
static size_t other_options(Str *out, const char *options)
{
    size_t count = 0;
    for (const char *at = options; *at != '\0' && *at != ')';) {
        const char *end = at;
        while (*end != '\0' && *end != ',' && *end != ')')
            end = scan_token(end);
        if (!text_starts_with(at, OPTION)) {
            str_append(out, count++ == 0 ? "" : ", ");
            str_append_bytes(out, at, (size_t)(end - at));
        }
        at = *end == ',' ? scan_blank(end + 1) : end;
    }
    return count;
}

const char *attver_drop(Arena *arena, const char *script)
{
    AUTO_STR Str out = {0};
    const char *copied = script;
    if (strstr(script, OPTION) == NULL)
        return script;
    for (const char *at = scan_blank(script), *end; *at != '\0'; at = scan_blank(end)) {
        AUTO_STR Str others = {0};
        const char *options = column_options(at);
        end = statement_end(at);
        if (options == NULL)
            continue;
        size_t count = other_options(&others, options);
        str_append_bytes(&out, copied, (size_t)((count == 0 ? at : options) - copied));
        if (count > 0)
            str_appendf(&out, "%s);", others.data);
        copied = end;
    }
    if (copied == script)
        return script;
    str_append(&out, copied);
    return str_dup(arena, &out);
}
