-- The columns of every table, partitioned table, view, materialized view and foreign table outside
-- the system's schemas and godwit's own, with what stands under a domain.
-- Columns: relation, number, name, type, type as text, base type, element type of an array,
-- built in, kind of the base (or element) type, not null, identity, generated, equality (the operator
-- that the type's default B-tree operator class uses, as OPERATOR(schema.=) wants it), generated when
-- it is read.
-- Ordered by relation, number.
WITH RECURSIVE under(domain, base) AS (
    SELECT t.oid, t.typbasetype FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
    UNION ALL
    SELECT u.domain, t.typbasetype
    FROM under u JOIN pg_catalog.pg_type t ON t.oid = u.base AND t.typtype = 'd'
), bottom(domain, base) AS (
    SELECT u.domain, u.base
    FROM under u JOIN pg_catalog.pg_type t ON t.oid = u.base AND t.typtype <> 'd'
), own_equality(type, operator) AS (
    SELECT k.opcintype, pg_catalog.quote_ident(s.nspname) || '.' || o.oprname
    FROM pg_catalog.pg_opclass k
    JOIN pg_catalog.pg_am m ON m.oid = k.opcmethod AND m.amname = 'btree'
    JOIN pg_catalog.pg_amop p ON p.amopfamily = k.opcfamily AND p.amopstrategy = 3
                             AND p.amoplefttype = k.opcintype AND p.amoprighttype = k.opcintype
    JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr
    JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace AND s.nspname <> 'pg_catalog'
    WHERE k.opcdefault
)
SELECT c.attrelid,
       c.attnum,
       c.attname,
       c.atttypid,
       pg_catalog.format_type(c.atttypid, c.atttypmod),
       b.oid,
       COALESCE(e.oid, 0),
       COALESCE(e.typnamespace, b.typnamespace) = 11 AND COALESCE(e.oid, b.oid) < 16384,
       COALESCE(e.typtype, b.typtype),
       c.attnotnull,
       c.attidentity, -- @from 10
       '', -- @before 10
       c.attgenerated <> '', -- @from 12
       false, -- @before 12
       COALESCE(q.operator, 'pg_catalog.='),
       c.attgenerated = 'v' -- @from 12
       false -- @before 12
FROM pg_catalog.pg_attribute c
JOIN pg_catalog.pg_class r ON r.oid = c.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
LEFT JOIN bottom d ON d.domain = c.atttypid
JOIN pg_catalog.pg_type b ON b.oid = COALESCE(d.base, c.atttypid)
LEFT JOIN own_equality q ON q.type = b.oid
LEFT JOIN pg_catalog.pg_type e ON e.oid = b.typelem AND b.typlen = -1 AND b.typcategory = 'A'
WHERE c.attnum > 0
  AND NOT c.attisdropped
  AND r.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND r.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
ORDER BY c.attrelid, c.attnum;
