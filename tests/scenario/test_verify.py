"""Verification: what is different is found and named by key; what is the same is never called different."""
import concurrent.futures
import time

import pytest

PAIRS = [("pg15", "pg17"), ("pg14", "pg18"), ("pg17", "pg16"), ("pg17", "pg17")]

TABLES = """
CREATE TABLE plain (id int PRIMARY KEY, v text, n numeric, j json, b bytea, f float8, at timestamptz,
                    twice int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO plain (id, v, n, j, b, f, at)
SELECT i, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'null' ELSE '"(\\,)' || i END,
       i / 3.0, CASE i % 3 WHEN 0 THEN NULL ELSE '{"a":  1, "a": 2}'::json END,
       decode(md5(i::text), 'hex'), sqrt(i), timestamptz '2026-01-01 00:00+00' + i * interval '1 s'
  FROM generate_series(1, 60000) AS i;
CREATE TABLE texts (k text PRIMARY KEY, v int);
INSERT INTO texts SELECT md5(i::text) || 'é', i FROM generate_series(1, 50000) AS i;
CREATE TABLE parted (a int, k uuid, at timestamptz, v text, PRIMARY KEY (k, a, at))
    PARTITION BY HASH (k);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT i % 10, md5(i::text)::uuid, timestamptz '2026-01-01 00:00+00', 'v' || i
  FROM generate_series(1, 50000) AS i;
CREATE TABLE keyless (a int, b text);
INSERT INTO keyless SELECT i % 100, CASE WHEN i % 2 = 0 THEN 'x' END FROM generate_series(1, 5000) AS i;
CREATE TABLE high (id int PRIMARY KEY, c "char");
INSERT INTO high VALUES (1, (-1)::"char"), (2, (-128)::"char"), (3, 0::"char"), (4, '\');
CREATE TABLE nothing ();
CREATE TABLE empty (id int PRIMARY KEY);
ANALYZE;
"""

PLANTED = """
UPDATE plain SET b = set_byte(b, 5, get_byte(b, 5) # 1) WHERE id = 31337;
DELETE FROM plain WHERE id IN (1, 60000);
INSERT INTO plain (id) VALUES (-7);
UPDATE plain SET v = '' WHERE id = 4;
UPDATE plain SET v = 'null' WHERE id = 8;
UPDATE plain SET v = NULL WHERE id = 6;
UPDATE plain SET n = 34.0 WHERE id = 102;
UPDATE plain SET j = '{"a":1, "a": 2}' WHERE id = 10;
UPDATE plain SET j = 'null' WHERE id = 12;
UPDATE plain SET at = at + interval '1 microsecond' WHERE id = 13;
UPDATE plain SET f = f * (1 + 2.3e-16) WHERE id = 14;
UPDATE high SET c = (-2)::"char" WHERE id = 1;
DELETE FROM texts WHERE v = 5;
UPDATE texts SET v = -1 WHERE v = 49999;
INSERT INTO texts VALUES ('zz', 0);
DELETE FROM parted WHERE v = 'v77';
UPDATE parted SET v = v || ' ' WHERE v = 'v40000';
"""
EXPECTED = {  # keys of texts and parted are computed: the test adds them
    "public.plain": {
        "missing on the target: (id)=(1)", "missing on the target: (id)=(60000)",
        "only on the target: (id)=(-7)", "not the same: (id)=(31337)", "not the same: (id)=(4)",
        "not the same: (id)=(8)", "not the same: (id)=(6)", "not the same: (id)=(102)",
        "not the same: (id)=(10)", "not the same: (id)=(12)", "not the same: (id)=(13)",
        "not the same: (id)=(14)"},
    "public.high": {"not the same: (id)=(1)"},
}


def relations(result):
    """What `verify --format json` says, by relation."""
    return {one["relation"]: one for one in result.json()["relations"]}


def named(result):
    """The differences by relation, of relations that have any."""
    return {name: set(one["rows"]) for name, one in relations(result).items() if one["differences"]}


def md5_key(database, number):
    """The key that TABLES gives a row of `texts`."""
    return database.value("SELECT md5(%s) || 'é'", [str(number)])


@pytest.mark.parametrize("majors", PAIRS, ids=lambda pair: "-".join(pair))
def test_planted_differences_are_named_by_key(database, plan, godwit, majors):
    """A flipped bit, a missing row, an extra row, NULL against '' and 'null', 34 against 34.0, blanks
    in json: each is found between servers of different majors, named by key; nothing else is."""
    source, target = (database(flavor) for flavor in majors)
    for side in (source, target):
        side.execute(TABLES)
    file = plan(source, target)
    clean = godwit("verify", file, "--format", "json", code=0)
    assert clean.json()["differences"] == 0
    counted = {name: one["source_rows"] for name, one in relations(clean).items()}
    assert counted == {
        "public.plain": 60000, "public.texts": 50000, "public.parted": 50000,
        "public.keyless": 5000, "public.high": 4, "public.nothing": 0, "public.empty": 0}
    target.execute(PLANTED)
    found = godwit("verify", file, "--format", "json", code=9)
    expected = dict(EXPECTED)
    expected["public.texts"] = {
        f"missing on the target: (k)=({md5_key(source, 5)})",
        f"not the same: (k)=({md5_key(source, 49999)})", "only on the target: (k)=(zz)"}
    keys = dict(source.query("SELECT v, k::text FROM parted WHERE v IN ('v77', 'v40000')"))
    expected["public.parted"] = {
        f"missing on the target: (k, a, at)=({keys['v77']}, 7, 2026-01-01 00:00:00+00)",
        f"not the same: (k, a, at)=({keys['v40000']}, 0, 2026-01-01 00:00:00+00)"}
    assert named(found) == expected
    assert found.json()["differences"] == sum(len(rows) for rows in expected.values())


def test_anchor_05_text_output_and_exit_status(source, target, plan, godwit):
    """The text form names relation, counts and keys on stdout; exit status 9."""
    for side in (source, target):
        side.execute("CREATE TABLE t (id int PRIMARY KEY, v int);"
                     "INSERT INTO t SELECT i, i FROM generate_series(1, 10) AS i")
    target.execute("DELETE FROM t WHERE id = 4; UPDATE t SET v = 0 WHERE id = 5")
    found = godwit("verify", plan(), code=9)
    assert "public.t: 10 rows on the source, 9 on the target, 2 differences" in found.out
    assert "missing on the target: (id)=(4)" in found.out
    assert "not the same: (id)=(5)" in found.out


def test_keyless_relations_are_multisets(source, target, plan, godwit):
    """Without a key rows are counted by content: copies too many or too few are told with their
    number, and a row order of its own does not matter."""
    source.execute("CREATE TABLE k (a int, b text);"
                   "INSERT INTO k SELECT i % 7, CASE WHEN i % 2 = 0 THEN 'x' END"
                   " FROM generate_series(1, 4900) AS i")
    target.execute("CREATE TABLE k (a int, b text);"
                   "INSERT INTO k SELECT i % 7, CASE WHEN i % 2 = 0 THEN 'x' END"
                   " FROM generate_series(4900, 1, -1) AS i")
    file = plan()
    godwit("verify", file, code=0)
    target.execute("INSERT INTO k VALUES (3, NULL), (3, NULL), (3, NULL), (4, '');"
                   "DELETE FROM k WHERE ctid = (SELECT ctid FROM k WHERE a = 5 AND b = 'x' LIMIT 1)")
    found = godwit("verify", file, "--format", "json", code=9)
    assert named(found) == {"public.k": {
        "only on the target: (3,) (3 times)", 'only on the target: (4,"")',
        "missing on the target: (5,x)"}}
    assert found.json()["differences"] == 5


def test_count_and_where(source, target, plan, godwit):
    """method count compares numbers of rows; tables and where restrict an entry."""
    for side in (source, target):
        side.execute("CREATE TABLE a (id int PRIMARY KEY, v int); CREATE TABLE b (id int PRIMARY KEY);"
                     "INSERT INTO a SELECT i, i FROM generate_series(1, 100) AS i")
    target.execute("UPDATE a SET v = 0 WHERE id = 50; INSERT INTO b VALUES (1)")
    godwit("verify", plan(verify=[{"id": "rows", "method": "count", "tables": ["public.a"]}]), code=0)
    found = godwit("verify", plan(verify=[{"id": "rows", "method": "count"}]), code=9)
    assert "source 0 rows, target 1 rows" in found.out

    def entry(name, where):
        return {"id": name, "method": "checksum", "tables": ["public.a"], "where": where}

    godwit("verify", plan(verify=[entry("low", "id < 50")]), code=0)
    found = godwit("verify", plan(verify=[entry("low", "id < 50"), entry("high", "id >= 50")]), code=9)
    assert "not the same: (id)=(50)" in found.out


def test_server_encodings_may_differ(servers, plan, godwit, database):
    """A LATIN1 database and a UTF8 one hold the same rows; a changed letter is still found."""
    server = servers("pg15")
    source, target = database("pg15"), database("pg17")
    server.connect("postgres").execute(f"DROP DATABASE {source.name}")
    server.connect("postgres").execute(
        f"CREATE DATABASE {source.name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    for side in (source, target):
        side.execute(
            "CREATE TABLE t (k text PRIMARY KEY, v text); CREATE TABLE n (v text);"
            "INSERT INTO t SELECT 'ÿé' || i, CASE i % 3 WHEN 0 THEN '' WHEN 1 THEN 'ü' END"
            "  FROM generate_series(1, 30000) AS i;"
            "INSERT INTO n VALUES ('é'), ('é'), (NULL), (''); ANALYZE")
    file = plan(source, target)
    godwit("verify", file, code=0)
    target.execute("UPDATE t SET v = 'u' WHERE k = 'ÿé4'; UPDATE t SET v = NULL WHERE k = 'ÿé6';"
                   "DELETE FROM n WHERE ctid = (SELECT min(ctid) FROM n WHERE v = 'é')")
    found = godwit("verify", file, "--format", "json", code=9)
    assert relations(found)["public.t"]["differences"] == 2
    assert relations(found)["public.n"]["differences"] == 1
    assert named(found)["public.t"] == {"not the same: (k)=(ÿé4)", "not the same: (k)=(ÿé6)"}


def test_hypertable_on_the_target(source, target, plan, godwit):
    """A hypertable's chunks are the relation's rows; a row that is wrong in one chunk is named."""
    for side in (source, target):
        side.execute("CREATE TABLE m (at timestamptz NOT NULL, device int, v float8,"
                     " PRIMARY KEY (at, device))")
    target.execute("SELECT create_hypertable('m', by_range('at', interval '1 day'))")
    for side in (source, target):
        side.execute("INSERT INTO m SELECT timestamptz '2026-01-01 00:00+00' + i * interval '1 minute',"
                     " i % 5, sin(i) FROM generate_series(1, 20000) AS i")
    file = plan(hypertables=[{"target_table": "public.m",
                              "by_range": {"column_name": "at", "partition_interval": "1 day"}}])
    godwit("verify", file, code=0)
    target.execute("UPDATE m SET v = 0 WHERE at = '2026-01-05 00:00+00'")
    found = godwit("verify", file, "--format", "json", code=9)
    assert named(found) == {"public.m": {"not the same: (at, device)=(2026-01-05 00:00:00+00, 0)"}}


def test_mass_difference_is_counted(source, target, plan, godwit):
    """Everything differs: all of it is counted, the first hundred are named, memory stays small."""
    for side in (source, target):
        side.execute("CREATE TABLE t (id bigint PRIMARY KEY, v text);"
                     "INSERT INTO t SELECT i, i FROM generate_series(1, 100000) AS i; ANALYZE")
    target.execute("UPDATE t SET v = 'x'")
    found = godwit("verify", plan(), "--format", "json", code=9)
    assert found.json()["differences"] == 100000
    assert len(relations(found)["public.t"]["rows"]) == 100


@pytest.fixture
def waiting(source, plan, godwit, writer):
    """A migration with a writer that has come to its approval and replicates; (plan, engine, writer)."""
    write = writer(source)
    source.execute("CREATE TABLE hot (id int PRIMARY KEY, v bigint NOT NULL);"
                   "INSERT INTO hot SELECT i, 0 FROM generate_series(1, 50) AS i")
    file = plan(cutover={"approval": {"required": True}}, replication={"heartbeat": "1s"})
    engine = godwit.start("apply", file)
    engine.wait_for("waiting for an approval", timeout=120)
    yield file, engine, write
    engine.end()


def flap(source, seconds):
    """Write the same few rows as fast as one session can: update, delete and insert again."""
    with source.connect() as connection:
        connection.execute(
            "DO $$ DECLARE until timestamptz := clock_timestamp() + make_interval(secs => "
            f"{seconds}); i int := 0; BEGIN WHILE clock_timestamp() < until LOOP i := i + 1;"
            " UPDATE public.hot SET v = v + 1 WHERE id = 1 + i % 50;"
            " IF i % 10 = 0 THEN DELETE FROM public.hot WHERE id = 1 + i % 50; COMMIT;"
            " INSERT INTO public.hot VALUES (1 + i % 50, i); END IF; COMMIT; END LOOP; END $$")


def test_live_no_false_difference(source, waiting, godwit):
    """While a writer and a session that flaps fifty rows are at work, verify says "same" every time,
    by checksum and by count."""
    file, engine, write = waiting
    with concurrent.futures.ThreadPoolExecutor() as pool:
        flapping = pool.submit(flap, source, 15)
        looks = 0
        while not flapping.done():
            godwit("verify", file, code=0)
            looks += 1
        flapping.result()
    assert looks > 0
    write.stop()
    assert engine.running()


def test_live_difference_is_found(target, waiting, godwit):
    """While the writer is at work, rows that were changed, removed and added behind the engine's back
    on the target are found and named."""
    file, _, _ = waiting
    target.execute("SET session_replication_role = replica;"
                   "UPDATE hot SET v = -5 WHERE id = 17; DELETE FROM hot WHERE id = 18;"
                   "INSERT INTO hot VALUES (1000, 0); INSERT INTO w_log VALUES ('planted', 'x', 0)")
    found = godwit("verify", file, "--format", "json", code=9)
    assert named(found) == {
        "public.hot": {"not the same: (id)=(17)", "missing on the target: (id)=(18)",
                       "only on the target: (id)=(1000)"},
        "public.w_log": {"only on the target: (planted,x,0)"}}


def test_live_commit_that_hangs_is_no_difference(private_cluster, database, target, plan, godwit):
    """A commit waits for a synchronous standby that never comes: it is decoded and applied, and the
    source's sessions do not see it. However long that lasts verify calls none of its rows different;
    a row of the same table that is different is named; the engine goes on."""
    source = database(private_cluster("pg15", settings={
        "synchronous_standby_names": "nobody", "synchronous_commit": "local"}))
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v int);"
                   "INSERT INTO t SELECT i, i FROM generate_series(1, 100) AS i")
    file = plan(source, target, cutover={"approval": {"required": True}}, replication={"heartbeat": "1s"})
    engine = godwit.start("apply", file)
    engine.wait_for("waiting for an approval", timeout=120)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        hanging = pool.submit(source.execute, "SET synchronous_commit = on; BEGIN;"
                              "UPDATE t SET v = -1 WHERE id = 5; DELETE FROM t WHERE id = 6;"
                              "INSERT INTO t VALUES (1000, 0); COMMIT")
        try:
            target.wait_until("SELECT count(*) = 1 FROM t WHERE id = 1000")
            assert source.value("SELECT count(*) FROM t WHERE id = 1000") == 0
            target.execute("SET session_replication_role = replica; UPDATE t SET v = 0 WHERE id = 7")
            verify = godwit.start("verify", file, "--format", "json")
            verify.wait_for("not to be seen on the source yet")
        finally:
            source.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        found = verify.wait(code=9)
        hanging.result()
    assert named(found) == {"public.t": {"not the same: (id)=(7)"}}
    assert relations(found)["public.t"]["busy"] == 0
    engine.end()


def test_the_slowest_lane_is_waited_for(source, target, plan, godwit):
    """One of three lanes is held up by a lock on the target, the others go on: what it has not applied yet is no
    difference, however far the others are."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v int);"
                   "INSERT INTO t SELECT i, i FROM generate_series(1, 2000) AS i")
    file = plan(apply={"lanes": 3}, cutover={"approval": {"required": True}}, replication={"heartbeat": "1s"})
    engine = godwit.start("apply", file)
    engine.wait_for("waiting for an approval", timeout=120)
    with target.connect(autocommit=False) as holder:
        holder.execute("SELECT FROM t WHERE id = 5 FOR UPDATE")
        source.execute("UPDATE t SET v = -1 WHERE id <= 1000")
        target.wait_until("SELECT count(*) BETWEEN 600 AND 750 FROM t WHERE v = -1")
        verify = godwit.start("verify", file)
        time.sleep(3)
        assert verify.running(), verify.err
        holder.rollback()
    assert "0 differences" in verify.wait(code=0).out
    engine.end()


def test_rows_of_which_nothing_can_be_said_are_compared_behind_the_fence(source, target, plan, godwit, tmp_path):
    """A row that only the target has, while a transaction of the source writes its table: it may be about to appear.
    Neither the step verify, nor `godwit verify`, nor the last look before the fence can say; the command says so with
    status 8. Behind the fence the row is compared, and the cutover is taken back. (The variable shortens the looks.)
    What has differed once is compared as a whole before each later fence, until all its rows are the same: whatever
    another process found or forgot, and though the plan's own verification is a count."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v int);"
                   "INSERT INTO t SELECT i, i FROM generate_series(1, 99) AS i")
    file = plan(verify=[{"id": "rows", "method": "count"}],
                cutover={"approval": {"required": True}, "stop_writes": {"grace": "30s"}, "max_downtime": "60s"})
    env = {"GODWIT_SWEEP": f"target/nobody:fail:1:0:{tmp_path}/seen"}
    godwit("apply", file, "--until", "catchup", code=0)
    target.execute("SET session_replication_role = replica; INSERT INTO t VALUES (5000, 1)")
    with source.connect() as lock, concurrent.futures.ThreadPoolExecutor() as pool:
        lock.execute("SELECT pg_advisory_lock(4711)")
        writing = pool.submit(source.execute, "BEGIN; UPDATE t SET v = v WHERE id = 1;"
                              "SELECT pg_advisory_xact_lock(4711); COMMIT")
        engine = godwit.start("apply", file, env=env)
        engine.wait_for("1 rows were written at every look")
        engine.wait_for("waiting for an approval")
        found = godwit("verify", file, "--format", "json", env=env, code=8)
        assert found.json()["busy"] == 1 and found.json()["differences"] == 0
        godwit("approve", file, code=0)
        engine.wait_for(r"\[cutover.target_fence\] done")
        lock.execute("SELECT pg_advisory_unlock(4711)")
        writing.result()
    ended = engine.wait(60, code=10)
    assert "public.t differs at (id)=(5000)" in ended.err, ended.err
    target.execute("SET session_replication_role = replica;"
                   "DELETE FROM t WHERE id = 5000; UPDATE t SET v = -1 WHERE id = 7")
    for _ in range(2):
        godwit("approve", file, code=0)
        assert "public.t differs at (id)=(7)" in godwit("apply", file, code=9).err
    assert target.value("SELECT count(*) FROM godwit.finding WHERE severity = 'error' AND settled_at IS NULL") == 3
    target.execute("SET session_replication_role = replica; UPDATE t SET v = 7 WHERE id = 7")
    godwit("apply", file, code=0)
    assert target.value("SELECT count(*) FROM godwit.finding WHERE severity = 'error' AND settled_at IS NULL") == 0


HALTING = """
CREATE FUNCTION pass(id int) RETURNS boolean LANGUAGE plpgsql STRICT AS $$
BEGIN IF id = 70000 THEN PERFORM pg_advisory_xact_lock_shared(4711); END IF; RETURN true; END $$;
CREATE TABLE a (id int PRIMARY KEY, v int);
CREATE TABLE big (id int PRIMARY KEY, v int);
CREATE TABLE c (id int PRIMARY KEY, v int);
CREATE TABLE d (k text PRIMARY KEY, id int);
INSERT INTO a SELECT i, i FROM generate_series(1, 1000) AS i;
INSERT INTO big SELECT i, i FROM generate_series(1, 120000) AS i;
INSERT INTO c SELECT i, i FROM generate_series(1, 1000) AS i;
INSERT INTO d SELECT 'k' || i, i FROM generate_series(1, 45000) AS i;
ANALYZE;
"""
PARTS = "SELECT rel || part, looked_at FROM godwit.looked WHERE id = %s AND look IS NOT NULL"
DONE = {"a0", "big0", "big1", "big2"}


def halt(source, target, engine, entry, done):
    """Wait until the verification stands in the fourth part of `big` with these parts done. Touch `a`
    and the second part of `big`, spoil what came to `a`, kill. The parts, and when they were read."""
    target.wait_until("SELECT to_regclass('godwit.looked') IS NOT NULL", timeout=120)
    target.wait_until("SELECT count(*) = %s FROM godwit.looked WHERE id = %s AND look IS NOT NULL",
                      [len(done), entry], timeout=120)
    target.wait_until("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    number = source.value("UPDATE a SET v = v + 1000000 WHERE id = 500 RETURNING v")
    other = source.value("UPDATE big SET v = v + 1000000 WHERE id = 30000 RETURNING v")
    target.wait_until("SELECT v = %s FROM a WHERE id = 500", [number])
    target.wait_until("SELECT v = %s FROM big WHERE id = 30000", [other])
    target.execute("SET session_replication_role = replica; UPDATE a SET v = -1 WHERE id = 500")
    parts = dict(target.query(PARTS, [entry]))
    assert set(parts) == done
    engine.kill9()
    return parts


def test_killed_verification_goes_on(source, target, plan, godwit):
    """kill -9 of the engine in the step, and of `godwit verify`, in the middle of a table: the next one
    does not read again what was the same and was not touched since. It finds a byte that was flipped
    in a part that was not looked at yet, and a change that was applied wrongly to a table that had
    been. Under limits.verify_rows_per_second every range is a part, and tables without ranges by an
    index are read through a cursor."""
    source.execute(HALTING)
    file = plan(verify=[{"id": "all", "where": "public.pass(id)"}], cutover={"approval": {"required": True}},
                replication={"heartbeat": "1s"}, limits={"verify_rows_per_second": 1000000000})
    spoil = "SET session_replication_role = replica; UPDATE big SET v = 0 WHERE id = 100000"
    mend = ("SET session_replication_role = replica; UPDATE big SET v = id WHERE id = 100000;"
            "UPDATE a SET v = %s WHERE id = 500")
    with target.connect() as lock:
        lock.execute("SELECT pg_advisory_lock(4711)")
        engine = godwit.start("apply", file)
        before = halt(source, target, engine, "all", DONE | {"c0", "d0"})
        target.execute(spoil)
    found = godwit("apply", file, code=9)
    assert "not the same: (id)=(500)" in found.err and "not the same: (id)=(100000)" in found.err
    assert found.err.count("not the same") == 2 and "verify public.d: 1 of 1 parts" in found.err
    assert "verify public.big: 2 of 7 parts were the same before and were not touched since" in found.err
    after = dict(target.query(PARTS, ["all"]))
    assert {name for name, at in before.items() if after.get(name) == at} == {"big0", "big2", "c0", "d0"}
    assert set(after) == {"big0", "big1", "big2", "big3", "big4", "big6", "c0", "d0"}

    target.execute(mend % source.value("SELECT v FROM a WHERE id = 500"))
    engine = godwit.start("apply", file)
    engine.wait_for("waiting for an approval", timeout=120)
    with target.connect() as lock:
        lock.execute("SELECT pg_advisory_lock(4711)")
        halt(source, target, godwit.start("verify", file), "command:all", DONE)
        target.execute(spoil + ";UPDATE big SET v = 0 WHERE id = 5; UPDATE d SET id = 0 WHERE k = 'k7'")
    found = godwit("verify", file, code=9)
    for name, rows, differences in (("a", 1000, 1), ("big", 120000, 1), ("c", 1000, 0), ("d", 45000, 1)):
        assert f"public.{name}: {rows} rows on the source, {rows} on the target, {differences} diff" in found.out
    assert "not the same: (k)=(k7)" in found.out and "verify public.big: 2 of 7 parts" in found.err
    assert target.value("SELECT count(*) FROM godwit.looked WHERE id LIKE 'command:%'") == 0
    found = godwit("verify", file, code=9)
    assert "not the same: (id)=(5)" in found.out, "what is over begins from nothing, and reads everything"
    assert "not touched since" not in found.err
    engine.end()


def test_difference_stops_the_run(source, target, plan, godwit, writer):
    """A difference that arose before the step verify: apply looks at every relation, ends with exit
    status 9, writes down what it found, and does not cut over; mended, apply goes on to the end."""
    write = writer(source)
    source.execute("CREATE TABLE a (id int PRIMARY KEY, v int); CREATE TABLE b (id int PRIMARY KEY, v int);"
                   "INSERT INTO a SELECT i, i FROM generate_series(1, 5000) AS i;"
                   "INSERT INTO b SELECT i, i FROM generate_series(1, 5000) AS i")
    file = plan()
    godwit("apply", file, "--until", "catchup", code=0)
    target.execute("SET session_replication_role = replica;"
                   "UPDATE a SET v = -1 WHERE id = 77; DELETE FROM b WHERE id = 78")
    stopped = godwit("apply", file, code=9)
    assert "not the same: (id)=(77)" in stopped.err and "missing on the target: (id)=(78)" in stopped.err
    findings = target.query("SELECT object, message FROM godwit.finding WHERE code = 'E090' ORDER BY 1")
    assert findings == [("public.a", "not the same: (id)=(77)"),
                        ("public.b", "missing on the target: (id)=(78)")]
    assert source.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND application_name LIKE 'godwit %'") == 0
    target.execute("SET session_replication_role = replica;"
                   "UPDATE a SET v = 77 WHERE id = 77; INSERT INTO b VALUES (78, 78)")
    write.stop()
    godwit("apply", file, code=0)
