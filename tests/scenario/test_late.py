"""Tables copied while the rest replicates: resync, partitions that come and go, killed in every state."""
import harness
from road import APPROVAL, WAITING, replicating

TABLES = """
CREATE TABLE parent (id int PRIMARY KEY, v text);
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE, v text);
CREATE TABLE audit (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO public.audit (what) VALUES (tg_op); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR DELETE ON parent FOR EACH ROW EXECUTE FUNCTION note();
CREATE TABLE many (id int PRIMARY KEY, v text);
CREATE TABLE parted (k int PRIMARY KEY, v text) PARTITION BY RANGE (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
INSERT INTO parent SELECT i, 'p' || i FROM generate_series(1, 400) AS i;
INSERT INTO child SELECT i, 1 + i % 400, 'c' FROM generate_series(1, 900) AS i;
INSERT INTO many SELECT i, repeat('m', 200) FROM generate_series(1, 9000) AS i;
INSERT INTO parted SELECT i, 'p' FROM generate_series(1, 99) AS i;
"""
SPOILED = """
SET session_replication_role = replica;
DELETE FROM parent WHERE id % 3 = 0; UPDATE parent SET v = 'spoiled' WHERE id % 5 = 0;
INSERT INTO parent VALUES (100000, 'not there'); DELETE FROM many WHERE id > 100;
UPDATE parted SET v = 'spoiled';
"""


def test_resync(source, target, plan, godwit):
    """Referenced, with triggers, in parts, partitioned: copied anew while a writer goes on with all of them."""
    source.execute(TABLES)
    writer = harness.Writer(source)
    mine = plan(cutover=APPROVAL, copy={"split_tables_larger_than": "1MB", "table_jobs": 2})
    with replicating(godwit, mine, source, target) as running:
        audited = target.value("SELECT count(*) FROM audit")
        target.execute(SPOILED)
        result = godwit("resync", mine, "public.paren", code=64)
        assert 'did you mean "public.parent"?' in result.err
        result = godwit("resync", mine, "parent", "public.many", "parted", "w_order", "w_log", code=0)
        assert "has copied them anew" in result.out
        assert running.running(), "the engine ended"
        assert target.value("SELECT count(*) FROM parent WHERE v = 'spoiled' OR id = 100000") == 0
        assert target.value("SELECT count(*) FROM parent") == 400 and target.value("SELECT count(*) FROM child") == 900
        assert target.value("SELECT count(*) FROM many") == 9000
        assert target.value("SELECT count(*) FROM audit") == audited, "triggers fired for the copy"
        assert target.value("SELECT count(*) FROM godwit.relation WHERE state <> 'r'") == 0
        source.execute("DELETE FROM parent WHERE id < 9; UPDATE many SET v = 'n' WHERE id > 8990")
        writer.wait_transactions(50)
        running.wait_for(WAITING, new=False)
        writer.stop()
    writer.verify(target)
    assert "the target is the primary" in godwit("resync", mine, "parent", code=1).err


HALTED = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
HALT = """
CREATE OR REPLACE FUNCTION godwit.halt() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_catalog.pg_sleep(60); RETURN new; END $$;
DROP TRIGGER IF EXISTS halt ON godwit.relation;
CREATE TRIGGER halt BEFORE UPDATE ON godwit.relation FOR EACH ROW
    WHEN (new.state = '{state}' AND old.state <> '{state}') EXECUTE FUNCTION godwit.halt();
ALTER TABLE godwit.relation ENABLE ALWAYS TRIGGER halt;
"""


def test_resync_killed(source, target, plan, godwit):
    """Without an engine, killed on the way into every state: no leaf is taken for whole that is not."""
    source.execute(TABLES)
    mine = plan(cutover=APPROVAL, copy={"table_jobs": 1, "index_jobs": 1})
    godwit("apply", mine, "--until", "catchup", code=0)
    target.execute("SET session_replication_role = replica; DELETE FROM parent WHERE id % 3 = 0; DELETE FROM parted")
    for state in "dfsr":
        target.execute(HALT.format(state=state))
        running = godwit.start("resync", mine, "parent", "parted")
        target.wait_until(f"SELECT count(*) = 1 {HALTED}")
        running.kill9()
        target.execute(f"SELECT pg_terminate_backend(pid) {HALTED}")
        source.execute("UPDATE parent SET v = v || 'x' WHERE id < 9; UPDATE parted SET v = v || 'y' WHERE k < 9")
    target.execute("DROP TRIGGER halt ON godwit.relation")
    with replicating(godwit, mine, source, target):
        source.execute("DELETE FROM parent WHERE id > 300; UPDATE parted SET v = 'n' WHERE k < 9")


def attach(source, number, low, key=""):
    """A table with rows becomes a partition: no WAL tells of its rows."""
    source.execute(f"""
        CREATE TABLE attached_{number} (v text, k int NOT NULL {key});
        INSERT INTO attached_{number} SELECT 'a', i FROM generate_series({low}, {low + 50}) AS i;
        ALTER TABLE parted ATTACH PARTITION attached_{number} FOR VALUES FROM ({low}) TO ({low + 100});
    """)


def test_new_partitions(source, target, plan, godwit):
    """CREATE with rows at once, ATTACH with rows, partitions of partitions; a writer goes on."""
    source.execute(TABLES)
    writer = harness.Writer(source)
    mine = plan(cutover=APPROVAL)
    with replicating(godwit, mine, source, target) as running:
        source.execute("""
            CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);
            INSERT INTO parted SELECT i, 'new' FROM generate_series(100, 150) AS i;
        """)
        source.execute("UPDATE parted SET v = 'changed' WHERE k IN (1, 120); INSERT INTO parted VALUES (180, 'x')")
        target.wait_until("SELECT count(*) = 1 FROM parted WHERE k = 180")
        running.wait_for("1 table joined the stream")
        attach(source, 3, 200)
        target.wait_until("SELECT count(*) = 51 FROM parted WHERE k >= 200")
        source.execute("UPDATE parted SET v = 'after' WHERE k IN (5, 105, 205)")
        source.execute("""
            CREATE TABLE parted_4 PARTITION OF parted FOR VALUES FROM (400) TO (500) PARTITION BY RANGE (k);
            CREATE TABLE parted_4_1 PARTITION OF parted_4 FOR VALUES FROM (400) TO (500);
            INSERT INTO parted SELECT i, 'sub' FROM generate_series(400, 450) AS i;
        """)
        target.wait_until("SELECT count(*) = 51 FROM parted WHERE k >= 400")
        source.execute("UPDATE parted SET v = 'after' WHERE k IN (5, 105, 205, 405)")
        writer.wait_transactions(50)
        assert running.running(), "the engine ended"
        running.wait_for(WAITING, new=False)
        writer.stop()
    writer.verify(target)
    assert target.value("SELECT tableoid::regclass::text FROM parted WHERE k = 405") == "parted_4_1"


def test_partitions_while_no_engine_runs(source, target, plan, godwit):
    """A plain apply takes them in, also one whose key has a name of its own; one that came and went again is left out
    of the stream."""
    source.execute(TABLES)
    mine = plan(cutover=APPROVAL)
    godwit("apply", mine, "--until", "catchup", code=0)
    source.execute("CREATE TABLE brief PARTITION OF parted FOR VALUES FROM (900) TO (1000);"
                   "INSERT INTO parted VALUES (950, 'gone with its table')")
    source.execute("DROP TABLE brief; INSERT INTO parted VALUES (0, 'x')")
    attach(source, 5, 500, "CONSTRAINT its_own PRIMARY KEY")
    with replicating(godwit, mine, source, target) as running:
        source.execute("INSERT INTO parted VALUES (570, 'x')")
        running.wait_for("changes of relation .* are left out")
    keys = "SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = 'attached_5'::regclass"
    assert target.query(keys) == [("its_own",)]
