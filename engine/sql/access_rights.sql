-- Purpose: the privileges on the objects of access_objects, in effect (built-in defaults where none was ever granted).
-- Parameters: $1 class oids, $2 oids (two arrays of one length): these objects; both NULL: every object of a user's.
-- Columns: class oid, oid, column (NULL: the whole object), grantee (NULL: PUBLIC), privilege, with grant option,
-- state, whether the grantee is its owner (the database's, for pg_database_owner).
--   state: h held  i held, and so it was when the server or database was made  x was so, but has been revoked;
--   i and x come for the database, schema public and plpgsql only.
WITH kept AS (
    SELECT k.class, k.oid FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]),
                                          pg_catalog.unnest($2::pg_catalog.oid[])) AS k (class, oid)
), here AS (
    SELECT d.datdba, pg_catalog.to_regrole('pg_database_owner')::pg_catalog.oid AS stands_for
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
), found (class, oid, subid, space, owner, acl, initial) AS (
    SELECT 1259::pg_catalog.oid, c.oid, 0, c.relnamespace, c.relowner,
           COALESCE(c.relacl, pg_catalog.acldefault(
               CASE WHEN c.relkind = 'S' THEN 's' ELSE 'r' END::"char", c.relowner)), NULL::pg_catalog.aclitem[]
    FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
    UNION ALL
    SELECT 1259, c.oid, a.attnum, c.relnamespace, c.relowner, a.attacl, NULL
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND c.relpersistence <> 't'
    UNION ALL
    SELECT 1255, p.oid, 0, p.pronamespace, p.proowner,
           COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner)), NULL
    FROM pg_catalog.pg_proc p
    UNION ALL
    SELECT 1247, t.oid, 0, t.typnamespace, t.typowner,
           COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner)), NULL
    FROM pg_catalog.pg_type t WHERE t.typtype IN ('b', 'd', 'e', 'r', 'c')
    UNION ALL
    SELECT 2615, n.oid, 0, NULL, n.nspowner, COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner)),
           CASE WHEN n.oid < 16384 THEN COALESCE(
               (SELECT s.initprivs FROM pg_catalog.pg_init_privs s -- @from 9.6
                WHERE s.classoid = 2615 AND s.objoid = n.oid AND s.objsubid = 0), -- @from 9.6
               pg_catalog.acldefault('n', n.nspowner)) END
    FROM pg_catalog.pg_namespace n
    UNION ALL
    SELECT 2612, l.oid, 0, NULL, l.lanowner, COALESCE(l.lanacl, pg_catalog.acldefault('l', l.lanowner)),
           CASE WHEN l.oid < 16384 OR l.lanname = 'plpgsql' THEN COALESCE(
               (SELECT s.initprivs FROM pg_catalog.pg_init_privs s -- @from 9.6
                WHERE s.classoid = 2612 AND s.objoid = l.oid AND s.objsubid = 0), -- @from 9.6
               pg_catalog.acldefault('l', l.lanowner)) END
    FROM pg_catalog.pg_language l WHERE l.lanpltrusted
    UNION ALL
    SELECT 2328, w.oid, 0, NULL, w.fdwowner, COALESCE(w.fdwacl, pg_catalog.acldefault('F', w.fdwowner)), NULL
    FROM pg_catalog.pg_foreign_data_wrapper w
    UNION ALL
    SELECT 1417, v.oid, 0, NULL, v.srvowner, COALESCE(v.srvacl, pg_catalog.acldefault('S', v.srvowner)), NULL
    FROM pg_catalog.pg_foreign_server v
    UNION ALL
    SELECT 1262, d.oid, 0, NULL, d.datdba, COALESCE(d.datacl, pg_catalog.acldefault('d', d.datdba)),
           pg_catalog.acldefault('d', d.datdba)
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
), wanted AS (
    SELECT f.* FROM found f LEFT JOIN pg_catalog.pg_namespace n ON n.oid = f.space
    WHERE f.class = 1262 OR (f.class = 2615 AND f.oid = pg_catalog.to_regnamespace('public'))
       OR (f.class = 2612 AND f.initial IS NOT NULL)
       OR CASE WHEN $1 IS NULL
               THEN f.oid >= 16384
                    AND COALESCE(n.nspname !~ '^(pg_|_timescaledb|timescaledb_|information_schema$|godwit$)', true)
               ELSE (f.class, f.oid) IN (SELECT k.class, k.oid FROM kept k) END
), item AS (
    SELECT w.class, w.oid, w.subid, w.owner, e.grantee, e.privilege_type,
           pg_catalog.bool_or(e.is_grantable) AS grantable,
           CASE WHEN w.initial IS NULL THEN 'h'
                WHEN EXISTS (SELECT FROM pg_catalog.aclexplode(w.initial) o
                             WHERE o.grantee = e.grantee AND o.privilege_type = e.privilege_type) THEN 'i'
                ELSE 'h' END AS state
    FROM wanted w CROSS JOIN LATERAL pg_catalog.aclexplode(w.acl) e
    GROUP BY w.class, w.oid, w.subid, w.owner, w.initial, e.grantee, e.privilege_type
    UNION ALL
    SELECT w.class, w.oid, w.subid, w.owner, o.grantee, o.privilege_type, false, 'x'
    FROM wanted w CROSS JOIN LATERAL pg_catalog.aclexplode(w.initial) o
    WHERE NOT EXISTS (SELECT FROM pg_catalog.aclexplode(w.acl) e
                      WHERE e.grantee = o.grantee AND e.privilege_type = o.privilege_type)
)
SELECT i.class, i.oid, a.attname, r.rolname, i.privilege_type, i.grantable, i.state,
       i.grantee = i.owner OR COALESCE(i.grantee = h.stands_for, false)
FROM item i CROSS JOIN here h
LEFT JOIN pg_catalog.pg_attribute a ON i.subid > 0 AND a.attrelid = i.oid AND a.attnum = i.subid
LEFT JOIN pg_catalog.pg_roles r
       ON r.oid = CASE WHEN i.grantee = h.stands_for THEN h.datdba ELSE i.grantee END
WHERE i.grantee = 0 OR r.oid IS NOT NULL
ORDER BY i.class, i.oid, i.subid, r.rolname::text COLLATE "C", i.privilege_type
