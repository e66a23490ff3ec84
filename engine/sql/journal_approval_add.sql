-- Purpose: records an approval. Parameters: $1 run, $2 fingerprint, $3 microseconds it is valid for.
-- Columns: approver, expires.
INSERT INTO godwit.approval (run, fingerprint, expires_at)
VALUES ($1::bigint, $2, pg_catalog.clock_timestamp() + $3::bigint * interval '1 microsecond')
RETURNING approver, pg_catalog.to_char(expires_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
