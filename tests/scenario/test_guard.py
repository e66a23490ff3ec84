"""DDL on the source while the run replicates: noticed without a row that shows it, and answered by the plan's `ddl`."""
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
