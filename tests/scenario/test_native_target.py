"""Aggregates, policies and jobs on a native server with TimescaleDB's community edition, live.

Only where GODWIT_TEST_TSL_TARGET names such a server; elsewhere the printed SQL runs in WASM
(test_community.py).
"""
SEED = r'''
CREATE SCHEMA app; CREATE SCHEMA "Odd";
CREATE FUNCTION app.now_s() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1800000000';
-- Holds the refresh at one row while a table is there; an aggregate takes immutable functions only.
CREATE FUNCTION app.held(v float8) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
        WHILE v = 6000 AND to_regclass('app.held_back') IS NOT NULL LOOP PERFORM pg_sleep(0.05); END LOOP;
        RETURN v;
    END $$;
CREATE PROCEDURE app.rollup(job int, config jsonb) LANGUAGE sql AS 'SELECT 1';
CREATE TABLE app.reading (at timestamptz NOT NULL, device int NOT NULL, value float8, PRIMARY KEY (device, at));
CREATE TABLE app.tick (s int NOT NULL, device int NOT NULL, value float8, PRIMARY KEY (s, device));
INSERT INTO app.reading SELECT timestamptz '2026-01-01' + g * interval '20 minutes', g % 5, g
FROM generate_series(1, 9000) AS g;
INSERT INTO app.tick SELECT 1790000000 + g * 600, 1, g FROM generate_series(1, 2000) AS g;
'''
HYPERTABLES = [
    {"target_table": "app.reading", "by_range": {"column_name": "at", "partition_interval": "1 day"},
     "columnstore": {"segmentby": ["device"], "orderby": ["at DESC"], "after": "60 days"},
     "retention": {"drop_after": "10 years", "scheduled": False}},
    {"target_table": "app.tick", "by_range": {"column_name": "s", "partition_interval": "86400"},
     "integer_now_func": "app.now_s"}]
AGGREGATES = [
    {"target_view": '"Odd"."Mon thly"', "materialized_only": False,
     "query": 'SELECT time_bucket(\'1 month\', "Hour") AS month, sum(n) AS n, sum(total) AS total'
              ' FROM "Odd"."Hourly" GROUP BY 1'},
    {"target_view": '"Odd"."Hourly"',
     "query": "SELECT time_bucket('1 hour', at) AS \"Hour\", device, count(*) AS n,"
              " sum(app.held(value)) AS total FROM app.reading GROUP BY 1, 2",
     "refresh": {"start_offset": "unbounded", "end_offset": "1 day", "schedule_interval": "1 day",
                 "scheduled": False, "max_runtime": "1 hour", "timezone": "Europe/Berlin",
                 "initial_start": "2036-01-01 02:00:00+00"}},
    {"target_view": "app.ticks",
     "query": "SELECT time_bucket(3600, s) AS s, count(*) AS n FROM app.tick GROUP BY 1",
     "refresh": {"start_offset": "unbounded", "end_offset": "3600", "schedule_interval": "1 day", "scheduled": False}}]
WORK = [{"procedure": "app.rollup", "schedule_interval": "1 day", "config": '{"k": 1}', "scheduled": False}]
SLEEPS = ("SELECT count(*) > 0 FROM pg_stat_activity"
          " WHERE wait_event = 'PgSleep' AND datname = current_database()")
OWN = "SELECT count(*) FROM timescaledb_information.jobs WHERE job_id >= 1000"


def hourly(database, what="app.reading", where="true"):
    """What the hourly aggregate must show, from the rows."""
    return database.query("SELECT to_timestamp(floor(extract(epoch FROM at) / 3600) * 3600), device, count(*),"
                          f" sum(value) FROM {what} WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2")


def test_aggregates_live_and_killed_while_they_fill(godwit, plan, source, tsl_target):
    """Made empty, filled behind the switch through a kill, then policies and jobs; `verify` tells what goes missing."""
    source.execute(SEED)
    mine = plan(source, tsl_target, select={"schemas": ["app", '"Odd"']}, hypertables=HYPERTABLES,
                continuous_aggregates=AGGREGATES, jobs=WORK, cutover={"approval": {"required": True}})
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    assert tsl_target.value(OWN) == 0
    assert tsl_target.value('SELECT count(*) FROM "Odd"."Hourly"') == 0
    source.execute("UPDATE app.reading SET value = value + 0.5 WHERE device = 2;"
                   "DELETE FROM app.reading WHERE device = 3 AND at < '2026-02-01';"
                   "INSERT INTO app.reading VALUES ('2026-01-01 00:00:01+00', 9, 9)")
    tsl_target.execute("CREATE TABLE app.held_back ()")
    godwit("approve", mine, code=0)
    tsl_target.wait_until(SLEEPS)
    done = tsl_target.value("SELECT detail FROM godwit.gate WHERE gate = 'aggregate.refresh:\"Odd\".\"Hourly\"'")
    assert "2026-01-10" < done < "2026-03-26"
    running.kill9()
    tsl_target.execute("DROP TABLE app.held_back")
    tsl_target.wait_until("SELECT count(pg_terminate_backend(pid)) = 0 FROM pg_stat_activity"
                          " WHERE query LIKE 'CALL %refresh%' AND datname = current_database()")
    assert 0 < tsl_target.value('SELECT count(*) FROM "Odd"."Hourly"')
    assert tsl_target.value(OWN) == 0
    told = godwit("apply", mine, code=0).err
    assert '"Odd"."Hourly" is refreshed' in told and "refreshed up to 2026-01-1" not in told
    assert hourly(source) == hourly(tsl_target)
    assert tsl_target.query('SELECT "Hour", device, n, total FROM "Odd"."Hourly" ORDER BY 1, 2') == hourly(source)
    assert tsl_target.query('SELECT month, n, total FROM "Odd"."Mon thly" ORDER BY 1') == source.query(
        "SELECT date_trunc('month', at, 'UTC'), count(*), sum(value) FROM app.reading GROUP BY 1 ORDER BY 1")
    assert tsl_target.query("SELECT s, n FROM app.ticks ORDER BY 1") == source.query(
        "SELECT s / 3600 * 3600, count(*) FROM app.tick GROUP BY 1 ORDER BY 1")
    assert tsl_target.value(OWN) == 5
    assert tsl_target.query("SELECT config - 'mat_hypertable_id' FROM timescaledb_information.jobs"
                            " WHERE proc_name = 'policy_refresh_continuous_aggregate'"
                            " ORDER BY config ->> 'end_offset'") == [
        ({"start_offset": None, "end_offset": "1 day"},), ({"start_offset": None, "end_offset": 3600},)]
    assert "TimescaleDB: 11 compared, 0 differences" in godwit("verify", mine, code=0).out
    tsl_target.execute("SELECT remove_continuous_aggregate_policy('app.ticks')")
    tsl_target.execute("DROP MATERIALIZED VIEW \"Odd\".\"Mon thly\"")
    told = godwit("verify", mine, code=9).out
    assert 'missing on the target: aggregate:"Odd"."Mon thly"' in told
    assert "missing on the target: aggregate.policy:app.ticks" in told
    assert "TimescaleDB: 11 compared, 2 differences" in told


def test_a_reset_takes_the_aggregates_along(godwit, plan, source, tsl_target):
    """What TimescaleDB refuses stops before any row is copied; a reset leaves nothing, a stranger's view is kept."""
    source.execute(SEED)
    wrong = {"target_view": "app.wrong", "query": "SELECT at, value FROM app.reading"}
    mine = plan(source, tsl_target, select={"schemas": ["app", '"Odd"']}, hypertables=HYPERTABLES,
                continuous_aggregates=[*AGGREGATES, wrong], jobs=WORK)
    told = godwit("apply", mine).err
    assert "aggregate:app.wrong" in told
    assert tsl_target.value("SELECT count(*) FROM app.reading") == 0
    assert tsl_target.value("SELECT count(*) FROM timescaledb_information.continuous_aggregates") > 0
    godwit("reset", mine, "--yes", code=0)
    assert tsl_target.value("SELECT count(*) FROM timescaledb_information.continuous_aggregates") == 0
    assert tsl_target.value("SELECT to_regclass('app.reading') IS NULL")
