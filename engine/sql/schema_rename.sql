-- The statements that give tables of the target other names and schemas, whatever bears those names among them: every
-- table goes into a schema of its own first. Indexes and owned sequences follow; statistics objects are taken along.
-- $1 JSON array of {n, from_schema, from_rel, to_schema, to_rel}, n from 1; those that are not there are left out.
-- Columns: stage (1 away from the old names, 2 to the new ones), statement.
WITH move AS (
    SELECT j.n, j.from_schema, j.from_rel, j.to_schema, j.to_rel, c.oid, c.relnamespace,
           pg_catalog.format('godwit_map_%s_%s', pg_catalog.pg_backend_pid(), j.n) AS way
    FROM pg_catalog.jsonb_to_recordset($1::pg_catalog.jsonb)
        AS j (n integer, from_schema text, from_rel text, to_schema text, to_rel text)
    JOIN pg_catalog.pg_namespace s ON s.nspname = j.from_schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = j.from_rel AND c.relkind IN ('r', 'p')
)
SELECT t.stage, t.statement
FROM (SELECT 1, m.n, 1, pg_catalog.format('CREATE SCHEMA %I', m.way) FROM move m
      UNION ALL
      SELECT 1, m.n, 2, pg_catalog.format('ALTER TABLE %I.%I SET SCHEMA %I', m.from_schema, m.from_rel, m.way)
      FROM move m
      UNION ALL
      SELECT 1, m.n, 3, pg_catalog.format('ALTER TABLE %I.%I RENAME TO %I', m.way, m.from_rel, m.to_rel)
      FROM move m WHERE m.from_rel <> m.to_rel
      UNION ALL
      SELECT 2, m.n, 1, pg_catalog.format('ALTER TABLE %I.%I SET SCHEMA %I', m.way, m.to_rel, m.to_schema)
      FROM move m
      UNION ALL
      SELECT 2, m.n, 2, pg_catalog.format('ALTER STATISTICS %I.%I SET SCHEMA %I', m.from_schema, x.stxname, m.to_schema)
      FROM move m JOIN pg_catalog.pg_statistic_ext x ON x.stxrelid = m.oid AND x.stxnamespace = m.relnamespace
      WHERE m.from_schema <> m.to_schema
      UNION ALL
      SELECT 2, m.n, 3, pg_catalog.format('DROP SCHEMA %I', m.way) FROM move m) AS t (stage, n, place, statement)
ORDER BY t.stage, t.n, t.place, t.statement
