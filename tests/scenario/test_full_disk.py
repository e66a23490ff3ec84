"""The target's disk is full: what waits, what ends, and that nothing is lost once there is room again."""
import subprocess

import harness
import pytest
from road import APPROVAL, WAITING

BIG = """
CREATE TABLE big (id bigint PRIMARY KEY, payload text NOT NULL);
INSERT INTO big SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 10000) AS i;
"""
FULL = "No space left on device"


@pytest.fixture
def full_disk(open_dir, monkeypatch):
    """A path; while it exists, servers started in this test cannot make files of databases longer."""
    library = open_dir / "full_disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, harness.REPO / "tests/lab/full_disk.c", "-ldl"],
                   check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("FULL_DISK", str(open_dir / "full"))
    return open_dir / "full"


def test_a_full_disk_of_the_target(source, private_cluster, database, plan, godwit, writer, full_disk, monkeypatch):
    """In the copy: some tries, then status 1 with the server's words, and the same command resumes. In the stream: it
    waits, the source keeps what is not applied, and goes on by itself."""
    target = database(private_cluster("pg17"))
    monkeypatch.delenv("LD_PRELOAD")
    source.execute(BIG)
    load = writer(source)
    mine = plan(source, target, cutover=APPROVAL)
    running = godwit.start("apply", mine)
    running.wait_for(r"\[schema_pre\] done")
    full_disk.touch()
    assert FULL in running.wait(code=1).err
    assert target.value("SELECT count(*) FROM big") == 0
    full_disk.unlink()
    running = godwit.start("apply", mine)
    running.wait_for(WAITING)
    full_disk.touch()
    source.execute("UPDATE big SET payload = 'changed ' || payload; INSERT INTO big SELECT -id, payload FROM big")
    running.wait_for(FULL, new=True)
    running.wait_for(FULL, new=True)
    assert running.running() and target.value("SELECT count(*) FROM big WHERE payload LIKE 'changed%'") == 0
    full_disk.unlink()
    load.wait_transactions(10)
    godwit("approve", mine, code=0)
    running.wait(code=0)
    load.stop(check=False)
    load.verify(target)
    harness.assert_same(source, target)
