"""What takes part and what does not.

Each test is a loss that was watched happening to tools of this kind, and would happen again here.
"""
import signal

import harness
from road import APPROVAL, WAITING, in_one_transaction


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
