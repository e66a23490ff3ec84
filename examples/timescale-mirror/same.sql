-- same.sql: what one server holds, as lines to be compared: settings of every hypertable, rows of every table.

SET timezone = 'UTC';
SET extra_float_digits = 1;
SELECT h.schema_name, h.table_name, d.column_name, d.num_slices, d.interval_length, d.integer_now_func
FROM _timescaledb_catalog.hypertable h JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = h.id
WHERE h.schema_name IN ('site', 'Site 2') ORDER BY 1, 2, d.id;
SELECT 'sensor', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM site.sensor AS t
UNION ALL SELECT 'measurement', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM site.measurement AS t
UNION ALL SELECT 'counter', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM site.counter AS t
UNION ALL SELECT 'Flow Rate', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM "Site 2"."Flow Rate" AS t
ORDER BY 1;
