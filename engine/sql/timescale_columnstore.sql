-- Whether the columnstore of a hypertable is on. $1 schema, $2 table. One row, none for a plain table.
SELECT h.compression_enabled FROM timescaledb_information.hypertables h
WHERE h.hypertable_schema = $1 AND h.hypertable_name = $2
