"""godwit init: the plan it drafts is valid, says why, and migrates what it was drafted from."""
import harness
import pytest
import yaml

TABLES = r"""
CREATE EXTENSION hstore;
CREATE SCHEMA "Odd Schema"; CREATE SCHEMA yes;
CREATE TABLE metrics (time timestamptz NOT NULL, device int NOT NULL, v float8, PRIMARY KEY (device, time));
INSERT INTO metrics SELECT '2025-01-01'::timestamptz + i * interval '10 minutes', i % 7, i
FROM generate_series(1, 20000) i;
CREATE TABLE "Odd Schema"."Events's" (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL, note hstore);
INSERT INTO "Odd Schema"."Events's" (created_at, note)
SELECT '2025-01-01'::timestamptz + i * interval '1 minute', 'a=>1' FROM generate_series(1, 5000) i;
CREATE TABLE customers (id int PRIMARY KEY, created_at timestamptz DEFAULT now(), updated_at timestamptz);
INSERT INTO customers SELECT i FROM generate_series(1, 2000) AS i;
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, v text);
CREATE TABLE yes."no" (id int NOT NULL, v text);
CREATE UNIQUE INDEX "no uq" ON yes."no" (id);
CREATE TABLE log (v text);
CREATE UNLOGGED TABLE scratch (id int PRIMARY KEY);
CREATE VIEW v AS SELECT id FROM orders;
ANALYZE;
"""


@pytest.fixture(name="init")
def fixture_init(source, target, godwit):
    """Runs init with both variables set."""
    def run(*args, **options):
        env = {"SOURCE": source.conninfo(), "TARGET": target.conninfo()}
        return godwit("init", "--source-env", "SOURCE", *args, env=env, **options)
    return run


def test_draft(source, target, init, plan, godwit, tmp_path):
    """Candidates with reasons, identities, names that clash; the plan is valid and migrates."""
    source.execute(TABLES)
    target.execute("CREATE TABLE customers (x int); CREATE EXTENSION IF NOT EXISTS timescaledb")
    text = init("--target-env", "TARGET", "--name", "drafted", code=0).out
    drafted = yaml.safe_load(text)
    assert drafted["name"] == "drafted" and drafted["source"] == {"kind": "self_hosted", "conninfo_env": "SOURCE"}
    assert drafted["select"]["schemas"] == ['"Odd Schema"', "public", "yes"]
    assert drafted["select"]["exclude"] == ["public.scratch"]
    assert drafted["select"]["map"] == [{"source": "public.customers", "target": "from_drafted.customers"}]
    assert drafted["hypertables"] == [{"target_table": "public.metrics", "by_range": {
        "column_name": "time", "partition_interval": "30 days"}}]
    assert "rows lie in its order" in text and "over 139 days" in text
    assert "its primary key \"Events's_pkey\" lacks the column: widen it to (id, created_at)" in text
    assert drafted["replication"]["replica_identity"]["tables"] == [
        {"table": "public.log", "full": True}, {"table": "yes.no", "using_index": "no uq"}]
    assert "hstore" in text and "unlogged" in text
    mine = plan()
    mine.path.write_text(text.replace("approval: {required: true}", "approval: {required: false}"), encoding="utf-8")
    godwit("validate", mine, code=0)
    assert godwit("plan", mine).code in (0, 4)
    godwit("apply", mine, code=0)
    assert target.value("SELECT count(*) FROM customers") == 0, "what was there before is touched"
    target.execute("DROP TABLE customers")
    harness.assert_same(source, target, exclude=["public.scratch"],
                        renamed={"public.customers": "from_drafted.customers"})
    out = tmp_path / "new.yaml"
    assert "wrote" in init("--out", out, code=0).out
    before = out.read_text(encoding="utf-8")
    assert "tiger_cloud" in before and "map:" not in before
    assert "is there already" in init("--out", out, code=64).err
    assert out.read_text(encoding="utf-8") == before


def test_refusals(source, init, godwit):
    """Nothing to migrate, a bad name, a variable that is not set: each said, with what to do."""
    assert "has no tables of its own" in init(code=1).err
    assert "at most 41" in init("--name", "Not Good", code=64).err
    assert "--source-env" in godwit("init", code=64).err
    assert "NOWHERE" in godwit("init", "--source-env", "NOWHERE", code=5).err
    assert source.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'godwit'") == 0
