/*
 * Passwords: hashes from pg_authid of the source to the roles that this run makes. They pass
 * through this file's memory and a COPY; no log, journal row, plan or statement text holds one.
 */
#include "base/jsontext.h"
#include "base/str.h"
#include "pg/copy.h"
#include "pg/query.h"
#include "roles/roles.h"
#include "sql_text.h"

#include <string.h>

static const char TABLE[] = "CREATE TEMPORARY TABLE pg_temp.godwit_password (role pg_catalog.text, "
                            "hash pg_catalog.text, refused pg_catalog.text) ON COMMIT DROP";
static const char FILL[] = "COPY pg_temp.godwit_password (role, hash) FROM STDIN";
static const char REFUSED[] = "SELECT p.role, p.refused FROM pg_temp.godwit_password AS p "
                              "WHERE p.refused IS NOT NULL ORDER BY p.role";

/* A value of COPY's text format. */
static void append_value(Str *line, const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        switch (*c) {
        case '\\':
            str_append(line, "\\\\");
            break;
        case '\n':
            str_append(line, "\\n");
            break;
        case '\r':
            str_append(line, "\\r");
            break;
        case '\t':
            str_append(line, "\\t");
            break;
        default:
            str_append_char(line, *c);
        }
    }
}

static const char *names_made(Arena *arena, const RoleSet *set)
{
    RoleSql names = {0};
    for (size_t i = 0; i < set->roles.count; i++)
        if (set->roles.items[i].fate == ROLE_CREATE)
            *vec_push(arena, &names) = set->roles.items[i].from->name;
    return jsontext_list(arena, names.items, names.count);
}

static void append_rows(Str *lines, const RoleSet *set, const Rows *hashes)
{
    for (size_t r = 0; r < rows_count(hashes); r++) {
        append_value(lines, roles_find(set, rows_text(hashes, r, 0))->target);
        str_append_char(lines, '\t');
        append_value(lines, rows_text(hashes, r, 1));
        str_append_char(lines, '\n');
    }
}

static bool hand_over(Conn *target, const Str *lines, Err *err)
{
    int64_t rows = 0;
    if (!pg_none(target, TABLE, NO_PARAMS, err) || !copy_in_begin(target, FILL, err))
        return false;
    if (!copy_in_write(target, lines->data, lines->length, err)) {
        copy_in_abort(target, "could not send the rows", NULL);
        return false;
    }
    return copy_in_end(target, &rows, err) && pg_script(target, SQL_ROLES_PASSWORD_TAKE, err);
}

static bool read_refused(Arena *arena, Conn *target, size_t *count, const char **refused, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str text = {0};
    if (!pg_rows(target, REFUSED, NO_PARAMS, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++)
        str_appendf(&text, "%s%s (%s)", r == 0 ? "" : ", ", rows_text(rows, r, 0),
                    rows_text(rows, r, 1));
    *count = rows_count(rows);
    *refused = *count == 0 ? NULL : str_dup(arena, &text);
    return true;
}

bool passwords_copy(Arena *arena, const RoleSet *set, Conn *source, Conn *target, size_t *taken,
                    const char **refused, Err *err)
{
    AUTO_ROWS Rows *hashes = NULL;
    AUTO_STR Str lines = {0};
    size_t failed = 0;
    *taken = 0;
    *refused = NULL;
    if (!pg_rows(source, SQL_ROLES_PASSWORDS, PARAMS(names_made(arena, set)), &hashes, err))
        return false;
    if (rows_count(hashes) == 0)
        return true;
    append_rows(&lines, set, hashes);
    if (!hand_over(target, &lines, err) || !read_refused(arena, target, &failed, refused, err))
        return err_context(err, "could not hand the passwords over");
    *taken = rows_count(hashes) - failed;
    return true;
}
