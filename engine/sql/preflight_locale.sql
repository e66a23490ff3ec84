-- How this database orders text.
-- Columns: provider (c libc, i ICU, b built in), collate, ctype, locale of ICU or the built-in
-- provider, version that it was made with, version of the C library's collations here, version of
-- ICU's.
SELECT COALESCE(j.row ->> 'datlocprovider', 'c'),
       d.datcollate,
       d.datctype,
       COALESCE(j.row ->> 'datlocale', j.row ->> 'daticulocale'),
       j.row ->> 'datcollversion',
       (SELECT pg_catalog.pg_collation_actual_version(c.oid) -- @from 10
        FROM pg_catalog.pg_collation c -- @from 10
        WHERE c.collprovider = 'c' AND c.collcollate NOT IN ('C', 'POSIX') AND c.collcollate NOT LIKE 'C.%' -- @from 10
        ORDER BY c.oid LIMIT 1), -- @from 10
       (SELECT pg_catalog.pg_collation_actual_version(c.oid) -- @from 10
        FROM pg_catalog.pg_collation c -- @from 10
        WHERE c.collprovider = 'i' AND c.collname = 'und-x-icu' LIMIT 1) -- @from 10
       NULL, -- @before 10
       NULL -- @before 10
FROM pg_catalog.pg_database d
CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(d) AS row) j
WHERE d.datname = pg_catalog.current_database();
