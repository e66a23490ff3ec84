"""A target whose user cannot set session_replication_role: triggers and keys must not act twice.

The user owns its database and nothing more (no superuser, no GRANT SET). The source's triggers write
audit rows, its keys cascade, its transactions defer; what acts on the target before the drain would
show as rows that are there twice, or not at all.
"""
import threading
import time

import harness
import psycopg
import pytest

SEED = """
CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL, changed int NOT NULL DEFAULT 0);
CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL
    REFERENCES customer ON DELETE CASCADE, amount int NOT NULL);
CREATE TABLE line (id int PRIMARY KEY, orders int NOT NULL
    REFERENCES orders ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, what text);
CREATE TABLE audit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text NOT NULL);
CREATE TABLE place (id int PRIMARY KEY, rank int UNIQUE DEFERRABLE INITIALLY IMMEDIATE);
CREATE TABLE ruled (id int PRIMARY KEY, v int);
CREATE TABLE part (id int, at int, customer int REFERENCES customer ON DELETE CASCADE,
    PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20);
CREATE TABLE metric (at timestamptz PRIMARY KEY, customer int REFERENCES customer ON DELETE SET NULL);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.audit (what) VALUES (TG_TABLE_NAME || ' ' || TG_OP);
    RETURN NULL;
END $$;
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.name := NEW.name || '!';
    RETURN NEW;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION note();
COMMENT ON TRIGGER note ON orders IS 'writes an audit row';
CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION shout();
CREATE TRIGGER part_note AFTER INSERT OR DELETE ON part FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER metric_note AFTER INSERT ON metric FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER always AFTER INSERT ON line FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE line ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER off AFTER INSERT ON line FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE line DISABLE TRIGGER off;
CREATE RULE keep AS ON DELETE TO ruled DO ALSO INSERT INTO audit (what) VALUES ('ruled gone');
INSERT INTO customer SELECT n, 'c' || n FROM generate_series(1, 50) n;
INSERT INTO orders SELECT n, n % 50 + 1, n FROM generate_series(1, 200) n;
INSERT INTO line SELECT n, n % 200 + 1, 'x' FROM generate_series(1, 400) n;
INSERT INTO place SELECT n, n FROM generate_series(1, 20) n;
INSERT INTO metric SELECT timestamptz '2025-01-01' + n * interval '1 day', n % 50 + 1 FROM generate_series(1, 60) n;
INSERT INTO ruled SELECT n, n FROM generate_series(1, 3000) n;
INSERT INTO part SELECT n, n % 20, n % 50 + 1 FROM generate_series(1, 100) n;
"""

WRITES = """
BEGIN;
INSERT INTO customer VALUES (1000 + {n}, 'new');
INSERT INTO orders VALUES (1000 + {n}, 1000 + {n}, {n});
INSERT INTO line VALUES (10000 + {n}, 20000 + {n}, 'before its order');
INSERT INTO orders VALUES (20000 + {n}, 1000 + {n}, {n});
COMMIT;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
UPDATE place SET rank = 2 WHERE rank = 1 AND id = (SELECT id FROM place WHERE rank = 1);
UPDATE place SET rank = 1 WHERE id = (SELECT min(id) FROM place WHERE rank = 2 AND id <> {swap});
COMMIT;
BEGIN;
DELETE FROM customer WHERE id = {old};
INSERT INTO part VALUES (1000 + {n}, {n} % 20, 1000 + {n});
COMMIT;
DELETE FROM ruled WHERE id = {n};
INSERT INTO metric VALUES (timestamptz '2026-01-01' + {n} * interval '1 hour', 50);
UPDATE customer SET changed = changed + 1 WHERE id = 50;
"""

TRIGGERS = """
SELECT n.nspname, c.relname, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid),
       obj_description(t.oid, 'pg_trigger')
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT t.tgisinternal AND n.nspname = 'public' AND t.tgname <> 'ts_insert_blocker' ORDER BY 1, 2, 3"""
KEYS = """
SELECT conrelid::regclass::text, conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1, 2"""
RULES = "SELECT tablename, rulename, definition FROM pg_rules WHERE schemaname = 'public' ORDER BY 1, 2"

SLOW_RULES = """
CREATE SCHEMA IF NOT EXISTS tool;
CREATE FUNCTION tool.slow() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_catalog.pg_sleep(2); END $$;
CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('CREATE RULE') EXECUTE FUNCTION tool.slow();
"""


class Pen:
    """Writes transactions with keys, cascades, deferrals and triggers until it is stopped."""

    def __init__(self, database):
        self.count = 0
        self._database = database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            with self._database.connect() as connection:
                while not self._stop.is_set() and self.count < 2900:
                    n = self.count + 1
                    holder = connection.execute("SELECT id FROM place WHERE rank = 1").fetchone()[0]
                    for part in WRITES.format(n=n, old=n % 45 + 1, swap=holder).split(";\n"):
                        if part.strip():
                            connection.execute(part)
                    self.count = n
                    time.sleep(0.01)
        except psycopg.Error:
            return  # the fence, or the end of its session

    def stop(self):
        """Stop and wait."""
        self._stop.set()
        self._thread.join(20)


@pytest.fixture
def weak_target(database):
    """A database whose owner, a role without any right of its own, is who migrates."""
    made = database("pg17", prefix="dst", extensions=["timescaledb"])
    with made.cluster.connect() as connection:
        connection.execute(f"CREATE ROLE {made.name}_mig LOGIN")
        connection.execute(f"GRANT pg_signal_backend TO {made.name}_mig")
        connection.execute(f"ALTER DATABASE {made.name} OWNER TO {made.name}_mig")
    yield made
    made.drop()
    with made.cluster.connect() as connection:
        connection.execute(f"DROP ROLE {made.name}_mig")


@pytest.fixture
def weak(plan, source, weak_target):
    """A plan to that database as that role."""
    def make(**keys):
        made = plan(source, weak_target, hypertables=[
            {"target_table": "public.metric", "by_range": {"column_name": "at", "partition_interval": "7 days"}}],
            **keys)
        made.env["TARGET"] = weak_target.conninfo(user=f"{weak_target.name}_mig")
        return made
    return make


def test_anchor_04_nothing_acts_before_the_drain(source, weak_target, weak, godwit):
    """Rows, sequences, triggers, rules and validated keys end as on the source, under load."""
    source.execute(SEED)
    pen = Pen(source)
    mine = weak(cutover={"approval": {"required": True}})
    finding = godwit("check", mine, "--sample", "0s", "--format", "json", code=0).json()["findings"]
    quiet = [one for one in finding if one["code"] == "G306"]
    assert [one["severity"] for one in quiet] == ["warning"], finding
    assert "1 foreign keys read their tables in the downtime" in quiet[0]["message"]
    blind = [one["remedy"] for one in finding if one["code"] == "G307" and one["object"] == "sessions"]
    assert blind == [f'GRANT pg_read_all_stats TO "{weak_target.name}_mig";'], finding
    weak_target.execute(blind[0])
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    before = pen.count
    end = time.monotonic() + 20
    while pen.count < before + 30 and time.monotonic() < end:
        time.sleep(0.05)
    assert pen.count >= before + 30
    assert weak_target.query(KEYS) == [] and weak_target.query(RULES) == []
    assert [row[2] for row in weak_target.query(TRIGGERS)] == ["off"]
    godwit("approve", mine, code=0)
    running.wait(code=0)
    pen.stop()
    harness.assert_same(source, weak_target)
    for question in (TRIGGERS, KEYS, RULES):
        assert source.query(question) == weak_target.query(question)
    assert weak_target.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'")
    weak_target.execute("DELETE FROM orders WHERE id = (SELECT min(id) FROM orders)")
    assert weak_target.value("SELECT what FROM audit ORDER BY id DESC LIMIT 1") == "orders DELETE"


def test_a_rolled_back_cutover_is_quiet_again(source, weak_target, weak, godwit):
    """A writer behind the fence: its change is not applied under triggers; the next try is clean."""
    source.execute(SEED)
    mine = weak(cutover={"approval": {"required": True}, "stop_writes": {"method": "manual"}})
    weak_target.execute(f"GRANT pg_read_all_stats TO {weak_target.name}_mig")
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    weak_target.execute(SLOW_RULES)
    godwit("approve", mine, code=0)
    running.wait_for("marker arrived")
    weak_target.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()"
                           " AND wait_event = 'PgSleep'")  # triggers are there, a rule is on its way
    source.execute("INSERT INTO orders VALUES (77777, 1, 1)")
    result = running.wait(code=10)
    assert "after its fence" in result.err
    assert weak_target.value("SELECT count(*) FROM orders WHERE id = 77777") == 0
    assert "note" in [row[2] for row in weak_target.query(TRIGGERS)]
    weak_target.execute("DROP EVENT TRIGGER slow")
    godwit("approve", mine, code=0)
    godwit("apply", mine, code=0)
    harness.assert_same(source, weak_target)
    for question in (TRIGGERS, KEYS, RULES):
        assert source.query(question) == weak_target.query(question)


def test_what_somebody_made_there_is_refused(source, weak_target, weak, godwit):
    """A trigger of somebody else's on a selected table of the target: named, nothing is applied."""
    source.execute(SEED)
    mine = weak(cutover={"approval": {"required": True}})
    godwit("apply", mine, "--exit-at-gate", code=6)
    weak_target.execute("CREATE TRIGGER mine AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note()")
    source.execute("INSERT INTO orders VALUES (88888, 1, 1)")
    result = godwit("apply", mine, "--exit-at-gate", code=1)
    assert "trigger mine of public.orders on the target would act on replicated changes" in result.err
    weak_target.execute("DROP TRIGGER mine ON orders")
    godwit("apply", mine, "--exit-at-gate", code=6)
    weak_target.wait_until("SELECT count(*) = 1 FROM orders WHERE id = 88888")
    with weak_target.cluster.connect() as connection:
        connection.execute(f"GRANT SET ON PARAMETER session_replication_role TO {weak_target.name}_mig")
        assert "session_replication_role" in godwit("apply", mine, "--exit-at-gate", code=12).err
        connection.execute(f"REVOKE SET ON PARAMETER session_replication_role FROM {weak_target.name}_mig")
    godwit("apply", mine, "--exit-at-gate", code=6)
