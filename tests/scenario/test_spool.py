"""The spool: what the source was told is on disk, whole, or the run says so; nothing is lost, nothing
comes twice (docs/adr/0020)."""
import contextlib
import os
import resource
import subprocess
import time

import harness
from stream import Trial
from test_stream_faults import ACCOUNTS, SETUP, Bank, settle

BASIC = "CREATE TABLE t (id int PRIMARY KEY, v text)"
MEBIBYTE = 1 << 20


def spooled(plan, tmp_path, limit=None, **keys):
    """A plan with a spool."""
    spool = {"directory": str(tmp_path / "spool"), **({"limit": limit} if limit else {})}
    return plan(replication={"spool": spool}, **keys)


def segments(tmp_path):
    """Its segment files, the oldest first."""
    return sorted((tmp_path / "spool").glob("*/*.zst"))


def until(condition, timeout=30):
    """Wait for it."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.05)


@contextlib.contextmanager
def locked(target, table="t"):
    """Apply waits for a lock on the target meanwhile."""
    with target.connect() as blocker, blocker.transaction():
        blocker.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield


def fill(source, first, count):
    """Rows of a kilobyte that hardly compress, in one transaction."""
    source.execute(
        "INSERT INTO t SELECT g, encode(substr(n.v, g * 997 %% 399000 + 1, 750), 'base64') "
        "FROM generate_series(%s::int, %s) g, (SELECT string_agg(decode(md5(i::text), 'hex'), ''::bytea) v "
        "FROM generate_series(1, 25000) i) n", (first, first + count - 1))


def confirmed_beyond(source, trial, lsn):
    """Whether the source was told so."""
    return source.value("SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s",
                        (lsn, trial.slot))


def test_the_source_is_released_and_a_kill_loses_nothing(plan, source, target, tmp_path):
    """With apply stopped by a lock the source is told beyond it; engines are killed, the spool's end is
    garbage, a segment is written in part: all of it is read from the spool, none of it from the source."""
    trial = Trial.on(spooled(plan, tmp_path), source, target, BASIC)
    with locked(target):
        for round_ in range(3):
            fill(source, round_ * 1000 + 1, 1000)
            lsn = source.value("SELECT pg_current_wal_lsn()")
            until(lambda lsn=lsn, trial=trial: confirmed_beyond(source, trial, lsn))
            assert trial.status()["changes"] == 0
            trial.kill()
            last = segments(tmp_path)[-1]
            with open(last, "ab") as torn:  # a write in the middle of which the machine went down
                torn.write(os.urandom(200 if round_ else 10))
            trial = trial.again()
    with trial:
        trial.catch_up()
        assert target.value("SELECT count(*) FROM t") == 3000 and trial.same("t")
        status = trial.status()
        assert status["changes"] + 0 <= 3000 and status["conflicts"] == 0
        assert "is cut at byte" in trial.log_text() and "out of the spool" in trial.log_text()
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "spool").glob("*/*"))


def test_damage_below_what_the_source_was_told_is_named(plan, source, target, tmp_path):
    """A flipped bit, a missing segment, a missing spool: exit 14 each, with the file and what to do; a second
    engine on the same spool is refused; with the files back as they were all of it arrives."""
    trial = Trial.on(spooled(plan, tmp_path, limit="16MB"), source, target, BASIC)
    with locked(target):
        for part in range(5):
            fill(source, part * 2500 + 1, 2500)
        lsn = source.value("SELECT pg_current_wal_lsn()")
        until(lambda: confirmed_beyond(source, trial, lsn))
        second = trial.again()
        assert second.hello["error"] == "E070" and "another engine uses the spool" in second.hello["message"]
        second.stop()
        trial.kill()
    files = {path: path.read_bytes() for path in segments(tmp_path)}
    assert len(files) > 2
    first, last = min(files), max(files)

    def refused(**fault):
        engine = trial.again()
        error = engine.hello if "error" in engine.hello else engine.fails()
        assert error["error"] == "E140", (fault, error)
        assert "resync PLAN --all" in error["hint"]
        engine.stop()
        return error

    flipped = bytearray(files[first])
    flipped[len(flipped) // 2] ^= 1
    first.write_bytes(flipped)
    assert "checksum" in refused(flipped=first)["detail"]
    first.write_bytes(files[first])
    files = {path: path.read_bytes() for path in segments(tmp_path)}  # keepalives came meanwhile
    first, last = min(files), max(files)
    first.unlink()
    assert "does not hold" in refused(missing=first)["message"]
    first.write_bytes(files[first])
    last.write_bytes(files[last][:len(files[last]) // 2])
    assert "does not hold" in refused(short=last)["message"]
    directory = first.parent
    directory.rename(tmp_path / "away")
    assert "It is empty" in refused(missing=directory)["detail"]
    (directory / "lock").unlink()
    (directory / "run").unlink()
    directory.rmdir()
    (tmp_path / "away").rename(directory)
    for path, content in files.items():
        path.write_bytes(content)
    with trial.again() as engine:
        engine.catch_up()
        assert engine.same("t") and target.value("SELECT count(*) FROM t") == 12500


def test_anchor_15_at_its_limit_reading_stops(plan, source, target, tmp_path):
    """Never more than the limit is on disk; then WAL waits on the source, and the status says so; one
    transaction larger than all of it passes; what is applied is deleted."""
    limit = 16 * MEBIBYTE
    with Trial.on(spooled(plan, tmp_path, limit="16MB", limits={"memory": "64MB"}), source, target, BASIC) as trial:
        with locked(target):
            for part in range(4):
                fill(source, part * 8000 + 1, 8000)
            until(lambda: trial.status()["spool_pressure"] == 1)
            time.sleep(1)
            told = trial.status()["reported"]
            assert sum(path.stat().st_size for path in segments(tmp_path)) <= limit
            assert not confirmed_beyond(source, trial, source.value("SELECT pg_current_wal_lsn()")), told
        trial.catch_up(timeout=90)
        assert "the spool is full" in trial.log_text() and "has room again" in trial.log_text()
        with source.connect() as many, many.transaction():
            many.execute("UPDATE t SET v = v || md5(v)")
        trial.catch_up(timeout=90)
        assert "lets go" in trial.log_text()
        assert trial.same("t")
        until(lambda: trial.status()["spool_pressure"] == 0 and len(segments(tmp_path)) <= 2)


def test_a_full_device_is_waited_for(plan, source, target, tmp_path):
    """No room for the spool (here: a limit on the size of files): reading stops, and goes on with room."""
    with Trial.on(spooled(plan, tmp_path), source, target, BASIC) as trial:
        with locked(target):
            resource.prlimit(trial.process.pid, resource.RLIMIT_FSIZE, (MEBIBYTE, resource.RLIM_INFINITY))
            fill(source, 1, 3000)
            fill(source, 3001, 3000)
            until(lambda: trial.status()["spool_pressure"] == 2)
            fill(source, 6001, 10)
            assert max(path.stat().st_size for path in segments(tmp_path)) <= MEBIBYTE
            resource.prlimit(trial.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            until(lambda: trial.status()["spool_pressure"] == 0)
        trial.catch_up()
        assert trial.same("t") and target.value("SELECT count(*) FROM t") == 6010
        assert "no room for the spool" in trial.log_text() and "has room again" in trial.log_text()


def test_a_device_that_fails_is_not_trusted(plan, source, target, tmp_path):
    """An fsync of the spool fails: nothing more is told, the file is written anew in place, and the stream goes on. The
    device goes on failing: E003 with path and reason, never E140; the next engine goes on where it was durable."""
    library, sick = tmp_path / "sick_disk.so", tmp_path / "sick"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, harness.REPO / "tests/lab/sick_disk.c"], check=True)
    env = {"LD_PRELOAD": str(library), "SICK_DISK": str(sick),
           "ASAN_OPTIONS": harness.SANITIZERS["ASAN_OPTIONS"] + ":verify_asan_link_order=0"}
    with Trial.on(spooled(plan, tmp_path), source, target, BASIC, env=env) as trial:
        fill(source, 1, 500)
        trial.catch_up()
        file = segments(tmp_path)[-1]
        before = file.stat().st_ino
        with locked(target):
            sick.touch()
            fill(source, 501, 500)
            lsn = source.value("SELECT pg_current_wal_lsn()")
            until(lambda: "Input/output error" in trial.log_text())
            assert not confirmed_beyond(source, trial, lsn)
            sick.unlink()
        until(lambda: confirmed_beyond(source, trial, lsn))
        trial.catch_up()
        assert "was written anew" in trial.log_text() and file.stat().st_ino != before and trial.same("t")
        sick.touch()
        fill(source, 1001, 500)
        error = trial.fails("applied FFFFFFFF/0 60000")
        assert error["error"] == "E003" and "make durable" in error["message"] and str(file.parent) in error["message"]
        assert "Mend it" in error["hint"] and trial.log_text().count("Input/output error") > 3
    sick.unlink()
    with trial.again() as trial:
        trial.catch_up()
        assert trial.same("t") and target.value("SELECT count(*) FROM t") == 1500


def test_seen_a_crash_of_the_target_behind_what_the_source_was_told(plan, source, private_cluster, database,
                                                                       tmp_path):
    """The target loses asynchronous commits that the source was told of: the spool has them still. Then engines
    are killed at any moment, while writers move money."""
    cluster = private_cluster("pg15", settings={"wal_writer_delay": "10s"}, fsync=True)
    target = database(cluster)
    trial = Trial.on(spooled(plan, tmp_path, target_db=target), source, target, ACCOUNTS)
    source.execute(SETUP)
    bank = Bank(source)
    try:
        time.sleep(1.3)
        cluster.kill9()
        cluster.start()
        for pause in (0.4, 0.1, 0.7):
            time.sleep(pause)
            trial.kill()
            trial = trial.again()
    finally:
        with trial:
            settle(trial, bank)


def test_wal_is_released_during_the_copy(plan, source, target, godwit, tmp_path):
    """A whole run: while the copy waits the source is told beyond it; the engine is killed then and the next one
    goes on; what was written meanwhile arrives, and nothing of the spool stays."""
    source.execute(BASIC)
    fill(source, 1, 1000)
    made = spooled(plan, tmp_path)
    for directory, limit, codes in ((tmp_path / "no" / "spool", "16MB", {"G125"}),
                                    ("/dev/shm/spool", "100TB", {"G126", "G127"})):
        made.change(replication={"spool": {"directory": str(directory), "limit": limit}})
        found = {one["code"] for one in godwit("check", made, "--sample", "0s", "--format", "json",
                                               code=4 if "G125" in codes else 0).json()["findings"]}
        assert {code for code in found if "G125" <= code <= "G127"} == codes
    made.change(replication={"spool": {"directory": str(tmp_path / "spool"), "limit": "64MB"}})
    godwit("apply", made, "--until", "schema_pre", code=0)
    slot = "SELECT coalesce(max(confirmed_flush_lsn), '0/0') {} FROM pg_replication_slots " \
           "WHERE slot_name LIKE 'godwit\\_%' AND NOT temporary AND database = current_database()"
    with locked(target):
        engine = godwit.start("apply", made)
        engine.wait_for(r"wave 1: ")
        fill(source, 1001, 500)
        lsn = source.value("SELECT pg_current_wal_lsn()")
        source.wait_until(slot.format(f">= '{lsn}'"))
        engine.kill9()
    with locked(target):  # receiving ends for good: told at once, and the run ends with the copy that is under way
        engine = godwit.start("apply", made)
        engine.wait_for(r"wave 2: ")
        engine.wait_for("receiving into the spool")
        source.wait_until("SELECT count(*) > 0 FROM pg_replication_slots "
                          "WHERE active AND NOT temporary AND database = current_database()")
        target.execute("UPDATE godwit.lane SET epoch = epoch + 1")
        source.value("SELECT count(pg_terminate_backend(active_pid)) FROM pg_replication_slots "
                     "WHERE NOT temporary AND database = current_database()")
        engine.wait_for(r"another engine has taken this run")
        engine.wait_for(r"\[spool\] failed; what runs beside it may finish")
        assert engine.running()
    engine.wait(code=7)
    assert target.value("SELECT count(*) FROM t") == 1500  # what was under way is whole, and stays
    fill(source, 1501, 500)
    result = godwit("apply", made, code=0)
    assert "out of the spool" in result.err and "wave 3" not in result.err
    assert source.value("SELECT count(*) FROM t") == 2000
    harness.assert_same(source, target)
    assert not list((tmp_path / "spool").iterdir())
