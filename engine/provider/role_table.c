/*
 * What roles may be given on a provider's servers by the user that the provider gives. Where the
 * documents are silent or contradict each other the row says "refused": leaving an attribute out
 * and listing it is safe, a failing CREATE ROLE is not.
 */
#include "provider/provider_table.h"

#define ANY_VERSION 0, 999999
#define BEFORE_16   0, 159999
#define FROM_16     160000, 999999

/* PostgreSQL 16: whoever has CREATEROLE may hand on the attributes that he has himself. \note
 * Source: PostgreSQL 16 release notes, CREATE ROLE. */
#define NOT_SUPERUSER ATTRIBUTE_SUPERUSER
#define NOT_HIGHER    (ATTRIBUTE_SUPERUSER | ATTRIBUTE_REPLICATION | ATTRIBUTE_BYPASSRLS)

#define TIGER_GRANTS                                                                               \
    "pg_checkpoint pg_monitor pg_signal_backend pg_read_all_stats pg_stat_scan_tables"

const ProviderRoleRule provider_role_table[] = {
    {"self_hosted", ANY_VERSION, 0, true, true, NULL, NULL, NULL},

    /* The master user is NOREPLICATION and member of rds_superuser. \note Source: RDS user guide,
     * "Understanding the rds_superuser role". */
    {"rds", BEFORE_16, NOT_HIGHER, false, false, "GRANT rds_replication TO $user", NULL, NULL},
    {"rds", FROM_16, ATTRIBUTE_SUPERUSER | ATTRIBUTE_REPLICATION, false, false,
     "GRANT rds_replication TO $user", NULL, NULL},
    {"aurora", BEFORE_16, NOT_HIGHER, false, false, "GRANT rds_replication TO $user", NULL, NULL},
    {"aurora", FROM_16, ATTRIBUTE_SUPERUSER | ATTRIBUTE_REPLICATION, false, false,
     "GRANT rds_replication TO $user", NULL, NULL},

    /* \note Source: Azure documentation, "Security: access control" (BYPASSRLS from 16,
     * pg_write_all_data not grantable) and "Known issues" (md5 verifiers). */
    {"azure", BEFORE_16, ATTRIBUTE_SUPERUSER | ATTRIBUTE_BYPASSRLS, false, false, NULL,
     "pg_write_all_data", NULL},
    {"azure", FROM_16, ATTRIBUTE_SUPERUSER, false, false, NULL, "pg_write_all_data", NULL},

    /* Roles made by console, API or CLI are members of neon_superuser; those made by SQL are not.
     * \note Source: Neon documentation, "Manage roles". */
    {"neon", ANY_VERSION, NOT_HIGHER, false, false, "neonctl roles create --name $user", NULL,
     NULL},

    /* \note Source: supabase/postgres, demote-postgres.sql: postgres has REPLICATION, BYPASSRLS. */
    {"supabase", ANY_VERSION, NOT_SUPERUSER, false, true, NULL, NULL, NULL},

    /* \note Source: Managed Service for TimescaleDB, "User management". */
    {"mst", ANY_VERSION, NOT_SUPERUSER, false, true, NULL, NULL, NULL},

    /* \note Source: timescaledb-docker-ha, scripts/tsdbadmin.sql (length of passwords, roles with
     * CREATEROLE or SUPERUSER are refused); Tiger Cloud changelog 2024-07 (predefined roles). */
    {"tiger_cloud", ANY_VERSION, NOT_HIGHER | ATTRIBUTE_CREATEROLE | ATTRIBUTE_CREATEDB, false,
     false, NULL, NULL, TIGER_GRANTS},
};

const size_t provider_role_count = sizeof(provider_role_table) / sizeof(provider_role_table[0]);
