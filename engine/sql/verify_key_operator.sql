-- The equality that a type's default B-tree operator class uses, so that a look-up by key can use
-- the key's index whatever the search path is. Parameters: $1 type as format_type() shows it.
-- Columns: the operator, as OPERATOR(schema.=) wants it. No row: the type has no such class.
WITH RECURSIVE base (oid, typbasetype, typtype, typcategory) AS (
    SELECT oid, typbasetype, typtype, typcategory
    FROM pg_catalog.pg_type
    WHERE oid = ($1::pg_catalog.text)::pg_catalog.regtype
    UNION ALL
    SELECT t.oid, t.typbasetype, t.typtype, t.typcategory
    FROM base
    JOIN pg_catalog.pg_type AS t ON t.oid = base.typbasetype
    WHERE base.typtype = 'd'
)
SELECT pg_catalog.quote_ident(n.nspname) || '.' || o.oprname
FROM base
JOIN pg_catalog.pg_opclass AS c
  ON c.opcintype = CASE
         WHEN base.typtype = 'e' THEN 'pg_catalog.anyenum'::pg_catalog.regtype
         WHEN base.typtype = 'r' THEN 'pg_catalog.anyrange'::pg_catalog.regtype
         WHEN base.typtype = 'c' THEN 'pg_catalog.record'::pg_catalog.regtype
         WHEN base.typcategory = 'A' THEN 'pg_catalog.anyarray'::pg_catalog.regtype
         ELSE base.oid
     END
JOIN pg_catalog.pg_am AS am ON am.oid = c.opcmethod AND am.amname = 'btree'
JOIN pg_catalog.pg_amop AS amop
  ON amop.amopfamily = c.opcfamily AND amop.amopstrategy = 3
 AND amop.amoplefttype = c.opcintype AND amop.amoprighttype = c.opcintype
JOIN pg_catalog.pg_operator AS o ON o.oid = amop.amopopr
JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
WHERE base.typtype <> 'd' AND c.opcdefault
