/*
 * Powers of a user that differ from provider to provider, and how each is had.
 */
#include "provider/provider_table.h"

/* \note Source: PostgreSQL documentation, session_replication_role (a superuser, or from 15 GRANT
 * SET ON PARAMETER; Supabase and Azure let their admin set it by the same statement); aiven-extras,
 * sql/aiven_extras.sql, session_replication_role(text). */
static const ProviderReplicaWay replica_ways[] = {
    {NULL, "SET session_replication_role = 'replica'"},
    {"aiven_extras.session_replication_role",
     "SELECT aiven_extras.session_replication_role('replica')"},
};

/* A hash of "probe", as pg_authid would hold it; the role that bears it is rolled back. */
#define SCRAM                                                                                      \
    "SCRAM-SHA-256$4096:AQIDBAUGBwgJCgsMDQ4PEA==$"                                                 \
    "C0FR7vs/yQINjZhl2HZw/BMhoO+w+yL2jtNOBBb15GA=:7tU51RT/vc12jB4GaMCAKX4M23YNkGnKasIYlNPrDmE="

static const ProviderPower powers[] = {
    {"create_role", "CREATE ROLE godwit_probe NOLOGIN", "create roles",
     "roles that the target lacks are made by hand; what would be theirs belongs to the target's "
     "user",
     "ALTER ROLE $user CREATEROLE;\n-- as an administrator"},
    {"password_hash", "CREATE ROLE godwit_probe NOLOGIN PASSWORD '" SCRAM "'",
     "create roles with passwords that are hashed already",
     "roles are made without passwords, and listed; set them anew",
     "-- roles.passwords: omit in the plan, then set passwords on the target"},
    {"publication",
     "CREATE SCHEMA godwit_probe; CREATE TABLE godwit_probe.t (id int PRIMARY KEY); "
     "CREATE PUBLICATION godwit_probe FOR TABLE godwit_probe.t",
     "publish a table of its own", "there is no way back by replication after the cutover",
     "GRANT CREATE ON DATABASE $database TO $user;"},
    {"replication_origin", "SELECT pg_catalog.pg_replication_origin_create('godwit_probe')",
     "use replication origins",
     "none are used: the position is a row of godwit.lane, written with the changes",
     "-- nothing to do"},
};

const ProviderPower *provider_powers(size_t *count)
{
    *count = sizeof(powers) / sizeof(powers[0]);
    return powers;
}

const ProviderReplicaWay *provider_replica_ways(size_t *count)
{
    *count = sizeof(replica_ways) / sizeof(replica_ways[0]);
    return replica_ways;
}
