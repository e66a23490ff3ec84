-- load.sql: a month of rows, the same in every copy.

INSERT INTO site.sensor SELECT g, 'sensor ' || g FROM generate_series(1, 10) AS g;
INSERT INTO site.measurement
SELECT s, timestamptz '2026-01-01 00:00+00' + h * interval '2 hours', abs(sin(h * s)), NULL
FROM generate_series(1, 10) AS s, generate_series(0, 360) AS h;
INSERT INTO site.counter SELECT 1767225600 + g * 1200, 1 + g % 10, g FROM generate_series(0, 2000) AS g;
INSERT INTO "Site 2"."Flow Rate" SELECT date '2026-01-01' + g % 60, 'pipe ' || g / 60, g / 7.0
FROM generate_series(0, 599) AS g;
ANALYZE;
