-- Purpose: the statements that drop objects of the target. Parameters: $1 JSON array of {class, oid}, $2 JSON array of
-- schema names. Columns: statement. Tables go first and take their sequences along; what belongs to
-- another object (a range's constructors, its multirange) goes with that one; the schemas go last, each only if
-- nothing else is in it.
SELECT d.statement
  FROM (SELECT CASE WHEN i.type = 'table' THEN 0 ELSE 1 END, i.identity,
               pg_catalog.format('DROP %s IF EXISTS %s CASCADE',
                                 CASE i.type WHEN 'composite type' THEN 'type' WHEN 'statistics object' THEN 'statistics'
                                             ELSE i.type END, i.identity)
          FROM pg_catalog.jsonb_to_recordset($1::jsonb) AS j (class oid, oid oid)
         CROSS JOIN LATERAL pg_catalog.pg_identify_object(j.class, j.oid, 0) AS i
         WHERE i.identity IS NOT NULL
           AND (i.type = 'composite type'
                OR NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS p
                                WHERE p.classid = j.class AND p.objid = j.oid AND p.objsubid = 0 AND p.deptype = 'i'))
        UNION ALL
        SELECT 2, s.name,
               pg_catalog.format('DO $do$BEGIN DROP SCHEMA IF EXISTS %I; '
                                 'EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END$do$', s.name)
          FROM pg_catalog.jsonb_array_elements_text($2::jsonb) AS s (name)
         WHERE s.name <> 'public') AS d (place, name, statement)
 ORDER BY d.place, d.name
