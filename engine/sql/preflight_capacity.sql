-- What one server has room for, as far as SQL can know.
-- Columns: sees other roles' sessions, size of this database, size of every database that may be
-- seen, tablespaces with their sizes, temp_file_limit in bytes (-1 none), Neon's limit of the
-- project's size in bytes (-1 none), the timeouts that end sessions or statements of this role.
SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'), -- @from 10
SELECT (SELECT m.rolsuper FROM pg_catalog.pg_roles m WHERE m.rolname = current_user), -- @before 10
       pg_catalog.pg_database_size(pg_catalog.current_database()),
       (SELECT COALESCE(pg_catalog.sum(pg_catalog.pg_database_size(d.oid)), 0)
        FROM pg_catalog.pg_database d
        WHERE pg_catalog.has_database_privilege(d.oid, 'CONNECT')),
       (SELECT pg_catalog.string_agg(t.spcname || ' '
                   || CASE WHEN pg_catalog.has_tablespace_privilege(t.oid, 'CREATE')
                           THEN pg_catalog.pg_size_pretty(pg_catalog.pg_tablespace_size(t.oid))
                           ELSE '(size hidden)' END, ', ' ORDER BY t.spcname)
        FROM pg_catalog.pg_tablespace t WHERE t.spcname NOT IN ('pg_default', 'pg_global')),
       COALESCE((SELECT CASE WHEN s.setting = '-1' THEN -1 ELSE s.setting::bigint * 1024 END
                 FROM pg_catalog.pg_settings s WHERE s.name = 'temp_file_limit'), -1),
       CASE WHEN pg_catalog.current_setting('neon.max_cluster_size', true) ~ '^[1-9][0-9]*[kMGT]?B$' -- @from 9.6
            THEN pg_catalog.pg_size_bytes( -- @from 9.6
                     pg_catalog.current_setting('neon.max_cluster_size', true)) -- @from 9.6
            ELSE -1 END, -- @from 9.6
       -1, -- @before 9.6
       (SELECT pg_catalog.string_agg(s.name || ' = ' || s.reset_val || COALESCE(' ' || s.unit, ''),
                                     ', ' ORDER BY s.name)
        FROM pg_catalog.pg_settings s
        WHERE s.name IN ('idle_in_transaction_session_timeout', 'idle_session_timeout',
                         'statement_timeout', 'transaction_timeout')
          AND s.reset_val <> '0');
