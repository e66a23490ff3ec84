/*
 * Who owns a large object on the target, who may do what with it, its comment: by the plan's
 * schema.ownership, schema.privileges and schema.comments, in the target's names of roles. An owner
 * that is not kept is granted what owning gave.
 */
#include "lob/lob_internal.h"
#include "pg/ddl.h"
#include "sql_text.h"

#include <inttypes.h>

/* The role that will own the object; NULL: the target's user does. */
static const char *owner_kept(const Lob *lob, const char *owner)
{
    const char *target = roles_target(&lob->roles, owner);
    if (lob->run->plan->schema.owner_is_target_user || target == NULL ||
        strcmp(target, lob->roles.target.user) == 0)
        return NULL;
    return roles_settable(&lob->roles, target) && roles_usable(&lob->roles, target) ? target : NULL;
}

static void grant(Str *sql, const Conn *target, uint32_t oid, const char *privileges,
                  const char *grantee, bool grantable)
{
    str_appendf(sql, "GRANT %s ON LARGE OBJECT %" PRIu32 " TO ", privileges, oid);
    if (grantee == NULL)
        str_append(sql, "PUBLIC");
    else
        ddl_ident(sql, target, grantee);
    str_append(sql, grantable ? " WITH GRANT OPTION;\n" : ";\n");
}

static void grants(Str *sql, const Lob *lob, const Conn *target, const Rows *rights)
{
    for (size_t r = 0; r < rows_count(rights); r++) {
        const char *grantee = rows_text(rights, r, 1);
        const char *there = grantee == NULL ? NULL : roles_target(&lob->roles, grantee);
        if (grantee != NULL && there == NULL)
            continue;
        grant(sql, target, rows_oid(rights, r, 0), rows_text(rights, r, 2), there,
              rows_bool(rights, r, 3));
    }
}

static void own(Str *sql, const Lob *lob, const Conn *target, const LobObject *object)
{
    const char *kept = owner_kept(lob, object->owner);
    const char *stands = roles_target(&lob->roles, object->owner);
    if (kept != NULL) {
        str_appendf(sql, "ALTER LARGE OBJECT %" PRIu32 " OWNER TO ", object->oid);
        ddl_ident(sql, target, kept);
        str_append(sql, ";\n");
    } else if (lob->run->plan->schema.privileges && stands != NULL &&
               strcmp(stands, lob->roles.target.user) != 0)
        grant(sql, target, object->oid, "SELECT, UPDATE", stands, false);
}

static void comment(Str *sql, const Conn *target, const LobObject *object)
{
    str_appendf(sql, "COMMENT ON LARGE OBJECT %" PRIu32 " IS ", object->oid);
    ddl_literal(sql, target, object->comment);
    str_append(sql, ";\n");
}

bool lob_give_access(Arena *arena, const Lob *lob, Conn *source, Conn *target, const char *oids,
                     const LobObjectVec *objects, Err *err)
{
    (void)arena;
    const PlanSchema *schema = &lob->run->plan->schema;
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rights = NULL;
    if (!pg_rows(source, SQL_LOB_RIGHTS, PARAMS(oids), &rights, err))
        return false;
    for (size_t i = 0; i < objects->count; i++)
        if (objects->items[i].comment != NULL && schema->comments)
            comment(&sql, target, &objects->items[i]);
    if (schema->privileges)
        grants(&sql, lob, target, rights);
    for (size_t i = 0; i < objects->count; i++)
        own(&sql, lob, target, &objects->items[i]); /* last: then they may be another's */
    return sql.length == 0 || pg_script(target, sql.data, err) ||
           err_context(err, "could not give large objects their owners and privileges");
}
