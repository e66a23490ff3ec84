-- Purpose: size and hash of large objects: SHA-256 over the hexadecimal SHA-256 of each piece, so that no object is
-- ever in memory as a whole. Those that are not there do not come.
-- Parameters: $1 array of oids, $2 bytes of a piece. Columns: oid, size, hash. Servers from 11 on; pieces.c does it
-- for older ones.
SELECT p.oid, p.size,
       pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.string_agg(
           pg_catalog.encode(pg_catalog.sha256(pg_catalog.lo_get(p.oid, p.place, $2::integer)), 'hex'),
           '' ORDER BY p.place), 'UTF8')), 'hex')
  FROM (SELECT m.oid, s.size, g.place
          FROM pg_catalog.pg_largeobject_metadata AS m,
               LATERAL (SELECT pg_catalog.lo_open(m.oid, 262144) AS fd OFFSET 0) AS f,
               LATERAL (SELECT pg_catalog.lo_lseek64(f.fd, 0, 2) AS size,
                               pg_catalog.lo_close(f.fd) AS closed OFFSET 0) AS s,
               LATERAL pg_catalog.generate_series(0::bigint, GREATEST(s.size - 1, 0), $2::bigint) AS g (place)
         WHERE m.oid = ANY ($1::pg_catalog.oid[])
        OFFSET 0) AS p
 GROUP BY p.oid, p.size
 ORDER BY p.oid
