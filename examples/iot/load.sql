-- load.sql: six weeks of rows, the same in every copy.

INSERT INTO iot.device SELECT g, 'device ' || g, (ARRAY['north', 'south', 'harbour'])[1 + g % 3]
FROM generate_series(1, 20) AS g;

INSERT INTO iot.reading
SELECT d, timestamptz '2026-01-01 00:00+00' + h * interval '4 hours', 12 + 15 * sin(h / 6.0) - d / 4.0, 100 - h / 10.0
FROM generate_series(1, 20) AS d, generate_series(0, 251) AS h;

INSERT INTO iot.alarm (at, device, severity, cleared_at)
SELECT timestamptz '2026-01-01 00:00+00' + g * interval '70 minutes', 1 + g % 20, 1 + g % 5,
       CASE WHEN g % 3 > 0 THEN timestamptz '2026-01-01 06:00+00' + g * interval '70 minutes' END
FROM generate_series(1, 850) AS g;

INSERT INTO iot.pulse SELECT 1 + g % 4, 1767225600000 + g * 1800000::bigint, g % 90 / 8.0
FROM generate_series(0, 2000) AS g;

INSERT INTO "Plant 7"."Line Speed" SELECT 'line ' || g % 3, timestamp '2026-01-01' + g * interval '40 minutes', g % 17
FROM generate_series(1, 1500) AS g;

ANALYZE;
