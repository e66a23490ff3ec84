"""The harness tests itself: a proof is worth what its instruments are."""
import signal
import sys
import time

import psycopg
import pytest

import cluster as lab
import harness


@pytest.mark.parametrize("flavor", lab.FLAVORS)
def test_flavor_starts_and_decodes(servers, database, flavor):
    """A server of each major starts, is that major, and can decode with pgoutput."""
    where = database(flavor)
    assert where.value("SHOW server_version_num").startswith(flavor[2:])
    assert servers(flavor).port == where.port
    where.execute("CREATE TABLE t (id int PRIMARY KEY)")
    where.execute("CREATE PUBLICATION p FOR TABLE t")
    slot = f"lab_{where.name}"
    where.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))
    where.execute("INSERT INTO t VALUES (1)")
    messages = where.query("SELECT data FROM pg_logical_slot_get_binary_changes(%s, NULL, NULL,"
                           " 'proto_version', '1', 'publication_names', 'p')", (slot,))
    assert b"I" in {data[:1] for data, in messages}


def test_timescaledb_and_tools(target):
    """The target makes hypertables, and pg_dump 17 runs on the host."""
    target.execute("CREATE TABLE m (at timestamptz NOT NULL, v float8)")
    target.query("SELECT create_hypertable('m', by_range('at'))")
    target.execute("INSERT INTO m VALUES ('2026-01-01', 1), ('2026-03-01', 2)")
    assert target.value("SELECT count(*) FROM timescaledb_information.chunks") == 2
    engine = harness.Godwit(lab.pg_bin("pg17") / "pg_dump")
    dump = engine("--schema-only", "-d", target.conninfo(), code=0).out
    assert "CREATE TABLE public.m" in dump
    with pytest.raises(lab.LabError, match="does_not_exist"):
        target.psql("SELECT does_not_exist;")


def test_cluster_restart_kill_and_rules(private_cluster):
    """Restart, kill -9 and changed settings keep port and data; pg_hba.conf can refuse."""
    server = private_cluster("pg15", {"max_replication_slots": 3})
    port = server.port
    server.query("CREATE TABLE t AS SELECT 1 AS x")
    server.kill9()
    assert server.pid is None
    with pytest.raises(psycopg.OperationalError):
        server.connect()
    server.start()
    server.restart("immediate")
    assert server.port == port
    assert server.query("SELECT x FROM t") == [(1,)]
    assert server.query("SHOW max_replication_slots") == [("3",)]
    server.set(statement_timeout="50ms")
    with pytest.raises(psycopg.errors.QueryCanceled):
        server.query("SELECT pg_sleep(1)")
    server.set(statement_timeout=None, max_replication_slots=5, restart=True)
    assert server.query("SHOW max_replication_slots") == [("5",)]
    server.query("CREATE ROLE app LOGIN PASSWORD 'secret'")
    server.set_hba(["host all postgres 127.0.0.1/32 trust",
                    "host all app 127.0.0.1/32 scram-sha-256"])
    with pytest.raises(psycopg.OperationalError, match="password"):
        server.connect(user="app")
    server.connect(user="app", password="secret").close()


def test_servers_never_run_as_root(servers):
    """The server's processes belong to another user than root."""
    with open(f"/proc/{servers('pg17').pid}/status", encoding="utf-8") as status:
        uid = next(line for line in status if line.startswith("Uid:")).split()[1]
    assert uid != "0"


def test_proxy_cuts(servers, proxy):
    """A connection is cut now, or after so many bytes; the next one passes."""
    server = servers("pg15")
    through = proxy(server)

    def connect():
        return psycopg.connect(server.conninfo(port=through.port), autocommit=True)

    connection = connect()
    assert connection.execute("SELECT 1").fetchone() == (1,)
    assert through.connections == 1 and through.cut() == 1 and through.connections == 0
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection = connect()
    before = through.carried["down"]
    through.cut_after(100_000)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT repeat('x', 1000) FROM generate_series(1, 1000)")
    assert through.carried["down"] - before == 100_000
    connection = connect()
    assert connection.execute("SELECT 2").fetchone() == (2,)
    through.refuse()
    with pytest.raises(psycopg.OperationalError):
        connect()
    through.accept()
    connect().close()
    assert through.cuts == 3


def test_proxy_stalls_and_delays(servers, proxy):
    """A stall holds an answer until it ends; a delay slows each way; nothing is lost by either."""
    server = servers("pg15")
    through = proxy(server)
    with psycopg.connect(server.conninfo(port=through.port), autocommit=True) as connection:
        through.stall()
        connection.pgconn.send_query(b"SELECT 7")
        time.sleep(0.3)
        connection.pgconn.consume_input()
        assert connection.pgconn.is_busy()
        through.go_on()
        while connection.pgconn.is_busy():
            connection.pgconn.consume_input()
            time.sleep(0.01)
        assert connection.pgconn.get_result().get_value(0, 0) == b"7"
        while connection.pgconn.get_result() is not None:
            pass
        through.delay(0.1)
        began = time.monotonic()
        connection.execute("SELECT 1")
        assert time.monotonic() - began >= 0.2
        through.delay(0)
        (rows,), = connection.execute("SELECT string_agg(md5(i::text), '') FROM"
                                      " generate_series(1, 50000) AS i").fetchall()
        assert len(rows) == 50000 * 32
    end = time.monotonic() + 5
    while through.connections and time.monotonic() < end:
        time.sleep(0.01)
    assert through.connections == 0


SCHEMA = """
CREATE SCHEMA s;
CREATE TABLE s.a (id int PRIMARY KEY, "Odd name" text, f float8, j jsonb);
CREATE TABLE s.keyless (x int, y text);
CREATE TABLE s.part (id int, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE s.part_1 PARTITION OF s.part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE SEQUENCE s.q;
INSERT INTO s.a SELECT i, 'x' || i, i / 3.0, '{"k": [1, null]}' FROM generate_series(1, 100) AS i;
INSERT INTO s.keyless VALUES (1, NULL), (1, NULL), (2, '');
INSERT INTO s.part VALUES (1, '2026-05-05');
SELECT nextval('s.q');
"""

CHANGES = {
    "UPDATE s.a SET f = f + 1e-12 WHERE id = 7": "s.a: 100 rows on the source, 100 on the target",
    "UPDATE s.a SET \"Odd name\" = NULL WHERE id = 7": "only on the target: (,2.33",
    "DELETE FROM s.a WHERE id = 1": "s.a: 100 rows on the source, 99 on the target",
    "INSERT INTO s.keyless VALUES (1, NULL)": "s.keyless: 3 rows on the source, 4 on the target",
    "UPDATE s.keyless SET y = NULL WHERE x = 2": "s.keyless: 3 rows",
    "UPDATE s.part SET id = 2": "s.part: 1 rows",
    "ALTER TABLE s.part ADD more int": "s.part: columns",
    "DROP TABLE s.keyless": "s.keyless is not on the target",
    "CREATE TABLE s.more (x int)": "s.more: only on the target",
    "SELECT nextval('s.q')": "sequence s.q: (1, True) on the source, (2, True) on the target",
    "DROP SEQUENCE s.q": "sequence s.q: (1, True) on the source, None on the target",
}


def test_compare_sees_every_change(database):
    """Equal databases of different majors are equal; each single change is found and named."""
    one, other = database("pg14"), database("pg16")
    one.execute(SCHEMA)
    other.execute(SCHEMA)
    found = harness.assert_same(one, other)
    assert (found.tables, found.rows, found.sequences) == (3, 104, 1)
    for change, message in CHANGES.items():
        clone = harness.Database(other.cluster, f"clone_{other.name}")
        other.cluster.query(f"CREATE DATABASE {clone.name} TEMPLATE {other.name}")
        try:
            clone.execute(change)
            differences = harness.compare(one, clone).differences
            assert len(differences) == 1 and message in differences[0], (change, differences)
        finally:
            clone.drop()
    other.execute("ALTER TABLE s.a RENAME TO b")
    harness.assert_same(one, other, renamed={"s.a": "s.b"})
    differences = harness.compare(one, other, exclude=["s.a"]).differences
    assert differences == ["s.b: only on the target"]


def copy_with_pg_dump(source, target):
    """Copy a quiet database by other means than godwit."""
    dump = harness.Godwit(lab.pg_bin("pg15") / "pg_dump")("-d", source.conninfo(), code=0)  # of its own release
    script = "\n".join(line for line in dump.out.splitlines()
                       if not line.startswith(("SET transaction_timeout", "CREATE SCHEMA public")))
    target.psql(script)


BREAKS = {
    "DELETE FROM w_audit WHERE txid = (SELECT max(txid) FROM w_audit)": "is missing",
    "DELETE FROM w_audit WHERE id = (SELECT max(id) FROM w_audit WHERE op <> 'end')": "is split",
    "UPDATE w_account SET balance = balance + 1 WHERE id = 1": "sum up to",
    "DELETE FROM w_event WHERE txid = (SELECT max(txid) FROM w_event)": "w_event",
    "INSERT INTO w_log VALUES ('ghost', 'x', 17)": "w_log ghost",
    "UPDATE w_order SET txid = 17 WHERE txid = (SELECT max(txid) FROM w_order)": "w_order",
    "INSERT INTO w_audit (txid, tbl, key, op) VALUES (17, '', '0', 'end')": "was never committed",
}


def test_writer_proves(database, writer):
    """What the writer wrote verifies, also after lost connections; each single loss is found."""
    one, other = database("pg15"), database("pg16")
    work = writer(one, workers=3)
    work.wait_transactions(100)
    assert work.consistent(one) == []
    one.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
              " WHERE application_name = 'writer'")
    work.wait_transactions(200)
    work.stop()
    assert work.errors and work.rolled_back
    work.verify(one)
    ops = {row for row in one.query("SELECT DISTINCT tbl, op FROM w_audit WHERE tbl <> ''")}
    assert len(ops) == 12, ops
    copy_with_pg_dump(one, other)
    work.verify(other)
    harness.assert_same(one, other)
    for change, message in BREAKS.items():
        with other.connect(autocommit=False) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(change)
            connection.commit()
        wrong = "\n".join(work.missing(other) + work.consistent(other))
        assert message in wrong, (change, wrong)
        with other.connect(autocommit=False) as connection:
            connection.execute("SET session_replication_role = replica")
            for table in ("w_audit", "w_account", "w_order", "w_item", "w_event", "w_log"):
                connection.execute(f"DELETE FROM {table}")
            connection.commit()
        refill(one, other)
        work.verify(other)


def refill(one, other):
    """Copy the writer's tables again, rows only."""
    with one.connect() as reader, other.connect(autocommit=False) as target:
        target.execute("SET session_replication_role = replica")
        for table in ("w_audit", "w_account", "w_order", "w_item", "w_event", "w_log"):
            with reader.cursor().copy(f"COPY {table} TO STDOUT") as out, \
                    target.cursor().copy(f"COPY {table} FROM STDIN") as into:
                for data in out:
                    into.write(data)
        target.commit()


def test_runner_waits_and_kills(tmp_path):
    """The runner returns status and both streams, waits for lines, sends signals and kills."""
    python = harness.Godwit(sys.executable)
    done = python("-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (done.code, done.out, done.err) == (3, "out\n", "err\n")
    with pytest.raises(AssertionError, match="expected exit status 0"):
        done.check(0)
    program = ("import signal, sys, time\n"
               "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
               "print('step 1', flush=True)\n"
               "time.sleep(60)\n")
    running = python.start("-c", program, cwd=tmp_path)
    assert running.wait_for(r"step (\d)").group(1) == "1"
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=30).code == 7
    running = python.start("-c", program)
    running.wait_for("step")
    assert running.kill9().code == -signal.SIGKILL
    with pytest.raises(AssertionError, match="ended without a line"):
        running.wait_for("never printed")
    with pytest.raises(AssertionError, match="sanitizer"):
        python("-c", "import sys; sys.exit(99)")
    with pytest.raises(AssertionError, match="still running"):
        python("-c", program, timeout=0.5)


def test_plan_builder(source, target, plan):
    """Keys are merged, None takes one out, and a proxy changes only the port."""
    made = plan(select={"tables": ["public.t"]}, tools=None, cutover={"approval": None})
    assert made.keys["select"] == {"schemas": ["public"], "tables": ["public.t"]}
    assert "tools" not in made.keys and "approval" not in made.keys["cutover"]
    assert made.env == {"SOURCE": source.conninfo(), "TARGET": target.conninfo()}

    class Detour:
        """Something with a port."""

        port = 1

    assert "port=1 " in made.via(source=Detour).env["SOURCE"] + " "
    assert made.via(source=Detour).env["TARGET"] == made.env["TARGET"]
    made.change(copy={"table_jobs": 2})
    assert "table_jobs: 2" in made.path.read_text(encoding="utf-8")
