"""Moving to hypertables: every kind of dimension, on the real thing, live.

One migration under load holds all conversions at once; what cannot be converted is looked at by `check` alone.
"""
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
     "dimensions": [{"by_range": {"column_name": "valid", "partition_interval": "1 month"}}]},
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
        ("doc", "doc", None, 2 * DAY, "app.at_of", None),
        ("reading", "at", None, 7 * DAY, None, None), ("reading", "device", 3, None, HASH, None),
        ("tick", "ms", None, 86400000, None, "app.now_ms"), ("tick", "device", 2, None, HASH, None),
        ("tick", "region", 2, None, "app.shelf", None)]
    assert target.value("SELECT count(*) FROM pg_indexes WHERE schemaname = 'app' AND tablename = 'reading'") == 3
    assert target.value("SELECT count(*) FROM timescaledb_information.chunks") > 20
    harness.assert_same(source, target, schemas=["app", 'Odd "S"'])
    godwit("plan", mine, "--detailed-exitcode", code=0)


REFUSED = '''
CREATE SCHEMA app;
CREATE FUNCTION public.away() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1::bigint';
CREATE TABLE app.keyed (id bigint PRIMARY KEY, at timestamptz NOT NULL, place text NOT NULL, UNIQUE (id, place));
CREATE TABLE app.ticks (ms bigint NOT NULL, v int);
CREATE TABLE app.times (at timestamptz NOT NULL, v int);
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
         "integer_now_func": "app.nobody"}])
    told = godwit("check", mine, code=3).err
    for line in [
            "unique index keyed_id_place_key of app.keyed lacks the partition column at",
            "ADD UNIQUE (id, place, at);",
            "unique index keyed_pkey of app.keyed lacks the partition columns at and place",
            "ADD PRIMARY KEY (id, at, place);",
            "integer_now_func of app.ticks: function public.away is not selected",
            "app.ticks has no column vv",
            "partition_func of app.times: neither server has a function app.nobody",
            "integer_now_func of app.times: column at is of type timestamp with time zone, which has a now of its own"]:
        assert line in told, line
