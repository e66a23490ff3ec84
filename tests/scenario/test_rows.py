"""What the rows are: duplicates, unchanged values, generated columns, keys that swap, TRUNCATE, identities.

Each test is a loss that was watched happening to tools of this kind, and would happen again here.
Most tests change the source while the engine replicates, at the point `replicating` yields; then the run is
approved, cuts over and both databases are compared by means that are not the engine's.
"""
import harness
import pytest
from road import APPROVAL, in_one_transaction, replicating


def test_always_and_replica_triggers_do_not_fire(source, target, plan, godwit):
    """Triggers ENABLE ALWAYS and REPLICA write nothing for replicated rows; they are there after the cutover."""
    source.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE log (id serial PRIMARY KEY, said text);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.log (said)"
        " VALUES (TG_NAME || ' ' || TG_OP); NEW.v = upper(NEW.v); RETURN NEW; END$$;"
        + "".join(f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note();"
                  for name in ("plain", "always", "replica", "off"))
        + "ALTER TABLE t ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER replica, DISABLE TRIGGER off;"
        "INSERT INTO t VALUES (1, 'copied')")
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        source.execute("INSERT INTO t VALUES (2, 'streamed'); UPDATE t SET v = 'changed' WHERE id = 1")
    triggers = "SELECT tgname::text, tgenabled::text FROM pg_trigger WHERE tgrelid = 't'::regclass ORDER BY 1"
    assert target.query(triggers) == source.query(triggers) == [
        ("always", "A"), ("off", "D"), ("plain", "O"), ("replica", "R")]
    assert target.value("SELECT count(*) FROM log") == 6
    target.execute("INSERT INTO t VALUES (3, 'after')")
    assert target.value("SELECT count(*) FROM log") == 8


DUPLICATES = """
CREATE TABLE dup (at timestamptz NOT NULL, n numeric, j json, f float8, v text);
ALTER TABLE dup REPLICA IDENTITY FULL;
INSERT INTO dup SELECT timestamptz '2026-01-01', n, j::json, 1.5, v
  FROM (VALUES (1.0, '{"a": 1}'), (1.00, '{"a": 1}'), (1.0, '{"a":1}'), (NULL, NULL)) AS x(n, j),
       (VALUES ('same'), (NULL)) AS y(v), generate_series(1, 3);
INSERT INTO dup SELECT timestamptz '2026-02-01', n, j, f, v FROM dup;
INSERT INTO dup VALUES ('2026-01-01', 7, NULL, '-0', 'zero'), ('2026-01-01', 7, NULL, '0', 'zero');
"""
ONE_ROW = "(SELECT ctid FROM dup WHERE at = '{}' AND n::text IS NOT DISTINCT FROM {} AND j::text IS NOT DISTINCT" \
          " FROM {} AND v IS NOT DISTINCT FROM {} LIMIT 1)"


@pytest.mark.parametrize("hypertable", [False, True], ids=["table", "hypertable"])
def test_keyless_duplicates(hypertable, source, target, plan, godwit):
    """Without a key one delete or update meets exactly one row: 1.0 is not 1.00, NULL is NULL, json is its text."""
    source.execute(DUPLICATES)
    hypertables = [{"target_table": "public.dup", "by_range": {"column_name": "at", "partition_interval": "7 days"}}]
    with replicating(godwit, plan(cutover=APPROVAL, hypertables=hypertables if hypertable else None), source, target):
        for at in ("2026-01-01", "2026-02-01"):
            for row in (("'1.00'", "'{\"a\": 1}'", "'same'"), ("'1.0'", "'{\"a\": 1}'", "'same'"),
                        ("'1.0'", "'{\"a\":1}'", "NULL"), ("NULL", "NULL", "NULL")):
                source.execute(f"DELETE FROM dup WHERE ctid = {ONE_ROW.format(at, *row)}")
                source.execute(f"UPDATE dup SET v = 'changed', n = n + 1.50 WHERE ctid = {ONE_ROW.format(at, *row)}")
        in_one_transaction(source, *["INSERT INTO dup VALUES ('2026-01-01', 5, '[1]', 1, 'x')"] * 3,
                           "DELETE FROM dup WHERE ctid IN (SELECT ctid FROM dup WHERE v = 'x' LIMIT 2)")
        source.execute("DELETE FROM dup WHERE v = 'zero' AND f::text = '0'")
    assert target.value("SELECT count(*) FROM dup WHERE f::text = '-0'") == 1
    assert target.value("SELECT count(*) FROM dup") == 48 - 8 + 1 + 1


def test_truncate_of_a_leaf_takes_its_share(source, target, plan, godwit):
    """TRUNCATE of one partition, of a whole tree, ONLY, of several tables with their dependants, and where one of
    these is on the target without its rows, so that no stream brings its TRUNCATE."""
    source.execute(
        "CREATE TABLE p (k int, v text, PRIMARY KEY (k)) PARTITION BY RANGE (k);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (k);"
        "CREATE TABLE p2a PARTITION OF p2 FOR VALUES FROM (100) TO (150);"
        "CREATE TABLE p2b PARTITION OF p2 FOR VALUES FROM (150) TO (200);"
        "CREATE TABLE q (id serial PRIMARY KEY, v text); CREATE TABLE r (id int PRIMARY KEY, q int REFERENCES q);"
        "CREATE TABLE bare (id int PRIMARY KEY, q int REFERENCES q); INSERT INTO q (v) VALUES ('0');"
        "INSERT INTO bare VALUES (1, 1);"
        "INSERT INTO p SELECT i, 'copied' FROM generate_series(0, 199) AS i;"
        "INSERT INTO q (v) SELECT 'copied' FROM generate_series(1, 20);"
        "INSERT INTO r SELECT i, i FROM generate_series(1, 20) AS i")
    mine = plan(cutover=APPROVAL, select={"schema_only": ["public.bare"]})
    with replicating(godwit, mine, source, target) as running:
        source.execute("TRUNCATE p2a")
        target.wait_until("SELECT count(*) = 150 FROM p")
        in_one_transaction(source, "INSERT INTO p VALUES (120, 'again')", "TRUNCATE p1",
                           "INSERT INTO p VALUES (3, 'new')")
        target.wait_until("SELECT count(*) = 52 FROM p")
        in_one_transaction(source, "INSERT INTO q (v) VALUES ('gone')", "TRUNCATE q RESTART IDENTITY CASCADE",
                           "INSERT INTO q (v) VALUES ('first')", "INSERT INTO r VALUES (1, 1)")
        target.wait_until("SELECT count(*) = 1 FROM q")
        in_one_transaction(source, "TRUNCATE p2", "INSERT INTO p VALUES (199, 'last')")
        assert "a TRUNCATE deletes row by row: target: cannot truncate a table referenced" in running.err
    assert target.query("SELECT k, v FROM p ORDER BY k") == [(3, "new"), (199, "last")]
    assert target.query("SELECT id, v FROM q") == [(1, "first")]


def test_truncate_of_a_leaf_beside_a_hypertable(source, target, plan, godwit):
    """A partitioned table and a hypertable: the leaf's TRUNCATE does not reach the hypertable."""
    source.execute(
        "CREATE TABLE h (at timestamptz NOT NULL, id int, PRIMARY KEY (id, at));"
        "INSERT INTO h SELECT '2026-01-01'::timestamptz + i * interval '1 day', i FROM generate_series(1, 30) AS i;"
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    hypertables = [{"target_table": "public.h", "by_range": {"column_name": "at", "partition_interval": "7 days"}}]
    with replicating(godwit, plan(cutover=APPROVAL, hypertables=hypertables), source, target):
        source.execute("TRUNCATE t")
        target.wait_until("SELECT count(*) = 0 FROM t")
        assert target.value("SELECT count(*) FROM h") == 30
        in_one_transaction(source, "TRUNCATE h, t", "INSERT INTO h VALUES ('2026-05-01', 1)")
    assert target.value("SELECT count(*) FROM h") == 1


TOAST = """
CREATE TABLE {0} (id int PRIMARY KEY, n int, big text, jb jsonb);
ALTER TABLE {0} ALTER COLUMN big SET STORAGE EXTERNAL, REPLICA IDENTITY {1};
INSERT INTO {0} SELECT i, i, repeat(md5(i::text), 65536), jsonb_build_object('k', repeat(md5(i::text), 200))
  FROM generate_series(1, 4) AS i;
"""


def test_anchor_07_unchanged_toast(source, target, plan, godwit):
    """2 MB values that an UPDATE leaves alone stay, also when the key changes; DEFAULT and FULL identity."""
    for name, identity in (("d", "DEFAULT"), ("f", "FULL")):
        source.execute(TOAST.format(name, identity))
    source.execute("CREATE TABLE k (n int, big text); ALTER TABLE k ALTER COLUMN big SET STORAGE EXTERNAL,"
                   " REPLICA IDENTITY FULL; INSERT INTO k SELECT n, big FROM d")
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        for name in ("d", "f"):
            source.execute(f"UPDATE {name} SET n = n + 100 WHERE id = 1")
            source.execute(f"UPDATE {name} SET id = 20 WHERE id = 2")
            in_one_transaction(source, f"UPDATE {name} SET n = 7 WHERE id = 3",
                               f"UPDATE {name} SET id = 30 WHERE id = 3",
                               f"UPDATE {name} SET n = 8 WHERE id = 30", f"UPDATE {name} SET id = id WHERE id = 30")
            in_one_transaction(source, f"UPDATE {name} SET big = repeat('new!', 500000) WHERE id = 4",
                               f"UPDATE {name} SET id = 40 WHERE id = 4", f"UPDATE {name} SET n = 9 WHERE id = 40")
            in_one_transaction(source, f"INSERT INTO {name} SELECT 5, 5, big, jb FROM {name} WHERE id = 1",
                               f"UPDATE {name} SET n = 55 WHERE id = 5", f"UPDATE {name} SET id = 50 WHERE id = 5")
        source.execute("UPDATE k SET n = 100 WHERE n = 1")
        source.execute("DELETE FROM k WHERE n = 2")
    for name in ("d", "f"):
        assert target.query(f"SELECT id, length(big) FROM {name} ORDER BY id") == [
            (1, 2097152), (20, 2097152), (30, 2097152), (40, 2000000), (50, 2097152)]


GENERATED = """
CREATE TABLE g (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED,
                word text GENERATED ALWAYS AS ('n' || n) STORED);
CREATE TABLE only_generated (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE by_default (id bigint GENERATED BY DEFAULT AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY, n int);
CREATE TABLE with_serial (id bigserial PRIMARY KEY, n int);
CREATE TABLE moved (id int GENERATED ALWAYS AS IDENTITY, code text PRIMARY KEY);
CREATE TABLE emptied (id bigserial PRIMARY KEY, at int GENERATED ALWAYS AS IDENTITY);
CREATE SEQUENCE free; CREATE SEQUENCE down INCREMENT -3 START 1000 MINVALUE -5000 MAXVALUE 1000;
CREATE SEQUENCE cached CACHE 50; CREATE SEQUENCE never START 77; CREATE SEQUENCE "Odd ""name" AS smallint CYCLE;
INSERT INTO g (n) SELECT generate_series(1, 5); INSERT INTO only_generated DEFAULT VALUES;
INSERT INTO by_default (n) SELECT generate_series(1, 5); INSERT INTO with_serial (n) SELECT generate_series(1, 5);
INSERT INTO moved (code) VALUES ('a'), ('b');
SELECT nextval('free'), nextval('down'), nextval('cached'), nextval('"Odd ""name"');
"""


def test_anchor_47_generated_identity_sequences(source, target, plan, godwit):
    """Generated columns, both identities, every kind of sequence: exactly equal, and the next insert works."""
    source.execute(GENERATED)
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        source.execute("INSERT INTO g (n) VALUES (6); UPDATE g SET n = 60 WHERE n = 1; DELETE FROM g WHERE n = 2;"
                       "UPDATE g SET id = DEFAULT WHERE n = 3; INSERT INTO only_generated DEFAULT VALUES;"
                       "INSERT INTO by_default (n) VALUES (6); UPDATE by_default SET id = 5 WHERE n = 1;"
                       "INSERT INTO with_serial (n) VALUES (6); UPDATE moved SET code = 'c' WHERE code = 'a';"
                       "UPDATE moved SET id = DEFAULT WHERE code = 'b';"
                       "INSERT INTO emptied DEFAULT VALUES; TRUNCATE emptied RESTART IDENTITY;"
                       "INSERT INTO emptied DEFAULT VALUES; INSERT INTO emptied DEFAULT VALUES;"
                       "SELECT nextval('free'), nextval('down'), nextval('down'), nextval('cached')")
    assert target.value("SELECT is_called FROM never") is False
    for statement in ("INSERT INTO g (n) VALUES (70) RETURNING id, twice, word", "SELECT nextval('never')",
                      "INSERT INTO only_generated DEFAULT VALUES RETURNING id", "SELECT nextval('down')",
                      "INSERT INTO emptied DEFAULT VALUES RETURNING id, at",
                      "INSERT INTO by_default (n) VALUES (7) RETURNING id", "SELECT nextval('cached')",
                      "INSERT INTO with_serial (n) VALUES (7) RETURNING id", "SELECT nextval('\"Odd \"\"name\"')",
                      "INSERT INTO moved (code) VALUES ('z') RETURNING id", "SELECT nextval('free')"):
        with source.connect() as unfenced:
            unfenced.execute("SET default_transaction_read_only = off")
            assert target.query(statement) == unfenced.execute(statement).fetchall(), statement


def test_swapped_unique_values(source, target, plan, godwit):
    """Values of a second unique key change places within one transaction; constraints that are deferred."""
    source.execute(
        "CREATE TABLE s (id int PRIMARY KEY, u int UNIQUE, v text);"
        "CREATE TABLE d (id int PRIMARY KEY, u int UNIQUE DEFERRABLE INITIALLY DEFERRED, v text);"
        "CREATE TABLE pk (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text);"
        "ALTER TABLE pk REPLICA IDENTITY FULL;"
        "CREATE TABLE x (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&));"
        "INSERT INTO s SELECT i, i, i::text FROM generate_series(1, 20) AS i; INSERT INTO d SELECT * FROM s;"
        "INSERT INTO pk SELECT id, v FROM s;"
        "INSERT INTO x SELECT i, int4range(i * 10, i * 10 + 5) FROM generate_series(1, 9) AS i")
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        in_one_transaction(source, "UPDATE s SET u = -1 WHERE id = 1", "UPDATE s SET u = 1 WHERE id = 2",
                           "UPDATE s SET u = 2 WHERE id = 1", "DELETE FROM s WHERE id = 3",
                           "INSERT INTO s VALUES (33, 3, 'new')", "UPDATE s SET u = 3000 WHERE id = 33",
                           "UPDATE s SET u = 3 WHERE id = 4", "INSERT INTO s VALUES (3, 4, 'back')")
        in_one_transaction(source, "UPDATE d SET u = 2 WHERE id = 1", "UPDATE d SET u = 1 WHERE id = 2",
                           "UPDATE d SET u = 23 - u WHERE id > 2")
        in_one_transaction(source, "UPDATE pk SET id = 2 WHERE v = '1'", "UPDATE pk SET id = 1 WHERE v = '2'",
                           "UPDATE pk SET id = id + 1 WHERE v::int > 2")
        in_one_transaction(source, "UPDATE x SET r = '[500,600)' WHERE id = 1",
                           "UPDATE x SET r = '[10,15)' WHERE id = 2",
                           "DELETE FROM x WHERE id = 3", "INSERT INTO x VALUES (30, '[28,33)')")


def test_anchor_46_orphans_are_reported(source, target, plan, godwit):
    """Rows without their parent do not end the run: the key is there, not valid, and the report names it."""
    source.execute(
        "CREATE TABLE parent (id int PRIMARY KEY);"
        "CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);"
        "INSERT INTO parent VALUES (1); SET session_replication_role = replica;"
        "INSERT INTO child VALUES (1, 1), (2, 99)")
    result = godwit("apply", plan(), code=0)
    assert "child_parent_fkey" in result.out + result.err
    harness.assert_same(source, target)
    assert target.query("SELECT convalidated FROM pg_constraint WHERE conname = 'child_parent_fkey'") == [(False,)]


def test_anchor_06_identities_with_nulls_and_without_the_key(source, target, plan, godwit):
    """FULL with NULLs under a unique key, USING INDEX beside a primary key, FULL beside a primary key; a NaN that came
    as another of its forms, before the stream that has but one."""
    source.execute(
        "CREATE TABLE nullable (a int, b int, v text, UNIQUE (a, b)); ALTER TABLE nullable REPLICA IDENTITY FULL;"
        "CREATE TABLE by_index (id int PRIMARY KEY, code text NOT NULL, v text);"
        "CREATE UNIQUE INDEX by_code ON by_index (code);"
        "ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_code;"
        "CREATE TABLE whole (id int PRIMARY KEY, v text); ALTER TABLE whole REPLICA IDENTITY FULL;"
        "CREATE TABLE no_key (code text NOT NULL, v text); CREATE UNIQUE INDEX no_key_code ON no_key (code);"
        "ALTER TABLE no_key REPLICA IDENTITY USING INDEX no_key_code;"
        "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE as_text (m mood PRIMARY KEY);"
        "CREATE TABLE nan (f float8, r real[], p point, n int); ALTER TABLE nan REPLICA IDENTITY FULL;"
        "INSERT INTO nan SELECT f, ARRAY[f], point(f, 1), i FROM generate_series(1, 4) AS i,"
        " (SELECT float8 'Infinity' - 'Infinity') AS x(f);"
        "INSERT INTO nullable SELECT NULLIF(i % 3, 0), NULLIF(i % 4, 0), 'v' || i FROM generate_series(1, 12) AS i;"
        "INSERT INTO by_index SELECT i, 'c' || i, 'v' FROM generate_series(1, 10) AS i;"
        "INSERT INTO whole SELECT i, NULL FROM generate_series(1, 10) AS i;"
        "INSERT INTO no_key SELECT code, v FROM by_index")
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        source.execute("DELETE FROM nullable WHERE a IS NULL AND b = 1")
        source.execute("UPDATE nullable SET a = 77 WHERE a IS NULL AND b = 2")
        source.execute("UPDATE nullable SET v = NULL WHERE b IS NULL")
        source.execute("UPDATE nan SET n = 5 WHERE n = 2; DELETE FROM nan WHERE n = 3; UPDATE nan SET n = 6 WHERE n=5")
        source.execute("DELETE FROM nullable WHERE a IS NULL AND b IS NULL")
        in_one_transaction(source, "UPDATE by_index SET id = 100 WHERE id = 1",
                           "UPDATE by_index SET code = 'x' WHERE id = 100",
                           "UPDATE by_index SET v = 'w' WHERE code = 'x'", "DELETE FROM by_index WHERE id = 2",
                           "INSERT INTO by_index VALUES (2, 'c1', 'again')",
                           "UPDATE by_index SET id = id + 1000 WHERE id > 5")
        source.execute("UPDATE whole SET v = 'set' WHERE id < 4; UPDATE whole SET id = id + 100 WHERE id > 7;"
                       "DELETE FROM whole WHERE id = 5; UPDATE no_key SET code = code || '+' WHERE code < 'c5';"
                       "DELETE FROM no_key WHERE code = 'c7'; UPDATE no_key SET v = NULL")
