"""select.map: tables arrive under other names and in other schemas, several become one.

One migration under load holds every case at once and is killed while it makes the schema and while
it copies; refusals are looked at by `check` and `plan` alone.
"""
import threading
import time

import harness
import psycopg
import pytest

SEED = r'''
CREATE SCHEMA app; CREATE SCHEMA billing; CREATE SCHEMA old; CREATE SCHEMA "Odd ""Schema""";
CREATE TABLE app.customer (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
    kind text NOT NULL DEFAULT 'plain' CHECK (kind <> ''));
CREATE UNIQUE INDEX customer_name ON app.customer (lower(name)) WHERE name LIKE 'unique%';
CREATE STATISTICS app.customer_stat ON name, kind FROM app.customer;
CREATE TABLE app.orders (id bigserial PRIMARY KEY, customer int NOT NULL REFERENCES app.customer ON DELETE CASCADE,
    amount numeric NOT NULL, note text);
CREATE INDEX orders_customer ON app.orders (customer);
CREATE TABLE app.a (id int PRIMARY KEY, v text);
CREATE TABLE app.b (id int PRIMARY KEY, a int REFERENCES app.a, w bigint);
CREATE INDEX a_v ON app.a (v);
CREATE INDEX b_w ON app.b (w DESC);
CREATE TABLE app.ring1 (id int PRIMARY KEY);
CREATE TABLE old.ring2 (id serial PRIMARY KEY, t text);
CREATE TABLE old.odd (id int PRIMARY KEY, "Spalte ""ü""" text);
CREATE TABLE "Odd ""Schema"""."Tbl ä.b" (id int PRIMARY KEY, "Spalte ""ü""" text,
    gen int GENERATED ALWAYS AS (id * 2) STORED);
CREATE INDEX "Idx ON x" ON "Odd ""Schema"""."Tbl ä.b" ("Spalte ""ü""");
CREATE TABLE app.event (id int, at timestamptz NOT NULL, body text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE app.event_1 PARTITION OF app.event FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE app.event_2 PARTITION OF app.event FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE old.event_far PARTITION OF app.event FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
CREATE INDEX event_body ON app.event (body);
CREATE TABLE app.metric (at timestamptz NOT NULL, device int NOT NULL, value float8, PRIMARY KEY (at, device));
CREATE TABLE billing.invoice_2023 (id int NOT NULL PRIMARY KEY, customer int REFERENCES app.customer ON DELETE CASCADE,
    total numeric, n bigserial);
CREATE TABLE billing.invoice_2024 (total numeric, n bigserial, customer int REFERENCES app.customer ON DELETE CASCADE,
    id int NOT NULL PRIMARY KEY);
CREATE TABLE billing.invoice_2025 (LIKE billing.invoice_2023 INCLUDING ALL);
CREATE SEQUENCE billing.n25 OWNED BY billing.invoice_2025.n;
ALTER TABLE billing.invoice_2025 ALTER n SET DEFAULT nextval('billing.n25'),
    ADD FOREIGN KEY (customer) REFERENCES app.customer ON DELETE CASCADE;
CREATE TABLE app.payment (id int PRIMARY KEY, invoice int REFERENCES billing.invoice_2023 ON DELETE CASCADE);
CREATE TABLE app.stays (id int PRIMARY KEY, customer int REFERENCES app.customer ON DELETE CASCADE);
CREATE VIEW app.rich AS SELECT c.id, c.name, sum(o.amount) AS amount FROM app.customer c
    JOIN app.orders o ON o.customer = c.id
    GROUP BY c.id;
CREATE VIEW app.plain AS SELECT id, name FROM app.customer;
CREATE MATERIALIZED VIEW app.counts AS SELECT count(*) AS n FROM app.b;
CREATE UNIQUE INDEX counts_n ON app.counts (n);
CREATE FUNCTION app.name_of(c app.customer) RETURNS text LANGUAGE sql AS 'SELECT c.name';
CREATE FUNCTION app.total() RETURNS bigint LANGUAGE plpgsql AS
    $$ BEGIN RETURN (SELECT count(*) FROM app.orders); END $$;
CREATE TABLE app.audit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO app.audit (what) VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.note();
CREATE TRIGGER always AFTER DELETE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.note();
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER always;
COMMENT ON TRIGGER always ON app.orders IS 'always there';
CREATE TRIGGER ev AFTER DELETE ON app.event FOR EACH ROW EXECUTE FUNCTION app.note();
COMMENT ON TABLE app.customer IS 'customers';
COMMENT ON INDEX app.customer_pkey IS 'their key';
COMMENT ON COLUMN app.orders.amount IS 'euro';
ALTER TABLE app.customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON app.customer USING (id > 0);
CREATE RULE kept AS ON DELETE TO app.ring1 WHERE OLD.id < 0 DO INSTEAD NOTHING;
INSERT INTO app.customer (name) SELECT 'c' || n FROM generate_series(1, 100) n;
INSERT INTO app.orders (customer, amount) SELECT n % 100 + 1, n FROM generate_series(1, 2000) n;
INSERT INTO app.a SELECT n, 'a' || n FROM generate_series(1, 50) n;
INSERT INTO app.b SELECT n, n % 50 + 1, n FROM generate_series(1, 300) n;
INSERT INTO app.ring1 SELECT generate_series(1, 20);
INSERT INTO old.ring2 (t) SELECT 'r' || n FROM generate_series(1, 30) n;
INSERT INTO old.odd SELECT n, 'o' FROM generate_series(1, 5) n;
INSERT INTO "Odd ""Schema"""."Tbl ä.b" SELECT n, 'x' || n FROM generate_series(1, 40) n;
INSERT INTO app.event SELECT n, timestamptz '2026-01-01' + n % 89 * interval '1 day', 'e' || n
    FROM generate_series(1, 500) n;
INSERT INTO app.metric SELECT timestamptz '2026-01-01' + n * interval '1 hour', n % 5, n FROM generate_series(1, 500) n;
INSERT INTO billing.invoice_2023 (id, customer, total) SELECT n, n % 100 + 1, n FROM generate_series(1, 300) n;
INSERT INTO billing.invoice_2024 (id, customer, total) SELECT n, n % 100 + 1, n FROM generate_series(1001, 1400) n;
INSERT INTO billing.invoice_2025 (id, customer, total) SELECT n, n % 100 + 1, n FROM generate_series(2001, 2700) n;
INSERT INTO app.payment SELECT n, n FROM generate_series(1, 100) n;
INSERT INTO app.stays SELECT n, n FROM generate_series(1, 100) n;
'''

# What stands on the target already, under names that tables have on the source.
IN_THE_WAY = """
CREATE SCHEMA app;
CREATE TABLE app.customer (theirs serial PRIMARY KEY);
INSERT INTO app.customer DEFAULT VALUES;
CREATE VIEW app.orders_pkey AS SELECT 1 AS theirs;
"""

MAP = [
    {"source": "app.customer", "target": "crm.client"},
    {"source": "app.orders", "target": "crm.orders"},
    {"source": "app.a", "target": "app.b"},
    {"source": "app.b", "target": "app.a"},
    {"source": "app.ring1", "target": "old.ring2"},
    {"source": "old.ring2", "target": "crm.ring1"},
    {"source": "old.odd", "target": '"Odd ""Schema""".plain'},
    {"source": '~Odd "Schema"\\.(Tbl) (.+)', "target": '"Ünd "".${1}"."${2} ""q"""'},
    {"source": "app.event", "target": "crm.happening"},
    {"source": "app.event_2", "target": "crm.february"},
    {"source": "app.metric", "target": "tsdb.metrics"},
    {"source": r"~billing\.(invoice)_(\d{4})", "target": "crm.${1}", "merge": True},
]
TARGETS = {
    "app.customer": "crm.client", "app.orders": "crm.orders", "app.a": "app.b", "app.b": "app.a",
    "app.ring1": "old.ring2", "old.ring2": "crm.ring1", "old.odd": 'Odd "Schema".plain',
    'Odd "Schema"|Tbl ä.b': 'Ünd ".Tbl|ä.b "q"', "app.event": "crm.happening",
    "app.metric": "tsdb.metrics",
}
SHARDS = ["billing.invoice_2023", "billing.invoice_2024", "billing.invoice_2025"]

WRITES = '''
BEGIN;
INSERT INTO app.customer (name) VALUES ('new {n}');
INSERT INTO app.orders (customer, amount) VALUES ((SELECT max(id) FROM app.customer), {n});
UPDATE app.orders SET note = 'n{n}' WHERE id = {n} % 2000 + 1;
COMMIT;
BEGIN;
UPDATE app.a SET v = 'v{n}' WHERE id = {n} % 50 + 1;
INSERT INTO app.b VALUES (1000 + {n}, {n} % 50 + 1, {n});
DELETE FROM app.b WHERE id = {n};
INSERT INTO app.ring1 VALUES (1000 + {n});
INSERT INTO old.ring2 (t) VALUES ('{n}');
UPDATE "Odd ""Schema"""."Tbl ä.b" SET id = id + 1000 WHERE id = {n};
COMMIT;
BEGIN;
INSERT INTO app.event VALUES (1000 + {n}, timestamptz '2026-01-01' + {n} % 89 * interval '1 day', 'new');
UPDATE app.event SET at = timestamptz '2026-03-15' WHERE id = {n};
INSERT INTO app.metric VALUES (timestamptz '2027-01-01' + {n} * interval '1 hour', 1, {n});
COMMIT;
BEGIN;
INSERT INTO billing.invoice_2023 (id, total) VALUES (10000 + 3 * {n}, {n});
INSERT INTO billing.invoice_2024 (id, total) VALUES (10001 + 3 * {n}, {n});
INSERT INTO billing.invoice_2025 (id, total) VALUES (10002 + 3 * {n}, {n});
UPDATE billing.invoice_2025 SET total = total + 1 WHERE id = 2000 + {n};
WITH gone AS (DELETE FROM billing.invoice_2024 WHERE id = 1000 + {n} RETURNING id, total)
    INSERT INTO billing.invoice_2023 (id, total) SELECT id, total FROM gone;
COMMIT;
DELETE FROM app.customer WHERE id = {n} % 90 + 5;
'''


class Pen:
    """Writes into every table until it is stopped or fenced."""

    def __init__(self, database):
        self.count = 0
        self._database = database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            with self._database.connect() as connection:
                while not self._stop.is_set():
                    for part in WRITES.format(n=self.count + 1).split(";\n"):
                        if part.strip():
                            connection.execute(part)
                    self.count += 1
                    time.sleep(0.02)
        except psycopg.Error:
            return  # the fence, or the end of its session

    def stop(self):
        """Stop and wait."""
        self._stop.set()
        self._thread.join(20)


def selection(**more):
    """The selection of the big migration."""
    return {"schemas": ["app", "billing", "old", '"Odd ""Schema"""'], "map": MAP} | more


SHARD_ROWS = " UNION ALL ".join(
    f"SELECT id, customer, total::text, n FROM {shard}" for shard in SHARDS)
MERGED_ROWS = "SELECT id, customer, total::text, n FROM crm.invoice"
KEYS = """
SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid), convalidated
  FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text !~ '^(_timescaledb|godwit)' ORDER BY 1, 2"""
TRIGGERS = """
SELECT tgrelid::regclass::text, tgname::text, tgenabled::text, obj_description(oid, 'pg_trigger')
  FROM pg_trigger WHERE NOT tgisinternal AND tgname <> 'ts_insert_blocker'
   AND tgrelid::regclass::text !~ '^(_timescaledb|godwit)' ORDER BY 1, 2"""

# Holds an engine between its CREATE TABLEs and the end of its renaming.
PAUSE = """
CREATE SCHEMA tool;
CREATE FUNCTION tool.pause() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE 'godwit_map%') THEN
        PERFORM pg_catalog.pg_sleep(3);
    END IF;
END $$;
CREATE EVENT TRIGGER pause ON ddl_command_end WHEN TAG IN ('CREATE SCHEMA') EXECUTE FUNCTION tool.pause();
"""


def rows(database, table):
    """The rows of a table as a sorted list of texts, columns by name."""
    schema, name = table.split("|" if "|" in table else ".", 1)
    columns = [row[0] for row in database.query(
        "SELECT a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s"
        " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1", (schema, name))]
    assert columns, f"no table {table}"
    listed = ", ".join('"' + column.replace('"', '""') + '"' for column in columns)
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name))
    return [row[0] for row in database.query(f"SELECT (ROW({listed}))::text FROM {quoted} ORDER BY 1")]


def relations(database):
    """Every relation of the user's but chunks: schema, name, kind."""
    return set(database.query(
        "SELECT n.nspname::text, c.relname::text, c.relkind::text FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind <> 't' AND c.oid >= 16384"
        " AND n.nspname !~ '^(pg_|_?timescaledb|information_schema|godwit$|_)'"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"))


def killed(engine, mine, *args, fault=None):
    """Run until the fault kills the engine."""
    result = engine.start("apply", mine, *args, env={"GODWIT_FAULT": fault})._result(120)
    assert result.code == -9, result.err


def assert_rows_arrived(source, target):
    """Every table's rows, and the merged ones'."""
    for here, there in TARGETS.items():
        assert rows(source, here) == rows(target, there), f"{here} -> {there}"
    assert sorted(source.query(SHARD_ROWS)) == sorted(target.query(MERGED_ROWS))
    for leaf, there in {"app.event_1": "crm.event_1", "app.event_2": "crm.february",
                        "old.event_far": "old.event_far"}.items():
        assert rows(source, leaf) == rows(target, there)
    assert rows(source, "app.stays") == rows(target, "app.stays")
    assert target.value("SELECT n FROM app.counts") is not None


def assert_objects_followed(target):
    """Indexes, keys, sequences, views, triggers, comments stand where their tables went."""
    found = relations(target)
    for wanted in [("crm", "client_id_seq", "S"), ("crm", "customer_id_seq", "S")]:
        assert (wanted in found) == (wanted[1] == "customer_id_seq"), wanted
    for wanted in [("crm", "orders_id_seq", "S"), ("crm", "ring2_id_seq", "S"), ("crm", "invoice_2023_n_seq", "S"),
                   ("crm", "customer_name", "i"), ("app", "a_v", "i"), ("app", "b_w", "i"), ("crm", "event_body", "I"),
                   ('Ünd ".Tbl', "Idx ON x", "i"), ("app", "rich", "v"), ("app", "counts", "m")]:
        assert wanted in found, wanted
    assert not {row for row in found if row[0] == "billing" or row[1].startswith("godwit_")}
    assert target.value("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(billing|godwit_map)'") == 0
    assert target.value("SELECT pg_get_viewdef('app.plain'::regclass)").split() == \
        "SELECT id, name FROM crm.client;".split()
    assert "crm.client c" in target.value("SELECT pg_get_viewdef('app.rich'::regclass)")
    assert target.value("SELECT indexdef FROM pg_indexes WHERE indexname = 'a_v'").startswith(
        "CREATE INDEX a_v ON app.b USING")
    assert target.value("SELECT stxnamespace::regnamespace::text FROM pg_statistic_ext") == "crm"
    assert target.query(KEYS) == [
        ("app.a", "b_a_fkey", "FOREIGN KEY (a) REFERENCES app.b(id)", True),
        ("app.payment", "payment_invoice_fkey",
         "FOREIGN KEY (invoice) REFERENCES crm.invoice(id) ON DELETE CASCADE", True),
        ("app.stays", "stays_customer_fkey",
         "FOREIGN KEY (customer) REFERENCES crm.client(id) ON DELETE CASCADE", True),
        ("crm.invoice", "invoice_2023_customer_fkey",
         "FOREIGN KEY (customer) REFERENCES crm.client(id) ON DELETE CASCADE", True),
        ("crm.orders", "orders_customer_fkey",
         "FOREIGN KEY (customer) REFERENCES crm.client(id) ON DELETE CASCADE", True)]
    assert target.query(TRIGGERS) == [
        ("crm.event_1", "ev", "O", None), ("crm.february", "ev", "O", None), ("crm.happening", "ev", "O", None),
        ("crm.orders", "always", "A", "always there"), ("crm.orders", "note", "O", None),
        ("old.event_far", "ev", "O", None)]
    assert target.value("SELECT obj_description('crm.client'::regclass)") == "customers"
    assert target.value("SELECT obj_description('crm.customer_pkey'::regclass)") == "their key"
    assert target.value("SELECT polname FROM pg_policy WHERE polrelid = 'crm.client'::regclass") == "mine"
    assert target.value("SELECT tablename FROM pg_rules WHERE rulename = 'kept'") == "ring2"
    assert target.value("SELECT app.name_of(c) FROM crm.client c WHERE id = 1") == "c1"
    assert target.value("SELECT count(*) FROM timescaledb_information.hypertables"
                        " WHERE hypertable_schema = 'tsdb' AND hypertable_name = 'metrics'") == 1


def assert_numbers_go_on(source, target):
    """New rows get numbers behind all old ones, of every merged table."""
    last = source.value("SELECT max(n) FROM (" + SHARD_ROWS + ") AS all_rows")
    assert target.value("INSERT INTO crm.invoice (id, total) VALUES (-1, 0) RETURNING n") > last
    last = source.value("SELECT max(id) FROM app.customer")
    assert target.value("INSERT INTO crm.client (name) VALUES ('x') RETURNING id") == last + 1
    assert target.value("SELECT pg_get_serial_sequence('crm.orders', 'id')") == "crm.orders_id_seq"


def test_everything_at_once(godwit, plan, source, target):
    """Renames, moves, swaps and merges under load, killed twice, arrive as SQL of its own says."""
    source.execute(SEED)
    target.execute(IN_THE_WAY)
    before = relations(target)
    mine = plan(select=selection(), cutover={"approval": {"required": True}},
                hypertables=[{"target_table": "tsdb.metrics", "by_range": {"column_name": "at"}}],
                verify=[{"id": "counts", "method": "count"},
                        {"id": "sums", "method": "checksum", "tables": [r"~billing\..*", "app.b"]}])
    shown = godwit("plan", mine, code=0).out
    assert "crm.client" in shown and "ALTER TABLE" in shown
    pen = Pen(source)
    target.execute(PAUSE)
    running = godwit.start("apply", mine)
    target.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                      " AND datname = current_database()")
    running.kill9()
    target.execute("DROP EVENT TRIGGER pause")
    target.wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                      " AND datname = current_database()")
    assert relations(target) == before
    killed(godwit, mine, fault="target/worker:statement:110:kill")
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    target.wait_until("SELECT max(id) > 2700 FROM crm.invoice")
    assert "crm.client_id_seq" not in godwit("status", mine, code=0).out
    outcome = godwit("verify", mine, "--format", "json", code=0)
    looked = {(one["id"], one["relation"]): one for one in outcome.json()["relations"]}
    assert ("sums", SHARDS[0]) in looked and ("sums", SHARDS[1]) not in looked
    assert ("sums", "app.b") in looked and ("sums", "app.a") not in looked
    godwit("approve", mine, code=0)
    running.wait(code=0)
    pen.stop()
    assert pen.count > 5
    assert_rows_arrived(source, target)
    assert_objects_followed(target)
    assert_numbers_go_on(source, target)
    assert target.value("SELECT theirs FROM app.customer") == 1
    assert target.value("SELECT theirs FROM app.orders_pkey") == 1


TWO = """
CREATE TABLE s1 (id int PRIMARY KEY, v text);
CREATE TABLE s2 (v text, id int PRIMARY KEY);
CREATE FUNCTION sum_of() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM s1';
CREATE FUNCTION other() RETURNS bigint LANGUAGE sql AS 'SELECT 1 AS ss1s';
INSERT INTO s1 SELECT n, 'a' FROM generate_series(1, 10) n;
INSERT INTO s2 (id) SELECT n FROM generate_series(10, 20) n;
"""
MERGE = {"schemas": ["public"], "map": [{"source": r"~public\.s\d", "target": "public.s", "merge": True}]}


def test_merges_are_proved_and_watched(godwit, plan, source, target):
    """A key in two tables is found before the run and stopped in it; a TRUNCATE is never applied."""
    source.execute(TWO)
    mine = plan(select=MERGE, cutover={"approval": {"required": True}})
    found = {one["code"]: one for one in
             godwit("check", mine, "--format", "json", code=4).json()["findings"]}
    assert found["G421"]["message"] == "(id)=(10) is in public.s1 and in public.s2"
    assert "select.map, line" in found["G421"]["remedy"]
    assert found["G422"]["object"] == "public.sum_of()" and "public.s1" in found["G422"]["message"]
    godwit("apply", mine, code=4)
    source.execute("DELETE FROM s2 WHERE id = 10")
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    target.execute("UPDATE s SET v = 'other' WHERE id = 12; DELETE FROM s WHERE id = 3;"
                   " INSERT INTO s VALUES (99, 'only here')")
    differing = godwit("verify", mine, "--format", "json", code=9).json()["relations"]
    assert [one["relation"] for one in differing] == ["public.s1"]
    assert sorted(differing[0]["rows"]) == [
        "missing on the target: (id)=(3) of public.s1", "not the same: (id)=(12) of public.s2",
        "only on the target: (id)=(99)"]
    assert (differing[0]["source_rows"], differing[0]["target_rows"]) == (20, 20)
    source.execute("INSERT INTO s1 VALUES (20, 'twice')")
    stopped = running.wait(code=None)
    assert stopped.code == 1 and "public.s" in stopped.err and "20" in stopped.err, stopped.err
    assert target.query("SELECT id, v FROM s WHERE id = 20") == [(20, None)]
    source.execute("DELETE FROM s1 WHERE id = 20")
    # The insert and its delete come in one group, or the first of them once more alone.
    ended = next(code for code in (godwit("apply", mine, "--exit-at-gate").code for _ in range(5)) if code != 1)
    assert ended == 9  # the rows that were changed on the target
    assert target.query("SELECT id, v FROM s WHERE id = 20") == [(20, None)]
    godwit("reset", mine, "--yes", code=0)
    assert target.value("SELECT to_regclass('public.s') IS NULL AND to_regclass('public.s1') IS NULL")


def test_a_truncate_of_a_part_stops(godwit, plan, source, target):
    """The rows of the others stay, and the run says why it cannot go on."""
    source.execute(TWO + "DELETE FROM s2 WHERE id = 10;")
    mine = plan(select=MERGE, cutover={"approval": {"required": True}})
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    source.execute("TRUNCATE s1")
    stopped = running.wait(code=None)
    assert stopped.code == 1
    assert "a TRUNCATE of public.s1 cannot be applied: its rows are merged into public.s" in stopped.err
    assert target.value("SELECT count(*) FROM s") == 20


def test_reset_after_a_kill_leaves_nothing(godwit, plan, source, target):
    """Mapped names are dropped; what was on the target before stays."""
    source.execute(SEED)
    target.execute(IN_THE_WAY)
    before = relations(target)
    mine = plan(select=selection())
    killed(godwit, mine, fault="target/worker:statement:95:kill")
    assert relations(target) != before
    godwit("reset", mine, "--yes", code=0)
    assert relations(target) == before
    assert target.value("SELECT count(*) FROM pg_namespace WHERE nspname IN ('crm', 'tsdb', 'old', 'billing')") == 0
