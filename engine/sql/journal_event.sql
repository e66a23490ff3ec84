-- Purpose: adds an event. Parameters: $1 run, $2 kind, $3 detail (JSON or NULL). Columns: none.
INSERT INTO godwit.event (run, kind, detail) VALUES ($1::bigint, $2, $3::jsonb)
