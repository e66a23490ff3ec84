/*
 * Grants: the SQL, in a provider's own way, that makes a role with just what a migration needs of
 * one side, and that takes it back. Tables say how a role is made there; one query, over what the
 * server holds, says the rest. Without a connection the query itself is printed, inside a DO block
 * that runs what it finds.
 */
#ifndef GODWIT_PROVIDER_GRANTS_H
#define GODWIT_PROVIDER_GRANTS_H

#include "base/vec.h"
#include "pg/conn.h"

typedef enum GrantPart { GRANT_MAKE, GRANT_DROP } GrantPart;

typedef struct GrantStatement {
    GrantPart part;
    const char *text; /* SQL without its semicolon; "-- ..." when it is not SQL */
    const char *note; /* why, NULL none */
} GrantStatement;

typedef VEC(GrantStatement) GrantStatements;

typedef struct GrantSpec {
    ConnSide side;
    const char *kind;       /* the plan's */
    const char *role;       /* raw */
    const char *selection;  /* JSON, as provider_grants_source.sql's $2; target: its schemas */
    const char *extensions; /* JSON, target: as provider_grants_target.sql's $3 */
    bool failback;          /* failback.prepare: the target is read from, the source written to */
} GrantSpec;

/** Lists the statements in order.
 * \param conn a session of who may make roles; NULL: nothing is read
 * \return false with the connection's error. */
MUSTCHECK bool provider_grants(Arena *arena, const GrantSpec *spec, Conn *conn,
                               GrantStatements *statements, Err *err);

/* How a role is made, given rights that are no object's, and dropped; rows in order. */
typedef struct ProviderGrant {
    const char *kind;
    ConnSide side;
    GrantPart part;
    int min_version;  /* of the server, 0 any */
    const char *text; /* SQL with $user; "-- ..." when it is not SQL */
    const char *note;
} ProviderGrant;

/** Every row, for the documentation and its tests. */
const ProviderGrant *provider_grant_rows(size_t *count);

/** Those that failback.prepare adds. */
const ProviderGrant *provider_grant_back_rows(size_t *count);

#endif
