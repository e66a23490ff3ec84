"""data: carry between native servers with TimescaleDB's community edition, live: rows that outlived the raw ones.

Only where GODWIT_TEST_TSL_SOURCE and GODWIT_TEST_TSL_TARGET name servers; elsewhere its statements run in WASM
(test_carried_statements).
"""
import re

SEED = r'''
CREATE SCHEMA app; CREATE SCHEMA "Odd";
CREATE FUNCTION app.now_s() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1791200000';
CREATE TABLE app.reading (at timestamptz NOT NULL, device int NOT NULL, value float8, PRIMARY KEY (device, at));
SELECT create_hypertable('app.reading', by_range('at', interval '1 day'));
CREATE TABLE app.tick (s int NOT NULL, device int NOT NULL, value float8, PRIMARY KEY (s, device));
SELECT create_hypertable('app.tick', by_range('s', 86400));
SELECT set_integer_now_func('app.tick', 'app.now_s');
CREATE TABLE app.gone (at timestamptz NOT NULL, value float8, PRIMARY KEY (at));
SELECT create_hypertable('app.gone', by_range('at', interval '1 day'));
INSERT INTO app.reading SELECT date_trunc('day', now()) - interval '1 day' - g * interval '20 minutes', g % 3, g
FROM generate_series(1, 72 * 60) AS g;
INSERT INTO app.tick SELECT 1790000000 + g * 600, 1, g FROM generate_series(1, 2000) AS g;
INSERT INTO app.gone SELECT date_trunc('day', now()) - g * interval '1 hour', g FROM generate_series(100, 900) AS g;
-- What there ever was; it is not selected.
CREATE SCHEMA kept;
CREATE TABLE kept.reading AS TABLE app.reading; CREATE TABLE kept.tick AS TABLE app.tick;
CREATE TABLE kept.gone AS TABLE app.gone;
'''
# Each in a statement of its own; nothing of a policy runs by itself during the test.
AGGREGATES = [
    """CREATE MATERIALIZED VIEW "Odd"."Hourly" WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
       SELECT time_bucket('1 hour', at) AS "Ho""ur", device, count(*) AS n, sum(value) AS total FROM app.reading
       GROUP BY 1, 2 WITH NO DATA""",
    """CREATE MATERIALIZED VIEW app.daily WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
       SELECT time_bucket('1 day', "Ho""ur") AS day, sum(n) AS n, sum(total) AS total FROM "Odd"."Hourly"
       GROUP BY 1 WITH NO DATA""",
    """CREATE MATERIALIZED VIEW app.monthly WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
       SELECT time_bucket('1 month', day) AS month, sum(n) AS n FROM app.daily GROUP BY 1 WITH NO DATA""",
    """CREATE MATERIALIZED VIEW app.ticks WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
       SELECT time_bucket(3600, s) AS s, count(*) AS n FROM app.tick GROUP BY 1 WITH NO DATA""",
    """CREATE MATERIALIZED VIEW app.lost WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
       SELECT time_bucket('6 hours', at) AS at, count(*) AS n, max(value) AS top FROM app.gone GROUP BY 1
       WITH NO DATA""",
    *[f"CALL refresh_continuous_aggregate('{view}', NULL, NULL)"
      for view in ('"Odd"."Hourly"', "app.daily", "app.monthly", "app.ticks", "app.lost")],
    "ALTER MATERIALIZED VIEW \"Odd\".\"Hourly\" SET (timescaledb.compress, timescaledb.compress_segmentby = 'device',"
    " timescaledb.compress_orderby = '\"Ho\"\"ur\" DESC')",
    "SELECT compress_chunk(c) FROM show_chunks('\"Odd\".\"Hourly\"', older_than => now() - interval '40 days') AS c",
    "SELECT drop_chunks('app.reading', now() - interval '20 days')",
    "SELECT drop_chunks('\"Odd\".\"Hourly\"', now() - interval '45 days')",
    "SELECT drop_chunks('app.tick', 1790600000)",
    "SELECT drop_chunks('app.gone', now())",
    "SELECT add_retention_policy('app.reading', interval '20 days', initial_start => now() + interval '1 year')",
    "SELECT add_retention_policy('\"Odd\".\"Hourly\"', interval '45 days', initial_start => now() + interval '1 year')",
    "SELECT add_retention_policy('app.tick', 600000, initial_start => now() + interval '1 year')",
    "SELECT add_retention_policy('app.gone', interval '1 day', initial_start => now() + interval '1 year')",
    *[f"SELECT add_continuous_aggregate_policy('{view}', {start}, {end}, interval '1 h',"
      " initial_start => now() + interval '1 year')"
      for view, start, end in (('"Odd"."Hourly"', "interval '15 days'", "interval '1 hour'"),
                               ("app.daily", "interval '15 days'", "interval '1 day'"), ("app.ticks", 500000, 3600))],
    # A late row makes a chunk anew that retention has dropped: its hour is computed from that row alone.
    "INSERT INTO app.reading VALUES (date_trunc('day', now()) - interval '30 days', 0, -1)",
]
NEW = """INSERT INTO {}.reading SELECT date_trunc('day', now()) - interval '1 day' - g * interval '7 minutes', 7, g
          FROM generate_series(1, 50) AS g"""
# Each aggregate's rows, and what they are by all rows that there ever were.
VIEWS = {
    '"Odd"."Hourly"': ('SELECT "Ho""ur", device, n, total FROM "Odd"."Hourly" ORDER BY 1, 2',
                       "SELECT date_trunc('hour', at), device, count(*), sum(value) FROM kept.reading WHERE at >="
                       " (SELECT min(\"Ho\"\"ur\") FROM \"Odd\".\"Hourly\") GROUP BY 1, 2 ORDER BY 1, 2"),
    "app.daily": ("SELECT day, n, total FROM app.daily ORDER BY 1",
                  "SELECT date_trunc('day', at, 'UTC'), count(*), sum(value) FROM kept.reading GROUP BY 1 ORDER BY 1"),
    "app.monthly": ("SELECT month, n FROM app.monthly ORDER BY 1",
                    "SELECT date_trunc('month', at, 'UTC'), count(*) FROM kept.reading GROUP BY 1 ORDER BY 1"),
    "app.ticks": ("SELECT s, n FROM app.ticks ORDER BY 1",
                  "SELECT s / 3600 * 3600, count(*) FROM kept.tick GROUP BY 1 ORDER BY 1"),
    "app.lost": ("SELECT at, n, top FROM app.lost ORDER BY 1",
                 "SELECT date_bin('6 hours', at, '2000-01-03+00'), count(*), max(value) FROM kept.gone GROUP BY 1"
                 " ORDER BY 1")}
# Holds the second range of an aggregate in its transaction.
HOLD = """
CREATE FUNCTION app.hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.gate = 'aggregate.carry:"Odd"."Hourly"' AND EXISTS (SELECT FROM godwit.gate WHERE gate = NEW.gate) THEN
        PERFORM pg_sleep(600);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER hold BEFORE INSERT ON godwit.gate FOR EACH ROW EXECUTE FUNCTION app.hold()"""
SLEEPS = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
SCHEDULED = ("SELECT scheduled, count(*) FROM timescaledb_information.jobs"
             " WHERE proc_name ~ '^policy_(refresh|retention)' GROUP BY 1 ORDER BY 1")


def same(source, target):
    """The target's aggregates are what all rows that there ever were say."""
    for view, (shown, known) in VIEWS.items():
        assert target.query(shown) == source.query(known), view


MATERIALIZED = """SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
    FROM timescaledb_information.continuous_aggregates WHERE view_name = 'lost'"""


def damage(godwit, mine, target, compared):
    """A carried row that is another one, then one that is gone: named by aggregate and range."""
    table = target.value(MATERIALIZED)
    for change in (f"UPDATE {table} SET top = top + 1 WHERE at = (SELECT min(at) FROM {table})",
                   f"DELETE FROM {table} WHERE at = (SELECT min(at) FROM {table})"):
        kept = target.query(f"SELECT t::text FROM {table} AS t WHERE at = (SELECT min(at) FROM {table})")[0][0]
        target.execute(change)
        told = godwit("verify", mine).out
        assert f"TimescaleDB: {compared} compared, 1 differences" in told, told
        assert re.search(r"rows of app.lost that were carried over differ from \S+ \S+ to before \S+ \S+: \d+ on the"
                         r" source, \d+ on the target", told), told
        target.execute(f"DELETE FROM {table} WHERE at = '{kept.split(',')[0][1:].strip(chr(34))}'")
        target.execute(f"INSERT INTO {table} SELECT ('{kept}'::{table}).*")
    assert f"TimescaleDB: {compared} compared, 0 differences" in godwit("verify", mine, code=0).out


def test_rows_outlive_the_raw_ones(godwit, plan, tsl_source, tsl_target):
    """Carried through a kill, beside new raw rows: the aggregates are the source's, and stay so when everything is
    refreshed; on each other, in integers, compressed, without raw rows, beside a late raw row."""
    tsl_source.execute(SEED)
    with tsl_source.connect() as connection:
        for statement in AGGREGATES:
            connection.execute(statement)
    mine = plan(tsl_source, tsl_target, select={"schemas": ["app", '"Odd"']}, timescaledb={"mirror": True},
                cutover={"approval": {"required": True}})
    drafted = godwit("init", "--source-env", "SOURCE", "--target-env", "TARGET", "--name", "drafted", code=0,
                     env={"SOURCE": tsl_source.conninfo(), "TARGET": tsl_target.conninfo()}).out
    assert drafted.count("data: carry") == 4
    text = godwit("plan", mine, "--format", "sql", code=0).out
    assert 'aggregate.carry:"Odd"."Hourly"' in text and "aggregate.carry:app.monthly" not in text
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    assert tsl_source.query(SCHEDULED) == [(False, 7)]
    tsl_source.execute(NEW.format("app") + ";" + NEW.format("kept"))
    tsl_target.execute(HOLD)
    godwit("approve", mine, code=0)
    tsl_target.wait_until(SLEEPS, timeout=120)
    running.kill9()
    tsl_target.wait_until("SELECT count(pg_terminate_backend(pid)) = 0 FROM pg_stat_activity"
                          " WHERE wait_event = 'PgSleep' AND datname = current_database()")
    done = tsl_target.value("SELECT detail FROM godwit.gate WHERE gate = 'aggregate.carry:\"Odd\".\"Hourly\"'")
    tsl_target.execute("DROP FUNCTION app.hold CASCADE")
    told = godwit("apply", mine, code=0).err
    assert re.search(r'rows of "Odd"."Hourly" up to \S+ \S+ are carried over', told)
    assert f'rows of "Odd"."Hourly" are carried over up to {done}' not in told
    same(tsl_source, tsl_target)
    assert tsl_source.query(SCHEDULED) == tsl_target.query(SCHEDULED) == [(True, 7)]
    verified = godwit("verify", mine, code=0).out
    assert "0 differences" in verified
    carried = int(re.search(r"TimescaleDB: (\d+) compared, 0 differences", verified)[1])
    damage(godwit, mine, tsl_target, carried)
    with tsl_target.connect() as connection:
        for statement in AGGREGATES:
            if statement.startswith("CALL"):
                connection.execute(statement)
    same(tsl_source, tsl_target)


def test_dropped_by_hand(godwit, plan, tsl_source, tsl_target):
    """Rows whose raw ones somebody dropped: nothing but the aggregate tells it; check does, and names data: carry."""
    tsl_source.execute(SEED.split("CREATE TABLE app.tick")[0])
    tsl_source.execute("INSERT INTO app.reading SELECT timestamptz '2026-01-01' + g * interval '1 hour', 1, g"
                       " FROM generate_series(1, 2400) AS g")
    with tsl_source.connect() as connection:
        for statement in AGGREGATES[0], "CALL refresh_continuous_aggregate('\"Odd\".\"Hourly\"', NULL, NULL)":
            connection.execute(statement)
    mine = plan(tsl_source, tsl_target, select={"schemas": ["app", '"Odd"']}, timescaledb={"mirror": True})
    assert "G207" not in godwit("check", mine).out
    tsl_source.execute("SELECT drop_chunks('app.reading', timestamptz '2026-02-01')")
    told = godwit("check", mine).out
    assert re.search(r'warning G207 source "Odd"."Hourly": its rows from 2026-01-01 01:00:00\S* to 2026-01-31'
                     r" 23:00:00\S* are older than all rows of app.reading", told), told
    assert "data: carry" in told
    query = AGGREGATES[0].split(" AS\n", 1)[1].replace("WITH NO DATA", "")
    mine.change(continuous_aggregates=[{"target_view": '"Odd"."Hourly"', "query": query, "data": "carry",
                                        "materialized_only": True}])
    assert "G207" not in godwit("check", mine).out
    godwit("apply", mine, code=0)
    rows = 'SELECT "Ho""ur"::text, device, n, total FROM "Odd"."Hourly" ORDER BY 1'
    assert tsl_target.query(rows) == tsl_source.query(rows) and len(tsl_source.query(rows)) == 2400
