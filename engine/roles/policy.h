/*
 * Policies of row security whose roles have another name on the target, or none: the archive's text
 * would not do.
 */
#ifndef GODWIT_ROLES_POLICY_H
#define GODWIT_ROLES_POLICY_H

#include "roles/roles.h"

typedef struct RolePolicy {
    uint32_t oid;
    const char *name;    /* "app.item.mine", for messages */
    const char *missing; /* a role that nothing stands for, NULL: none */
    RoleSql statements; /* with the names of the source (ddl_apply_source_names()); none: the policy
                           is left out, for no role of it is there */
} RolePolicy;

typedef VEC(RolePolicy) RolePolicies;

/** The selected policies that the archive cannot give. \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool role_policies(Arena *arena, const RoleSet *set, const Blueprint *blueprint,
                             Conn *source, const Conn *target, RolePolicies *policies, Err *err);

/** The policy of this number, NULL: the archive's. */
const RolePolicy *role_policy(const RolePolicies *policies, uint32_t oid);

#endif
