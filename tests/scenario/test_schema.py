"""What stands around the rows: an awkward schema arrives whole, on plain tables and hypertables."""
import harness
import pytest

AWKWARD = (harness.REPO / "tests/unit/step/awkward.sql").read_text(encoding="utf-8")
SCHEMAS = ["app", '"Odd ""Schema"""', '"TABLE"', '"ATTACH"']
IDENTITIES = """
ALTER TABLE "ATTACH"."DATA" REPLICA IDENTITY FULL;
ALTER TABLE "TABLE".x REPLICA IDENTITY FULL;
ALTER TABLE app.res REPLICA IDENTITY FULL;
INSERT INTO app.a23456789012345678901234567890123456789012345678901234567890123 (p) VALUES (7);
"""

# Columns' options; and their versions, as the minor releases of November 2026 keep them, on servers that do not.
OPTIONS = """
ALTER TABLE app.res ALTER COLUMN room SET (n_distinct = 5, n_distinct_inherited = -0.5);
SET allow_system_table_mods = on;
UPDATE pg_attribute SET attoptions = array_prepend('pg_attver=22228968', attoptions)
 WHERE attrelid IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace >= 16384)
   AND attnum > 0 AND NOT (attoptions::text LIKE '%pg_attver%') IS TRUE;
"""

# One row for each object, in words that do not depend on the server's version.
FACTS = """
SELECT 'constraint', conrelid::regclass::text, conname::text, contype::text || convalidated::text
  FROM pg_constraint WHERE contype <> 'n' AND conparentid = 0 AND conrelid <> 0
   AND connamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'index', indrelid::regclass::text, c.relname::text,
       format('%%s %%s %%s %%s', indisvalid, indisreplident, indisclustered, c.reloptions)
  FROM pg_index JOIN pg_class c ON c.oid = indexrelid
 WHERE c.relnamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname::text, tgenabled::text
  FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
 WHERE NOT tgisinternal AND c.relnamespace::regnamespace::text = ANY (%(schemas)s)
   AND tgname <> 'ts_insert_blocker'
UNION ALL
SELECT 'rule', ev_class::regclass::text, rulename::text, ev_enabled::text
  FROM pg_rewrite JOIN pg_class c ON c.oid = ev_class
 WHERE c.relnamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'policy', polrelid::regclass::text, polname::text, pg_get_expr(polqual, polrelid)
  FROM pg_policy JOIN pg_class c ON c.oid = polrelid
 WHERE c.relnamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'relation', c.oid::regclass::text, c.relkind::text,
       format('%%s %%s %%s %%s', relrowsecurity, relforcerowsecurity, relreplident, relispopulated)
  FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
   AND c.relnamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'column', attrelid::regclass::text, attname::text,
       format('%%s %%s %%s %%s %%s %%s', format_type(atttypid, atttypmod), attnotnull, attidentity,
              attgenerated, pg_get_expr(adbin, adrelid),
              ARRAY(SELECT o FROM unnest(attoptions) o WHERE o NOT LIKE 'pg_attver=%%' ORDER BY o))
  FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE attnum > 0 AND relkind IN ('r', 'p', 'v', 'm')
   AND c.relnamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'function', p.oid::regprocedure::text, prokind::text, provolatile::text
  FROM pg_proc p WHERE pronamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'type', t.oid::regtype::text, typtype::text,
       (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)
  FROM pg_type t WHERE typtype IN ('d', 'e', 'c', 'r')
   AND typnamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'statistics', stxrelid::regclass::text, stxname::text, stxkind::text
  FROM pg_statistic_ext WHERE stxnamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'comment', a.identity, a.type, d.description
  FROM pg_description d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) a
 WHERE d.objoid >= 16384 AND a.type <> 'extension' AND a.identity !~ '_timescaledb|timescaledb_'
   AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid
                      AND e.deptype = 'e')
"""


def facts(database, schemas):
    """The database's objects as a set of tuples."""
    return set(database.query(FACTS, {"schemas": schemas}))


def assert_same_objects(source, target, schemas, *, lost=(), changed=()):
    """Both hold the same objects but for those of the source that cannot be on this target."""
    left, right = facts(source, schemas), facts(target, schemas)
    assert {"constraint", "index", "trigger", "policy", "column"} <= {fact[0] for fact in left}
    only_left, only_right = left - right, right - left
    assert only_left == set(lost), f"lost: {sorted(map(str, only_left - set(lost)))}"
    assert only_right == set(changed), f"not of the source: {sorted(map(str, only_right))}"


@pytest.mark.parametrize("pair", [("pg15", "pg17"), ("pg17", "pg17"), ("pg16", "pg18"),
                                  ("pg15", "pg15")], ids="-".join)
def test_an_awkward_schema_arrives_whole(pair, database, plan, godwit):
    """Every kind of object, odd names, two levels of partitions, late triggers, forced policies."""
    source, target = database(pair[0], prefix="src"), database(pair[1], prefix="dst")
    source.execute("CREATE EXTENSION btree_gist; CREATE EXTENSION citext;"
                   "CREATE TABLE public.not_selected (id int)")
    source.execute("SET search_path = public;" + AWKWARD + IDENTITIES + OPTIONS)
    mine = plan(source, target, select={"schemas": SCHEMAS})
    godwit("apply", mine, code=0)
    assert_same_objects(source, target, SCHEMAS)
    assert target.value("SELECT to_regclass('public.not_selected') IS NULL")
    assert target.value("SELECT to_regclass('other.secret') IS NULL")
    assert target.value("SELECT count(*) FROM app.gmv") == 2
    harness.assert_same(source, target, schemas=["app"])


HYPER = """
CREATE SCHEMA app;
CREATE TABLE app.dev (id int PRIMARY KEY, name text);
CREATE TABLE app.metrics (time timestamptz, dev int REFERENCES app.dev, v float8, note text NOT NULL,
                          PRIMARY KEY (dev, time));
CREATE INDEX metrics_v ON app.metrics (v) WITH (fillfactor = 80);
CREATE UNIQUE INDEX metrics_u ON app.metrics (time, dev, note);
ALTER TABLE app.metrics REPLICA IDENTITY USING INDEX metrics_u;
CREATE TABLE app.alarm (id int PRIMARY KEY, dev int, t timestamptz,
                        FOREIGN KEY (dev, t) REFERENCES app.metrics);
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER origin BEFORE INSERT ON app.metrics FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TRIGGER always BEFORE INSERT ON app.metrics FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.metrics ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER off BEFORE INSERT ON app.metrics FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.metrics DISABLE TRIGGER off;
CREATE TABLE app."Odd ""T" ("Ti me" bigint NOT NULL, x int, CHECK (x > 0), PRIMARY KEY ("Ti me", x));
CREATE STATISTICS app.st ON dev, v FROM app.metrics;
ALTER TABLE app.metrics ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON app.metrics USING (dev > 0);
INSERT INTO app.dev SELECT i, 'd' || i FROM generate_series(1, 9) i;
INSERT INTO app.metrics SELECT '2026-01-01'::timestamptz + i * '1 hour'::interval, 1 + i %% 9, i, i
  FROM generate_series(1, 3000) i;
INSERT INTO app.alarm SELECT row_number() OVER (), dev, time FROM app.metrics LIMIT 50;
INSERT INTO app."Odd ""T" SELECT i, i FROM generate_series(1, 500) i;
""".replace("%%", "%")


def test_hypertables_keep_what_they_can(database, plan, godwit):
    """Keys both ways, indexes, identity, policies arrive; triggers that hypertables cannot switch
    are left out or changed, and said."""
    source = database("pg15", prefix="src")
    target = database("pg17", prefix="dst")
    source.execute(HYPER)
    mine = plan(source, target, select={"schemas": ["app"]}, hypertables=[
        {"target_table": "app.metrics", "create_default_indexes": False,
         "by_range": {"column_name": "time", "partition_interval": "7 days"}},
        {"target_table": 'app."Odd ""T"', "create_default_indexes": False,
         "by_range": {"column_name": "Ti me", "partition_interval": 100}}])
    result = godwit("apply", mine, code=0)
    assert "trigger always of hypertable app.metrics loses ENABLE ALWAYS" in result.err
    assert "hypertables cannot disable triggers" in result.err
    table = "app.metrics"
    assert_same_objects(
        source, target, ["app"],
        lost=[("trigger", table, "always", "A"), ("trigger", table, "off", "D")],
        changed=[("trigger", table, "always", "O")])
    harness.assert_same(source, target, schemas=["app"])
    assert target.query(
        "SELECT hypertable_name, column_name, coalesce(time_interval::text, integer_interval::text)"
        "  FROM timescaledb_information.dimensions ORDER BY 1") == [
            ('Odd "T', "Ti me", "100"), ("metrics", "time", "7 days")]
    assert target.value("SELECT count(*) > 15 FROM timescaledb_information.chunks")


@pytest.mark.parametrize("moment", [r"restored before the rows", r"\[schema_pre\] done",
                                    r"\[foreign_key:", r"restored after|\[schema_post\]",
                                    r"\[validate:"])
def test_anchor_27_killed_between_and_inside_the_schema_steps(moment, database, plan, godwit):
    """SIGKILL around the restores: apply again ends with the same objects."""
    source, target = database("pg15", prefix="src"), database("pg17", prefix="dst")
    source.execute("SET search_path = public;" + AWKWARD + IDENTITIES + OPTIONS)
    mine = plan(source, target, select={"schemas": SCHEMAS})
    running = godwit.start("apply", mine)
    running.wait_for(moment)
    running.kill9()
    godwit("apply", mine, code=0)
    assert_same_objects(source, target, SCHEMAS)


SPELLED = r"""
CREATE TABLE spelled (id int PRIMARY KEY, v text DEFAULT E'a\\b' CHECK (v !~ E'^\\d+$'), b bytea DEFAULT '\x00ff5c',
                      cash money DEFAULT 1234.5, names text[]);
CREATE INDEX spelled_v ON spelled (v) WHERE v <> E'\\';
CREATE VIEW "Spelled" AS SELECT id FROM spelled WHERE v = E'\\n';
INSERT INTO spelled (id, names) VALUES (1, ARRAY[NULL, 'NULL', '\']), (2, NULL);
"""
SPELLINGS = ({"standard_conforming_strings": "off", "quote_all_identifiers": "on", "bytea_output": "escape"},
             {"standard_conforming_strings": "off", "array_nulls": "off"})
DEFINED = """SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'public.spelled'::regclass
    UNION ALL SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'public.spelled'::regclass
    UNION ALL SELECT pg_get_indexdef('public.spelled_v'::regclass)
    UNION ALL SELECT pg_get_viewdef('"Spelled"'::regclass)
    UNION ALL SELECT spelled::text FROM public.spelled ORDER BY 1"""


def test_settings_that_spell_values_otherwise(database, plan, godwit):
    r"""Databases whose sessions write '\\' for '\', quote each name, or take the element NULL for a text: what is
    dumped, copied, streamed and compared is the same."""
    source, target = database("pg17", prefix="src"), database("pg17", prefix="dst")
    source.execute(SPELLED)
    for side, settings in zip((source, target), SPELLINGS):
        for name, value in settings.items():
            side.execute(f"ALTER DATABASE {side.name} SET {name} = '{value}'")
    mine = plan(source, target, cutover={"approval": {"required": True}}, schema={"database_settings": "omit"})
    engine = godwit.start("apply", mine)
    engine.wait_for("waiting for an approval")
    source.execute(r"SET standard_conforming_strings = on; INSERT INTO spelled VALUES (3, '\\', DEFAULT, 7, '{}');"
                   "UPDATE spelled SET names = ARRAY[NULL, names[2]] WHERE id = 1")
    assert "1 relations verified, 0 differences" in godwit("verify", mine, code=0).out
    godwit("approve", mine, code=0)
    engine.wait(code=0)
    assert "1 relations verified, 0 differences" in godwit("verify", mine, code=0).out
    seen = []
    for side in (source, target):
        with side.connect() as connection:
            connection.execute("RESET ALL; SET quote_all_identifiers = off; SET standard_conforming_strings = on;"
                               "SET bytea_output = hex")
            seen.append(connection.execute(DEFINED).fetchall())
    assert seen[0] == seen[1]
