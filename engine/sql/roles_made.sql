-- Purpose: the roles that a run made, by its journal, newest first. Parameters: $1 run. Columns: role, whether it
-- still exists.
SELECT e.detail ->> 'role', EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = e.detail ->> 'role')
FROM godwit.event e
WHERE e.run = $1::pg_catalog.int8 AND e.kind = 'role_created'
ORDER BY e.id DESC
