"""limits.memory holds: one large transaction, many under way at once, with and without a spool; and two-phase
transactions come right across engines (docs/adr/0014, 0020, 0025)."""
import random
import re
import signal

import harness
import pytest
from road import APPROVAL, WAITING
from stream import Trial, binary

MEBIBYTE = 1 << 20
LIMIT = 64 * MEBIBYTE
# Not compressed: the server streams by what its WAL holds.
TABLES = ("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE p (id int PRIMARY KEY, v text);"
          "ALTER TABLE p ALTER v SET STORAGE EXTERNAL")


def peak(pid):
    """The most memory that the process ever held, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024


def sanitized(candidate):
    """Whether a build's memory is not its own alone."""
    return any(mark in candidate.read_bytes() for mark in (b"__asan_init", b"__tsan_init"))


def plain_engine():
    """A build without sanitizers, whose memory is its own; skips where there is none."""
    for candidate in (harness.godwit_bin(), harness.REPO / "build" / "debug" / "godwit",
                      harness.REPO / "build" / "release" / "godwit"):
        if candidate.exists() and not sanitized(candidate):
            return candidate
    return pytest.skip("only builds with sanitizers are here; `make build VARIANT=debug`")


@pytest.fixture(name="pair")
def make_pair(private_cluster, database):
    """Databases on a server that takes prepared transactions and streams all that is under way."""
    cluster = private_cluster("pg17", settings={"max_prepared_transactions": "300", "wal_level": "logical",
                                                "logical_decoding_work_mem": "64kB",
                                                "max_locks_per_transaction": "256"})
    return database(cluster, prefix="src"), database(cluster, prefix="dst")


def prepared(source, count, rows):
    """So many transactions, all under way at once, each of some rows of ten kilobytes."""
    for first in range(0, count, 50):
        source.execute("".join(
            f"BEGIN; INSERT INTO p SELECT g, repeat(md5(g::text), 320) "
            f"FROM generate_series({n * rows}, {n * rows + rows - 1}) g; PREPARE TRANSACTION 'g{n}';"
            for n in range(first, first + 50)))


def large_rows(trial, source):
    """Rows larger than a share pass alone, between small ones, and are told once for their table."""
    source.execute("INSERT INTO p SELECT g, repeat('small', 100) FROM generate_series(900000, 900100) g")
    for key in (900200, 900300):
        source.execute(f"INSERT INTO p SELECT {key}, repeat(md5('x'), 6 * 32768);"
                       f"UPDATE p SET v = v || v WHERE id = {key}; INSERT INTO p VALUES ({key} + 1, 'small')")
    trial.catch_up(timeout=120)
    assert trial.same("p")
    assert trial.memory()["beside"] >= 6 * MEBIBYTE
    assert trial.log_text().count("passes beside limits.memory") == 1


def test_memory_holds_with_many_transactions_under_way(plan, pair, tmp_path):
    """250 prepared transactions of 100 kB under way at once, committed and rolled back in any order while engines
    are killed; then 80 MB in one transaction through a spool of 16 MB: all of it within limits.memory."""
    source, target = pair
    limits = {"memory": "64MB"}
    trial = Trial.on(plan(source, target, limits=limits), source, target, TABLES)
    count, rows = 250, 10
    prepared(source, count, rows)
    trial.catch_up()  # behind the pieces of all of them; the next engines get them whole
    assert trial.memory()["shares"]["unfinished"][1] > count * 1000
    order = list(range(count))
    random.Random(4).shuffle(order)
    for part in range(2):
        trial.kill()
        trial = trial.again()
        for n in order[part::2]:
            source.execute(f"{'ROLLBACK' if n % 3 == 0 else 'COMMIT'} PREPARED 'g{n}'")
    with trial:
        trial.catch_up(timeout=120)
        assert target.value("SELECT count(*) FROM p") == sum(n % 3 != 0 for n in range(count)) * rows
        assert trial.same("p")
        assert sanitized(binary()) or peak(trial.process.pid) < LIMIT
        memory = trial.memory()
        assert memory["beside"] == 0 < memory["shares"]["batches"][1]
        large_rows(trial, source)
    spool = {"directory": str(tmp_path / "spool"), "limit": "16MB"}
    trial.plan = plan(source, target, limits=limits, replication={"spool": spool})
    with trial.again() as again:
        source.execute("INSERT INTO t SELECT g, repeat(md5(g::text), 320) FROM generate_series(1, 8000) g")
        again.catch_up(timeout=120)
        assert again.same("t")
        assert sanitized(binary()) or peak(again.process.pid) < LIMIT
        memory = again.memory()
        assert memory["beside"] == 0 and memory["shares"]["spool"][1] > 0 < memory["shares"]["apply"][1]


ROWS = "SELECT i, repeat(md5((i + {})::text), 32) FROM generate_series(1, 150000) AS i"


@pytest.mark.parametrize("what", ["copy", "insert", "update"])
def test_anchor_18_memory_is_bounded(what, source, target, plan):
    """150 MB in one table, one transaction of as much: the engine stays under limits.memory."""
    godwit = harness.Godwit(plain_engine())
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    if what != "insert":
        source.execute("INSERT INTO t " + ROWS.format(0))
    mine = plan(limits={"memory": "64MB"}, cutover=APPROVAL)
    running = godwit.start("apply", mine)
    try:
        running.wait_for(WAITING, timeout=170)
        if what == "insert":
            source.execute("INSERT INTO t " + ROWS.format(0))
        elif what == "update":
            source.execute("UPDATE t SET v = reverse(v)")
        source.execute("INSERT INTO t VALUES (0, 'last')")
        target.wait_until("SELECT count(*) = 1 FROM t WHERE id = 0", timeout=170)
        most = peak(running.pid)
        assert most < LIMIT, f"{most >> 20} MB at its peak"
        source_sum, target_sum = (side.value("SELECT sum(hashtext(v)::bigint) FROM t") for side in (source, target))
        assert source_sum == target_sum
        running.send_signal(signal.SIGTERM)
        running.wait(code=143)
    finally:
        godwit.end_all()
