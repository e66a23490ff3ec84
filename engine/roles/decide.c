/*
 * Deciding: the roles that are named, their members (who hold privileges by them) and the groups of
 * all these; for each what becomes of it; then the memberships between them.
 */
#include "roles/roles.h"

#include <stdlib.h>
#include <string.h>

static int compare_facts(const void *key, const void *item)
{
    return strcmp(key, ((const RoleFacts *)item)->name);
}

const RoleFacts *roles_facts(const RoleSide *side, const char *name)
{
    if (name == NULL || side->roles.count == 0)
        return NULL;
    return bsearch(name, side->roles.items, side->roles.count, sizeof(RoleFacts), compare_facts);
}

static int compare_role(const void *key, const void *item)
{
    return strcmp(key, ((const Role *)item)->from->name);
}

const Role *roles_find(const RoleSet *set, const char *source_name)
{
    if (source_name == NULL || set->roles.count == 0)
        return NULL;
    return bsearch(source_name, set->roles.items, set->roles.count, sizeof(Role), compare_role);
}

static bool is_predefined(const char *name)
{
    return strncmp(name, "pg_", 3) == 0;
}

const char *roles_target(const RoleSet *set, const char *source_name)
{
    const Role *role = roles_find(set, source_name);
    if (role != NULL)
        return role->target;
    bool shared = source_name != NULL && is_predefined(source_name) &&
                  roles_facts(&set->target, source_name) != NULL;
    return shared ? source_name : NULL;
}

/* --- which --- */

/* Why a role of the source is not the user's; NULL: it is. */
static const char *reserved_why(const RoleSet *set, const RoleFacts *facts)
{
    const ProviderReserved *row =
        provider_reserves(set->plan->source.kind, PROVIDER_ROLE, facts->name);
    if (row != NULL)
        return row->note;
    return facts->first ? "the server's first user" : NULL;
}

static const char *mapped_to(const RoleSet *set, const char *name)
{
    const PlanRoles *plan = &set->plan->roles;
    for (size_t i = 0; i < plan->map_count; i++)
        if (strcmp(plan->map[i].source, name) == 0)
            return plan->map[i].target;
    return NULL;
}

static bool is_excluded(const RoleSet *set, const char *name)
{
    const PlanSelectors *exclude = &set->plan->roles.exclude;
    for (size_t i = 0; i < exclude->count; i++)
        if (selector_matches(&exclude->items[i].selector, &(Name){.schema = name}))
            return true;
    return false;
}

/* Memberships are not followed through what is nobody's own. */
static bool is_followed(const RoleSet *set, const RoleFacts *facts)
{
    return facts != NULL && reserved_why(set, facts) == NULL && !is_excluded(set, facts->name);
}

/* \param down from a role to its members, else from a member to its roles */
static void close_over(const RoleSet *set, bool *wanted, bool down)
{
    const RoleSide *source = &set->source;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < source->members.count; i++) {
            const RoleMember *edge = &source->members.items[i];
            const RoleFacts *from = roles_facts(source, down ? edge->role : edge->member);
            const RoleFacts *to = roles_facts(source, down ? edge->member : edge->role);
            if (!is_followed(set, from) || !is_followed(set, to) ||
                !wanted[from - source->roles.items] || wanted[to - source->roles.items])
                continue;
            wanted[to - source->roles.items] = true;
            more = true;
        }
    }
}

/* --- what becomes of each --- */

/* What CREATE ROLE may give there. \note Source: PostgreSQL documentation, CREATE ROLE: before 16
 * REPLICATION and BYPASSRLS need a superuser; since 16 whoever has CREATEROLE hands on what he has.
 */
static uint32_t refused_attributes(const RoleSet *set, uint32_t attributes)
{
    const RoleSide *target = &set->target;
    uint32_t refused = set->rule == NULL ? 0 : set->rule->refused;
    if (!target->superuser) {
        uint32_t higher =
            ATTRIBUTE_REPLICATION | ATTRIBUTE_BYPASSRLS | (uint32_t)ATTRIBUTE_CREATEDB;
        refused |= ATTRIBUTE_SUPERUSER;
        refused |= target->version >= 160000 ? higher & ~target->powers
                                             : ATTRIBUTE_REPLICATION | ATTRIBUTE_BYPASSRLS;
    }
    return attributes & refused;
}

static bool may_create(const RoleSet *set)
{
    return set->target.superuser || (set->target.powers & ATTRIBUTE_CREATEROLE) != 0;
}

static void decide_missing(const RoleSet *set, Role *role, const char *name)
{
    const ProviderReserved *there = provider_reserves(set->plan->target.kind, PROVIDER_ROLE, name);
    role->fate = ROLE_MISSING;
    if (!set->plan->roles.copy)
        role->why = "roles.copy is false";
    else if (there != NULL)
        role->why = there->note;
    else if (!may_create(set))
        role->why = "the target's user has no CREATEROLE";
    else
        role->fate = ROLE_CREATE;
}

static Role decide(const RoleSet *set, const RoleFacts *facts)
{
    Role role = {.from = facts};
    const char *mapped = mapped_to(set, facts->name);
    const char *reserved = mapped == NULL ? reserved_why(set, facts) : NULL;
    const char *name = mapped != NULL ? mapped : facts->name;
    if (reserved != NULL) {
        role.fate = ROLE_RESERVED;
        role.why = reserved;
    } else if (mapped == NULL && is_excluded(set, facts->name)) {
        role.fate = ROLE_EXCLUDED;
    } else if (roles_facts(&set->target, name) != NULL) {
        role.fate = ROLE_THERE;
        role.target = name;
    } else {
        decide_missing(set, &role, name);
        role.target = role.fate == ROLE_CREATE ? name : NULL;
        role.refused = refused_attributes(set, facts->attributes);
    }
    return role;
}

static bool is_created(const RoleSet *set, const char *target_name)
{
    for (size_t i = 0; i < set->roles.count; i++)
        if (set->roles.items[i].fate == ROLE_CREATE &&
            strcmp(set->roles.items[i].target, target_name) == 0)
            return true;
    return false;
}

/* Two roles of the source that the plan maps to one are made once. */
static void add_role(Arena *arena, RoleSet *set, const RoleFacts *facts)
{
    Role role = decide(set, facts);
    if (role.fate == ROLE_CREATE && is_created(set, role.target))
        role.fate = ROLE_THERE;
    *vec_push(arena, &set->roles) = role;
}

/* --- memberships --- */

static const RoleMember *membership(const RoleSide *side, const char *role, const char *member)
{
    for (size_t i = 0; i < side->members.count; i++)
        if (strcmp(side->members.items[i].role, role) == 0 &&
            strcmp(side->members.items[i].member, member) == 0)
            return &side->members.items[i];
    return NULL;
}

/* \note Source: PostgreSQL documentation, GRANT: before 16 CREATEROLE grants any role that is no
 * superuser's; since 16 the ADMIN option counts, which whoever creates a role has. */
static const char *grant_left_out(const RoleSet *set, const char *role)
{
    const RoleSide *target = &set->target;
    const RoleFacts *facts = roles_facts(target, role);
    if (is_predefined(role) && set->rule != NULL && !provider_grants_predefined(set->rule, role))
        return "the provider does not let it be granted";
    if (target->superuser || is_created(set, role))
        return NULL;
    if (facts != NULL && facts->grantable)
        return NULL;
    bool any = target->version < 160000 && (target->powers & ATTRIBUTE_CREATEROLE) != 0 &&
               facts != NULL && (facts->attributes & ATTRIBUTE_SUPERUSER) == 0;
    return any ? NULL : "the target's user may not hand it on";
}

/* Whether the target has at least this membership already. */
static bool has_membership(const RoleSet *set, const RoleGrant *grant)
{
    const RoleMember *there = membership(&set->target, grant->role, grant->member);
    if (there == NULL)
        return false;
    bool options = set->target.version < 160000 ||
                   ((there->inherits || !grant->inherits) && (there->sets || !grant->sets));
    return (there->admin || !grant->admin) && options;
}

static void add_grant(Arena *arena, RoleSet *set, RoleGrant grant)
{
    if (has_membership(set, &grant))
        return;
    for (size_t i = 0; i < set->grants.count; i++) {
        RoleGrant *other = &set->grants.items[i]; /* two roles may be mapped to one */
        if (strcmp(other->role, grant.role) != 0 || strcmp(other->member, grant.member) != 0)
            continue;
        other->admin = other->admin || grant.admin;
        other->inherits = other->inherits || grant.inherits;
        other->sets = other->sets || grant.sets;
        return;
    }
    grant.left_out = grant_left_out(set, grant.role);
    *vec_push(arena, &set->grants) = grant;
}

static void decide_members(Arena *arena, RoleSet *set)
{
    const RoleSide *source = &set->source;
    for (size_t i = 0; set->plan->roles.copy && i < source->members.count; i++) {
        const RoleMember *edge = &source->members.items[i];
        const Role *member = roles_find(set, edge->member);
        const char *role = roles_target(set, edge->role);
        if (member == NULL || member->target == NULL || role == NULL ||
            strcmp(role, member->target) == 0)
            continue;
        add_grant(arena, set,
                  (RoleGrant){.role = role,
                              .member = member->target,
                              .admin = edge->admin,
                              .inherits = edge->inherits,
                              .sets = edge->sets});
    }
}

/* Whether `member` will be a member of `role`, by whatever way. */
static bool is_below(const RoleSet *set, const char *member, const char *role, int depth)
{
    if (depth > 64)
        return false;
    for (size_t i = 0; i < set->grants.count; i++) {
        const RoleGrant *grant = &set->grants.items[i];
        if (grant->left_out == NULL && strcmp(grant->member, member) == 0 &&
            (strcmp(grant->role, role) == 0 || is_below(set, grant->role, role, depth + 1)))
            return true;
    }
    for (size_t i = 0; i < set->target.members.count; i++) {
        const RoleMember *edge = &set->target.members.items[i];
        if (strcmp(edge->member, member) == 0 &&
            (strcmp(edge->role, role) == 0 || is_below(set, edge->role, role, depth + 1)))
            return true;
    }
    return false;
}

/* The user that runs the migration acts for the roles: gives them objects, grants in their name. */
static void decide_own_membership(Arena *arena, RoleSet *set)
{
    const RoleSide *target = &set->target;
    if (target->superuser || !set->plan->roles.grant_to_target_user)
        return;
    for (size_t i = 0; i < set->roles.count; i++) {
        const Role *role = &set->roles.items[i];
        bool ours = role->fate == ROLE_CREATE;
        const RoleFacts *there = ours ? NULL : roles_facts(target, role->target);
        bool acts = set->plan->roles.copy && !set->plan->schema.owner_is_target_user;
        if (!ours && (!acts || there == NULL || (there->usable && there->settable)))
            continue;
        if (strcmp(role->target, target->user) != 0 &&
            !is_below(set, role->target, target->user, 0))
            add_grant(
                arena, set,
                (RoleGrant){
                    .role = role->target, .member = target->user, .inherits = true, .sets = true});
    }
}

static const RoleGrant *planned_grant(const RoleSet *set, const char *role, const char *member)
{
    for (size_t i = 0; i < set->grants.count; i++)
        if (set->grants.items[i].left_out == NULL && strcmp(set->grants.items[i].role, role) == 0 &&
            strcmp(set->grants.items[i].member, member) == 0)
            return &set->grants.items[i];
    return NULL;
}

bool roles_usable(const RoleSet *set, const char *target_name)
{
    const RoleFacts *there = roles_facts(&set->target, target_name);
    const RoleGrant *grant = planned_grant(set, target_name, set->target.user);
    return set->target.superuser || (there != NULL && there->usable) ||
           (grant != NULL && grant->inherits);
}

bool roles_settable(const RoleSet *set, const char *target_name)
{
    const RoleFacts *there = roles_facts(&set->target, target_name);
    const RoleGrant *grant = planned_grant(set, target_name, set->target.user);
    return set->target.superuser || (there != NULL && there->settable) ||
           (grant != NULL && grant->sets);
}

void roles_decide(Arena *arena, RoleSet *set, const char *const *needed, size_t needed_count)
{
    AUTO_ARENA Arena scratch = {0};
    const RoleSide *source = &set->source;
    bool *wanted = arena_array(&scratch, bool, source->roles.count);
    for (size_t i = 0; i < needed_count; i++) {
        const RoleFacts *facts = roles_facts(source, needed[i]);
        if (facts != NULL)
            wanted[facts - source->roles.items] = true;
    }
    close_over(set, wanted, true);
    close_over(set, wanted, false);
    for (size_t i = 0; i < source->roles.count; i++)
        if (wanted[i] && !is_predefined(source->roles.items[i].name))
            add_role(arena, set, &source->roles.items[i]);
    decide_members(arena, set);
    decide_own_membership(arena, set);
    set->takes_passwords = set->plan->roles.passwords != PLAN_PASSWORDS_OMIT &&
                           source->reads_passwords &&
                           (set->rule == NULL || set->rule->takes_hashes);
}
