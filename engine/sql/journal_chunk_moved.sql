-- Purpose: a chunk that is known has other bounds: it was merged with others, or split. Takes them down if nothing
-- follows from that: what it may hold now is covered by what it could hold and by known chunks that went into it.
-- Parameters: $1 run, $2 JSON as copy_chunk_facts.sql gives it, of this chunk, $3 oids of the chunks that are there, $4
-- whether a smaller range is as good. Columns: its oid, its bounds; no row: something follows.
WITH now AS (
    SELECT j.*
      FROM pg_catalog.jsonb_to_recordset($2::jsonb) AS j (oid oid, hypertable oid, bounds text, begins bigint, ends bigint)
), old AS (
    SELECT c.begins, c.ends FROM godwit.chunk AS c, now AS n WHERE c.run = $1::bigint AND c.oid = n.oid
), pieces AS (
    SELECT o.begins, o.ends FROM old AS o
    UNION ALL
    SELECT c.begins, c.ends
      FROM godwit.chunk AS c, now AS n
     WHERE c.run = $1::bigint AND c.hypertable = n.hypertable AND NOT c.oid = ANY ($3::oid[])
)
UPDATE godwit.chunk AS c SET bounds = n.bounds, begins = n.begins, ends = n.ends
  FROM now AS n, old AS o
 WHERE c.run = $1::bigint AND c.oid = n.oid
   AND (($4::boolean AND n.begins >= o.begins AND n.ends <= o.ends)
        OR (n.begins <= o.begins AND n.ends >= o.ends
            AND EXISTS (SELECT FROM pieces AS p WHERE p.begins <= n.begins AND p.ends > n.begins)
            AND NOT EXISTS (SELECT FROM pieces AS p
                             WHERE p.ends > n.begins AND p.ends < n.ends
                               AND NOT EXISTS (SELECT FROM pieces AS q WHERE q.begins <= p.ends AND q.ends > p.ends))))
RETURNING c.oid, c.bounds
