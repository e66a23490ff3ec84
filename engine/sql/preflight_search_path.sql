-- Functions of the source that name something outside pg_catalog without its schema, where they are run by rows that come in,
-- by an index that is built or by a materialized view that is filled: there the path is pg_catalog alone. The words of a
-- body that begin no qualified name and follow no point, without comments, are compared with the names that there are.
-- Columns: function's oid, function with its arguments, relation (0: a domain's), what uses it, the names, a path that
-- finds them, as SQL. Ordered by function.
WITH used(function, relation, place) AS (
    SELECT d.refobjid, k.conrelid, 'constraint ' || pg_catalog.quote_ident(k.conname)
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_constraint k ON k.oid = d.objid AND k.contype = 'c'
    WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    UNION
    SELECT d.refobjid, i.indrelid, 'index ' || pg_catalog.quote_ident(c.relname)
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_index i ON i.indexrelid = d.objid
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    UNION
    SELECT d.refobjid, a.attrelid, 'generated column ' || pg_catalog.quote_ident(a.attname)
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_attrdef e ON e.oid = d.objid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum
    WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      AND COALESCE(pg_catalog.to_jsonb(a) ->> 'attgenerated', '') <> ''
    UNION
    SELECT t.tgfoid, t.tgrelid, 'trigger ' || pg_catalog.quote_ident(t.tgname)
    FROM pg_catalog.pg_trigger t
    WHERE t.tgenabled IN ('A', 'R') AND NOT t.tgisinternal
    UNION
    SELECT d.refobjid, r.ev_class, 'its rows'
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
    JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind = 'm'
    WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
), body(oid, text, arguments) AS (
    SELECT p.oid, pg_catalog.regexp_replace(p.prosrc, '--[^\n]*|/[*]([^*]|[*]+[^*/])*[*]+/', ' ', 'g'), p.proargnames
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql')
    WHERE p.oid IN (SELECT u.function FROM used u)
      AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) AS s(setting) WHERE s.setting LIKE 'search_path=%')
), word(oid, name, text, arguments) AS (
    SELECT DISTINCT b.oid, COALESCE(pg_catalog.replace(m.part[2], '""', '"'), pg_catalog.lower(m.part[3])), b.text, b.arguments
    FROM body b,
         pg_catalog.regexp_matches(b.text, '(^|[^[:alnum:]_$".])(?:"((?:[^"]|"")+)"(?![".])|([[:alpha:]_][[:alnum:]_$]*)(?![[:alnum:]_$.]))',
                                   'g') AS m(part)
), thing(name, namespace, called) AS (
    SELECT c.relname, c.relnamespace, false FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION
    SELECT t.typname, t.typnamespace, false FROM pg_catalog.pg_type t WHERE t.typtype IN ('b', 'd', 'e', 'r') AND t.typelem = 0
    UNION
    SELECT p.proname, p.pronamespace, true FROM pg_catalog.pg_proc p
), missed(oid, names, path) AS (
    SELECT w.oid, pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(w.name), ', '),
           pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(n.nspname), ', ')
    FROM word w
    JOIN thing g ON g.name = w.name
    JOIN pg_catalog.pg_namespace n ON n.oid = g.namespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
      AND w.name <> ALL (COALESCE(w.arguments, '{}'))
      AND (NOT g.called OR w.text ~* ('(^|[^[:alnum:]_$.])"?' || pg_catalog.regexp_replace(w.name, '([^[:alnum:]_])', '\\\1', 'g')
                                      || '"?\s*[(]'))
      AND NOT EXISTS (SELECT FROM thing o
                      WHERE o.name = w.name AND o.called = g.called
                        AND o.namespace = 'pg_catalog'::pg_catalog.regnamespace)
    GROUP BY w.oid
)
SELECT m.oid, m.oid::pg_catalog.regprocedure::pg_catalog.text, u.relation, u.place, m.names, m.path
FROM missed m
JOIN used u ON u.function = m.oid
ORDER BY 2, 1, 3, 4
