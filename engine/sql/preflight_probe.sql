-- Purpose: what preflight must know of a session and of the server's use. Parameters: none.
-- Columns: slots used, senders used, connections used, large objects, may replicate, may create in the database, owns
-- the database, bypasses row security, backend pid, a prepared transaction.
SELECT (SELECT count(*) FROM pg_catalog.pg_replication_slots AS s),
       (SELECT count(*) FROM pg_catalog.pg_stat_activity AS a WHERE a.backend_type = 'walsender'),
       (SELECT count(*) FROM pg_catalog.pg_stat_activity AS a WHERE a.backend_type = 'client backend'),
       (SELECT count(*) FROM (SELECT FROM pg_catalog.pg_largeobject_metadata LIMIT 1000) AS l),
       r.rolsuper OR r.rolreplication
           OR coalesce((SELECT pg_catalog.pg_has_role(g.oid, 'USAGE') FROM pg_catalog.pg_roles AS g
                         WHERE g.rolname = 'rds_replication'), false),
       pg_catalog.has_database_privilege(d.oid, 'CREATE'),
       r.rolsuper OR pg_catalog.pg_has_role(d.datdba, 'USAGE'),
       r.rolsuper OR r.rolbypassrls,
       pg_catalog.pg_backend_pid(),
       (SELECT min(p.gid) FROM pg_catalog.pg_prepared_xacts AS p WHERE p.database = d.datname)
  FROM pg_catalog.pg_roles AS r, pg_catalog.pg_database AS d
 WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()
