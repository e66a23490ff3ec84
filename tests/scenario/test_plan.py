"""The dry run: each step with its state, its place in the plan, its SQL, its parts, its estimate; findings in place."""
import re

import pytest

SCHEMA = """
CREATE TABLE big (id bigint PRIMARY KEY, filler text NOT NULL) WITH (autovacuum_enabled = off);
INSERT INTO big SELECT i, repeat('x', 900) FROM generate_series(1, 4000) AS i;
CREATE TABLE small (id int PRIMARY KEY, big_id bigint REFERENCES big) WITH (autovacuum_enabled = off);
INSERT INTO small SELECT i, i FROM generate_series(1, 500) AS i;
CREATE TABLE never (id int PRIMARY KEY) WITH (autovacuum_enabled = off);
CREATE TABLE reading (time timestamptz NOT NULL, value float8) WITH (autovacuum_enabled = off);
ALTER TABLE reading REPLICA IDENTITY FULL;
CREATE TABLE bare (a int) WITH (autovacuum_enabled = off);
ANALYZE big, small;
"""


@pytest.fixture
def mine(source, plan):
    """A plan whose keys stand in known lines."""
    source.execute(SCHEMA)
    made = plan()
    made.path.write_text(f"""version: 1
name: {made.name}
source: {{kind: self_hosted, conninfo_env: SOURCE}}
target: {{kind: self_hosted, conninfo_env: TARGET}}
tools: {{pg_bin: {made.keys['tools']['pg_bin']}}}
select:
  schemas: [public]
  tables:
    - public.big
hypertables:
  - target_table: public.reading
    by_range: {{column_name: time, partition_interval: 7 days}}
copy: {{table_jobs: 2, split_tables_larger_than: 1MB}}
verify:
  - {{id: counts, method: count}}
cutover: {{gates: {{require: [counts]}}}}
""")
    return made


def test_every_step_says_where_from_and_how_much(mine, godwit):
    """Positions are those of the plan's keys; sizes, rows and parts those of the source; the same bytes twice."""
    report = godwit("plan", mine, "--format", "json", code=0)
    assert report.out == godwit("plan", mine, "--format", "json", code=0).out
    steps = {step["id"]: step for step in report.json()["steps"]}
    lines = {name: step["position"]["line"] for name, step in steps.items() if "position" in step}
    assert lines["copy:public.big"] == 7 and lines["hypertable:public.reading"] == 11
    assert lines["index:public.small_pkey"] == 7 and lines["verify:counts"] == 15
    assert lines["gates"] == 16 and lines["cutover.switch"] == 16
    assert "preflight" not in lines and "slot" not in lines  # nothing in the plan caused them
    assert steps["copy:public.big"]["position"]["file"] == str(mine.path)
    big = steps["copy:public.big"]
    assert big["estimate"]["rows"] == 4000 and 3_600_000 < big["estimate"]["bytes"] < 4_500_000
    parts = big["parts"][0]
    assert parts["parts"] == len([sql for sql in big["sql"] if sql["server"] == "source"]) == 4
    assert parts["relation"] == "public.big" and "larger than 1.0 MB: by page" in parts["reason"]
    small = steps["copy:public.small"]
    assert small["parts"][0]["parts"] == 1 and "not larger than" in small["parts"][0]["reason"]
    assert "rows" not in steps["copy:public.never"]["estimate"]  # nobody has counted it
    assert steps["index:public.big_pkey"]["estimate"]["bytes"] > 50_000
    copy = report.json()["totals"]["copy"]
    assert copy["jobs"] == 2 and copy["assumed_bytes_per_second"] == 40 << 20
    assert copy["seconds"] == pytest.approx(copy["bytes"] / 2 / (40 << 20), abs=0.002)


def test_states_and_findings_stand_in_place(mine, source, target, godwit):
    """+ and ~ of an empty target; what blocks stands at the step that it would stop; what is there is seen."""
    text = godwit("plan", mine, "--detailed-exitcode", code=2).out
    publication = text.index("  + publication: ")
    assert 0 < text.index("    ! error G201 on the source, public.bare: ") - publication < 200
    assert "1 finding of preflight blocks the run" in text
    assert re.search(r"\n  \+ schema_pre: ", text)
    assert re.search(r"\n  ~ hypertable:public.reading: .*:11\)\n      target \| SELECT ", text)
    assert "\n  = extensions: " in text and "assuming 40 MB/s on each of 2 table jobs\n" in text
    assert re.search(r"^\d+ steps, \d+ to do: \d+ \+ create, \d+ ~ change, \d+ = done, 0 ! finding$", text, re.M)
    source.execute("ALTER TABLE bare REPLICA IDENTITY FULL")
    target.execute("CREATE TABLE small (mine int)")
    text = godwit("plan", mine, code=0).out
    assert "G201" not in text
    assert re.search(r"\n  ! schema_pre: .*\n      the target already has 1 of the objects", text)
    assert re.search(r"\n    ! error G403 on the target, public.small: ", text)
    script = godwit("plan", mine, "--format", "sql", code=0).out
    assert re.search(r"^-- copy:public.big \(create\): .*  \(\S+:7\)$", script, re.M)


def test_what_is_not_pinned(mine, godwit):
    """A pinned plan's name ends in .pinned; what looks like a password in the plan's text is not written down."""
    assert "ends in .pinned" in godwit("plan", mine, "--out", "x.json", code=64).err
    pinned = mine.path.with_suffix(".pinned")
    where = "method: count, where: \"id::text <> 'password=s3cr3t'\""
    mine.path.write_text(mine.path.read_text().replace("method: count", where))
    result = godwit("plan", mine, "--out", pinned, code=3)
    assert "holds what looks like a password" in result.err and not pinned.exists()
    assert "s3cr3t" not in result.out
