/*
 * What roles, owners, privileges and settings of the source will not be on the target as they are:
 * each with the reason, and with what somebody else can do about it.
 */
#include "preflight/check.h"

#include "base/jsontext.h"
#include "roles/access.h"
#include "roles/policy.h"
#include "sql_text.h"

#include <inttypes.h>
#include <string.h>

/* More statements than this are not listed in one remedy. */
#define STATEMENTS_MAX 40

static const char *joined(Check *check, const RoleSql *statements)
{
    AUTO_STR Str text = {0};
    for (size_t i = 0; i < statements->count && i < STATEMENTS_MAX; i++)
        str_appendf(&text, "%s%s;", i > 0 ? "\n" : "", statements->items[i]);
    if (statements->count > STATEMENTS_MAX)
        str_appendf(&text, "\n-- and %zu more", statements->count - STATEMENTS_MAX);
    return str_dup(check->arena, &text);
}

/* What somebody who may create roles has to run; without passwords. */
static const char *create_remedy(Check *check, const RoleSet *set, const Role *role)
{
    Role whole = *role;
    RoleSql statements = {0};
    whole.target = role->from->name;
    whole.refused = 0;
    role_create_sql(check->arena, set, &whole, check->target.conn, &statements);
    return joined(check, &statements);
}

static void check_role(Check *check, const RoleSet *set, const Role *role)
{
    const char *name = check_part(check, role->from->name);
    if (role->fate == ROLE_MISSING)
        check_add(check, CODE_ROLE, set->plan->roles.copy ? FINDING_WARNING : FINDING_INFO,
                  &check->target, name,
                  check_text(check, "is not there and is not created: %s", role->why),
                  "What it owns goes to the target's user, its privileges are left out.",
                  create_remedy(check, set, role));
    if (role->fate == ROLE_CREATE && role->refused != 0)
        check_add(check, CODE_ROLE_ATTRIBUTE, FINDING_WARNING, &check->target, name,
                  check_text(check, "is created without %s",
                             attributes_text(check->arena, role->refused)),
                  "The target does not let its user give that.",
                  set->rule != NULL && set->rule->instead != NULL
                      ? check_text(check, "-- there: %s", set->rule->instead)
                      : "-- nothing, if the role can do without; else ask who runs the server");
}

static void check_passwords(Check *check, const RoleSet *set)
{
    NameList names = {0};
    PlanPasswords wanted = set->plan->roles.passwords;
    for (size_t i = 0; i < set->roles.count; i++)
        if (set->roles.items[i].fate == ROLE_CREATE && set->roles.items[i].from->login)
            names_add(&names, check_part(check, set->roles.items[i].target));
    const char *list = names_text(check, &names);
    if (*list == '\0' || set->takes_passwords || wanted == PLAN_PASSWORDS_OMIT)
        return;
    bool required = wanted == PLAN_PASSWORDS_REQUIRED;
    const Side *side = set->source.reads_passwords ? &check->target : &check->source;
    check_add(
        check, CODE_PASSWORD, required ? FINDING_ERROR : FINDING_WARNING, side, "passwords",
        check_text(check, "%s come without their passwords: %s", list,
                   set->source.reads_passwords ? "this provider does not take hashed ones"
                                               : "the source does not let its user read pg_authid"),
        required ? "roles.passwords is required." : "They cannot log in until they get one.",
        "-- set their passwords on the target: ALTER ROLE ... PASSWORD, or \\password of psql");
}

static void check_memberships(Check *check, const RoleSet *set)
{
    for (size_t i = 0; i < set->grants.count; i++) {
        const RoleGrant *grant = &set->grants.items[i];
        if (grant->left_out == NULL)
            continue;
        check_add(check, CODE_MEMBERSHIP, FINDING_WARNING, &check->target,
                  check_part(check, grant->role),
                  check_text(check, "%s does not become a member: %s",
                             check_part(check, grant->member), grant->left_out),
                  "It lacks what the membership gives.",
                  check_text(check, "GRANT %s TO %s%s;",
                             check_sql_part(check, &check->target, grant->role),
                             check_sql_part(check, &check->target, grant->member),
                             grant->admin ? " WITH ADMIN OPTION" : ""));
    }
}

/* A role that belongs to the source's provider is nobody's loss. */
static FindingSeverity gap_severity(const Access *access, const AccessGap *gap)
{
    const Role *role = roles_find(&access->roles, gap->role);
    bool wanted = role != NULL && role->fate != ROLE_RESERVED && role->fate != ROLE_EXCLUDED;
    return wanted ? FINDING_WARNING : FINDING_INFO;
}

static void check_gaps(Check *check, const Access *access, const AccessPlan *plan)
{
    for (size_t i = 0; i < plan->gaps.count; i++) {
        const AccessGap *gap = &plan->gaps.items[i];
        bool owner = strcmp(gap->what, "owner") == 0;
        check_add(check, owner ? CODE_OWNERSHIP : CODE_PRIVILEGE, gap_severity(access, gap),
                  &check->target, check_part(check, gap->role),
                  check_text(check, "its %s is left out %zu time%s%s%s: %s",
                             owner ? "ownership" : gap->what, gap->count,
                             gap->count == 1 ? "" : "s", *gap->first != '\0' ? ", first on " : "",
                             gap->first, gap->why),
                  owner ? "The target's user owns these objects."
                        : "The role cannot do there what it does on the source.",
                  "-- make the role on the target, or let the target's user act for it: GRANT role "
                  "TO user");
    }
}

/* \note Source: PostgreSQL documentation, CREATE FUNCTION: SECURITY DEFINER runs with the
 * privileges of the owner. */
static void check_definers(Check *check, const Access *access)
{
    NameList names = {0};
    for (size_t i = 0; i < access->source.objects.count; i++) {
        const AccessObject *object = &access->source.objects.items[i];
        const char *owner = roles_target(&access->roles, object->owner);
        const Role *role = roles_find(&access->roles, object->owner);
        bool kept = !check->plan->schema.owner_is_target_user && owner != NULL;
        if (object->definer && !kept && role != NULL &&
            !text_equal(owner, access->roles.target.user))
            names_add(&names, check_text(check, "%s of %s", object->identity,
                                         check_part(check, object->owner)));
    }
    const char *list = names_text(check, &names);
    if (*list != '\0')
        check_add(check, CODE_DEFINER, FINDING_WARNING, &check->target,
                  check_part(check, access->roles.target.user),
                  check_text(check, "becomes the owner of SECURITY DEFINER functions: %s", list),
                  "They will run with the privileges of the target's user.",
                  "-- in the plan: schema.ownership: keep");
}

static void check_settings(Check *check, const RoleSet *set)
{
    SettingSqlVec ignored = {0};
    RoleSql left_out = {0};
    settings_sql(check->arena, set, check->target.conn, &ignored, &left_out);
    for (size_t i = 0; i < left_out.count; i++) {
        const char *line = left_out.items[i];
        int length = (int)strcspn(line, ":");
        bool closes = text_starts_with(line, "default_transaction_read_only:");
        if (closes && check->input->run != NULL)
            continue; /* the run's own fence */
        check_add(check, CODE_SETTING, FINDING_INFO, &check->target,
                  check_text(check, "%.*s", length, line),
                  check_text(check, "is not carried%s", line + length),
                  "The database, or a role in it, has this setting on the source.",
                  closes ? "-- set it by hand for a role that is to read only; set for the "
                           "target's database it would close the primary"
                         : "-- set it on the target by hand where it is wanted");
    }
}

static bool check_policies(Check *check, const RoleSet *set, Err *err)
{
    RolePolicies policies = {0};
    if (!role_policies(check->arena, set, check->blueprint, check->source.conn, check->target.conn,
                       &policies, err))
        return false;
    for (size_t i = 0; i < policies.count; i++) {
        const RolePolicy *policy = &policies.items[i];
        if (policy->missing == NULL)
            continue;
        check_add(check, CODE_PRIVILEGE, FINDING_WARNING, &check->target,
                  check_part(check, policy->missing),
                  check_text(check, "policy %s %s: nothing on the target stands for this role",
                             policy->name,
                             policy->statements.count == 0 ? "is left out" : "is made without it"),
                  "The role sees fewer rows there than on the source, never more.",
                  "-- make the role on the target, or map it: roles.map");
    }
    return true;
}

bool probe_roles(Check *check, Err *err)
{
    Access access = {0};
    AccessPlan plan = {0};
    if (!access_read(check->arena, check->blueprint, check->source.conn, check->target.conn,
                     &access, err))
        return false;
    access_plan(check->arena, &access, check->target.conn, true, &plan);
    for (size_t i = 0; i < access.roles.roles.count; i++)
        check_role(check, &access.roles, &access.roles.roles.items[i]);
    check_passwords(check, &access.roles);
    check_memberships(check, &access.roles);
    check_gaps(check, &access, &plan);
    check_definers(check, &access);
    check_settings(check, &access.roles);
    return check_policies(check, &access.roles, err);
}

/* --- where and how relations lie --- */

static void add_storage(Check *check, const char *kind, const char *what, NameList *names)
{
    const char *list = names_text(check, names);
    check_add(check, CODE_STORAGE, FINDING_INFO, &check->source, check_part(check, what),
              check_text(check, "this %s is left out, of %s", kind, list),
              "The target's default is used.",
              check_text(check, "-- afterwards, where it is wanted: ALTER TABLE ... SET %s",
                         strcmp(kind, "tablespace") == 0 ? "TABLESPACE" : "ACCESS METHOD"));
}

/* One finding for each tablespace or access method. */
static void group_storage(Check *check, const Rows *rows, size_t column, const char *kind)
{
    for (size_t r = 0; r < rows_count(rows); r++) {
        const char *what = rows_text(rows, r, column);
        bool first = what != NULL;
        for (size_t before = 0; before < r; before++)
            first = first && !text_equal(rows_text(rows, before, column), what);
        if (!first)
            continue;
        NameList names = {0};
        for (size_t k = r; k < rows_count(rows); k++)
            if (text_equal(rows_text(rows, k, column), what))
                names_add(&names,
                          check_name(check, &(Name){rows_text(rows, k, 0), rows_text(rows, k, 1)}));
        add_storage(check, kind, arena_strdup(check->arena, what), &names);
    }
}

bool probe_storage(Check *check, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str oids = {0};
    str_append_char(&oids, '{');
    for (size_t i = 0; i < check->blueprint->object_count; i++)
        if (check->blueprint->objects[i].class_oid == CAT_CLASS_RELATION)
            str_appendf(&oids, "%s%" PRIu32, oids.length > 1 ? "," : "",
                        check->blueprint->objects[i].oid);
    str_append_char(&oids, '}');
    if (!pg_rows(check->source.conn, SQL_PREFLIGHT_STORAGE, PARAMS(oids.data), &rows, err))
        return err_context(err, "reading where the source's relations lie");
    group_storage(check, rows, 2, "tablespace");
    group_storage(check, rows, 3, "access method");
    return true;
}
