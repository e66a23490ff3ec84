-- schema.sql: a TimescaleDB database of the Apache edition: hypertables by time, by an integer and with a hash dimension.

CREATE SCHEMA site;
CREATE SCHEMA "Site 2";

CREATE TABLE site.sensor (id int PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE FUNCTION site.now_s() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT extract(epoch FROM now())::bigint';

CREATE TABLE site.measurement (
    sensor int NOT NULL REFERENCES site.sensor,
    at timestamptz NOT NULL,
    value float8 NOT NULL,
    note text,
    PRIMARY KEY (sensor, at)
);
SELECT create_hypertable('site.measurement', by_range('at', interval '2 days'));
SELECT add_dimension('site.measurement', by_hash('sensor', 2));
CREATE INDEX measurement_high ON site.measurement (value) WHERE value > 0.9;

CREATE TABLE site.counter (
    s bigint NOT NULL,
    sensor int NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (sensor, s)
);
SELECT create_hypertable('site.counter', by_range('s', 172800), create_default_indexes => false);
SELECT set_integer_now_func('site.counter', 'site.now_s');

CREATE TABLE "Site 2"."Flow Rate" ("Day" date NOT NULL, "Pipe" text NOT NULL, "l/s" numeric, PRIMARY KEY ("Pipe", "Day"));
SELECT create_hypertable('"Site 2"."Flow Rate"', by_range('Day', interval '7 days'));
