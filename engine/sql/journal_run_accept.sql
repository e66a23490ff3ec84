-- Purpose: takes over a changed plan whose changes were accepted.
-- Parameters: $1 run, $2 fingerprint, $3 canonical plan. Columns: none.
UPDATE godwit.run SET fingerprint = $2, canonical = $3 WHERE id = $1::bigint
