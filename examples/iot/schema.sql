-- schema.sql: an IoT database on plain PostgreSQL, as many have it before they hear of hypertables.
--
-- One table that only grew (reading), one that was partitioned by hand (alarm), one whose time is a number (pulse), one that
-- somebody named as they pleased ("Plant 7"."Line Speed").

CREATE SCHEMA iot;
CREATE SCHEMA "Plant 7";

CREATE TABLE iot.device (
    id int PRIMARY KEY,
    name text NOT NULL UNIQUE,
    site text NOT NULL
);

CREATE TABLE iot.reading (
    device int NOT NULL REFERENCES iot.device,
    at timestamptz NOT NULL,
    temperature float8 NOT NULL,
    battery real,
    PRIMARY KEY (device, at)
);
CREATE INDEX reading_cold ON iot.reading (at DESC) WHERE temperature < 0;

CREATE TABLE iot.alarm (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    device int NOT NULL REFERENCES iot.device,
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 5),
    cleared_at timestamptz,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE iot.alarm_2026_01 PARTITION OF iot.alarm FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-02-01 00:00+00');
CREATE TABLE iot.alarm_2026_02 PARTITION OF iot.alarm FOR VALUES FROM ('2026-02-01 00:00+00') TO ('2026-03-01 00:00+00');
CREATE TABLE iot.alarm_later PARTITION OF iot.alarm DEFAULT;
CREATE INDEX alarm_device ON iot.alarm (device, at DESC);
CREATE VIEW iot.open_alarm AS SELECT id, at, device, severity FROM iot.alarm WHERE cleared_at IS NULL;

CREATE TABLE iot.pulse (
    meter int NOT NULL REFERENCES iot.device,
    ms bigint NOT NULL,
    litres numeric(12,3) NOT NULL,
    PRIMARY KEY (meter, ms)
);
CREATE FUNCTION iot.now_ms() RETURNS bigint LANGUAGE sql STABLE AS
    'SELECT (extract(epoch FROM now()) * 1000)::bigint';

CREATE TABLE "Plant 7"."Line Speed" (
    "Line" text NOT NULL,
    "Taken At" timestamp NOT NULL,
    "m/min" float8,
    PRIMARY KEY ("Line", "Taken At")
);

-- What TimescaleDB calls as a job later on (community.yaml); an ordinary procedure until then.
CREATE PROCEDURE iot.clear_old_alarms(job_id int, config jsonb) LANGUAGE sql AS
    'UPDATE iot.alarm SET cleared_at = now() WHERE cleared_at IS NULL AND at < now() - (config ->> ''older_than'')::interval';
