-- Purpose: what this session may do with the large objects of its database, and what room there is for locks.
-- Columns: how many there are, how many it may not read, bytes of pg_largeobject, whether it may read
-- pg_largeobject, whether it may lock it against writers, locks that the server has room for.
SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata AS m
         WHERE NOT u.rolsuper
           AND pg_catalog.current_setting('lo_compat_privileges') = 'off'
           AND NOT pg_catalog.pg_has_role(m.lomowner, 'USAGE')
           AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(m.lomacl) AS a
                            WHERE a.privilege_type = 'SELECT'
                              AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE')))),
       pg_catalog.pg_relation_size('pg_catalog.pg_largeobject'),
       pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT'),
       pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'UPDATE')
       AND pg_catalog.has_table_privilege('pg_catalog.pg_largeobject_metadata', 'UPDATE'),
       pg_catalog.current_setting('max_locks_per_transaction')::bigint
       * (pg_catalog.current_setting('max_connections')::bigint
          + pg_catalog.current_setting('max_prepared_transactions')::bigint)
  FROM pg_catalog.pg_roles AS u
 WHERE u.rolname = current_user
