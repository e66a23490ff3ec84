"""The common road of scenario tests: replicate, change the source meanwhile, cut over, compare."""
import contextlib

import harness

WAITING = r"waiting for an approval"
APPROVAL = {"approval": {"required": True}}


@contextlib.contextmanager
def replicating(godwit, mine, source, target, code=0):
    """The engine replicates in the body; afterwards it cuts over, and both databases are the same."""
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    yield running
    godwit("approve", mine, code=0)
    running.wait(code=code)
    if code == 0:
        harness.assert_same(source, target)


def in_one_transaction(source, *statements):
    """Run statements as one transaction."""
    with source.connect(autocommit=False) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
