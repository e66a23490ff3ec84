-- The first dimension of one hypertable. Runs only where the extension is created.
-- $1 schema, $2 table, $3 interval wanted as text (NULL: any). Columns: column, interval as text,
-- whether the interval is the one wanted.
SELECT d.column_name,
       COALESCE(d.time_interval::pg_catalog.text, d.integer_interval::pg_catalog.text),
       CASE WHEN $3::pg_catalog.text IS NULL THEN true
            WHEN d.time_interval IS NOT NULL THEN d.time_interval = $3::pg_catalog.interval
            ELSE d.integer_interval::pg_catalog.text = $3::pg_catalog.text END
FROM timescaledb_information.dimensions d
WHERE d.hypertable_schema = $1 AND d.hypertable_name = $2 AND d.dimension_number = 1
