-- write.sql: one transaction of the site, again and again, until the server takes no more.
--
-- Its clock runs fast: every fifth transaction or so needs chunks that nobody has made yet.

DO $$
DECLARE
    clock timestamptz := (SELECT max(at) FROM site.measurement) + interval '10 hours';
BEGIN
    INSERT INTO site.measurement SELECT s, clock, random() FROM generate_series(1, 10) AS s;
    UPDATE site.measurement SET note = 'seen at ' || clock WHERE sensor = 3 AND at < '2026-01-02';
    DELETE FROM site.measurement
    WHERE sensor = 5 AND at = (SELECT min(at) FROM site.measurement WHERE sensor = 5);
    INSERT INTO site.counter SELECT extract(epoch FROM clock), s, -1 FROM generate_series(1, 10) AS s;
    UPDATE site.counter SET n = n + 1 WHERE sensor = 1 AND s < 1767300000;
    INSERT INTO "Site 2"."Flow Rate" VALUES (clock, 'pipe X', 1) ON CONFLICT ("Pipe", "Day")
    DO UPDATE SET "l/s" = "Flow Rate"."l/s" + 1;
END $$
\watch 0.1
