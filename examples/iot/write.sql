-- write.sql: one transaction of the plant, again and again, until the server takes no more.
--
-- Its clock runs fast: each transaction is six hours later than the one before, so that new chunks are needed all the time.
-- It also changes and deletes rows that were copied long ago.

DO $$
DECLARE
    clock timestamptz := (SELECT max(at) FROM iot.reading) + interval '6 hours';
    ms bigint := extract(epoch FROM clock) * 1000;
BEGIN
    INSERT INTO iot.reading SELECT d, clock, 20 * random(), 50 FROM generate_series(1, 20) AS d;
    UPDATE iot.reading SET battery = battery - 1 WHERE device = 7 AND at < '2026-01-03';
    DELETE FROM iot.reading WHERE device = 11 AND at = (SELECT min(at) FROM iot.reading WHERE device = 11);
    INSERT INTO iot.alarm (at, device, severity) VALUES (clock, 1 + (20 * random())::int % 20, 5);
    UPDATE iot.alarm SET cleared_at = clock WHERE id = (SELECT min(id) FROM iot.open_alarm);
    INSERT INTO iot.pulse SELECT m, ms, 1.5 FROM generate_series(1, 4) AS m;
    UPDATE iot.pulse SET litres = litres + 0.125 WHERE meter = 2 AND pulse.ms < 1767240000000;
    INSERT INTO "Plant 7"."Line Speed" VALUES ('line 9', clock AT TIME ZONE 'UTC', 40);
    DELETE FROM "Plant 7"."Line Speed"
    WHERE "Line" = 'line 0' AND "Taken At" = (SELECT min("Taken At") FROM "Plant 7"."Line Speed" WHERE "Line" = 'line 0');
END $$
\watch 0.1
