-- Purpose: gives a run whose lanes all stand at one position another number of them, and records how changes are
-- routed. What lanes that go had counted is counted as the first one's; lanes that come know of the newest look of a
-- verification, or what they change would be passed over by it. Nothing happens when another engine took over.
-- Parameters: $1 run, $2 epoch, $3 position, $4 lanes, $5 routing. Columns: lanes that stood there (0: taken over).
WITH gone AS (
    DELETE FROM godwit.lane AS l
     WHERE l.run = $1::bigint AND l.epoch = $2::bigint AND l.applied = $3::pg_lsn AND l.id >= $4::integer
    RETURNING l.transactions, l.changes
), kept AS (
    UPDATE godwit.lane AS l
       SET routing = $5::text,
           transactions = l.transactions + (SELECT coalesce(sum(g.transactions), 0) FROM gone AS g),
           changes = l.changes + (SELECT coalesce(sum(g.changes), 0) FROM gone AS g)
     WHERE l.run = $1::bigint AND l.epoch = $2::bigint AND l.applied = $3::pg_lsn AND l.id = 0
    RETURNING l.run, l.look
), made AS (
    INSERT INTO godwit.lane (run, id, applied, epoch, look)
    SELECT k.run, s.id, $3::pg_lsn, $2::bigint, k.look
      FROM kept AS k CROSS JOIN pg_catalog.generate_series(1, $4::integer - 1) AS s(id)
    ON CONFLICT (run, id) DO NOTHING
)
SELECT count(*) FROM kept
