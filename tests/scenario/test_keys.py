"""Keys and words of the language that no larger scenario needs: each does on real servers what its page says."""
import hashlib
import json
import os
import secrets
import signal

import harness
import pytest
from road import APPROVAL, WAITING

HOOK = "#!/bin/sh\necho $$ >> \"ran_$1\"\nexec sleep 60\n"

ODD = """
CREATE EXTENSION citext VERSION '1.5';
CREATE ACCESS METHOD own_way TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE parent (id int PRIMARY KEY, name citext) USING own_way;
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
INSERT INTO parent SELECT i, 'N' || i FROM generate_series(1, 50) AS i;
INSERT INTO child SELECT i, i FROM generate_series(1, 50) AS i;
SET session_replication_role = replica;
INSERT INTO child VALUES (99, 99);
"""


@pytest.fixture
def tablespace(servers):
    """A tablespace of the source's server; it goes with the test, when its database has left it."""
    name = f"space_{secrets.token_hex(4)}"
    with servers("pg15").connect("postgres") as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute(f"CREATE TABLESPACE {name} LOCATION ''")
    yield name
    with servers("pg15").connect("postgres") as connection:
        connection.execute(f"DROP TABLESPACE {name}")


def test_what_is_left_out_and_what_the_operator_says(tablespace, source, target, plan, godwit, tmp_path):
    """Storage of the source's own, versions of extensions, keys added validated, --step-done, a deaf notify."""
    (tmp_path / "hook").write_text(HOOK, encoding="utf-8")
    (tmp_path / "hook").chmod(0o755)
    source.execute(ODD)
    source.execute(f"ALTER TABLE child SET TABLESPACE {tablespace}")
    mine = plan(extensions={"create": "none"}, schema={"foreign_keys": "validate"},
                cutover={"gates": {"stable_for": "100ms"}},
                notify={"command": ["./hook", "notify"], "timeout": "60s"},
                steps=[{"id": "call", "needs": ["copy"], "before": ["catchup"],
                        "command": {"run": ["./hook", "call"], "timeout": "90s"}}])
    try:
        report = godwit("check", mine, "--format", "json", code=4).json()
        found = {(finding["code"], finding["object"]): finding for finding in report["findings"]}
        assert "public.child" in found["G419", tablespace]["message"]
        assert "public.parent" in found["G419", "own_way"]["message"]
        lacking = [f for f in found.values() if "extensions.create is none" in f["message"]]
        assert len(lacking) == 1 and lacking[0]["object"] == "citext"
        assert "extensions.create is none" in godwit("apply", mine, code=4).err
        assert target.value("SELECT to_regnamespace('godwit') IS NULL")
        mine.change(extensions={"create": "missing", "exclude": ["citext"]})
        assert "P315" in godwit("check", mine, code=3).err
        mine.change(extensions={"exclude": None, "version": "default"})
        assert "VERSION" not in godwit("plan", mine, "--format", "sql", code=0).out
        mine.change(extensions={"version": "same"})

        running = godwit.start("apply", mine)
        running.wait_for(r"\[wave_end\] done")
        target.wait_until("SELECT count(*) = 1 FROM godwit.step WHERE step = 'call' AND state = 'running'")
        running.kill9()
    finally:
        source.execute("ALTER TABLE child SET TABLESPACE pg_default")
    for process in (tmp_path / "ran_call").read_text(encoding="utf-8").split():
        os.kill(int(process), signal.SIGKILL)
    assert "--step-done call" in godwit("apply", mine, code=1).err
    said = godwit("apply", mine, "--step-done", "call")
    assert said.code == 1 and "child_parent_fkey" in said.err and "repair them there" in said.err, said.err
    assert "events were not delivered" in said.err
    source.execute("DELETE FROM child WHERE parent = 99")
    godwit("apply", mine, code=0)
    assert (tmp_path / "ran_call").read_text(encoding="utf-8").count("\n") == 1
    harness.assert_same(source, target)
    assert target.value("SELECT extversion FROM pg_extension WHERE extname = 'citext'") == "1.5"
    assert target.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f' "
                        "AND conrelid = 'child'::regclass")
    assert target.query("SELECT reltablespace, amname FROM pg_class c JOIN pg_am a ON a.oid = relam "
                        "WHERE c.oid IN ('child'::regclass, 'parent'::regclass)") == [(0, "heap")] * 2


def sealed(pinned, **changes):
    """Change a pinned plan and seal it again, as its writer would have."""
    root = {key: value for key, value in json.loads(pinned.read_text()).items() if key != "sha256"} | changes
    text = json.dumps(root, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    pinned.write_text(json.dumps(root | {"sha256": hashlib.sha256(text.encode()).hexdigest()}))


def test_a_pin_holds_the_engine_and_the_named_files(source, target, plan, godwit, tmp_path):
    """A pinned plan of another version, and one whose SQL file changed: 12 with what it was; nothing is written."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    (tmp_path / "own.sql").write_text("SELECT 1;\n", encoding="utf-8")
    mine = plan(steps=[{"id": "own", "needs": ["copy"], "sql": {"server": "target", "file": "own.sql"}}])
    pinned = tmp_path / "m.pinned"
    godwit("plan", mine, "--out", pinned, code=0)
    sealed(pinned)  # by itself no change
    godwit("plan", pinned, env=mine.env, code=0)
    (tmp_path / "own.sql").write_text("SELECT 2;\n", encoding="utf-8")
    said = godwit("apply", pinned, env=mine.env, code=12).err
    assert "own.sql" in said and "changed since the plan was pinned" in said, said
    mine.path.unlink()  # its text is in the pinned plan; the file is held all the same
    said = godwit("apply", pinned, env=mine.env, code=12).err
    assert "own.sql" in said and "a file that the plan names changed" in said, said
    (tmp_path / "own.sql").write_text("SELECT 1;\n", encoding="utf-8")
    sealed(pinned, engine="0.0.1")
    assert "the plan was pinned by godwit 0.0.1, this is godwit " in godwit("apply", pinned, env=mine.env, code=12).err
    assert target.value("SELECT to_regnamespace('godwit') IS NULL")


SHARDS = """
CREATE ROLE {x}_owner; CREATE ROLE {x}_reader;
CREATE TABLE m_2025 (at timestamptz NOT NULL, dev int NOT NULL, v int, PRIMARY KEY (dev, at));
CREATE TABLE m_2026 (LIKE m_2025 INCLUDING ALL);
ALTER TABLE m_2025 OWNER TO {x}_owner; ALTER TABLE m_2026 OWNER TO {x}_owner;
GRANT SELECT ON m_2025, m_2026 TO {x}_reader;
INSERT INTO m_2025 SELECT '2025-01-01'::timestamptz + i * interval '1 day', i % 3, i FROM generate_series(0, 299) AS i;
INSERT INTO m_2026 SELECT '2026-01-01'::timestamptz + i * interval '1 day', i % 3, i FROM generate_series(0, 299) AS i;
CREATE TABLE parted (k int PRIMARY KEY, v text, hidden text) PARTITION BY RANGE (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
INSERT INTO parted SELECT i, 'v', 'secret' FROM generate_series(0, 99) AS i;
"""


@pytest.fixture
def mark(servers):
    """A mark for roles; those that bear it go with the test."""
    made = f"k{secrets.token_hex(4)}"
    yield made
    for flavor in ("pg15", "pg17"):
        with servers(flavor).connect("postgres") as connection:
            for (role,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", (made + "%",)):
                connection.execute(f"DROP ROLE {role}")


def test_shards_become_a_hypertable_that_keeps_its_owner(mark, database, plan, godwit):
    """merge and hypertable and ownership keep, live; a refresh takes in a partition beside them."""
    source, target = database("pg15", prefix="src"), database("pg17", extensions=["timescaledb"], prefix="dst")
    source.execute(SHARDS.format(x=mark))
    mine = plan(source, target, cutover=APPROVAL, schema={"ownership": "keep"},
                select={"map": [{"source": "~public\\.m_\\d+", "target": "public.m", "merge": True}]},
                hypertables=[{"target_table": "public.m", "create_default_indexes": False,
                              "by_range": {"column_name": "at", "partition_interval": "30 days"}}])
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=60)
    source.execute("CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200)")
    assert "has taken in what was added" in godwit("refresh", mine, code=0).out
    source.execute("INSERT INTO parted SELECT i, 'new', 'secret' FROM generate_series(100, 150) AS i;"
                   "UPDATE parted SET v = 'moved', k = k + 100 WHERE k BETWEEN 50 AND 60 AND k + 100 > 150;"
                   "UPDATE m_2025 SET v = -v; DELETE FROM m_2026 WHERE v % 2 = 0;"
                   "INSERT INTO m_2026 VALUES ('2027-01-01', 7, 7)")
    godwit("approve", mine, code=0)
    running.wait(code=0)
    wanted = source.query("SELECT at, dev, v FROM m_2025 UNION ALL SELECT at, dev, v FROM m_2026 ORDER BY 1, 2")
    assert target.query("SELECT at, dev, v FROM m ORDER BY 1, 2") == wanted
    assert target.value("SELECT count(*) > 15 FROM timescaledb_information.chunks WHERE hypertable_name = 'm'")
    owners = "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE oid = 'm'::regclass OR oid IN (" \
             "SELECT format('%I.%I', chunk_schema, chunk_name)::regclass FROM timescaledb_information.chunks)"
    assert target.query(owners) == [(f"{mark}_owner",)]
    with target.connect() as connection:
        connection.execute(f"SET ROLE {mark}_reader")
        assert connection.execute("SELECT count(*) FROM m").fetchone() == (len(wanted),)
    assert target.query("SELECT * FROM parted ORDER BY 1") == source.query("SELECT * FROM parted ORDER BY 1")
    assert target.value("SELECT count(*) FROM parted_2") == source.value("SELECT count(*) FROM parted_2") > 0
    source.drop()
    target.drop()
