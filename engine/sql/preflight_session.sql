-- Whether this is still the session that the probe began in.
-- Parameters: what the probe set godwit.probe to.
-- Columns: backend pid, the setting survived.
SELECT pg_catalog.pg_backend_pid(),
       COALESCE(pg_catalog.current_setting('godwit.probe', true) = $1, false); -- @from 9.6
       pg_catalog.current_setting('godwit.probe') = $1; -- @before 9.6
