"""The main job: a live database moves, whole, under load, between several pairs of servers."""
import re

import harness
import pytest
import residue

HYPERTABLE = [{"target_table": "public.w_event",
               "by_range": {"column_name": "at", "partition_interval": "7 days"}}]


@pytest.mark.parametrize("pair, hypertables", [
    (("pg15", "pg17"), HYPERTABLE),
    (("pg17", "pg17"), None),
    (("pg16", "pg18"), None),
    (("pg14", "pg17"), HYPERTABLE),
], ids=["15-17-timescaledb", "17-17", "16-18", "14-17-timescaledb"])
def test_migrates_under_load(pair, hypertables, database, plan, godwit, writer):
    """A writer runs through the whole migration; the target ends with exactly its transactions."""
    source = database(pair[0], prefix="src")
    target = database(pair[1], prefix="dst", extensions=["timescaledb"] if hypertables else [])
    load_ = writer(source)
    load_.wait_transactions(50)
    mine = plan(source, target, hypertables=hypertables)
    result = godwit("apply", mine, code=0)
    load_.stop(check=False)
    load_.verify(target)
    harness.assert_same(source, target)
    assert re.search(r"downtime +\d+ ms", result.out), result.out
    assert "0 differences" in result.out
    if hypertables:
        assert target.value("SELECT count(*) FROM timescaledb_information.hypertables") == 1
    assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0
    assert source.value("SELECT count(*) FROM pg_publication") == 0


def test_a_second_apply_of_a_finished_run_says_so(source, target, plan, godwit, writer):
    """Status 0 and a sentence, before and after cleanup; cleanup twice is a no-op; opened again, the source is as it
    was before."""
    load_ = writer(source)
    before = residue.fingerprint(source)
    mine = plan()
    godwit("apply", mine, code=0)
    load_.stop(check=False)
    assert "is finished" in godwit("apply", mine, code=0).out
    assert source.value("SHOW default_transaction_read_only") == "on"
    assert "default_transaction_read_only" not in godwit("check", mine, "--script").out
    assert "no cutover to approve" in godwit("approve", mine, code=1).err
    ended = target.value("SELECT to_char(ended_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM godwit.run")
    cleaned = godwit("cleanup", mine, "--yes", code=0).out
    assert "dropped the journal" in cleaned
    assert "ALTER DATABASE" not in godwit("check", mine, "--script").out
    opens = re.search(r"stays read-only; to open it again: (.*;)", cleaned)[1]
    assert f'ALTER DATABASE "{source.value("SELECT current_database()")}" RESET' in opens
    assert source.value("SHOW default_transaction_read_only") == "on"
    source.execute(opens)
    assert source.value("SHOW default_transaction_read_only") == "off"
    residue.assert_none(source, before)
    assert f"is finished since {ended} and was cleaned up" in godwit("apply", mine, code=0).out
    assert f"is finished since {ended} and was cleaned up" in godwit("status", mine, code=0).out
    planned = godwit("plan", mine, "--detailed-exitcode", code=0).out
    assert f"finished since {ended}" in planned and "0 steps, 0 to do" in planned
    assert "nothing to do" in godwit("check", mine, code=0).err
    for command in ("approve", "cutover", "refresh", "failback"):
        refused = godwit(command, mine, code=0 if command == "refresh" else 1)
        assert "is finished since" in refused.out + refused.err, command
    assert "is finished since" in godwit("resync", mine, "app.t", code=1).err
    assert "nothing to clean up" in godwit("cleanup", mine, "--yes", code=0).out
    assert target.value("SELECT to_regclass('godwit.run') IS NULL")


def test_given_up_before_the_target_is_open(source, target, plan, godwit):
    """An engine that died between switch and unfence: cleanup opens the target, and names what nobody does any more."""
    source.execute("""CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY, t int REFERENCES t);
                      INSERT INTO t VALUES (1); INSERT INTO u VALUES (1, 1)""")
    mine = plan(cutover={"switch": [{"id": "announce", "sql": {"server": "target", "statement": "SELECT 1"}}]})
    assert godwit("apply", mine, env=harness.BEHIND_THE_SWITCH).code == -9
    with pytest.raises(Exception, match="read-only"):
        target.execute("INSERT INTO t VALUES (2)")
    told = godwit("cleanup", mine, "--yes", code=0).out
    assert "left undone behind the switch: announce" in told and "cutover." not in told, told
    assert "the target takes writes again" in told and "the source stays read-only" in told, told
    target.execute("INSERT INTO t VALUES (2)")
    with pytest.raises(Exception, match="read-only"):
        source.execute("INSERT INTO t VALUES (2)")
    assert "is finished" in godwit("apply", mine, code=0).out


def test_a_source_that_is_gone_for_good(source, target, plan, godwit):
    """cleanup ends with 5; with --target-only it says what stays on the source and touches only the target."""
    source.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    mine = plan(cutover={"approval": {"required": True}}, replication={"replica_identity": {"when_missing": "set"}})
    gone = {"SOURCE": "host=127.0.0.1 port=1 dbname=gone user=postgres"}
    slots = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("cleanup", mine, "--yes", env=gone, code=5)
    assert "stays on the source" in godwit("cleanup", mine, "--target-only", env=gone, code=64).out
    told = godwit("cleanup", mine, "--target-only", "--yes", env=gone, code=0).out
    slot = source.value("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()")
    assert f"slot and publication {slot}" in told and "a tombstone stays" in told, told
    assert "replica identity of public.t; before the run it was DEFAULT" in told, told
    assert target.value("SELECT to_regclass('godwit.run') IS NULL") and target.value("SELECT count(*) FROM t") == 1
    assert "nothing to clean up on the target" in godwit("cleanup", mine, "--target-only", env=gone, code=0).out
    assert f"dropped slot {slot}" in godwit("cleanup", mine, "--yes", code=0).out and source.value(slots) == 0


def test_waits_for_an_approval(source, target, plan, godwit, writer):
    """apply leaves with 6 at the gate; approve; cutover finishes; the target has everything."""
    load_ = writer(source)
    mine = plan(cutover={"approval": {"required": True}})
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("cutover", mine, code=6)
    assert "approved by postgres" in godwit("approve", mine, code=0).out
    out = godwit("cutover", mine, code=0).out
    assert re.search(r"downtime +\d+ ms", out), out
    load_.stop(check=False)
    load_.verify(target)


def test_cutover_follows_the_running_engine(source, target, plan, godwit, writer):
    """apply waits and keeps replicating; approve in another process; cutover follows and reports."""
    load_ = writer(source)
    mine = plan(cutover={"approval": {"required": True}})
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    assert "engine             runs" in godwit("status", mine, code=0).out
    godwit("approve", mine, code=0)
    running.wait(code=0)
    load_.stop(check=False)
    load_.verify(target)
    status = godwit("status", mine, "--format", "json", code=0).json()
    assert status["state"] == "finished"
    assert status["differences"] == 0
    assert status["downtime_ms"] >= 0


def test_another_plan_is_not_approved_by_this_one(source, target, plan, godwit, writer):
    """An edited plan: apply and approve refuse with 12 and name what changed."""
    writer(source)
    mine = plan(cutover={"approval": {"required": True}})
    godwit("apply", mine, "--exit-at-gate", code=6)
    mine.change(select={"schemas": ["public"], "exclude": ["public.w_log"]})
    result = godwit("apply", mine, code=12)
    assert "exclude" in result.err
    godwit("approve", mine, code=12)
    godwit("cleanup", mine, "--yes", code=0)


def test_a_safe_change_can_be_accepted(source, target, plan, godwit, writer):
    """copy.table_jobs may change between two runs, with --accept-changes."""
    load_ = writer(source)
    mine = plan(cutover={"approval": {"required": True}})
    godwit("apply", mine, "--exit-at-gate", code=6)
    mine.change(copy={"table_jobs": 2})
    assert "--accept-changes" in godwit("apply", mine, "--exit-at-gate", code=12).err
    godwit("apply", mine, "--exit-at-gate", "--accept-changes", code=6)
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    load_.stop(check=False)
    load_.verify(target)


def test_target_object_exists(source, target, plan, godwit, writer):
    """A table of the same name on the target: refused by name, nothing written."""
    writer(source)
    target.execute("CREATE TABLE w_order (mine int)")
    result = godwit("apply", plan(), code=4)
    assert "w_order" in result.err
    assert target.value("SELECT to_regnamespace('godwit') IS NULL")
    assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0


def test_wrong_password_is_not_printed(source, target, plan, godwit):
    """Status 5, no secret in any output."""
    mine = plan()
    wrong = "host=127.0.0.1 port=1 user=postgres dbname=x password=s3cr3t"
    for args in (("check", mine), ("apply", mine), ("plan", mine)):
        result = godwit(*args, env={"SOURCE": wrong}, code=5)
        assert "s3cr3t" not in result.err + result.out
    result = godwit("check", mine, env={"SOURCE": "password=s3cr3t bogus"}, code=5)
    assert "s3cr3t" not in result.err + result.out


CATALOG = """
SELECT string_agg(x, E'\\n' ORDER BY x) FROM (
    SELECT format('rel %s %s %s', oid, relname, relkind) FROM pg_class WHERE relnamespace <> 'pg_toast'::regnamespace
    UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots WHERE database = current_database()
    UNION ALL SELECT 'pub ' || pubname FROM pg_publication
    UNION ALL SELECT 'set ' || setconfig::text FROM pg_db_role_setting
    UNION ALL SELECT 'ns ' || nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_temp%'
                                                          AND nspname NOT LIKE 'pg_toast_temp%') AS y(x)
"""


def test_plan_writes_nothing(source, target, plan, godwit, writer):
    """plan, check, graph before and after a run: both catalogs stay as they are; the same bytes twice."""
    load_ = writer(source)
    load_.stop()
    mine = plan()
    before = [db.value(CATALOG) for db in (source, target)]
    first = godwit("plan", mine, "--format", "sql", code=0).out
    assert first == godwit("plan", mine, "--format", "sql", code=0).out
    assert "CREATE PUBLICATION" in first
    godwit("check", mine, code=0)
    godwit("graph", mine, "--connect", code=0)
    godwit("plan", mine, "--detailed-exitcode", code=2)
    assert before == [db.value(CATALOG) for db in (source, target)]
    godwit("apply", mine, code=0)
    after = [db.value(CATALOG) for db in (source, target)]
    godwit("plan", mine, code=0)
    godwit("plan", mine, "--detailed-exitcode", code=0)
    assert after == [db.value(CATALOG) for db in (source, target)]


def test_pinned_plan(source, target, plan, godwit, writer, tmp_path):
    """A pinned plan is shown, applied, and refused once the catalog moved."""
    load_ = writer(source)
    load_.stop()
    mine = plan()
    pinned = tmp_path / "night.pinned"
    godwit("plan", mine, "--out", pinned, code=0)
    assert mine.name in godwit("show", pinned, code=0).out
    source.execute("ALTER TABLE w_log ADD COLUMN late int")
    result = godwit("apply", pinned, env=mine.env, code=12)
    assert "changed since the plan was pinned" in result.err
    source.execute("ALTER TABLE w_log DROP COLUMN late")
    godwit("apply", pinned, env=mine.env, code=0)
    assert target.value("SELECT count(*) FROM w_log") == source.value("SELECT count(*) FROM w_log")


def test_reset_begins_anew(source, target, plan, godwit, writer, database):
    """reset drops what the run made on the target; apply then runs from nothing. With another server than the run's
    reset, cleanup and verify do nothing; what bears the plan's name and was made for another target stays."""
    load_ = writer(source)
    mine = plan(cutover={"approval": {"required": True}})
    godwit("apply", mine, "--exit-at-gate", code=6)
    elsewhere = {"SOURCE": database("pg15", prefix="else").conninfo()}
    for args in (["reset", mine, "--yes"], ["cleanup", mine, "--yes"], ["verify", mine]):
        refused = godwit(*args, env=elsewhere, code=12)
        assert "began with source" in refused.err and refused.out == "", refused
    slots = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"
    slot = source.value(slots)
    another = {"TARGET": database("pg17", prefix="else").conninfo()}
    refused = godwit("cleanup", mine, "--yes", env=another, code=12)
    assert f"slot {slot} on the source" in refused.err and f"pg_drop_replication_slot('{slot}')" in refused.err
    assert f"publication {slot} on the source" in refused.err and source.query(slots) == [(slot,)]
    godwit("apply", mine, "--until", "slot", env=another, code=0)
    cleaned = godwit("cleanup", mine, "--yes", env=another, code=0).out
    assert f"left alone, of a run between other servers: slot {slot} on the source" in cleaned
    assert "dropped slot" in cleaned and f"dropped slot {slot}" not in cleaned and source.query(slots) == [(slot,)]
    godwit("reset", mine, code=64)
    godwit("reset", mine, "--yes", code=0)
    assert target.value("SELECT to_regclass('public.w_order') IS NULL")
    assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    load_.stop(check=False)
    load_.verify(target)
