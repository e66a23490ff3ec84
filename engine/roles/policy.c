/*
 * CREATE POLICY with the target's names of its roles. A role that nothing stands for is left out of
 * the policy: that can only take access away, never give it.
 */
#include "roles/policy.h"

#include "pg/ddl.h"
#include "pg/query.h"
#include "sql_text.h"

#include <jansson.h>
#include <string.h>

#define CLASS_POLICY 3256u

typedef struct Policy {
    Name table;  /* on the source: expressions, too, know the tables by these names */
    Name target; /* on the target */
    const char *name;
    char command;
    bool permissive;
    const char **roles;
    size_t role_count;
    const char *using_sql;
    const char *check_sql;
    const char *comment;
} Policy;

static const char *command_word(char command)
{
    switch (command) {
    case 'r':
        return "SELECT";
    case 'a':
        return "INSERT";
    case 'w':
        return "UPDATE";
    case 'd':
        return "DELETE";
    default:
        return "ALL";
    }
}

static bool is_public(const char *role)
{
    return strcmp(role, "public") == 0; /* no role can be called so */
}

static const char *role_there(const RoleSet *set, const char *role)
{
    return is_public(role) ? role : roles_target(set, role);
}

static bool as_it_is(const RoleSet *set, const Policy *policy)
{
    for (size_t i = 0; i < policy->role_count; i++)
        if (!text_equal(role_there(set, policy->roles[i]), policy->roles[i]))
            return false;
    return true;
}

static void create_sql(Arena *arena, const RoleSet *set, const Policy *policy, const Conn *target,
                       RolePolicy *made)
{
    AUTO_STR Str sql = {0};
    size_t named = 0;
    str_append(&sql, "CREATE POLICY ");
    ddl_ident(&sql, target, policy->name);
    str_append(&sql, " ON ");
    ddl_qname(&sql, target, &policy->table);
    str_appendf(&sql, " AS %s FOR %s TO ", policy->permissive ? "PERMISSIVE" : "RESTRICTIVE",
                command_word(policy->command));
    for (size_t i = 0; i < policy->role_count; i++) {
        const char *role = role_there(set, policy->roles[i]);
        if (role == NULL) {
            made->missing = policy->roles[i];
            continue;
        }
        str_append(&sql, named++ > 0 ? ", " : "");
        if (is_public(role))
            str_append(&sql, "PUBLIC");
        else
            ddl_ident(&sql, target, role);
    }
    if (policy->using_sql != NULL)
        str_appendf(&sql, " USING (%s)", policy->using_sql);
    if (policy->check_sql != NULL)
        str_appendf(&sql, " WITH CHECK (%s)", policy->check_sql);
    if (named > 0)
        *vec_push(arena, &made->statements) = str_dup(arena, &sql);
}

static void comment_sql(Arena *arena, const Policy *policy, const Conn *target, RolePolicy *made)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "COMMENT ON POLICY ");
    ddl_ident(&sql, target, policy->name);
    str_append(&sql, " ON ");
    ddl_qname(&sql, target, &policy->table);
    str_append(&sql, " IS ");
    ddl_literal(&sql, target, policy->comment);
    *vec_push(arena, &made->statements) = str_dup(arena, &sql);
}

static Policy read_policy(Arena *arena, const Blueprint *blueprint, const Rows *rows, size_t r)
{
    Name table = {arena_strdup(arena, rows_text(rows, r, 2)),
                  arena_strdup(arena, rows_text(rows, r, 3))};
    Policy policy = {
        .table = table,
        .target = blueprint_target_name(blueprint, rows_oid(rows, r, 1), &table),
        .name = arena_strdup(arena, rows_text(rows, r, 4)),
        .command = rows_char(rows, r, 5),
        .permissive = rows_bool(rows, r, 6),
        .using_sql = arena_strdup(arena, rows_text(rows, r, 8)),
        .check_sql = arena_strdup(arena, rows_text(rows, r, 9)),
        .comment = arena_strdup(arena, rows_text(rows, r, 10)),
    };
    json_t *roles = json_loads(rows_text(rows, r, 7), 0, NULL);
    policy.role_count = json_array_size(roles);
    policy.roles = arena_array(arena, const char *, policy.role_count);
    for (size_t i = 0; i < policy.role_count; i++)
        policy.roles[i] = arena_strdup(arena, json_string_value(json_array_get(roles, i)));
    json_decref(roles);
    return policy;
}

bool role_policies(Arena *arena, const RoleSet *set, const Blueprint *blueprint, Conn *source,
                   const Conn *target, RolePolicies *policies, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(source, SQL_ROLES_POLICIES, NO_PARAMS, &rows, err))
        return err_context(err, "could not read the policies of the source");
    for (size_t r = 0; r < rows_count(rows); r++) {
        const Policy policy = read_policy(arena, blueprint, rows, r);
        if (!blueprint_keeps_object(blueprint, CLASS_POLICY, rows_oid(rows, r, 0)) ||
            as_it_is(set, &policy))
            continue;
        RolePolicy *made = vec_push(arena, policies);
        *made =
            (RolePolicy){.oid = rows_oid(rows, r, 0),
                         .name = arena_printf(arena, "%s of %s", name_part_text(arena, policy.name),
                                              name_text(arena, &policy.target))};
        create_sql(arena, set, &policy, target, made);
        if (policy.comment != NULL && made->statements.count > 0 && set->plan->schema.comments)
            comment_sql(arena, &policy, target, made);
    }
    return true;
}

const RolePolicy *role_policy(const RolePolicies *policies, uint32_t oid)
{
    for (size_t i = 0; i < policies->count; i++)
        if (policies->items[i].oid == oid)
            return &policies->items[i];
    return NULL;
}
