-- Whether two servers turn the same row into the same text and the same hash. Equal answers, both
-- from UTF8 databases, mean that ROW(...)::text and the hash functions of built-in types may be
-- compared across them. What could differ: byte order in the hash, and quoting of bytes that a C
-- library calls blanks. Servers from 11 on. Columns: encoding, sum.
SELECT pg_catalog.getdatabaseencoding(),
       CASE WHEN pg_catalog.getdatabaseencoding() = 'UTF8' THEN
           (SELECT pg_catalog.sum(
                       pg_catalog.hashint8extended(-code,
                       pg_catalog.hashint4extended(code,
                       pg_catalog.hashint2extended(code::int2,
                       pg_catalog.uuid_hash_extended('00112233-4455-6677-8899-aabbccddeeff',
                       pg_catalog.hashtextextended(
                           ROW(pg_catalog.chr(code),
                               pg_catalog.repeat(pg_catalog.chr(code), 17))::text COLLATE "C", 0))))))
            FROM (SELECT pg_catalog.generate_series(1, 255)
                  UNION ALL
                  SELECT pg_catalog.generate_series(256, 2047, 64)) AS codes (code))
       END;
