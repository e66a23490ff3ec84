-- Purpose: records large objects as they were when they were looked at; inside the transaction that wrote them.
-- Parameters: $1 run, then arrays of one length: $2 oids, $3 sizes, $4 hashes, $5 accesses, $6 horizons.
-- Columns: none.
INSERT INTO godwit.large_object AS j (run, oid, size, hash, access, horizon)
SELECT $1::bigint, n.oid, n.size, n.hash, n.access, n.horizon::text::bigint
  FROM ROWS FROM (pg_catalog.unnest($2::pg_catalog.oid[]), pg_catalog.unnest($3::bigint[]),
                  pg_catalog.unnest($4::text[]), pg_catalog.unnest($5::text[]), pg_catalog.unnest($6::text[]))
       AS n (oid, size, hash, access, horizon)
    ON CONFLICT (run, oid) DO UPDATE
   SET size = EXCLUDED.size, hash = EXCLUDED.hash, access = EXCLUDED.access, horizon = EXCLUDED.horizon
