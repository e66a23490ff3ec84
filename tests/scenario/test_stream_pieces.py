"""Transactions under way that the source streams in pieces, one between the other."""
import os
import pathlib

import pytest
from stream import Trial

TABLE = "CREATE TABLE t (id int PRIMARY KEY, a text, b numeric, c timestamptz DEFAULT now());"


def small_memory(source):
    """Let the source stream what is more than 64 kB."""
    source.execute(f"ALTER DATABASE {source.name} SET logical_decoding_work_mem = '64kB'")


def fill(connection, first, count):
    """Rows of about 200 bytes, so that a few hundred are streamed before the commit."""
    connection.execute("INSERT INTO t SELECT g, repeat(md5(g::text), 6), g / 3.0 "
                       "FROM generate_series(%s::int, %s) g", (first, first + count - 1))


def streamed(source, slot):
    """How many transactions the source has streamed so far."""
    return source.value("SELECT stream_txns FROM pg_stat_replication_slots WHERE slot_name = %s",
                        (slot,))


def spill_files(trial):
    """The engine's files of unfinished transactions: (how many, bytes on disk)."""
    found = []
    for descriptor in pathlib.Path(f"/proc/{trial.process.pid}/fd").iterdir():
        try:
            if "(deleted)" in os.readlink(descriptor):
                found.append(os.stat(descriptor).st_blocks * 512)
        except FileNotFoundError:
            continue
    return len(found), sum(found)


def peak_kb(trial):
    """Peak resident size of the engine."""
    with open(f"/proc/{trial.process.pid}/status", encoding="utf-8") as status:
        return [int(line.split()[1]) for line in status if line.startswith("VmHWM")][0]


@pytest.mark.parametrize("flavor", ["pg14", "pg18"])
def test_pieces_between_each_other(plan, database, target, flavor):
    """Commits in another order than begins, aborts of all, of savepoints, of released ones, TRUNCATE,
    a relation whose message came only in pieces, messages: all as the source has it."""
    source = database(flavor)
    small_memory(source)
    schema = TABLE + "CREATE TABLE only_here (id int PRIMARY KEY, v text);" \
        "CREATE TABLE emptied (id int);"
    with Trial.on(plan(source_db=source), source, target, schema) as trial:
        source.execute("INSERT INTO emptied VALUES (1), (2)")
        with source.connect(autocommit=False) as one, source.connect(autocommit=False) as two, \
                source.connect(autocommit=False) as lost:
            for turn in range(4):
                fill(one, 10000 + turn * 1000, 600)
                fill(two, 100000 + turn * 1000, 600)
                fill(lost, 200000 + turn * 1000, 600)
                source.execute(f"INSERT INTO t (id, a) VALUES ({turn}, 'between')")
                one.execute("SAVEPOINT a")
                fill(one, 20000 + turn * 1000, 600)
                one.execute("SAVEPOINT b")
                fill(one, 30000 + turn * 1000, 600)
                one.execute("RELEASE b")
                one.execute("UPDATE t SET a = 'lost' WHERE id BETWEEN 10000 AND 10400")
                one.execute("ROLLBACK TO a" if turn % 2 else "RELEASE a")
                two.execute("SAVEPOINT c")
                two.execute("INSERT INTO only_here SELECT g, repeat('v', 300) "
                            "FROM generate_series(%s::int, %s) g", (turn * 1000, turn * 1000 + 500))
                two.execute("RELEASE c" if turn % 3 else "ROLLBACK TO c")
            two.execute("TRUNCATE emptied")
            two.execute("SELECT pg_logical_emit_message(true, 'godwit', '{}')")
            lost.rollback()
            two.commit()
            source.execute("UPDATE t SET b = -1 WHERE id > 100000")
            one.execute("DELETE FROM t WHERE id BETWEEN 10000 AND 10100")
            one.commit()
        source.execute("INSERT INTO only_here VALUES (-1, 'after')")
        trial.catch_up()
        for table in ("t", "only_here", "emptied"):
            assert trial.same(table)
        assert target.value("SELECT count(*) FROM emptied") == 0
        assert streamed(source, trial.slot) >= 3
        assert trial.status()["conflicts"] == 0


def test_thousands_of_pieces_stay_small(plan, source, target):
    """Hundreds of transactions under way at once, more than the memory given: one file, bounded
    memory, and a walsender that dies meanwhile: all comes again, nothing twice."""
    small_memory(source)
    plan = plan(limits={"memory": "64MB"})
    with Trial.on(plan, source, target, TABLE) as trial:
        open_ones = [source.connect(autocommit=False) for _ in range(60)]
        for turn in range(4):
            for number, one in enumerate(open_ones):
                fill(one, number * 10000 + turn * 1000, 250)
        source.execute("INSERT INTO t (id) VALUES (-1)")
        target.wait_until("SELECT count(*) = 1 FROM t")
        files, size = spill_files(trial)
        assert files == 1 and size > 2_000_000
        source.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                       f"WHERE slot_name = '{trial.slot}'")
        for number, one in enumerate(open_ones):
            fill(one, number * 10000 + 9000, 250)
            if number % 4:
                one.commit()
            one.close()
        trial.catch_up()
        assert trial.same("t")
        assert target.value("SELECT count(*) FROM t") == 45 * 1250 + 1
        assert streamed(source, trial.slot) >= 60
        assert peak_kb(trial) < 300_000  # of which the sanitizer takes its share
        assert spill_files(trial)[1] == 0


def test_no_room_for_pieces(plan, source, target):
    """Where nothing can be spilled the source keeps what is under way; nothing is lost by that."""
    small_memory(source)
    with Trial.on(plan(limits={"memory": "64MB"}), source, target, TABLE,
                  env={"TMPDIR": "/proc/self/not-there"}) as trial:
        with source.connect(autocommit=False) as big:
            fill(big, 1, 100000)
            source.execute("INSERT INTO t (id) VALUES (-1)")
            target.wait_until("SELECT count(*) = 1 FROM t")
            big.commit()
        trial.catch_up()
        assert trial.same("t") and target.value("SELECT count(*) FROM t") == 100001
        assert "unfinished transactions in \"/proc/self/not-there\": No such file" in trial.log_text()
        assert "are left to the source from now on" in trial.log_text()
