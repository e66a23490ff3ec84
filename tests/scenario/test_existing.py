"""schema.existing: what is on the target already is refused, adopted, or replaced; nothing else is touched."""
import harness

SHOP = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE customer (id int PRIMARY KEY, name varchar(20) NOT NULL, m mood);
CREATE TABLE orders (id serial PRIMARY KEY, customer int REFERENCES customer, at timestamptz DEFAULT now());
CREATE TABLE line (orders int REFERENCES orders, pos int, PRIMARY KEY (orders, pos));
CREATE TABLE part (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW named AS SELECT name FROM customer;
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
INSERT INTO customer SELECT i, 'c' || i, 'good' FROM generate_series(1, 30) i;
INSERT INTO orders (customer) SELECT i FROM generate_series(1, 30) i;
INSERT INTO line SELECT i, 1 FROM generate_series(1, 30) i;
INSERT INTO part VALUES (1, '2026-02-03');
"""

# What a team made by hand: the same but for indexes, keys and what is missing.
BY_HAND = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE customer (id int NOT NULL, name varchar(20) NOT NULL, m mood) WITH (fillfactor = 70);
CREATE TABLE part (id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
CREATE TABLE somebodys (id int);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name := ''stamped''; RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION stamp();
"""


def found(godwit, mine, code):
    """The findings about what is there, by object."""
    report = godwit("check", mine, "--format", "json", code=code).json()
    return {f["object"]: f for f in report["findings"] if f["code"] == "G403"}


def test_what_is_alike_is_adopted(database, plan, godwit):
    """Differences and rows are told one by one; what is alike stays as it is, what is missing is made."""
    source, target = database("pg15", prefix="src"), database("pg17", prefix="dst")
    source.execute(SHOP)
    target.execute(BY_HAND)
    mine = plan(source, target)
    assert len(found(godwit, mine, 4)) == 5
    mine.change(schema={"existing": "adopt"})
    assert {f["severity"] for f in found(godwit, mine, 0).values()} == {"info"}
    target.execute("ALTER TABLE customer ALTER name TYPE text; INSERT INTO part VALUES (7, '2026-05-05');"
                   "CREATE TABLE line (orders int NOT NULL); CREATE OR REPLACE FUNCTION twice(int) RETURNS int"
                   " LANGUAGE sql AS 'SELECT 3 * $1'")
    messages = {name: f["message"] for name, f in found(godwit, mine, 4).items()}
    assert messages["public.customer"] == ("cannot be adopted: column name is text NOT NULL here,"
                                           " character varying(20) NOT NULL on the source")
    assert messages["public.line"].startswith("cannot be adopted: column pos is missing here")
    assert messages["public.part"] == "cannot be adopted: it has rows"
    assert messages["public.twice"].startswith("cannot be adopted: definition is")
    target.execute("ALTER TABLE customer ALTER name TYPE varchar(20); TRUNCATE part; DROP TABLE line;"
                   "DROP FUNCTION twice(int)")
    before = target.value("SELECT 'customer'::regclass::oid")
    godwit("apply", mine, "--until", "schema_post", code=0)
    godwit("reset", mine, "--yes", code=0)
    left = target.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                        " AND relkind IN ('r', 'p', 'v', 'S') ORDER BY 1")
    assert [name for (name,) in left] == ["customer", "part", "part_1", "somebodys"]
    target.execute("TRUNCATE customer, part")
    godwit("apply", mine, code=0)
    assert target.value("SELECT 'customer'::regclass::oid") == before
    assert target.value("SELECT reloptions::text FROM pg_class WHERE relname = 'customer'") == "{fillfactor=70}"
    assert target.value("SELECT twice(4)") == 8
    harness.assert_same(source, target, exclude=["public.somebodys"])


def test_only_what_bears_the_mark_is_replaced(database, plan, godwit):
    """An abandoned run's objects are dropped and made anew; what others made stops the run instead."""
    source, target = database("pg15", prefix="src"), database("pg17", prefix="dst")
    source.execute(SHOP)
    mine = plan(source, target, schema={"existing": "replace"})
    target.execute("CREATE TABLE customer (id int)")
    assert "no earlier run of this plan made it" in found(godwit, mine, 4)["public.customer"]["why"]
    target.execute("DROP TABLE customer")
    godwit("apply", mine, "--until", "schema_post", code=0)
    godwit("cleanup", mine, "--yes", code=0)
    made = target.value("SELECT 'customer'::regclass::oid")
    assert {f["severity"] for f in found(godwit, mine, 0).values()} == {"info"}
    asked = godwit.on_terminal("apply", mine, answer="no\n", code=64).err
    assert "is dropped, with its rows, and made anew. Go on? [yes/no]" in asked and "nothing changed" in asked
    target.execute("CREATE VIEW theirs AS SELECT * FROM orders")
    refused = godwit("apply", mine, code=1)
    assert "depends on what is to be dropped" in refused.err
    assert target.value("SELECT count(*) FROM theirs") == 30
    assert target.value("SELECT 'customer'::regclass::oid") == made
    target.execute("DROP VIEW theirs")
    godwit("apply", mine, code=0)
    assert target.value("SELECT 'customer'::regclass::oid") != made
    harness.assert_same(source, target)
    godwit("cleanup", mine, "--yes", code=0)
    assert target.value("SELECT to_regclass('godwit.made') IS NULL")
