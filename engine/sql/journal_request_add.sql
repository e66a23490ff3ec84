-- Purpose: asks the engine that holds the lock for something. Parameters: $1 run, $2 kind, $3 argument. Columns: id.
INSERT INTO godwit.request (run, kind, argument) VALUES ($1::bigint, $2, $3) RETURNING id
