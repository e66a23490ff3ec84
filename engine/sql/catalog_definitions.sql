-- What defines every user object of a database, in words that can be compared later: for pinned plans.
-- Parameters: $1 schemas (text array), NULL for all of them. Extension members, temporary objects, the
-- schemas of godwit and of TimescaleDB, and constraints that follow from another one (the server
-- names them) are left out; texts that may be long are shown as their MD5.
-- Columns: class oid and oid of the object whose selection decides, fact, definition.
WITH named AS (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl FROM pg_catalog.pg_namespace n
    WHERE n.nspname !~ '^(pg_|_timescaledb|timescaledb_)' AND n.nspname NOT IN ('information_schema', 'godwit')
      AND ($1::pg_catalog.text[] IS NULL OR n.nspname = ANY ($1::pg_catalog.text[]))
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                      WHERE e.classid = 2615 AND e.objid = n.oid AND e.deptype = 'e')
), member (classid, objid) AS (
    SELECT DISTINCT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
), rel AS (
    SELECT c.*, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
           , c.oid -- @before 12
    FROM pg_catalog.pg_class c JOIN named n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND c.relpersistence <> 't'
      AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 1259 AND m.objid = c.oid)
)
SELECT 2615, n.oid, pg_catalog.format('schema %I', n.nspname), '' FROM named n
UNION ALL
SELECT 1259, r.oid,
       CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
            WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'composite type' ELSE 'table' END || ' ' || r.name,
       CASE WHEN r.relkind IN ('v', 'm') THEN 'md5 ' || pg_catalog.md5(pg_catalog.pg_get_viewdef(r.oid))
            WHEN r.relkind = 'S' THEN
                (SELECT pg_catalog.format('%s increment %s from %s to %s cache %s%s', -- @from 10
                                          pg_catalog.format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, -- @from 10
                                          s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' cycle' END) -- @from 10
                 FROM pg_catalog.pg_sequence s WHERE s.seqrelid = r.oid) -- @from 10
                (SELECT pg_catalog.format('bigint increment %s from %s to %s cache 1%s', -- @before 10
                                          s.increment, s.minimum_value, s.maximum_value, -- @before 10
                                          CASE WHEN s.cycle_option THEN ' cycle' END) -- @before 10
                 FROM pg_catalog.pg_sequence_parameters(r.oid) s) -- @before 10
            WHEN r.relkind = 'c' THEN ''
            ELSE pg_catalog.concat_ws(', ',
                CASE r.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'logged' END,
                'partitioned by ' || pg_catalog.pg_get_partkeydef(r.oid), -- @from 10
                'partition ' || pg_catalog.pg_get_expr(r.relpartbound, r.oid), -- @from 10
                CASE WHEN r.relrowsecurity THEN 'row security' END,
                CASE WHEN r.relforcerowsecurity THEN 'forced row security' END,
                pg_catalog.array_to_string(r.reloptions, ', ')) END
FROM rel r
UNION ALL
SELECT 1259, r.oid, 'owner and privileges of ' || r.name,
       pg_catalog.concat_ws(' ', pg_catalog.pg_get_userbyid(r.relowner), r.relacl::pg_catalog.text)
FROM rel r
UNION ALL
SELECT 2615, n.oid, pg_catalog.format('owner and privileges of schema %I', n.nspname),
       pg_catalog.concat_ws(' ', pg_catalog.pg_get_userbyid(n.nspowner), n.nspacl::pg_catalog.text)
FROM named n
UNION ALL
SELECT 1259, r.oid, 'replica identity of ' || r.name,
       CASE r.relreplident WHEN 'd' THEN 'default' WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing' ELSE
            (SELECT 'index ' || pg_catalog.quote_ident(x.relname)
             FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
             WHERE i.indrelid = r.oid AND i.indisreplident) END
FROM rel r
WHERE r.relkind IN ('r', 'p')
UNION ALL
SELECT 1259, r.oid, pg_catalog.format('column %I of %s', a.attname, r.name),
       pg_catalog.concat_ws(' ', pg_catalog.format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attnotnull THEN 'not null' END,
           CASE WHEN a.attcollation <> t.typcollation THEN
                'collation ' || (SELECT pg_catalog.quote_ident(l.collname) FROM pg_catalog.pg_collation l
                                 WHERE l.oid = a.attcollation) END,
           CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END, -- @from 10
           CASE WHEN a.attgenerated <> '' THEN 'generated' WHEN d.oid IS NOT NULL THEN 'default' END, -- @from 12
           CASE WHEN d.oid IS NOT NULL THEN 'default' END, -- @before 12
           pg_catalog.pg_get_expr(d.adbin, d.adrelid))
FROM rel r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'f', 'c')
UNION ALL
SELECT 1259, r.oid, pg_catalog.format('index %I of %s', x.relname, r.name),
       pg_catalog.pg_get_indexdef(i.indexrelid)
           || CASE WHEN i.indisvalid THEN '' ELSE ', invalid' END
           || CASE WHEN i.indisclustered THEN ', clustered' ELSE '' END
FROM rel r
JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
UNION ALL
SELECT 1259, r.oid, pg_catalog.format('constraint %I of %s', k.conname, r.name),
       pg_catalog.pg_get_constraintdef(k.oid)
FROM rel r
JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')
     AND k.conparentid = 0 -- @from 11
UNION ALL
SELECT 1259, r.oid, pg_catalog.format('trigger %I of %s', g.tgname, r.name),
       pg_catalog.pg_get_triggerdef(g.oid) -- @from 12
       pg_catalog.regexp_replace(pg_catalog.pg_get_triggerdef(g.oid), ' EXECUTE PROCEDURE ', ' EXECUTE FUNCTION ') -- @before 12
           || CASE g.tgenabled WHEN 'D' THEN ', disabled' WHEN 'R' THEN ', replica' WHEN 'A' THEN ', always'
              ELSE '' END
FROM rel r
JOIN pg_catalog.pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal
JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid
-- TimescaleDB's own differ by version.
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace AND fn.nspname !~ '^_timescaledb_'
UNION ALL
SELECT 1259, r.oid, pg_catalog.format('rule %I of %s', w.rulename, r.name),
       pg_catalog.pg_get_ruledef(w.oid)
FROM rel r
JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
UNION ALL
SELECT 1259, r.oid, pg_catalog.format('policy %I of %s', p.polname, r.name),
       pg_catalog.concat_ws(' ', p.polcmd,
           CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, -- @from 10
           'permissive', -- @before 10
           'using ' || pg_catalog.pg_get_expr(p.polqual, p.polrelid),
           'check ' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
FROM rel r
JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT 1259, r.oid, pg_catalog.format('statistics %I of %s', s.stxname, r.name), -- @from 10
       pg_catalog.pg_get_statisticsobjdef(s.oid) -- @from 10
FROM rel r -- @from 10
JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = r.oid -- @from 10
UNION ALL -- @from 10
SELECT 1255, p.oid, 'function ' || p.oid::pg_catalog.regprocedure::pg_catalog.text,
       CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE -- @from 11
       CASE WHEN p.proisagg THEN 'aggregate' ELSE -- @before 11
            'md5 ' || pg_catalog.md5(pg_catalog.pg_get_functiondef(p.oid)) END
FROM pg_catalog.pg_proc p
JOIN named n ON n.oid = p.pronamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 1255 AND m.objid = p.oid)
UNION ALL
SELECT 1255, p.oid, 'owner and privileges of ' || p.oid::pg_catalog.regprocedure::pg_catalog.text,
       pg_catalog.concat_ws(' ', pg_catalog.pg_get_userbyid(p.proowner), p.proacl::pg_catalog.text)
FROM pg_catalog.pg_proc p
JOIN named n ON n.oid = p.pronamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 1255 AND m.objid = p.oid)
UNION ALL
SELECT 1247, y.oid, pg_catalog.format('type %I.%I', n.nspname, y.typname),
       CASE y.typtype
            WHEN 'e' THEN (SELECT pg_catalog.string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
                           FROM pg_catalog.pg_enum e WHERE e.enumtypid = y.oid)
            WHEN 'd' THEN pg_catalog.concat_ws(' ', pg_catalog.format_type(y.typbasetype, y.typtypmod),
                 CASE WHEN y.typnotnull THEN 'not null' END, 'default ' || y.typdefault,
                 (SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname)
                  FROM pg_catalog.pg_constraint k WHERE k.contypid = y.oid))
            ELSE (SELECT 'range of ' || pg_catalog.format_type(g.rngsubtype, NULL)
                  FROM pg_catalog.pg_range g WHERE g.rngtypid = y.oid) END
FROM pg_catalog.pg_type y
JOIN named n ON n.oid = y.typnamespace
WHERE y.typtype IN ('d', 'e', 'r')
  AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 1247 AND m.objid = y.oid)
UNION ALL
SELECT 3079, x.oid, pg_catalog.format('extension %I', x.extname),
       pg_catalog.format('%s in %I', x.extversion, n.nspname)
FROM pg_catalog.pg_extension x
JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
