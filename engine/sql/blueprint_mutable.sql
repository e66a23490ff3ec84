-- Which of some functions may not stand in a row filter, because they are not immutable.
-- Parameters: $1 oids. Columns: oid, name, volatility in words.
SELECT p.oid, p.proname, CASE p.provolatile WHEN 's' THEN 'stable' ELSE 'volatile' END
FROM pg_catalog.pg_proc AS p
WHERE p.oid = ANY ($1::pg_catalog.oid[]) AND p.provolatile <> 'i'
