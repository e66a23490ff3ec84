-- Purpose: writes down a chunk in the transaction that copied it, if no other engine has taken the run; the run's row
-- is kept from changing hands until that is over.
-- Parameters: $1 run, $2 its hypertable's oid, $3 its oid, $4 its position, $5 the engine's epoch. Columns: its oid; no
-- row: another engine has the run.
WITH mine AS (
    SELECT r.id FROM godwit.run AS r WHERE r.id = $1::bigint AND r.epoch = $5::bigint FOR SHARE
)
INSERT INTO godwit.chunk (run, hypertable, oid, sync_lsn)
SELECT m.id, $2::bigint::oid, $3::bigint::oid, $4::pg_lsn FROM mine AS m
RETURNING oid
