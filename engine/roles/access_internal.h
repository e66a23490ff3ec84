/*
 * What the files that make the statements of access share. Part of roles/ only.
 */
#ifndef GODWIT_ROLES_ACCESS_INTERNAL_H
#define GODWIT_ROLES_ACCESS_INTERNAL_H

#include "roles/access.h"

/** The object of this key, NULL: none. */
const AccessObject *access_twin(const AccessSide *side, const AccessObject *object);

/** How the object is called in GRANT and ALTER. \param set whose database it is when it is one */
void access_object_sql(Str *sql, const AccessObject *object, const RoleSet *set,
                       const Conn *target);

/** Whether an object is this schema. */
bool access_schema_is(Arena *arena, const AccessObject *object, const char *schema);

/** Notes what is not done: one gap for each kind, role and reason. */
void access_gap(Arena *arena, AccessPlan *plan, const char *what, const char *role,
                const AccessObject *object, const char *why);

/** The owner that an object of the source has on the target once the statements have run. */
const char *access_owner(const Access *access, const AccessObject *object,
                         const AccessObject *there);

void access_owners(Arena *arena, const Access *access, const Conn *target, bool before,
                   AccessPlan *plan);
void access_privileges(Arena *arena, const Access *access, const Conn *target, bool before,
                       AccessPlan *plan);
void access_defaults(Arena *arena, const Access *access, const Conn *target, AccessPlan *plan);

#endif
