"""The replication slot's health, what becomes of a run whose slot is lost, and slots that survive a failover."""
import shutil
import subprocess
import time

import harness
import pytest
import residue
from road import APPROVAL

NOISE = "SELECT count(pg_logical_emit_message(false, 'noise', repeat('x', 1000000))) FROM generate_series(1, %s)"
TWO = """
CREATE TABLE parent (id int PRIMARY KEY, v text); CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent);
INSERT INTO parent SELECT i, 'v' || i FROM generate_series(1, 100) AS i;
INSERT INTO child SELECT i, i FROM generate_series(1, 100) AS i;
CREATE FUNCTION twist() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.v := NEW.v || ''!''; RETURN NEW; END';
CREATE TRIGGER twist BEFORE INSERT ON parent FOR EACH ROW EXECUTE FUNCTION twist();
"""

DATA = ("schemas", "relations", "columns", "indexes", "constraints", "triggers", "functions", "types", "settings",
        "comments")  # what a run brings, and the tombstones


@pytest.fixture(name="own", scope="module")
def own_cluster():
    """A PostgreSQL 17 whose settings the tests of this module change. It was cloned like the target's, so that a
    database of each could have one system identifier and OID: its OIDs begin elsewhere."""
    made = harness.lab.Cluster("pg17")
    with made.connect("postgres") as connection:
        connection.execute("SELECT count(pg_nextoid('pg_class', 'oid', 'pg_class_oid_index')) "
                           "FROM generate_series(1, 30000)")
    yield made
    made.drop()


@pytest.fixture(name="origin")
def origin_database(own, database):
    """A source on that server."""
    return database(own, prefix="src")


def slots(server):
    """Names of our slots."""
    return [row[0] for row in server.query("SELECT slot_name FROM pg_replication_slots "
                                           "WHERE slot_name LIKE 'godwit%%' AND NOT temporary")]


def events(target, kind="slot"):
    """What the journal says of the slot."""
    return [row[0] for row in target.query("SELECT detail FROM godwit.event WHERE kind = %s ORDER BY id", [kind])]


def write_wal(server, megabytes):
    """WAL that is nobody's rows."""
    server.query(NOISE, [megabytes])


def test_anchor_22_alarm_then_drop_then_resync(origin, target, plan, godwit, tmp_path):
    """replication.slot: max_retained_wal is told once (log, event, notify, status) and that it is over; with
    stop_and_drop_slot the run ends with 14 and the slot goes; resync --all and apply bring everything."""
    origin.execute(TWO + "CREATE MATERIALIZED VIEW sums AS SELECT count(*) AS n FROM parent")
    told = tmp_path / "told"
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ncat >> {told}\n", encoding="utf-8")
    hook.chmod(0o755)
    mine = plan(source_db=origin, cutover={"approval": {"required": True}}, notify={"command": ["./hook.sh"]},
                replication={"heartbeat": "1s", "slot": {"max_retained_wal": "16MB", "failover": True}})
    running = godwit.start("apply", mine)
    running.wait_for(r"\[gates\] done", timeout=60)
    assert origin.value("SELECT failover FROM pg_replication_slots WHERE slot_name LIKE 'godwit%%'")
    with origin.connect(autocommit=False) as holder:
        holder.execute("INSERT INTO parent VALUES (-1, 'open')")  # restart_lsn cannot go beyond this
        write_wal(origin, 20)
        running.wait_for(r"slot godwit_\w+ is full: it retains", timeout=20)
        time.sleep(2.5)
        status = godwit("status", mine, "--format", "json", code=0).json()["sample"]["slot"]
        assert status["level"] == "full" and status["retained_bytes"] > 20_000_000
        assert status["max_retained_bytes"] == 16 << 20 and status["failover"]
        assert "full: it retains" in godwit("status", mine, code=0).out
        holder.rollback()
    end = time.monotonic() + 30
    while "is well: it retains" not in running.err and time.monotonic() < end:
        origin.execute("CHECKPOINT")
        time.sleep(0.5)
    running.wait_for("is well: it retains", timeout=1)
    assert running.err.count("is full: it retains") == 1
    godwit("pause", mine, code=0)
    assert [event["level"] for event in events(target)][-1] == "well"
    assert '"slot"' in told.read_text(encoding="utf-8")

    mine.change(replication={"slot": {"on_limit": "stop_and_drop_slot"}})
    running = godwit.start("apply", mine, "--accept-changes")
    running.wait_for(r"\[gates\] done", timeout=60)
    with origin.connect(autocommit=False) as holder:
        holder.execute("INSERT INTO parent VALUES (-2, 'open')")
        write_wal(origin, 20)
        ended = running.wait(60, code=14)
    assert "E141" in ended.err and f"godwit resync {mine} --all --yes" in ended.err
    assert not slots(origin)
    origin.execute("DELETE FROM child WHERE id < 50; DELETE FROM parent WHERE id < 50;"
                   "INSERT INTO parent VALUES (1000, 'late')")
    refused = godwit("apply", mine, code=14)
    assert "is not on the source any more" in refused.err and f"godwit resync {mine} --all --yes" in refused.err
    assert godwit("resync", mine, "--all", code=64).err
    assert target.value("SELECT count(*) FROM parent") == 100
    godwit("resync", mine, "--all", "--yes", code=0)
    assert target.value("SELECT count(*) FROM parent") == 0
    mine.change(cutover={"approval": {"required": False}})
    godwit("apply", mine, "--accept-changes", code=0)
    harness.assert_same(origin, target)
    assert target.value("SELECT n FROM sums") == 52


def test_slot_dropped_in_the_copy_and_invalidated_in_the_stream(own, origin, target, plan, godwit):
    """Somebody drops the slot in the copy, then max_slot_wal_keep_size takes it while it is read: each time the run
    ends at once with 14, also behind a lock that it waits for; resync --all, then apply, and nothing is missing."""
    origin.execute(TWO)
    target.execute("CREATE TABLE child (id int PRIMARY KEY, p int)")
    mine = plan(source_db=origin, schema={"existing": "adopt"}, copy={"table_jobs": 2},
                cutover={"approval": {"required": True}})
    with target.connect() as holder:
        holder.execute("BEGIN; LOCK TABLE child IN SHARE MODE")
        running = godwit.start("apply", mine)
        running.wait_for(r"\[copy:public.parent\] done", timeout=60)
        origin.query("SELECT pg_drop_replication_slot(%s)", slots(origin))
        ended = running.wait(60, code=14)
    assert "is not on the source" in ended.err and f"godwit resync {mine} --all --yes" in ended.err
    origin.execute("UPDATE parent SET v = 'new' WHERE id = 7")
    godwit("apply", mine, code=14)
    godwit("resync", mine, "--all", "--yes", code=0)

    running = godwit.start("apply", mine)
    running.wait_for(r"\[gates\] done", timeout=60)
    admin = own.connect("postgres")
    with origin.connect(autocommit=False) as holder:
        holder.execute("INSERT INTO parent VALUES (5000, 'open')")
        admin.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'")
        admin.execute("SELECT pg_reload_conf()")
        write_wal(origin, 60)
        origin.execute("CHECKPOINT")
        ended = running.wait(60, code=14)
        holder.commit()
    assert "was invalidated by the source (wal_removed)" in ended.err
    admin.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
    admin.execute("SELECT pg_reload_conf()")
    godwit("resync", mine, "--all", "--yes", code=0)
    mine.change(cutover={"approval": {"required": False}})
    godwit("apply", mine, "--accept-changes", code=0)
    harness.assert_same(origin, target)


def until(condition, timeout=60):
    """Wait until it is true."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"not so after {timeout} s"
        time.sleep(0.2)


def newest(target):
    """What the engine saw last."""
    return target.value("SELECT sample FROM godwit.metric")


def test_anchor_20_21_lag_of_the_head_and_an_idle_database(own, origin, target, database, plan, godwit):
    """Lag is the source's head less what is applied, and its age, also while nothing arrives on the target (20). An
    idle database in a busy cluster: heartbeats move the slot (21). Whoever leaves at a gate is told when the slot is
    lost. Then cleanup leaves nothing behind; a second one has nothing to do."""
    origin.execute(TWO + "CREATE TABLE bare (a int); ")
    before = residue.fingerprint(origin), residue.fingerprint(target)
    mine = plan(source_db=origin, cutover={"approval": {"required": True}},
                replication={"heartbeat": "1s", "replica_identity": {"when_missing": "set"}})
    running = godwit.start("apply", mine)
    running.wait_for(r"\[gates\] done", timeout=60)
    with target.connect() as holder:
        holder.execute("BEGIN; LOCK TABLE parent IN EXCLUSIVE MODE")
        origin.execute("UPDATE parent SET v = v || 'x' WHERE id = 1")
        write_wal(origin, 5)
        head = origin.value("SELECT pg_current_wal_flush_lsn()")
        until(lambda: newest(target)["lag_us"] > 2_000_000)
        held = newest(target)
        assert held["lag_bytes"] > 5_000_000
        assert origin.value("SELECT %s::pg_lsn >= %s::pg_lsn", [held["source_lsn"], head])
        assert origin.value("SELECT %s::pg_lsn - %s::pg_lsn", [held["source_lsn"], held["applied_lsn"]]) > 5_000_000
        holder.execute("ROLLBACK")
    until(lambda: newest(target)["lag_bytes"] < 100_000 and newest(target)["lag_us"] < 2_000_000)

    other = database(own)
    write_wal(other, 20)
    busy = other.value("SELECT pg_current_wal_flush_lsn()")

    def moved():
        other.execute("CHECKPOINT")
        return other.value("SELECT restart_lsn >= %s::pg_lsn AND confirmed_flush_lsn >= %s::pg_lsn "
                           "FROM pg_replication_slots WHERE database = %s", [busy, busy, origin.name])
    until(moved)
    until(lambda: (newest(target)["slot"]["wal_bytes_per_second"] or 0) > 0)
    running.kill9()

    admin = own.connect("postgres")
    admin.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '4GB'")
    admin.execute("SELECT pg_reload_conf()")
    mine.change(cutover={"gates": {"stable_for": "5s"}})
    left = godwit.start("apply", mine, "--exit-at-gate", "--accept-changes")
    write_wal(other, 20)
    waits = left.wait(code=6).err
    assert "The slot retains" in waits and "at this rate it is lost in" in waits
    status = godwit("status", mine, code=0).out
    assert "unread for" in status and "at the rate of then" in status
    admin.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
    admin.execute("SELECT pg_reload_conf()")
    godwit("cleanup", mine, "--yes", code=0)
    residue.assert_none(origin, before[0])
    residue.assert_none(target, before[1], but=DATA)
    assert "nothing to clean up" in godwit("cleanup", mine, "--yes", code=0).out


def promote(server):
    """What was a copy takes over: it replays what WAL it has, and writes on under the next timeline."""
    (server.data / "standby.signal").touch()
    server.start()
    server.query("SELECT pg_promote()")


def test_a_standby_that_lacked_the_last_of_the_wal(private_cluster, database, target, plan, godwit):
    """One that had all of it takes over: the run goes on. One that had not, and has written more since: positions do
    not tell, and what it wrote below the applied one would be left out. Status 14."""
    server = private_cluster("pg15")
    source = database(server)
    source.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    mine = plan(source, target, cutover=APPROVAL)
    godwit("apply", mine, "--exit-at-gate", code=6)
    server.stop()
    promote(server)
    source.execute("INSERT INTO t VALUES (2)")
    result = godwit("apply", mine, "--exit-at-gate", code=6)
    assert "a standby took over at" in result.err and "timeline 2 behind 1" in result.err
    server.stop()
    shutil.copytree(server.data, server.directory / "standby")
    server.start()
    source.execute("INSERT INTO t VALUES (3)")
    godwit("apply", mine, "--exit-at-gate", code=6)
    server.stop()
    shutil.rmtree(server.data)
    (server.directory / "standby").rename(server.data)
    subprocess.run(["chown", "-R", f"--reference={server.directory}", server.data], check=True)
    promote(server)
    source.execute("INSERT INTO t VALUES (4)")
    write_wal(server, 5)
    result = godwit("apply", mine, "--exit-at-gate", code=14)
    assert "the server left timeline 2 at" in result.err and "resync" in result.err
    assert target.query("SELECT id FROM t ORDER BY 1") == [(1,), (2,), (3,)]
    godwit("resync", mine, "--all", "--yes", code=0)
    godwit("apply", mine, "--exit-at-gate", code=6)
    assert target.query("SELECT id FROM t ORDER BY 1") == [(1,), (2,), (4,)]
