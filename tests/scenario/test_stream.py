"""The stream alone: decode, group, fold, apply, positions, against real servers."""
from stream import Trial

BASIC = """
CREATE TABLE t (id int PRIMARY KEY, a text, b numeric, c timestamptz DEFAULT now());
"""


def test_changes_arrive(plan, source, target):
    """Inserts, updates, deletes, one by one and many, arrive and are counted."""
    with Trial.on(plan(), source, target, BASIC) as trial:
        source.execute("INSERT INTO t VALUES (1, 'one', 1.10), (2, 'two', 2), (3, NULL, NULL)")
        source.execute("UPDATE t SET a = E'tab\\tnew\\nline \\\\ back' WHERE id = 2")
        source.execute("DELETE FROM t WHERE id = 3")
        trial.catch_up()
        assert trial.same("t")
        source.execute("INSERT INTO t SELECT g, 'x' || g, g / 3.0 FROM generate_series(10, 5000) g")
        source.execute("UPDATE t SET b = b + 1 WHERE id % 3 = 0")
        source.execute("DELETE FROM t WHERE id % 7 = 0")
        source.execute("UPDATE t SET id = id + 100000 WHERE id % 5 = 0")
        trial.catch_up()
        assert trial.same("t")
        status = trial.status()
        assert status["conflicts"] == 0 and not status["failed"]
        assert status["changes"] > 5000
