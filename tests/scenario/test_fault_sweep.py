"""Statements are cut, are killed at, fail, one after the other, in one migration that is resumed until it is done.

Here a seeded tenth of what a small migration sends is cut, then killed at; GODWIT_SEED draws another tenth. That each
of them fails once is the unit test cmd/test_sweep, in one process. `make sweep` gives every statement of a larger one,
whoever sends it, on either side, all three, which takes about an hour; GODWIT_SWEEP_SHARE=8 an eighth of them.
"""
import os

import sweep

SEED = os.environ.get("GODWIT_SEED", "1")
SHARE = os.environ.get("GODWIT_SWEEP_SHARE")


def test_statements_have_their_faults(source, target, plan, godwit, writer, tmp_path, capsys):
    """Resumed until it is done, the migration is what one without faults is: nothing lost, nothing twice."""
    whole, share = SHARE is not None, int(SHARE or 10)
    source.execute(sweep.SCHEMA if whole else sweep.SMALL)
    load = writer(source, orders=20, events=20, accounts=5) if whole else sweep.Drip(source)
    rule = f"both:fail+cut+kill:{share}:{SEED}" if whole else f"any:cut+kill:{share}:{SEED}"
    swept = sweep.Sweep(godwit, plan(**sweep.KEYS, **({} if whole else sweep.FEW)), tmp_path, rule)
    swept.run(most=10000 // share, between=None if whole else load.drop)
    if whole:
        load.stop(check=False)
        load.verify(target)
    sweep.compare(source, target)
    with capsys.disabled():
        print(f"\n{swept.told()}")
    assert {kind for kind, _ in swept.struck()} == ({"fail", "cut", "kill"} if whole else {"cut", "kill"})
    assert {side for _, side in swept.struck()} == {"source", "target"}
