"""The README's tour, the guide's first migration and the tours of the examples run as they stand there."""
import pathlib
import re
import subprocess

import pytest

import cluster as lab
import tour
from test_community import community, printed  # noqa: F401  pylint: disable=unused-import
from test_mirror import SETTINGS, source as tsl_source  # noqa: F401  pylint: disable=unused-import

REPO = pathlib.Path(__file__).resolve().parents[2]
APP = REPO / "examples" / "app"
IOT = REPO / "examples" / "iot"


def test_parses_blocks():
    """Only blocks marked as tour are taken, with their expected status."""
    text = "```sh\nno\n```\n```sh tour\na\nb\n```\ntext\n```sh tour exit=3\nc\n```\n"
    assert tour.tour_blocks(text) == [(0, "a\nb\n"), (3, "c\n")]


PAGES = {"README.md": "validate check plan apply status approve cutover cleanup",
         "docs/guide.md": "init validate grants check plan show apply status verify approve cutover cleanup"}
EXAMPLE = "init validate check plan apply status approve cutover cleanup"


@pytest.mark.parametrize("page", PAGES)
def test_tour(page, source, target, tmp_path):
    """Both tours of the shop, each on servers of its own."""
    env = tour.environment(tmp_path, source, target)
    subprocess.run([APP / "load.sh", source.conninfo()], env=dict(env, SCALE="0.01"), check=True)
    tour.take(page, PAGES[page], env)
    same = subprocess.run([APP / "compare.sh", source.conninfo(), target.conninfo()],
                          capture_output=True, text=True, check=False)
    assert same.returncode == 0, same.stdout + same.stderr
    assert target.value("SELECT count(*) FROM timescaledb_information.hypertables") == 2


def runs_on_the_community_edition(run, statements):
    """What the tour printed from community.yaml is taken there, as it stands, and makes what was asked."""
    schema = re.sub(r" PARTITION BY RANGE \(at\);\n(CREATE TABLE \S+ PARTITION OF .*\n)+", ";\n",
                    (IOT / "schema.sql").read_text(encoding="utf-8"))
    before = printed(statements, "hypertable", "columnstore", "aggregate")
    behind = printed(statements, "aggregate.refresh", "aggregate.policy", "policy", "job")
    jobs, filled = run(["CREATE EXTENSION timescaledb", schema, *before, (IOT / "load.sql").read_text(encoding="utf-8"),
                        *behind],
                       ["SELECT proc_name AS p, count(*)::int AS n FROM timescaledb_information.jobs"
                        " WHERE job_id >= 1000 GROUP BY 1 ORDER BY 1",
                        "SELECT sum(n)::int AS n FROM iot.reading_daily"])
    assert filled == [{"n": 5040}]
    assert jobs == [{"p": "clear_old_alarms", "n": 1}, {"p": "policy_compression", "n": 2},
                    {"p": "policy_refresh_continuous_aggregate", "n": 2}, {"p": "policy_reorder", "n": 1},
                    {"p": "policy_retention", "n": 3}]


def test_iot_tour(source, target, database, community, tmp_path):  # noqa: F811  pylint: disable=redefined-outer-name
    """Plain and partitioned tables of PostgreSQL 15 become hypertables while their writer goes on."""
    env = tour.environment(tmp_path, source, target, COMMUNITY=database("pg17", prefix="bare").conninfo())
    said = "".join(tour.take("examples/iot/README.md", EXAMPLE, env))
    assert "lacks the partition column temperature" in said
    assert "needs the community edition, the target has timescaledb.license = apache" in said
    assert target.query("SELECT hypertable_name, column_name, num_partitions, integer_now_func"
                        " FROM timescaledb_information.dimensions ORDER BY 1, dimension_number") == [
        ("Line Speed", "Taken At", None, None), ("alarm", "at", None, None), ("pulse", "ms", None, "now_ms"),
        ("reading", "at", None, None), ("reading", "device", 2, None)]
    written = "SELECT count(*) FROM iot.reading WHERE at > '2026-02-12'"
    assert target.value(written) == source.value(written) > 100
    runs_on_the_community_edition(community, (tmp_path / "community.sql").read_text(encoding="utf-8"))


def test_timescale_mirror_tour(tsl_source, target, tmp_path):  # noqa: F811  pylint: disable=redefined-outer-name
    """TimescaleDB to TimescaleDB; chunks that were made while no engine ran are there, too."""
    env = tour.environment(tmp_path, tsl_source, target)
    env["PATH"] += f":{lab.pg_bin('pg17').resolve()}"  # the source's own pg_dump
    tour.take("examples/timescale-mirror/README.md", EXAMPLE, env)
    settings = target.query(SETTINGS)
    assert settings == tsl_source.query(SETTINGS) and len(settings) == 4
    late = "SELECT count(*) FROM site.measurement WHERE at > '2026-02-03'"
    assert target.value(late) == tsl_source.value(late) > 100
