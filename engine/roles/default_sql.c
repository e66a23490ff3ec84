/*
 * ALTER DEFAULT PRIVILEGES by difference: what roles give on objects that they make later.
 */
#include "pg/ddl.h"
#include "roles/access_internal.h"

#include <string.h>

static const struct {
    char kind;
    const char *word;
    const char *public_has; /* on new objects, NULL nothing */
} KINDS[] = {
    {'r', "TABLES", NULL},   {'S', "SEQUENCES", NULL}, {'f', "ROUTINES", "EXECUTE"},
    {'T', "TYPES", "USAGE"}, {'n', "SCHEMAS", NULL},   {'L', "LARGE OBJECTS", NULL},
};

#define KIND_COUNT (sizeof(KINDS) / sizeof(KINDS[0]))

static size_t kind_of(const DefaultRight *right)
{
    size_t k = 0;
    while (k < KIND_COUNT && KINDS[k].kind != right->kind)
        k++;
    return k;
}

typedef struct Entry {
    const char *role; /* of the target */
    const char *schema;
    char kind;
} Entry;

static bool of_entry(const DefaultRight *right, const Entry *entry)
{
    return right->kind == entry->kind && strcmp(right->role, entry->role) == 0 &&
           text_equal(right->schema, entry->schema);
}

static bool target_has(const Access *access, const Entry *entry, const char *grantee,
                       const char *privilege, bool grantable)
{
    bool any = false;
    for (size_t i = 0; i < access->target.defaults.count; i++) {
        const DefaultRight *held = &access->target.defaults.items[i];
        if (!of_entry(held, entry))
            continue;
        any = true;
        if (text_equal(held->grantee, grantee) && text_equal(held->privilege, privilege) &&
            (held->grantable || !grantable))
            return true;
    }
    for (size_t k = 0; !any && entry->schema == NULL && grantee == NULL && k < KIND_COUNT; k++)
        if (KINDS[k].kind == entry->kind)
            return text_equal(KINDS[k].public_has, privilege);
    return false;
}

static void statement(Arena *arena, const Entry *entry, size_t kind, bool grant,
                      const char *privileges, const char *grantee, bool grantable,
                      const Conn *target, AccessPlan *plan)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "ALTER DEFAULT PRIVILEGES FOR ROLE ");
    ddl_ident(&sql, target, entry->role);
    if (entry->schema != NULL) {
        str_append(&sql, " IN SCHEMA ");
        ddl_ident(&sql, target, entry->schema);
    }
    str_appendf(&sql, " %s %s ON %s %s ", grant ? "GRANT" : "REVOKE", privileges, KINDS[kind].word,
                grant ? "TO" : "FROM");
    if (grantee == NULL)
        str_append(&sql, "PUBLIC");
    else
        ddl_ident(&sql, target, grantee);
    str_append(&sql, grantable ? " WITH GRANT OPTION" : "");
    *vec_push(arena, &plan->defaults) = str_dup(arena, &sql);
}

static bool is_selected(const Access *access, const DefaultRight *right)
{
    if (roles_find(&access->roles, right->role) == NULL || kind_of(right) == KIND_COUNT)
        return false;
    for (size_t i = 0; right->schema != NULL && i < access->blueprint->schema_count; i++)
        if (strcmp(access->blueprint->schemas[i], right->schema) == 0)
            return true;
    return right->schema == NULL;
}

/* Why an entry is left out; NULL: it is not. */
static const char *left_out(const Access *access, const DefaultRight *right)
{
    const char *role = roles_target(&access->roles, right->role);
    if (role == NULL)
        return "no role stands for it";
    if (!roles_usable(&access->roles, role))
        return "the target's user may not act for it";
    return kind_of(right) < KIND_COUNT && right->kind == 'L' &&
                   access->roles.target.version < 180000
               ? "the target's version has none for large objects"
               : NULL;
}

static void one_right(Arena *arena, const Access *access, const DefaultRight *right,
                      const Conn *target, AccessPlan *plan)
{
    const Entry entry = {roles_target(&access->roles, right->role), right->schema, right->kind};
    const char *grantee = roles_target(&access->roles, right->grantee);
    if (right->privilege == NULL || text_equal(right->grantee, right->role))
        return;
    if (strcmp(right->privilege, "MAINTAIN") == 0 && access->roles.target.version < 170000) {
        access_gap(arena, plan, "default privilege", right->role, NULL,
                   "MAINTAIN is not in the target's version");
        return;
    }
    if (right->grantee != NULL && grantee == NULL)
        access_gap(arena, plan, "default privilege", right->grantee, NULL, "no role stands for it");
    else if (!target_has(access, &entry, grantee, right->privilege, right->grantable))
        statement(arena, &entry, kind_of(right), true, right->privilege, grantee, right->grantable,
                  target, plan);
}

/* An entry for everywhere that lacks what PUBLIC has by itself has taken it away. */
static void taken_from_public(Arena *arena, const Access *access, const DefaultRight *right,
                              const Conn *target, AccessPlan *plan)
{
    const char *privilege = KINDS[kind_of(right)].public_has;
    if (privilege == NULL || right->schema != NULL)
        return;
    for (size_t i = 0; i < access->source.defaults.count; i++) {
        const DefaultRight *other = &access->source.defaults.items[i];
        if (other->kind == right->kind && other->schema == NULL &&
            strcmp(other->role, right->role) == 0 && other->grantee == NULL &&
            text_equal(other->privilege, privilege))
            return;
    }
    const Entry entry = {roles_target(&access->roles, right->role), NULL, right->kind};
    if (target_has(access, &entry, NULL, privilege, false))
        statement(arena, &entry, kind_of(right), false, privilege, NULL, false, target, plan);
}

void access_defaults(Arena *arena, const Access *access, const Conn *target, AccessPlan *plan)
{
    for (size_t i = 0; i < access->source.defaults.count; i++) {
        const DefaultRight *right = &access->source.defaults.items[i];
        if (!is_selected(access, right))
            continue;
        const char *why = left_out(access, right);
        if (why != NULL) {
            access_gap(arena, plan, "default privilege", right->role, NULL, why);
            continue;
        }
        const DefaultRight *last = i == 0 ? NULL : right - 1;
        if (last == NULL || last->kind != right->kind || strcmp(last->role, right->role) != 0 ||
            !text_equal(last->schema, right->schema))
            taken_from_public(arena, access, right, target, plan);
        one_right(arena, access, right, target, plan);
    }
}
