-- Purpose: default_transaction_read_only as set for this database, for all roles; no row when not set.
-- Parameters: none. Columns: value.
SELECT pg_catalog.split_part(c.setting, '=', 2)
  FROM pg_catalog.pg_db_role_setting AS s
  JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (setting)
 WHERE d.datname = pg_catalog.current_database()
   AND s.setrole = 0
   AND pg_catalog.split_part(c.setting, '=', 1) = 'default_transaction_read_only'
