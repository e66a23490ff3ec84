"""Losses that were watched happening to tools of this kind: each has a test in which it would happen again.

Most tests change the source while the engine replicates, at the point `replicating` yields; then the run
is approved, cuts over and both databases are compared by means that are not the engine's.
"""
import contextlib
import random
import signal
import threading

import harness
import psycopg
import pytest
from road import APPROVAL, WAITING, in_one_transaction, replicating

# ---- positions ----------------------------------------------------------------------------------


def test_target_crash_loses_no_asynchronous_commit(source, database, private_cluster, plan, godwit, writer):
    """The target is killed while groups commit asynchronously; the slot was never told more than survives."""
    server = private_cluster("pg17", settings={"wal_writer_delay": "10s", "wal_writer_flush_after": "0"}, fsync=True)
    target = database(server, prefix="dst")
    load = writer(source)
    mine = plan(source, target, cutover=APPROVAL)
    for _ in range(2):
        running = godwit.start("apply", mine)
        running.wait_for(WAITING, timeout=120)
        load.wait_transactions(150)
        server.kill9()
        running.kill9()
        server.start()
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    load.stop(check=False)
    load.verify(target)
    harness.assert_same(source, target)


def test_engine_outlives_a_target_crash(source, database, private_cluster, plan, godwit, writer):
    """An immediate restart of the target: the engine says what it lost, or comes back; nothing is lost."""
    server = private_cluster("pg17", settings={"wal_writer_delay": "10s"}, fsync=True)
    target = database(server, prefix="dst")
    load = writer(source)
    mine = plan(source, target, cutover=APPROVAL)
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    load.wait_transactions(100)
    server.restart("immediate")
    load.wait_transactions(50)
    running.kill9()
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    load.stop(check=False)
    load.verify(target)


def test_a_slot_beyond_the_position_is_not_forwarded(source, target, plan, godwit):
    """The slot was advanced by hand between two runs: status 14, and the lane row stays where it is."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mine = plan(cutover=APPROVAL)
    godwit("apply", mine, "--exit-at-gate", code=6)
    source.execute("INSERT INTO t VALUES (1)")
    source.execute("SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots"
                   " WHERE database = current_database()")
    before = target.value("SELECT applied::text FROM godwit.lane")
    for _ in range(2):
        result = godwit("apply", mine, "--exit-at-gate", code=14)
        assert "was moved beyond what is applied" in result.err
    assert target.value("SELECT applied::text FROM godwit.lane") == before
    assert target.value("SELECT count(*) FROM t") == 0


def test_a_missing_slot_is_named(source, target, plan, godwit):
    """The slot was dropped between two runs: status 14, no new slot in its place."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mine = plan(cutover=APPROVAL)
    godwit("apply", mine, "--exit-at-gate", code=6)
    source.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                   " WHERE database = current_database()")
    source.execute("INSERT INTO t VALUES (1)")
    assert "slot" in godwit("apply", mine, "--exit-at-gate", code=14).err
    assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0


class Interleaved:
    """Transactions that overlap all the time and commit in another order than they began in."""

    def __init__(self, source):
        self._source = source
        self._ending = threading.Event()
        self.committed = set()
        self.unknown = set()
        self._threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(6)]
        for thread in self._threads:
            thread.start()

    def _work(self, worker):
        rng = random.Random(worker)
        txn = worker * 1_000_000
        with contextlib.suppress(psycopg.Error), self._source.connect(autocommit=False) as connection:  # the fence
            while not self._ending.is_set():
                txn += 1
                connection.execute("INSERT INTO inter VALUES (%s, 'first')", (txn,))
                self._ending.wait(rng.choice((0, 0.02, 0.3)))
                self.unknown.add(txn)
                connection.execute("INSERT INTO inter VALUES (%s, 'last')", (txn,))
                connection.commit()
                self.unknown.discard(txn)
                self.committed.add(txn)

    def stop(self):
        """End, after the transactions that are open."""
        self._ending.set()
        for thread in self._threads:
            thread.join(60)


def test_anchor_03_commit_order_is_not_begin_order(source, target, plan, godwit):
    """Overlapping transactions, open while the slot, the snapshot and the fence are made, arrive whole."""
    source.execute("CREATE TABLE inter (txn int, part text, PRIMARY KEY (txn, part))")
    traffic = Interleaved(source)
    try:
        godwit("apply", plan(), code=0)
    finally:
        traffic.stop()
    there = dict(target.query("SELECT txn, count(*) FROM inter GROUP BY txn"))
    assert len(traffic.committed) > 100
    assert not traffic.committed - set(there), "committed, but not on the target"
    assert not set(there) - traffic.committed - traffic.unknown, "on the target, but never committed"
    assert set(there.values()) == {2}
    harness.assert_same(source, target)


def test_anchor_36_quiet_source_cuts_over(source, target, plan, godwit):
    """Nothing is written: the marker alone brings the position to the end, within max_downtime."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    mine = plan(cutover={"max_downtime": "40s"}, replication={"heartbeat": "30s"})
    godwit("apply", mine, code=0)
    harness.assert_same(source, target)


def test_anchor_02_a_backlog_of_small_commits_and_keepalives(source, target, plan, godwit, proxy):
    """50,000 small commits wait behind a lock of the target, WAL of other tables between them, over a slow line; then
    the cutover, with all of it still to be applied: none is missing."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int)")
    slow = proxy(source)
    mine = plan(select={"schemas": None, "tables": ["public.t"]}, cutover=APPROVAL).via(source=slow)
    with replicating(godwit, mine, source, target) as running:
        slow.delay(0.005)
        with target.connect(autocommit=False) as holder:
            holder.execute("LOCK TABLE t")
            source.execute("DO $$ BEGIN FOR i IN 1 .. 50000 LOOP INSERT INTO t VALUES (i); COMMIT;"
                           "IF i % 1000 = 0 THEN INSERT INTO other SELECT generate_series(1, 500); COMMIT; END IF;"
                           "END LOOP; END $$")
            source.execute("DROP TABLE other")
        assert running.running()
    assert target.value("SELECT count(*) FROM t") == 50000


# ---- rewrites, locks, visibility ----------------------------------------------------------------


REWRITES = {
    "vacuumed": "VACUUM FULL {}",
    "clustered": "CLUSTER {0} USING {0}_pkey",
    "retyped": "ALTER TABLE {} ALTER COLUMN v TYPE char(300) USING v || ''",
}


def rewritten_tables(source):
    """A table for each way of rewriting; dead rows between the others."""
    for name in REWRITES:
        source.execute(f"CREATE TABLE {name} (id int PRIMARY KEY, v char(300)); INSERT INTO {name}"
                       " SELECT i, i::text FROM generate_series(1, 9000) AS i;"
                       f"DELETE FROM {name} WHERE id % 3 = 0")


@contextlib.contextmanager
def rewriting_under_the_wave(source, target, start, blocked):
    """Issue the rewrites behind the snapshot, while so many parts of the copy wait at the target."""
    rewrite = "datname = current_database() AND query ~ '^(VACUUM FULL|CLUSTER|ALTER TABLE)' AND state = 'active'"
    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(source.connect(autocommit=False))
        opened.execute("SELECT pg_current_xact_id()")  # no slot can be made meanwhile
        running = start()
        running.wait_for(r"\[schema_pre\] done")
        lock = stack.enter_context(target.connect(autocommit=False))
        for name in REWRITES:
            lock.execute(f"LOCK TABLE {name}")
        opened.rollback()
        target.wait_until("SELECT count(*) >= %s FROM pg_stat_activity WHERE datname = current_database()"
                          " AND wait_event_type = 'Lock'", (blocked,))
        for name in REWRITES:
            session = stack.enter_context(contextlib.closing(source.connect()))
            session.pgconn.send_query(REWRITES[name].format(name).encode())
        source.wait_until(f"SELECT count(*) = %s FROM pg_stat_activity WHERE {rewrite}"
                          " AND wait_event_type = 'Lock'", (len(REWRITES),))
        lock.rollback()
        yield running
        source.wait_until(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE {rewrite}")


@pytest.mark.parametrize("when", ["before", "during"])
def test_rewrites_wait_for_the_copy(when, source, target, plan, godwit):
    """VACUUM FULL, CLUSTER, ALTER TYPE before or while their tables are copied wait until the rows are read."""
    rewritten_tables(source)
    divided = {"split_tables_larger_than": "2MB", "table_jobs": 2}  # parts read before they wait for the target
    mine = plan(copy=divided if when == "during" else None, cutover=APPROVAL)
    blocked = 2 if when == "during" else 3
    with rewriting_under_the_wave(source, target, lambda: godwit.start("apply", mine), blocked) as running:
        running.wait_for(WAITING, timeout=120)
    for name in REWRITES:
        assert target.value(f"SELECT count(*) FROM {name}") == 6000
        source.execute(f"INSERT INTO {name} VALUES (10000, 'later')")
    godwit("approve", mine, code=0)
    running.wait(code=0)
    harness.assert_same(source, target)


def test_row_security_is_an_error(source, target, plan, godwit):
    """A policy that hides rows from the source's user: check finds it, apply copies nothing."""
    role = f"reader_{source.name}"
    source.execute(
        f"CREATE ROLE {role} LOGIN REPLICATION; GRANT CREATE ON DATABASE {source.name} TO {role};"
        f"GRANT CREATE ON SCHEMA public TO {role}; SET ROLE {role};"
        "CREATE TABLE hidden (id int PRIMARY KEY); CREATE TABLE plain (id int PRIMARY KEY);"
        "INSERT INTO hidden SELECT generate_series(1, 100);"
        "CREATE POLICY few ON hidden USING (id <= 10);"
        "ALTER TABLE hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; RESET ROLE;"
        "ANALYZE hidden, plain")
    try:
        mine = plan(cutover={"stop_writes": {"method": "manual"}})
        mine.env["SOURCE"] = source.conninfo(user=role)
        assert len(source.query("SELECT id FROM hidden")) == 100
        for command in ("check", "apply"):
            result = godwit(command, mine, code=4)
            assert "G202" in result.out + result.err and "public.hidden" in result.out + result.err
            assert "public.plain" not in result.out + result.err
        assert target.value("SELECT to_regclass('public.hidden') IS NULL")
        source.execute("ALTER TABLE hidden NO FORCE ROW LEVEL SECURITY")
        godwit("apply", mine, code=0)
        harness.assert_same(source, target)
    finally:
        source.execute(f"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}")


# ---- what the rows are --------------------------------------------------------------------------


def test_always_and_replica_triggers_do_not_fire(source, target, plan, godwit):
    """Triggers ENABLE ALWAYS and REPLICA write nothing for replicated rows; they are there after the cutover."""
    source.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE log (id serial PRIMARY KEY, said text);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.log (said)"
        " VALUES (TG_NAME || ' ' || TG_OP); NEW.v = upper(NEW.v); RETURN NEW; END$$;"
        + "".join(f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note();"
                  for name in ("plain", "always", "replica", "off"))
        + "ALTER TABLE t ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER replica, DISABLE TRIGGER off;"
        "INSERT INTO t VALUES (1, 'copied')")
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        source.execute("INSERT INTO t VALUES (2, 'streamed'); UPDATE t SET v = 'changed' WHERE id = 1")
    triggers = "SELECT tgname::text, tgenabled::text FROM pg_trigger WHERE tgrelid = 't'::regclass ORDER BY 1"
    assert target.query(triggers) == source.query(triggers) == [
        ("always", "A"), ("off", "D"), ("plain", "O"), ("replica", "R")]
    assert target.value("SELECT count(*) FROM log") == 6
    target.execute("INSERT INTO t VALUES (3, 'after')")
    assert target.value("SELECT count(*) FROM log") == 8


DUPLICATES = """
CREATE TABLE dup (at timestamptz NOT NULL, n numeric, j json, f float8, v text);
ALTER TABLE dup REPLICA IDENTITY FULL;
INSERT INTO dup SELECT timestamptz '2026-01-01', n, j::json, 1.5, v
  FROM (VALUES (1.0, '{"a": 1}'), (1.00, '{"a": 1}'), (1.0, '{"a":1}'), (NULL, NULL)) AS x(n, j),
       (VALUES ('same'), (NULL)) AS y(v), generate_series(1, 3);
INSERT INTO dup SELECT timestamptz '2026-02-01', n, j, f, v FROM dup;
INSERT INTO dup VALUES ('2026-01-01', 7, NULL, '-0', 'zero'), ('2026-01-01', 7, NULL, '0', 'zero');
"""
ONE_ROW = "(SELECT ctid FROM dup WHERE at = '{}' AND n::text IS NOT DISTINCT FROM {} AND j::text IS NOT DISTINCT" \
          " FROM {} AND v IS NOT DISTINCT FROM {} LIMIT 1)"


@pytest.mark.parametrize("hypertable", [False, True], ids=["table", "hypertable"])
def test_keyless_duplicates(hypertable, source, target, plan, godwit):
    """Without a key one delete or update meets exactly one row: 1.0 is not 1.00, NULL is NULL, json is its text."""
    source.execute(DUPLICATES)
    hypertables = [{"target_table": "public.dup", "by_range": {"column_name": "at", "partition_interval": "7 days"}}]
    with replicating(godwit, plan(cutover=APPROVAL, hypertables=hypertables if hypertable else None), source, target):
        for at in ("2026-01-01", "2026-02-01"):
            for row in (("'1.00'", "'{\"a\": 1}'", "'same'"), ("'1.0'", "'{\"a\": 1}'", "'same'"),
                        ("'1.0'", "'{\"a\":1}'", "NULL"), ("NULL", "NULL", "NULL")):
                source.execute(f"DELETE FROM dup WHERE ctid = {ONE_ROW.format(at, *row)}")
                source.execute(f"UPDATE dup SET v = 'changed', n = n + 1.50 WHERE ctid = {ONE_ROW.format(at, *row)}")
        in_one_transaction(source, *["INSERT INTO dup VALUES ('2026-01-01', 5, '[1]', 1, 'x')"] * 3,
                           "DELETE FROM dup WHERE ctid IN (SELECT ctid FROM dup WHERE v = 'x' LIMIT 2)")
        source.execute("DELETE FROM dup WHERE v = 'zero' AND f::text = '0'")
    assert target.value("SELECT count(*) FROM dup WHERE f::text = '-0'") == 1
    assert target.value("SELECT count(*) FROM dup") == 48 - 8 + 1 + 1


def test_truncate_of_a_leaf_takes_its_share(source, target, plan, godwit):
    """TRUNCATE of one partition, of a whole tree, ONLY, and of several tables with their dependants."""
    source.execute(
        "CREATE TABLE p (k int, v text, PRIMARY KEY (k)) PARTITION BY RANGE (k);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (k);"
        "CREATE TABLE p2a PARTITION OF p2 FOR VALUES FROM (100) TO (150);"
        "CREATE TABLE p2b PARTITION OF p2 FOR VALUES FROM (150) TO (200);"
        "CREATE TABLE q (id serial PRIMARY KEY, v text); CREATE TABLE r (id int PRIMARY KEY, q int REFERENCES q);"
        "INSERT INTO p SELECT i, 'copied' FROM generate_series(0, 199) AS i;"
        "INSERT INTO q (v) SELECT 'copied' FROM generate_series(1, 20);"
        "INSERT INTO r SELECT i, i FROM generate_series(1, 20) AS i")
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        source.execute("TRUNCATE p2a")
        target.wait_until("SELECT count(*) = 150 FROM p")
        in_one_transaction(source, "INSERT INTO p VALUES (120, 'again')", "TRUNCATE p1",
                           "INSERT INTO p VALUES (3, 'new')")
        target.wait_until("SELECT count(*) = 52 FROM p")
        in_one_transaction(source, "INSERT INTO q (v) VALUES ('gone')", "TRUNCATE q RESTART IDENTITY CASCADE",
                           "INSERT INTO q (v) VALUES ('first')", "INSERT INTO r VALUES (1, 1)")
        target.wait_until("SELECT count(*) = 1 FROM q")
        in_one_transaction(source, "TRUNCATE p2", "INSERT INTO p VALUES (199, 'last')")
    assert target.query("SELECT k, v FROM p ORDER BY k") == [(3, "new"), (199, "last")]
    assert target.query("SELECT id, v FROM q") == [(1, "first")]


def test_truncate_of_a_leaf_beside_a_hypertable(source, target, plan, godwit):
    """A partitioned table and a hypertable: the leaf's TRUNCATE does not reach the hypertable."""
    source.execute(
        "CREATE TABLE h (at timestamptz NOT NULL, id int, PRIMARY KEY (id, at));"
        "INSERT INTO h SELECT '2026-01-01'::timestamptz + i * interval '1 day', i FROM generate_series(1, 30) AS i;"
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    hypertables = [{"target_table": "public.h", "by_range": {"column_name": "at", "partition_interval": "7 days"}}]
    with replicating(godwit, plan(cutover=APPROVAL, hypertables=hypertables), source, target):
        source.execute("TRUNCATE t")
        target.wait_until("SELECT count(*) = 0 FROM t")
        assert target.value("SELECT count(*) FROM h") == 30
        in_one_transaction(source, "TRUNCATE h, t", "INSERT INTO h VALUES ('2026-05-01', 1)")
    assert target.value("SELECT count(*) FROM h") == 1


TOAST = """
CREATE TABLE {0} (id int PRIMARY KEY, n int, big text, jb jsonb);
ALTER TABLE {0} ALTER COLUMN big SET STORAGE EXTERNAL, REPLICA IDENTITY {1};
INSERT INTO {0} SELECT i, i, repeat(md5(i::text), 65536), jsonb_build_object('k', repeat(md5(i::text), 200))
  FROM generate_series(1, 4) AS i;
"""


def test_anchor_07_unchanged_toast(source, target, plan, godwit):
    """2 MB values that an UPDATE leaves alone stay, also when the key changes; DEFAULT and FULL identity."""
    for name, identity in (("d", "DEFAULT"), ("f", "FULL")):
        source.execute(TOAST.format(name, identity))
    source.execute("CREATE TABLE k (n int, big text); ALTER TABLE k ALTER COLUMN big SET STORAGE EXTERNAL,"
                   " REPLICA IDENTITY FULL; INSERT INTO k SELECT n, big FROM d")
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        for name in ("d", "f"):
            source.execute(f"UPDATE {name} SET n = n + 100 WHERE id = 1")
            source.execute(f"UPDATE {name} SET id = 20 WHERE id = 2")
            in_one_transaction(source, f"UPDATE {name} SET n = 7 WHERE id = 3",
                               f"UPDATE {name} SET id = 30 WHERE id = 3",
                               f"UPDATE {name} SET n = 8 WHERE id = 30", f"UPDATE {name} SET id = id WHERE id = 30")
            in_one_transaction(source, f"UPDATE {name} SET big = repeat('new!', 500000) WHERE id = 4",
                               f"UPDATE {name} SET id = 40 WHERE id = 4", f"UPDATE {name} SET n = 9 WHERE id = 40")
            in_one_transaction(source, f"INSERT INTO {name} SELECT 5, 5, big, jb FROM {name} WHERE id = 1",
                               f"UPDATE {name} SET n = 55 WHERE id = 5", f"UPDATE {name} SET id = 50 WHERE id = 5")
        source.execute("UPDATE k SET n = 100 WHERE n = 1")
        source.execute("DELETE FROM k WHERE n = 2")
    for name in ("d", "f"):
        assert target.query(f"SELECT id, length(big) FROM {name} ORDER BY id") == [
            (1, 2097152), (20, 2097152), (30, 2097152), (40, 2000000), (50, 2097152)]


GENERATED = """
CREATE TABLE g (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED,
                word text GENERATED ALWAYS AS ('n' || n) STORED);
CREATE TABLE only_generated (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE by_default (id bigint GENERATED BY DEFAULT AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY, n int);
CREATE TABLE with_serial (id bigserial PRIMARY KEY, n int);
CREATE TABLE moved (id int GENERATED ALWAYS AS IDENTITY, code text PRIMARY KEY);
CREATE TABLE emptied (id bigserial PRIMARY KEY, at int GENERATED ALWAYS AS IDENTITY);
CREATE SEQUENCE free; CREATE SEQUENCE down INCREMENT -3 START 1000 MINVALUE -5000 MAXVALUE 1000;
CREATE SEQUENCE cached CACHE 50; CREATE SEQUENCE never START 77; CREATE SEQUENCE "Odd ""name" AS smallint CYCLE;
INSERT INTO g (n) SELECT generate_series(1, 5); INSERT INTO only_generated DEFAULT VALUES;
INSERT INTO by_default (n) SELECT generate_series(1, 5); INSERT INTO with_serial (n) SELECT generate_series(1, 5);
INSERT INTO moved (code) VALUES ('a'), ('b');
SELECT nextval('free'), nextval('down'), nextval('cached'), nextval('"Odd ""name"');
"""


def test_anchor_47_generated_identity_sequences(source, target, plan, godwit):
    """Generated columns, both identities, every kind of sequence: exactly equal, and the next insert works."""
    source.execute(GENERATED)
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        source.execute("INSERT INTO g (n) VALUES (6); UPDATE g SET n = 60 WHERE n = 1; DELETE FROM g WHERE n = 2;"
                       "UPDATE g SET id = DEFAULT WHERE n = 3; INSERT INTO only_generated DEFAULT VALUES;"
                       "INSERT INTO by_default (n) VALUES (6); UPDATE by_default SET id = 5 WHERE n = 1;"
                       "INSERT INTO with_serial (n) VALUES (6); UPDATE moved SET code = 'c' WHERE code = 'a';"
                       "UPDATE moved SET id = DEFAULT WHERE code = 'b';"
                       "INSERT INTO emptied DEFAULT VALUES; TRUNCATE emptied RESTART IDENTITY;"
                       "INSERT INTO emptied DEFAULT VALUES; INSERT INTO emptied DEFAULT VALUES;"
                       "SELECT nextval('free'), nextval('down'), nextval('down'), nextval('cached')")
    assert target.value("SELECT is_called FROM never") is False
    for statement in ("INSERT INTO g (n) VALUES (70) RETURNING id, twice, word", "SELECT nextval('never')",
                      "INSERT INTO only_generated DEFAULT VALUES RETURNING id", "SELECT nextval('down')",
                      "INSERT INTO emptied DEFAULT VALUES RETURNING id, at",
                      "INSERT INTO by_default (n) VALUES (7) RETURNING id", "SELECT nextval('cached')",
                      "INSERT INTO with_serial (n) VALUES (7) RETURNING id", "SELECT nextval('\"Odd \"\"name\"')",
                      "INSERT INTO moved (code) VALUES ('z') RETURNING id", "SELECT nextval('free')"):
        with source.connect() as unfenced:
            unfenced.execute("SET default_transaction_read_only = off")
            assert target.query(statement) == unfenced.execute(statement).fetchall(), statement


def test_swapped_unique_values(source, target, plan, godwit):
    """Values of a second unique key change places within one transaction; constraints that are deferred."""
    source.execute(
        "CREATE TABLE s (id int PRIMARY KEY, u int UNIQUE, v text);"
        "CREATE TABLE d (id int PRIMARY KEY, u int UNIQUE DEFERRABLE INITIALLY DEFERRED, v text);"
        "CREATE TABLE pk (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text);"
        "ALTER TABLE pk REPLICA IDENTITY FULL;"
        "CREATE TABLE x (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&));"
        "INSERT INTO s SELECT i, i, i::text FROM generate_series(1, 20) AS i; INSERT INTO d SELECT * FROM s;"
        "INSERT INTO pk SELECT id, v FROM s;"
        "INSERT INTO x SELECT i, int4range(i * 10, i * 10 + 5) FROM generate_series(1, 9) AS i")
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        in_one_transaction(source, "UPDATE s SET u = -1 WHERE id = 1", "UPDATE s SET u = 1 WHERE id = 2",
                           "UPDATE s SET u = 2 WHERE id = 1", "DELETE FROM s WHERE id = 3",
                           "INSERT INTO s VALUES (33, 3, 'new')", "UPDATE s SET u = 3000 WHERE id = 33",
                           "UPDATE s SET u = 3 WHERE id = 4", "INSERT INTO s VALUES (3, 4, 'back')")
        in_one_transaction(source, "UPDATE d SET u = 2 WHERE id = 1", "UPDATE d SET u = 1 WHERE id = 2",
                           "UPDATE d SET u = 23 - u WHERE id > 2")
        in_one_transaction(source, "UPDATE pk SET id = 2 WHERE v = '1'", "UPDATE pk SET id = 1 WHERE v = '2'",
                           "UPDATE pk SET id = id + 1 WHERE v::int > 2")
        in_one_transaction(source, "UPDATE x SET r = '[500,600)' WHERE id = 1",
                           "UPDATE x SET r = '[10,15)' WHERE id = 2",
                           "DELETE FROM x WHERE id = 3", "INSERT INTO x VALUES (30, '[28,33)')")


def test_anchor_46_orphans_are_reported(source, target, plan, godwit):
    """Rows without their parent do not end the run: the key is there, not valid, and the report names it."""
    source.execute(
        "CREATE TABLE parent (id int PRIMARY KEY);"
        "CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);"
        "INSERT INTO parent VALUES (1); SET session_replication_role = replica;"
        "INSERT INTO child VALUES (1, 1), (2, 99)")
    result = godwit("apply", plan(), code=0)
    assert "child_parent_fkey" in result.out + result.err
    harness.assert_same(source, target)
    assert target.query("SELECT convalidated FROM pg_constraint WHERE conname = 'child_parent_fkey'") == [(False,)]


# ---- the selection ------------------------------------------------------------------------------


def test_a_selector_that_matches_nothing(source, plan, godwit):
    """Status 3, with the place in the file and the name that was meant."""
    source.execute('CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE "Mixed" (id int PRIMARY KEY)')
    for selector in ("public.order", "public.mixed", "~ ^public\\.nothing"):
        result = godwit("check", plan(select={"schemas": None, "tables": ["public.orders", selector]}), code=3)
        assert ".yaml:" in result.err and selector.split(".")[-1] in result.err
        assert "Mixed" not in result.err or selector == "public.mixed"
    result = godwit("check", plan(select={"exclude": ["public.absent"]}), code=3)
    assert "public.absent" in result.err


def test_anchor_48_an_excluded_table_is_not_published(source, target, plan, godwit):
    """A busy table that is excluded is in no publication; its DDL, its TRUNCATE, its drop do not matter."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE busy (id int PRIMARY KEY, v text)")
    mine = plan(select={"exclude": ["public.busy"]}, cutover=APPROVAL)
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    assert source.query("SELECT tablename FROM pg_publication_tables") == [("t",)]
    in_one_transaction(source, "INSERT INTO t VALUES (1)",
                       "INSERT INTO busy SELECT i, 'x' FROM generate_series(1, 5000) AS i",
                       "UPDATE busy SET v = 'y'", "INSERT INTO t VALUES (2)")
    source.execute("ALTER TABLE busy DROP COLUMN v; TRUNCATE busy; DROP TABLE busy; INSERT INTO t VALUES (3)")
    running.send_signal(signal.SIGTERM)
    running.wait(code=143)
    godwit("apply", mine, "--exit-at-gate", code=6)  # though the selector matches nothing any more
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    assert target.value("SELECT to_regclass('public.busy') IS NULL")
    harness.assert_same(source, target)


# ---- what else is on the source -----------------------------------------------------------------


def test_a_prepared_transaction_stops_the_start(source, plan, godwit):
    """check and apply refuse while a prepared transaction is open, naming it; nothing is left behind."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    with source.connect() as connection:
        connection.execute(f"BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION '{source.name}'")
    mine = plan()
    try:
        for command in ("check", "apply"):
            result = godwit(command, mine, code=4)
            assert source.name in result.out + result.err
        assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0
    finally:
        source.execute(f"COMMIT PREPARED '{source.name}'")
    godwit("check", mine, code=0)


@pytest.mark.parametrize("method", ["lock", "read_only"])
def test_a_prepared_transaction_stops_the_cutover(method, source, target, plan, godwit):
    """One that is prepared while the engine replicates: the cutover does not switch; later it does, with its rows."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mine = plan(cutover={**APPROVAL, "max_downtime": "10s", "stop_writes": {"method": method, "grace": "2s"}})
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    with source.connect() as connection:
        connection.execute(f"BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION '{source.name}'")
    try:
        godwit("approve", mine, code=0)
        result = running.wait()
        assert result.code != 0 and "prepared" in result.err and source.name in result.err, result.err
        godwit("apply", mine, "--exit-at-gate", code=6)  # it can replicate all the same
    finally:
        source.execute(f"COMMIT PREPARED '{source.name}'")
    source.execute("INSERT INTO t VALUES (2)")
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    harness.assert_same(source, target)
    assert target.value("SELECT count(*) FROM t") == 2


# ---- the fence ----------------------------------------------------------------------------------


class Queued:
    """Clients whose INSERT waits at the fence; each notes whether it was told that it committed."""

    def __init__(self, source, count=8):
        self._source = source
        self._ending = threading.Event()
        self.committed = set()
        self.refused = set()
        self.unknown = set()
        self._threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def _work(self, worker):
        number = worker * 1_000_000
        connection = None
        while not self._ending.is_set():
            number += 1
            try:
                connection = connection or self._source.connect()
                connection.execute("INSERT INTO t VALUES (%s, 'client')", (number,))
                self.committed.add(number)
            except psycopg.OperationalError:  # terminated: the statement may have committed
                self.unknown.add(number)
                connection = None
                self._ending.wait(0.1)
            except psycopg.Error:  # refused
                self.refused.add(number)
                self._ending.wait(0.05)

    def stop(self):
        """End the clients."""
        self._ending.set()
        for thread in self._threads:
            thread.join(60)


@pytest.mark.parametrize("method", ["lock", "read_only"])
def test_a_queued_insert_does_not_commit(method, source, target, plan, godwit):
    """INSERTs that wait at the fence get an error: after the cutover the source has no row more than the target."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    mine = plan(cutover={**APPROVAL, "stop_writes": {"method": method}})
    clients = Queued(source)
    try:
        godwit("apply", mine, "--exit-at-gate", code=6)
        godwit("approve", mine, code=0)
        godwit("cutover", mine, code=0)
    finally:
        clients.stop()
    assert clients.refused or clients.unknown, "nobody met the fence"
    there = {number for number, in target.query("SELECT id FROM t")}
    assert not clients.committed - there, "committed on the source, lost"
    assert not clients.refused & there, "refused on the source, and yet there"
    harness.assert_same(source, target)


def test_a_write_behind_the_marker_rolls_back(source, target, plan, godwit, proxy):
    """A client that overrides read_only writes through the whole cutover: it does not switch, and nothing is lost."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    mine = plan(cutover={**APPROVAL, "max_downtime": "10s", "stop_writes": {"method": "read_only", "grace": "3s"}})
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("approve", mine, code=0)
    ending = threading.Event()
    written = []

    def override():
        number = 0
        while not ending.is_set():
            with contextlib.suppress(psycopg.Error), source.connect() as connection:
                while not ending.is_set():
                    number += 1
                    connection.execute("BEGIN READ WRITE")
                    connection.execute("INSERT INTO t VALUES (%s, 'override')", (number,))
                    connection.execute("COMMIT")
                    written.append(number)

    client = threading.Thread(target=override, daemon=True)
    client.start()
    try:
        slow = proxy(source)  # so that there is time to write between the marker and the switch
        slow.delay(0.02)
        result = godwit("cutover", mine.via(source=slow))
    finally:
        ending.set()
        client.join(60)
    assert result.code == 10, result.err
    source.execute("INSERT INTO t VALUES (0, 'writable again')")
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    harness.assert_same(source, target)
    assert not set(written) - {number for number, in target.query("SELECT id FROM t")}


# ---- identity -----------------------------------------------------------------------------------


def test_anchor_06_identities_with_nulls_and_without_the_key(source, target, plan, godwit):
    """FULL with NULLs under a unique key, USING INDEX beside a primary key, FULL beside a primary key."""
    source.execute(
        "CREATE TABLE nullable (a int, b int, v text, UNIQUE (a, b)); ALTER TABLE nullable REPLICA IDENTITY FULL;"
        "CREATE TABLE by_index (id int PRIMARY KEY, code text NOT NULL, v text);"
        "CREATE UNIQUE INDEX by_code ON by_index (code);"
        "ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_code;"
        "CREATE TABLE whole (id int PRIMARY KEY, v text); ALTER TABLE whole REPLICA IDENTITY FULL;"
        "CREATE TABLE no_key (code text NOT NULL, v text); CREATE UNIQUE INDEX no_key_code ON no_key (code);"
        "ALTER TABLE no_key REPLICA IDENTITY USING INDEX no_key_code;"
        "INSERT INTO nullable SELECT NULLIF(i % 3, 0), NULLIF(i % 4, 0), 'v' || i FROM generate_series(1, 12) AS i;"
        "INSERT INTO by_index SELECT i, 'c' || i, 'v' FROM generate_series(1, 10) AS i;"
        "INSERT INTO whole SELECT i, NULL FROM generate_series(1, 10) AS i;"
        "INSERT INTO no_key SELECT code, v FROM by_index")
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        source.execute("DELETE FROM nullable WHERE a IS NULL AND b = 1")
        source.execute("UPDATE nullable SET a = 77 WHERE a IS NULL AND b = 2")
        source.execute("UPDATE nullable SET v = NULL WHERE b IS NULL")
        source.execute("DELETE FROM nullable WHERE a IS NULL AND b IS NULL")
        in_one_transaction(source, "UPDATE by_index SET id = 100 WHERE id = 1",
                           "UPDATE by_index SET code = 'x' WHERE id = 100",
                           "UPDATE by_index SET v = 'w' WHERE code = 'x'", "DELETE FROM by_index WHERE id = 2",
                           "INSERT INTO by_index VALUES (2, 'c1', 'again')",
                           "UPDATE by_index SET id = id + 1000 WHERE id > 5")
        source.execute("UPDATE whole SET v = 'set' WHERE id < 4; UPDATE whole SET id = id + 100 WHERE id > 7;"
                       "DELETE FROM whole WHERE id = 5; UPDATE no_key SET code = code || '+' WHERE code < 'c5';"
                       "DELETE FROM no_key WHERE code = 'c7'; UPDATE no_key SET v = NULL")


# ---- memory -------------------------------------------------------------------------------------


def plain_engine():
    """A build without sanitizers, whose memory is its own; skips where there is none."""
    for candidate in (harness.godwit_bin(), harness.REPO / "build" / "debug" / "godwit",
                      harness.REPO / "build" / "release" / "godwit"):
        if candidate.exists() and not any(mark in candidate.read_bytes() for mark in (b"__asan_init", b"__tsan_init")):
            return candidate
    return pytest.skip("only builds with sanitizers are here; `make build VARIANT=debug`")


def peak_bytes(pid):
    """The most memory that the process ever held."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line, = (line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


ROWS = "SELECT i, repeat(md5((i + {})::text), 32) FROM generate_series(1, 300000) AS i"


@pytest.mark.parametrize("what", ["copy", "insert", "update"])
def test_anchor_18_memory_is_bounded(what, source, target, plan):
    """300 MB in one table, one transaction of as much: the engine stays under limits.memory."""
    limit = 128 * 1024 * 1024
    godwit = harness.Godwit(plain_engine())
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    if what != "insert":
        source.execute("INSERT INTO t " + ROWS.format(0))
    mine = plan(limits={"memory": "128MB"}, cutover=APPROVAL)
    running = godwit.start("apply", mine)
    try:
        running.wait_for(WAITING, timeout=170)
        if what == "insert":
            source.execute("INSERT INTO t " + ROWS.format(0))
        elif what == "update":
            source.execute("UPDATE t SET v = reverse(v)")
        source.execute("INSERT INTO t VALUES (0, 'last')")
        target.wait_until("SELECT count(*) = 1 FROM t WHERE id = 0", timeout=170)
        peak = peak_bytes(running.pid)
        assert peak < limit, f"{peak >> 20} MB at its peak"
        source_sum, target_sum = (side.value("SELECT sum(hashtext(v)::bigint) FROM t") for side in (source, target))
        assert source_sum == target_sum
        running.send_signal(signal.SIGTERM)
        running.wait(code=143)
    finally:
        godwit.end_all()
