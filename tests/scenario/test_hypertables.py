"""Moving to hypertables: every kind of dimension, on the real thing, live.

One migration under load holds all conversions at once; what cannot be converted is looked at by `check` alone.
"""
import json
import re
import subprocess
import threading
import time
from pathlib import Path

import cluster as lab
import harness
import psycopg
import pytest

SEED = r'''
CREATE SCHEMA app; CREATE SCHEMA "Odd ""S""";
CREATE FUNCTION app.now_ms() RETURNS bigint LANGUAGE sql STABLE AS
    'SELECT (extract(epoch FROM now()) * 1000)::bigint';
CREATE FUNCTION app.at_of(doc jsonb) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
    $$ SELECT to_timestamp((doc ->> 'at')::float8) $$;
CREATE FUNCTION app.shelf(v anyelement) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT abs(hashtext(v::text)) % 1000';
CREATE TABLE app.place (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO app.place SELECT g, 'place ' || g FROM generate_series(1, 20) AS g;
CREATE TABLE app.reading (at timestamptz NOT NULL, device int NOT NULL REFERENCES app.place, value float8,
    note text, PRIMARY KEY (device, at));
CREATE INDEX reading_value ON app.reading (value) WHERE value > 0.5;
CREATE TABLE app.tick (ms bigint NOT NULL, device text NOT NULL, region text NOT NULL, value numeric,
    UNIQUE (ms, device, region));
ALTER TABLE app.tick REPLICA IDENTITY USING INDEX tick_ms_device_region_key;
CREATE TABLE app.doc (id int NOT NULL, doc jsonb NOT NULL);
ALTER TABLE app.doc REPLICA IDENTITY FULL;
CREATE TABLE "Odd ""S"""."Ta b" ("Day's" date NOT NULL, "Id ""x" int NOT NULL, "valid" timestamp NOT NULL, v text,
    PRIMARY KEY ("Id ""x", "Day's", "valid"));
INSERT INTO app.reading SELECT timestamptz '2026-01-01' + g * interval '10 minutes', 1 + g % 20, g / 2000.0, 'n' || g
    FROM generate_series(1, 2500) AS g;
INSERT INTO app.tick SELECT 1767225600000 + g * 60000, 'd' || g % 7, 'r' || g % 3, g
    FROM generate_series(1, 2000) AS g;
INSERT INTO app.doc SELECT g, jsonb_build_object('at', 1767225600 + g * 3600) FROM generate_series(1, 150) AS g;
INSERT INTO "Odd ""S"""."Ta b" SELECT date '2026-01-01' + g % 40, g,
    timestamp '2026-01-01' + g * interval '4 hours', 'x'
    FROM generate_series(1, 300) AS g;
'''

HYPERTABLES = [
    {"target_table": "app.reading", "by_range": {"column_name": "at", "partition_interval": "7 days"},
     "dimensions": [{"by_hash": {"column_name": "device", "number_partitions": 3}}], "create_default_indexes": True},
    {"target_table": "app.tick", "by_range": {"column_name": "ms", "partition_interval": "86400000"},
     "dimensions": [{"by_hash": {"column_name": "device", "number_partitions": 2}},
                    {"by_hash": {"column_name": "region", "number_partitions": 2,
                                 "partition_func": "app.shelf"}}],
     "integer_now_func": "app.now_ms"},
    {"target_table": "app.doc", "by_range": {"column_name": "doc", "partition_interval": "2 days",
                                             "partition_func": "app.at_of"}},
    {"target_table": "\"Odd \"\"S\"\"\".\"Ta b\"",
     "by_range": {"column_name": "Day's", "partition_interval": "10 days"},
     "dimensions": [{"by_range": {"column_name": "valid", "partition_interval": "1 month"}},
                    {"by_range": {"column_name": 'Id "x', "partition_interval": "500",
                                  "partition_func": "app.shelf"}}]},
]

DIMENSIONS = """
SELECT h.table_name, d.column_name, d.num_slices, d.interval_length, d.partitioning_func_schema || '.' ||
       d.partitioning_func, d.integer_now_func_schema || '.' || d.integer_now_func
FROM _timescaledb_catalog.hypertable h JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = h.id
ORDER BY h.table_name, d.id"""
HASH = "_timescaledb_functions.get_partition_hash"
DAY = 86400 * 1000 * 1000

WRITES = [
    "INSERT INTO app.reading VALUES (timestamptz '2026-03-01' + %(n)s * interval '1 hour', 1 + %(n)s %% 20, random())",
    "UPDATE app.reading SET note = 'u%(n)s' WHERE device = 1 + %(n)s %% 20 AND at < '2026-01-05'",
    "UPDATE app.reading SET at = at + interval '30 days' WHERE device = 3 AND at = (SELECT min(at) FROM app.reading"
    " WHERE device = 3)",
    "DELETE FROM app.reading WHERE device = 5 AND at = (SELECT min(at) FROM app.reading WHERE device = 5)",
    "INSERT INTO app.tick VALUES (1788000000000 + %(n)s * 3600000, 'w%(n)s', 'r1', %(n)s)",
    "UPDATE app.tick SET value = value + 1 WHERE device = 'd1' AND ms < 1767226600000",
    "DELETE FROM app.tick WHERE ms = (SELECT min(ms) FROM app.tick)",
    "INSERT INTO app.doc VALUES (%(n)s, jsonb_build_object('at', 1790000000 + %(n)s * 3000))",
    "UPDATE app.doc SET id = id + 1000 WHERE id = %(n)s",
    "DELETE FROM app.doc WHERE id = (SELECT min(id) FROM app.doc)",
    "INSERT INTO \"Odd \"\"S\"\"\".\"Ta b\" VALUES (date '2026-06-01' + %(n)s %% 20, -%(n)s, '2026-06-01', 'new')",
    "UPDATE \"Odd \"\"S\"\"\".\"Ta b\" SET v = 'u%(n)s' WHERE \"Id \"\"x\" = 1 + %(n)s %% 300",
]


PARTITIONED = r'''
CREATE SCHEMA app; CREATE SCHEMA "Odd";
CREATE TABLE app.place (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO app.place SELECT g, 'place ' || g FROM generate_series(1, 20) AS g;
CREATE TABLE app.metric (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL,
    place int REFERENCES app.place,
    value float8 NOT NULL DEFAULT 1 CHECK (value < 1e6), half float8 GENERATED ALWAYS AS (value / 2) STORED,
    note text DEFAULT 'PARTITION BY (nothing); "', PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
CREATE TABLE app."Metric 1" PARTITION OF app.metric FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE "Odd".m2 (note text DEFAULT 'leaf', at timestamptz NOT NULL, value float8 NOT NULL,
    CONSTRAINT metric_value_check CHECK (value < 1e6),
    gone int, place int, id bigint NOT NULL, half float8 GENERATED ALWAYS AS (value / 2) STORED);
ALTER TABLE "Odd".m2 DROP COLUMN gone;
ALTER TABLE app.metric ATTACH PARTITION "Odd".m2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE app.m3 PARTITION OF app.metric FOR VALUES FROM ('2026-03-01') TO ('2026-04-01') PARTITION BY RANGE (id);
CREATE TABLE app.m3_low PARTITION OF app.m3 FOR VALUES FROM (0) TO (1800);
CREATE TABLE app.m3_rest PARTITION OF app.m3 DEFAULT;
CREATE TABLE app.m_rest PARTITION OF app.metric DEFAULT;
CREATE INDEX metric_place ON app.metric (place, at DESC);
CREATE INDEX low_value ON app.m3_low (value);
CREATE VIEW app.metric_view AS SELECT place, count(*) AS n FROM app.metric GROUP BY place;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RETURN NEW; END /* CREATE TABLE app.metric () PARTITION BY x; */ $$;
CREATE TRIGGER touch BEFORE UPDATE ON app.metric FOR EACH ROW EXECUTE FUNCTION app.touch();
COMMENT ON TABLE app.metric IS 'it''s PARTITION BY RANGE (at); $x$';
CREATE TABLE app.hashed (at timestamptz NOT NULL, k int NOT NULL, v text, PRIMARY KEY (k, at)) PARTITION BY HASH (k);
CREATE TABLE app.h0 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.h1 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO app.metric (at, place, value) SELECT timestamptz '2026-01-01' + g * interval '1 hour', 1 + g % 20, g
    FROM generate_series(1, 2900) AS g;
INSERT INTO app.hashed SELECT timestamptz '2026-01-01' + g * interval '1 hour', g, 'v' || g
    FROM generate_series(1, 500) AS g;
'''

PARTITION_WRITES = [
    "INSERT INTO app.metric (at, place, value)"
    " VALUES (timestamptz '2026-01-01' + %(n)s * interval '7 hours', 2, -%(n)s)",
    "UPDATE app.metric SET note = 'u%(n)s' WHERE id = 1 + %(n)s * 7 %% 2900",
    "UPDATE app.metric SET at = at + interval '31 days' WHERE id = 2 + %(n)s * 3 %% 2900",
    "UPDATE app.metric SET place = 1 + (place + 7) %% 20 WHERE id = 1800 + %(n)s",
    "DELETE FROM app.metric WHERE id = 5 + %(n)s * 11 %% 2900",
    "INSERT INTO app.hashed VALUES (now(), 1000 + %(n)s, 'new')",
    "UPDATE app.hashed SET k = -k WHERE k = 1 + %(n)s",
    "DELETE FROM app.hashed WHERE k = 200 + %(n)s",
]


class Pen:
    """Writes on the source until the source is closed, one transaction of several tables after another."""

    def __init__(self, database, writes):
        self.writes = writes
        self.count = 0
        self._end = threading.Event()
        self._connection = database.connect(autocommit=True)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._end.wait(0.05):
                with self._connection.transaction():
                    for i in range(3):
                        text = self.writes[(self.count * 3 + i) % len(self.writes)]
                        self._connection.execute(text % {"n": self.count})
                self.count += 1
        except psycopg.Error:
            pass

    def stop(self):
        self._end.set()
        self._thread.join(timeout=30)
        self._connection.close()


def migrate(godwit, mine, source):
    """A whole migration while rows are written all the time."""
    pen = Pen(source, WRITES)
    while pen.count < 5:
        time.sleep(0.02)
    result = godwit("apply", mine, code=0)
    pen.stop()
    assert "0 differences" in result.out
    return result


@pytest.fixture
def target(database):
    return database("pg17", extensions=["timescaledb"], prefix="ts")


def test_every_dimension_at_once(godwit, plan, source, target):
    """Time, date, integer and function ranges, hashes, a second range and odd names, under load."""
    source.execute(SEED)
    mine = plan(select={"schemas": ["app", '"Odd ""S"""']}, hypertables=HYPERTABLES)
    shown = godwit("plan", mine, "--format", "sql", code=0).out
    assert """by_range('Day''s', INTERVAL '10 days')""" in shown
    assert "set_integer_now_func(" in shown
    migrate(godwit, mine, source)
    assert target.query(DIMENSIONS) == [
        ("Ta b", "Day's", None, 10 * DAY, None, None), ("Ta b", "valid", None, 30 * DAY, None, None),
        ("Ta b", 'Id "x', None, 500, "app.shelf", None),
        ("doc", "doc", None, 2 * DAY, "app.at_of", None),
        ("reading", "at", None, 7 * DAY, None, None), ("reading", "device", 3, None, HASH, None),
        ("tick", "ms", None, 86400000, None, "app.now_ms"), ("tick", "device", 2, None, HASH, None),
        ("tick", "region", 2, None, "app.shelf", None)]
    assert target.value("SELECT count(*) FROM pg_indexes WHERE schemaname = 'app' AND tablename = 'reading'") == 3
    assert target.value("SELECT count(*) FROM timescaledb_information.chunks") > 20
    harness.assert_same(source, target, schemas=["app", 'Odd "S"'])
    godwit("plan", mine, "--detailed-exitcode", code=0)


def partitions_go(godwit, mine, source, target, pen, running):
    """Two partitions go whose rows have no table of their own on the target: one by range, what it had comes to the
    default meanwhile; one by hash, whose rows nobody can tell. Each is named, until its rows are gone there."""
    source.execute('BEGIN; DROP TABLE app."Metric 1"; '
                   "INSERT INTO app.metric (at, place, value) VALUES ('2026-01-15', 3, 3); COMMIT")
    count = pen.count
    while pen.count < count + 20:
        time.sleep(0.02)
    pen.stop()
    source.execute("ALTER TABLE app.hashed DETACH PARTITION app.h1; DROP TABLE app.h1")
    told = running.wait(code=12).err + godwit("apply", mine, code=12).err
    assert 'partition app."Metric 1" was detached or dropped on the source' in told
    target.execute(re.search("DELETE FROM ts.metrics WHERE .*;", told).group(0).split(";")[0])
    told = godwit("apply", mine, code=12).err
    assert "partition app.h1 was detached or dropped" in told and "nothing tells them" in told
    godwit("resync", mine, "app.hashed", code=0)
    assert target.value("SELECT count(*) FROM app.hashed") == source.value("SELECT count(*) FROM app.hashed")


def test_partitioned_tables_become_hypertables(godwit, plan, source, target):
    """Partitions by range, list, default and hash gather in hypertables, under load, through a kill in the copy."""
    source.execute(PARTITIONED)
    mine = plan(select={"schemas": ["app", '"Odd"'], "map": [{"source": "app.metric", "target": "ts.metrics"}]},
                cutover={"approval": {"required": True}}, hypertables=[
                    {"target_table": "ts.metrics", "from_partitioned": True,
                     "by_range": {"column_name": "at", "partition_interval": "7 days"}},
                    {"target_table": "app.hashed", "from_partitioned": True,
                     "by_range": {"column_name": "at", "partition_interval": "1 month"}}])
    told = godwit("check", mine, code=0).err
    assert "index low_value of partition app.m3_low is left out" in told
    pen = Pen(source, PARTITION_WRITES)
    killed = godwit("apply", mine, env={"GODWIT_FAULT": "target/worker:message:9:kill"})
    assert killed.code == -9, killed.err
    states = {state for (state,) in target.query("SELECT state FROM godwit.relation")}
    assert len(states) > 1, states
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    source.execute('TRUNCATE "Odd".m2')
    source.execute("INSERT INTO app.metric (at, place, value) VALUES ('2026-02-10', 7, 7)")
    count = pen.count
    while pen.count < count + 20:
        time.sleep(0.02)
    partitions_go(godwit, mine, source, target, pen, running)
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    godwit("approve", mine, code=0)
    running.wait(code=0)
    assert target.value("SELECT count(*) FROM ts.metrics WHERE at >= '2026-02-01' AND at < '2026-03-01'") < 200
    harness.assert_same(source, target, renamed={"app.metric": "ts.metrics"}, schemas=["app", "Odd", "ts"],
                        sequences=False, exclude=["app.Metric 1", "Odd.m2", "app.m3", "app.m3_low", "app.m3_rest",
                                                  "app.m_rest", "app.h0", "app.h1"])
    assert target.query("SELECT schemaname, indexname FROM pg_indexes"
                        " WHERE schemaname IN ('ts', 'app') ORDER BY 2") == [
        ("app", "hashed_pkey"), ("ts", "metric_pkey"), ("ts", "metric_place"), ("app", "place_pkey")]
    assert target.value("SELECT count(*) FROM pg_class WHERE relkind = 'p' OR relname IN ('m2', 'm3_low', 'h0')") == 0
    assert target.value("SELECT obj_description('ts.metrics'::regclass)") == "it's PARTITION BY RANGE (at); $x$"
    assert target.value("SELECT sum(n) FROM app.metric_view") == target.value("SELECT count(*) FROM ts.metrics")
    last = target.value("SELECT max(id) FROM ts.metrics")
    assert target.value("INSERT INTO ts.metrics (at, place) VALUES (now(), 1) RETURNING id") > last


REFUSED = '''
CREATE SCHEMA app;
CREATE FUNCTION public.away() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1::bigint';
CREATE TABLE app.keyed (id bigint PRIMARY KEY, at timestamptz NOT NULL, place text NOT NULL, UNIQUE (id, place));
CREATE TABLE app.ticks (ms bigint NOT NULL, v int);
CREATE TABLE app.times (at timestamptz NOT NULL, v int);
CREATE TABLE app.parts (at timestamptz NOT NULL, v int) PARTITION BY RANGE (at);
CREATE TABLE app.part1 PARTITION OF app.parts DEFAULT;
CREATE VIEW app.peep AS SELECT v FROM app.part1;
CREATE TABLE app.pieces (at timestamptz NOT NULL, v int) PARTITION BY RANGE (at);
'''


def test_what_cannot_be_converted_is_found_before(godwit, plan, source, target):
    """Keys with all that they lack, functions that do not come along, columns that are not there: all at once."""
    source.execute(REFUSED)
    mine = plan(select={"schemas": ["app"]}, hypertables=[
        {"target_table": "app.keyed", "by_range": {"column_name": "at"},
         "dimensions": [{"by_hash": {"column_name": "place", "number_partitions": 4}}]},
        {"target_table": "app.ticks", "by_range": {"column_name": "ms", "partition_interval": "1000"},
         "dimensions": [{"by_hash": {"column_name": "vv", "number_partitions": 4}}],
         "integer_now_func": "public.away"},
        {"target_table": "app.times", "by_range": {"column_name": "at", "partition_func": "app.nobody"},
         "integer_now_func": "app.nobody", "from_partitioned": True},
        {"target_table": "app.parts", "from_partitioned": True, "by_range": {"column_name": "at"}},
        {"target_table": "app.pieces", "by_range": {"column_name": "at"}}])
    told = godwit("check", mine, code=3).err
    for line in [
            "unique index keyed_id_place_key of app.keyed lacks the partition column at",
            "ADD UNIQUE (id, place, at);",
            "unique index keyed_pkey of app.keyed lacks the partition columns at and place",
            "ADD PRIMARY KEY (id, at, place);",
            "integer_now_func of app.ticks: function public.away is not selected",
            "app.ticks has no column vv",
            "partition_func of app.times: neither server has a function app.nobody",
            "integer_now_func of app.times: column at is of type timestamp with time zone, which has a now of its own",
            "app.times is no partitioned table on the source",
            "view app.peep reads partition app.part1, which becomes a part of app.parts",
            "app.pieces is a partitioned table on the source"]:
        assert line in told, line


COMMUNITY = r'''
CREATE SCHEMA app; CREATE SCHEMA "Odd";
CREATE FUNCTION app.now_s() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1800000000::bigint';
CREATE TABLE app.device (id int NOT NULL);
INSERT INTO app.device SELECT g FROM generate_series(0, 2) AS g;
CREATE TABLE app.reading (at timestamptz NOT NULL, device int NOT NULL, value float8);
CREATE TABLE app.tick (s bigint NOT NULL, device int NOT NULL, value float8);
CREATE TABLE "Odd"."Ta b" ("At x" timestamptz NOT NULL, "De""v" text NOT NULL, "Sh,op" int);
CREATE PROCEDURE app.rollup(job int, config jsonb) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION "Odd"."Cl ean"(job int, config jsonb) RETURNS void LANGUAGE sql AS 'SELECT';
'''
COMMUNITY_KEYS = r'''
ALTER TABLE app.device ADD PRIMARY KEY (id);
ALTER TABLE app.reading ADD PRIMARY KEY (device, at);
ALTER TABLE app.reading ADD CONSTRAINT of_device FOREIGN KEY (device) REFERENCES app.device;
ALTER TABLE "Odd"."Ta b" ADD PRIMARY KEY ("At x", "De""v");
CREATE INDEX "by ""dev" ON "Odd"."Ta b" ("De""v", "At x");
'''

WISHES = [
    {"target_table": "app.reading", "by_range": {"column_name": "at", "partition_interval": "7 days"},
     "columnstore": {"segmentby": ["device"], "orderby": ["at DESC"], "after": "14 days",
                     "schedule_interval": "6 hours", "initial_start": "2027-01-01 02:00:00+00",
                     "timezone": "Europe/Berlin", "max_runtime": "10 minutes", "max_retries": 3,
                     "retry_period": "15 minutes"},
     "retention": {"drop_after": "2 years", "scheduled": False, "timezone": "Asia/Tokyo",
                   "initial_start": "2027-01-02 00:00:00+00", "max_runtime": "8 minutes", "max_retries": 7,
                   "retry_period": "9 minutes"}},
    {"target_table": "app.tick", "by_range": {"column_name": "s", "partition_interval": "86400"},
     "integer_now_func": "app.now_s",
     "columnstore": {"orderby": ["s"], "after": "604800"}, "retention": {"drop_after": "31536000"}},
    {"target_table": '"Odd"."Ta b"', "by_range": {"column_name": "At x", "partition_interval": "1 day"},
     "columnstore": {"segmentby": ['De"v', "Sh,op"], "created_before": "3 days", "scheduled": False},
     "reorder": {"index": 'by "dev', "schedule_interval": "2 days", "initial_start": "2027-01-03 04:00:00+00",
                 "timezone": "Europe/Rome", "max_runtime": "4 minutes", "max_retries": 4,
                 "retry_period": "6 minutes", "scheduled": False},
     "retention": {"drop_created_before": "90 days", "schedule_interval": "12 hours", "scheduled": False,
                   "max_retries": 4, "timezone": "Asia/Tokyo", "initial_start": "2027-01-02 00:00:00+00"}},
]

# An aggregate on an aggregate stands before the one that it reads; one ends in a comment, and one in a semicolon.
AGGREGATES = [
    {"target_view": '"Odd"."Da ily ""x"', "materialized_only": False,
     "query": 'SELECT time_bucket(\'1 day\', "Hour") AS "Day", device, sum(n) AS n\n'
              'FROM "agg S"."Hourly" GROUP BY 1, 2 -- app.reading',
     "refresh": {"start_offset": "unbounded", "end_offset": "1 day", "schedule_interval": "1 day",
                 "initial_start": "2027-01-01 02:00:00+00", "timezone": "Europe/Berlin",
                 "max_runtime": "20 minutes", "max_retries": 2, "retry_period": "7 minutes", "scheduled": False}},
    {"target_view": '"agg S"."Hourly"',
     "query": "SELECT time_bucket('1 hour', at) AS \"Hour\", device, count(*) AS n FROM app.reading\nGROUP BY 1, 2;\n",
     "refresh": {"start_offset": "3 months", "end_offset": "unbounded", "schedule_interval": "30 minutes",
                 "buckets_per_batch": 7, "max_batches_per_execution": 3, "refresh_newest_first": False,
                 "include_tiered_data": True},
     "columnstore": {"segmentby": ["device"], "orderby": ['"Hour" DESC'], "after": "4 months", "scheduled": False,
                     "schedule_interval": "11 hours", "max_retries": 5},
     "retention": {"drop_created_before": "9 years", "schedule_interval": "3 days", "max_runtime": "2 minutes"}},
    {"target_view": "app.ticks_per_hour",
     "query": "SELECT time_bucket(3600, s) AS s, max(value) FROM app.tick GROUP BY 1",
     "refresh": {"start_offset": "864000", "end_offset": "3600", "schedule_interval": "1 hour"},
     "columnstore": {"orderby": ["s"]}, "retention": {"drop_after": "315360000"}},
]
WORK = [
    {"procedure": "app.rollup", "schedule_interval": "2 hours", "config": '{"k": "it\'s"}', "max_retries": 5,
     "initial_start": "2027-01-01 03:30:00+00", "timezone": "Europe/Paris", "max_runtime": "3 minutes",
     "retry_period": "1 minute", "scheduled": False},
    {"procedure": "app.rollup", "schedule_interval": "1 day"},
    {"procedure": '"Odd"."Cl ean"', "schedule_interval": "1 week"},
]

JOBS = """
SELECT j.hypertable_name AS t, j.proc_name AS p, j.schedule_interval::text AS every, j.max_runtime::text AS runtime,
       j.max_retries AS retries, j.retry_period::text AS again, j.scheduled, b.timezone AS zone,
       to_char(b.initial_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS start,
       j.config - 'hypertable_id' AS config
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.job_id >= 1000 AND j.config ? 'hypertable_id' ORDER BY t, p"""
OTHER_JOBS = """
SELECT COALESCE(a.user_view_name, j.proc_name) AS t, j.schedule_interval::text AS every,
       j.max_runtime::text AS runtime, j.max_retries AS retries, j.retry_period::text AS again, j.scheduled,
       b.timezone AS zone, CASE WHEN b.timezone IS NOT NULL THEN
           to_char(b.initial_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') END AS start,
       j.config - 'mat_hypertable_id' AS config
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
LEFT JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id::text = j.config ->> 'mat_hypertable_id'
WHERE j.job_id >= 1000 AND NOT COALESCE(j.config ? 'hypertable_id', false) ORDER BY t, every"""
VIEWS = """
SELECT a.view_schema || '.' || a.view_name AS v, a.materialized_only AS only, p.user_view_name AS reads
FROM timescaledb_information.continuous_aggregates a
JOIN _timescaledb_catalog.continuous_agg c ON (c.user_view_schema, c.user_view_name) = (a.view_schema, a.view_name)
LEFT JOIN _timescaledb_catalog.continuous_agg p ON p.mat_hypertable_id = c.raw_hypertable_id
ORDER BY v"""
ROWS = """
INSERT INTO app.reading SELECT timestamptz '2026-01-01' + g * interval '37 minutes', g % 3, g
FROM generate_series(1, 900) AS g;
INSERT INTO app.tick SELECT 1790000000 + g * 1000, 1, g FROM generate_series(1, 500) AS g;"""
FILLED = """
SELECT (SELECT sum(n) FROM "agg S"."Hourly")::int AS hourly,
       (SELECT sum(n) FROM "Odd"."Da ily ""x")::int AS daily, (SELECT count(*) FROM app.ticks_per_hour)::int AS ticks,
       (SELECT count(*) FROM _timescaledb_catalog.continuous_aggs_watermark w WHERE w.watermark > 0)::int AS done"""
STORES = """
SELECT s.hypertable::text AS t, s.segmentby, s.orderby FROM timescaledb_information.hypertable_columnstore_settings s
WHERE s.hypertable::text !~ '^_timescaledb' ORDER BY t"""


def printed(text, *kinds):
    """The statements that `plan --format sql` prints for steps of these kinds, in its order."""
    found, kind, begun = [], None, []
    for line in text.split("\n"):
        heading = re.match(r"-- ([a-z_.]+)(:.*)? \((create|change)\): ", line)
        if heading:
            kind = heading[1]
        elif kind in kinds and line and (begun or not line.startswith("--")):
            begun.append(line)
            if line.endswith(";"):
                found.append("\n".join(begun))
                begun = []
    assert not begun
    return found


@pytest.fixture
def community():
    """Runs a script on TimescaleDB's community edition; gives the rows that it asked for."""
    package = lab.lab_dir() / "tsl"
    assert package.exists(), "the lab has no community edition of TimescaleDB: run `make lab`"

    def run(statements, queries):
        script = [{"sql": one} for one in statements] + [{"sql": one, "rows": True} for one in queries]
        done = subprocess.run(["node", Path(__file__).parents[1] / "lab" / "tsl.mjs", package], check=False,
                              input=json.dumps(script), capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return run


def test_the_printed_policies_are_what_was_asked(godwit, plan, database, source, community):
    """Columnstore and policies, every parameter, run on the community edition as `plan` prints them."""
    source.execute(COMMUNITY + COMMUNITY_KEYS)
    bare = database("pg17", prefix="bare")
    mine = plan(source, bare, select={"schemas": ["app", '"Odd"']}, hypertables=WISHES,
                continuous_aggregates=AGGREGATES, jobs=WORK)
    shown = godwit("plan", mine, "--format", "sql", code=0)
    for what in ("hypertables: columnstore of app.reading", 'continuous_aggregates: "Odd"."Da ily ""x"',
                 "jobs: app.rollup"):
        assert what + " needs the community edition, and the target's edition is not known" in shown.err
    assert 'P281: retention of "Odd"."Ta b" by drop_created_before: in TimescaleDB 2.' in shown.err
    before = printed(shown.out, "hypertable", "columnstore", "aggregate", "index", "constraint")
    keys = printed(shown.out, "foreign_key", "validate")  # VALIDATE CONSTRAINT is refused beside a columnstore
    behind = printed(shown.out, "aggregate.refresh", "aggregate.policy", "policy", "job")
    assert len([one for one in before + behind if "columnstore" in one]) == 9
    assert len(keys) == 1
    assert [one[:4] for one in behind[:4]] == ["CALL", "CALL", "CALL", "SELE"]
    jobs, stores, views, others, filled = community(
        ["CREATE EXTENSION timescaledb", COMMUNITY, 'CREATE SCHEMA "agg S"', *before, ROWS, *keys, *behind],
        [JOBS, STORES, VIEWS, OTHER_JOBS, FILLED])
    assert views == [
        {"v": 'Odd.Da ily "x', "only": False, "reads": "Hourly"},
        {"v": "agg S.Hourly", "only": True, "reads": None},
        {"v": "app.ticks_per_hour", "only": True, "reads": None}]
    assert filled == [{"hourly": 900, "daily": 900, "ticks": 140, "done": 3}]
    plain = {"runtime": "00:00:00", "retries": -1, "scheduled": True, "zone": None, "start": None, "config": None}
    assert others == [
        {**plain, "t": "Cl ean", "every": "7 days", "again": "00:05:00"},
        {"t": 'Da ily "x', "every": "1 day", "runtime": "00:20:00", "retries": 2, "again": "00:07:00",
         "scheduled": False, "zone": "Europe/Berlin", "start": "2027-01-01 02:00",
         "config": {"start_offset": None, "end_offset": "1 day"}},
        {**plain, "t": "Hourly", "every": "00:30:00", "again": "00:30:00",
         "config": {"start_offset": "3 mons", "end_offset": None, "buckets_per_batch": 7,
                    "max_batches_per_execution": 3, "refresh_newest_first": False, "include_tiered_data": True}},
        {"t": "rollup", "every": "02:00:00", "runtime": "00:03:00", "retries": 5, "again": "00:01:00",
         "scheduled": False, "zone": "Europe/Paris", "start": "2027-01-01 03:30", "config": {"k": "it's"}},
        {**plain, "t": "rollup", "every": "1 day", "again": "00:05:00"},
        {**plain, "t": "ticks_per_hour", "every": "01:00:00", "again": "01:00:00",
         "config": {"start_offset": 864000, "end_offset": 3600}}]
    assert stores == [
        {"t": '"Odd"."Ta b"', "segmentby": 'De"v,Sh,op', "orderby": None},
        {"t": "app.reading", "segmentby": "device", "orderby": "at DESC"},
        {"t": "app.tick", "segmentby": None, "orderby": "s"}]
    usual = {"runtime": "00:00:00", "retries": -1, "again": "01:00:00", "scheduled": True, "zone": None, "start": None}
    drops = {**usual, "every": "1 day", "runtime": "00:05:00", "again": "00:05:00"}
    assert jobs == [
        {**usual, "t": "Hourly", "p": "policy_compression", "every": "11:00:00", "retries": 5, "scheduled": False,
         "config": {"compress_after": "4 mons"}},
        {**drops, "t": "Hourly", "p": "policy_retention", "every": "3 days", "runtime": "00:02:00",
         "config": {"drop_created_before": "9 years"}},
        {**usual, "t": "Ta b", "p": "policy_compression", "every": "12:00:00", "scheduled": False,
         "config": {"compress_created_before": "3 days"}},
        {**drops, "t": "Ta b", "p": "policy_reorder", "every": "2 days", "runtime": "00:04:00", "retries": 4,
         "again": "00:06:00", "scheduled": False, "zone": "Europe/Rome", "start": "2027-01-03 04:00",
         "config": {"index_name": 'by "dev'}},
        {**drops, "t": "Ta b", "p": "policy_retention", "every": "12:00:00", "scheduled": False, "retries": 4,
         "zone": "Asia/Tokyo", "start": "2027-01-02 00:00", "config": {"drop_created_before": "90 days"}},
        {"t": "reading", "p": "policy_compression", "every": "06:00:00", "runtime": "00:10:00", "retries": 3,
         "again": "00:15:00", "scheduled": True, "zone": "Europe/Berlin", "start": "2027-01-01 02:00",
         "config": {"compress_after": "14 days"}},
        {**drops, "t": "reading", "p": "policy_retention", "scheduled": False, "zone": "Asia/Tokyo",
         "start": "2027-01-02 00:00", "runtime": "00:08:00", "retries": 7, "again": "00:09:00",
         "config": {"drop_after": "2 years"}},
        {**usual, "t": "tick", "p": "policy_compression", "every": "1 day", "config": {"compress_after": 604800}},
        {**drops, "t": "tick", "p": "policy_retention", "config": {"drop_after": 31536000}},
        {**drops, "t": "ticks_per_hour", "p": "policy_retention", "config": {"drop_after": 315360000}}]


MIRRORED = r'''
CREATE EXTENSION timescaledb; CREATE SCHEMA app; CREATE SCHEMA "agg S"; CREATE ROLE "ali ce" LOGIN;
CREATE TABLE app.m (at timestamptz NOT NULL, "De""v" int NOT NULL, value float8);
SELECT create_hypertable('app.m', by_range('at', interval '7 days'));
CREATE PROCEDURE app."roll up"(job int, config jsonb) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.looks(config jsonb) RETURNS void LANGUAGE sql AS 'SELECT';
GRANT ALL ON SCHEMA app TO "ali ce";
'''


def test_mirrored_statements(community):
    """What the mirror makes beside what a plan can say: the golden statements of the unit test run on the community
    edition, and the engine's own queries read there what the mirror had found."""
    root = Path(__file__).parents[2]
    statements = (root / "tests/unit/timescale/mirrored.sql").read_text()

    def asked(name):
        """As one column: the driver gives rows as objects, and unnamed columns would fall into one."""
        text = (root / f"engine/sql/{name}.sql").read_text().rstrip().removesuffix(";").replace("$1", "'{}'")
        counted = {"catalog_columnstores": 5, "catalog_jobs": 28, "catalog_aggregates": 9, "verify_hypertables": 4}
        names = ", ".join(f"c{i}" for i in range(counted[name]))
        values = ", ".join(f"to_jsonb(c{i})" for i in range(counted[name]))
        return f"SELECT to_jsonb(array[{values}]) AS row FROM ({text}\n) AS q({names})"
    stores, jobs, views, facts, indexes = (
        [row.get("row", row) for row in rows] for rows in community(
            [MIRRORED, f"BEGIN; {statements} COMMIT"],
            [*map(asked, ("catalog_columnstores", "catalog_jobs", "catalog_aggregates", "verify_hypertables")),
             "SELECT regexp_replace(indexdef, '.* USING ', '') AS row FROM pg_indexes"
             " WHERE tablename ~ '^_materialized' ORDER BY 1"]))
    assert stores == [["agg S", "Hourly", ["dev"], ['"Hour" DESC'], "90 days"],
                      ["app", "m", ['De"v'], ["at DESC"], "14 days"]]
    assert indexes == ['btree ("Hour" DESC)', 'btree (dev, "Hour" DESC)', "btree (n) WHERE (n > 1)"]
    assert [view[0:2] + view[5:] for view in views] == [["agg S", "Hourly", False, True, "app", "m"]]
    assert jobs[-1][21:23] == ["app", "looks"]
    more = {(job[2], job[4]): (job[1:3], json.loads(job[18]), job[11], job[7], job[19], job[20], job[23:27])
            for job in jobs}
    nowhere = [None, False, None, False]
    assert more == {
        ("m", "policy_compression"): (
            ["app", "m"], {"maxchunks_to_compress": 4}, True, None, "postgres", False, nowhere),
        ("m", "policy_retention"): (
            ["app", "m"], {"verbose_log": True}, False, "Asia/Tokyo", "postgres", False, nowhere),
        ("Hourly", "policy_compression"): (["agg S", "Hourly"], {"maxchunks_to_compress": 3}, True, None, "postgres",
                                           False, nowhere),
        ("Hourly", "policy_retention"): (["agg S", "Hourly"], {"verbose_log": True}, True, None, "postgres", False,
                                         nowhere),
        ("Hourly", "policy_refresh_continuous_aggregate"): (
            ["agg S", "Hourly"], {"buckets_per_batch": 7, "refresh_newest_first": False}, True, None, "postgres", False,
            [None, False, "01:00:00", False]),
        (None, "roll up"): ([None, None], {"k": "it's"}, True, None, "ali ce", False, nowhere)}
    facts = {fact[2]: fact[3] for fact in facts}
    assert facts["columnstore app.m"] == 'by ("De""v") in order (at down nulls first) merged up to 1209600000000'
    assert facts['columnstore "agg S"."Hourly"'] == \
        'by (dev) in order ("Hour" down nulls first) merged up to 7776000000000'
    assert facts['policy_retention of "agg S"."Hourly"'].endswith(
        'scheduled, {"drop_after": "3 years", "verbose_log": true}')
    assert facts["policy_retention of app.m"].endswith('paused, {"drop_after": "2 years", "verbose_log": true}')
    assert 'job app."roll up" {"k": "it\'s"}' in facts and 'continuous aggregate "agg S"."Hourly"' in facts
    assert 'policy_refresh_continuous_aggregate of "agg S"."Hourly"' in facts
    assert 'policy_compression of "agg S"."Hourly"' in facts


# Aggregates of the source (3), of the target (4), of integers (6), of a target that is not prepared (8): their
# numbers stand in the golden statements.
CARRIED = r'''
CREATE SCHEMA app; CREATE SCHEMA new; CREATE SCHEMA bare;
CREATE FUNCTION app.now_s() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1791200000';
CREATE TABLE app.m (at timestamptz NOT NULL, dev int);
SELECT create_hypertable('app.m', by_range('at', interval '1 day'));
CREATE TABLE new.m (at timestamptz NOT NULL, dev int);
SELECT create_hypertable('new.m', by_range('at', interval '1 day'));
INSERT INTO app.m SELECT timestamptz '2026-01-01' + g * interval '20 minutes', g % 3
    FROM generate_series(0, 72 * 30 - 1) AS g;
CREATE MATERIALIZED VIEW app.h WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
    SELECT time_bucket('1 hour', at) AS "Ho""ur", dev, count(*) AS n FROM app.m GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW new.h WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
    SELECT time_bucket('1 hour', at) AS "Ho""ur", dev, count(*) AS n FROM new.m GROUP BY 1, 2 WITH NO DATA;
CREATE TABLE app.tick (s int NOT NULL); SELECT create_hypertable('app.tick', by_range('s', 86400));
SELECT set_integer_now_func('app.tick', 'app.now_s');
CREATE MATERIALIZED VIEW app.ticks WITH (timescaledb.continuous) AS
    SELECT time_bucket(3600, s) AS s, count(*) AS n FROM app.tick GROUP BY 1 WITH NO DATA;
INSERT INTO app.tick SELECT 1790000000 + g * 600 FROM generate_series(1, 2000) AS g;
CREATE TABLE bare.m (at timestamptz NOT NULL, dev int);
SELECT create_hypertable('bare.m', by_range('at', interval '1 day'));
CREATE MATERIALIZED VIEW bare.h WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
    SELECT time_bucket('1 hour', at) AS "Ho""ur", dev, count(*) AS n FROM bare.m GROUP BY 1, 2 WITH NO DATA;
'''


def test_carried_statements(community):
    """Rows that outlived the raw ones: the golden statements of the unit test find, move and compare them; what is
    refreshed beforehand stays behind a refresh of everything, what is not goes."""
    root = Path(__file__).parents[2]
    golden = (root / "tests/unit/timescale/carried.sql").read_text().removesuffix(";\n").split(";\n")
    lasts, moves = golden[:4], golden[4:]
    lasts = [one.replace("$1", "'app'").replace("$2", "'tick'" if '"s"' in one else "'m'") for one in lasts]
    places = (root / "engine/sql/timescale_carry.sql").read_text()
    borders = (root / "engine/sql/timescale_carry_ranges.sql").read_text()

    def filled(text, *values):
        for number, value in enumerate(values, 1):
            text = text.replace(f"${number}", "NULL" if value is None else f"'{value}'")
        return f"SELECT to_jsonb(q) AS row FROM ({text}) AS q"
    source = "_timescaledb_internal", "_materialized_hypertable_3"
    held = 'SELECT min("Ho""ur")::text AS low, count(*)::int AS n FROM {}.h WHERE "Ho""ur" < \'2026-01-20\''
    first = [one.strip() for one in CARRIED.split(";\n") if one.strip()]
    carry = [one for one in moves if not one.startswith("SELECT")]

    def carried(schema, number, *prepared):
        """A late row, in a chunk that the source has dropped, is all that has come; then newer ones come."""
        refresh = f"CALL refresh_continuous_aggregate('{schema}.h', NULL, NULL)"
        return [f"INSERT INTO {schema}.m VALUES ('2026-01-05 00:10+00', 1)", refresh, *prepared,
                *(one.replace("hypertable_4", f"hypertable_{number}") for one in carry),
                refresh, f"INSERT INTO {schema}.m VALUES ('2026-03-01', 1)", refresh]
    *last, place, border, behind, bare, sum_1, sum_2, sum_3, sum_4 = community(
        ["CREATE EXTENSION timescaledb", "SET timezone = 'UTC'", *first,
         "CALL refresh_continuous_aggregate('app.h', NULL, NULL)",
         "CALL refresh_continuous_aggregate('app.ticks', NULL, NULL)",
         "SELECT drop_chunks('app.m', timestamptz '2026-01-20'); SELECT drop_chunks('app.tick', 1790600000)",
         *carried("new", 4, "CALL refresh_continuous_aggregate('new.h', NULL, timestamptz '2026-01-20 01:00')"),
         *carried("bare", 8)],
        [f"SELECT to_jsonb(q) AS row FROM ({one}) AS q(last, cover)" for one in lasts]
        + [filled(places, "app", "h"), filled(borders, *source, "2026-01-19 23:00:00+00", None, None, None),
           held.format("new"), held.format("bare")]
        + [one for one in moves if one.startswith("SELECT")])
    assert [rows[0]["row"] for rows in last] == [
        {"last": "2026-01-19 23:00:00+00", "cover": "2026-01-20 01:00:00+00"}] * 2 + [
        {"last": "1790596800", "cover": "1790604000"}, {"last": "1790550000", "cover": "1790557200"}]
    assert [row["row"]["attname"] for row in place] == ['Ho"ur', "dev", "n"]
    assert {row["row"]["column_name"] for row in place} == {'Ho"ur'} and place[0]["row"]["has_table_privilege"]
    assert [row["row"]["coalesce"] for row in border] == ["2025-12-28 00:00:00+00", "2026-01-07 00:00:00+00",
                                                          "2026-01-17 00:00:00+00"]
    assert behind == [{"low": "2026-01-01 00:00:00+00", "n": 19 * 72}]
    assert sum_1 == sum_2 and sum_3 == sum_4 and sum_1 != sum_3
    assert bare[0]["n"] < 500


def test_the_apache_edition_is_told_before_anything_runs(godwit, plan, source, target):
    """Community features on a target without them, and tables that cannot have them: exit 3, nothing done."""
    source.execute(COMMUNITY + COMMUNITY_KEYS)
    source.execute('ALTER TABLE app.tick ENABLE ROW LEVEL SECURITY')
    wishes = [{**one} for one in WISHES]
    wishes[1] = {key: value for key, value in WISHES[1].items() if key != "integer_now_func"}
    wishes[2] = {**WISHES[2], "reorder": {"index": "no_such"}, "columnstore": {"segmentby": ["nothing"]}}
    source.execute("CREATE MATERIALIZED VIEW app.hourly AS SELECT 1 AS x")
    views = [{"target_view": "app.hourly", "query": "SELECT time_bucket('1 hour', at) FROM app.reading GROUP BY 1"},
             {"target_view": "app.lost", "query": "SELECT 'app.reading', s FROM app.tock"},
             {"target_view": "app.counted", "query": "SELECT s FROM app.tick",
              "refresh": {"start_offset": "10", "end_offset": "5", "schedule_interval": "1 h"}}]
    jobs = [{"procedure": "app.nobody", "schedule_interval": "1 day"},
            {"procedure": "app.rollup", "schedule_interval": "1 day"}]
    mine = plan(select={"schemas": ["app", '"Odd"']}, hypertables=wishes, continuous_aggregates=views, jobs=jobs)
    told = godwit("apply", mine, code=3).err
    for line in ["error P273: hypertables: columnstore of app.reading needs the community edition, the target has"
                 " timescaledb.license = apache", "app.tick has row security, which a columnstore refuses",
                 "a policy of app.tick counts in integers, and no integer_now_func says what now is",
                 'reorder of "Odd"."Ta b": it has no index no_such',
                 'segmentby of "Odd"."Ta b": it has no column nothing',
                 "P273: continuous_aggregates: app.hourly needs the community edition",
                 "P273: jobs: app.nobody needs the community edition",
                 "P296: continuous_aggregates: app.hourly comes from the source, too",
                 "P297: continuous_aggregates: the query of app.lost names no hypertable",
                 "P275: continuous_aggregates: a policy of app.counted counts in integers",
                 "P298: jobs: neither server has a procedure app.nobody"]:
        assert line in told, line
    assert "app.rollup" not in told
    assert target.value("SELECT to_regnamespace('app') IS NULL")
    # Not created yet: the edition is seen when it is, not behind the switch, where the job would come.
    target.execute("DROP EXTENSION timescaledb")
    source.execute("CREATE SCHEMA lone; CREATE TABLE lone.t (id int PRIMARY KEY);"
                   " CREATE PROCEDURE lone.work(int, jsonb) LANGUAGE sql AS 'SELECT 1'")
    mine = plan(select={"schemas": ["lone"]},
                jobs=[{"procedure": "lone.work", "schedule_interval": "1 day"}])
    told = godwit("apply", mine, code=1).err
    assert "P274" in told and "[extensions]" in told
    assert "timescaledb.license = apache, which has no such feature" in told
    assert target.value("SELECT to_regnamespace('lone') IS NULL")
