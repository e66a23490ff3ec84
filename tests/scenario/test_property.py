"""Random schemas, random transactions, random options, random faults: whatever happens, the target is the source.

A case is a schema; each migration takes ten of them through up to three faults. Another beginning of the seeds:
GODWIT_SEED=1000. `make soak` goes on for as long as it is told.
"""
import os

import misfortune
import pytest

SEED = int(os.environ.get("GODWIT_SEED", "1"))
MIGRATIONS = 5
CASES = 10  # schemas in each


@pytest.fixture(scope="module")
def pair():
    """Servers of this module's own: they are restarted."""
    made = misfortune.Pair("pg15", "pg17")
    yield made
    made.drop()


@pytest.mark.parametrize("seed", range(SEED, SEED + MIGRATIONS))
def test_the_target_is_the_source(seed, pair, godwit, tmp_path):
    """Ten random schemas through random faults: nothing lost, nothing twice, nothing left behind."""
    trial = misfortune.Trial(godwit, pair, tmp_path, seed, CASES)
    counts = trial.run()
    print(trial.told(), dict(counts))
    assert counts["cases"] == CASES
