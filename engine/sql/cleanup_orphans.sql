-- Purpose: slots and publications of this database that bear a plan's name. Parameters: $1 name prefix.
-- Columns: kind ("slot" or "publication"), name.
SELECT 'slot', s.slot_name::text
  FROM pg_catalog.pg_replication_slots AS s
 WHERE s.database = pg_catalog.current_database() AND pg_catalog.starts_with(s.slot_name, $1)
   AND s.slot_name ~ ('^.{' || pg_catalog.length($1) || '}[0-9a-f]{8}$')
UNION ALL
SELECT 'publication', p.pubname::text
  FROM pg_catalog.pg_publication AS p
 WHERE pg_catalog.starts_with(p.pubname, $1)
   AND p.pubname ~ ('^.{' || pg_catalog.length($1) || '}[0-9a-f]{8}$')
 ORDER BY 1 DESC, 2
