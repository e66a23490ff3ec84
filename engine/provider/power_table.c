/*
 * Powers of a user that differ from provider to provider, and how each is had.
 */
#include "provider/provider_table.h"

/* \note Source: PostgreSQL documentation, session_replication_role (a superuser, or from 15 GRANT
 * SET ON PARAMETER; Supabase and Azure let their admin set it by the same statement); aiven-extras,
 * sql/aiven_extras.sql, session_replication_role(text). */
static const ProviderReplicaWay replica_ways[] = {
    {NULL, "SET session_replication_role = 'replica'"},
    {"aiven_extras.session_replication_role(text)",
     "SELECT aiven_extras.session_replication_role('replica')"},
};

const ProviderReplicaWay *provider_replica_ways(size_t *count)
{
    *count = sizeof(replica_ways) / sizeof(replica_ways[0]);
    return replica_ways;
}
