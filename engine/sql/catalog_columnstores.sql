-- The columnstore settings of the hypertables and continuous aggregates that have it on (asked only where TimescaleDB is
-- created). The view by column is the one that every version has; of an aggregate it tells the materialization.
-- Columns: schema, name, columns that rows are grouped by, how they are ordered, up to which interval compressed
-- chunks are merged (NULL: they are not; an interval for integer time, too, that is how it is
-- set). Ordered by table, byte by byte.
SELECT h.schema,
       h.name,
       ARRAY(SELECT s.attname::pg_catalog.text FROM timescaledb_information.compression_settings s
             WHERE s.hypertable_schema = h.hypertable_schema AND s.hypertable_name = h.hypertable_name
               AND s.segmentby_column_index IS NOT NULL
             ORDER BY s.segmentby_column_index),
       ARRAY(SELECT pg_catalog.quote_ident(s.attname)
                    || CASE WHEN s.orderby_asc THEN '' ELSE ' DESC' END
                    || CASE WHEN s.orderby_nullsfirst <> s.orderby_asc THEN ''
                            WHEN s.orderby_nullsfirst THEN ' NULLS FIRST' ELSE ' NULLS LAST' END
             FROM timescaledb_information.compression_settings s
             WHERE s.hypertable_schema = h.hypertable_schema AND s.hypertable_name = h.hypertable_name
               AND s.orderby_column_index IS NOT NULL
             ORDER BY s.orderby_column_index),
       pg_catalog.justify_hours(pg_catalog.make_interval(secs => m.length / 1000000.0))::pg_catalog.text
FROM (SELECT hypertable_schema, hypertable_name, hypertable_schema AS schema, hypertable_name AS name
      FROM timescaledb_information.hypertables WHERE compression_enabled
      UNION ALL
      SELECT materialization_hypertable_schema, materialization_hypertable_name, view_schema, view_name
      FROM timescaledb_information.continuous_aggregates WHERE compression_enabled) AS h
CROSS JOIN LATERAL (SELECT pg_catalog.min((pg_catalog.to_jsonb(c) ->> 'compress_interval_length')::pg_catalog.int8)
                    FROM _timescaledb_catalog.dimension c
                    JOIN _timescaledb_catalog.hypertable t ON t.id = c.hypertable_id
                    WHERE t.schema_name = h.hypertable_schema AND t.table_name = h.hypertable_name) AS m(length)
ORDER BY h.schema COLLATE "C", h.name COLLATE "C";
