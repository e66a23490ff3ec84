-- Which provider runs this server, by what it leaves in plain sight; one statement, no privilege.
-- Columns: kind that the evidence points to, whether it is sure, the evidence; the best first, no
-- row when there is none.
-- Functions, settings and schemas of a database are sure. Roles alone are not: they may be left
-- over from a migration. Aurora has what RDS has, and more; Tiger Cloud has MST's role, and more.
SELECT f.kind, f.sure, f.evidence
FROM (VALUES
    (1, 'aurora', true, 'function aurora_version()',
     EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proname = 'aurora_version')),
    (2, 'rds', true, 'setting rds.extensions',
     pg_catalog.current_setting('rds.extensions', true) IS NOT NULL), -- @from 9.6
     EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'rds.extensions')), -- @before 9.6
    (3, 'azure', true, 'setting azure.extensions',
     pg_catalog.current_setting('azure.extensions', true) IS NOT NULL), -- @from 9.6
     EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'azure.extensions')), -- @before 9.6
    (4, 'neon', true, 'setting neon.tenant_id',
     pg_catalog.current_setting('neon.tenant_id', true) IS NOT NULL), -- @from 9.6
     EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'neon.tenant_id')), -- @before 9.6
    (5, 'supabase', true, 'setting supautils.privileged_role',
     pg_catalog.current_setting('supautils.privileged_role', true) IS NOT NULL), -- @from 9.6
     EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'supautils.privileged_role')), -- @before 9.6
    (6, 'tiger_cloud', true, 'role tsdbowner and schema tsdbadmin',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tsdbowner')
         AND EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'tsdbadmin')),
    (7, 'mst', true, 'extension aiven_extras',
     EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'aiven_extras')
         OR EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'aiven_extras')),
    (8, 'rds', false, 'role rds_superuser',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_superuser')),
    (9, 'azure', false, 'role azure_pg_admin',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname IN ('azure_pg_admin', 'azuresu'))),
    (10, 'neon', false, 'role neon_superuser',
     EXISTS (SELECT FROM pg_catalog.pg_roles
             WHERE rolname IN ('neon_superuser', 'databricks_superuser'))),
    (11, 'supabase', false, 'role supabase_admin',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'supabase_admin')),
    (12, 'tiger_cloud', false, 'role tsdbowner',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tsdbowner')),
    (13, 'mst', false, 'role tsdbadmin or avnadmin',
     EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname IN ('tsdbadmin', 'avnadmin')))
) AS f(rank, kind, sure, evidence, found)
WHERE f.found
ORDER BY f.rank
