"""Changes that do not meet the row they expect: every kind, by every policy, counted by relation in the journal."""
import pytest
from stream import Trial

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, a text, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL;
CREATE TABLE other (id int PRIMARY KEY, a text);
CREATE TABLE loose (v int); ALTER TABLE loose REPLICA IDENTITY FULL;
CREATE TABLE slots (id int PRIMARY KEY, slot int UNIQUE);
"""
COUNTS = ("SELECT rel || ' ' || kind || ' ' || outcome, sum(count)::int, "
          "(array_agg(last_key ORDER BY last_lsn DESC))[1] FROM godwit.conflict GROUP BY 1")
# What the source does (the target has lost rows 1 to 4 of t and other, and has rows 20 to 24 of its own) -> the kind.
CHANGES = {
    "INSERT INTO t VALUES (20, 'theirs')": "insert_exists",
    "UPDATE t SET id = 21 WHERE id = 5": "update_exists",
    "UPDATE t SET a = 'w' WHERE id = 1": "update_missing",
    "DELETE FROM t WHERE id = 2": "delete_missing",
}


def spoiled(plan, source, target, **options):
    """A stream whose target has lost rows and has rows of its own."""
    trial = Trial.on(plan(apply=options), source, target, SCHEMA)
    trial.may_replay = True
    source.execute("INSERT INTO t SELECT g, 'v' FROM generate_series(1, 8) g; INSERT INTO other SELECT g, 'v' "
                   "FROM generate_series(1, 8) g; INSERT INTO loose VALUES (1), (2); "
                   "INSERT INTO slots SELECT g, g FROM generate_series(1, 4) g")
    trial.catch_up()
    for table in ("t", "other"):
        target.execute(f"DELETE FROM {table} WHERE id <= 4; "
                       f"INSERT INTO {table} SELECT g, 'mine' FROM generate_series(20, 24) g")
    return trial


@pytest.mark.parametrize("change", CHANGES, ids=CHANGES.values())
def test_stop_names_the_key_and_leaves_nothing(plan, source, target, change):
    """Each kind ends the stream; nothing of its transaction stays, nothing is counted."""
    with spoiled(plan, source, target) as trial:
        source.execute(f"UPDATE other SET a = 'before' WHERE id = 8; {change}")
        error = trial.fails()
        key = {"insert_exists": "20", "update_exists": "5", "update_missing": "1", "delete_missing": "2"}
        assert error["error"] == "E005" and f"Key (id)=({key[CHANGES[change]]})." in error["detail"], error
        assert "Source transaction" in error["detail"]
        assert target.value("SELECT a FROM other WHERE id = 8") == "v"
        assert target.query(COUNTS) == []


def test_skip_and_upsert_are_counted_by_relation(plan, source, target, database):
    """skip leaves the target's rows, upsert makes them the source's; both count what they did."""
    more = database("pg17", prefix="dst")
    for policy, there in (("skip", target), ("upsert", more)):
        if policy == "upsert":
            source.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = "
                           "current_database(); DROP PUBLICATION trial_pub; DROP TABLE t, other, loose, slots")
        with spoiled(lambda apply: plan(target_db=there, apply=apply), source, there,  # pylint: disable=W0640
                     on_conflict=policy) as trial:
            for change in CHANGES:
                source.execute(change)
            source.execute("DELETE FROM other WHERE id IN (1, 2, 3); INSERT INTO other VALUES (30, 'new')")
            there.execute("DELETE FROM loose WHERE v = 2")
            source.execute("DELETE FROM loose WHERE v = 2; INSERT INTO loose VALUES (3)")
            trial.catch_up()
            rows = dict(there.query("SELECT id, a FROM t"))
            left = {6: "v", 7: "v", 8: "v", 22: "mine", 23: "mine", 24: "mine"}
            if policy == "skip":
                assert rows == {**left, 5: "v", 20: "mine", 21: "mine"}
            else:
                assert rows == {**left, 1: "w", 20: "theirs", 21: "v"}
            did = {"skip": ("skipped",) * 3, "upsert": ("overwritten", "overwritten", "inserted")}[policy]
            assert sorted(there.query(COUNTS)) == [
                ("loose delete_missing skipped", 1, "The relation has no key."),
                ("other delete_missing skipped", 3, "Key (id)=(3)."),
                ("t delete_missing skipped", 1, "Key (id)=(2)."),
                (f"t insert_exists {did[0]}", 1, "Key (id)=(20)."),
                (f"t update_exists {did[1]}", 1, "Key (id)=(5)."),
                (f"t update_missing {did[2]}", 1, "Key (id)=(1)."),
            ]
            assert trial.same("loose") and trial.status()["conflicts"] == 8
            assert "conflict: delete_missing on public.t, skipped: Key (id)=(2)." in trial.log_text()


def test_upsert_cannot_make_up_values(plan, source, target):
    """What did not travel cannot be inserted; another row's unique value cannot be taken."""
    with spoiled(plan, source, target, on_conflict="upsert") as trial:
        source.execute("UPDATE t SET big = repeat('x', 90000) WHERE id = 6")
        trial.catch_up()
        target.execute("DELETE FROM t WHERE id = 6")
        source.execute("UPDATE t SET a = 'w' WHERE id = 6")
        error = trial.fails()
        assert error["error"] == "E005" and "not all of its values travelled" in error["message"], error
    target.execute("INSERT INTO t VALUES (6, 'w'); UPDATE slots SET slot = 90 WHERE id = 1")
    with trial.again() as trial:
        trial.may_replay = True
        source.execute("UPDATE slots SET slot = 90 WHERE id = 2")
        error = trial.fails()
        assert error["error"] == "E002" and "slots_slot_key" in error["message"], error


def test_conflict_in_one_lane(plan, source, target):
    """The others commit their shares; each lane goes on at its own row once the row is mended. Then
    conflicts in all lanes are counted by each, and told once in a while only."""
    with spoiled(plan, source, target, lanes=4) as trial:
        source.execute("INSERT INTO other SELECT g, 'x' FROM generate_series(100, 300) g; "
                       "DELETE FROM other WHERE id = 1")
        error = trial.fails()
        assert error["error"] == "E005" and "Key (id)=(1)." in error["detail"], error
        assert target.value("SELECT count(*) BETWEEN 1 AND 200 FROM other WHERE id >= 100")
        assert target.value("SELECT count(DISTINCT applied) FROM godwit.lane") > 1
    target.execute("INSERT INTO other VALUES (1)")
    trial.plan.change(apply={"lanes": 4, "on_conflict": "skip"})
    with trial.again() as trial:
        trial.may_replay = True
        trial.catch_up()
        assert trial.status()["conflicts"] == 0
        target.execute("DELETE FROM other WHERE id >= 100")
        source.execute("DELETE FROM other WHERE id >= 100")
        trial.catch_up()
        assert target.query(COUNTS)[0][:2] == ("other delete_missing skipped", 201)
        assert target.value("SELECT count(*) FROM godwit.conflict") == 4
        assert trial.status()["conflicts"] == 201
        assert trial.log_text().count("conflict: delete_missing") <= 4 * 20


def test_status_tells_conflicts(plan, source, target, godwit):
    """A whole migration in lanes: what was skipped is told by `status`, as text and as JSON."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t SELECT g, 'v' "
                   "FROM generate_series(1, 1000) g")
    mine = plan(apply={"lanes": 3, "on_conflict": "skip"}, cutover={"approval": {"required": True}})
    engine = godwit.start("apply", mine)
    target.wait_until("SELECT to_regclass('godwit.gate') IS NOT NULL", timeout=60)
    target.wait_until("SELECT count(*) > 0 FROM godwit.gate", timeout=60)
    target.execute("DELETE FROM t WHERE id IN (7, 8)")
    source.execute("UPDATE t SET a = 'w' WHERE id > 500; DELETE FROM t WHERE id IN (7, 8)")
    target.wait_until("SELECT sum(count) = 2 FROM godwit.conflict", timeout=30)
    told = godwit("status", mine, "--format", "json").json()["conflicts"]
    assert told[0].pop("last_at") and told == [
        {"schema": "public", "relation": "t", "kind": "delete_missing", "outcome": "skipped", "count": 2,
         "last_key": "Key (id)=(8)."}], told
    text = godwit("status", mine).out
    assert "2 of public.t, delete_missing, skipped; last " in text, text
    godwit("approve", mine)
    engine.wait(90, code=0)
    assert source.query("SELECT * FROM t ORDER BY id") == target.query("SELECT * FROM t ORDER BY id")
