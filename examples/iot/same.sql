-- same.sql: what one server holds, as lines to be compared: rows of each table and an order-free sum of their hashes.

SET timezone = 'UTC';
SET extra_float_digits = 1;
SELECT 'device', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM iot.device AS t
UNION ALL SELECT 'reading', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM iot.reading AS t
UNION ALL SELECT 'alarm', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM iot.alarm AS t
UNION ALL SELECT 'pulse', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM iot.pulse AS t
UNION ALL SELECT 'Line Speed', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM "Plant 7"."Line Speed" AS t;
