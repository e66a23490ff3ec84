-- What on the target acts on rows that a session under replication role origin writes: enabled
-- triggers and rules, and foreign keys on either of their ends, of these tables.
-- $1: the tables, a JSON array of [schema, name].
-- Columns: what it is, its name, schema, table. TimescaleDB's own triggers know what they do.
SELECT f.kind, f.name, n.nspname, c.relname
FROM (SELECT CASE WHEN t.tgisinternal THEN 'foreign key' ELSE 'trigger' END AS kind,
             CASE WHEN t.tgisinternal THEN k.conname ELSE t.tgname END AS name,
             t.tgrelid AS relation
      FROM pg_catalog.pg_trigger t
      JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
      LEFT JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
      WHERE t.tgenabled IN ('O', 'A')
        AND (NOT t.tgisinternal OR k.contype = 'f')
        AND p.pronamespace::pg_catalog.regnamespace::pg_catalog.text !~ '^_timescaledb'
      UNION ALL
      SELECT 'rule', w.rulename, w.ev_class
      FROM pg_catalog.pg_rewrite w
      WHERE w.ev_enabled IN ('O', 'A') AND w.rulename <> '_RETURN') f
JOIN pg_catalog.pg_class c ON c.oid = f.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) AS e(item)
  ON e.item ->> 0 = n.nspname AND e.item ->> 1 = c.relname
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", f.kind, f.name COLLATE "C"
