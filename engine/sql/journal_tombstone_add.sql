-- Purpose: a tombstone for a run, which is then forgotten. Parameters: $1 run, $2 outcome. Columns: none.
WITH gone AS (
    DELETE FROM godwit.run WHERE id = $1::bigint RETURNING name, fingerprint
)
INSERT INTO godwit.tombstone (name, fingerprint, outcome, ended_at)
SELECT g.name, g.fingerprint, $2, pg_catalog.clock_timestamp() FROM gone AS g
