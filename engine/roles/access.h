/*
 * Access: who owns the selected objects and who may do what with them, on both sides, and the
 * statements that make the target say what the source says. Everything is found by difference, so
 * that it can be looked at and run again at any time.
 */
#ifndef GODWIT_ROLES_ACCESS_H
#define GODWIT_ROLES_ACCESS_H

#include "roles/roles.h"

typedef struct AccessRight {
    const char *column;  /* NULL: the whole object */
    const char *grantee; /* NULL: PUBLIC */
    const char *privilege;
    bool grantable;
    char state;    /* 'h' held; 'i' held from the beginning, 'x' revoked since: see the query */
    bool of_owner; /* the grantee is the owner */
} AccessRight;

typedef struct AccessObject {
    uint32_t class_oid;
    uint32_t oid;
    const char *word; /* of GRANT and ALTER: "table", "routine" */
    Name name;        /* of a relation; schema NULL: not one */
    const char *identity;
    const char *owner;
    bool may_act; /* the session's user has the owner's privileges */
    bool follows; /* its owner cannot be given */
    bool definer;
    const char *schema; /* NULL: in none */
    const char *key;    /* the same on both sides */
    AccessRight *rights;
    size_t right_count;
} AccessObject;

typedef struct DefaultRight {
    const char *role;
    const char *schema; /* NULL: everywhere */
    char kind;          /* as pg_default_acl has it */
    const char *grantee;
    const char *privilege; /* NULL: the entry is empty */
    bool grantable;
} DefaultRight;

typedef struct AccessSide {
    VEC(AccessObject) objects; /* sorted by key */
    VEC(DefaultRight) defaults;
} AccessSide;

typedef struct Access {
    const Blueprint *blueprint;
    RoleSet roles;
    AccessSide source;
    AccessSide target;
} Access;

/* What is not done, and why; one a case, counted. */
typedef struct AccessGap {
    const char *what; /* "owner", "privilege", "default privilege" */
    const char *role;
    const char *first; /* the first object */
    const char *why;
    size_t count;
} AccessGap;

typedef struct AccessPlan {
    RoleSql owners;     /* ALTER ... OWNER TO, and the privileges it takes for a moment */
    RoleSql privileges; /* REVOKE, GRANT */
    RoleSql defaults;   /* ALTER DEFAULT PRIVILEGES */
    VEC(AccessGap) gaps;
} AccessPlan;

/** Reads both sides. \param access zeroed; owned by the arena \return false with ERR_SQL, ERR_LOST
 */
MUSTCHECK bool access_read(Arena *arena, const Blueprint *blueprint, Conn *source, Conn *target,
                           Access *access, Err *err);

/** The statements that are missing. \param before the objects are not all made yet: what is missing
 * counts as owned by the target's user, with PostgreSQL's own defaults; else it is passed over */
void access_plan(Arena *arena, const Access *access, const Conn *target, bool before,
                 AccessPlan *plan);

/* A setting's statement, and what may be told of it: its value may be a secret. */
typedef struct SettingSql {
    const char *sql;
    const char *what;  /* "app.jwt_secret of the database" */
    const char *value; /* is not told */
} SettingSql;

typedef VEC(SettingSql) SettingSqlVec;

/** ALTER DATABASE and ALTER ROLE ... IN DATABASE settings, and the comment of a database that has
 * none: what the target lacks. \param left_out "name: why" each; NULL: not wanted */
void settings_sql(Arena *arena, const RoleSet *set, const Conn *target, SettingSqlVec *statements,
                  RoleSql *left_out);

#endif
