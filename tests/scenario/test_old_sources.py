"""Sources before 14, by test_decoding: those of the lab, and each server that the environment names (lab/named.py)."""
import threading

import cluster as lab
import named
import psycopg
import pytest

SCHEMA = r"""
CREATE TYPE mood AS ENUM ('sad', 'o''k', 'null'); CREATE DOMAIN short AS varchar(20);
CREATE TABLE t (id serial PRIMARY KEY, a text, n numeric, f float8, m mood, ms mood[], ts timestamptz,
    j jsonb, b bit(3), yes bool, es int[], raw bytea, d short, r int4range, ip inet, x xml, iv interval,
    cash money);
INSERT INTO t (a, n, f, m, ms, ts, j, b, yes, es, raw, d, r, ip, x, iv, cash)
    SELECT E'it''s\n\\ ' || g, 'NaN', g / 7.0, 'o''k', ARRAY['null', NULL]::mood[], '0044-03-15 12:00+00 BC',
           '{"a": null}', B'101', g % 2 = 0, ARRAY[g, NULL], '\x00ff', 'd', '[1,5)', '10.0.0.0/8', '<a b="c"/>',
           '-1 mon 3 days', '1.50'
    FROM generate_series(1, 300) g;
CREATE TABLE "Odd ""N" ("K [1]:" text PRIMARY KEY, v int); INSERT INTO "Odd ""N" VALUES (E'new\nline', 1);
CREATE TABLE whole (a int, b text); ALTER TABLE whole REPLICA IDENTITY FULL;
INSERT INTO whole VALUES (1, 'a'), (1, 'a'), (2, NULL);
CREATE TABLE child (id int PRIMARY KEY, t int REFERENCES t);
INSERT INTO child SELECT g, g FROM generate_series(1, 100) g;
CREATE TABLE big (id int PRIMARY KEY, doc text, small int); ALTER TABLE big ALTER doc SET STORAGE EXTERNAL;
INSERT INTO big SELECT g, repeat(md5(g::text), 20000), g FROM generate_series(1, 5) g;
CREATE TABLE mother (id int PRIMARY KEY, v text); CREATE TABLE daughter (PRIMARY KEY (id)) INHERITS (mother);
INSERT INTO mother VALUES (1, 'm'); INSERT INTO daughter VALUES (2, 'd');
CREATE TABLE with_oids (id int PRIMARY KEY, v text) WITH OIDS; INSERT INTO with_oids VALUES (1, 'a');
CREATE VIEW v AS SELECT id, a FROM t; CREATE SEQUENCE s INCREMENT 5; SELECT nextval('s');
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE PROCEDURE f();
CREATE TABLE busy (id serial PRIMARY KEY, v int NOT NULL);
SELECT lo_create(700001), lo_from_bytea(700002, 'short'), lo_from_bytea(700003, ''),
       lo_put(700003, 600000, 'long'), lo_from_bytea(700004, 'it goes');
"""
CHANGES = r"""
INSERT INTO t (a, n, f, m) SELECT 'live' || g, -g, 'Infinity', 'null' FROM generate_series(1, 50) g
UPDATE t SET id = id + 10000 WHERE id % 7 = 3 AND id > 100; SELECT setval('t_id_seq', 20000)
DELETE FROM t WHERE id % 11 = 0 AND id > 100
UPDATE whole SET b = 'x' WHERE a = 2; DELETE FROM whole WHERE ctid = (SELECT min(ctid) FROM whole)
UPDATE "Odd ""N" SET "K [1]:" = E'other\nline'
UPDATE big SET small = -small; UPDATE big SET id = id + 50 WHERE id = 1; DELETE FROM big WHERE id = 2
UPDATE mother SET v = v || '!'; INSERT INTO daughter VALUES (3, 'late')
UPDATE with_oids SET v = 'b'; INSERT INTO with_oids VALUES (2, NULL)
INSERT INTO child VALUES (101, 1); SAVEPOINT a; INSERT INTO child VALUES (102, 1); ROLLBACK TO a
INSERT INTO child VALUES (103, 2); SAVEPOINT b; UPDATE child SET t = 3 WHERE id = 103; RELEASE b
SELECT lo_put(700003, 300000, 'changed'), lo_unlink(700004), lo_from_bytea(700005, 'new')
"""
OBJECTS = "SELECT oid::text, md5(lo_get(oid)), length(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY 1"
TABLES = ['t', '"Odd ""N"', "whole", "child", "big", "ONLY mother", "daughter", "with_oids", "busy"]
LABS = {flavor[2:]: flavor for flavor in lab.FLAVORS if int(flavor[2:]) < 14}
VERSIONS = pytest.mark.parametrize("version", [*LABS, *named.sources()])
TEST_DECODING = {"replication": {"plugin": "test_decoding", "heartbeat": "1s"}}


def rows(database, table):
    """All rows as text, floats by their bytes: before 12 they are printed with other digits."""
    columns = [name for name, in database.query(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "ORDER BY attnum",
        (table.removeprefix("ONLY "),))]
    shown = ", ".join("float8send(f)" if name == "f" else '"' + name.replace('"', '""') + '"' for name in columns)
    with database.connect(autocommit=False) as connection:
        connection.execute("SET TRANSACTION READ ONLY; SET LOCAL timezone = 'UTC'")
        return sorted(row for row, in connection.execute(f"SELECT ROW({shown})::text FROM {table}").fetchall())


class Busy:
    """Commits counted by the session that makes them, until the fence stops it."""

    def __init__(self, source):
        self.source, self.committed, self.over = source, 0, threading.Event()
        self.thread = threading.Thread(target=self._write)
        self.thread.start()

    def _write(self):
        try:
            with self.source.connect() as connection:
                while not self.over.is_set():
                    connection.execute("INSERT INTO busy (v) VALUES (0); "
                                       "UPDATE busy SET v = v + 1 WHERE id % 5 = 0 AND id < 100")
                    self.committed += 1
                    self.over.wait(0.02)
        except psycopg.Error:
            pass

    def stop(self):
        """No more; how many there were."""
        self.over.set()
        self.thread.join()
        return self.committed


def left_on(source):
    """What a run may leave on its source."""
    return source.query("SELECT slot_name::text FROM pg_replication_slots WHERE database = current_database() "
                        "UNION ALL SELECT nspname FROM pg_namespace WHERE nspname LIKE 'godwit%'")


def leave_slot(source, name):
    """What an engine that was killed in a wave leaves where no slot is temporary."""
    if source.value("SELECT current_setting('server_version_num')::int < 100000"):
        source.value(f"SELECT 1 FROM pg_create_logical_replication_slot('{name}', 'test_decoding')")


def old_source(database, version):
    """An empty database of that version."""
    return database(LABS.get(version) or named.NamedServer(named.SOURCES[version]), prefix="old")


@VERSIONS
def test_migration_from_an_old_source(version, database, target, plan, godwit):
    """Check, copy, stream, TRUNCATE, kill, verify, cutover, cleanup: rows and large objects equal, nothing left."""
    source = old_source(database, version)
    source.execute(SCHEMA if float(version) < 12 else SCHEMA.replace(" WITH OIDS", ""))
    found = godwit("check", plan(source_db=source, replication={"plugin": "pgoutput"}), code=4)
    assert "G106" in found.out + found.err and "replication.plugin: test_decoding" in found.out + found.err
    mine = plan(source_db=source, cutover={"approval": {"required": True}}, **TEST_DECODING)
    slot = None
    busy = Busy(source)
    try:
        engine = godwit.start("apply", mine)
        engine.wait_for(r"\[approval\]", timeout=90)
        slot, = (name for name, in left_on(source))
        for statements in CHANGES.strip().split("\n"):
            with source.connect(autocommit=False) as connection:
                connection.execute(statements)
        target.wait_until("SELECT count(*) = 2 FROM child WHERE id > 100")
        source.execute("TRUNCATE child; INSERT INTO child VALUES (700, 7), (500, 1)")
        target.wait_until("SELECT array_agg(id ORDER BY id) = '{500,700}' FROM child")
        engine.kill9()
        source.execute("TRUNCATE whole; INSERT INTO whole VALUES (9, 'nine')")
        leave_slot(source, f"{slot}_w0abc")
        engine = godwit.start("apply", mine)
        target.wait_until("SELECT array_agg(a) = '{9}' FROM whole")
        source.execute("UPDATE whole SET b = 'again'")
        engine.wait_for(r"\[approval\]", timeout=90)
        assert left_on(source) == [(slot,)], "a wave's slot stays"
        found = godwit("verify", mine, code=0)
        assert "0 differences" in found.out and "changed on the source since" in found.out
        target.execute("SELECT lo_put(700002, 1, 'x')")
        assert "large object 700002: not the same" in godwit("verify", mine, code=9).out
        target.execute("SELECT lo_put(700002, 1, 'h')")
        godwit("approve", mine, code=0)
        godwit("cutover", mine, code=0)
        engine.wait(60, code=0)
    finally:
        committed = busy.stop()
    assert committed > 20 and target.value("SELECT count(*) FROM busy") >= committed
    for table in TABLES:
        assert rows(source, table) == rows(target, table), table
    assert source.query(OBJECTS) == target.query(OBJECTS) != []
    for sequence in ("s", "t_id_seq", "busy_id_seq"):
        assert source.query(f"SELECT last_value, is_called FROM {sequence}") == target.query(
            f"SELECT last_value, is_called FROM {sequence}")
    assert left_on(source) == []
    godwit("cleanup", "--yes", mine, code=0)


@VERSIONS
def test_cleanup_of_an_old_source(version, database, target, plan, godwit):
    """A run that is given up leaves nothing, not even what a killed engine's wave had made; the source goes on."""
    source = old_source(database, version)
    source.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    mine = plan(source_db=source, cutover={"approval": {"required": True}}, **TEST_DECODING)
    engine = godwit.start("apply", mine)
    engine.wait_for(r"\[approval\]", timeout=90)
    engine.kill9()
    (slot,), = left_on(source)
    leave_slot(source, f"{slot}_wffff")
    godwit("cleanup", "--yes", mine, code=0)
    assert left_on(source) == []
    source.execute("INSERT INTO t VALUES (2)")
