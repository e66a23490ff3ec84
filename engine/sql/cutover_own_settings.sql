-- Purpose: roles whose own default_transaction_read_only is off, so that the database's setting does not keep them from
-- writing, and that may write to a table here. Of a role's settings the one for this database counts.
-- Parameters: none. Columns: role, whether it is set for this database alone.
SELECT r.rolname, s.here
  FROM pg_catalog.pg_roles AS r
  JOIN (SELECT DISTINCT ON (o.setrole) o.setrole, o.setdatabase <> 0 AS here,
               pg_catalog.split_part(c.setting, '=', 2)::boolean AS read_only
          FROM pg_catalog.pg_db_role_setting AS o
         CROSS JOIN LATERAL pg_catalog.unnest(o.setconfig) AS c (setting)
         WHERE o.setrole <> 0
           AND o.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d
                                      WHERE d.datname = pg_catalog.current_database()))
           AND pg_catalog.split_part(c.setting, '=', 1) = 'default_transaction_read_only'
         ORDER BY o.setrole, o.setdatabase <> 0 DESC) AS s ON s.setrole = r.oid AND NOT s.read_only
 WHERE r.rolcanlogin
   AND r.rolname <> current_user
   AND EXISTS (SELECT FROM pg_catalog.pg_class AS k
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = k.relnamespace
                WHERE k.relkind IN ('r', 'p') AND n.nspname NOT IN ('information_schema', 'godwit')
                  AND n.nspname !~ '^pg_'
                  AND pg_catalog.has_table_privilege(r.oid, k.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
 ORDER BY r.rolname
