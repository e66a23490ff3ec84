/*
 * The kinds of servers that a plan can name. Sources: as provider_table.c.
 */
#include "provider/provider_table.h"

#include <string.h>

static const ProviderKind kinds[] = {
    {"aurora", "Amazon Aurora PostgreSQL",
     "function aurora_version(); of RDS's evidence it has everything, too",
     "Use the cluster's writer endpoint: the reader endpoint balances over servers, and an "
     "exported "
     "snapshot is not known to the next one. Parameters of replication belong to the cluster's "
     "parameter group. Serverless v1 has no logical replication.",
     "RDS, Parameter groups, the cluster's group, Edit; Databases, the cluster, Modify to attach a "
     "group; then reboot the writer"},
    {"azure", "Azure Database for PostgreSQL Flexible Server",
     "setting azure.extensions; role azure_pg_admin or azuresu is a guess",
     "Switch high availability and read replicas of a target off until the switch (G310, G311). "
     "The schema public belongs to azure_pg_admin. TimescaleDB is the Apache-2 edition: "
     "hypertables, but no columnstore, continuous aggregates or policies.",
     "the server, Settings, Server parameters, edit, Save, restart when asked"},
    {"mst", "Managed Service for TimescaleDB, and other services that Aiven runs",
     "extension or schema aiven_extras; role tsdbadmin or avnadmin is a guess",
     "Logical replication is on from the beginning. session_replication_role is set by a function, "
     "aiven_extras.session_replication_role, which apply finds and uses by itself.",
     "the service, Overview, Advanced configuration, Configure"},
    {"neon", "Neon",
     "setting neon.tenant_id; role neon_superuser or databricks_superuser is a guess",
     "Enabling logical replication restarts every compute and cannot be undone. wal_sender_timeout "
     "is 10 seconds and cannot be set: the stream answers every second. Nobody may set "
     "session_replication_role, so a Neon target is kept quiet until the cutover (G306). A compute "
     "that scales to zero keeps running while the stream reads; unlogged tables do not survive its "
     "restart.",
     "Project, Settings, Logical Replication; the rest through support"},
    {"rds", "Amazon RDS for PostgreSQL", "setting rds.extensions; role rds_superuser is a guess",
     "A default parameter group is read-only: make one, and attach it. The right to replicate is "
     "membership in rds_replication; the attribute REPLICATION stays off, also for the master "
     "user. TimescaleDB is not offered.",
     "RDS, Parameter groups, Create or Edit; Databases, the instance, Modify, Additional "
     "configuration, apply immediately; then reboot"},
    {"self_hosted", "PostgreSQL or TimescaleDB on servers of your own",
     "none of the others' evidence",
     "Nothing is refused but what the role may not do; it is tried, not assumed.", NULL},
    {"supabase", "Supabase", "setting supautils.privileged_role; role supabase_admin is a guess",
     "db.REF.supabase.co answers over IPv6 unless the IPv4 add-on is bought. The role postgres may "
     "replicate, publish, and set session_replication_role. Sessions have a statement_timeout of "
     "two minutes, which is unset in ours.",
     "none: the command line, or support"},
    {"tiger_cloud", "Tiger Cloud (a target)",
     "role tsdbowner with schema tsdbadmin; role tsdbowner alone is a guess",
     "One database, no superuser, extensions from a list (SHOW extwlist.extensions), TimescaleDB "
     "in "
     "schema public. Add policies after the cutover; move the maintenance window out of the run.",
     "the service, Operations, Database parameters; the restart button shows when one is needed"},
};

const ProviderKind *provider_kinds(size_t *count)
{
    *count = sizeof(kinds) / sizeof(kinds[0]);
    return kinds;
}

const char *provider_console(const char *kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].console;
    }
    return NULL;
}
