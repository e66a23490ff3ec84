"""The failures of docs/adr/0003, one by one: nothing lost, nothing twice, every error named."""
import random
import threading
import time

import psycopg
import pytest
from stream import Trial

ACCOUNTS = """
CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL, note text);
CREATE TABLE moves (id bigint PRIMARY KEY, src int, dst int, amount int, writer int, seq int);
CREATE TABLE loose (writer int, seq int);
"""
SETUP = "INSERT INTO accounts SELECT g, 1000, NULL FROM generate_series(1, 40) g"


class Bank:
    """Writers whose transactions move money: a split one shows in the sum, a lost one in moves."""

    def __init__(self, source, writers=3):
        self.source, self.stopping, self.errors = source, False, []
        self.committed = [0] * writers
        self.threads = [threading.Thread(target=self._write, args=(w,)) for w in range(writers)]
        for thread in self.threads:
            thread.start()

    def _write(self, writer):
        rng = random.Random(writer)
        connection = None
        while not self.stopping:
            try:
                if connection is None:
                    connection = self.source.connect()
                self._transfer(connection, writer, self.committed[writer] + 1, rng)
                self.committed[writer] += 1
            except psycopg.Error:
                connection = None  # the server restarts; what was in doubt is asked for
                time.sleep(0.05)
                self._settle(writer)
        if connection is not None:
            connection.close()

    def _settle(self, writer):
        try:
            self.committed[writer] = self.source.value(
                "SELECT coalesce(max(seq), 0) FROM moves WHERE writer = %s", (writer,))
        except psycopg.Error:
            pass

    @staticmethod
    def _transfer(connection, writer, seq, rng):
        src, dst = sorted(rng.sample(range(1, 41), 2))
        amount = rng.randint(1, 9)
        with connection.transaction():
            connection.execute("UPDATE accounts SET balance = balance - %s WHERE id = %s", (amount, src))
            connection.execute("INSERT INTO moves VALUES (%s, %s, %s, %s, %s, %s)",
                               (writer * 10_000_000 + seq, src, dst, amount, writer, seq))
            connection.execute("UPDATE accounts SET balance = balance + %s WHERE id = %s", (amount, dst))
            if seq % 10 == 0:
                connection.execute("INSERT INTO loose VALUES (%s, %s)", (writer, seq))
            if seq % 17 == 0:
                connection.execute("DELETE FROM accounts WHERE id = 40 AND balance IS NULL")

    def stop(self):
        """End the writers."""
        self.stopping = True
        for thread in self.threads:
            thread.join()


def settle(trial, bank):
    """Stop writing, wait for the rest, compare."""
    bank.stop()
    trial.catch_up(timeout=90)
    for table in ("accounts", "moves", "loose"):
        assert trial.same(table)
    assert trial.target.value("SELECT sum(balance) FROM accounts") == 40000
    assert sum(bank.committed) > 20
    assert trial.status()["conflicts"] == 0


def never_split(target, seconds):
    """Look at the target again and again: the sum holds at every moment."""
    end = time.monotonic() + seconds
    with target.connect() as connection:
        while time.monotonic() < end:
            total = connection.execute("SELECT sum(balance) FROM accounts").fetchone()[0]
            assert total in (None, 40000)
            time.sleep(0.01)


def test_transactions_are_never_split(plan, source, target):
    """Interleaved writers: the target shows only states that the source had."""
    with Trial.on(plan(), source, target, ACCOUNTS, setup="") as trial:
        source.execute(SETUP)
        bank = Bank(source)
        try:
            never_split(target, 4)
        finally:
            settle(trial, bank)


def test_walsender_is_terminated(plan, source, target):
    """The replication connection dies again and again under load."""
    with Trial.on(plan(), source, target, ACCOUNTS) as trial:
        source.execute(SETUP)
        bank = Bank(source)
        try:
            for _ in range(5):
                time.sleep(0.5)
                source.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                               f"WHERE slot_name = '{trial.slot}' AND active_pid IS NOT NULL")
        finally:
            settle(trial, bank)
        assert trial.log_text().count("replicating from") >= 4


def test_apply_backend_is_terminated(plan, source, target):
    """The target's connection dies again and again under load."""
    with Trial.on(plan(), source, target, ACCOUNTS) as trial:
        source.execute(SETUP)
        bank = Bank(source)
        try:
            for _ in range(8):
                time.sleep(0.3)
                target.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                               "WHERE datname = current_database() AND application_name LIKE '% apply'")
        finally:
            settle(trial, bank)


def test_target_crashes(plan, source, private_cluster, database):
    """Asynchronous commits are lost with the server; the slot had been told nothing of them."""
    cluster = private_cluster("pg15", settings={"wal_writer_delay": "10s"}, fsync=True)
    target = database(cluster)
    with Trial.on(plan(target_db=target), source, target, ACCOUNTS) as trial:
        source.execute(SETUP)
        bank = Bank(source)
        try:
            for _ in range(3):
                time.sleep(1.3)
                cluster.kill9()
                cluster.start()
        finally:
            settle(trial, bank)


def test_source_restarts(plan, target, private_cluster, database):
    """The source stops at once and comes back."""
    cluster = private_cluster("pg15", fsync=True)
    source = database(cluster)
    with Trial.on(plan(source_db=source), source, target, ACCOUNTS) as trial:
        source.execute(SETUP)
        bank = Bank(source)
        try:
            for _ in range(2):
                time.sleep(1)
                cluster.kill9()
                cluster.start()
            time.sleep(1)
        finally:
            settle(trial, bank)


def test_anchor_28_engine_is_killed(plan, source, target):
    """SIGKILL at any moment; the next engine goes on where the lane row stands."""
    trial = Trial.on(plan(), source, target, ACCOUNTS)
    assert trial.hello.get("ok"), trial.log_text()
    source.execute(SETUP)
    bank = Bank(source)
    try:
        for wait in (0.2, 0.7, 1.1, 0.4):
            time.sleep(wait)
            trial.kill()
            trial = trial.again()
            assert trial.hello.get("ok"), trial.log_text()
        with trial:
            settle(trial, bank)
    finally:
        bank.stop()
        trial.kill()


def test_second_engine_takes_over(plan, source, target):
    """A raised epoch stops the older engine with E070; it commits nothing more."""
    with Trial.on(plan(), source, target, BASIC) as trial:
        source.execute("INSERT INTO t VALUES (1)")
        trial.catch_up()
        target.execute("UPDATE godwit.lane SET epoch = epoch + 1")
        source.execute("INSERT INTO t VALUES (2)")
        error = trial.fails()
        assert error["error"] == "E070" and "another engine" in error["message"]
        assert target.query("SELECT id FROM t") == [(1,)]


BASIC = "CREATE TABLE t (id int PRIMARY KEY, a text, big text);"


def test_slot_moved_beyond_the_position(plan, source, target):
    """A slot that somebody advanced is refused; the server would have left changes out silently."""
    trial = Trial.on(plan(), source, target, BASIC)
    trial.ok("marker m1 30000")
    trial.kill()
    source.execute("INSERT INTO t VALUES (1)")
    slot = trial.slot
    source.wait_until(f"SELECT NOT active FROM pg_replication_slots WHERE slot_name = '{slot}'")
    source.value(f"SELECT 1 FROM pg_replication_slot_advance('{slot}', pg_current_wal_lsn())")
    again = trial.again()
    assert again.hello["error"] == "E140", again.hello
    assert "beyond" in again.hello["message"] and "confirmed_flush_lsn" in again.hello["detail"]
    assert again.process.wait() == 14


def test_slot_is_dropped(plan, source, target):
    """A slot that is gone is named."""
    trial = Trial.on(plan(), source, target, BASIC)
    trial.kill()
    source.wait_until(f"SELECT NOT active FROM pg_replication_slots WHERE slot_name = '{trial.slot}'")
    source.value(f"SELECT 1 FROM (SELECT pg_drop_replication_slot('{trial.slot}')) AS d")
    source.value(f"SELECT 1 FROM pg_create_physical_replication_slot('{trial.slot}')")
    again = trial.again()
    assert again.hello["error"] == "E140" and "is not on the source any more" in again.hello["message"]


def test_idle_source_moves_the_slot(plan, source, target):
    """Writes that are not ours, and none at all: heartbeats and keepalives move row and slot."""
    with Trial.on(plan(replication={"heartbeat": "1s"}), source, target, BASIC, tables=["t"]) as trial:
        source.execute("CREATE TABLE other (v text)")
        before = source.value(f"SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '{trial.slot}'")
        source.execute("INSERT INTO other SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
        head = source.value("SELECT pg_current_wal_lsn()")
        source.wait_until(f"SELECT confirmed_flush_lsn >= '{head}' FROM pg_replication_slots "
                          f"WHERE slot_name = '{trial.slot}'", timeout=20)
        applied = target.value("SELECT applied FROM godwit.lane")
        confirmed = source.value("SELECT confirmed_flush_lsn FROM pg_replication_slots "
                                 f"WHERE slot_name = '{trial.slot}'")
        assert before != confirmed
        assert target.value("SELECT %s::pg_lsn <= applied FROM godwit.lane", (confirmed,)), (confirmed, applied)
        status = trial.status()
        assert status["lag_us"] < 3_000_000 and status["caught_up_once"]


def test_feedback_while_apply_waits(plan, private_cluster, database, target):
    """A target lock longer than wal_sender_timeout does not cost the replication connection."""
    cluster = private_cluster("pg15", settings={"wal_sender_timeout": "2s"})
    source = database(cluster)
    with Trial.on(plan(source_db=source, limits={"memory": "64MB"}), source, target, BASIC) as trial:
        with target.connect(autocommit=False) as blocker:
            blocker.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
            source.execute("INSERT INTO t SELECT g, repeat('x', 500) FROM generate_series(1, 120000) g")
            time.sleep(7)
            assert trial.status()["changes"] == 0 and trial.status()["lag_us"] > 4_000_000
            blocker.rollback()
        trial.catch_up()
        assert trial.same("t")
        assert trial.log_text().count("replicating from") == 1


def test_large_transaction_in_pieces(plan, source, target):
    """A transaction far larger than the memory given is applied whole, or not at all."""
    with Trial.on(plan(limits={"memory": "64MB"}), source, target, BASIC) as trial:
        source.execute("INSERT INTO t SELECT g, 'small' FROM generate_series(1, 10) g")
        trial.catch_up()
        with source.connect(autocommit=False) as big:
            big.execute("INSERT INTO t SELECT g, repeat('y', 400) FROM generate_series(100, 250000) g")
            big.execute("UPDATE t SET a = 'changed' WHERE id % 3 = 0")
            big.execute("DELETE FROM t WHERE id % 11 = 0")
            big.commit()
        seen = set()
        end = time.monotonic() + 120
        while time.monotonic() < end and len(seen) < 2:
            seen.add(target.value("SELECT count(*) FROM t"))
        trial.catch_up(timeout=120)
        assert seen == {10, source.value("SELECT count(*) FROM t")}
        assert trial.same("t")
        with open(f"/proc/{trial.process.pid}/status", encoding="utf-8") as status:
            peak = [int(line.split()[1]) for line in status if line.startswith("VmHWM")][0]
        assert peak < 200_000, f"{peak} kB"  # under the sanitizer, which keeps freed memory aside


def test_walsender_dies_inside_a_large_transaction(plan, source, target):
    """Pieces that were applied are rolled back; the transaction comes again, whole."""
    with Trial.on(plan(limits={"memory": "64MB"}), source, target, BASIC) as trial:
        source.execute("INSERT INTO t SELECT g, repeat('y', 300) FROM generate_series(1, 200000) g")
        target.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() "
                          "AND application_name LIKE '% apply' AND xact_start IS NOT NULL", timeout=30)
        source.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                       f"WHERE slot_name = '{trial.slot}'")
        trial.catch_up(timeout=120)
        assert trial.same("t") and target.value("SELECT count(*) FROM t") == 200000


def test_deadlock_is_retried(plan, source, target):
    """A session on the target that locks rows the other way round costs a retry, no change."""
    with Trial.on(plan(), source, target, BASIC) as trial:
        source.execute("INSERT INTO t SELECT g, 'v' FROM generate_series(1, 2) g")
        trial.catch_up()
        with target.connect(autocommit=False) as other:
            other.execute("SET deadlock_timeout = '60s'")
            other.execute("SELECT 1 FROM t WHERE id = 2 FOR UPDATE")
            source.execute("BEGIN; UPDATE t SET a = 'w' WHERE id = 1; UPDATE t SET a = 'w' WHERE id = 2; COMMIT")
            target.wait_until("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted", timeout=20)
            other.execute("SELECT 1 FROM t WHERE id = 1 FOR UPDATE")
            other.rollback()
        trial.catch_up()
        assert trial.same("t") and "deadlock" in trial.log_text()


def test_column_is_added(plan, source, target):
    """DDL on the source ends the stream with what changed; nothing of that transaction is applied."""
    with Trial.on(plan(), source, target, BASIC) as trial:
        source.execute("INSERT INTO t VALUES (1)")
        trial.catch_up()
        source.execute("ALTER TABLE t ADD COLUMN extra int; ALTER TABLE t RENAME COLUMN a TO b")
        source.execute("INSERT INTO t VALUES (2)")
        error = trial.fails()
        assert error["error"] == "E007" and "public.t" in error["message"]
        assert "Column extra was added." in error["detail"]
        assert "Column a was dropped or renamed." in error["detail"]
        assert target.query("SELECT id FROM t") == [(1,)]


def test_column_changes_its_type(plan, source, target):
    """A new type is told with the old one."""
    with Trial.on(plan(), source, target, BASIC) as trial:
        source.execute("INSERT INTO t VALUES (1)")
        trial.catch_up()
        source.execute("ALTER TABLE t ALTER a TYPE int USING 1")
        source.execute("INSERT INTO t VALUES (2)")
        error = trial.fails()
        assert error["error"] == "E007" and "Column a was text" in error["detail"]


def test_others_messages_are_ignored(plan, source, target):
    """Only a message with our prefix, mark and nonce is a marker."""
    with Trial.on(plan(), source, target, BASIC) as trial:
        for content in ("{}", "not json", '{"run": "godwit other", "marker": "m7"}', '["m7"]',
                        '{"run": "godwit trial", "marker": 7}'):
            source.value("SELECT 1 FROM (SELECT pg_logical_emit_message(true, 'godwit', %s)) AS m", (content,))
        source.value("SELECT 1 FROM (SELECT pg_logical_emit_message(true, 'other', "
                     "'{\"run\": \"godwit trial\", \"marker\": \"m7\"}')) AS m")
        source.value("SELECT 1 FROM (SELECT pg_logical_emit_message(false, 'godwit', "
                     "'{\"run\": \"godwit trial\", \"marker\": \"m7\"}')) AS m")
        trial.catch_up()
        assert trial.after("m7") == 0
        waited = trial.tell("wait m7 500")
        assert waited["error"] == "E080", waited


def test_changes_after_the_marker_are_counted(plan, source, target):
    """What arrives after a marker shows, so that a cutover can roll back; a later marker hides nothing."""
    with Trial.on(plan(), source, target, BASIC) as trial:
        source.execute("INSERT INTO t VALUES (1)")
        trial.ok("marker first 20000")
        assert trial.after("first") == 0
        source.execute("INSERT INTO t VALUES (2), (3)")
        trial.ok("marker last 20000")
        assert trial.after("first") == 2
        assert trial.after("last") == 0


def test_anchor_01_the_position_waits_with_its_changes(plan, source, target, proxy):
    """A large transaction stops halfway. What stands before it in the group is not applied yet, so
    the lane row may not pass it when its durable write falls due."""
    slow = proxy(source)
    other = "SELECT 1 FROM (SELECT pg_logical_emit_message(true, 'other', 'x')) AS m"
    with Trial.on(plan().via(source=slow), source, target, BASIC) as trial:
        trial.catch_up()      # durable from here; the next durable write is due in a second
        source.value(other)   # the position moves on, and is to be written then
        time.sleep(0.1)
        slow.stall()
        source.value(other)   # the proxy holds this chunk; what follows comes in the next one
        time.sleep(0.05)
        source.execute("INSERT INTO t VALUES (2, 'small')")
        end = source.value("SELECT pg_current_wal_insert_lsn()::text")
        source.execute("INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(10, 5000) g")
        time.sleep(0.1)
        slow.stall_after(30_000)
        slow.go_on()
        time.sleep(2)
        assert slow.stalled
        passed = target.value("SELECT applied >= %s::pg_lsn FROM godwit.lane", (end,))
        assert passed == (target.value("SELECT count(*) FROM t WHERE id = 2") == 1)
        slow.go_on()
        trial.catch_up()
        assert trial.same("t")


def test_replayed_rows_are_touched(plan, source, target):
    """A piece that is replayed tells all its rows, also those that the folded way never came to."""
    schema = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, v text)"
    setup = "INSERT INTO b VALUES (7, 'old')"
    with Trial.on(plan(apply={"on_conflict": "skip"}), source, target, schema, setup=setup) as trial:
        trial.may_replay = True
        trial.catch_up()
        target.execute("INSERT INTO b VALUES (7, 'old')")
        target.execute("INSERT INTO a VALUES (20)")
        source.execute("BEGIN; INSERT INTO a SELECT generate_series(1, 30); "
                       "UPDATE b SET v = 'new' WHERE id = 7; COMMIT")
        trial.catch_up()
        assert trial.same("b") and trial.status()["conflicts"] == 1
        assert trial.touched("public.b")["keys"] == ["7"]
        assert len(trial.touched("public.a")["keys"]) == 30


def test_an_error_names_its_change(plan, source, target):
    """An error in a folded group is found again, one change at a time."""
    with Trial.on(plan(), source, target, BASIC) as trial:
        trial.may_replay = True
        target.execute("ALTER TABLE t ADD CHECK (a <> 'bad')")
        source.execute("INSERT INTO t SELECT g, 'good' FROM generate_series(1, 100) g")
        source.execute("INSERT INTO t SELECT g, CASE g WHEN 150 THEN 'bad' END FROM generate_series(101, 200) g")
        error = trial.fails()
        assert error["error"] == "E002" and "could not apply the insert on public.t" in error["message"]
        assert "Key (id)=(150)." in error["detail"], error
