-- Purpose: a tombstone for a run, which is then forgotten. Parameters: $1 run, $2 outcome. Columns: none.
WITH gone AS (
    DELETE FROM godwit.run WHERE id = $1::bigint RETURNING name, fingerprint, ended_at
), unmarked AS (
    DELETE FROM godwit.made AS m USING gone AS g WHERE m.name = g.name AND $2 <> 'abandoned'
), kept AS (
    UPDATE godwit.made AS m SET mark = '' FROM gone AS g WHERE m.name = g.name AND $2 = 'abandoned'
)
INSERT INTO godwit.tombstone (name, fingerprint, outcome, ended_at)
SELECT g.name, g.fingerprint, $2,
       CASE WHEN $2 = 'finished' THEN coalesce(g.ended_at, pg_catalog.clock_timestamp())
            ELSE pg_catalog.clock_timestamp() END
  FROM gone AS g
