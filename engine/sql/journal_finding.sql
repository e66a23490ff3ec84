-- Purpose: adds a finding. Parameters: $1 run, $2 code, $3 severity, $4 object, $5 message. Columns: none.
INSERT INTO godwit.finding (run, code, severity, object, message) VALUES ($1::bigint, $2, $3, $4, $5)
