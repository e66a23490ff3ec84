"""Chunks that are merged, split, dropped and moved between on a native community source while the run streams from it.

None of that stands in the stream as rows: what can be told apart goes on, what cannot is a named error that resync
mends. Only where GODWIT_TEST_TSL_SOURCE and GODWIT_TEST_TSL_TARGET name servers.
"""
import pytest
from test_native_mirror import StubbornPen, again
from test_mirror import wait_count

SEED = r'''
CREATE SCHEMA app;
CREATE TABLE app.m (at timestamptz NOT NULL, d int NOT NULL, v int, PRIMARY KEY (d, at));
SELECT create_hypertable('app.m', by_range('at', interval '1 day'));
CREATE TABLE app.k (s int NOT NULL, v text);
SELECT create_hypertable('app.k', by_range('s', 100));
ALTER TABLE app.k REPLICA IDENTITY FULL;
CREATE TABLE app.log (at timestamptz NOT NULL, v int, PRIMARY KEY (at));
SELECT create_hypertable('app.log', by_range('at', interval '1 day'));
INSERT INTO app.m SELECT timestamptz '2026-01-01' + g * interval '1 hour', 1 + g % 3, g
    FROM generate_series(0, 239) AS g;
INSERT INTO app.k SELECT g, 'v' || g FROM generate_series(0, 999) AS g;
INSERT INTO app.log SELECT timestamptz '2026-01-01' + g * interval '1 hour', g FROM generate_series(0, 239) AS g;
ALTER TABLE app.m SET (timescaledb.compress, timescaledb.compress_segmentby = 'd', timescaledb.compress_orderby = 'at');
'''
WRITES = [
    "INSERT INTO app.m VALUES (timestamptz '2026-03-01' + %(n)s * interval '40 minutes', 1, %(n)s)",
    "UPDATE app.m SET v = v + 1 WHERE d = 2 AND at < timestamptz '2026-01-01' + %(n)s * interval '3 hours'",
    "DELETE FROM app.k WHERE s = %(n)s * 3 %% 1000",
    "INSERT INTO app.k VALUES (2000 + %(n)s * 3, 'new'), (2000 + %(n)s * 3, 'new')",
    "UPDATE app.k SET v = v || '.' WHERE s = %(n)s * 7 %% 1000",
]
TABLES = ["app.m", "app.k"]
AUTO = "timescaledb.enable_chunk_auto_publication"
LISTED = """SELECT count(*) FROM pg_publication_rel AS r JOIN pg_inherits AS i ON i.inhrelid = r.prrelid
            WHERE i.inhparent = 'app.m'::regclass"""


def same(source, target, columns="*"):
    for table in TABLES:
        taken = columns if table == "app.m" else "*"
        statement = (f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric), min(t::text), max(t::text)"
                     f" FROM (SELECT {taken} FROM {table}) AS t")
        assert target.query(statement) == source.query(statement), table


def chunks(source, table):
    """Its chunks, in order of time."""
    order = "range_start, range_start_integer"
    return [row[0] for row in source.query(
        "SELECT format('%%I.%%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks WHERE hypertable_schema"
        f" || '.' || hypertable_name = %s ORDER BY {order}", (table,))]


def merge(source, table, first, second):
    again(source, f"CALL merge_chunks('{chunks(source, table)[first]}', '{chunks(source, table)[second]}')")


def split(source, table, number):
    again(source, f"CALL split_chunk('{chunks(source, table)[number]}')")


@pytest.fixture
def world(tsl_source):
    """An aggregate on the source keeps its schema from being published: chunks are the watcher's."""
    tsl_source.execute(f"ALTER DATABASE {tsl_source.name} SET timezone = 'UTC'")
    tsl_source.execute(f"ALTER DATABASE {tsl_source.name} SET timescaledb.enable_compressed_direct_batch_delete = off")
    tsl_source.execute(SEED)
    tsl_source.execute("""CREATE MATERIALIZED VIEW app.hourly WITH (timescaledb.continuous,
        timescaledb.materialized_only = true) AS SELECT time_bucket('1 hour', at) AS hour, count(*) AS n FROM app.log
        GROUP BY 1 WITH NO DATA""")
    return tsl_source


def begin(godwit, plan, world, tsl_target, select=None, **keys):
    mine = plan(world, tsl_target, timescaledb={"mirror": True}, select={"schemas": ["app"], **(select or {})},
                cutover={"gates": {"stable_for": "1s"}, "approval": {"required": True}}, **keys)
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval", timeout=40)
    return mine, running


def finish(godwit, mine, running, world, tsl_target, pen, columns="*"):
    running.wait_for("waiting for an approval", timeout=30, new=False)
    godwit("approve", mine, code=0)
    result = running.wait(code=0)
    pen.stop()
    assert "0 differences" in result.out
    assert "0 differences" in godwit("verify", mine, code=0).out
    same(world, tsl_target, columns)


@pytest.mark.parametrize("plugin", ["pgoutput", "test_decoding"])
def test_merged_chunks(godwit, plan, world, tsl_target, plugin):
    """Chunks that were copied are merged, also when no engine looks, also compressed ones: nothing is amiss."""
    pen = StubbornPen(world, WRITES)
    mine, running = begin(godwit, plan, world, tsl_target, replication={"plugin": plugin})
    wait_count(pen, pen.count + 5)
    merge(world, "app.m", 1, 2)
    merge(world, "app.k", 1, 2)
    wait_count(pen, pen.count + 20)
    running.kill9()
    world.execute("INSERT INTO app.m VALUES ('2026-01-04 00:30', 9, 9);"
                  "DELETE FROM app.m WHERE at = '2026-01-04 05:00'")
    merge(world, "app.m", 1, 2)
    again(world, f"SELECT compress_chunk('{chunks(world, 'app.m')[2]}')")
    again(world, f"SELECT compress_chunk('{chunks(world, 'app.m')[3]}')")
    merge(world, "app.m", 2, 3)
    wait_count(pen, pen.count + 5)
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval", timeout=30)
    merge(world, "app.k", 1, 2)
    wait_count(pen, pen.count + 20)
    finish(godwit, mine, running, world, tsl_target, pen)


BEHIND = ("INSERT INTO app.k VALUES (1050, 'a'), (1051, 'b')", 9, 10)
BEFORE = ("INSERT INTO app.k VALUES (-50, 'a'), (-51, 'b')", 0, 1)


@pytest.mark.parametrize("plugin, made", [("pgoutput", BEHIND), ("pgoutput", BEFORE), ("test_decoding", BEHIND)],
                         ids=["watch-behind", "watch-before", "plugin-behind"])
def test_a_chunk_that_nobody_had_seen_is_merged(godwit, plan, world, tsl_target, plugin, made):
    """With one that was copied: its rows are in no copy and no change; the other way round they are in two."""
    mine, running = begin(godwit, plan, world, tsl_target, replication={"plugin": plugin})
    running.kill9()
    world.execute(made[0])
    merge(world, "app.k", made[1], made[2])
    told = godwit("apply", mine).err
    assert "E120" in told and "app.k" in told and "resync" in told
    godwit("resync", mine, "app.k", code=0)
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval", timeout=30)
    pen = StubbornPen(world, WRITES)
    finish(godwit, mine, running, world, tsl_target, pen)


def test_split_chunks(godwit, plan, world, tsl_target):
    """A copied chunk that is split: what is new of it would be copied once more."""
    mine, running = begin(godwit, plan, world, tsl_target)
    split(world, "app.k", 3)
    result = running.wait()
    assert "E120" in result.err and "app.k" in result.err
    assert tsl_target.value("SELECT count(*) FROM app.k") == 1000
    godwit("resync", mine, "app.k", code=0)
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval", timeout=30)
    pen = StubbornPen(world, WRITES)
    finish(godwit, mine, running, world, tsl_target, pen)


def test_published_by_timescaledb(godwit, plan, world, tsl_target):
    """New chunks that TimescaleDB puts into the publication itself, with the columns that the plan takes; and those of
    sessions that do not have the setting. Killed on the way."""
    if not world.value(f"SELECT count(*) FROM pg_settings WHERE name = '{AUTO}'"):
        pytest.skip("TimescaleDB before 2.25 publishes no chunk")
    without = StubbornPen(world, [WRITES[0].replace("2026-03-01", "2027-03-01"), WRITES[1], "SELECT 1"])
    world.execute(f"ALTER DATABASE {world.name} SET {AUTO} = on")
    pen = StubbornPen(world, WRITES)
    mine, running = begin(godwit, plan, world, tsl_target,
                          select={"columns": [{"table": "app.m", "include": ["at", "d"]}]})
    wait_count(pen, pen.count + 40)
    running.kill9()
    published = world.value(LISTED)
    wait_count(pen, pen.count + 40)
    assert world.value(LISTED) > published, "nothing but TimescaleDB can have published more"
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval", timeout=30)
    wait_count(pen, pen.count + 20)
    without.stop()
    finish(godwit, mine, running, world, tsl_target, pen, columns="at, d")


def test_dropped_by_hand(godwit, plan, world, tsl_target):
    """Chunks that are dropped while it runs, one made anew by a late row: nothing stops, verify counts the rows that
    stayed, resync takes them away."""
    mine, running = begin(godwit, plan, world, tsl_target)
    pen = StubbornPen(world, WRITES)
    world.execute("SELECT drop_chunks('app.log', timestamptz '2026-01-05');"
                  "INSERT INTO app.log VALUES ('2026-01-02 00:30', 1), ('2026-06-01', 2)")
    tsl_target.wait_until("SELECT count(*) = 2 FROM app.log WHERE at IN ('2026-01-02 00:30', '2026-06-01')")
    assert "all app.log: 146 rows on the source, 242 on the target, 96 differences" in godwit("verify", mine).out
    godwit("resync", mine, "app.log", code=0)
    tsl_target.wait_until("SELECT count(*) = 146 FROM app.log")
    wait_count(pen, pen.count + 10)
    finish(godwit, mine, running, world, tsl_target, pen)
