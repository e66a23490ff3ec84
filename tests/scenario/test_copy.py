"""Waves and copy: what stands in the way is named, what rewrites tables waits, what is finished stays finished."""
import signal
import threading
import time

import harness
import psycopg
import pytest

TABLES = """
CREATE TABLE first_big (id bigint PRIMARY KEY, payload text NOT NULL);
INSERT INTO first_big SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 60000) AS i;
CREATE TABLE later (id int PRIMARY KEY, amount int NOT NULL, note text);
INSERT INTO later SELECT i, i * 2, 'note ' || i FROM generate_series(1, 3000) AS i;
CREATE TABLE parted (id int, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_north PARTITION OF parted FOR VALUES IN ('north');
CREATE TABLE parted_south (note text, region text NOT NULL, id int NOT NULL);
ALTER TABLE parted ATTACH PARTITION parted_south FOR VALUES IN ('south');
INSERT INTO parted SELECT i, CASE i % 3 WHEN 0 THEN 'north' ELSE 'south' END, 'n' || i
  FROM generate_series(1, 5000) AS i;
"""
ONE_JOB = {"table_jobs": 1, "index_jobs": 1}
DROP_SLOT = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()"
LEAVES = "SELECT rel, state, wave, rows FROM godwit.relation ORDER BY rel"


def copied(target):
    """The journal's leaves: {name: (state, wave, rows)}."""
    return {rel: (state, wave, rows) for rel, state, wave, rows in target.query(LEAVES)}


def test_anchor_10_parts_add_up(source, target, plan, godwit):
    """A table is copied in page ranges, a partition by its own; read = written = what the table has."""
    source.execute(TABLES)
    godwit("apply", plan(copy={"split_tables_larger_than": "2MB", "table_jobs": 2}), "--until", "wave_end", code=0)
    parts = target.query("SELECT range, rows_read, rows_written FROM godwit.part WHERE rel = 'first_big' ORDER BY part")
    assert len(parts) >= 5
    assert parts[0][0].startswith("pages below ") and parts[-1][0].startswith("pages from ")
    assert sum(part[1] for part in parts) == sum(part[2] for part in parts) == 60000
    leaves = copied(target)
    assert set(leaves) == {"first_big", "later", "parted_north", "parted_south"}
    assert leaves["parted_north"] == ("f", 1, 1666) and leaves["parted_south"] == ("f", 1, 3334)
    harness.assert_same(source, target, sequences=False)
    slots = source.query("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()")
    assert len(slots) == 1, "the wave's temporary slot is gone"


@pytest.mark.parametrize("form", ["text", "binary"])
def test_formats(form, source, target, plan, godwit):
    """Text and binary bring the same rows, special values included."""
    source.execute("""
        CREATE TABLE special (id int PRIMARY KEY, f float8, n numeric, t text, b bytea, s timestamptz, d date);
        INSERT INTO special VALUES
            (1, 'NaN', 'NaN', E'tab\\there \\\\N \\\\.', '\\x00ff5c', 'infinity', '-infinity'),
            (2, '-Infinity', 1e-300, '', '', '0044-03-15 00:00+00 BC', '5874897-12-31'),
            (3, 0.1::float8 + 0.2, NULL, NULL, NULL, NULL, NULL),
            (4, -0.0, 0.00, E'\\u2028 end\\r\\n', decode(repeat('0a0d5c', 9000), 'hex'), now(), now());
        CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                           twice int GENERATED ALWAYS AS (id * 2) STORED);
        INSERT INTO made SELECT FROM generate_series(1, 500);
        CREATE TABLE without_columns ();
        ALTER TABLE without_columns REPLICA IDENTITY FULL;
        INSERT INTO without_columns SELECT FROM generate_series(1, 7);
    """)
    godwit("apply", plan(copy={"format": form}), "--until", "wave_end", code=0)
    assert target.value("SELECT count(*) FROM without_columns") == 7
    for database in (source, target):
        database.execute("DROP TABLE without_columns CASCADE")
    harness.assert_same(source, target, sequences=False)


def test_rewriting_waits_for_the_copy(source, target, plan, godwit, proxy):
    """A rewrite between snapshot and copy would take rows away unseen: it waits until the wave ends."""
    source.execute(TABLES)
    slow = proxy(target)
    mine = plan(copy=ONE_JOB)
    running = godwit.start("apply", mine.via(target=slow), "--until", "wave_end")
    running.wait_for(r"wave 1: 4 tables")
    slow.stall()
    ended = []

    def rewrite():
        with source.connect() as connection:
            connection.execute("ALTER TABLE later ALTER COLUMN note TYPE varchar(100)")
            connection.execute("VACUUM FULL later")
            ended.append(time.monotonic())

    thread = threading.Thread(target=rewrite)
    thread.start()
    try:
        with pytest.raises(psycopg.errors.LockNotAvailable):
            with source.connect() as connection:
                connection.execute("SET lock_timeout = '300ms'; TRUNCATE parted_north")
        time.sleep(0.5)
        assert not ended, "the table was rewritten between snapshot and copy"
    finally:
        slow.go_on()
    result = running.wait(code=0)
    assert "public.later: a session waits for an exclusive lock on it" in result.err
    thread.join(30)
    assert ended
    assert copied(target)["later"] == ("f", 1, 3000)
    assert target.value("SELECT count(*) FROM later") == 3000


def test_blockers_are_named(source, target, plan, godwit):
    """A running and a prepared transaction hold up the slot: both are named, then the run goes on."""
    source.execute(TABLES)
    mine = plan()
    with source.connect(autocommit=False) as open_one, source.connect(autocommit=False) as prepared:
        open_one.execute("UPDATE later SET amount = 0 WHERE id = 1")
        running = godwit.start("apply", mine, "--until", "wave_end")
        line = running.wait_for(r"slot .* waits \(attempt 1\) for: (.*)")[1]
        assert f"session {open_one.info.backend_pid} of postgres" in line
        prepared.execute("UPDATE later SET amount = 0 WHERE id = 2")
        prepared.execute("PREPARE TRANSACTION 'forgotten'")
        try:
            line = running.wait_for(r"slot .* waits \(attempt 2\) for: (.*)")[1]
        finally:
            source.execute("ROLLBACK PREPARED 'forgotten'")
        assert "prepared transaction 'forgotten' of postgres" in line
        open_one.rollback()
    running.wait(code=0)
    harness.assert_same(source, target, sequences=False)


def test_a_changed_table_is_refused(source, target, plan, godwit):
    """A column that appears after the schema was copied: exit 12 with the table's name, nothing copied."""
    source.execute(TABLES)
    mine = plan()
    with source.connect(autocommit=False) as holds_up:
        holds_up.execute("UPDATE first_big SET payload = 'x' WHERE id = 1")
        running = godwit.start("apply", mine, "--until", "wave_end")
        running.wait_for(r"slot .* waits")
        source.execute("ALTER TABLE later ADD COLUMN surprise int")
        holds_up.commit()
    result = running.wait(code=12)
    assert "source table public.later is not what was planned: its columns are others" in result.err
    assert copied(target) == {}


def test_anchor_26_killed_copy_keeps_what_is_finished(source, target, plan, godwit):
    """After a kill, finished leaves stay as they are; the others lose their share and go to a new wave."""
    source.execute(TABLES)
    mine = plan(copy=dict(ONE_JOB, split_tables_larger_than="100MB"))
    godwit("apply", mine, "--until", "slot", code=0)
    with target.connect(autocommit=False) as holds_up:
        holds_up.execute("LOCK TABLE later IN SHARE ROW EXCLUSIVE MODE")
        # One job copies the largest first; then it waits for the lock.
        running = godwit.start("apply", mine, "--until", "wave_end")
        running.wait_for(r"copy:public\.first_big\] done")
        target.wait_until("SELECT count(*) = 1 FROM pg_locks WHERE relation = 'later'::regclass AND NOT granted")
        running.kill9()
    before = copied(target)
    assert before["first_big"][0] == "f" and before["later"][0] == "d"
    source.execute("INSERT INTO later VALUES (9999, 1, 'after the kill')")
    godwit("apply", mine, "--until", "wave_end", code=0)
    after = copied(target)
    for leaf, (state, wave, rows) in before.items():
        assert after[leaf] == ((state, wave, rows) if state == "f" else ("f", 2, after[leaf][2]))
    assert {state for state, _, _ in after.values()} == {"f"}
    for leaf, (_, wave, rows) in after.items():
        in_wave_two = leaf == "later" and wave == 2
        assert target.value(f"SELECT count(*) FROM {leaf}") == rows
        assert rows == source.value(f"SELECT count(*) FROM {leaf}") - (leaf == "later" and not in_wave_two)


def test_divided_leaf_is_emptied_before_it_is_copied_again(source, target, plan, godwit):
    """Parts of a divided table that a killed engine had committed do not appear twice."""
    source.execute(TABLES)
    mine = plan(copy={"split_tables_larger_than": "1MB", "table_jobs": 1})
    mine.change(copy={"table_jobs": 2})
    running = godwit.start("apply", mine, "--until", "wave_end", env={"GODWIT_FAULT": "source/worker:message:30:kill"})
    assert running._result(120).code == -9
    parts = target.value("SELECT count(*) FROM godwit.part WHERE rel = 'first_big'")
    assert parts > 0 and copied(target)["first_big"][0] == "d"
    assert target.value("SELECT count(*) FROM first_big") > 0
    godwit("apply", mine, "--until", "wave_end", code=0)
    assert copied(target)["first_big"] == ("f", 2, 60000)
    harness.assert_same(source, target, sequences=False)


def test_anchor_32_cut_connections_are_tried_again(source, target, plan, godwit):
    """A worker's connection cut inside a part costs a retry under the same snapshot."""
    source.execute(TABLES)
    # Large parts, and not their first message: what a cut socket had taken already may be read to its end.
    source.execute("DROP TABLE later, parted")
    source.execute("INSERT INTO first_big SELECT i, repeat(md5(i::text), 8) FROM generate_series(60001, 120000) AS i")
    faults = "target/worker:message:3:cut,source/worker:message:20:cut"
    mine = plan(copy={"split_tables_larger_than": "20MB", "table_jobs": 2})
    result = godwit("apply", mine, "--until", "wave_end", code=0, env={"GODWIT_FAULT": faults})
    assert result.err.count("trying again") >= 2, result.err
    assert copied(target)["first_big"] == ("f", 1, 120000)
    harness.assert_same(source, target, sequences=False)


def test_lost_wave_session_fails_the_copy(source, target, plan, godwit, proxy):
    """Somebody ends the session that keeps locks and snapshot: nothing is copied on trust after that."""
    source.execute(TABLES)
    slow = proxy(target)
    mine = plan(copy=ONE_JOB)
    running = godwit.start("apply", mine.via(target=slow), "--until", "wave_end")
    running.wait_for(r"wave 1: 4 tables")
    slow.stall()
    assert source.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE %s",
                        ("godwit % wave keeper",)) == [(True,)]
    source.execute("CLUSTER later USING later_pkey")
    slow.go_on()
    result = running.wait(code=1)
    assert "was lost" in result.err or "snapshot" in result.err
    godwit("apply", mine, "--until", "wave_end", code=0)
    harness.assert_same(source, target, sequences=False)


def test_dropped_slot_cannot_resume(source, target, plan, godwit):
    """The slot vanishes after tables are copied: exit 14, what to do, and nothing is made anew."""
    source.execute(TABLES)
    mine = plan()
    godwit("apply", mine, "--until", "wave_end", code=0)
    source.execute(DROP_SLOT)
    result = godwit("apply", mine, code=14)
    assert "is not on the source any more" in result.err and "--all --yes" in result.err
    assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0


def test_dropped_slot_before_the_copy_is_made_again(source, target, plan, godwit):
    """Nothing is copied yet: a new slot, and the applied position begins there."""
    source.execute(TABLES)
    mine = plan()
    godwit("apply", mine, "--until", "slot", code=0)
    source.execute(DROP_SLOT)
    source.execute("INSERT INTO later VALUES (9999, 1, 'between')")
    godwit("apply", mine, "--until", "slot", code=0)
    assert target.value("SELECT applied FROM godwit.lane") == source.value(
        "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE database = current_database()")


def test_invalidated_slot_cannot_resume(private_cluster, database, target, plan, godwit):
    """max_slot_wal_keep_size took the WAL away: exit 14 names it."""
    server = private_cluster("pg15", settings={"max_slot_wal_keep_size": "16MB", "max_wal_size": "64MB",
                                               "min_wal_size": "32MB", "wal_keep_size": 0})
    small = database(server)
    small.execute(TABLES)
    mine = plan(source_db=small)
    godwit("apply", mine, "--until", "wave_end", code=0)
    for _ in range(6):
        small.execute("CREATE TABLE junk AS SELECT repeat(md5(i::text), 20) FROM generate_series(1, 30000) AS i")
        small.execute("DROP TABLE junk")
        small.query("SELECT pg_switch_wal()")
    small.execute("CHECKPOINT")
    assert small.value("SELECT wal_status FROM pg_replication_slots") == "lost"
    result = godwit("apply", mine, code=14)
    assert "was invalidated by the source" in result.err


@pytest.mark.parametrize("change, reason", [
    ("ALTER PUBLICATION {p} ADD TABLE stranger", "its tables are not the selected ones"),
    ("ALTER PUBLICATION {p} SET (publish = 'insert')", "it publishes other kinds of changes"),
    ("ALTER PUBLICATION {p} SET (publish_via_partition_root = true)", "it publishes partitions as their root"),
    ("COMMENT ON PUBLICATION {p} IS NULL", "it does not carry this run's mark as its comment"),
])
def test_changed_publication_is_refused(change, reason, source, target, plan, godwit):
    """A publication that somebody changed is not used, and not repaired behind their back."""
    source.execute(TABLES + "CREATE SCHEMA other; CREATE TABLE other.stranger (id int PRIMARY KEY)")
    mine = plan()
    godwit("apply", mine, "--until", "publication", code=0)
    name = source.value("SELECT pubname FROM pg_publication")
    source.execute(change.format(p=name).replace("stranger", "other.stranger"))
    result = godwit("apply", mine, code=1)
    assert f"publication {name} on the source is not as planned: {reason}" in result.err


def test_statistics_are_gathered(source, target, plan, godwit):
    """After the copy the target's planner knows row counts; with copy.vacuum pages are all-visible."""
    source.execute(TABLES)
    godwit("apply", plan(copy={"vacuum": True}), "--until", "analyze", code=0)
    assert target.value("SELECT reltuples::int FROM pg_class WHERE relname = 'first_big'") == 60000
    assert target.value("SELECT relallvisible > 0 FROM pg_class WHERE relname = 'first_big'")

def test_a_backlog_is_behind_at_the_start(source, target, plan, godwit):
    """An engine that begins with a backlog has not caught up before it is applied, however young the engine."""
    source.execute(TABLES)
    mine = plan(cutover={"approval": {"required": True}})
    godwit("apply", mine, "--exit-at-gate", code=6)
    source.execute("INSERT INTO later SELECT i, i, 'backlog' FROM generate_series(10000, 210000) AS i")
    running = godwit.start("apply", mine)
    running.wait_for(r"\[catchup\] done")
    assert target.value("SELECT count(*) FROM later") == 203001
    running.send_signal(signal.SIGTERM)
    running.wait(code=143)


def test_lost_parts_are_not_called_copied(source, target, plan, godwit):
    """A part's commit does not wait for the disk. When a crash of the target takes one that was counted already, the
    table is copied anew, though the engine never noticed the crash."""
    source.execute(TABLES)
    mine = plan(copy={"split_tables_larger_than": "1MB", "table_jobs": 2})
    godwit("apply", mine, "--until", "slot", code=0)
    target.execute("CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
                   "CREATE TRIGGER lose BEFORE INSERT ON godwit.part FOR EACH ROW WHEN (NEW.part = 2)"
                   "EXECUTE FUNCTION lose(); ALTER TABLE godwit.part ENABLE ALWAYS TRIGGER lose")
    running = godwit.start("apply", mine, "--until", "wave_end")
    running.wait_for("did not survive a crash of the target")
    target.execute("DROP TRIGGER lose ON godwit.part; DROP FUNCTION lose()")
    running.wait(code=0)
    harness.assert_same(source, target, sequences=False)


@pytest.mark.parametrize("side", ["source", "target"])
def test_crashed_server_during_the_copy(side, private_cluster, database, plan, godwit):
    """A server crashes inside the copy: the run ends or retries, apply again finishes, nothing is missing."""
    server = private_cluster("pg15", fsync=True)
    other = private_cluster("pg16", fsync=True)
    here, there = database(server), database(other)
    here.execute(TABLES + "CREATE TABLE child (id int PRIMARY KEY, big bigint REFERENCES first_big);"
                          "INSERT INTO child SELECT i, i FROM generate_series(1, 2000) AS i")
    mine = plan(source_db=here, target_db=there, copy={"split_tables_larger_than": "1MB", "table_jobs": 2})
    running = godwit.start("apply", mine, "--until", "validate")
    running.wait_for(r"\[wave\] done")
    time.sleep(0.15)
    (server if side == "source" else other).restart("immediate")
    running._result(120)
    godwit("apply", mine, "--until", "validate", code=0)
    assert {state for state, _, _ in copied(there).values()} == {"r"}, "copied, and joined to the stream"
    harness.assert_same(here, there, sequences=False)
    assert there.value("SELECT count(*) FROM pg_constraint WHERE conname = 'child_big_fkey' AND convalidated") == 1


def test_anchor_35_a_new_snapshot_for_what_is_not_begun(source, target, plan, godwit, proxy):
    """copy.max_snapshot_age: what is begun is finished under its snapshot, the rest gets another; nothing is lost."""
    source.execute(TABLES)
    slow = proxy(source)
    slow.stall_after(3_000_000)  # in the middle of the first table
    mine = plan(copy={**ONE_JOB, "max_snapshot_age": "2s", "split_tables_larger_than": "100MB"})
    running = godwit.start("apply", mine.via(source=slow), "--until", "catchup")
    running.wait_for(r"wave 1: 4 tables")
    end = time.monotonic() + 60
    while not slow.stalled:
        assert time.monotonic() < end, running.err
        time.sleep(0.05)
    time.sleep(2.5)
    source.execute("UPDATE first_big SET payload = 'x' WHERE id < 10; DELETE FROM later WHERE id < 5;"
                   "INSERT INTO parted VALUES (9000, 'north', 'late')")
    slow.go_on()
    result = running.wait(code=0)
    assert "older than copy.max_snapshot_age" in result.err
    waves = {rel: wave for rel, (_, wave, _) in copied(target).items()}
    assert waves["first_big"] == 1 and waves["later"] == 2, waves
    target.wait_until("SELECT count(*) = 1 FROM parted WHERE id = 9000")
    godwit("apply", mine, "--until", "verify", code=0)
    harness.assert_same(source, target, sequences=False)


def test_every_wave_copies_something(source, target, plan, godwit, proxy):
    """A snapshot that is too old before the first relation could begin: the run gets on all the same."""
    source.execute("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1);"
                   "CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b VALUES (1)")  # of one size: neither comes first
    slow = proxy(source)
    mine = plan(copy={**ONE_JOB, "max_snapshot_age": "1s"})
    running = godwit.start("apply", mine.via(source=slow), "--until", "wave_end")
    running.wait_for(r"slot .* begins at")
    slow.delay(0.06)
    running.wait(code=0, timeout=90)
    assert set(copied(target)) == {"a", "b"}
