"""Statements fail, are cut, are killed at, one after the other, in one migration that is resumed until it is done.

Here a seeded share of them has its turns, each of the three kinds; GODWIT_SEED draws another share. `make sweep` gives
every statement on either side all three, which takes about an hour.
"""
import os

import sweep

SEED = os.environ.get("GODWIT_SEED", "2")
SHARE = int(os.environ.get("GODWIT_SWEEP_SHARE", "100"))


def test_every_statement_has_its_faults(source, target, plan, godwit, writer, tmp_path, capsys):
    """Resumed until it is done, the migration is what one without faults is: nothing lost, nothing twice."""
    source.execute(sweep.SCHEMA)
    load = writer(source, orders=20, events=20, accounts=5)
    swept = sweep.Sweep(godwit, plan(**sweep.KEYS), tmp_path, f"both:fail+cut+kill:{SHARE}:{SEED}")
    swept.run(most=10000 // SHARE)
    load.stop(check=False)
    load.verify(target)
    sweep.compare(source, target)
    with capsys.disabled():
        print(f"\n{swept.told()}")
    assert {kind for kind, _ in swept.struck()} == {"fail", "cut", "kill"}
    assert {side for _, side in swept.struck()} == {"source", "target"}
