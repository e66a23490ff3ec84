"""The example application itself: it loads everywhere, and its proofs can fail."""
import os
import pathlib
import subprocess
import sys
import time

import psycopg
import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
APP = REPO / "examples" / "app"
sys.path.insert(0, str(APP))

from workload import Worker, Workload, check_audit  # noqa: E402  pylint: disable=wrong-import-position


def load(database, scale="0.01"):
    """Schema and rows; returns what load.sh prints."""
    return subprocess.run([APP / "load.sh", database.conninfo()], env=dict(os.environ, SCALE=scale),
                          capture_output=True, text=True, check=True).stdout


def work(database, log, seconds=2.0, **options):
    """Runs the workload for a while; returns its summary."""
    traffic = Workload(database.conninfo(), rate=0, seed=7, log_path=log, **options)
    traffic.start()
    traffic.wait(seconds)
    return traffic.stop()


@pytest.mark.parametrize("flavor", ["pg14", "pg15", "pg16", "pg17", "pg18"])
def test_loads_and_works_on(database, tmp_path, flavor):
    """Schema, rows and traffic run on every major version, and the audit is whole."""
    shop = database(flavor)
    assert load(shop).startswith("31 tables, ")
    summary = work(shop, tmp_path / "txn.log")
    assert summary["errors"] == []
    assert summary["committed"] > 50
    report = check_audit(shop.conninfo(), tmp_path / "txn.log")
    assert report.ok and report.committed == summary["committed"], report


def test_load_is_repeatable(database):
    """Two loads on one version hold the same rows."""
    first, second = database("pg15"), database("pg15")
    load(first)
    load(second)
    done = subprocess.run([APP / "compare.sh", first.conninfo(), second.conninfo()],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(": 0 differences\n")


def test_compare_finds_each_kind_of_difference(database):
    """A changed row, a moved sequence, a missing object: each is seen and counted once."""
    first, second = database("pg15"), database("pg15")
    load(first)
    load(second)
    second.execute("UPDATE app.product SET attributes = '{}' WHERE id = 7")
    second.execute("SELECT nextval('app.ticket_no')")
    second.execute("DROP VIEW app.late_order")
    done = subprocess.run([APP / "compare.sh", first.conninfo(), second.conninfo()],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1
    for name in ("rows|app.product|", "sequence|app.ticket_no|", "missing: object|view|app.late_order"):
        assert name in done.stdout
    assert done.stdout.endswith(": 3 differences\n")


def test_audit_names_what_is_wrong(database, tmp_path):
    """A missing, a split, a resurrected and an unlogged transaction are each found by name."""
    shop = database("pg15")
    load(shop)
    log = tmp_path / "txn.log"
    work(shop, log)
    (missing,), (split,), (stray,) = shop.query(
        "SELECT txn::text FROM app.audit_txn WHERE steps > 1 ORDER BY txn LIMIT 3")
    shop.execute(f"DELETE FROM app.audit_step WHERE txn = '{split}' AND step = 1")
    shop.execute(f"WITH s AS (DELETE FROM app.audit_step WHERE txn = '{missing}') "
               f"DELETE FROM app.audit_txn WHERE txn = '{missing}'")
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    lines = [line for line in lines if stray not in line]
    rolled_back = next(line for line in lines if '"rolled_back"' in line).split('"')[3]
    shop.execute("INSERT INTO app.audit_txn (txn, worker, kind, steps) "
               f"VALUES ('{rolled_back}', 1, 'roll_back', 0)")
    log.write_text("".join(lines), encoding="utf-8")

    report = check_audit(shop.conninfo(), log)
    assert not report.ok
    assert (report.missing, report.split, report.stray, report.undone) == (
        [missing], [split], [stray], [rolled_back])
    assert report.orphans == 0


def test_workload_ends_politely_when_fenced(database, tmp_path):
    """A cutover as a client sees it: sessions ended, database read-only. No error, nothing lost."""
    shop = database("pg15")
    load(shop)
    log = tmp_path / "txn.log"
    traffic = Workload(shop.conninfo(), rate=100, log_path=log)
    traffic.start()
    time.sleep(1.5)
    name = shop.value("SELECT quote_ident(current_database())")
    shop.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    shop.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
               "WHERE datname = current_database() AND application_name = 'godwit_workload'")
    assert traffic.wait(10), "the workload goes on writing"
    summary = traffic.stop()
    assert summary["ended_by"] == "refusal"
    assert "read-only" in summary["refusal"]
    assert summary["errors"] == []
    assert check_audit(shop.conninfo(), log).ok


def test_workload_ended_before_its_rollback(database, tmp_path):
    """A statement fails, and the fence ends the session before the rollback gets there: that is a
    lost connection like any other, not an error of the workload."""
    shop = database("pg15")
    load(shop)
    traffic = Workload(shop.conninfo(), log_path=tmp_path / "txn.log")
    worker = Worker(traffic, 1)
    worker.conn = psycopg.connect(shop.conninfo())
    with pytest.raises(psycopg.errors.LockNotAvailable) as failure:
        worker.conn.execute("DO $$BEGIN RAISE lock_not_available; END$$")
    lost = worker.conn.info.backend_pid
    shop.execute(f"SELECT pg_terminate_backend({lost}, 5000)")
    worker._failed(failure.value, None, "order", False)  # pylint: disable=protected-access
    assert worker.conn.info.backend_pid != lost
    assert worker.conn.execute("SELECT 1").fetchone() == (1,)
    worker.conn.close()


def test_workload_waits_out_a_rolled_back_cutover(database, tmp_path):
    """With on_refusal="wait" it goes on when the fence falls, and the gap is measured."""
    shop = database("pg15")
    load(shop)
    log = tmp_path / "txn.log"
    traffic = Workload(shop.conninfo(), rate=100, log_path=log, on_refusal="wait")
    traffic.start()
    time.sleep(1.0)
    name = shop.value("SELECT quote_ident(current_database())")
    shop.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    shop.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
               "WHERE datname = current_database() AND application_name = 'godwit_workload'")
    time.sleep(1.0)
    shop.execute("BEGIN READ WRITE; "
               f"ALTER DATABASE {name} RESET default_transaction_read_only; COMMIT")
    time.sleep(1.0)
    summary = traffic.stop()
    assert summary["ended_by"] == "stop"
    assert summary["refused_writes"] > 0
    assert 500 < summary["longest_gap_ms"] < 2500
    assert check_audit(shop.conninfo(), log).ok
