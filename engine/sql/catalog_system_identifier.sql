-- The cluster's system identifier; asked only where the function may be executed.
-- Columns: system identifier.
SELECT system_identifier FROM pg_catalog.pg_control_system();
