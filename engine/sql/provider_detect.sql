-- Which provider runs this server, by what it leaves in plain sight; needs no privilege.
-- Columns: kind that the evidence points to (NULL: nothing found), the evidence.
-- Functions and settings go before role names, which may be left over from a migration.
SELECT f.kind, f.evidence
FROM (VALUES
    (1, 'aurora', 'function aurora_version()',
     EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proname = 'aurora_version')),
    (2, 'rds', 'setting rds.extensions',
     pg_catalog.current_setting('rds.extensions', true) IS NOT NULL),
    (3, 'azure', 'setting azure.extensions',
     pg_catalog.current_setting('azure.extensions', true) IS NOT NULL),
    (4, 'neon', 'setting neon.tenant_id',
     pg_catalog.current_setting('neon.tenant_id', true) IS NOT NULL),
    (5, 'supabase', 'setting supautils.privileged_role',
     pg_catalog.current_setting('supautils.privileged_role', true) IS NOT NULL),
    (6, 'tiger_cloud', 'roles tsdbowner and tsdbadmin',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tsdbowner')
         AND EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tsdbadmin')),
    (7, 'mst', 'role tsdbadmin and extension aiven_extras',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tsdbadmin')
         AND EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'aiven_extras')),
    (8, 'rds', 'role rds_superuser',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_superuser')),
    (9, 'azure', 'role azure_pg_admin',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'azure_pg_admin')),
    (10, 'neon', 'role neon_superuser',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'neon_superuser')),
    (11, 'supabase', 'role supabase_admin',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'supabase_admin'))
) AS f(rank, kind, evidence, found)
WHERE f.found
ORDER BY f.rank
LIMIT 1;
