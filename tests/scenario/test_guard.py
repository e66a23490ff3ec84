"""DDL on the source while the run replicates: noticed without a row that shows it, and answered by the plan's `ddl`."""
import harness
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

# A hook that runs behind the cutover's comparison of the source with the plan, before the fence; once.
ATTACH = """#!/usr/bin/python3
import os
import psycopg
with psycopg.connect(os.environ["SOURCE"], autocommit=True) as source:
    if source.execute("SELECT relispartition FROM pg_class WHERE oid = 'apart.filled'::regclass").fetchone()[0]:
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
    godwit("apply", mine, code=0)
    assert target.value("SELECT count(*) FROM p") == 30
    harness.assert_same(source, target)


def test_reported_and_stopped(source, target, plan, godwit):
    """What is new is told and left out until refresh; partitions that go or come again under the same name are named
    or copied; what is altered stops the run before a row shows it. Undone, the run goes on and nothing is lost."""
    source.execute(TABLES)
    mine = plan(cutover=APPROVAL)
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
    target.execute("DROP TABLE p_2")
    source.execute("DROP TABLE p_2")
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
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
