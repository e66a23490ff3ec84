"""replication.plugin: test_decoding, the road without publications."""
import os
import subprocess

import harness
import psycopg
import pytest
from stream import Trial

PLUGIN = {"replication": {"plugin": "test_decoding"}}
TYPES = r"""
CREATE SCHEMA "Odd ""S"" .x";
CREATE TYPE "Odd ""S"" .x"."odd]ty""pe" AS ENUM ('a''b', 'null', 'c d');
CREATE DOMAIN short AS varchar(20);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE t (id int PRIMARY KEY, a text, b numeric, c timestamptz DEFAULT now(), n int8, o oid,
    f float8, e "Odd ""S"" .x"."odd]ty""pe", es "Odd ""S"" .x"."odd]ty""pe"[], bits bit(5),
    vbits varbit, yes bool, j jsonb, raw bytea, many text[], d short, p pair, iv interval, cash money,
    "char" "char", r int4range, ip inet, u uuid, x xml, ch char(8), "new-tuple" text,
    twice int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE "Odd ""S"" .x"."T: ""y"", z" ("Key [1]:" text PRIMARY KEY, "select" int);
CREATE TABLE whole (a int, b text, c numeric); ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE by_index (a int, b int NOT NULL, c text); CREATE UNIQUE INDEX by_index_b ON by_index (b);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_b;
CREATE TABLE big (id int PRIMARY KEY, doc text, small int); ALTER TABLE big ALTER doc SET STORAGE EXTERNAL;
CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (1000);
CREATE TABLE gone (id serial PRIMARY KEY);
CREATE TABLE other (id int, doc text);
"""
TABLES = ["t", '"Odd ""S"" .x"."T: ""y"", z"', "whole", "by_index", "big", "p", "gone"]
CHANGES = r"""
INSERT INTO t SELECT g, E'tab\t nl\n \\ '' "q" null', g / 3.0, '2026-01-01 +02', -g, 4000000000, 'NaN',
    'a''b', ARRAY['null', NULL, 'c d']::"Odd ""S"" .x"."odd]ty""pe"[], B'01010', B'', g % 2 = 0,
    '{"a": null}', '\x00ff27', ARRAY['', NULL, 'null', '"x"'], 'it''s', '(1,"x''y")', '-1 mon 3 days',
    '12.34', 'z', '[1,5)', '10.0.0.0/8', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', '<a b=''c''/>', 'pad',
    ' old-key: x' FROM generate_series(1, 300) g;
INSERT INTO t (id, a, b, f, bits) VALUES (1001, '', 'Infinity', '-Infinity', NULL),
    (1002, 'null', '-0.00', 1e-300, B'11111'),
    (1003, 'unchanged-toast-datum', 1e50, -0.0, NULL), (1004, NULL, NULL, NULL, NULL);
UPDATE t SET a = NULL, "new-tuple" = '' WHERE id % 7 = 0; UPDATE t SET id = id + 5000 WHERE id % 11 = 0;
DELETE FROM t WHERE id % 13 = 0;
INSERT INTO "Odd ""S"" .x"."T: ""y"", z" VALUES ('it''s [x]:', 1), (' new-tuple: ', NULL), ('gone', 3);
UPDATE "Odd ""S"" .x"."T: ""y"", z" SET "Key [1]:" = 'other' WHERE "select" = 1;
DELETE FROM "Odd ""S"" .x"."T: ""y"", z" WHERE "select" = 3;
INSERT INTO whole VALUES (1, NULL, 1.0), (1, NULL, 1.0), (1, NULL, 1.00), (NULL, NULL, NULL), (2, 'x', 2);
UPDATE whole SET b = 'y' WHERE a = 2; DELETE FROM whole WHERE a IS NULL;
INSERT INTO by_index SELECT g, g, 'c' FROM generate_series(1, 50) g;
UPDATE by_index SET b = b + 100 WHERE b < 10; DELETE FROM by_index WHERE b % 5 = 0;
INSERT INTO big SELECT g, repeat(md5(g::text), 65536), g FROM generate_series(1, 4) g;
UPDATE big SET small = -small WHERE id < 3; UPDATE big SET id = id + 50 WHERE id = 1;
INSERT INTO p SELECT g, 'v' FROM generate_series(1, 200) g; UPDATE p SET id = id + 250 WHERE id < 20;
INSERT INTO gone SELECT FROM generate_series(1, 10); TRUNCATE gone RESTART IDENTITY; INSERT INTO gone DEFAULT VALUES;
"""


def trial_on(plan, source, target, schema, **options):
    """A trial whose slot is one of test_decoding."""
    for side in (source, target):
        side.execute(schema)
    slot = "trial_" + source.name
    source.value(f"SELECT 1 FROM pg_create_logical_replication_slot('{slot}', 'test_decoding')")
    return Trial(plan, source, target, slot, **options)


@pytest.mark.parametrize("flavor", ["pg14", "pg18"])
def test_everything_through_text(plan, database, target, flavor):
    """All types, odd names, identities, TOAST that does not travel, partitions, TRUNCATE; committed
    once, also when the walsender dies and the engine is killed; unselected tables cost nothing."""
    source = database(flavor)
    keys = {**PLUGIN, "select": {"schemas": ["public", '"Odd ""S"" .x"'], "exclude": ["public.other"]}}
    mine = plan(source_db=source, **keys)
    with trial_on(mine, source, target, TYPES) as trial:
        for statement in CHANGES.split(";\n"):
            source.execute(statement)
            source.execute("INSERT INTO other SELECT g, 'x' FROM generate_series(1, 50) g")
        trial.catch_up()
        for table in TABLES:
            assert trial.same(table)
        source.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                       f"WHERE slot_name = '{trial.slot}'")
        source.execute("UPDATE t SET b = b + 1; UPDATE p SET v = 'w' WHERE id > 150; TRUNCATE whole")
        trial.catch_up()
        source.execute("INSERT INTO whole SELECT g, 'k', g FROM generate_series(1, 500) g")
        trial.kill()
        source.execute("INSERT INTO whole VALUES (0, 'after', 0)")
        with trial.again() as second:
            second.catch_up()
            for table in TABLES:
                assert second.same(table)
            assert second.status()["conflicts"] == 0


@pytest.mark.parametrize("change, said", [
    ("ALTER TABLE t ADD more int; INSERT INTO t VALUES (2, 'b', 3)", "Column more was added."),
    ("ALTER TABLE t ALTER v TYPE varchar(10); INSERT INTO t VALUES (2, 'b')",
     "Column v was text, it has another type now."),
    ("ALTER TABLE t RENAME v TO w; UPDATE t SET w = 'x'", "Column v was dropped or renamed."),
    ("ALTER TABLE t REPLICA IDENTITY NOTHING; DELETE FROM t", "deleted a row of public.t without telling which"),
    ("ALTER TABLE t RENAME TO a; ALTER TABLE other RENAME TO t; INSERT INTO t VALUES (7, 'other')",
     "public.t is called public.a now."),
    ("ALTER TABLE t RENAME TO gone; CREATE TABLE t (id int PRIMARY KEY, v text); DROP TABLE gone; "
     "INSERT INTO t VALUES (9, 'new')", "public.t is another relation now."),
], ids=["column", "type", "column_name", "identity", "swap", "new"])
def test_changes_that_cannot_be_repeated(plan, source, target, change, said):
    """Other columns, rows that are not told, and names that are another's end the stream; its marker is not reached."""
    schema = "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE other (id int PRIMARY KEY, v text)"
    mine = plan(**PLUGIN, select={"tables": ["public.t"]})
    with trial_on(mine, source, target, schema) as trial:
        trial.may_replay = True
        source.execute("INSERT INTO t VALUES (1, 'a')")
        trial.catch_up()
        source.execute(change)
        problem = trial.fails()
        assert problem["error"] == "E007" and said in str(problem), problem


def test_migration_through_test_decoding(plan, source, target, godwit, writer):
    """A whole migration under load without any publication; the plan says which slot is made. A table that bore another
    name for a while, and was written to meanwhile, is copied anew: its changes cannot be told."""
    source.execute("CREATE TABLE renamed (id int PRIMARY KEY, v text); INSERT INTO renamed VALUES (1, 'a')")
    busy = writer(source)
    mine = plan(**PLUGIN)
    assert "'test_decoding'" in godwit("plan", mine).out
    engine = godwit.start("apply", mine)
    engine.wait_for(r"replicating from", timeout=60)
    source.execute("ALTER TABLE renamed RENAME TO other_name; INSERT INTO other_name VALUES (2, 'lost')")
    ended = engine.wait(60).err  # by the stream, or by the verification if that reads the table before
    assert "public.renamed is called public.other_name now." in ended or "gone: table public.renamed" in ended, ended
    source.execute("ALTER TABLE other_name RENAME TO renamed; UPDATE renamed SET v = 'found' WHERE id = 2")
    godwit("apply", mine, code=0)
    busy.stop(check=False)
    assert source.value("SELECT count(*) FROM pg_publication") == 0
    harness.assert_same(source, target)


def test_another_name_while_nobody_looks(plan, source, target, godwit):
    """Renamed, written to and renamed back while no engine runs: no name tells it, and the changes are nobody's. The
    table is compared whole in front of the cutover; resync brings what it lacks."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')")
    mine = plan(**PLUGIN, cutover={"approval": {"required": True}, "gates": {"stable_for": "100ms"}})
    engine = godwit.start("apply", mine)
    engine.wait_for("waiting for an approval", timeout=60)
    engine.kill9()
    source.execute("ALTER TABLE t RENAME TO other_name; INSERT INTO other_name VALUES (2, 'lost')")
    source.execute("ALTER TABLE other_name RENAME TO t")
    godwit("approve", mine, code=0)
    assert "public.t differs at (id)=(2)" in godwit("apply", mine, code=9).err
    godwit("resync", mine, "public.t", code=0)
    harness.assert_same(source, target)


@pytest.mark.parametrize("plugin", ["test_decoding", "pgoutput"])
def test_migration_of_latin1(plugin, database, plan, godwit):
    """The server sends test_decoding's text as it stores it, pgoutput's in the session's encoding: rows of the copy and
    of the stream arrive the same, in names of tables and columns, in keys, in what is toasted, in what is deleted."""
    source, target = database("pg15"), database("pg17")
    for side in (source, target):
        with side.cluster.connect("postgres") as server:
            server.execute(f"DROP DATABASE {side.name}")
            server.execute(f"CREATE DATABASE {side.name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    source.execute("""
        CREATE TABLE "Größe" ("schlüssel" text PRIMARY KEY, v text, w text);
        ALTER TABLE "Größe" ALTER w SET STORAGE EXTERNAL;
        INSERT INTO "Größe" SELECT 'ÿé' || i, 'ü', repeat('ß', 4000) FROM generate_series(1, 50) AS i""")
    mine = plan(source, target, replication={"plugin": plugin}, cutover={"approval": {"required": True}})
    engine = godwit.start("apply", mine)
    engine.wait_for("waiting for an approval", timeout=60)
    source.execute("""
        UPDATE "Größe" SET v = 'Ä''Ö' WHERE "schlüssel" = 'ÿé3'; DELETE FROM "Größe" WHERE "schlüssel" = 'ÿé4';
        UPDATE "Größe" SET "schlüssel" = 'þ' WHERE "schlüssel" = 'ÿé5'; INSERT INTO "Größe" VALUES ('£', 'æ', 'ø')""")
    godwit("approve", mine, code=0)
    engine.wait(code=0)
    rows = 'SELECT "schlüssel", v, w FROM "Größe" ORDER BY "schlüssel" COLLATE "C"'
    assert sorted(target.query(rows)) == sorted(source.query(rows))
    assert target.query("""SELECT v, length(w) FROM "Größe" WHERE "schlüssel" = 'þ'""") == [("ü", 4000)]


OLD = r"""
CREATE TABLE godwit_old (id int PRIMARY KEY, "V ""v" text, n numeric(9,3), b bit(3), yes bool, es int[], raw bytea)
INSERT INTO godwit_old VALUES (1, 'it''s', 'NaN', B'101', true, '{1,NULL}', E'\\x00ff')
INSERT INTO godwit_old VALUES (2, NULL, -1.5, NULL, false)
ALTER TABLE godwit_old ALTER "V ""v" SET STORAGE EXTERNAL
UPDATE godwit_old SET id = id + 10, "V ""v" = repeat(md5('x'), 100000)
UPDATE godwit_old SET n = 7
DELETE FROM godwit_old WHERE id = 11
ALTER TABLE godwit_old REPLICA IDENTITY FULL
DELETE FROM godwit_old
DROP TABLE godwit_old
"""


def test_lines_of_a_server_are_read(source, tmp_path):
    """What a server sends is read to the end. Those of 9.5 and 9.6 are recorded (tests/unit/cdc/test_recorded.c)."""
    with psycopg.connect(source.conninfo(), autocommit=True) as server:
        server.execute("SELECT pg_create_logical_replication_slot('godwit_old', 'test_decoding')")
        try:
            for statement in OLD.strip().split("\n"):
                server.execute(statement)
            lines = [row[0] for row in server.execute(
                "SELECT data FROM pg_logical_slot_get_changes('godwit_old', NULL, NULL)")]
        finally:
            server.execute("SELECT pg_drop_replication_slot('godwit_old')")
    assert sum(line.startswith("table public.godwit_old: ") for line in lines) == 8
    (tmp_path / "lines").write_text("\n".join(lines), encoding="utf-8")
    reader = harness.godwit_bin().parent / "unit" / "cdc" / "test_test_decoding"
    done = subprocess.run([reader], env={**os.environ, "GODWIT_TEST_LINES": str(tmp_path / "lines")},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and f"read {len(lines)} lines" in done.stdout, done
