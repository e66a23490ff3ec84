"""Moving to hypertables: every kind of dimension, on the real thing, live.

One migration under load holds all conversions at once; what cannot be converted is looked at by `check` alone.
"""
import re
import threading
import time

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
