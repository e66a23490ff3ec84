/*
 * The providers' own ways. Sources: the providers' documentation (2024 to 2026), their command line
 * tools, and PostgreSQL's for self_hosted.
 */
#include "provider/provider_table.h"

const ProviderRemedy provider_remedy_table[] = {
    {"self_hosted", TOPIC_WAL_LEVEL,
     "ALTER SYSTEM SET wal_level = 'logical';\n-- then restart the server"},
    {"self_hosted", TOPIC_SETTING_RESTART,
     "ALTER SYSTEM SET $name = $value;\n-- then restart the server"},
    {"self_hosted", TOPIC_SETTING_RELOAD,
     "ALTER SYSTEM SET $name = $value;\nSELECT pg_reload_conf();"},
    {"self_hosted", TOPIC_REPLICATION_ROLE, "ALTER ROLE $user REPLICATION;\n-- as a superuser"},
    {"self_hosted", TOPIC_REPLICA_ROLE,
     "GRANT SET ON PARAMETER session_replication_role TO $user;\n-- as a superuser; "
     "before PostgreSQL 15 the role must be one"},
    {"self_hosted", TOPIC_DIRECT,
     "-- Connect to the server itself: its own host and port, not those of a pooler"},
    {"self_hosted", TOPIC_EXTENSION,
     "-- Install the package with extension $name on the target's host; if its "
     "documentation says so, add it to shared_preload_libraries and restart"},

    {"rds", TOPIC_WAL_LEVEL,
     "-- aws rds modify-db-parameter-group --db-parameter-group-name GROUP --parameters "
     "\"ParameterName=rds.logical_replication,ParameterValue=1,ApplyMethod=pending-reboot\"; "
     "then aws rds reboot-db-instance --db-instance-identifier ID. (A default group is "
     "read-only: make one, attach it with modify-db-instance.)"},
    {"rds", TOPIC_SETTING_RESTART,
     "-- aws rds modify-db-parameter-group --db-parameter-group-name GROUP --parameters "
     "\"ParameterName=$name,ParameterValue=$value,ApplyMethod=pending-reboot\"; then aws "
     "rds reboot-db-instance --db-instance-identifier ID"},
    {"rds", TOPIC_SETTING_RELOAD,
     "-- aws rds modify-db-parameter-group --db-parameter-group-name GROUP --parameters "
     "\"ParameterName=$name,ParameterValue=$value,ApplyMethod=immediate\""},
    {"rds", TOPIC_REPLICATION_ROLE, "GRANT rds_replication TO $user;\n-- as the master user"},
    {"rds", TOPIC_REPLICA_ROLE, "GRANT rds_superuser TO $user;\n-- as the master user"},
    {"rds", TOPIC_DIRECT, "-- Use the instance's own endpoint, not that of an RDS Proxy"},
    {"rds", TOPIC_EXTENSION,
     "-- Look for $name in SHOW rds.extensions; what is not there RDS does not offer: "
     "remove what needs it, or choose another target"},

    {"aurora", TOPIC_WAL_LEVEL,
     "-- aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name "
     "GROUP --parameters "
     "\"ParameterName=rds.logical_replication,ParameterValue=1,ApplyMethod=pending-reboot\"; "
     "then aws rds reboot-db-instance --db-instance-identifier WRITER. (It is a parameter "
     "of the cluster, not of the instance.)"},
    {"aurora", TOPIC_SETTING_RESTART,
     "-- aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name "
     "GROUP --parameters "
     "\"ParameterName=$name,ParameterValue=$value,ApplyMethod=pending-reboot\"; then aws "
     "rds reboot-db-instance --db-instance-identifier WRITER"},
    {"aurora", TOPIC_SETTING_RELOAD,
     "-- aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name "
     "GROUP --parameters "
     "\"ParameterName=$name,ParameterValue=$value,ApplyMethod=immediate\""},
    {"aurora", TOPIC_REPLICATION_ROLE, "GRANT rds_replication TO $user;\n-- as the master user"},
    {"aurora", TOPIC_REPLICA_ROLE, "GRANT rds_superuser TO $user;\n-- as the master user"},
    {"aurora", TOPIC_DIRECT, "-- Use the cluster's writer endpoint (.cluster-), not .cluster-ro-"},
    {"aurora", TOPIC_EXTENSION,
     "-- Look for $name in SHOW rds.extensions; what is not there Aurora does not offer: "
     "remove what needs it, or choose another target"},

    {"azure", TOPIC_WAL_LEVEL,
     "-- az postgres flexible-server parameter set -g GROUP --server-name SERVER --name "
     "wal_level --value logical; then az postgres flexible-server restart -g GROUP --name "
     "SERVER"},
    {"azure", TOPIC_SETTING_RESTART,
     "-- az postgres flexible-server parameter set -g GROUP --server-name SERVER --name "
     "$name --value $value; then az postgres flexible-server restart -g GROUP --name "
     "SERVER"},
    {"azure", TOPIC_SETTING_RELOAD,
     "-- az postgres flexible-server parameter set -g GROUP --server-name SERVER --name "
     "$name --value $value (parameter show tells whether it is read-only)"},
    {"azure", TOPIC_REPLICATION_ROLE,
     "ALTER ROLE $user WITH REPLICATION;\n-- as the server's admin"},
    {"azure", TOPIC_REPLICA_ROLE, "GRANT azure_pg_admin TO $user;\n-- as the server's admin"},
    {"azure", TOPIC_DIRECT, "-- Use port 5432; 6432 is the built-in PgBouncer"},
    {"azure", TOPIC_EXTENSION,
     "-- az postgres flexible-server parameter set -g GROUP --server-name SERVER --name "
     "azure.extensions --value LIST,$name (some need shared_preload_libraries and a "
     "restart too)"},

    {"neon", TOPIC_WAL_LEVEL,
     "-- Console: Settings, Logical Replication, Enable. It restarts every compute and "
     "cannot be undone"},
    {"neon", TOPIC_SETTING_RESTART, "-- Ask Neon's support to set $name to $value"},
    {"neon", TOPIC_SETTING_RELOAD, "-- Ask Neon's support to set $name to $value"},
    {"neon", TOPIC_REPLICATION_ROLE,
     "-- Make the role with the console, the API or neonctl roles create --name $user: "
     "such roles may replicate"},
    {"neon", TOPIC_REPLICA_ROLE,
     "-- Neon does not let any role set session_replication_role: choose another target"},
    {"neon", TOPIC_DIRECT, "-- Remove -pooler from the host's name"},
    {"neon", TOPIC_EXTENSION,
     "-- Neon does not offer $name: remove what needs it, or choose another target"},

    {"supabase", TOPIC_WAL_LEVEL,
     "-- supabase --experimental --project-ref REF postgres-config update --config "
     "wal_level=logical (restarts the database)"},
    {"supabase", TOPIC_SETTING_RESTART,
     "-- supabase --experimental --project-ref REF postgres-config update --config "
     "$name=$value (restarts the database)"},
    {"supabase", TOPIC_SETTING_RELOAD,
     "-- supabase --experimental --project-ref REF postgres-config update --config "
     "$name=$value"},
    {"supabase", TOPIC_REPLICATION_ROLE,
     "ALTER ROLE $user WITH REPLICATION;\n-- use the role postgres, or as postgres"},
    {"supabase", TOPIC_REPLICA_ROLE, "-- Use the role postgres"},
    {"supabase", TOPIC_DIRECT,
     "-- Use db.REF.supabase.co port 5432 (IPv6, or the IPv4 add-on), not a pooler"},
    {"supabase", TOPIC_EXTENSION,
     "-- Enable $name in the dashboard (Database, Extensions); what is not there Supabase "
     "does not offer"},

    {"mst", TOPIC_WAL_LEVEL, "-- avn service update SERVICE -c pg.wal_level=logical"},
    {"mst", TOPIC_SETTING_RESTART,
     "-- avn service update SERVICE -c pg.$name=$value (restarts the service)"},
    {"mst", TOPIC_SETTING_RELOAD, "-- avn service update SERVICE -c pg.$name=$value"},
    {"mst", TOPIC_REPLICATION_ROLE,
     "ALTER ROLE $user REPLICATION;\n-- use tsdbadmin, or as tsdbadmin"},
    {"mst", TOPIC_REPLICA_ROLE,
     "-- A role cannot set session_replication_role here (aiven_extras sets it by a "
     "function of its own): choose another target"},
    {"mst", TOPIC_DIRECT,
     "-- Use the service's own URI: a connection pool has another port and its own "
     "database name"},
    {"mst", TOPIC_EXTENSION,
     "-- The service does not offer $name: remove what needs it, or choose another target"},

    {"tiger_cloud", TOPIC_WAL_LEVEL,
     "-- Ask support: a service's wal_level cannot be changed from the console"},
    {"tiger_cloud", TOPIC_SETTING_RESTART,
     "-- Console: Operations, Database parameters: set $name to $value and restart the "
     "service"},
    {"tiger_cloud", TOPIC_SETTING_RELOAD,
     "-- Console: Operations, Database parameters: set $name to $value"},
    {"tiger_cloud", TOPIC_REPLICATION_ROLE, "-- Use the role tsdbadmin"},
    {"tiger_cloud", TOPIC_REPLICA_ROLE, "-- Use the role tsdbadmin"},
    {"tiger_cloud", TOPIC_DIRECT,
     "-- Use the service's direct connection string, not that of its connection pooler"},
    {"tiger_cloud", TOPIC_EXTENSION,
     "-- See SHOW extwlist.extensions for what a service offers; without $name remove "
     "what needs it"},
};

const size_t provider_remedy_count =
    sizeof(provider_remedy_table) / sizeof(provider_remedy_table[0]);

/* \note Source: the providers' connection pages; neon, proxy/src/types.rs (-pooler); Teleport's and
 * AWS's forms of RDS endpoints; Aiven and Managed Service for TimescaleDB, "replica". */
const ProviderEndpoint provider_endpoint_table[] = {
    {"supabase", ".supabase.com", ".pooler.", NULL, NULL, NULL, "Supabase's pooler",
     "Use db.REF.supabase.co port 5432."},
    {"supabase", ".supabase.co", NULL, NULL, NULL, "6543", "Supabase's dedicated pooler",
     "Use port 5432."},
    {"neon", ".neon.tech", NULL, NULL, "-pooler", NULL, "Neon's pooler",
     "Remove -pooler from the host's name."},
    {"azure", ".postgres.database.azure.com", NULL, NULL, NULL, "6432",
     "Azure's built-in PgBouncer", "Use port 5432."},
    {"azure", ".postgres.database.azure.com", ".reader.", NULL, NULL, NULL,
     "Azure's reader endpoint", "Use the server's own name, or its .writer. endpoint."},
    {"rds", ".rds.amazonaws.com", ".proxy-", NULL, NULL, NULL, "an RDS Proxy",
     "Use the instance's own endpoint."},
    {"rds", ".amazonaws.com.cn", ".proxy-", NULL, NULL, NULL, "an RDS Proxy",
     "Use the instance's own endpoint."},
    {"aurora", ".rds.amazonaws.com", ".cluster-ro-", NULL, NULL, NULL, "Aurora's reader endpoint",
     "Use the writer endpoint (.cluster-)."},
    {"aurora", ".amazonaws.com.cn", ".cluster-ro-", NULL, NULL, NULL, "Aurora's reader endpoint",
     "Use the writer endpoint (.cluster-)."},
    {"aurora", ".rds.amazonaws.com", ".cluster-custom-", NULL, NULL, NULL,
     "an Aurora custom endpoint", "Use the writer endpoint (.cluster-)."},
    {"mst", ".timescaledb.io", NULL, "replica.", NULL, NULL, "a read replica",
     "Remove the prefix replica from the host's name."},
    {"mst", ".aivencloud.com", NULL, "replica-", NULL, NULL, "a read replica",
     "Remove the prefix replica- from the host's name."},
};

const size_t provider_endpoint_count =
    sizeof(provider_endpoint_table) / sizeof(provider_endpoint_table[0]);
