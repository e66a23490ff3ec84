"""The scenario with the most threads under ThreadSanitizer: no data race, no lock order inversion."""
import harness
import pytest

TABLES = """
CREATE TABLE big_{n} (id bigint PRIMARY KEY, payload text NOT NULL, seen timestamptz DEFAULT now());
CREATE INDEX ON big_{n} (seen);
CREATE INDEX ON big_{n} (payload);
INSERT INTO big_{n} SELECT i, md5(i::text) FROM generate_series(1, 20000) AS i;
"""


@pytest.mark.tsan
def test_no_data_race(source, target, plan, godwit_tsan, writer):
    """Copy workers, index builds, receiver, apply and progress run at once; nothing races."""
    for number in range(4):
        source.execute(TABLES.format(n=number))
    load = writer(source, workers=3)
    mine = plan(copy={"table_jobs": 4, "index_jobs": 2, "split_tables_larger_than": "1MB"})
    done = godwit_tsan("apply", mine, timeout=400)
    assert "ThreadSanitizer" not in done.err, done.err[:20000]
    done.check(0)
    load.stop(check=False)
    load.verify(target)
    harness.assert_same(source, target)
