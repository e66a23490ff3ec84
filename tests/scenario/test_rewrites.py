"""Tables that are rewritten while they are copied, and rows that the source's user cannot see.

Each test is a loss that was watched happening to tools of this kind, and would happen again here.
"""
import contextlib

import harness
import pytest
from road import APPROVAL, WAITING


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
