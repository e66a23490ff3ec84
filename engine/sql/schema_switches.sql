-- Triggers, rules and row security of a target and how they are switched. No parameters.
-- Columns: kind (T trigger R rule Z row security), schema, relation, name, enabled letter.
SELECT s.kind, n.nspname, c.relname, s.name, s.enabled
FROM (SELECT 'T' AS kind, t.tgrelid AS relation, t.tgname AS name, t.tgenabled AS enabled
      FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal
      UNION ALL
      SELECT 'R', w.ev_class, w.rulename, w.ev_enabled
      FROM pg_catalog.pg_rewrite w WHERE w.rulename <> '_RETURN'
      UNION ALL
      SELECT 'Z', c.oid, '', '' FROM pg_catalog.pg_class c WHERE c.relrowsecurity) s
JOIN pg_catalog.pg_class c ON c.oid = s.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
