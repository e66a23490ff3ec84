"""The way back: armed in the cutover, kept open behind it, gone by `failback`; and there again."""
import time

import harness
import pytest

SCHEMA = """
CREATE SCHEMA app;
CREATE TABLE app.account (id bigserial PRIMARY KEY, name text UNIQUE, note text, kind text DEFAULT 'a',
                          twice bigint GENERATED ALWAYS AS (length(name) * 2) STORED);
CREATE TABLE app.entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                        account bigint NOT NULL REFERENCES app.account, amount numeric, at timestamptz);
CREATE TABLE app.log (line text, at int);
CREATE TABLE app.part (day date, id int, body text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE app.part_2 PARTITION OF app.part FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE app.scrap (id int PRIMARY KEY);
CREATE TABLE app."Odd ""one" (id int PRIMARY KEY, v text);
CREATE SEQUENCE app.free INCREMENT 5;
CREATE TABLE app.audit (n serial PRIMARY KEY, account bigint);
CREATE FUNCTION app.noted() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO app.audit (account) VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER noted AFTER INSERT ON app.account FOR EACH ROW EXECUTE FUNCTION app.noted();
INSERT INTO app.account (name, note) SELECT 'n' || i, repeat(md5(i::text), 200) FROM generate_series(1, 500) AS i;
INSERT INTO app.entry (account, amount, at) SELECT 1 + i % 500, i, now() FROM generate_series(1, 2000) AS i;
INSERT INTO app.log SELECT 'same', 1 FROM generate_series(1, 3);
INSERT INTO app.part SELECT '2026-01-01'::date + i % 50, i, 'x' FROM generate_series(1, 300) AS i;
INSERT INTO app.scrap SELECT generate_series(1, 50);
INSERT INTO app."Odd ""one" VALUES (1, 'a');
SELECT nextval('app.free');
"""

# $1 tells rounds apart.
WRITES = """
INSERT INTO {a} (name, note) SELECT 'r{n}_' || i, 'new' FROM generate_series(1, 40) AS i;
UPDATE {a} SET kind = 'b{n}' WHERE id % 7 = {n};
UPDATE {a} SET name = name || '!' WHERE id % 11 = {n};
UPDATE app.entry SET amount = amount + 0.5 WHERE id % 5 = {n};
DELETE FROM app.entry WHERE id % 13 = {n};
INSERT INTO app.entry (account, amount) SELECT 1, i FROM generate_series(1, 20) AS i;
DELETE FROM app.log WHERE ctid = (SELECT ctid FROM app.log WHERE line = 'same' LIMIT 1);
INSERT INTO app.log VALUES ('round {n}', {n}), ('round {n}', {n});
UPDATE app.log SET at = at + 10 WHERE line = 'round {n}';
UPDATE app.part SET day = day + 31 WHERE day < '2026-01-05' AND id % 2 = 0;
UPDATE app.part SET id = id + 1000 * {n} WHERE id % 9 = {n};
INSERT INTO app.part SELECT '2026-02-03', 100000 * {n} + i, 'y' FROM generate_series(1, 10) AS i;
TRUNCATE app.scrap;
INSERT INTO app.scrap SELECT {n} * 100 + i FROM generate_series(1, 5) AS i;
UPDATE app."Odd ""one" SET id = id + {n}, v = 'round {n}';
SELECT nextval('app.free') FROM generate_series(1, {n} + 1);
"""
THERE, HERE = "app.customer", "app.account"
MAP = [{"source": HERE, "target": THERE}]
LEFT = """
SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())
     + (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_class WHERE relname LIKE 'godwit\\_%')
"""


def same(source, target):
    """Rows and sequences, by an independent checksum; the renamed table by its own."""
    for table in ("app.entry", "app.log", "app.part", "app.scrap", 'app."Odd ""one"', "app.audit"):
        assert digest(source, table) == digest(target, table), table
    assert digest(source, HERE) == digest(target, THERE)
    for name in ("app.account_id_seq", "app.entry_id_seq", "app.free", "app.audit_n_seq"):
        other = name.replace("account_id", "customer_id")
        there = other if target.value("SELECT to_regclass(%s) IS NOT NULL", (other,)) else name
        state = "SELECT last_value, is_called FROM "
        assert source.query(state + name) == target.query(state + there), name


def digest(database, table):
    """How many rows, and a sum over all of them."""
    return database.query(f"SELECT count(*), sum(hashtextextended(r::text, 7)::numeric) FROM {table} AS r")


def write(database, table, number):
    """One round of every kind of change, in one transaction and then some more."""
    database.execute(WRITES.format(a=table, n=number))


def refused(database, statement="INSERT INTO app.scrap VALUES (-1)"):
    """The database takes no writes of applications."""
    with pytest.raises(Exception, match="read-only"):
        database.execute(statement)


def test_anchor_40_round_trip_twice(source, target, plan, godwit):
    """There, back, there, back: after each both sides are the same, and the next way is open without a copy."""
    source.execute(SCHEMA)
    mine = plan(select={"schemas": ["app"], "map": MAP}, failback={"prepare": True},
                replication={"replica_identity": {"when_missing": "set"}, "heartbeat": "1s"})
    copied = None
    for number in (1, 3):
        write(source, HERE, number)
        godwit("cutover" if copied else "apply", mine, *([] if copied else ["--exit-at-gate"]), code=0)
        refused(source)
        same(source, target)
        rows = target.value("SELECT sum(rows) FROM godwit.relation")
        assert copied in (None, rows), "it was copied again"
        copied = rows
        write(target, THERE, number + 1)
        out = godwit("failback", mine, code=0).out
        assert "back on its source" in out
        same(source, target)
        refused(target)
        assert "nothing to do" in godwit("failback", mine, code=0).out
        assert source.value("SELECT to_regnamespace('godwit') IS NULL")
    godwit("cleanup", mine, "--yes", code=0)
    assert (source.value(LEFT), target.value(LEFT)) == (0, 0)


def keep(godwit, mine):
    """An engine that keeps the way back open."""
    running = godwit.start("apply", mine)
    running.wait_for("the way back is open")
    return running


def test_killed_on_the_way_back(source, target, plan, godwit):
    """SIGKILL of the engine in the reverse stream, in failback before its switch, and behind it."""
    source.execute(SCHEMA)
    mine = plan(select={"schemas": ["app"], "map": MAP}, failback={"prepare": True},
                replication={"replica_identity": {"when_missing": "set"}})
    running = keep(godwit, mine)
    write(target, THERE, 1)
    running.kill9()
    write(target, THERE, 2)
    running = keep(godwit, mine)
    asked = godwit.start("failback", mine)
    running.wait_for(r"\[cutover.drain\] done")
    running.kill9()
    assert asked.wait(60).code == 1
    running = keep(godwit, mine)
    target.execute("INSERT INTO app.scrap VALUES (-2)")
    refused(source)
    running.kill9()
    running = godwit.start("failback", mine)
    running.wait_for(r"\[cutover.switch\] done")
    running.kill9()
    refused(target)
    godwit("failback", mine, code=0)
    same(source, target)
    source.execute("INSERT INTO app.scrap VALUES (-3)")
    godwit("cleanup", mine, "--yes", code=0)
    assert (source.value(LEFT), target.value(LEFT)) == (0, 0)
    assert source.value("SELECT to_regnamespace('godwit') IS NULL")
