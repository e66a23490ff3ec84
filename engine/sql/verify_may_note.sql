-- Whether this session may write down how far a verification has come. Parameters: none. Columns: may.
SELECT pg_catalog.to_regclass('godwit.looked') IS NOT NULL
   AND COALESCE(pg_catalog.has_table_privilege(pg_catalog.to_regclass('godwit.looked'), 'INSERT, UPDATE, DELETE'), false)
   AND COALESCE(pg_catalog.has_table_privilege(pg_catalog.to_regclass('godwit.lane'), 'UPDATE'), false)
