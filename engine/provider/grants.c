/*
 * Grants: rows of the table, then the server's own statements, then (drop) rows of the table.
 */
#include "provider/grants.h"

#include "base/str.h"
#include "pg/query.h"
#include "provider/grant_table.h"
#include "sql_text.h"

#include <string.h>

const ProviderGrant *provider_grant_back_rows(size_t *count)
{
    *count = provider_grant_back_count;
    return provider_grant_back_table;
}

const ProviderGrant *provider_grant_rows(size_t *count)
{
    *count = provider_grant_count;
    return provider_grant_table;
}

/* Without a connection nobody quotes for us; with standard_conforming_strings this is enough. */
static void append_literal(Str *out, const char *text)
{
    str_append_char(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            str_append_char(out, '\'');
        str_append_char(out, *text);
    }
    str_append_char(out, '\'');
}

/* The role's name needs no quotes: it is made of the plan's name, see validation. */
static const char *with_user(Arena *arena, const char *text, const char *role)
{
    AUTO_STR Str out = {0};
    for (const char *at = text; *at != '\0';) {
        if (text_starts_with(at, "$user")) {
            str_append(&out, role);
            at += strlen("$user");
        } else {
            str_append_char(&out, *at++);
        }
    }
    return str_dup(arena, &out);
}

static void add(Arena *arena, GrantStatements *statements, GrantPart part, const char *text,
                const char *note)
{
    *vec_push(arena, statements) = (GrantStatement){part, text, note};
}

/* \param version 0: not known */
static void add_rows(Arena *arena, const GrantSpec *spec, GrantPart part, int version,
                     const ProviderGrant *rows, size_t count, GrantStatements *statements)
{
    for (size_t i = 0; i < count; i++) {
        const ProviderGrant *row = &rows[i];
        if (strcmp(row->kind, spec->kind) != 0 || row->side != spec->side || row->part != part ||
            (version != 0 && version < row->min_version))
            continue;
        const char *note = row->note;
        if (version == 0 && row->min_version > 0)
            note = arena_printf(arena, "PostgreSQL %d and later: %s", row->min_version / 10000,
                                row->note);
        add(arena, statements, part, with_user(arena, row->text, spec->role), note);
    }
}

static const char *query_of(const GrantSpec *spec)
{
    return spec->side == CONN_SOURCE ? SQL_PROVIDER_GRANTS_SOURCE : SQL_PROVIDER_GRANTS_TARGET;
}

static bool read_server(Arena *arena, const GrantSpec *spec, Conn *conn,
                        GrantStatements *statements, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    Params params = spec->side == CONN_SOURCE
                        ? PARAMS(spec->role, spec->selection)
                        : PARAMS(spec->role, spec->selection, spec->extensions);
    if (!pg_rows(conn, query_of(spec), params, &rows, err))
        return err_context(err, "asking the %s what a migration's role needs",
                           conn_side_name(spec->side));
    for (size_t r = 0; r < rows_count(rows); r++)
        add(arena, statements, strcmp(rows_text(rows, r, 0), "make") == 0 ? GRANT_MAKE : GRANT_DROP,
            arena_strdup(arena, rows_text(rows, r, 1)), arena_strdup(arena, rows_text(rows, r, 2)));
    return true;
}

static void append_line(Str *out, const GrantSpec *spec, const char *line, size_t length)
{
    const char *const values[] = {spec->role, spec->selection, spec->extensions};
    str_append(out, "        ");
    for (size_t i = 0; i < length; i++) {
        bool parameter =
            line[i] == '$' && i + 1 < length && line[i + 1] >= '1' && line[i + 1] <= '3';
        if (!parameter) {
            str_append_char(out, line[i]);
            continue;
        }
        append_literal(out, values[line[i + 1] - '1']);
        i++;
    }
    str_append_char(out, '\n');
}

/* The query without its head of comments, its parameters filled in. */
static const char *query_text(Arena *arena, const GrantSpec *spec)
{
    AUTO_STR Str out = {0};
    for (const char *line = query_of(spec); *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (strncmp(line, "--", 2) != 0)
            append_line(&out, spec, line, length);
        line += length + (line[length] == '\n');
    }
    return str_dup(arena, &out);
}

/* What the server would have told, found out and run there. */
static void add_block(Arena *arena, const GrantSpec *spec, GrantPart part,
                      GrantStatements *statements)
{
    const char *word = part == GRANT_MAKE ? "make" : "drop";
    add(arena, statements, part,
        arena_printf(arena,
                     "DO $godwit$\nDECLARE\n    wanted text;\nBEGIN\n"
                     "    FOR wanted IN SELECT found.text FROM (\n%s"
                     "    ) AS found WHERE found.part = '%s'\n"
                     "    LOOP\n        RAISE NOTICE '%%', wanted;\n"
                     "        EXECUTE wanted;\n    END LOOP;\nEND\n$godwit$",
                     query_text(arena, spec), word),
        "looks up what is there; --connect prints the statements themselves");
}

bool provider_grants(Arena *arena, const GrantSpec *spec, Conn *conn, GrantStatements *statements,
                     Err *err)
{
    int version = conn == NULL ? 0 : conn_version(conn);
    add_rows(arena, spec, GRANT_MAKE, version, provider_grant_table, provider_grant_count,
             statements);
    if (spec->failback)
        add_rows(arena, spec, GRANT_MAKE, version, provider_grant_back_table,
                 provider_grant_back_count, statements);
    if (spec->side == CONN_SOURCE)
        add(arena, statements, GRANT_DROP, "SET default_transaction_read_only = off",
            "behind the cutover the source stays read-only");
    else if (spec->failback)
        add(arena, statements, GRANT_DROP, "SET default_transaction_read_only = off",
            "behind a failback the target stays read-only");
    if (conn != NULL) {
        if (!read_server(arena, spec, conn, statements, err))
            return false;
    } else {
        add_block(arena, spec, GRANT_MAKE, statements);
        add_block(arena, spec, GRANT_DROP, statements);
    }
    add_rows(arena, spec, GRANT_DROP, version, provider_grant_table, provider_grant_count,
             statements);
    return true;
}
