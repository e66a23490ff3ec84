"""The chunk watcher: pgoutput from a user who is no superuser, with writers that make new chunks all the time."""
import re
import time
from functools import partial
from types import SimpleNamespace

import pytest
from test_hypertables import Pen
from test_mirror import MIRROR, SEED, WRITES, mover, own_cluster, same, wait_count

LISTED = """SELECT r.prrelid FROM pg_publication_rel AS r JOIN pg_inherits AS i ON i.inhrelid = r.prrelid
            WHERE i.inhparent::regclass::text LIKE '%'"""
CHUNKS = """SELECT count(*) FROM pg_inherits AS i JOIN pg_class AS t ON t.oid = i.inhparent
            WHERE t.relkind = 'r' AND t.relnamespace <> 'other'::regnamespace"""
TAKEN_OUT = "SELECT oid FROM godwit.chunk WHERE oid NOT IN ({})"
# Where who takes chunks in is killed, and whether chunks are published and not copied then.
KILLS = [
    ("source/chunk publish:statement=COMMIT:1:kill", False),  # what publishes a batch
    ("target/chunk copy:statement=COPY:2:kill", True),  # between its hypertables' rows
    ("target/chunk copy:statement=COMMIT:1:kill", True),  # of its rows
]
LOSE = "target/chunk copy:statement=COMMIT:1:lose"  # the answer to that


@pytest.fixture
def source(private_cluster):
    """A TimescaleDB source on a server of its own."""
    return own_cluster(private_cluster)


# A row more in a chunk.
MORE = {
    "app.reading": "INSERT INTO app.reading SELECT at + {n} * interval '1 ms', device, 0, 'more' FROM {chunk} LIMIT 1",
    "app.tick": "INSERT INTO app.tick SELECT ms + {n}, device, region, value FROM {chunk} LIMIT 1",
    "app.doc": "INSERT INTO app.doc SELECT id + 5000 * {n}, doc FROM {chunk} LIMIT 1",
    '"Odd ""S"""."Ta b"':
        """INSERT INTO "Odd ""S"\""."Ta b" SELECT "Day's", "Id ""x" - 5000 * {n}, v FROM {chunk} LIMIT 1""",
}


def write_into(source, chunks, number):
    """A row more in each chunk: published, and in what the next engine copies, too."""
    for chunk in chunks:
        parent, name = source.query("SELECT inhparent::regclass::text, inhrelid::regclass::text FROM pg_inherits"
                                    " WHERE inhrelid = %s", (chunk,))[0]
        source.execute(MORE[parent].format(chunk=name, n=number))


def between_commits(source, target):
    """Chunks that are published, and not copied."""
    return {row[0] for row in source.query(LISTED)} - {row[0] for row in target.query("SELECT oid FROM godwit.chunk")}


def listed(source):
    """The oids of published chunks, as a list in SQL."""
    return ", ".join(str(row[0]) for row in source.query(LISTED))


def cut_over(godwit, mine, running, source, late, code):
    """An attempt at the cutover with a chunk that is seen only between the last look at chunks and the fence."""
    running.wait_for("waiting for an approval", timeout=120)
    with source.connect(user=f"{source.name}_mover", autocommit=False) as writer:
        writer.execute(f"INSERT INTO app.empty VALUES ('{late}-01-01', 1), ('{late}-01-02', 2)")
        godwit("approve", mine, code=0)
        running.wait_for(r"\[cutover.chunks\] done", timeout=60)
        writer.commit()
    result = running.wait(code=code)
    last = result.err[result.err.index("marker arrived"):]
    assert "of empty is taken in: 2 rows" in last, result.err
    return result


def truncated(source, target, late):
    """A TRUNCATE that the stream has not got to yet must not take away the rows of a chunk that was made behind it."""
    with target.connect(autocommit=False) as blocker:
        blocker.execute("LOCK TABLE app.place IN SHARE MODE")
        source.execute("UPDATE app.place SET name = name || '.' WHERE id = 3")
        source.execute("TRUNCATE app.empty")
        source.execute(f"INSERT INTO app.empty SELECT timestamp '{late}-01-01' + g * interval '1 second', g"
                       " FROM generate_series(1, 5) AS g")
        source.wait_until(f"SELECT count(*) > 0 FROM ({LISTED.replace('%', 'app.empty')}) AS listed")
        source.execute(f"INSERT INTO app.empty VALUES ('{late}-01-01', 6)")
        time.sleep(0.5)
        blocker.rollback()
    target.wait_until("SELECT count(*) = 6 FROM app.empty", timeout=30)


def test_new_chunks_one_by_one(godwit, plan, source, target):
    """Killed at each point while a chunk is taken in, live with writers, up to the cutover: all rows once."""
    source.execute(SEED)
    mine = plan(**MIRROR, apply={"lanes": 4}, cutover={
        "gates": {"stable_for": "1s"}, "approval": {"required": True},
        "after_drain": [{"id": "look", "sql": {"server": "target", "file": "look.sql"}}]})
    look = "SELECT 1 / count(*) FROM app.place WHERE name = 'go';\n"
    (mine.path.parent / "look.sql").write_text(look, encoding="utf-8")
    role = mover(source, mine)
    shown = godwit("plan", mine, code=0).out
    assert "the stream adds those that are made later" in shown and f"{role} is no superuser" in shown
    writers = SimpleNamespace(connect=partial(source.connect, user=role))
    pen = Pen(writers, WRITES)
    wait_count(pen, 5)
    for number, (fault, between) in enumerate(KILLS):
        result = godwit("apply", mine, env={"GODWIT_FAULT": fault}, code=-9)
        assert "fault hook: kill at statement" in result.err, result.err
        chunks = between_commits(source, target)
        assert bool(chunks) == between, result.err
        write_into(source, chunks, number)
    running = godwit.start("apply", mine, env={"GODWIT_FAULT": LOSE})
    running.wait_for("waiting for an approval", timeout=120)
    assert "fault hook: lose at statement" in running.err
    assert re.search(r"\d chunks of reading are taken in: \d+ rows", running.err), running.err
    pen.stop()
    target.wait_until(f"SELECT count(*) = {source.value(CHUNKS)} FROM godwit.chunk")
    truncated(source, target, 2030)
    count, pen = pen.count, Pen(writers, WRITES)
    pen.count = count + 1
    wait_count(pen, count + 25)
    result = cut_over(godwit, mine, running, source, 2040, 10)
    assert "division by zero" in result.err
    assert not between_commits(source, target)
    assert not target.query(TAKEN_OUT.format(listed(source))), "copied behind the fence, and not published"
    source.execute("UPDATE app.place SET name = 'go' WHERE id = 20; INSERT INTO app.empty VALUES ('2040-01-03', 3)")
    result = cut_over(godwit, mine, godwit.start("apply", mine), source, 2050, 0)
    pen.stop()
    assert "0 differences" in result.out
    same(source, target)
    assert not source.query("SELECT 1 FROM pg_publication")


# Columns of two hypertables, which each chunk of theirs is published with; two publications.
SOME = {"columns": [{"table": "app.tick", "include": ["ms", "device", "region"]},
                    {"table": '"Odd ""S"""."Ta b"', "include": ["Id \"x", "Day's"]}]}
TWO = {"publications": [{"name": "few", "tables": ["app.tick", "app.reading"]}, {"name": "rest"}]}
LISTS = """SELECT count(*) FROM pg_publication_rel AS r JOIN pg_inherits AS i ON i.inhrelid = r.prrelid
           WHERE r.prattrs IS NOT NULL"""
ADDED = """
CREATE TABLE app.{0} (at timestamptz NOT NULL, v int, PRIMARY KEY (at));
SELECT create_hypertable('app.{0}', by_range('at', interval '1 day'));
INSERT INTO app.{0} SELECT timestamptz '2026-01-01' + g * interval '8 hours', g FROM generate_series(1, 9) AS g;
"""


def writes_more(source, role, number):
    """Rows of new chunks: of hypertables with column lists, and of those that were added."""
    with source.connect(user=role) as writer:
        writer.execute(f'''
            INSERT INTO app.tick VALUES (179000000000{number}::bigint, 'more', 'r1', 1);
            INSERT INTO app.tick VALUES (1800000000000 + {number} * 86400000::bigint, 'more', 'r1', 1);
            UPDATE app.tick SET value = 7, device = 'm' || {number} WHERE device = 'more';
            INSERT INTO "Odd ""S"""."Ta b" VALUES (date '2031-01-01' + {number} * 10, {number}, 'left out')''')
        for table in ("added", "later"):
            if source.value(f"SELECT to_regclass('app.{table}') IS NOT NULL"):
                writer.execute(f"""
                    INSERT INTO app.{table} VALUES (timestamptz '2027-01-01' + {number} * interval '1 day', {number});
                    UPDATE app.{table} SET v = -v WHERE at < '2026-01-03'""")


def same_columns(source, target):
    """Where columns are left out the others are equal."""
    for table, columns in (("app.tick", "ms, device, region"), ('"Odd ""S"""."Ta b"', '"Id ""x", "Day\'s"'),
                           ("app.added", "*"), ("app.later", "*"), ("app.empty", "*"), ("app.reading", "*")):
        statement = f"SELECT t::text FROM (SELECT {columns} FROM {table}) AS t ORDER BY 1"
        assert target.query(statement) == source.query(statement), table


def test_killed_between_the_last_copy_and_the_switch(godwit, plan, source, target):
    """A chunk that was copied behind the fence and is not published: E120 says so, resync mends it. The wave of that
    resync has no published chunk, and must not read the one that the watcher takes in.

    With column lists and two publications; and hypertables are added: by refresh alone, and beside the engine."""
    source.execute(SEED)
    mine = plan(**{**MIRROR, "select": {**MIRROR["select"], **SOME}}, replication=TWO, cutover={
        "gates": {"stable_for": "100ms"}, "approval": {"required": True},
        "after_drain": [{"id": "look", "sql": {"server": "target", "file": "look.sql"}}]})
    look = "SELECT pg_sleep(30) FROM app.place WHERE id = 1 AND name <> 'go';\n"
    (mine.path.parent / "look.sql").write_text(look, encoding="utf-8")
    role = mover(source, mine)
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval", timeout=120)
    writes_more(source, role, 1)
    with source.connect(user=f"{source.name}_mover", autocommit=False) as writer:
        writer.execute("INSERT INTO app.empty VALUES ('2040-01-01', 1), ('2040-01-02', 2)")
        godwit("approve", mine, code=0)
        running.wait_for(r"\[cutover.chunks\] done", timeout=60)
        writer.commit()
    target.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    assert "of empty is taken in: 2 rows" in running.kill9().err
    target.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    source.execute("INSERT INTO app.empty VALUES ('2040-01-03', 3); UPDATE app.place SET name = 'go' WHERE id = 1")
    told = godwit("apply", mine).err
    assert "E120: chunk" in told and 'HINT: "godwit resync" of app.empty' in told
    godwit("resync", mine, "app.empty", code=0)
    with source.connect(user=role) as owner:
        owner.execute(ADDED.format("added"))
    godwit("refresh", mine, code=0)
    writes_more(source, role, 2)
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval", timeout=60)
    writes_more(source, role, 3)
    with source.connect(user=role) as owner:
        owner.execute(ADDED.format("later"))
    godwit("refresh", mine, code=0)
    writes_more(source, role, 4)
    assert source.value(LISTS) > 10
    godwit("approve", mine, code=0)
    assert "0 differences" in running.wait(code=0).out
    same_columns(source, target)
