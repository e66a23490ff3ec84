"""Bad luck: kills, cuts, signals, two engines, low timeouts. Nothing lost, nothing twice, apply again finishes."""
import re
import signal
import time

import harness
import psycopg
import pytest
import residue

BIG = """
CREATE TABLE big (id bigint PRIMARY KEY, payload text NOT NULL);
INSERT INTO big SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 60000) AS i;
CREATE TABLE big_two (id bigint PRIMARY KEY, payload text NOT NULL);
INSERT INTO big_two SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 20000) AS i;
"""
SPLIT = {"split_tables_larger_than": "4MB", "table_jobs": 2}


def finish(godwit, mine, load, source, target):
    """apply until done; then the writer's account must be right on the target."""
    godwit("apply", mine, code=0)
    load.stop(check=False)
    load.verify(target)
    harness.assert_same(source, target)


@pytest.mark.parametrize("fault", [
    "target/worker:message:2:kill", "target/worker:message:9:kill", "source/worker:statement:12:kill",
    "target/worker:statement:40:kill", "target/worker:statement:90:kill", "source/wave:statement:3:kill",
])
def test_killed_in_copy(fault, source, target, plan, godwit, writer):
    """SIGKILL at a message or statement of schema and copy; the next apply finishes."""
    source.execute(BIG)
    load = writer(source)
    mine = plan(copy=SPLIT)
    result = godwit.start("apply", mine, env={"GODWIT_FAULT": fault})._result(180)
    assert result.code in (-9, 0), result.err
    finish(godwit, mine, load, source, target)


@pytest.mark.parametrize("fault", ["target/apply:statement:30:kill", "source/receive:message:40:kill"])
def test_killed_in_stream(fault, source, target, plan, godwit, writer):
    """SIGKILL while changes are applied; the next engine goes on from the lane row."""
    load = writer(source)
    mine = plan(cutover={"approval": {"required": True}})
    running = godwit.start("apply", mine, env={"GODWIT_FAULT": fault})
    deadline = time.monotonic() + 20
    while running.running() and time.monotonic() < deadline:
        time.sleep(0.1)
    running.kill9()
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    load.stop(check=False)
    load.verify(target)
    harness.assert_same(source, target)


CUTOVER_STEPS = ["target_fence", "source_fence", "drain", "sequences", "verify", "switch", "unfence"]


@pytest.mark.parametrize("method, strike", [("lock", "kill"), ("read_only", "kill"), ("read_only", "cut")])
def test_a_cutover_struck_behind_each_step(method, strike, source, target, plan, godwit, writer, proxy):
    """SIGKILL, or all connections cut, behind one step of the cutover after the other, in one migration. Before the
    switch the source is writable again: behind a cut at once, status 10; behind a kill as soon as the locks fall, or
    the next engine lifts the setting. Every later cutover gets further; behind the switch the target is right."""
    load = writer(source)
    ways = proxy(source), proxy(target)
    mine = plan(cutover={"stop_writes": {"method": method}, "gates": {"stable_for": "100ms"}})
    struck = []
    for step in CUTOVER_STEPS:
        running = godwit.start("apply", mine.via(*ways))
        try:
            running.wait_for(rf"\[cutover.{step}\] done", timeout=120)
        except AssertionError:
            running.wait(code=0)  # the one before had come further than where it was struck
            break
        if strike == "kill":
            running.kill9()
            code = -9
        else:
            for way in ways:
                way.cut()
            code = running.wait().code
        struck.append((step, code))
        state = target.value("SELECT state FROM godwit.run")
        if code == 10 or (code == -9 and method == "lock" and state == "cutover" and step in CUTOVER_STEPS[:3]):
            load.wait_transactions(3)
        if code == 0:
            break
        assert code in (-9, 10), running.err
    assert len(struck) >= 5, struck
    finish(godwit, mine, load, source, target)


def test_a_switch_whose_answer_is_lost(source, target, plan, godwit, proxy):
    """The connection is cut while the switch is being committed: the server may commit it all the
    same. Whether the source stays closed goes by that, not by what the engine was told."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    cut = proxy(target)
    mine = plan()
    writing = source.connect()
    running = godwit.start("apply", mine.via(target=cut))
    running.wait_for(r"\[catchup\] done", timeout=120)
    with writing.transaction():
        writing.execute("INSERT INTO t VALUES (2)")  # the source's fence waits for this
        running.wait_for(r"\[cutover.target_fence\] done", timeout=120)
        holder = target.connect()
        holder.execute("SET default_transaction_read_only = off")
        holder.execute("BEGIN")
        holder.execute("SELECT FROM godwit.run FOR NO KEY UPDATE")
    target.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                      "AND query LIKE '%UPDATE godwit.run%' AND pid <> pg_backend_pid()")
    cut.cut()
    time.sleep(1)
    holder.execute("COMMIT")
    holder.close()
    ended = running.wait().code, target.value("SELECT state FROM godwit.run")
    closed = source.value("SHOW default_transaction_read_only")
    # Behind the switch the engine goes on by itself; before it the cutover was taken back.
    assert (*ended, closed) in ((0, "finished", "on"), (10, "running", "off"))
    godwit("apply", mine, code=0)
    harness.assert_same(source, target)


def test_late_triggers_wait_again_after_a_rollback(source, target, plan, godwit):
    """Triggers ENABLE ALWAYS that a cutover had made before it failed do not act on what is
    replicated from then on."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE audit (id int, at int);"
                   "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
                   "'BEGIN INSERT INTO public.audit VALUES (NEW.id, 1); RETURN NEW; END';"
                   "CREATE TRIGGER note AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note();"
                   "ALTER TABLE t ENABLE ALWAYS TRIGGER note; ALTER TABLE audit REPLICA IDENTITY FULL")
    mine = plan()
    running = godwit.start("apply", mine)
    running.wait_for(r"\[catchup\] done", timeout=120)
    with source.connect() as writing, writing.transaction():
        writing.execute("INSERT INTO t VALUES (1)")  # the source's fence waits for this
        running.wait_for(r"\[cutover.target_fence\] done", timeout=120)
        holder = target.connect()
        holder.execute("SET default_transaction_read_only = off")
        holder.execute("BEGIN")
        holder.execute("SELECT FROM godwit.run FOR NO KEY UPDATE")  # the switch waits for this
    running.wait_for(r"\[cutover.verify\] done", timeout=120)
    running.send_signal(signal.SIGINT)
    time.sleep(1)
    holder.execute("COMMIT")
    holder.close()
    running.wait(code=10)
    assert target.value("SELECT tgenabled FROM pg_trigger WHERE tgname = 'note'") == "A"
    source.execute("INSERT INTO t SELECT generate_series(10, 50)")
    godwit("apply", mine, code=0)
    harness.assert_same(source, target)
    assert target.value("SELECT count(*) FROM audit") == 42
    assert target.value("SELECT tgenabled FROM pg_trigger WHERE tgname = 'note'") == "A"


@pytest.mark.parametrize("fails", [False, True], ids=["switched", "rolled_back"])
def test_no_session_stays_read_only(fails, source, target, plan, godwit):
    """Sessions that a pool opens under a fence do not keep its setting once the fence is gone."""
    source.execute("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES")
    mine = plan(cutover={"stop_writes": {"method": "read_only"}})
    running = godwit.start("apply", mine)
    running.wait_for(r"\[catchup\] done", timeout=120)
    holder = target.connect()
    holder.execute("SET application_name = 'godwit test'")  # the fence leaves it alone
    holder.execute("BEGIN")  # the step waits to see whether this stays
    holder.execute("INSERT INTO godwit.step (run, step, state) SELECT id, 'cutover.drain', 'running' FROM godwit.run")
    running.wait_for(r"\[cutover.source_fence\] done", timeout=120)
    pools = [(side, side.connect()) for side in (source, target)]
    for _, session in pools:
        assert session.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
    if fails:
        running.send_signal(signal.SIGINT)
    else:
        holder.execute("ROLLBACK")
    running.wait(code=10 if fails else 0)
    for side, session in pools:
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
        if fails or side is target:
            side.execute("INSERT INTO t VALUES (1000)")
    holder.close()


def test_anchor_37_numbers_drawn_behind_the_fence(source, target, plan, godwit):
    """The locks do not stop nextval(): the target goes on behind what was drawn until the switch."""
    source.execute("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES")
    mine = plan(cutover={"stop_writes": {"method": "lock"}})
    running = godwit.start("apply", mine)
    running.wait_for(r"\[catchup\] done", timeout=120)
    with source.connect() as writing, writing.transaction():
        writing.execute("INSERT INTO t DEFAULT VALUES")  # the source's fence waits for this
        running.wait_for(r"\[cutover.target_fence\] done", timeout=120)
        holder = target.connect()
        holder.execute("SET default_transaction_read_only = off")
        holder.execute("BEGIN")  # the step waits to see whether this stays
        holder.execute("INSERT INTO godwit.step (run, step, state) SELECT id, 'cutover.verify', 'running' "
                       "FROM godwit.run")
    running.wait_for(r"\[cutover.sequences\] done", timeout=120)
    drawn = source.value("SELECT max(nextval('t_id_seq')) FROM generate_series(1, 100)")
    holder.execute("ROLLBACK")
    holder.close()
    running.wait(code=0)
    assert target.value("SELECT nextval('t_id_seq')") == drawn + 1


def as_newest(name):
    """A statement of the engine's as the newest servers get it."""
    lines = (harness.REPO / f"engine/sql/{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if "-- @before " not in line)


def test_a_plain_role_finds_whom_to_end(source):
    """A role that may end sessions, but is not told what they are, finds and ends all of them."""
    ours, theirs = (f"{source.name}_{who}" for who in ("ours", "theirs"))
    source.execute(f"CREATE ROLE {ours} LOGIN; CREATE ROLE {theirs} LOGIN; GRANT pg_signal_backend TO {ours}")
    read, end = (as_newest(f"cutover_{name}") for name in ("others", "terminate_others"))
    only = f"'[\"{theirs}\"]'"
    try:
        with source.connect(user=theirs) as writing, source.connect(user=ours) as asking:
            asking.execute(f"PREPARE others (jsonb) AS {read}")
            asking.execute(f"PREPARE ending (jsonb) AS {end}")
            assert [row[1] for row in asking.execute(f"EXECUTE others ({only})")] == [theirs]
            assert asking.execute(f"EXECUTE ending ({only})").fetchall() == [(1,)]
            source.wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = %s", (theirs,))
            assert asking.execute(f"EXECUTE others ({only})").fetchall() == []
            with pytest.raises(psycopg.Error):
                writing.execute("SELECT 1")
    finally:
        source.execute(f"DROP ROLE {ours}; DROP ROLE {theirs}")


def test_anchor_38_a_failed_cutover_rolls_back(source, target, plan, godwit, writer):
    """A statement fails behind the fence: status 10, the source is writable, a later apply succeeds."""
    load = writer(source)
    mine = plan(cutover={"approval": {"required": True}})
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("approve", mine, code=0)
    source.execute("SELECT setval(pg_get_serial_sequence('w_account', 'id'), 1)")  # behind its column
    result = godwit("cutover", mine, code=10)
    assert "behind its column" in result.err
    source.execute("SELECT setval(pg_get_serial_sequence('w_account', 'id'), (SELECT max(id) + 100 FROM w_account))")
    source.execute("INSERT INTO w_account (balance, note, txid) VALUES (0, 'still writable', 0)")
    load.wait_transactions(5)
    godwit("cutover", mine, code=6)  # the approval was for one attempt
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    load.stop(check=False)
    load.verify(target)


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_stop_at_a_checkpoint(number, code, source, target, plan, godwit, writer):
    """SIGINT and SIGTERM during replication: 130 and 143; apply again finishes."""
    load = writer(source)
    mine = plan(cutover={"approval": {"required": True}})
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    running.send_signal(number)
    running.wait(code=code)
    godwit("approve", mine, code=0)
    finish(godwit, mine, load, source, target)


def test_anchor_30_two_engines(source, target, plan, godwit, writer):
    """The second engine exits 7 and names the first."""
    writer(source)
    mine = plan(cutover={"approval": {"required": True}})
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    result = godwit("apply", mine, code=7)
    assert "another engine" in result.err and "session" in result.err
    running.send_signal(signal.SIGTERM)
    running.wait(code=143)


@pytest.mark.parametrize("side", ["source", "target"])
def test_connection_cut(side, source, target, plan, godwit, writer, proxy):
    """Every connection to a side is cut during replication: the engine goes on, in place."""
    load = writer(source)
    cut = proxy(source if side == "source" else target)
    mine = plan(cutover={"approval": {"required": True}})
    through = mine.via(**{side: cut})
    running = godwit.start("apply", through)
    running.wait_for("waiting for an approval")
    cut.cut()
    load.wait_transactions(20)
    godwit("approve", mine, code=0)
    running.wait(code=0)
    load.stop(check=False)
    load.verify(target)


SET_LOW = """
DO $do$BEGIN
    EXECUTE format('ALTER DATABASE %I SET {0} = {1}', current_database());
END$do$"""
LOW = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


def test_low_timeouts(source, target, plan, godwit, writer):
    """statement_timeout, lock_timeout, idle timeouts set low on both databases do not reach the run."""
    source.execute(BIG)
    writer(source).stop()
    for db in (source, target):
        for name in LOW:
            db.execute(SET_LOW.format(name, 50))
    godwit("apply", plan(copy=SPLIT), code=0)
    for db in (source, target):
        for name in LOW:
            db.execute(f"BEGIN READ WRITE;{SET_LOW.format(name, 'DEFAULT')};COMMIT")
    harness.assert_same(source, target)


def test_an_engine_that_lost_the_run_does_not_switch(source, target, plan, godwit):
    """An engine may be frozen just before the switch, and its run unlocked and taken: what it drained is not what the
    other one fenced. It rolls back."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    taken = {"id": "taken", "sql": {"server": "target", "statement": "UPDATE godwit.run SET epoch = epoch + 1"}}
    result = godwit("apply", plan(cutover={"after_drain": [taken]}), code=10)
    assert "another engine has taken it" in result.err
    assert target.query("SELECT state, switched_at FROM godwit.run") == [("running", None)]
    source.execute("INSERT INTO t VALUES (2)")


def test_a_dead_cutover_is_not_undone_elsewhere(source, target, database, plan, godwit, writer):
    """Killed behind a read_only fence, then started with another source: refused, nothing is touched there or here."""
    writer(source)
    before = residue.fingerprint(source)
    look = {"id": "look", "sql": {"server": "target", "statement": "SELECT 1 AS looked"}}
    mine = plan(cutover={"stop_writes": {"method": "read_only"}, "after_drain": [look]})
    assert godwit("apply", mine, env={"GODWIT_FAULT": "target:statement=AS looked:1:kill"}).code == -9
    elsewhere = database("pg16", prefix="src")
    for args in (("apply", mine), ("cleanup", mine, "--yes")):
        result = godwit(*args, env={"SOURCE": elsewhere.conninfo()}, code=12)
        assert "began with source" in result.err
    assert target.value("SELECT count(*) FROM godwit.fence WHERE side = 'source'") == 1
    godwit("cleanup", mine, "--yes", code=0)
    residue.assert_none(source, before)


def test_cleanup_in_the_copy_of_a_run_without_a_journal(source, target, plan, godwit):
    """Killed in the copy, and the journal is lost with the target: what stands on the source is found by name."""
    source.execute(BIG)
    before = residue.fingerprint(source)
    mine = plan(copy=SPLIT)
    killed = godwit("apply", mine, env={"GODWIT_FAULT": "target/worker:message:9:kill"})
    assert killed.code == -9, killed.err
    assert residue.fingerprint(source) != before
    target.execute("DROP SCHEMA godwit CASCADE")
    assert "dropped slot" in godwit("cleanup", mine, "--yes", code=0).out
    residue.assert_none(source, before)
    assert "nothing to clean up" in godwit("cleanup", mine, "--yes", code=0).out


def test_cleanup_behind_the_fence_of_a_run_without_a_journal(source, target, plan, godwit):
    """Killed behind a read_only fence, and the journal is dropped by hand: what the run may have closed and set is
    told, with the statements that take it back; a cleanup that says nothing of it leaves production read-only."""
    source.execute("CREATE TABLE bare (a int)")
    before = residue.fingerprint(source)
    look = {"id": "look", "sql": {"server": "target", "statement": "SELECT 1 AS looked"}}
    mine = plan(cutover={"stop_writes": {"method": "read_only"}, "after_drain": [look]},
                replication={"replica_identity": {"when_missing": "set"}})
    assert godwit("apply", mine, env={"GODWIT_FAULT": "target:statement=AS looked:1:kill"}).code == -9
    target.psql("SET default_transaction_read_only = off; DROP SCHEMA godwit CASCADE;")
    first = godwit("cleanup", mine, "--yes", code=0).out
    second = godwit("cleanup", mine, "--yes", code=0).out
    for said in (first, second):
        assert "the source stays read-only; to open it" in said and "the target stays read-only; to open it" in said
    source.psql(re.search(r"the source stays .*?: (BEGIN.*)", second)[1])
    source.psql(re.search(r"take it back: (ALTER TABLE.*)", first)[1])
    residue.assert_none(source, before)
