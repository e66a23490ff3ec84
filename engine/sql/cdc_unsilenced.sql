-- What acts on rows even when a session under replication role replica writes them: triggers, rules and
-- foreign keys that are ENABLE ALWAYS or ENABLE REPLICA, of these tables.
-- $1: the tables, a JSON array of [schema, name].
-- Columns: what it is, its name, schema, table, how it is enabled (A, R). TimescaleDB's own triggers know
-- what they do.
SELECT f.kind, f.name, n.nspname, c.relname, f.enabled
FROM (SELECT CASE WHEN t.tgisinternal AND k.contype = 'f' THEN 'foreign key' ELSE 'trigger' END AS kind,
             CASE WHEN t.tgisinternal AND k.contype = 'f' THEN k.conname ELSE t.tgname END AS name,
             t.tgrelid AS relation, t.tgenabled AS enabled
      FROM pg_catalog.pg_trigger t
      JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
      LEFT JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
      WHERE t.tgenabled IN ('A', 'R')
        AND p.pronamespace::pg_catalog.regnamespace::pg_catalog.text !~ '^_timescaledb'
      UNION
      SELECT 'rule', w.rulename, w.ev_class, w.ev_enabled
      FROM pg_catalog.pg_rewrite w
      WHERE w.ev_enabled IN ('A', 'R') AND w.rulename <> '_RETURN') f
JOIN pg_catalog.pg_class c ON c.oid = f.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) AS e(item)
  ON e.item ->> 0 = n.nspname AND e.item ->> 1 = c.relname
ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C", f.kind, f.name::text COLLATE "C"
