/*
 * Reading the roles of a server: four queries a side, whatever the number of roles.
 */
#include "roles/read.h"

#include "pg/query.h"
#include "sql_text.h"

static bool read_session(Arena *arena, Conn *conn, RoleSide *side, Err *err)
{
    static const uint32_t BITS[] = {ATTRIBUTE_SUPERUSER, ATTRIBUTE_CREATEROLE, ATTRIBUTE_CREATEDB,
                                    ATTRIBUTE_REPLICATION, ATTRIBUTE_BYPASSRLS};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(conn, SQL_ROLES_SESSION, NO_PARAMS, &rows, err))
        return false;
    side->user = arena_strdup(arena, rows_text(rows, 0, 0));
    side->version = conn_version(conn);
    side->superuser = rows_bool(rows, 0, 1);
    for (size_t i = 0; i < sizeof(BITS) / sizeof(BITS[0]); i++)
        side->powers |= rows_bool(rows, 0, i + 1) ? BITS[i] : 0;
    side->reads_passwords = rows_bool(rows, 0, 6);
    side->database_owner = arena_strdup(arena, rows_text(rows, 0, 7));
    side->database = arena_strdup(arena, rows_text(rows, 0, 8));
    side->comment = arena_strdup(arena, rows_text(rows, 0, 9));
    return true;
}

static uint32_t read_attributes(const Rows *rows, size_t r)
{
    return (rows_bool(rows, r, 1) ? (uint32_t)ATTRIBUTE_SUPERUSER : 0) |
           (rows_bool(rows, r, 3) ? (uint32_t)ATTRIBUTE_CREATEROLE : 0) |
           (rows_bool(rows, r, 4) ? (uint32_t)ATTRIBUTE_CREATEDB : 0) |
           (rows_bool(rows, r, 6) ? (uint32_t)ATTRIBUTE_REPLICATION : 0) |
           (rows_bool(rows, r, 7) ? (uint32_t)ATTRIBUTE_BYPASSRLS : 0);
}

static bool read_roles(Arena *arena, Conn *conn, RoleSide *side, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_ROLES_ALL, NO_PARAMS, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++)
        *vec_push(arena, &side->roles) = (RoleFacts){
            .name = arena_strdup(arena, rows_text(rows, r, 0)),
            .attributes = read_attributes(rows, r),
            .inherit = rows_bool(rows, r, 2),
            .login = rows_bool(rows, r, 5),
            .connection_limit = rows_int64(rows, r, 8),
            .valid_until = arena_strdup(arena, rows_text(rows, r, 9)),
            .comment = arena_strdup(arena, rows_text(rows, r, 10)),
            .first = rows_bool(rows, r, 11),
            .usable = rows_bool(rows, r, 12),
            .settable = rows_bool(rows, r, 13),
            .grantable = rows_bool(rows, r, 14),
        };
    return true;
}

static bool read_members(Arena *arena, Conn *conn, RoleSide *side, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_ROLES_MEMBERSHIPS, NO_PARAMS, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        RoleMember *member = vec_push(arena, &side->members);
        *member = (RoleMember){
            .role = arena_strdup(arena, rows_text(rows, r, 0)),
            .member = arena_strdup(arena, rows_text(rows, r, 1)),
            .admin = rows_bool(rows, r, 2),
            .inherits = rows_bool(rows, r, 3),
            .sets = rows_text(rows, r, 4) == NULL || rows_bool(rows, r, 4),
        };
        const RoleFacts *facts = roles_facts(side, member->member);
        if (rows_text(rows, r, 3) == NULL)
            member->inherits = facts == NULL || facts->inherit;
    }
    return true;
}

static bool read_settings(Arena *arena, Conn *conn, RoleSide *side, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(conn, SQL_ROLES_SETTINGS, NO_PARAMS, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++)
        *vec_push(arena, &side->settings) = (RoleSetting){
            .role = arena_strdup(arena, rows_text(rows, r, 0)),
            .in_database = rows_bool(rows, r, 1),
            .name = arena_strdup(arena, rows_text(rows, r, 2)),
            .value = arena_strdup(arena, rows_text(rows, r, 3)),
        };
    return true;
}

bool role_side_read(Arena *arena, Conn *conn, RoleSide *side, Err *err)
{
    return (read_session(arena, conn, side, err) && read_roles(arena, conn, side, err) &&
            read_members(arena, conn, side, err) && read_settings(arena, conn, side, err)) ||
           err_context(err, "could not read the roles of the %s", conn_side_name(conn_side(conn)));
}

void object_arrays(Arena *arena, const Blueprint *blueprint, const char **classes,
                   const char **oids)
{
    AUTO_STR Str left = {0};
    AUTO_STR Str right = {0};
    str_append_char(&left, '{');
    str_append_char(&right, '{');
    for (size_t i = 0; i < blueprint->object_count; i++) {
        str_appendf(&left, "%s%u", i == 0 ? "" : ",", blueprint->objects[i].class_oid);
        str_appendf(&right, "%s%u", i == 0 ? "" : ",", blueprint->objects[i].oid);
    }
    str_append_char(&left, '}');
    str_append_char(&right, '}');
    *classes = str_dup(arena, &left);
    *oids = str_dup(arena, &right);
}

static bool read_needed(Arena *arena, const Blueprint *blueprint, Conn *source, RoleSql *needed,
                        Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const char *classes = NULL;
    const char *oids = NULL;
    object_arrays(arena, blueprint, &classes, &oids);
    if (!pg_rows(source, SQL_ROLES_NEEDED, PARAMS(classes, oids), &rows, err))
        return err_context(err, "could not read which roles the selection needs");
    for (size_t r = 0; r < rows_count(rows); r++)
        *vec_push(arena, needed) = arena_strdup(arena, rows_text(rows, r, 0));
    return true;
}

bool roles_read(Arena *arena, const Blueprint *blueprint, Conn *source, Conn *target, RoleSet *set,
                Err *err)
{
    RoleSql needed = {0};
    set->plan = blueprint->plan;
    set->rule = provider_role_rule(blueprint->plan->target.kind, conn_version(target));
    if (!role_side_read(arena, source, &set->source, err) ||
        !role_side_read(arena, target, &set->target, err) ||
        !read_needed(arena, blueprint, source, &needed, err))
        return false;
    roles_decide(arena, set, needed.items, needed.count);
    return true;
}
