"""timescaledb.mirror between native servers with TimescaleDB's community edition, live.

What neither the Apache edition nor WASM can show: rows that compression moves under the stream, changes of compressed
rows, policies that would run meanwhile. Only where GODWIT_TEST_TSL_SOURCE and GODWIT_TEST_TSL_TARGET name servers.
"""
import time

import psycopg
import pytest
from test_hypertables import Pen
from test_mirror import wait_count

SEED = r'''
CREATE SCHEMA app; CREATE SCHEMA "Odd ""S""";
CREATE FUNCTION app.now_s() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1800000000::bigint';
CREATE PROCEDURE app.rollup(job_id int, config jsonb) LANGUAGE sql AS 'SELECT 1';
CREATE TABLE app.device (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO app.device SELECT g, 'device ' || g FROM generate_series(1, 10) AS g;
CREATE TABLE app.reading (gone int, at timestamptz NOT NULL, device int NOT NULL REFERENCES app.device, value float8,
    note text, PRIMARY KEY (device, at));
ALTER TABLE app.reading DROP COLUMN gone;
SELECT create_hypertable('app.reading', by_range('at', interval '1 day'), create_default_indexes => false);
CREATE INDEX reading_at ON app.reading (at DESC);
ALTER TABLE app.reading SET (timescaledb.compress, timescaledb.compress_segmentby = 'device',
    timescaledb.compress_orderby = 'at DESC');
CREATE TABLE app.tick (s bigint NOT NULL, device text NOT NULL, value numeric);
SELECT create_hypertable('app.tick', by_range('s', 86400), create_default_indexes => false);
SELECT set_integer_now_func('app.tick', 'app.now_s');
ALTER TABLE app.tick REPLICA IDENTITY FULL;
ALTER TABLE app.tick SET (timescaledb.compress, timescaledb.compress_orderby = 's');
CREATE TABLE "Odd ""S"""."Ev ent" ("A""t" timestamp NOT NULL, "Kind's" text NOT NULL, n int,
    PRIMARY KEY ("A""t", "Kind's"));
SELECT create_hypertable('"Odd ""S"""."Ev ent"', by_range('A"t', interval '12 hours'));
ALTER TABLE "Odd ""S"""."Ev ent" SET (timescaledb.compress, timescaledb.compress_segmentby = '"Kind''s"',
    timescaledb.compress_orderby = '"A""t" DESC NULLS LAST', timescaledb.compress_chunk_time_interval = '24 hours');
CREATE TABLE app.log (at timestamptz NOT NULL, text text, PRIMARY KEY (at));
SELECT create_hypertable('app.log', by_range('at', interval '1 day'));
INSERT INTO app.reading (at, device, value, note)
    SELECT timestamptz '2026-01-01' + g * interval '10 minutes', 1 + g % 10, g, 'n' || g
    FROM generate_series(1, 3000) AS g;
INSERT INTO app.tick SELECT 1790000000 + g * 200, 'd' || g % 4, g FROM generate_series(1, 3000) AS g;
INSERT INTO "Odd ""S"""."Ev ent" SELECT timestamp '2026-01-01' + g * interval '10 minutes', 'k' || g % 3, g
    FROM generate_series(1, 1500) AS g;
INSERT INTO app.log SELECT timestamptz '2026-01-01' + g * interval '1 hour', 'line ' || g
    FROM generate_series(1, 300) AS g;
SELECT compress_chunk(c) FROM show_chunks('app.reading', older_than => timestamptz '2026-01-11') AS c;
SELECT compress_chunk(c) FROM show_chunks('app.tick', older_than => 1790300000::bigint) AS c;
SELECT compress_chunk(c) FROM show_chunks('"Odd ""S"""."Ev ent"', older_than => timestamp '2026-01-05') AS c;
'''
# Aggregates are made outside of a transaction block, one statement each.
AGGREGATES = [
    """CREATE MATERIALIZED VIEW app.hourly WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
       SELECT time_bucket('1 hour', at) AS hour, device, count(*) AS n, sum(value) AS total FROM app.reading
       GROUP BY 1, 2 WITH NO DATA""",
    '''CREATE MATERIALIZED VIEW "Odd ""S"""."Da ily" WITH (timescaledb.continuous, timescaledb.materialized_only = true)
       AS SELECT time_bucket('1 day', hour) AS "D""ay", sum(n) AS n, sum(total) AS total FROM app.hourly GROUP BY 1
       WITH NO DATA''',
    """CREATE MATERIALIZED VIEW app.ticks WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
       SELECT time_bucket(3600, s) AS s, device, count(*) AS n FROM app.tick GROUP BY 1, 2 WITH NO DATA""",
    "CALL refresh_continuous_aggregate('app.hourly', NULL, NULL)",
    "CALL refresh_continuous_aggregate('\"Odd \"\"S\"\"\".\"Da ily\"', NULL, NULL)",
    "CALL refresh_continuous_aggregate('app.ticks', NULL, NULL)",
    "CREATE INDEX hourly_total ON app.hourly (total DESC)",
    "ALTER MATERIALIZED VIEW app.hourly SET (timescaledb.compress, timescaledb.compress_segmentby = 'device')",
]
POLICIES = r'''
SELECT add_compression_policy('app.reading', interval '30 days', schedule_interval => interval '3 hours',
    initial_start => timestamptz '2036-01-01 02:00:00+00', timezone => 'Europe/Berlin');
SELECT add_compression_policy('app.tick', 86400 * 400);
SELECT alter_job(add_reorder_policy('app.log', 'log_pkey'), scheduled => false, max_runtime => interval '7 minutes',
    max_retries => 5, retry_period => interval '9 minutes');
SELECT add_continuous_aggregate_policy('app.hourly', NULL, interval '2 hours', interval '1 day',
    initial_start => timestamptz '2036-01-01 02:00:00+00');
SELECT add_continuous_aggregate_policy('"Odd ""S"""."Da ily"', interval '3 months', interval '1 day', interval '1 day',
    initial_start => timestamptz '2036-01-01 02:00:00+00');
SELECT add_continuous_aggregate_policy('app.ticks', NULL, 7200::bigint, interval '1 day',
    initial_start => timestamptz '2036-01-01 02:00:00+00');
SELECT add_compression_policy('app.hourly', interval '200 days');
SELECT add_retention_policy('app.hourly', interval '20 years');
SELECT add_job('app.rollup', '5 hours', config => '{"k": [1, "two"]}', initial_start => '2036-01-01 02:00:00+00');
'''
# A policy that has everything to drop, each second.
RETENTION = "SELECT add_retention_policy('app.log', interval '1 day', schedule_interval => interval '1 second')"

WRITES = [
    "INSERT INTO app.reading VALUES (timestamptz '2026-03-01' + %(n)s * interval '20 minutes', 1 + %(n)s %% 10,"
    " random(), 'new')",
    "UPDATE app.reading SET note = 'u%(n)s', value = value + 1 WHERE device = 1 + %(n)s %% 10 AND at ="
    " (SELECT max(at) FROM app.reading WHERE device = 1 + %(n)s %% 10 AND at < timestamptz '2026-01-01'"
    " + %(n)s %% 20 * interval '1 day')",
    "DELETE FROM app.reading WHERE device = 5 AND at = (SELECT min(at) FROM app.reading WHERE device = 5)",
    "INSERT INTO app.reading VALUES (timestamptz '2026-01-02' + %(n)s * interval '7 seconds', 3, %(n)s, 'late')"
    " ON CONFLICT (device, at) DO UPDATE SET note = 'again'",
    "INSERT INTO app.tick VALUES (1791000000 + %(n)s * 3000, 'w', %(n)s)",
    "UPDATE app.tick SET value = value + 1 WHERE s = (SELECT min(s) FROM app.tick WHERE s > 1790000000 + 3000 * %(n)s)",
    "DELETE FROM app.tick WHERE s = (SELECT min(s) FROM app.tick)",
    "INSERT INTO \"Odd \"\"S\"\"\".\"Ev ent\" VALUES (timestamp '2026-05-01' + %(n)s * interval '20 minutes', 'k1', 0)",
    "UPDATE \"Odd \"\"S\"\"\".\"Ev ent\" SET n = -n WHERE \"A\"\"t\" = timestamp '2026-01-01' + %(n)s * interval '70"
    " minutes'",
    "INSERT INTO app.log VALUES (timestamptz '2026-02-01' + %(n)s * interval '1 hour', 'new')",
]
GIVES_UP = (psycopg.errors.SerializationFailure, psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
TABLES = ["app.device", "app.reading", "app.tick", '"Odd ""S"""."Ev ent"']
VIEWS = ["app.hourly", '"Odd ""S"""."Da ily"', "app.ticks"]

# What both sides must agree in, read from TimescaleDB's own views.
SETTINGS = {
    "jobs": """
        SELECT j.proc_name, coalesce(a.view_schema || '.' || a.view_name, j.hypertable_schema || '.' ||
               j.hypertable_name), j.schedule_interval, j.max_runtime, j.max_retries, j.retry_period, j.scheduled,
               j.fixed_schedule, j.config - 'hypertable_id' - 'mat_hypertable_id'
        FROM timescaledb_information.jobs AS j LEFT JOIN timescaledb_information.continuous_aggregates AS a
             ON (a.materialization_hypertable_schema, a.materialization_hypertable_name) =
                (j.hypertable_schema, j.hypertable_name)
        WHERE j.job_id >= 1000 ORDER BY 1, 2, 3""",
    "starts": """
        SELECT j.proc_name, j.initial_start, b.timezone FROM timescaledb_information.jobs AS j
        JOIN _timescaledb_config.bgw_job AS b ON b.id = j.job_id
        WHERE j.job_id >= 1000 AND j.proc_name <> 'rollup' AND j.initial_start > '2035-01-01' ORDER BY 1, 2, 3""",
    "columnstores": """
        SELECT hypertable_schema, hypertable_name, attname, segmentby_column_index, orderby_column_index, orderby_asc,
               orderby_nullsfirst
        FROM timescaledb_information.compression_settings
        WHERE hypertable_schema IN ('app', 'Odd "S"') ORDER BY 1, 2, 3""",
    "dimensions": """
        SELECT hypertable_schema, hypertable_name, column_name, dimension_type, time_interval, integer_interval,
               integer_now_func, num_partitions
        FROM timescaledb_information.dimensions WHERE hypertable_schema IN ('app', 'Odd "S"') ORDER BY 1, 2, 3""",
    "aggregates": """
        SELECT view_schema, view_name, materialized_only, compression_enabled, view_definition
        FROM timescaledb_information.continuous_aggregates ORDER BY 1, 2""",
}
DROPS = """
SELECT s.total_runs FROM timescaledb_information.job_stats AS s JOIN timescaledb_information.jobs AS j USING (job_id)
WHERE j.proc_name = 'policy_retention' AND j.config ->> 'drop_after' = '1 day'"""


@pytest.fixture
def world(tsl_source):
    """The source, with all that the community edition has."""
    tsl_source.execute(f"ALTER DATABASE {tsl_source.name} SET timezone = 'UTC'")
    tsl_source.execute(SEED)
    for statement in AGGREGATES:
        tsl_source.execute(statement)
    tsl_source.execute(POLICIES)
    return tsl_source


def same(source, target):
    """Rows, aggregates and settings are those of the source."""
    for table in TABLES:
        statement = f"SELECT t::text FROM {table} AS t ORDER BY 1"
        here, there = source.query(statement), target.query(statement)
        assert here == there, (table, sorted(set(here) ^ set(there))[:10])
    for name, statement in SETTINGS.items():
        assert target.query(statement) == source.query(statement), name


class StubbornPen(Pen):
    """Writes on where compression makes a transaction give up; another error than the end is a failure."""

    error = None

    def _run(self):
        while not self._end.wait(0.05):
            try:
                with self._connection.transaction():
                    for i in range(3):
                        text = self.writes[(self.count * 3 + i) % len(self.writes)]
                        self._connection.execute(text % {"n": self.count})
            except GIVES_UP:
                pass
            except psycopg.Error as error:
                self.error = error
                break
            self.count += 1

    def stop(self):
        super().stop()
        assert self.error is None or "administrator command" in str(self.error), self.error


def again(source, statement):
    """Compression gives up where somebody writes, and wants to be called again."""
    for _ in range(50):
        try:
            return source.execute(statement)
        except GIVES_UP:
            time.sleep(0.05)
    raise AssertionError(statement)


def moves(source, number):
    """Compression and its opposite, of chunks that are written to; changes of what is compressed."""
    month = f"2027-0{number}"
    for statement in [
            "SELECT compress_chunk(c) FROM show_chunks('app.reading', newer_than => timestamptz '2026-01-11',"
            " older_than => timestamptz '2026-01-15') AS c",
            "SELECT decompress_chunk(c) FROM show_chunks('app.reading', older_than => timestamptz '2026-01-04') AS c",
            "SELECT compress_chunk(c, recompress => true) FROM show_chunks('app.tick', older_than =>"
            " 1790300000::bigint) AS c",
            "SELECT compress_chunk(c) FROM show_chunks('\"Odd \"\"S\"\"\".\"Ev ent\"', older_than => timestamp"
            " '2026-01-08') AS c",
            f"""INSERT INTO app.reading SELECT timestamptz '{month}-01' + g * interval '1 hour', 4, g, 'compressed new'
                FROM generate_series(1, 50) AS g;
                SELECT compress_chunk(c) FROM show_chunks('app.reading', newer_than => timestamptz '{month}-01') AS c;
                UPDATE app.reading SET note = 'in a new one' WHERE at > '{month}-02';
                DELETE FROM app.reading WHERE at > '{month}-03' AND at < '{month}-03 04:00'""",
            "UPDATE app.reading SET value = value + 1000 WHERE device = 2 AND at < '2026-01-09'",
            "DELETE FROM app.reading WHERE device = 7 AND at < '2026-01-07'",
            "DELETE FROM app.tick WHERE device = 'd3' AND s < 1790200000"]:
        again(source, statement)


@pytest.mark.parametrize("plugin", ["pgoutput", "test_decoding"])
def test_compression_under_the_stream(godwit, plan, world, tsl_target, plugin):
    """Chunks are compressed, decompressed, compressed again and changed compressed while copy and stream run."""
    mine = plan(world, tsl_target, timescaledb={"mirror": True}, select={"schemas": ["app", '"Odd ""S"""']},
                replication={"plugin": plugin},
                cutover={"gates": {"stable_for": "1s"}, "approval": {"required": True}})
    result = godwit("check", mine, code=3)
    assert "enable_compressed_direct_batch_delete = on" in result.out + result.err
    world.execute(f"ALTER DATABASE {world.name} SET timescaledb.enable_compressed_direct_batch_delete = off")
    world.execute(RETENTION)
    before = {name: world.query(statement) for name, statement in SETTINGS.items()}
    pen = StubbornPen(world, WRITES)
    wait_count(pen, 5)
    running = godwit.start("apply", mine)
    running.wait_for("catchup")
    moves(world, 1)
    wait_count(pen, pen.count + 20)
    dropped = world.query(DROPS)
    running.kill9()
    moves(world, 2)
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval", timeout=120)
    moves(world, 3)
    wait_count(pen, pen.count + 20)
    assert world.query("SELECT scheduled, count(*) FROM timescaledb_information.jobs WHERE job_id >= 1000 GROUP BY 1"
                       " ORDER BY 1") == [(False, 6), (True, 4)], "refreshes go on"
    assert world.query(DROPS) == dropped and world.value("SELECT count(*) FROM app.log") > 20
    tsl_target.wait_until("SELECT count(*) > 20 FROM app.log")
    godwit("approve", mine, code=0)
    result = running.wait(code=0)
    pen.stop()
    assert "0 differences" in result.out
    same(world, tsl_target)
    for name, statement in SETTINGS.items():
        assert world.query(statement) == before[name], name
    assert "TimescaleDB: 20 compared, 0 differences" in godwit("verify", mine).out
    tsl_target.wait_until("SELECT count(*) = 0 FROM app.log")
