"""Positions, order, slots and the end: what was applied, and how far.

Each test is a loss that was watched happening to tools of this kind, and would happen again here.
"""
import contextlib
import random
import threading

import harness
import psycopg
from road import APPROVAL, WAITING, replicating


def test_target_crash_loses_no_asynchronous_commit(source, database, private_cluster, plan, godwit, writer):
    """The target is killed while groups commit asynchronously; the slot was never told more than survives."""
    server = private_cluster("pg17", settings={"wal_writer_delay": "10s", "wal_writer_flush_after": "0"}, fsync=True)
    target = database(server, prefix="dst")
    load = writer(source)
    mine = plan(source, target, cutover=APPROVAL)
    for _ in range(2):
        running = godwit.start("apply", mine)
        running.wait_for(WAITING, timeout=120)
        load.wait_transactions(150)
        server.kill9()
        running.kill9()
        server.start()
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    load.stop(check=False)
    load.verify(target)
    harness.assert_same(source, target)


def test_engine_outlives_a_target_crash(source, database, private_cluster, plan, godwit, writer):
    """An immediate restart of the target: the engine says what it lost, or comes back; nothing is lost."""
    server = private_cluster("pg17", settings={"wal_writer_delay": "10s"}, fsync=True)
    target = database(server, prefix="dst")
    load = writer(source)
    mine = plan(source, target, cutover=APPROVAL)
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    load.wait_transactions(100)
    server.restart("immediate")
    load.wait_transactions(50)
    running.kill9()
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    load.stop(check=False)
    load.verify(target)


def test_a_slot_beyond_the_position_is_not_forwarded(source, target, plan, godwit):
    """The slot was advanced by hand between two runs: status 14, and the lane row stays where it is. So it is when the
    source's WAL ends below that, as on one that was restored: it would leave out what it commits up to there."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mine = plan(cutover=APPROVAL)
    godwit("apply", mine, "--exit-at-gate", code=6)
    source.execute("INSERT INTO t VALUES (1)")
    source.execute("SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots"
                   " WHERE database = current_database()")
    before = target.value("SELECT applied::text FROM godwit.lane")
    for _ in range(2):
        result = godwit("apply", mine, "--exit-at-gate", code=14)
        assert "was moved beyond what is applied" in result.err
    assert target.value("SELECT applied::text FROM godwit.lane") == before
    assert target.value("SELECT count(*) FROM t") == 0
    target.execute("UPDATE godwit.lane SET applied = 'F000/0'")
    assert "and F000/0 is applied" in godwit("apply", mine, "--exit-at-gate", code=14).err


def test_a_missing_slot_is_named(source, target, plan, godwit):
    """The slot was dropped between two runs: status 14, no new slot in its place."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mine = plan(cutover=APPROVAL)
    godwit("apply", mine, "--exit-at-gate", code=6)
    source.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                   " WHERE database = current_database()")
    source.execute("INSERT INTO t VALUES (1)")
    assert "slot" in godwit("apply", mine, "--exit-at-gate", code=14).err
    assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0


class Interleaved:
    """Transactions that overlap all the time and commit in another order than they began in."""

    def __init__(self, source):
        self._source = source
        self._ending = threading.Event()
        self.committed = set()
        self.unknown = set()
        self._threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(6)]
        for thread in self._threads:
            thread.start()

    def _work(self, worker):
        rng = random.Random(worker)
        txn = worker * 1_000_000
        with contextlib.suppress(psycopg.Error), self._source.connect(autocommit=False) as connection:  # the fence
            while not self._ending.is_set():
                txn += 1
                connection.execute("INSERT INTO inter VALUES (%s, 'first')", (txn,))
                self._ending.wait(rng.choice((0, 0.02, 0.3)))
                self.unknown.add(txn)
                connection.execute("INSERT INTO inter VALUES (%s, 'last')", (txn,))
                connection.commit()
                self.unknown.discard(txn)
                self.committed.add(txn)

    def stop(self):
        """End, after the transactions that are open."""
        self._ending.set()
        for thread in self._threads:
            thread.join(60)


def test_anchor_03_commit_order_is_not_begin_order(source, target, plan, godwit):
    """Overlapping transactions, open while the slot, the snapshot and the fence are made, arrive whole."""
    source.execute("CREATE TABLE inter (txn int, part text, PRIMARY KEY (txn, part))")
    traffic = Interleaved(source)
    try:
        godwit("apply", plan(), code=0)
    finally:
        traffic.stop()
    there = dict(target.query("SELECT txn, count(*) FROM inter GROUP BY txn"))
    assert len(traffic.committed) > 100
    assert not traffic.committed - set(there), "committed, but not on the target"
    assert not set(there) - traffic.committed - traffic.unknown, "on the target, but never committed"
    assert set(there.values()) == {2}
    harness.assert_same(source, target)


def test_anchor_36_quiet_source_cuts_over(source, target, plan, godwit):
    """Nothing is written: the marker alone brings the position to the end, within max_downtime."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    mine = plan(cutover={"max_downtime": "40s"}, replication={"heartbeat": "30s"})
    godwit("apply", mine, code=0)
    harness.assert_same(source, target)


def test_anchor_02_a_backlog_of_small_commits_and_keepalives(source, target, plan, godwit, proxy):
    """50,000 small commits wait behind a lock of the target, WAL of other tables between them, over a slow line; then
    the cutover, with all of it still to be applied: none is missing."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int)")
    slow = proxy(source)
    mine = plan(select={"schemas": None, "tables": ["public.t"]}, cutover=APPROVAL).via(source=slow)
    with replicating(godwit, mine, source, target) as running:
        slow.delay(0.005)
        with target.connect(autocommit=False) as holder:
            holder.execute("LOCK TABLE t")
            source.execute("DO $$ BEGIN FOR i IN 1 .. 50000 LOOP INSERT INTO t VALUES (i); COMMIT;"
                           "IF i % 1000 = 0 THEN INSERT INTO other SELECT generate_series(1, 500); COMMIT; END IF;"
                           "END LOOP; END $$")
            source.execute("DROP TABLE other")
        assert running.running()
    assert target.value("SELECT count(*) FROM t") == 50000
