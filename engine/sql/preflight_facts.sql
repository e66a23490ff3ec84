-- What the checks need to know of a session and its server beside the catalog.
-- Columns: may replicate by attribute, may replicate by rds_replication, sees every row,
-- slots in use, WAL senders in use, connections in use, prepared transactions here, their names,
-- may create in the database, owns the database, connection limit of the role (-1 none),
-- connection limit of the database (-1 none), may end other roles' sessions.
SELECT r.rolreplication OR r.rolsuper,
       COALESCE((SELECT pg_catalog.pg_has_role(p.oid, 'USAGE')
                 FROM pg_catalog.pg_roles p WHERE p.rolname = 'rds_replication'), false),
       r.rolbypassrls OR r.rolsuper,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication),
       (SELECT COALESCE(pg_catalog.sum(s.numbackends), 0) FROM pg_catalog.pg_stat_database s),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts x
        WHERE x.database = d.datname),
       (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(x.gid), ', ' ORDER BY x.prepared)
        FROM pg_catalog.pg_prepared_xacts x WHERE x.database = d.datname),
       pg_catalog.has_database_privilege(d.oid, 'CREATE'),
       pg_catalog.pg_has_role(d.datdba, 'USAGE'),
       r.rolconnlimit,
       d.datconnlimit,
       pg_catalog.pg_has_role('pg_signal_backend', 'USAGE') -- @from 9.6
       r.rolsuper -- @before 9.6
FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
WHERE d.datname = pg_catalog.current_database()
  AND r.rolname = current_user;
