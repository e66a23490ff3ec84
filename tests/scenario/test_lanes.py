"""Several lanes: what they share out, what they do together, and what is left when one of them is cut off."""
import time

from stream import Trial
from test_stream_faults import ACCOUNTS, SETUP, Bank, settle

LANES = {"lanes": 4}
MIXED = """
CREATE TABLE t (id int PRIMARY KEY, v int, w text);
CREATE TABLE swap (id int PRIMARY KEY, slot int UNIQUE);
CREATE TABLE fuzzy (k numeric PRIMARY KEY, v int);
CREATE TABLE loose (v int); ALTER TABLE loose REPLICA IDENTITY FULL;
CREATE TABLE "Odd ""x"" b" (a text, "b,}" date, v int, PRIMARY KEY ("b,}", a));
"""
TABLES = ("t", "swap", "fuzzy", "loose", '"Odd ""x"" b"')


def rows_apart(target):
    """How many positions the lanes stand at."""
    return target.value("SELECT count(DISTINCT applied) FROM godwit.lane")


def fill(source, first, last):
    """Rows in every table, in one transaction."""
    source.execute(f"""
        BEGIN;
        INSERT INTO t SELECT g, g, 'w' FROM generate_series({first}, {last}) g;
        INSERT INTO swap SELECT g, g FROM generate_series({first}, {last}) g;
        INSERT INTO fuzzy SELECT g + 0.5, g FROM generate_series({first}, {last}) g;
        INSERT INTO loose SELECT g % 10 FROM generate_series({first}, {last}) g;
        INSERT INTO "Odd ""x"" b" SELECT 'a,"}}' || g, date '2024-01-01' + g, g FROM generate_series({first}, {last}) g;
        COMMIT""")


def churn(source):
    """Changes of every kind, of many rows and of few; keys move, unique values swap."""
    source.execute("""
        UPDATE t SET v = v + 1; DELETE FROM t WHERE id % 7 = 0; UPDATE "Odd ""x"" b" SET v = -v WHERE v % 3 = 0;
        BEGIN; UPDATE swap SET slot = -slot WHERE id <= 60; UPDATE swap SET slot = 61 + slot WHERE id <= 60; COMMIT;
        BEGIN; DELETE FROM fuzzy WHERE v % 5 = 0; INSERT INTO fuzzy SELECT (k::text || '0')::numeric, 0 - v
            FROM (SELECT g + 0.5 AS k, g AS v FROM generate_series(5, 100, 5) g) AS f; COMMIT;
        DELETE FROM loose WHERE ctid IN (SELECT min(ctid) FROM loose GROUP BY v);
        UPDATE t SET id = id + 100000 WHERE id % 5 = 0; UPDATE t SET v = 0 WHERE id > 100000;
        BEGIN; INSERT INTO t SELECT g, 1, 'x' FROM generate_series(200000, 200100) g; DELETE FROM t WHERE id < 0;
            UPDATE t SET id = 200999 WHERE id = 200001; INSERT INTO t VALUES (200001, 2, 'again'); COMMIT;
    """)


def test_lanes_apply_what_one_would(plan, source, target):
    """All kinds of relation and change; a TRUNCATE between changes; the markers come after all lanes."""
    with Trial.on(plan(apply=LANES), source, target, MIXED) as trial:
        fill(source, 1, 300)
        trial.catch_up()
        for table in TABLES:
            assert trial.same(table)
        churn(source)
        source.execute("BEGIN; INSERT INTO t SELECT g, 1, 'gone' FROM generate_series(300000, 300200) g; "
                       "TRUNCATE t, swap; INSERT INTO t SELECT g, 2, 'kept' FROM generate_series(1, 200) g; COMMIT")
        source.execute("DELETE FROM t WHERE id % 3 = 0; INSERT INTO swap SELECT g, g FROM generate_series(1, 90) g")
        trial.catch_up()
        for table in TABLES:
            assert trial.same(table)
        status = trial.status()
        assert status["conflicts"] == 0
        assert target.value("SELECT count(*) FROM godwit.lane") == 4 and rows_apart(target) == 1
        assert target.value("SELECT count(*) FROM godwit.lane WHERE changes > 0") == 4
        assert status["changes"] == target.value("SELECT sum(changes) FROM godwit.lane")
        assert status["transactions"] == target.value("SELECT sum(transactions) FROM godwit.lane")


def test_lanes_that_were_cut_apart_meet_again(plan, source, target):
    """One lane waits for a row, the others commit, the engine is killed: each lane goes on at its own
    row, also where the plan asks for other lanes now, or values come in the other form; then these
    are set up."""
    schema = MIXED.replace("k numeric", "k text")  # what may come in binary form
    with Trial.on(plan(apply=LANES), source, target, schema) as trial:
        fill(source, 1, 300)
        trial.catch_up()
        for turn, lanes in enumerate((4, 2, 1, 4)):
            with target.connect(autocommit=False) as other:
                other.execute("SELECT 1 FROM t WHERE id = (SELECT min(id) FROM t) FOR UPDATE")
                low = source.value("SELECT min(id) FROM t")
                source.execute(f"DELETE FROM t WHERE id BETWEEN {low} AND {low} + 60; INSERT INTO t "
                               f"SELECT g, 1, 'n' FROM generate_series({turn}001000, {turn}001100) g")
                several = target.value("SELECT count(*) > 1 FROM godwit.lane")
                target.wait_until("SELECT count(DISTINCT applied) > 1 FROM godwit.lane" if several else
                                  "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted", timeout=20)
                trial.kill()
                other.rollback()
            source.execute("INSERT INTO loose VALUES (1); TRUNCATE swap; UPDATE t SET id = -id WHERE id % 9 = 0")
            copy_format, form = "auto", "in binary form"
            if turn % 2 == 0:
                copy_format, form = "text", "as text: the plan says so (copy.format)"
            trial.plan.change(apply={"lanes": lanes}, copy={"format": copy_format})
            trial = trial.again()
            assert trial.hello.get("ok"), trial.hello
            trial.catch_up()
            assert f"values come {form}" in trial.log_text()
            for table in TABLES:
                assert trial.same(table)
            assert target.value("SELECT count(*) FROM godwit.lane") == lanes
            assert rows_apart(target) == 1 and trial.status()["conflicts"] == 0
        trial.stop()


def test_lanes_are_killed_under_load(plan, source, target):
    """kill -9 again and again while writers write: nothing lost, nothing twice."""
    trial = Trial.on(plan(apply=LANES), source, target, ACCOUNTS)
    source.execute(SETUP)
    bank = Bank(source)
    bulk = 0
    try:
        for _ in range(6):
            for _ in range(3):
                bulk += 1
                source.execute("INSERT INTO moves SELECT 1000000000 + %s * 1000 + g, 1, 2, 3, 99, g "
                               "FROM generate_series(1, 900) g", (bulk,))
                source.execute("DELETE FROM moves WHERE writer = 99 AND id %% 3 = 0 AND id > %s", (bulk,))
            time.sleep(0.15)
            trial.kill()
            trial = trial.again()
            assert trial.hello.get("ok"), trial.hello
    finally:
        settle(trial, bank)
        trial.stop()
