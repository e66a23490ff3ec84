"""Community features: what `plan` prints for them runs on the community edition in WASM; the Apache edition is told."""
import json
import re
import subprocess
from pathlib import Path

import cluster as lab
import pytest
from test_hypertables import target  # noqa: F401  pylint: disable=unused-import

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
