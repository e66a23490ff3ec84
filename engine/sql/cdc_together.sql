-- Purpose: which of these tables of the target tie rows of different keys together: a further unique or exclusion
-- index (of the table or of one below it), or a unique index under a collation that calls different texts equal.
-- Triggers and rules that fire under replication role may touch any row; TimescaleDB's own keep to theirs.
-- $1: the tables, a JSON array of [schema, name, number]. Columns: number, why (unique, collation, acts).
WITH RECURSIVE members(number, relation) AS (
    SELECT (e.item ->> 2)::bigint, c.oid
      FROM pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) AS e(item)
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = e.item ->> 0
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = e.item ->> 1
    UNION
    SELECT m.number, i.inhrelid
      FROM members AS m
      JOIN pg_catalog.pg_inherits AS i ON i.inhparent = m.relation
)
SELECT m.number, 'unique' AS why
  FROM members AS m
  JOIN pg_catalog.pg_index AS i ON i.indrelid = m.relation AND (i.indisunique OR i.indisexclusion)
 GROUP BY m.number, m.relation
HAVING count(*) > 1
UNION
SELECT m.number, 'collation'
  FROM members AS m
  JOIN pg_catalog.pg_index AS i ON i.indrelid = m.relation AND i.indisunique
 CROSS JOIN LATERAL pg_catalog.unnest(i.indcollation::pg_catalog.oid[]) AS k(collation_oid)
  JOIN pg_catalog.pg_collation AS o ON o.oid = k.collation_oid
 WHERE pg_catalog.to_jsonb(o) ->> 'collisdeterministic' = 'false'
UNION
SELECT m.number, 'acts'
  FROM members AS m
  JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = m.relation AND t.tgenabled IN ('A', 'R')
  JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
 WHERE p.pronamespace::pg_catalog.regnamespace::pg_catalog.text !~ '^_timescaledb'
UNION
SELECT m.number, 'acts'
  FROM members AS m
  JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = m.relation AND w.ev_enabled IN ('A', 'R')
 ORDER BY 1, 2
