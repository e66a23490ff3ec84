-- Purpose: default privileges. No parameters.
-- Columns: role whose objects get them, schema (NULL: everywhere), kind of objects (r tables S sequences f functions
-- T types n schemas L large objects), grantee (NULL: PUBLIC), privilege (NULL: the entry is empty), with grant option.
SELECT o.rolname, n.nspname, d.defaclobjtype, g.rolname, e.privilege_type, e.is_grantable
FROM pg_catalog.pg_default_acl d
JOIN pg_catalog.pg_roles o ON o.oid = d.defaclrole
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
LEFT JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) e ON true
LEFT JOIN pg_catalog.pg_roles g ON g.oid = e.grantee
WHERE e.grantee IS NULL OR e.grantee = 0 OR g.oid IS NOT NULL
ORDER BY o.rolname::text COLLATE "C", n.nspname::text COLLATE "C" NULLS FIRST, d.defaclobjtype, g.rolname::text COLLATE "C",
         e.privilege_type
