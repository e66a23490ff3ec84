"""replication.publications and replication.replica_identity: what is set on the source is what the plan says, is
taken back at the end however the run ends, and never breaks the source's own writes."""
import re

import pytest
from road import APPROVAL, WAITING, replicating
from stream import Trial

TABLES = """
CREATE TABLE keyed (id int PRIMARY KEY, v text);
CREATE TABLE "Odd" ("The Id" int NOT NULL, v text);
CREATE UNIQUE INDEX "odd uq" ON "Odd" ("The Id");
CREATE TABLE log (at timestamptz, v text);
CREATE TABLE columns_only (a int NOT NULL, b text NOT NULL, v text);
CREATE TABLE parted (k int NOT NULL, v text) PARTITION BY RANGE (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
CREATE UNIQUE INDEX parted_uq ON parted (k);
CREATE TABLE missing (id int NOT NULL UNIQUE, v text);
CREATE TABLE nothing (id int NOT NULL, v text);
ALTER TABLE nothing REPLICA IDENTITY NOTHING;
"""
ALL = ["keyed", '"Odd"', "log", "columns_only", "parted", "missing", "nothing"]
IDENTITIES = """
SELECT c.relname, c.relreplident::text, (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                                    WHERE i.indrelid = c.oid AND i.indisreplident)
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1
"""
INDEXES = "SELECT c.relname FROM pg_class c WHERE c.relkind = 'i' AND c.relname LIKE 'godwit\\_%'"
PUBLICATIONS = "SELECT pubname FROM pg_publication ORDER BY 1"
PLAN = {
    "replica_identity": {"when_missing": "set", "tables": [
        {"table": 'public."Odd"', "using_index": "odd uq"},
        {"table": "~public\\.lo.", "full": True},
        {"table": "public.columns_only", "columns": ["a", "b"]},
        {"table": "public.parted", "using_index": "parted_uq"},
    ]},
    "publications": [
        {"name": "first pub", "tables": ["public.keyed", "public.log"]},
        {"name": "adopted", "existing": "adopt"},
        {"name": "the_rest"},
    ],
}


def write(source, number):
    """One change of each kind on every table, as an application that knows nothing of the run."""
    key = f"{number % 20}"
    source.execute(f"""
        INSERT INTO keyed VALUES ({number}, 'a'); UPDATE keyed SET v = 'b' WHERE id = {number};
        INSERT INTO "Odd" VALUES ({number}, 'a'); UPDATE "Odd" SET "The Id" = -{number} WHERE "The Id" = {number};
        INSERT INTO log VALUES (now(), '{number}'), (now(), NULL); UPDATE log SET v = v || 'x' WHERE v = '{number}';
        INSERT INTO columns_only VALUES ({number}, 'b', 'c'), ({number}, 'c', 'd');
        DELETE FROM columns_only WHERE a = {number} AND b = 'b';
        DELETE FROM parted WHERE k = {key}; INSERT INTO parted VALUES ({key}, '{number}');
        INSERT INTO missing VALUES ({number}, 'm'); UPDATE missing SET v = 'n' WHERE id = {number};
        INSERT INTO nothing VALUES ({number}, 'm'); DELETE FROM nothing WHERE id = {number - 1};
    """)


def test_identities_and_publications(source, target, plan, godwit):
    """Own, adopted and left-over publications; every way to give an identity; killed, resumed, taken back."""
    source.execute(TABLES)
    source.execute("CREATE PUBLICATION adopted FOR TABLE missing, nothing")
    with pytest.raises(Exception, match="replica identity"):
        source.execute("INSERT INTO missing VALUES (1, 'x'); UPDATE missing SET v = 'y'")
    source.execute("INSERT INTO nothing VALUES (1, 'x')")
    before = source.query(IDENTITIES)
    mine = plan(replication=PLAN, cutover=APPROVAL)
    shown = godwit("plan", mine, "--format", "sql", code=0).out
    assert 'CREATE UNIQUE INDEX CONCURRENTLY "godwit_' in shown
    assert 'ALTER TABLE "public"."log" REPLICA IDENTITY FULL' in shown
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    write(source, 5)
    running.kill9()
    assert dict(row[:2] for row in source.query(IDENTITIES)) == {
        "Odd": "i", "columns_only": "i", "keyed": "d", "log": "f", "missing": "i", "nothing": "f", "parted_1": "i",
        "parted_2": "i"}
    assert [row[0] for row in source.query(PUBLICATIONS)] == ["adopted", "first pub", "the_rest"]
    write(source, 6)
    with replicating(godwit, mine, source, target):
        write(source, 7)
        write(source, 8)
    assert source.query(IDENTITIES) == before
    assert target.query(IDENTITIES) == before
    assert source.query(INDEXES) == [] and target.query(INDEXES) == []
    assert [row[0] for row in source.query(PUBLICATIONS)] == ["adopted"]
    assert source.query("SELECT * FROM pg_replication_slots WHERE database = current_database()") == []


@pytest.mark.parametrize("command", ["cleanup", "reset"])
def test_taken_back(command, source, target, plan, godwit):
    """cleanup and reset take back identities, indexes and publications, but not what somebody changed since; reset
    does it also with a plan that names none of them any more. An identity whose index is gone becomes none."""
    source.execute(TABLES)
    source.execute("CREATE TABLE gone (id int NOT NULL); CREATE UNIQUE INDEX gone_uq ON gone (id);"
                   "ALTER TABLE gone REPLICA IDENTITY USING INDEX gone_uq; DROP INDEX gone_uq")
    before = [("gone", "n", None) if row[0] == "gone" else row for row in source.query(IDENTITIES)]
    mine = plan(replication={"replica_identity": PLAN["replica_identity"], "publications": [{"name": "mine"}]})
    godwit("apply", mine, "--until", "slot", code=0)
    assert source.query(INDEXES) != []
    source.execute("ALTER TABLE log REPLICA IDENTITY NOTHING")
    if command == "reset":
        mine.change(replication=None, select={"exclude": ["public.columns_only"]})
    result = godwit(command, mine, "--yes", code=0)
    assert "public.log is not the one that was set" in result.err
    source.execute("ALTER TABLE log REPLICA IDENTITY DEFAULT")
    assert source.query(IDENTITIES) == before
    assert source.query(INDEXES) == [] and source.query(PUBLICATIONS) == []
    assert "nothing to clean up" in godwit("cleanup", mine, "--yes", code=0).out


def test_orphans_are_found(source, target, plan, godwit):
    """Without the journal, publication and index are found by mark and name."""
    source.execute("CREATE TABLE columns_only (a int NOT NULL, v text)")
    mine = plan(replication={"replica_identity": {"tables": [{"table": "public.columns_only", "columns": ["a"]}]},
                             "publications": [{"name": "mine"}]})
    godwit("apply", mine, "--until", "publication", code=0)
    target.execute("DROP SCHEMA godwit CASCADE")
    source.execute("ALTER TABLE columns_only REPLICA IDENTITY FULL")
    result = godwit("cleanup", mine, "--yes", code=0)
    assert "dropped publication mine" in result.out and "dropped index public.godwit_" in result.out
    assert source.query(INDEXES) == [] and source.query(PUBLICATIONS) == []


def test_identity_lost_before_publishing(source, target, plan, godwit):
    """A table that loses its identity after the checks is not published: the application goes on."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)")
    mine = plan()
    godwit("apply", mine, "--until", "schema_pre", code=0)
    source.execute("ALTER TABLE u REPLICA IDENTITY NOTHING")
    result = godwit("apply", mine, env={"GODWIT_FAULT": ""})
    assert result.code in (1, 4) and "public.u" in result.err
    source.execute("INSERT INTO u VALUES (1); DELETE FROM u")


WRONG = {
    "index": ({"replica_identity": {"tables": [{"table": "public.keyed", "using_index": "keyed_pk"}]}},
              "P341", "did you mean \"keyed_pkey\""),
    "not unique": ({"replica_identity": {"tables": [{"table": "public.log", "using_index": "log_v"}]}},
                   "P341", "It must be unique"),
    "column": ({"replica_identity": {"tables": [{"table": "public.keyed", "columns": ["nope"]}]}},
               "P342", "has no column \"nope\""),
    "nullable": ({"replica_identity": {"tables": [{"table": "public.log", "columns": ["v"]}]}},
                 "P342", "column public.log.v may be null"),
    "partitioned": ({"replica_identity": {"tables": [{"table": "public.parted", "columns": ["k"]}]}},
                    "P342", "public.parted is partitioned"),
    "unused": ({"replica_identity": {"tables": [{"table": "public.other", "full": True}]}},
               "P343", "public.other is no selected table"),
    "exists": ({"publications": [{"name": "there"}]}, "P344", "existing: adopt"),
    "more": ({"publications": [{"name": "there", "existing": "adopt"}, {"name": "rest"}]},
             "P345", "publishes other.t, which is not selected"),
    "less": ({"publications": [{"name": "some", "tables": ["public.keyed"]}]},
             "P345", "public.log is selected, but no publication has it"),
    "no table": ({"publications": [{"name": "some", "tables": ["public.keyed", "public.nope"]}, {"name": "rest"}]},
                 "P301", "no selected table is called public.nope"),
    "kinds": ({"publications": [{"name": "inserts", "existing": "adopt"}, {"name": "rest"}]},
              "P346", "publishes other kinds of changes"),
    "empty": ({"publications": [{"name": "one"}, {"name": "two"}]}, "P347", 'publication "two" has no selected table'),
}


def test_wrong_plans(source, target, plan, godwit):
    """Each names what is wrong, where, and what to do, with exit status 3; nothing is changed."""
    source.execute(TABLES)
    source.execute("CREATE INDEX log_v ON log (v); CREATE SCHEMA other; CREATE TABLE other.t (id int PRIMARY KEY);"
                   "CREATE PUBLICATION there FOR TABLE keyed, other.t;"
                   "CREATE PUBLICATION inserts FOR TABLE keyed WITH (publish = 'insert')")
    base = {"replica_identity": {"when_missing": "set"}}
    mine = plan(replication=base)
    for name, (keys, code, text) in WRONG.items():
        wanted = dict(keys, replica_identity=dict(base["replica_identity"], **keys.get("replica_identity", {})))
        mine.change(replication=wanted)
        result = godwit("check", mine, code=3)
        assert code in result.err + result.out and text in result.err + result.out, (name, result.out, result.err)
        assert ".yaml:" in result.err + result.out, name
    assert source.query(PUBLICATIONS) == [("inserts",), ("there",)]


def test_defaults_check(source, target, plan, godwit):
    """Without the key a table without identity is refused before anything is published."""
    source.execute("CREATE TABLE log (v text)")
    result = godwit("apply", plan(), code=4)
    assert "G201" in result.err
    assert source.query(PUBLICATIONS) == []
    assert target.value("SELECT to_regclass('public.log')") is None


def test_identities_that_are_no_key(source, target, plan, godwit):
    """A partition's own key, and one over a generated column, tell no row on the target: an error before the run. The
    remedy, or a plan that publishes no old rows, does away with it."""
    source.execute("CREATE TABLE p (id int, v text) PARTITION BY RANGE (id);"
                   "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); ALTER TABLE p1 ADD PRIMARY KEY (id);"
                   "CREATE TABLE g (a int, b int GENERATED ALWAYS AS (a * 2) STORED PRIMARY KEY, v text);"
                   "CREATE TABLE k (id int PRIMARY KEY, code int NOT NULL) PARTITION BY RANGE (id);"
                   "CREATE TABLE k1 PARTITION OF k FOR VALUES FROM (0) TO (10); CREATE UNIQUE INDEX c ON k1 (code);"
                   "ALTER TABLE k1 REPLICA IDENTITY USING INDEX c")
    mine = plan()
    said = godwit("check", mine, "--sample", "0s", code=4).out
    assert "error G204 source public.p1: its replica identity p1_pkey is no key of public.p\n" in said
    assert "error G204 source public.g: its replica identity g_pkey is no key of public.g\n" in said
    assert "error G204 source public.k1: its replica identity c lacks id, a column of key k_pkey\n" in said
    assert said.count("error ") == 3
    mine.change(replication={"publish": ["insert"]})
    assert "G204" not in godwit("check", mine, "--sample", "0s", code=0).out
    mine.change(replication=None)
    for fix in re.findall(r"fix: (ALTER TABLE .*;)\n", said):
        source.execute(fix)
    godwit("check", mine, "--sample", "0s", code=0)


def test_generated_columns_of_whole_rows(database, target, plan, godwit):
    """From 18 on a table whose whole row is its identity refuses UPDATE and DELETE if it is published without its
    generated columns: stored ones are published, and dropped on receipt; virtual ones are an error before the run."""
    source = database("pg18", prefix="src")
    tables = "CREATE TABLE g (a int, b int GENERATED ALWAYS AS (a * 2) STORED, v text);" \
        "ALTER TABLE g REPLICA IDENTITY FULL;" \
        "CREATE TABLE k (b int GENERATED ALWAYS AS (id * 2) STORED, id int PRIMARY KEY, v text)"
    source.execute(tables)
    mine = plan(source, target)
    create = re.search(r'CREATE PUBLICATION "[^"]*"([^;]*);', godwit("plan", mine, "--format", "sql").out)
    source.execute("CREATE PUBLICATION trial_pub" + create.group(1))
    target.execute(tables)
    slot = "trial_" + source.name
    source.value("SELECT 1 FROM pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))
    with Trial(mine, source, target, slot) as trial:
        for table, column in (("g", "a"), ("k", "id")):
            source.execute(f"INSERT INTO {table} ({column}, v) SELECT i, 'v' FROM generate_series(1, 50) AS i")
            source.execute(f"UPDATE {table} SET v = 'w', {column} = -{column} WHERE {column} % 2 = 0;"
                           f"DELETE FROM {table} WHERE {column} % 3 = 0")
        trial.catch_up()
        assert trial.same("g") and trial.same("k")
    source.execute("ALTER TABLE g ADD c int GENERATED ALWAYS AS (a * 3) VIRTUAL;"
                   "ALTER TABLE k ADD c int GENERATED ALWAYS AS (id * 3) VIRTUAL; DROP PUBLICATION trial_pub")
    refused = "G201 source public.g: has replica identity FULL and the virtual generated column c\n"
    said = godwit("check", mine, "--sample", "0s").out
    assert refused in said and "public.k: has replica identity" not in said
    mine.change(replication={"plugin": "test_decoding"})
    assert refused not in godwit("check", mine, "--sample", "0s").out


def test_publication_dropped_by_hand(source, target, plan, godwit):
    """What is written meanwhile cannot be decoded, whoever makes it again: the run ends, and says what brings it on."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    mine = plan(cutover=APPROVAL)
    godwit("apply", mine, "--exit-at-gate", code=6)
    name, = source.query("SELECT pubname FROM pg_publication")[0]
    source.execute(f'DROP PUBLICATION "{name}"; INSERT INTO t VALUES (2)')
    result = godwit("apply", mine, "--exit-at-gate", code=1)
    assert f'publication "{name}" does not exist' in result.err and "resync" in result.err, result.err
    godwit("resync", mine, "--all", "--yes", code=0)
    godwit("apply", mine, "--exit-at-gate", code=6)
    assert target.query("SELECT id FROM t ORDER BY 1") == [(1,), (2,)]
