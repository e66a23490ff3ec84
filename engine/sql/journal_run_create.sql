-- Purpose: a new run. Parameters: $1 name, $2 mark, $3 fingerprint, $4 canonical plan, $5 engine version,
-- $6 source system, $7 target system. Columns: id.
INSERT INTO godwit.run (name, mark, fingerprint, canonical, engine_version, source_system, target_system, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'running')
RETURNING id
