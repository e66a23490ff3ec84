"""Tables of rare kinds, under changes: families by plain inheritance, unlogged tables, tables without columns; and
what stands around rows, compared."""
import harness

SCHEMA = """
CREATE TABLE city (id int PRIMARY KEY, name text, at timestamptz DEFAULT now());
CREATE TABLE capital (id int PRIMARY KEY, state text) INHERITS (city);
CREATE TABLE old_capital (PRIMARY KEY (id), until int) INHERITS (capital);
CREATE TABLE tagged (tag text);
CREATE TABLE tagged_city (PRIMARY KEY (id)) INHERITS (city, tagged);
ALTER TABLE tagged REPLICA IDENTITY FULL;
CREATE TABLE alone_parent (id int PRIMARY KEY, v int);
CREATE TABLE nothing (); ALTER TABLE nothing REPLICA IDENTITY FULL;
CREATE UNLOGGED TABLE cache (k int PRIMARY KEY, v text, n int GENERATED ALWAYS AS (k * 2) STORED);
CREATE UNLOGGED TABLE cache_use (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, k int REFERENCES cache);
CREATE UNLOGGED TABLE bare_cache (v text);
CREATE TABLE half (id int, v int, PRIMARY KEY (id, v)) PARTITION BY LIST (v);
CREATE TABLE half_0 PARTITION OF half FOR VALUES IN (0);
CREATE UNLOGGED TABLE half_1 PARTITION OF half FOR VALUES IN (1);
CREATE SEQUENCE steps INCREMENT 5 MAXVALUE 100000;
CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name := upper(NEW.name); RETURN NEW; END';
CREATE TABLE person (id serial PRIMARY KEY, name text DEFAULT 'x' || nextval('steps'), m mood DEFAULT 'ok', p positive,
    twice int GENERATED ALWAYS AS (p * 2) STORED, CONSTRAINT named CHECK (length(name) < 50), UNIQUE (name, m));
CREATE TABLE friend (a int REFERENCES person, b int REFERENCES person ON DELETE CASCADE, PRIMARY KEY (a, b));
CREATE INDEX person_lower ON person (lower(name)) WHERE p > 3;
CREATE TRIGGER shout BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION shout();
CREATE TRIGGER always BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION shout();
ALTER TABLE person ENABLE ALWAYS TRIGGER always; ALTER TABLE person ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON person USING (p > 1); CREATE RULE quiet AS ON DELETE TO friend DO INSTEAD NOTHING;
CREATE VIEW people AS SELECT person.id, person.name FROM person JOIN friend ON friend.a = person.id;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM person;
INSERT INTO person (p) SELECT i FROM generate_series(1, 20) AS i; INSERT INTO friend VALUES (1, 2), (2, 3);
INSERT INTO city SELECT i, 'city ' || i FROM generate_series(1, 100) AS i;
INSERT INTO capital SELECT i, 'capital ' || i, now(), 's' || i FROM generate_series(1, 100) AS i;
INSERT INTO old_capital SELECT i, 'old ' || i, now(), 's' || i, i FROM generate_series(1, 100) AS i;
INSERT INTO tagged_city SELECT i, 'tagged ' || i, now(), 't' || i FROM generate_series(1, 100) AS i;
INSERT INTO tagged VALUES ('t1'), ('t1'), (NULL);
INSERT INTO nothing DEFAULT VALUES;
INSERT INTO nothing DEFAULT VALUES;
INSERT INTO cache SELECT i, 'v' || i FROM generate_series(1, 1000) AS i;
INSERT INTO cache_use (k) SELECT i FROM generate_series(1, 1000) AS i;
INSERT INTO bare_cache VALUES ('a'), ('a'), (NULL);
INSERT INTO half SELECT i, i % 2 FROM generate_series(1, 100) AS i;
"""

SPOILED = """
SET default_transaction_read_only = off; DROP INDEX person_lower; ALTER TABLE person DROP CONSTRAINT named;
ALTER TABLE person ALTER m SET DEFAULT 'sad'; DROP TRIGGER shout ON person; DROP VIEW people;
DROP POLICY few ON person;
ALTER SEQUENCE steps INCREMENT 1; ALTER TYPE mood ADD VALUE 'good'; DROP RULE quiet ON friend;
ALTER TABLE friend DROP CONSTRAINT friend_b_fkey; ALTER TABLE person ALTER name TYPE varchar(60);
CREATE INDEX more ON person (p)
"""

CHANGES = """
UPDATE ONLY city SET name = 'own' WHERE id = 1;
UPDATE city SET name = name || ' all' WHERE id = 2;
UPDATE ONLY capital SET id = 1001 WHERE id = 3;
DELETE FROM ONLY city WHERE id = 4;
DELETE FROM city WHERE id = 5;
UPDATE old_capital SET until = -1 WHERE id BETWEEN 10 AND 60;
DELETE FROM ONLY city WHERE id BETWEEN 61 AND 90;
UPDATE ONLY tagged SET tag = 'changed' WHERE ctid = (SELECT min(ctid) FROM ONLY tagged WHERE tag = 't1');
DELETE FROM ONLY tagged WHERE tag IS NULL;
UPDATE tagged SET tag = 't9' WHERE tag = 't50';
INSERT INTO city VALUES (2000, 'new'); INSERT INTO capital VALUES (2000, 'new', now(), 's');
INSERT INTO nothing DEFAULT VALUES; DELETE FROM nothing WHERE ctid = (SELECT min(ctid) FROM nothing);
INSERT INTO nothing DEFAULT VALUES;
DELETE FROM cache_use WHERE k <= 500; DELETE FROM cache WHERE k <= 500;
UPDATE cache SET v = 'late' WHERE k = 700; INSERT INTO cache VALUES (5000, 'late');
INSERT INTO cache_use (k) VALUES (5000);
INSERT INTO bare_cache VALUES ('b'); INSERT INTO half VALUES (1000, 0), (1001, 1); DELETE FROM half WHERE id = 1;
"""


def own_rows(database):
    """Each table's own rows: the harness's comparison reads a parent with its children."""
    names = [row[0] for row in database.query("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' "
                                              "AND relnamespace = 'public'::regnamespace ORDER BY 1")]
    return {name: sorted(map(str, database.query(f"SELECT * FROM ONLY {name}"))) for name in names}


def test_families_unlogged_and_empty_rows(source, target, plan, godwit):
    """A parent's own rows and its children's, with the same keys, change apart; TRUNCATE of one of them takes its own
    rows only; unlogged tables come as they are at the cutover; rows without columns are counted. Verified live."""
    source.execute(SCHEMA)
    mine = plan(cutover={"approval": {"required": True}},
                waive=[{"code": "G205", "object": "public.nothing", "reason": "it has no columns",
                        "until": "2099-12-31"}])
    running = godwit.start("apply", mine)
    running.wait_for(r"\[gates\] done", timeout=60)
    assert "copied again behind the fence" in running.err
    for statement in CHANGES.strip().split(";\n"):
        source.execute(statement)
    godwit("verify", mine, code=0)
    source.execute("TRUNCATE ONLY capital; INSERT INTO capital VALUES (1, 'again', now(), 's')")
    target.wait_until("SELECT count(*) = 1 FROM ONLY capital")
    assert target.value("SELECT count(*) FROM ONLY old_capital") == 99
    target.execute("SET session_replication_role = replica; UPDATE ONLY city SET name = 'wrong' WHERE id = 7")
    assert "public.city" in godwit("verify", mine, code=9).out
    target.execute("SET session_replication_role = replica; UPDATE ONLY city SET name = 'city 7' WHERE id = 7")
    godwit("approve", mine, code=0)
    assert "copied again: 4 unlogged tables" in running.wait(code=0).err
    harness.assert_same(source, target)
    assert own_rows(source) == own_rows(target)
    assert [row[0] for row in target.query("SELECT relname FROM pg_class WHERE relpersistence = 'u' "
                                           "AND relkind = 'r' ORDER BY 1")] == [
        "bare_cache", "cache", "cache_use", "half_1"]
    same = godwit("verify", mine, "--format", "json", code=0).json()
    assert same["schema_objects"]["compared"] > 60 and same["sequences"]["compared"] == 3
    target.execute(SPOILED)
    target.execute("SELECT setval('person_id_seq', 1)")
    found = godwit("verify", mine, "--format", "json", code=9).json()
    assert found["sequences"]["objects"] == [
        "sequence public.person_id_seq is behind: 20 on the source, 1 on the target"]
    assert found["differences"] == 1 + len(found["schema_objects"]["objects"])
    named = [one.split(": ")[:2] for one in found["schema_objects"]["objects"]]
    assert sorted(map(tuple, named)) == sorted([
        ("missing on the target", "index person_lower of public.person"),
        ("missing on the target", "constraint named of public.person"),
        ("missing on the target", "constraint friend_b_fkey of public.friend"),
        ("missing on the target", "trigger shout of public.person"),
        ("missing on the target", "policy few of public.person"),
        ("missing on the target", "rule quiet of public.friend"),
        ("missing on the target", "view public.people"),
        ("not the same", "column m of public.person"), ("not the same", "column name of public.person"),
        ("not the same", "sequence public.steps")]
        + ([("not the same", "type public.mood")] if source.cluster.flavor == target.cluster.flavor else []))
    target.execute("SELECT setval('person_id_seq', 20, false); ALTER TABLE friend ALTER a TYPE bigint;"
                   "ALTER TABLE bare_cache DROP v; DELETE FROM half WHERE id = 9")
    found = godwit("verify", mine, code=9).out
    assert "public.friend: its rows cannot be compared: column a is integer on the source, bigint on" in found
    assert "public.bare_cache: its rows cannot be compared: column v is missing on the target" in found
    assert "missing on the target: (id, v)=(9, 1)" in found
    assert "sequence public.person_id_seq is behind: 20 on the source, 20 (not given yet) on the target" in found


def test_a_family_is_not_cut(source, target, plan, godwit):
    """A member of a family cannot lose columns, and a child needs its parent."""
    source.execute(SCHEMA)
    refused = godwit("check", plan(select={"columns": [{"table": "public.capital", "include": ["id", "state"]}]}),
                     code=3)
    assert "P307" in refused.err + refused.out
    alone = godwit("check", plan(select={"schemas": None, "tables": ["public.capital"]}), code=3)
    assert "P306: public.capital needs table public.city" in alone.err


PARTITIONS_OWN = """
CREATE TABLE half (id int, v int, PRIMARY KEY (id, v)) PARTITION BY LIST (v); CREATE INDEX by_v ON half (v);
CREATE TABLE half_0 PARTITION OF half FOR VALUES IN (0); CREATE TABLE half_1 PARTITION OF half FOR VALUES IN (1);
CREATE TABLE uses (id int PRIMARY KEY, half int, v int, FOREIGN KEY (half, v) REFERENCES half);
CREATE INDEX own ON half_0 (id) WHERE id > 5; ALTER TABLE half_1 ADD CONSTRAINT low CHECK (id < 100);
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER all_halves BEFORE INSERT ON half FOR EACH ROW EXECUTE FUNCTION pass();
CREATE TRIGGER this_half BEFORE INSERT ON half_1 FOR EACH ROW EXECUTE FUNCTION pass();
"""


def test_what_partitions_have_of_their_own_is_compared(database, plan, godwit):
    """What a partition has from its root, and the keys that follow from one to a partitioned table, have names of the
    server's choice, which 18 chooses otherwise: no difference. What it has alone is missed as a table's is."""
    source, target = database("pg15", prefix="src"), database("pg18", prefix="dst")
    source.execute(PARTITIONS_OWN)
    mine = plan(source, target, cutover={"approval": {"required": True}})
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("verify", mine, code=0)
    target.execute("DROP INDEX own; ALTER TABLE half_1 DROP CONSTRAINT low; DROP TRIGGER this_half ON half_1")
    found = godwit("verify", mine, "--format", "json", code=9).json()
    assert sorted(found["schema_objects"]["objects"]) == [
        "missing on the target: constraint low of public.half_1", "missing on the target: index own of public.half_0",
        "missing on the target: trigger this_half of public.half_1"]
