-- Whether two servers turn the same row into the same text and the same hash. Equal answers, both
-- from UTF8 databases, mean that ROW(...)::text and hashtextextended() may be compared across them.
-- What could differ: byte order of the hash, and quoting of bytes that a C library calls blanks.
-- Servers from 11 on. Columns: encoding, sum.
SELECT pg_catalog.getdatabaseencoding(),
       CASE WHEN pg_catalog.getdatabaseencoding() = 'UTF8' THEN
           (SELECT pg_catalog.sum(pg_catalog.hashtextextended(
                       ROW(pg_catalog.chr(code), pg_catalog.repeat(pg_catalog.chr(code), 17))::text
                           COLLATE "C", 0))
            FROM (SELECT pg_catalog.generate_series(1, 255)
                  UNION ALL
                  SELECT pg_catalog.generate_series(256, 2047, 64)) AS codes (code))
       END;
