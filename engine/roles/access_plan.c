/*
 * The statements of access in their order, and what they share: twins, names, gaps.
 */
#include "base/str.h"
#include "pg/ddl.h"
#include "roles/access_internal.h"

#include <stdlib.h>
#include <string.h>

static int by_key(const void *a, const void *b)
{
    return strcmp(((const AccessObject *)a)->key, ((const AccessObject *)b)->key);
}

const AccessObject *access_twin(const AccessSide *side, const AccessObject *object)
{
    return side->objects.count == 0 ? NULL
                                    : bsearch(object, side->objects.items, side->objects.count,
                                              sizeof(AccessObject), by_key);
}

void access_object_sql(Str *sql, const AccessObject *object, const RoleSet *set, const Conn *target)
{
    if (object->name.schema != NULL)
        ddl_qname(sql, target, &object->name);
    else if (set != NULL && strcmp(object->word, "database") == 0)
        ddl_ident(sql, target, set->target.database);
    else
        str_append(sql, object->identity); /* quoted by the server */
}

bool access_schema_is(Arena *arena, const AccessObject *object, const char *schema)
{
    (void)arena;
    AUTO_STR Str quoted = {0};
    str_append_char(&quoted, '"');
    for (const char *c = schema; *c != '\0'; c++)
        str_append(&quoted, *c == '"' ? "\"\"" : (const char[]){*c, '\0'});
    str_append_char(&quoted, '"');
    return strcmp(object->identity, schema) == 0 || strcmp(object->identity, quoted.data) == 0;
}

void access_gap(Arena *arena, AccessPlan *plan, const char *what, const char *role,
                const AccessObject *object, const char *why)
{
    for (size_t i = 0; i < plan->gaps.count; i++) {
        AccessGap *gap = &plan->gaps.items[i];
        if (strcmp(gap->what, what) == 0 && strcmp(gap->role, role) == 0 &&
            strcmp(gap->why, why) == 0) {
            gap->count++;
            return;
        }
    }
    const char *first = object == NULL                ? ""
                        : object->name.schema != NULL ? name_text(arena, &object->name)
                                                      : object->identity;
    *vec_push(arena, &plan->gaps) = (AccessGap){what, role, first, why, 1};
}

void access_plan(Arena *arena, const Access *access, const Conn *target, bool before,
                 AccessPlan *plan)
{
    const PlanSchema *schema = &access->roles.plan->schema;
    if (!schema->owner_is_target_user)
        access_owners(arena, access, target, before, plan);
    if (!schema->privileges)
        return;
    access_privileges(arena, access, target, before, plan);
    access_defaults(arena, access, target, plan);
}
