/*
 * Roles: which roles a selection needs, what becomes of each on the target, and the statements that
 * make them. Reads both servers set-based; passwords are read by password_copy() alone, and never
 * stand in a statement's text.
 *
 *     RoleSet set = {0};
 *     if (!roles_read(arena, blueprint, source, target, &set, err)) return false;
 *     roles_sql(arena, &set, target, &statements);
 */
#ifndef GODWIT_ROLES_ROLES_H
#define GODWIT_ROLES_ROLES_H

#include "base/str.h"
#include "base/vec.h"
#include "blueprint/blueprint.h"
#include "provider/provider.h"

typedef enum RoleFate {
    ROLE_CREATE,   /* by this run */
    ROLE_THERE,    /* left as it is; memberships may be added */
    ROLE_RESERVED, /* belongs to a provider, or is the server's first user */
    ROLE_EXCLUDED, /* by the plan */
    ROLE_MISSING,  /* not there, and the plan or the target does not let it be created */
} RoleFate;

typedef struct RoleSetting {
    const char *role; /* of the source; NULL: every role */
    bool in_database; /* for this database only */
    const char *name;
    const char *value;
} RoleSetting;

/* What a server knows of one role. */
typedef struct RoleFacts {
    const char *name;
    uint32_t attributes; /* ProviderAttribute bits */
    bool inherit;
    bool login;
    int64_t connection_limit; /* -1 none */
    const char *valid_until;  /* NULL for ever */
    const char *comment;
    bool first;     /* made with the server */
    bool usable;    /* the session's user has its privileges */
    bool settable;  /* ... may become it */
    bool grantable; /* ... may hand it on */
} RoleFacts;

typedef struct RoleMember {
    const char *role;
    const char *member;
    bool admin;
    bool inherits; /* before PostgreSQL 16: as the member's own attribute says */
    bool sets;
} RoleMember;

typedef struct RoleSide {
    const char *user;
    int version;
    bool superuser;
    uint32_t powers; /* ProviderAttribute bits that the user has */
    bool reads_passwords;
    const char *database_owner;
    const char *database;
    const char *comment;     /* of the database, NULL none */
    VEC(RoleFacts) roles;    /* sorted by name */
    VEC(RoleMember) members; /* sorted by role, member */
    VEC(RoleSetting) settings;
} RoleSide;

/* A role that the selection needs. */
typedef struct Role {
    const RoleFacts *from;
    const char *target; /* its name there; NULL: nothing stands for it */
    RoleFate fate;
    uint32_t refused; /* attributes that the target does not let be given */
    const char *why;  /* of ROLE_RESERVED and ROLE_MISSING */
} Role;

/* A membership of the source that the target does not have. */
typedef struct RoleGrant {
    const char *role; /* of the target */
    const char *member;
    bool admin;
    bool inherits;
    bool sets;
    const char *left_out; /* why it cannot be granted; NULL: it is */
} RoleGrant;

typedef struct RoleSet {
    const Plan *plan;
    const ProviderRoleRule *rule;
    RoleSide source;
    RoleSide target;
    VEC(Role) roles; /* sorted by name */
    VEC(RoleGrant) grants;
    bool takes_passwords; /* asked for, readable, and accepted there */
} RoleSet;

/** Reads both servers and decides about every role that the selection needs. Read only.
 * \param set zeroed; owned by the arena \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool roles_read(Arena *arena, const Blueprint *blueprint, Conn *source, Conn *target,
                          RoleSet *set, Err *err);

/** As roles_read(), from what was read already: for tests. \param needed names, sorted */
void roles_decide(Arena *arena, RoleSet *set, const char *const *needed, size_t needed_count);

/** The role of the target that stands for a role of the source; NULL: none. Names that no Role has
 * stand for themselves when they are predefined (pg_...) and the target has them. */
const char *roles_target(const RoleSet *set, const char *source_name);

/** The needed role of this name on the source, NULL: none. */
const Role *roles_find(const RoleSet *set, const char *source_name);

/** What one server knows of a role, NULL: it has none of this name. */
const RoleFacts *roles_facts(const RoleSide *side, const char *name);

/** Whether the target's user will have the privileges of this role of the target, once the
 * statements have run; `settable`: may become it, too. */
bool roles_usable(const RoleSet *set, const char *target_name);
bool roles_settable(const RoleSet *set, const char *target_name);

typedef VEC(const char *) RoleSql;

/** The statements that make what is missing, memberships included, in order. Empty: nothing is. */
void roles_sql(Arena *arena, const RoleSet *set, const Conn *target, RoleSql *statements);

/** CREATE ROLE and what belongs to it, of one role; for remedies, too. */
void role_create_sql(Arena *arena, const RoleSet *set, const Role *role, const Conn *target,
                     RoleSql *statements);

/** "SET name TO value" as ALTER ROLE and ALTER DATABASE take it. */
void setting_sql(Str *sql, const Conn *target, const RoleSetting *setting);

/** Why a setting is not copied, NULL: it is. */
const char *setting_left_out(const RoleSetting *setting);

/** "SUPERUSER, BYPASSRLS". */
char *attributes_text(Arena *arena, uint32_t attributes);

/** Gives the roles that this run creates the passwords that they have on the source. Inside the
 * caller's transaction, after the roles. A hash is in no statement: it travels as a row of a COPY
 * into a temporary table. \param refused names and reasons of those that the target did not take
 * \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool passwords_copy(Arena *arena, const RoleSet *set, Conn *source, Conn *target,
                              size_t *taken, const char **refused, Err *err);

#endif
