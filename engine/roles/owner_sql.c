/*
 * ALTER ... OWNER TO for what the plan's schema.ownership keeps. A user that is no superuser must
 * be able to become the new owner, who must have CREATE on the schema: that is given for the moment
 * and taken back, unless the privileges that are copied afterwards give it.
 */
#include "pg/ddl.h"
#include "roles/access_internal.h"

#include <ctype.h>
#include <string.h>

/* \note Source: PostgreSQL documentation, ALTER TABLE: it takes sequences and views, too; each
 * object is still called what it is. ALTER ROUTINE stands for functions, procedures, aggregates. */
static void alter_owner(Arena *arena, const AccessObject *object, const char *owner,
                        const Conn *target, RoleSql *statements)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "ALTER ");
    for (const char *c = object->word; *c != '\0'; c++)
        str_append_char(&sql, (char)toupper((unsigned char)*c));
    str_append_char(&sql, ' ');
    access_object_sql(&sql, object, NULL, target);
    str_append(&sql, " OWNER TO ");
    ddl_ident(&sql, target, owner);
    *vec_push(arena, statements) = str_dup(arena, &sql);
}

static bool has_create(const AccessObject *schema, const char *role)
{
    for (size_t i = 0; i < schema->right_count; i++)
        if (text_equal(schema->rights[i].grantee, role) &&
            strcmp(schema->rights[i].privilege, "CREATE") == 0)
            return true;
    return strcmp(schema->owner, role) == 0;
}

typedef VEC(const char *) TextVec;

static bool seen(Arena *arena, TextVec *texts, const char *text)
{
    for (size_t i = texts->count; i > 0; i--)
        if (strcmp(texts->items[i - 1], text) == 0)
            return true;
    *vec_push(arena, texts) = text;
    return false;
}

static void lend_create(Arena *arena, const Access *access, const char *schema, const char *role,
                        const Conn *target, AccessPlan *plan, RoleSql *back)
{
    AUTO_STR Str lent = {0};
    AUTO_STR Str taken = {0};
    for (size_t i = 0; i < access->target.objects.count; i++) {
        const AccessObject *there = &access->target.objects.items[i];
        if (there->class_oid == CAT_CLASS_NAMESPACE && there->schema == NULL &&
            access_schema_is(arena, there, schema) && has_create(there, role))
            return;
    }
    str_append(&lent, "GRANT CREATE ON SCHEMA ");
    ddl_ident(&lent, target, schema);
    str_append(&lent, " TO ");
    ddl_ident(&lent, target, role);
    str_append(&taken, "REVOKE CREATE ON SCHEMA ");
    ddl_ident(&taken, target, schema);
    str_append(&taken, " FROM ");
    ddl_ident(&taken, target, role);
    *vec_push(arena, &plan->owners) = str_dup(arena, &lent);
    *vec_push(arena, back) = str_dup(arena, &taken);
}

/* Why the owner cannot be kept; NULL: it can. */
static const char *kept_not(const Access *access, const AccessObject *object,
                            const AccessObject *there, const char *owner)
{
    const Role *role = roles_find(&access->roles, object->owner);
    if (owner == NULL)
        return role != NULL && role->why != NULL ? role->why
                                                 : "nothing stands for it on the target";
    if (!roles_settable(&access->roles, owner))
        return "the target's user may not become it";
    if (there != NULL && !there->may_act && !roles_usable(&access->roles, there->owner))
        return "the target's user does not own it";
    return NULL;
}

const char *access_owner(const Access *access, const AccessObject *object,
                         const AccessObject *there)
{
    const RoleSet *set = &access->roles;
    const char *owner = roles_target(set, object->owner);
    bool given = !object->follows || object->class_oid == CAT_CLASS_RELATION;
    if (!set->plan->schema.owner_is_target_user && given &&
        kept_not(access, object, there, owner) == NULL)
        return owner;
    return there != NULL ? there->owner : set->target.user;
}

/* What is gathered over all objects, in the order in which it must run. */
typedef struct OwnerSql {
    RoleSql schemas; /* behind the objects in them: their old owners may no longer be allowed to */
    RoleSql back;    /* CREATE that was lent for the time of the change */
    TextVec lent;    /* "schema role" */
    bool lends;
} OwnerSql;

static void give_owner(Arena *arena, const Access *access, const AccessObject *object,
                       const char *owner, const Conn *target, OwnerSql *sql, AccessPlan *plan)
{
    bool is_schema = object->class_oid == CAT_CLASS_NAMESPACE;
    if (sql->lends && object->schema != NULL &&
        !seen(arena, &sql->lent, arena_printf(arena, "%s %s", object->schema, owner)))
        lend_create(arena, access, object->schema, owner, target, plan, &sql->back);
    alter_owner(arena, object, owner, target, is_schema ? &sql->schemas : &plan->owners);
}

void access_owners(Arena *arena, const Access *access, const Conn *target, bool before,
                   AccessPlan *plan)
{
    OwnerSql sql = {.lends = !access->roles.target.superuser};
    for (size_t i = 0; i < access->source.objects.count; i++) {
        const AccessObject *object = &access->source.objects.items[i];
        const AccessObject *there = access_twin(&access->target, object);
        if (object->follows || (there == NULL && !before))
            continue;
        const char *owner = roles_target(&access->roles, object->owner);
        const char *now = there != NULL ? there->owner : access->roles.target.user;
        if (owner != NULL && strcmp(owner, now) == 0)
            continue;
        const char *why = kept_not(access, object, there, owner);
        if (why != NULL)
            access_gap(arena, plan, "owner", object->owner, object, why);
        else
            give_owner(arena, access, object, owner, target, &sql, plan);
    }
    for (size_t i = 0; i < sql.back.count; i++)
        *vec_push(arena, &plan->owners) = sql.back.items[i];
    for (size_t i = 0; i < sql.schemas.count; i++)
        *vec_push(arena, &plan->owners) = sql.schemas.items[i];
}
