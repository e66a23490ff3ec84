"""timescaledb.mirror: hypertables to hypertables, live, with writers that make new chunks all the time.

One migration for each way in which new chunks come into the stream; what is refused is looked at by `check` alone.
"""
import re
import time

import harness
import pytest
import yaml
from test_hypertables import Pen

SEED = r'''
CREATE SCHEMA app; CREATE SCHEMA "Odd ""S"""; CREATE SCHEMA other;
CREATE FUNCTION app.now_ms() RETURNS bigint LANGUAGE sql STABLE AS
    'SELECT (extract(epoch FROM now()) * 1000)::bigint';
CREATE FUNCTION app.at_of(doc jsonb) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
    $$ SELECT to_timestamp((doc ->> 'at')::float8) $$;
CREATE FUNCTION app.shelf(v anyelement) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT abs(hashtext(v::text)) % 1000';
CREATE TABLE app.place (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE app.reading (gone int, at timestamptz NOT NULL, device int NOT NULL REFERENCES app.place, value float8,
    note text, PRIMARY KEY (device, at));
SELECT create_hypertable('app.reading', by_range('at', interval '3 days'));
SELECT add_dimension('app.reading', by_hash('device', 3));
CREATE INDEX reading_value ON app.reading (value) WHERE value > 0.5;
CREATE TABLE app.tick (ms bigint NOT NULL, device text NOT NULL, region text NOT NULL, value numeric,
    UNIQUE (ms, device, region));
SELECT create_hypertable('app.tick', by_range('ms', 86400000), create_default_indexes => false);
SELECT add_dimension('app.tick', by_hash('region', 2, 'app.shelf'));
SELECT set_integer_now_func('app.tick', 'app.now_ms');
ALTER TABLE app.tick REPLICA IDENTITY USING INDEX tick_ms_device_region_key;
CREATE TABLE app.doc (id int NOT NULL, doc jsonb NOT NULL);
SELECT create_hypertable('app.doc', by_range('doc', interval '2 days', 'app.at_of'), create_default_indexes => false);
ALTER TABLE app.doc REPLICA IDENTITY FULL;
CREATE TABLE "Odd ""S"""."Ta b" ("Day's" date NOT NULL, "Id ""x" int NOT NULL, v text, PRIMARY KEY ("Id ""x", "Day's"));
SELECT create_hypertable('"Odd ""S"""."Ta b"', by_range('Day''s', interval '10 days'));
CREATE TABLE app.empty (at timestamp NOT NULL, v int, PRIMARY KEY (at));
SELECT create_hypertable('app.empty', by_range('at'));
CREATE TABLE other.noise (at timestamptz NOT NULL, v int, PRIMARY KEY (at));
SELECT create_hypertable('other.noise', by_range('at', interval '1 day'));
INSERT INTO app.place SELECT g, 'place ' || g FROM generate_series(1, 20) AS g;
INSERT INTO app.reading (at, device, value, note)
    SELECT timestamptz '2026-01-01' + g * interval '10 minutes', 1 + g % 20, g / 2000.0, 'n' || g
    FROM generate_series(1, 2500) AS g;
ALTER TABLE app.reading DROP COLUMN gone;
INSERT INTO app.tick SELECT 1767225600000 + g * 60000, 'd' || g % 7, 'r' || g % 3, g FROM generate_series(1, 2000) AS g;
INSERT INTO app.doc SELECT g, jsonb_build_object('at', 1767225600 + g * 3600) FROM generate_series(1, 150) AS g;
INSERT INTO "Odd ""S"""."Ta b" SELECT date '2026-01-01' + g % 40, g, 'x' FROM generate_series(1, 300) AS g;
INSERT INTO other.noise SELECT timestamptz '2026-01-01' + g * interval '1 hour', g FROM generate_series(1, 50) AS g;
'''

# The Apache edition has no jobs. What the run calls is played: rows of jobs, and a call that sets one on or off, and
# takes the time zone away that it is not given, as the community edition does.
JOBS = r"""
CREATE SCHEMA ops;
CREATE PROCEDURE ops.own(job_id int, config jsonb) LANGUAGE sql AS 'SELECT 1';
INSERT INTO _timescaledb_config.bgw_job (id, application_name, schedule_interval, max_runtime, max_retries,
    retry_period, proc_schema, proc_name, scheduled, fixed_schedule, timezone)
SELECT 1000 + g, 'own [' || g || ']', '1 day', '0', -1, '1 day', 'ops', 'own', g <> 2, false,
       CASE g WHEN 3 THEN 'UTC' END
FROM generate_series(1, 3) AS g;
CREATE OR REPLACE FUNCTION public.alter_job(job_id integer, schedule_interval interval = NULL,
    max_runtime interval = NULL, max_retries integer = NULL, retry_period interval = NULL,
    scheduled bool = NULL, config jsonb = NULL,
    next_start timestamptz = NULL, if_exists bool = false, check_config regproc = NULL, fixed_schedule bool = NULL,
    initial_start timestamptz = NULL, timezone text = NULL)
RETURNS TABLE (job_id integer, schedule_interval interval, max_runtime interval, max_retries integer,
    retry_period interval, scheduled bool, config jsonb, next_start timestamptz, check_config text,
    fixed_schedule bool, initial_start timestamptz, timezone text) LANGUAGE sql AS
    $$ UPDATE _timescaledb_config.bgw_job AS b SET scheduled = $6, timezone = $13 WHERE b.id = $1
       RETURNING b.id, b.schedule_interval, b.max_runtime, b.max_retries, b.retry_period, b.scheduled, b.config,
       NULL::timestamptz, NULL::text, b.fixed_schedule, b.initial_start, b.timezone $$;
"""
ZONE = "SELECT timezone FROM _timescaledb_config.bgw_job WHERE id = 1003"
SCHEDULED = "SELECT id, scheduled FROM _timescaledb_config.bgw_job WHERE id > 1000 ORDER BY id"

WRITES = [
    "INSERT INTO app.reading VALUES (timestamptz '2027-01-01' + %(n)s * interval '6 hours', 1 + %(n)s %% 20, random())",
    "UPDATE app.reading SET note = 'u%(n)s' WHERE device = 1 + %(n)s %% 5 AND at < '2026-01-05'",
    "DELETE FROM app.reading WHERE device = 5 AND at = (SELECT min(at) FROM app.reading WHERE device = 5)",
    "INSERT INTO app.tick VALUES (1788000000000 + %(n)s * 9000000::bigint, 'w%(n)s', 'r1', %(n)s)",
    "UPDATE app.tick SET value = value + 1 WHERE device = 'd1' AND ms < 1767226600000",
    "DELETE FROM app.tick WHERE ms = (SELECT min(ms) FROM app.tick)",
    "INSERT INTO app.doc VALUES (%(n)s, jsonb_build_object('at', 1790000000 + %(n)s * 22000))",
    "UPDATE app.doc SET id = id + 1000 WHERE id = %(n)s",
    "DELETE FROM app.doc WHERE id = (SELECT min(id) FROM app.doc)",
    "INSERT INTO \"Odd \"\"S\"\"\".\"Ta b\" VALUES (date '2026-06-01' + %(n)s, -%(n)s, 'new')",
    "UPDATE \"Odd \"\"S\"\"\".\"Ta b\" SET v = 'u%(n)s' WHERE \"Id \"\"x\" = 1 + %(n)s %% 300",
    "INSERT INTO other.noise VALUES (timestamptz '2027-01-01' + %(n)s * interval '2 hours', 0) ON CONFLICT DO NOTHING",
]

SETTINGS = """
SELECT h.schema_name, h.table_name, d.column_name, d.num_slices, d.interval_length, d.partitioning_func_schema || '.' ||
       d.partitioning_func, d.integer_now_func_schema || '.' || d.integer_now_func
FROM _timescaledb_catalog.hypertable h JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = h.id
WHERE h.schema_name <> 'other' ORDER BY h.schema_name, h.table_name, d.id"""
INDEXES = """
SELECT schemaname, tablename, indexdef FROM pg_indexes WHERE schemaname IN ('app', 'Odd "S"') ORDER BY 1, 2, 3"""
TABLES = ["app.place", "app.reading", "app.tick", "app.doc", "app.empty", '"Odd ""S"""."Ta b"']
MIRROR = {"timescaledb": {"mirror": True}, "select": {"schemas": ["app", '"Odd ""S"""']}}


def own_cluster(private_cluster):
    """A TimescaleDB source on a server of its own: a slot waits for everybody on the server.

    Servers of the lab are copies of one: with the same number, too, the database would be taken for the target.
    """
    cluster = private_cluster("pg17")
    labels = ", ".join(f"'{i}'" for i in range(3000))
    harness.Database(cluster, "postgres").execute(f"CREATE TYPE numbers_away AS ENUM ({labels})")
    return harness.Database.create(cluster, ["timescaledb"], "tss")


@pytest.fixture
def source(private_cluster):
    """On a server of its own."""
    return own_cluster(private_cluster)


def same(source, target):
    """Rows and settings are those of the source."""
    for table in TABLES:
        statement = f"SELECT t::text FROM {table} AS t ORDER BY 1"
        assert target.query(statement) == source.query(statement), table
    assert target.query(SETTINGS) == source.query(SETTINGS)
    assert target.query(INDEXES) == source.query(INDEXES)


def wait_count(pen, count):
    """Until the writer has committed so often."""
    end = time.monotonic() + 150
    while pen.count < count:
        assert time.monotonic() < end, "the writer stands still"
        time.sleep(0.02)


def moves_inside(source, target):
    """What compression and decompression move, played: it is marked, and no change of the hypertable."""
    row = "app.reading WHERE device = 7 AND note = 'n6'"
    there = source.query(f"SELECT at, device, value, note FROM {row}")
    marked = ("BEGIN; SELECT pg_logical_emit_message(true, '::timescaledb-{0}-start', ''); {1};"
              "SELECT pg_logical_emit_message(true, '::timescaledb-{0}-end', '');"
              "INSERT INTO app.empty VALUES ('{2}', 7); COMMIT")
    source.execute(marked.format("compression", f"DELETE FROM {row}", "2026-03-03"))
    target.wait_until("SELECT count(*) = 1 FROM app.empty WHERE at = '2026-03-03'", timeout=150)
    assert not source.query(f"SELECT 1 FROM {row}")
    assert target.query(f"SELECT at, device, value, note FROM {row}") == there
    values = "'{}', {}, {}, '{}'".format(*there[0])
    source.execute(marked.format("decompression", f"INSERT INTO app.reading VALUES ({values})", "2026-03-04"))
    target.wait_until("SELECT count(*) = 1 FROM app.empty WHERE at = '2026-03-04'", timeout=150)


def mover(database, mine):
    """The plan's source user becomes one that may replicate and owns the tables, and is no superuser."""
    role = f"{database.name}_mover"
    database.execute(f"""
        CREATE ROLE {role} LOGIN REPLICATION IN ROLE pg_signal_backend, pg_read_all_stats;
        ALTER DATABASE {database.name} OWNER TO {role};
        DO $$ DECLARE name text; BEGIN
            FOR name IN SELECT format('%I', nspname) FROM pg_namespace WHERE nspname IN ('app', 'Odd "S"', 'other') LOOP
                EXECUTE 'ALTER SCHEMA ' || name || ' OWNER TO {role}'; END LOOP;
            FOR name IN SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c
                JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname IN ('app', 'Odd "S"', 'other') AND c.relkind = 'r' LOOP
                EXECUTE 'ALTER TABLE ' || name || ' OWNER TO {role}'; END LOOP;
            FOR name IN SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'app'::regnamespace LOOP
                EXECUTE 'ALTER ROUTINE ' || name || ' OWNER TO {role}'; END LOOP;
        END $$""")
    mine.env["SOURCE"] = database.conninfo(role)
    return role


@pytest.mark.parametrize("plugin", ["pgoutput", "test_decoding"])
def test_live_with_new_chunks(godwit, plan, source, target, plugin, tmp_path):
    """Time, integer, function and hash dimensions, odd names; killed while it replicates; jobs rest meanwhile. With
    pgoutput by way of a spool: the next engine reads there what the chunks are that the stream will not tell again."""
    source.execute(SEED)
    source.execute(JOBS)
    spool = {"spool": {"directory": str(tmp_path / "spool")}} if plugin == "pgoutput" else {}
    mine = plan(**MIRROR, replication={"plugin": plugin, **spool},
                cutover={"gates": {"stable_for": "1s"}, "approval": {"required": True}})
    pen = Pen(source, WRITES)
    wait_count(pen, 5)
    running = godwit.start("apply", mine)
    running.wait_for("catchup")
    count = pen.count
    wait_count(pen, count + 40)
    assert source.query(SCHEDULED) == [(1001, False), (1002, False), (1003, False)]
    running.kill9()
    running = godwit.start("apply", mine)
    source.execute("INSERT INTO app.empty SELECT timestamp '2026-01-01' + g * interval '1 day', g"
                   " FROM generate_series(1, 30) AS g")
    source.execute("TRUNCATE app.empty; INSERT INTO app.empty VALUES ('2026-02-02', 1)")
    moves_inside(source, target)
    wait_count(pen, count + 80)
    godwit("approve", mine, code=0)
    result = running.wait(code=0)
    pen.stop()
    assert "0 differences" in result.out
    same(source, target)
    assert source.query(SCHEDULED) == [(1001, True), (1002, False), (1003, True)]
    assert source.value(ZONE) == "UTC"


def test_jobs_rest_until_the_run_is_given_up(godwit, plan, source, target):
    """A cutover that is rolled back leaves them at rest and says so: the run stands. reset sets back exactly what was
    on; a job that somebody deleted is no reason to stop."""
    source.execute(SEED)
    source.execute(JOBS)
    mine = plan(**{**MIRROR, "select": {"tables": ["app.empty"]}}, replication={"plugin": "test_decoding"},
                cutover={"gates": {"stable_for": "100ms"}, "before_fence": [
                    {"id": "fails", "sql": {"server": "target", "file": "fails.sql"}}]})
    (mine.path.parent / "fails.sql").write_text("SELECT 1 / 0;\n", encoding="utf-8")
    shown = godwit("plan", mine, "--format", "sql", code=0).out
    assert "alter_job(1001, scheduled => false)" in shown and "alter_job(1002" not in shown
    result = godwit("apply", mine, code=10)
    assert "2 jobs of the source rest" in result.err and "godwit cleanup" in result.err
    assert target.query("SELECT job FROM godwit.source_job ORDER BY job") == [(1001,), (1003,)]
    assert source.query(SCHEDULED) == [(1001, False), (1002, False), (1003, False)]
    assert "source_jobs" in godwit("graph", mine, "--connect", code=0).out, "paused is taken for off before"
    source.execute("DELETE FROM _timescaledb_config.bgw_job WHERE id = 1003")
    result = godwit("reset", mine, "--yes", code=0)
    assert "job 1003 is not on the source any more" in result.err
    assert source.query(SCHEDULED) == [(1001, True), (1002, False)]


def test_init_and_what_is_refused(godwit, plan, source, target):
    """init writes the mirror, validate takes it, check says what new chunks need; plan prints every call."""
    source.execute(SEED)
    source.execute("ALTER TABLE other.noise REPLICA IDENTITY NOTHING")
    mine = plan(**MIRROR)
    text = godwit("init", "--source-env", "SOURCE", "--target-env", "TARGET", "--name", "drafted", code=0,
                  env={"SOURCE": source.conninfo(), "TARGET": target.conninfo()}).out
    assert yaml.safe_load(text)["timescaledb"] == {"mirror": True}
    lines = text.split("timescaledb: {mirror: true}\n")[1].split("\n\n")[0].splitlines()
    entries = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)
    entries = {entry["target_table"]: entry for entry in yaml.safe_load(entries)["hypertables"]}
    assert entries["app.tick"] == {
        "target_table": "app.tick", "by_range": {"column_name": "ms", "partition_interval": "86400000"},
        "dimensions": [{"by_hash": {"column_name": "region", "number_partitions": 2, "partition_func": "app.shelf"}}],
        "integer_now_func": "app.now_ms"}
    shown = godwit("plan", mine, "--format", "sql", code=0).out
    assert "copies what was in them before (other.noise has no replica identity" in shown
    assert re.search(r'ADD TABLE ONLY "_timescaledb_internal"."_hyper_', shown)
    source.execute("ALTER TABLE other.noise REPLICA IDENTITY DEFAULT; ALTER TABLE app.empty REPLICA IDENTITY NOTHING")
    result = godwit("check", mine, code=3)
    assert "P318" in result.out + result.err and "app.empty has no replica identity" in result.out + result.err
    source.execute("ALTER TABLE app.empty REPLICA IDENTITY DEFAULT")
    shown = godwit("plan", mine, "--format", "sql", code=0).out
    assert 'TABLES IN SCHEMA "_timescaledb_internal"' in shown
    assert re.search(r"by_hash\('region', 2, partition_func => '[^']*shelf[^']*'::regproc\)", shown)
    assert re.search(r'COPY \(SELECT "at", "device", "value", "note" FROM "_timescaledb_internal"."_hyper_', shown)
    assert "IN ROW SHARE MODE" in shown
    mine.change(timescaledb=None)
    result = godwit("check", mine, code=3)
    assert "P308" in result.out + result.err
