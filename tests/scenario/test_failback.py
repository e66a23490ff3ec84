"""The way back: armed in the cutover, kept open behind it, gone by `failback`; and there again."""
import contextlib
import itertools
import re
import threading

import harness
import pytest
import residue

SCHEMA = """
CREATE SCHEMA app;
CREATE TABLE app.account (id bigserial PRIMARY KEY, name text UNIQUE, note text, kind text DEFAULT 'a',
                          twice bigint GENERATED ALWAYS AS (length(name) * 2) STORED);
CREATE TABLE app.entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                        account bigint NOT NULL REFERENCES app.account, amount numeric, at timestamptz);
CREATE TABLE app.log (line text, at int);
CREATE TABLE app.part (day date, id int, body text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE app.part_2 PARTITION OF app.part FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE app.scrap (id int PRIMARY KEY);
CREATE TABLE app."Odd ""one" (id int PRIMARY KEY, v text);
CREATE UNLOGGED TABLE app.cache (id int PRIMARY KEY, v text);
CREATE SEQUENCE app.free INCREMENT 5;
CREATE TABLE app.audit (n serial PRIMARY KEY, account bigint);
CREATE FUNCTION app.noted() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO app.audit (account) VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER noted AFTER INSERT ON app.account FOR EACH ROW EXECUTE FUNCTION app.noted();
INSERT INTO app.account (name, note) SELECT 'n' || i, repeat(md5(i::text), 200) FROM generate_series(1, 500) AS i;
INSERT INTO app.entry (account, amount, at) SELECT 1 + i % 500, i, now() FROM generate_series(1, 2000) AS i;
INSERT INTO app.log SELECT 'same', 1 FROM generate_series(1, 3);
INSERT INTO app.part SELECT '2026-01-01'::date + i % 50, i, 'x' FROM generate_series(1, 300) AS i;
INSERT INTO app.scrap SELECT generate_series(1, 50);
INSERT INTO app."Odd ""one" VALUES (1, 'a');
SELECT nextval('app.free');
"""

# $1 tells rounds apart.
WRITES = """
INSERT INTO {a} (name, note) SELECT 'r{n}_' || i, 'new' FROM generate_series(1, 40) AS i;
UPDATE {a} SET kind = 'b{n}' WHERE id % 7 = {n};
UPDATE {a} SET name = name || '!' WHERE id % 11 = {n};
UPDATE app.entry SET amount = amount + 0.5 WHERE id % 5 = {n};
DELETE FROM app.entry WHERE id % 13 = {n};
INSERT INTO app.entry (account, amount) SELECT 1, i FROM generate_series(1, 20) AS i;
DELETE FROM app.log WHERE ctid = (SELECT ctid FROM app.log WHERE line = 'same' LIMIT 1);
INSERT INTO app.log VALUES ('round {n}', {n}), ('round {n}', {n});
UPDATE app.log SET at = at + 10 WHERE line = 'round {n}';
UPDATE app.part SET day = day + 31 WHERE day < '2026-01-05' AND id % 2 = 0;
UPDATE app.part SET id = id + 1000 * {n} WHERE id % 9 = {n};
INSERT INTO app.part SELECT '2026-02-03', 100000 * {n} + i, 'y' FROM generate_series(1, 10) AS i;
TRUNCATE app.scrap;
DELETE FROM app.cache WHERE id < {n} * 100 - 90;
INSERT INTO app.cache SELECT {n} * 100 + i, 'cached' FROM generate_series(1, 20) AS i;
INSERT INTO app.scrap SELECT {n} * 100 + i FROM generate_series(1, 5) AS i;
UPDATE app."Odd ""one" SET id = id + {n}, v = 'round {n}';
SELECT nextval('app.free') FROM generate_series(1, {n} + 1);
"""
THERE, HERE = "app.customer", "app.account"
MAP = [{"source": HERE, "target": THERE}]
SETTINGS = {"select": {"schemas": ["app"], "map": MAP}, "failback": {"prepare": True},
            "cutover": {"gates": {"stable_for": "100ms"}},
            "replication": {"replica_identity": {"when_missing": "set"}, "heartbeat": "1s"}}
# Runs once both legs' slots and publications are there, on the side that is the primary still: what went round in a
# circle would be there twice, for the table has no key.
BOTH = """#!/usr/bin/python3
import json, os, sys
import psycopg
side = "TARGET" if json.load(sys.stdin)["phase"] == "failback" else "SOURCE"
with psycopg.connect(os.environ[side]) as connection:
    connection.execute("INSERT INTO app.log SELECT 'both', i FROM generate_series(1, 200) AS i")
"""
LEFT = """
SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())
     + (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_class WHERE relname LIKE 'godwit\\_%')
"""


def same(source, target):
    """Rows and sequences, by an independent checksum; the renamed table by its own."""
    for table in ("app.entry", "app.log", "app.part", "app.scrap", 'app."Odd ""one"', "app.audit", "app.cache"):
        assert digest(source, table) == digest(target, table), table
    assert digest(source, HERE) == digest(target, THERE)
    for name in ("app.account_id_seq", "app.entry_id_seq", "app.free", "app.audit_n_seq"):
        other = name.replace("account_id", "customer_id")
        there = other if target.value("SELECT to_regclass(%s) IS NOT NULL", (other,)) else name
        state = "SELECT last_value, is_called FROM "
        assert source.query(state + name) == target.query(state + there), name


def digest(database, table):
    """How many rows, and a sum over all of them."""
    return database.query(f"SELECT count(*), sum(hashtextextended(r::text, 7)::numeric) FROM {table} AS r")


def write(database, table, number):
    """One round of every kind of change, in one transaction and then some more."""
    database.execute(WRITES.format(a=table, n=number))


def refused(database, statement="INSERT INTO app.scrap VALUES (-1)"):
    """The database takes no writes of applications."""
    with pytest.raises(Exception, match="read-only"):
        database.execute(statement)


def test_anchor_40_round_trip_twice(source, target, plan, godwit):
    """There, back, there, back, in three lanes, with writes while both legs stand: after each both sides are the
    same, nothing came twice, and the next way is open without a copy."""
    source.execute(SCHEMA)
    mine = plan(**SETTINGS, apply={"lanes": 3})
    mine.change(replication={"spool": {"directory": str(mine.path.parent / "spool")}})
    both = {"run": ["./both.py"], "env": ["SOURCE", "TARGET"]}
    mine.change(cutover={"before_fence": [{"id": "both", "command": both}]})
    hook = mine.path.parent / "both.py"
    hook.write_text(BOTH, encoding="utf-8")
    hook.chmod(0o755)
    copied = None
    for number in (1, 3):
        write(source, HERE, number)
        godwit("cutover" if copied else "apply", mine, *([] if copied else ["--exit-at-gate"]), code=0)
        refused(source)
        same(source, target)
        rows = target.value("SELECT sum(rows) FROM godwit.relation")
        assert copied in (None, rows), "it was copied again"
        copied = rows
        write(target, THERE, number + 1)
        told = godwit("status", mine, code=0).out
        assert "way back           open until" in told and "nobody applies" in told, told
        assert godwit("status", mine, "--format", "json", code=0).json()["way_back"]["lag_bytes"] > 0
        engine = keep(godwit, mine) if number == 3 else None  # asked to stop, then one asked to go back
        if engine:
            assert "is paused" in godwit("pause", mine, code=0).out
            engine.wait(code=143)
            engine = keep(godwit, mine)
        out = godwit("failback", mine, code=0).out
        assert "back on its source" in out and "downtime" in out and "replicates to the target again" in out
        if engine:
            engine.wait(code=0)
        same(source, target)
        refused(target)
        assert source.value("SELECT count(*) FROM app.log WHERE line = 'both'") == 200 * (number + 1)
        assert "nothing to do" in godwit("failback", mine, code=0).out
        assert source.value("SELECT to_regnamespace('godwit') IS NULL")
    target.execute("BEGIN READ WRITE; UPDATE app.entry SET amount = -1 WHERE id % 5 = 1; COMMIT")  # no mark tells
    assert "app.entry: not the same: (id)=(" in godwit("apply", mine, "--exit-at-gate", code=9).err
    godwit("cleanup", mine, "--yes", code=0)
    assert (source.value(LEFT), target.value(LEFT)) == (0, 0)


def keep(godwit, mine):
    """An engine that keeps the way back open."""
    running = godwit.start("apply", mine)
    running.wait_for("the way back is open")
    return running


@contextlib.contextmanager
def writing(database):
    """Updates all the time, with a rest now and then: of rows that are written at every look nothing can be said."""
    ending = threading.Event()
    pauses = itertools.cycle([0.002] * 40 + [1])

    def write_on():
        with database.connect() as connection:
            while not ending.wait(next(pauses)):
                connection.execute("UPDATE app.part SET body = body || 'w' WHERE id < 20")

    thread = threading.Thread(target=write_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


# The engine dies in cutover.prepare, behind failback.prepare: with the first statement of the session for the fence.
BEFORE_THE_FENCE = {"GODWIT_FAULT": "source/fence:statement:1:kill"}
DATA = ("schemas", "relations", "columns", "indexes", "constraints", "triggers", "functions", "types", "comments",
        "large objects")  # what a run brings, and the tombstones
STEPS = ("failback.prepare", "cutover.target_fence", "cutover.source_fence", "cutover.drain", "cutover.sequences",
         "failback.arm")


def test_killed_on_the_way_back(source, target, plan, godwit):
    """SIGKILL of the engine in the reverse stream, behind each step of failback before its switch, and behind that."""
    source.execute(SCHEMA)
    mine = plan(**SETTINGS)
    running = keep(godwit, mine)
    write(target, THERE, 1)
    running.kill9()
    write(target, THERE, 2)
    running = keep(godwit, mine)
    assert "what the target takes is applied" in godwit("status", mine, code=0).out
    with writing(target):
        for _ in range(3):
            godwit("verify", mine, code=0)  # what lags is the source
    source.wait_until("SELECT count(*) = 2 FROM app.log WHERE line = 'round 2'")
    (number, amount), = source.query("SELECT id, amount FROM app.entry WHERE id % 5 = 1 ORDER BY id LIMIT 1")
    somebody = f"BEGIN READ WRITE; UPDATE app.entry SET amount = %s WHERE id = {number}; COMMIT"
    source.execute(somebody.replace("%s", "-99"))  # of the round that another engine applied
    assert "differ" in godwit("failback", mine, code=9).err
    assert f"app.entry differs at (id)=({number})" in running.wait(60, code=9).err
    target.execute("INSERT INTO app.scrap VALUES (-4)")
    source.execute(somebody.replace("%s", str(amount)))
    running = keep(godwit, mine)
    asked = godwit.start("failback", mine)
    running.wait_for(r"\[cutover.drain\] done")
    running.kill9()
    assert asked.wait(60).code == 1
    for number, step in enumerate(STEPS):
        running = godwit.start("failback", mine)
        running.wait_for(rf"\[{step}\] done")
        running.kill9()
        if number == 3:
            keep(godwit, mine).kill9()
            target.execute("INSERT INTO app.scrap VALUES (-2)")
    refused(source)
    running = godwit.start("failback", mine)
    running.wait_for(r"\[cutover.switch\] done")
    running.kill9()
    refused(target)
    godwit("failback", mine, code=0)
    same(source, target)
    source.execute("INSERT INTO app.scrap VALUES (-3)")
    godwit("cleanup", mine, "--yes", code=0)
    assert (source.value(LEFT), target.value(LEFT)) == (0, 0)
    assert source.value("SELECT to_regnamespace('godwit') IS NULL")


PARTS = """
CREATE TABLE part (day int, v text, PRIMARY KEY (day)) PARTITION BY RANGE (day);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20);
CREATE UNLOGGED TABLE cache (id int PRIMARY KEY, v text);
CREATE UNLOGGED TABLE cache_use (id int REFERENCES cache);
INSERT INTO part SELECT i, 'v' FROM generate_series(0, 19) AS i;
INSERT INTO cache SELECT i, 'c' FROM generate_series(1, 9) AS i;
"""
NEW_PARTS = """
CREATE TABLE part_3 PARTITION OF part FOR VALUES FROM (20) TO (30);
CREATE TABLE part_4 (LIKE part INCLUDING ALL); {rows}
ALTER TABLE part ATTACH PARTITION part_4 FOR VALUES FROM (30) TO (40);
"""
# Dies with its engine, once.
KILLS = """#!/bin/sh
echo "$GODWIT_PHASE" >>{name}.told
if [ -e {name}.kill ]; then rm {name}.kill; kill -9 $PPID; fi
"""


def script(mine, name, text=KILLS):
    """A command of the plan."""
    made = mine.path.parent / f"{name}.sh"
    made.write_text(text.format(name=name), encoding="utf-8")
    made.chmod(0o755)
    return [f"./{name}.sh"]


def test_undone_watched_and_joined(source, target, plan, godwit):
    """Prepared, and then no cutover: nothing of the way back stays. An engine that dies between switch and finish
    leaves a spool, which failback removes; one that dies in stop_writes.undo leaves that to the next. Partitions
    that come to the target alone are told while they are empty, and refused by name at their first row; those that
    the source has, too, take part; rows that came with one are named, not lost. Unlogged tables that a table
    without rows refers to are copied again both ways. Cleanup leaves nothing, and owes the writers nothing."""
    source.execute(PARTS)
    before = residue.fingerprint(source), residue.fingerprint(target)
    mine = plan(select={"schema_only": ["public.cache_use"]}, failback={"prepare": True},
                cutover={"gates": {"stable_for": "100ms"}}, replication={"heartbeat": "1s"})
    here = mine.path.parent
    stop = {"method": "command", "run": script(mine, "stop"), "undo": script(mine, "undo")}
    mine.change(cutover={"stop_writes": stop, "switch": [{"id": "dies", "command": {"run": script(mine, "dies")}}]},
                replication={"spool": {"directory": str(here / "spool")}})
    assert godwit("apply", mine, env=BEFORE_THE_FENCE).code == -9
    assert target.value(LEFT) == 2
    source.execute("CREATE TABLE extra (id int)")
    stale = godwit("apply", mine, code=12)
    assert stale.err.index("preparing the way back") < stale.err.index("[failback.prepare] done"), stale.err
    assert target.value(LEFT) == 0 and source.value("SELECT to_regnamespace('godwit') IS NULL")
    source.execute("DROP TABLE extra")

    (here / "dies.kill").touch()
    cut = godwit("apply", mine)
    assert cut.code == -9 and "cache_use, which is not" in cut.err, cut.err
    assert list((here / "spool").glob("godwit_*/*"))
    target.execute("UPDATE cache SET v = 'back'; DELETE FROM cache WHERE id = 1")
    (here / "undo.kill").touch()
    assert godwit("failback", mine).code == -9
    assert not list((here / "spool").glob("godwit_*"))
    told = godwit("failback", mine, code=0).out
    assert (here / "undo.told").read_text(encoding="utf-8").split() == ["failback", "failback"]
    assert "the target is not closed" in told and "stays read-only" not in told, told
    assert source.query("TABLE cache ORDER BY id") == [(i, "back") for i in range(2, 10)]

    running = godwit.start("apply", mine)
    running.wait_for("the way back is open")
    target.execute("CREATE TABLE part_5 PARTITION OF part FOR VALUES FROM (40) TO (50)")  # ahead of its time
    running.wait_for("the source has not: public.part_5; they are empty")
    target.execute("UPDATE part SET v = 'goes on'")
    source.wait_until("SELECT count(*) > 0 AND bool_and(v = 'goes on') FROM part")
    target.execute("INSERT INTO part VALUES (41, 'its first row')")
    assert "no partition of relation" in running.wait(60, code=1).err
    assert "partition public.part_5 of public.part came to the target" in godwit("apply", mine, code=12).err
    source.execute("SET default_transaction_read_only = off;"
                   "CREATE TABLE part_5 PARTITION OF part FOR VALUES FROM (40) TO (50)")
    running = godwit.start("apply", mine)
    source.wait_until("SELECT count(*) = 1 FROM part WHERE day = 41")
    target.execute(NEW_PARTS.format(rows="INSERT INTO part_4 VALUES (31, 'attached');"))
    target.execute("INSERT INTO part VALUES (21, 'new')")
    came = "partition public.part_3 of public.part came to the target"
    ended = running.wait(60, code=12)
    assert came in ended.err and "CREATE TABLE ... PARTITION OF" in ended.err, ended.err
    target.execute("ALTER TABLE part DETACH PARTITION part_2")
    assert "part_2 was detached or dropped on the target" in godwit("failback", mine, code=12).err
    target.execute("ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES FROM (10) TO (20)")
    source.execute(NEW_PARTS.format(rows=""))
    refused_rows = godwit("failback", mine, code=9)
    assert "public.part differs at (day)=(31)" in refused_rows.err, refused_rows.err
    source.execute("INSERT INTO part VALUES (31, 'attached')")
    (here / "undo.kill").touch()
    assert godwit("failback", mine).code == -9
    harness.assert_same(source, target)
    assert source.value("SELECT v FROM part_3") == "new"
    godwit("cleanup", mine, "--yes", code=0)
    assert (here / "undo.told").read_text(encoding="utf-8").split() == ["failback"] * 4
    came = ("relations", "columns", "indexes", "constraints", "types")  # part_3 to part_5
    residue.assert_none(source, before[0], but=came)
    residue.assert_none(target, before[1], but=DATA)


def test_given_up(source, target, plan, godwit):
    """A way back that cannot be gone, for large objects changed, is told and stays open; given up by cleanup, or by
    its end, nothing of it is left on either side."""
    source.execute("CREATE SCHEMA app; CREATE TABLE app.item (id int PRIMARY KEY); SELECT lo_from_bytea(4711, 'old')")
    before = residue.fingerprint(source), residue.fingerprint(target)
    mine = plan(**SETTINGS)
    mine.change(select={"map": None}, waive=[{"code": "G135", "reason": "a test", "until": "2999-12-31"}])
    assert godwit("apply", mine, env=BEFORE_THE_FENCE).code == -9
    assert target.value(LEFT) == 2
    godwit("cleanup", mine, "--yes", code=0)
    residue.assert_none(source, before[0])
    residue.assert_none(target, before[1], but=DATA)
    target.execute("DROP SCHEMA app CASCADE; SELECT lo_unlink(4711)")
    godwit("apply", mine, "--exit-at-gate", code=0)
    target.execute("SELECT lo_put(4711, 0, 'new'); CREATE TABLE app.fresh (id int)")
    failed = godwit("failback", mine, code=10)
    assert "large object 4711: not the same" in failed.err and "app.fresh" in failed.err, failed.err
    target.execute("INSERT INTO app.item VALUES (1)")
    refused(source, "INSERT INTO app.item VALUES (2)")
    mine.change(replication={"slot": {"max_retained_wal": "16MB", "on_limit": "stop_and_drop_slot"}})
    assert godwit("failback", mine, env={"GODWIT_FAULT": "target/fence:statement:1:kill"}).code == -9
    assert source.value(LEFT) == 2
    running = godwit.start("apply", mine, "--accept-changes")
    running.wait_for("the way back is open")
    assert source.value(LEFT) == 0
    with target.connect(autocommit=False) as holder:
        holder.execute("INSERT INTO app.item VALUES (-1)")  # restart_lsn cannot go beyond this
        target.query("SELECT count(pg_logical_emit_message(false, 'noise', repeat('x', 1000000)))"
                     "  FROM generate_series(1, 20)")
        ended = running.wait(60, code=14)
    assert re.search(r"slot godwit_\w+_back on the target is full: it retains", ended.err), ended.err
    assert "E141" in ended.err and "for the target's sake" in ended.err, ended.err
    for command in ("failback", "apply"):
        lost = godwit(command, mine, code=14).err
        assert "is not on the target any more" in lost and f"godwit cleanup {mine}" in lost, lost
    godwit("cleanup", mine, "--yes", code=0)
    residue.assert_none(source, before[0], but=("settings",))  # it stays closed: the target is the primary
    residue.assert_none(target, before[1], but=DATA)

    with source.connect() as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {source.name} RESET default_transaction_read_only")
        connection.execute("SELECT lo_unlink(4711)")
    target.execute("DROP SCHEMA app CASCADE; SELECT lo_unlink(4711)")
    mine = plan(**SETTINGS)
    mine.change(select={"map": None}, failback={"keep_for": "1s"})
    godwit("apply", mine, code=0)
    assert (source.value(LEFT), target.value(LEFT)) == (0, 0)
    assert source.value("SELECT to_regnamespace('godwit') IS NULL")
    assert "there is no way back any more" in godwit("failback", mine, code=1).err


def test_what_the_way_back_needs(source, private_cluster, plan, godwit):
    """Named before the run begins; warnings where the plan goes on without; remedies cure; grants prints it."""
    poor = harness.Database.create(private_cluster("pg17", {"wal_level": "replica", "max_replication_slots": 0}))
    weak = f"weak_{source.name}"
    source.execute(f"""
        CREATE ROLE {weak} LOGIN REPLICATION; ALTER DATABASE {source.name} OWNER TO {weak};
        CREATE TABLE item (id serial PRIMARY KEY, at timestamptz); ALTER TABLE item OWNER TO {weak};
        CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER noted BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION noted();
        ALTER TABLE item ENABLE ALWAYS TRIGGER noted; REVOKE DELETE ON item FROM {weak};
        SELECT lo_create(4711); ALTER LARGE OBJECT 4711 OWNER TO {weak}""")
    poor.execute(f"CREATE ROLE {weak} LOGIN; ALTER DATABASE {poor.name} OWNER TO {weak};"
                 f"GRANT CREATE ON SCHEMA public TO {weak}")
    mine = plan(target_db=poor, failback={"prepare": True}, cutover={"stop_writes": {"method": "manual"}})
    mine.env = {"SOURCE": source.conninfo(user=weak), "TARGET": poor.conninfo(user=weak)}

    def found(code):
        report = godwit("check", mine, "--sample", "0s", "--format", "json", code=code).json()
        return report, [(f["code"], f["severity"]) for f in report["findings"] if "G130" <= f["code"] <= "G135"]

    report, named = found(4)
    assert set(named) == {(f"G13{n}", "error") for n in range(6)}, report
    remedies = [f["remedy"] for f in report["findings"] if f["code"] in ("G133", "G134")]
    assert any("GRANT SET ON PARAMETER session_replication_role" in remedy for remedy in remedies), remedies
    for statement in "\n".join(remedies).splitlines():
        if not statement.startswith("--"):
            source.execute(statement)
    mine.change(failback={"if_unavailable": "continue"},
                waive=[{"code": "G135", "reason": "a test", "until": "2999-12-31"}])
    report, named = found(0)
    assert sorted(set(named)) == [*((f"G13{n}", "warning") for n in range(3)), ("G135", "waived")], report
    printed = godwit("grants", mine, code=0).out
    assert f"ALTER ROLE godwit_{mine.name}_target REPLICATION;" in printed
    assert f"GRANT SET ON PARAMETER session_replication_role TO godwit_{mine.name}_source;" in printed
    assert printed.count("SET default_transaction_read_only = off;") == 2, "either side may be left closed"
    source.execute(f"ALTER DATABASE {source.name} OWNER TO postgres; REASSIGN OWNED BY {weak} TO postgres;"
                   f"DROP OWNED BY {weak}; DROP ROLE {weak}")
