-- Purpose: who else than the owner holds what on large objects. Parameters: $1 array of oids.
-- Columns: oid, grantee (NULL: PUBLIC), privileges as SQL, with grant option.
SELECT m.oid, r.rolname, pg_catalog.string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), a.is_grantable
  FROM pg_catalog.pg_largeobject_metadata AS m
 CROSS JOIN LATERAL pg_catalog.aclexplode(m.lomacl) AS a
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
 WHERE m.oid = ANY ($1::pg_catalog.oid[]) AND a.grantee <> m.lomowner
   AND (a.grantee = 0 OR r.rolname IS NOT NULL)
 GROUP BY m.oid, a.grantee, r.rolname, a.is_grantable
 ORDER BY m.oid, a.grantee
