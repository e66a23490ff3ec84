-- What the rows of some leaves come from: another copy of one is another text. NULL while one of them does not stream.
-- Parameters: $1 run, $2 schemas and $3 names of the leaves (arrays). Columns: facts.
SELECT CASE WHEN pg_catalog.bool_and(r.state = 'r') AND count(*) = max(n.leaves)
            THEN pg_catalog.concat_ws(' ', count(*), max(r.wave), max(r.sync_lsn)) END
  FROM godwit.relation AS r
  JOIN (SELECT l.schema, l.rel, count(*) OVER () AS leaves
          FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS l (schema, rel)) AS n
    ON n.schema = r.schema AND n.rel = r.rel
 WHERE r.run = $1::bigint
