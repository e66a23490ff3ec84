"""The example shop, whole, under its own workload: nothing lost, nothing twice, nothing split."""
import os
import pathlib
import subprocess
import sys
import time

import pytest
import yaml

import harness

REPO = pathlib.Path(__file__).resolve().parents[2]
APP = REPO / "examples" / "app"
sys.path.insert(0, str(APP))

from workload import KINDS, Workload, check_audit  # noqa: E402  pylint: disable=wrong-import-position

WAITING = r"waiting for an approval"
SPLIT = """
SELECT t.txn FROM app.audit_txn t
WHERE t.steps <> (SELECT count(*) FROM app.audit_step s WHERE s.txn = t.txn)
UNION ALL
SELECT s.txn FROM app.audit_step s
WHERE NOT EXISTS (SELECT FROM app.audit_txn t WHERE t.txn = s.txn)
LIMIT 5
"""


def shop_plan(tmp_path, source, target, hypertables=True):
    """The example's own plan, for these two databases."""
    keys = yaml.safe_load((APP / "plan.yaml").read_text(encoding="utf-8"))
    keys["name"] = "shop_" + source.name[-8:]
    keys["cutover"]["gates"]["stable_for"] = "1s"
    if not hypertables:
        keys["hypertables"] = None
    return harness.Plan.write(tmp_path / "plan.yaml", source, target, keys)


def load(database, scale="0.02"):
    """Schema and rows of the shop."""
    subprocess.run([APP / "load.sh", database.conninfo()], env=dict(os.environ, SCALE=scale),
                   stdout=subprocess.DEVNULL, check=True)


def assert_arrived(source, target, log):
    """The target holds what the source holds, and every transaction of the writer, whole."""
    report = check_audit(target.conninfo(), log)
    assert report.ok, report
    assert report.committed > 50, "the writer hardly wrote"
    found = harness.assert_same(source, target, exclude=["app.import_scratch"])
    assert found.tables == 30
    done = subprocess.run([APP / "compare.sh", source.conninfo(), target.conninfo()],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def traffic():
    """traffic(source, log) starts the shop's workload; ended with the test."""
    made = []

    def make(where, log, **options):
        made.append(Workload(where.conninfo(), log_path=log, **{"rate": 80, **options}))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.mark.parametrize("pair", [("pg15", "pg17", True), ("pg17", "pg17", False),
                                  ("pg14", "pg18", False)], ids=lambda p: f"{p[0]}-{p[1]}")
def test_shop_under_load(database, godwit, traffic, tmp_path, pair):
    """From the first row to the last change. While it replicates the target never shows a half
    transaction; afterwards both sides are the same and the writer's log is all there."""
    old, new, timescale = pair
    source = database(old)
    target = database(new, extensions=["timescaledb"] if timescale else ())
    load(source)
    plan = shop_plan(tmp_path, source, target, hypertables=timescale)
    log = tmp_path / "txn.log"
    writer = traffic(source, log)

    run = godwit.start("apply", plan)
    run.wait_for(WAITING, timeout=240)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert target.query(SPLIT) == []
    assert writer.summary()["ended_by"] is None, writer.summary()
    godwit("approve", plan, code=0)
    run.wait(timeout=120, code=0)

    assert writer.wait(20), "the source still takes writes"
    summary = writer.stop()
    assert summary["ended_by"] == "refusal" and summary["errors"] == [], summary
    assert_arrived(source, target, log)
    if timescale:
        assert target.value("SELECT count(*) FROM timescaledb_information.hypertables") == 2


def test_verification_lets_a_truncate_through(source, target, godwit, traffic, tmp_path):
    """Tables that are truncated all the time: a live look waits for the stream, so it must not hold
    a lock that the stream's next TRUNCATE waits for."""
    load(source, "0.01")
    plan = shop_plan(tmp_path, source, target)
    log = tmp_path / "txn.log"
    writer = traffic(source, log, rate=0, without=set(KINDS) - {"truncate_carts", "hold_carts"})

    run = godwit.start("apply", plan)
    run.wait_for(WAITING, timeout=120)
    for _ in range(8):
        godwit("verify", plan, code=0, timeout=60)
    godwit("approve", plan, code=0)
    run.wait(timeout=60, code=0)
    assert writer.wait(20), "the source still takes writes"
    assert writer.stop()["errors"] == []
    assert_arrived(source, target, log)


def test_slot_made_among_truncates_can_be_read(source, target, godwit, traffic, tmp_path):
    """A slot that is made while a table is truncated could never be read: "could not map filenode"
    (PostgreSQL 15.18, about one in twelve here without the locks). Six slots, all readable."""
    load(source, "0.01")
    plan = shop_plan(tmp_path, source, target)
    traffic(source, tmp_path / "txn.log", rate=0,
            without=set(KINDS) - {"truncate_carts", "hold_carts", "slow", "keyless"})
    for _ in range(6):
        godwit("apply", plan, "--until", "slot", code=0)
        time.sleep(0.5)  # the transactions that were inside have ended
        slot = source.value("SELECT slot_name::text FROM pg_replication_slots "
                            "WHERE database = current_database()")
        assert source.value("SELECT count(*) FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, "
                            "'proto_version', '3', 'publication_names', %s)", (slot, slot)) > 0
        godwit("reset", plan, "--yes", code=0)


@pytest.mark.parametrize("at", ["copying", "replicating"])
def test_shop_survives_a_kill(source, target, godwit, traffic, tmp_path, at):
    """SIGKILL in the middle of the copy, or of the stream; the next apply finishes the work."""
    load(source, "0.05")
    plan = shop_plan(tmp_path, source, target)
    log = tmp_path / "txn.log"
    writer = traffic(source, log)

    run = godwit.start("apply", plan)
    if at == "copying":
        target.wait_until("SELECT to_regclass('godwit.part') IS NOT NULL", timeout=120)
        target.wait_until("SELECT count(*) > 5 FROM godwit.part", timeout=120)
    else:
        run.wait_for(WAITING, timeout=240)
    run.kill9()
    time.sleep(1)

    again = godwit.start("apply", plan)
    again.wait_for(WAITING, timeout=240)
    godwit("approve", plan, code=0)
    again.wait(timeout=120, code=0)
    assert writer.wait(20), "the source still takes writes"
    assert writer.stop()["errors"] == []
    assert_arrived(source, target, log)


def test_writer_survives_a_rolled_back_cutover(source, target, godwit, traffic, tmp_path):
    """Killed inside the cutover: the next apply gives the source back, the writer goes on, and the
    second cutover takes everything along."""
    load(source)
    plan = shop_plan(tmp_path, source, target)
    log = tmp_path / "txn.log"
    writer = traffic(source, log, on_refusal="wait")

    run = godwit.start("apply", plan)
    run.wait_for(WAITING, timeout=240)
    with source.connect(autocommit=False) as blocker:  # the fence waits for this transaction
        blocker.execute("UPDATE ref.category SET title = title WHERE id = 1")
        godwit("approve", plan, code=0)
        target.wait_until("SELECT state = 'cutover' FROM godwit.run", timeout=30)
        run.kill9()
        blocker.rollback()

    before = writer.summary()["committed"]
    end = time.monotonic() + 30
    while writer.summary()["committed"] < before + 10:
        assert time.monotonic() < end, "the source takes no writes after the engine died"
        time.sleep(0.2)
    again = godwit.start("apply", plan)
    again.wait_for(WAITING, timeout=240)  # one approval is good for one cutover
    godwit("approve", plan, code=0)
    again.wait(timeout=120, code=0)
    summary = writer.stop()
    assert summary["errors"] == [], summary
    assert_arrived(source, target, log)
