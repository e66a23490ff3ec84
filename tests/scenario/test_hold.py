"""Leaves that the stream holds while they are copied: what waits, what goes on, what is left out."""
import time

from stream import Trial
from test_stream_faults import ACCOUNTS, SETUP, Bank

TABLES = "CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text);"


def waits(trial, table, timeout=20):
    """Apply has come to a change of the table and waits."""
    end = time.monotonic() + timeout
    while trial.status()["waits_for"] != table:
        assert time.monotonic() < end, f"{trial.status()}\n{trial.log_text()}"
        time.sleep(0.02)


def test_a_held_leaf_waits_outside_transactions(plan, source, target):
    """What is finished is committed, the open transaction waits whole, feedback goes on; release lets it pass."""
    with Trial.on(plan(), source, target, TABLES) as trial:
        trial.ok("hold public.b")
        assert trial.status()["held"] == 1
        source.execute("INSERT INTO a SELECT i, 'x' FROM generate_series(1, 100) AS i")
        trial.catch_up()
        with source.connect(autocommit=False) as open_one:
            open_one.execute("INSERT INTO a VALUES (200, 'same transaction'); INSERT INTO b VALUES (1, 'in the copy')")
            source.execute("INSERT INTO a VALUES (150, 'before it')")
            open_one.commit()
        source.execute("INSERT INTO a VALUES (300, 'behind it')")
        waits(trial, "b")
        target.wait_until("SELECT count(*) = 101 FROM a")
        held_back = ("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                     " AND xact_start IS NOT NULL AND application_name LIKE '% apply'")
        assert target.value(held_back) == 0, "apply waits inside a transaction of the target"
        reply = (f"SELECT reply_time FROM pg_stat_replication WHERE pid = (SELECT active_pid"
                 f" FROM pg_replication_slots WHERE slot_name = '{trial.slot}')")
        first = source.value(reply)
        source.wait_until(f"SELECT ({reply}) > %s", (first,), timeout=20)
        assert target.value("SELECT count(*) FROM a WHERE id IN (200, 300)") == 0
        # The copy: what it holds is not applied again.
        sync = source.value("SELECT pg_current_wal_insert_lsn()")
        target.execute("INSERT INTO b VALUES (1, 'in the copy')")
        trial.ok(f"sync public.b {sync}")
        trial.catch_up()
        assert trial.same("a") and trial.status()["skipped"] == 1
        source.execute("UPDATE b SET v = 'later' WHERE id = 1; INSERT INTO a VALUES (301, '')")
        waits(trial, "b")
        trial.ok("release public.b")
        trial.catch_up()
        assert trial.same("a") and trial.same("b") and trial.status()["held"] == 0


def test_a_large_transaction_is_read_again(plan, source, target):
    """Pieces of it were applied before it met the held leaf: taken back, read again after the wait."""
    with Trial.on(plan(limits={"memory": "64MB"}), source, target, TABLES) as trial:
        trial.ok("hold public.b")
        source.execute("INSERT INTO a SELECT i, repeat('x', 200) FROM generate_series(1, 60000) AS i; "
                       "INSERT INTO b VALUES (1, '1')")
        waits(trial, "b", timeout=40)
        held_back = "SELECT count(*) FROM pg_locks WHERE relation = 'a'::regclass AND database = " \
                    "(SELECT oid FROM pg_database WHERE datname = current_database())"
        assert target.value(held_back) == 0, "locks of the rolled back pieces stand during the wait"
        trial.ok("release public.b")
        trial.catch_up()
        assert trial.same("a") and trial.same("b")
        assert "is read again" in trial.log_text()


def test_hold_and_release_under_load(plan, source, target):
    """Again and again while writers go on; the position never passes what waits, killed or not."""
    trial = Trial.on(plan(), source, target, ACCOUNTS)
    with trial:
        source.execute(SETUP)
        bank = Bank(source)
        for _ in range(5):
            trial.ok("hold public.moves")
            waits(trial, "moves")
            trial.ok("release public.moves")
        trial.ok("hold public.moves")
        waits(trial, "moves")
        trial.kill()
    with trial.again() as second:  # nothing is held in the new one
        time.sleep(0.5)
        bank.stop()
        second.catch_up(timeout=90)
        assert all(second.same(table) for table in ("accounts", "moves", "loose"))
