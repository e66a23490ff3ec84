"""DDL on the source while the run replicates: noticed without a row that shows it, and answered by the plan's `ddl`."""
import signal

import harness
import pytest
from road import APPROVAL, WAITING, in_one_transaction, replicating

TABLES = """
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT i, 'copied' FROM generate_series(1, 50) AS i;
CREATE TABLE p (k int PRIMARY KEY, v text) PARTITION BY RANGE (k);
CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (10) TO (20);
INSERT INTO p SELECT i, 'p' FROM generate_series(0, 19) AS i;
"""
CAME = "came to the source since the run began"
FINDINGS = "SELECT count(*) FROM godwit.finding WHERE severity = %s AND (object || message) LIKE %s"

# A hook that runs behind the cutover's comparison of the source with the plan, before the fence: first a partition
# comes, then one is detached, written to, and attached again.
ATTACH = """#!/usr/bin/python3
import os
import psycopg
with psycopg.connect(os.environ["SOURCE"], autocommit=True) as source:
    if source.execute("SELECT relispartition FROM pg_class WHERE oid = 'apart.filled'::regclass").fetchone()[0]:
        if source.execute("DELETE FROM p WHERE k = 2").rowcount == 1:
            source.execute("ALTER TABLE p DETACH PARTITION p_1")
            source.execute("UPDATE p_1 SET v = 'while detached' WHERE k > 4; DELETE FROM p_1 WHERE k = 1")
            source.execute("ALTER TABLE p ATTACH PARTITION p_1 FOR VALUES FROM (0) TO (10)")
        raise SystemExit
    source.execute("ALTER TABLE p ATTACH PARTITION apart.filled FOR VALUES FROM (20) TO (30)")
"""


def test_attached_behind_the_comparison(source, target, plan, godwit):
    """Rows that come with a partition are not in the stream: a cutover that has begun must see them, and rolls back;
    the next one takes them along."""
    source.execute(TABLES + "CREATE SCHEMA apart; CREATE TABLE apart.filled (k int PRIMARY KEY, v text);"
                            "INSERT INTO apart.filled SELECT i, 'here before' FROM generate_series(20, 29) AS i")
    mine = plan(cutover={"gates": {"stable_for": "100ms"}, "before_fence": [
        {"id": "attach", "command": {"run": ["./attach.py"], "env": ["SOURCE"]}}]})
    hook = mine.path.parent / "attach.py"
    hook.write_text(ATTACH, encoding="utf-8")
    hook.chmod(0o755)
    result = godwit("apply", mine, code=10)
    assert "apart.filled" in result.err
    source.execute("INSERT INTO t VALUES (200, 'still the primary')")
    assert "partition public.p_1 of public.p" in godwit("apply", mine, code=10).err
    godwit("apply", mine, code=0)
    assert target.value("SELECT count(*) FROM p") == 28
    harness.assert_same(source, target)


def test_reported_and_stopped(source, target, plan, godwit):
    """What is new is told and left out until refresh; partitions that go or come again under the same name are named
    or copied; what is altered stops the run before a row shows it. Undone, the run goes on and nothing is lost."""
    source.execute(TABLES + "CREATE TABLE p_3 PARTITION OF p FOR VALUES FROM (20) TO (30);"
                            "INSERT INTO p SELECT i, 'p' FROM generate_series(20, 29) AS i")
    mine = plan(cutover=APPROVAL, select={"schemas": ["public"],
                                          "map": [{"source": "public.p_3", "target": "public.third"}]})
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    source.execute("CREATE TABLE fresh (id int PRIMARY KEY); INSERT INTO fresh VALUES (1); CREATE SEQUENCE apart")
    running.wait_for(f"public.fresh.* {CAME}")
    source.execute("INSERT INTO t VALUES (100, 'goes on')")
    target.wait_until("SELECT count(*) = 1 FROM t WHERE id = 100")
    assert target.value(FINDINGS, ("warning", "%public.fresh%")) == 1
    running.kill9()
    running = godwit.start("apply", mine)  # nor is it a reason not to begin again
    running.wait_for(WAITING, timeout=120)
    assert "has taken in" in godwit("refresh", mine, code=0).out
    assert target.value("SELECT count(*) FROM fresh") == 1
    in_one_transaction(source, "DROP TABLE p_1", "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
                       "INSERT INTO p VALUES (5, 'another table')")
    target.wait_until("SELECT count(*) = 1 FROM p WHERE k < 10")
    source.execute("ALTER TABLE p DETACH PARTITION p_2; INSERT INTO t VALUES (101, 'behind it')")
    result = running.wait(code=12)
    assert "partition public.p_2 was detached or dropped on the source" in result.err
    assert "on the target, too" in godwit("apply", mine, code=12).err
    target.execute("ALTER TABLE p DETACH PARTITION p_2")
    source.execute("ALTER TABLE p ATTACH PARTITION p_2 FOR VALUES FROM (10) TO (20)")
    result = godwit("apply", mine, code=4)  # its copy would come beside p
    assert "G403 target public.p_2: is no partition of public.p here" in result.err
    source.execute("ALTER TABLE p DETACH PARTITION p_2")
    source.execute("UPDATE p SET v = 'before it went' WHERE k > 9; ALTER TABLE p DETACH PARTITION p_3")
    result = godwit("apply", mine, code=12)  # it has another name there
    assert "partition public.p_3 was detached" in result.err and "on the target, in public.third" in result.err
    target.execute("DROP TABLE third")
    source.execute("INSERT INTO t VALUES (102, 'goes on')")
    running = godwit.start("apply", mine)  # with the changes of both from before, which are nobody's now
    running.wait_for(WAITING, timeout=120)
    target.wait_until("SELECT count(*) = 1 FROM t WHERE id = 102")
    left = target.value("SELECT count(*) FROM p_2")
    assert left > 0 and "public.p_2: cannot be taken in: it has rows" in godwit("refresh", mine, code=4).err
    assert target.value("SELECT count(*) FROM p_2") == left
    target.execute("DROP TABLE p_2")
    source.execute("DROP TABLE p_3")
    assert "has taken in" in godwit("refresh", mine, code=0).out  # p_2, a table of its own now
    source.execute("INSERT INTO p_2 SELECT 100, 'as a table'")
    target.wait_until("SELECT count(*) = 11 FROM p_2")
    source.execute("ALTER TABLE t ADD COLUMN late int")
    result = running.wait(code=12)
    assert "new: column late of public.t" in result.err and "godwit reset" in result.err
    assert target.value(FINDINGS, ("error", "%column late of public.t%")) == 1
    source.execute("ALTER TABLE t DROP COLUMN late")
    with replicating(godwit, mine, source, target):
        source.execute("UPDATE t SET v = v || '!'; UPDATE p SET v = v || '!'; INSERT INTO fresh VALUES (2)")


def test_added(source, target, plan, godwit):
    """ddl.added: add takes tables in unasked; one that the checks refuse is named, and the others go on."""
    source.execute(TABLES)
    mine = plan(cutover=APPROVAL, ddl={"added": "add"})
    with replicating(godwit, mine, source, target) as running:
        source.execute("CREATE TABLE fresh (id int PRIMARY KEY); INSERT INTO fresh SELECT generate_series(1, 40)")
        target.wait_until("SELECT to_regclass('public.fresh') IS NOT NULL")
        target.wait_until("SELECT count(*) = 40 FROM fresh")
        source.execute("CREATE TABLE bad (v text); INSERT INTO bad VALUES ('no identity')")
        running.wait_for("is not taken in")
        source.execute("UPDATE t SET v = 'on'; DELETE FROM fresh WHERE id = 7")
        target.wait_until("SELECT count(*) = 39 FROM fresh")
        source.execute("DROP TABLE bad")
        running.wait_for(WAITING, new=False)
        assert running.running()


def test_paused(source, target, plan, godwit):
    """ddl.altered: pause_relation: an altered table is left out, the others go on; killed or not. It comes again by
    resync once the target's is like it, or gone; until then there is no cutover. Nothing of it is lost."""
    source.execute(TABLES)
    mine = plan(cutover=APPROVAL, ddl={"altered": "pause_relation"}, verify=[{"id": "t", "method": "count",
                                                                            "tables": ["public.t"]}])
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    source.execute("ALTER TABLE t ADD COLUMN late int DEFAULT 5")
    running.wait_for("public.t is paused")
    source.execute("INSERT INTO t VALUES (100, 'left out', 1); DELETE FROM t WHERE id = 1;"
                   "UPDATE p SET v = 'goes on' WHERE k = 5")
    target.wait_until("SELECT count(*) = 1 FROM p WHERE v = 'goes on'")
    running.kill9()
    source.execute("UPDATE p SET v = 'after the kill' WHERE k = 6; UPDATE t SET late = 6")
    running = godwit.start("apply", mine)
    running.wait_for("the gates wait for it", timeout=120)
    target.wait_until("SELECT count(*) = 1 FROM p WHERE v = 'after the kill'")
    assert target.value("SELECT count(*) FROM t WHERE id IN (1, 100)") == 1
    shown = godwit("status", mine, code=0).out
    remedy = "ALTER TABLE public.t ADD COLUMN late integer;"
    assert "new: column late of public.t (integer)" in shown and remedy in shown
    assert target.value(FINDINGS, ("error", f"public.t%{remedy}%")) == 1
    assert remedy in godwit("resync", mine, "t", code=12).err and running.running()
    target.execute("ALTER TABLE t ADD COLUMN late int")
    godwit("resync", mine, "t", code=0)
    assert target.value("SELECT count(*) FROM t WHERE late = 6") == 50
    in_one_transaction(source, "ALTER TABLE t DROP COLUMN v", "UPDATE t SET late = 7 WHERE id < 9",
                       "UPDATE p SET v = 'with it' WHERE k = 7")  # the stream meets it before the look
    target.wait_until("SELECT count(*) = 1 FROM p WHERE v = 'with it'")
    assert target.value("SELECT count(*) FROM t WHERE late = 7") == 0
    running.wait_for("the gates wait for it", new=True)
    godwit("approve", mine, code=0)
    asked = godwit("cutover", mine, code=12)
    assert "public.t is paused" in asked.err and running.running(), asked.err
    running.end()
    assert "public.t is paused" in godwit("apply", mine, "--exit-at-gate", code=12).err
    target.execute("DROP TABLE t")
    godwit("resync", mine, "public.t", code=0)
    source.execute("UPDATE t SET late = 8 WHERE id = 3; UPDATE p SET v = 'last' WHERE k = 8")
    godwit("apply", mine, code=0)
    harness.assert_same(source, target)


def test_a_paused_table_with_partitions(source, target, plan, godwit):
    """Its partitions are left out with it, though their schema is selected. Renamed, they are named by resync, which
    does not stop the engine for what it could not take in."""
    source.execute(TABLES)
    mine = plan(cutover=APPROVAL, ddl={"altered": "pause_relation"})
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    in_one_transaction(source, "ALTER TABLE p_1 RENAME TO p_one", "UPDATE p SET v = 'left out'")
    running.wait_for("the gates wait for it")
    source.execute("UPDATE t SET v = 'goes on'")
    target.wait_until("SELECT count(*) = 50 FROM t WHERE v = 'goes on'")
    assert "partition public.p_1 was detached" in godwit("resync", mine, "p", code=12).err and running.running()
    target.execute("DROP TABLE p_1")
    godwit("resync", mine, "p", code=0)
    source.execute("UPDATE p SET v = v || '!' WHERE k < 12")
    godwit("approve", mine, code=0)
    running.wait(code=0)
    harness.assert_same(source, target)


@pytest.mark.parametrize("policy", ["stop", "pause_relation"])
def test_a_step_meets_it_first(source, target, plan, godwit, policy):
    """The verification reads a table that was renamed a moment ago: what the plan says of altered tables is done, as
    if the guard had seen it first. Held up in front of that step, the engine has no time to look."""
    source.execute(TABLES)
    mine = plan(cutover=APPROVAL, ddl={"altered": policy})
    running = godwit.start("apply", mine)
    running.wait_for("replicating from", timeout=60)
    running.send_signal(signal.SIGSTOP)
    source.execute("ALTER TABLE t RENAME TO other_name")
    running.send_signal(signal.SIGCONT)
    if policy == "stop":
        assert "gone: table public.t" in running.wait(code=12).err
    else:
        running.wait_for("public.t is paused")
        running.wait_for("the gates wait for it")
        running.end()
    source.execute("ALTER TABLE other_name RENAME TO t")
    if policy != "stop":
        godwit("resync", mine, "t", code=0)
    with replicating(godwit, mine, source, target):
        source.execute("UPDATE t SET v = 'on'")
