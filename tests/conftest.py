"""Fixtures that every scenario test may use. The classes behind them are in scenario/harness.py.

Servers are started when a test first asks for them and are shared by the session; each test gets
databases of its own. A test that restarts, kills or reconfigures a server asks for private_cluster.
"""
import itertools
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "lab"), str(HERE / "scenario")]

import cluster as lab  # noqa: E402
import harness  # noqa: E402
import named  # noqa: E402
import proxy as lab_proxy  # noqa: E402


NOT_APPLICABLE = named.not_applicable()
collect_ignore = list(NOT_APPLICABLE)


def pytest_terminal_summary(terminalreporter):
    """Says which files do not apply, and what would make them."""
    for path, missing in NOT_APPLICABLE.items():
        terminalreporter.write_line(f"not applicable: {path} ({', '.join(missing)} names no server)")


def pytest_collection_modifyitems(config, items):
    """Without the lab there is nothing to test on: a clear skip, in CI a failure.

    Tests of the engine alone come last: they are short, so that no worker waits long for another's last one.
    """
    del config
    items.sort(key=lambda item: {"godwit", "servers"} & set(item.fixturenames) == {"godwit"})
    try:
        lab.lab_dir()
    except lab.LabError as error:
        if os.environ.get("CI") == "true":
            raise pytest.UsageError(str(error)) from error
        for item in items:
            item.add_marker(pytest.mark.skip(reason=str(error)))


class Servers:
    """The session's shared servers, one per flavor, started when first asked for."""

    def __init__(self):
        self._running = {}

    def __call__(self, flavor):
        if flavor not in self._running:
            self._running[flavor] = lab.Cluster(flavor)
        return self._running[flavor]

    def drop(self):
        """Stop them all."""
        for running in self._running.values():
            running.drop()
        self._running.clear()


@pytest.fixture(scope="session")
def servers():
    """servers("pg16") is the session's shared server of that flavor."""
    shared = Servers()
    yield shared
    shared.drop()


@pytest.fixture
def database(servers):
    """database("pg16") makes an empty harness.Database on a shared or given server.

    database("pg17", extensions=["timescaledb"]) also creates extensions.
    """
    made = []

    def make(where, extensions=(), prefix="db"):
        server = servers(where) if isinstance(where, str) else where
        made.append(harness.Database.create(server, extensions, prefix))
        return made[-1]

    yield make
    for one in made:
        if one.cluster.pid is not None:
            one.drop()


@pytest.fixture
def source(database):
    """An empty database on the shared PostgreSQL 15."""
    return database("pg15", prefix="src")


@pytest.fixture
def target(database):
    """An empty database on the shared PostgreSQL 17, with TimescaleDB."""
    return database("pg17", extensions=["timescaledb"], prefix="dst")


@pytest.fixture
def tsl_target(database):
    """An empty database on the server of GODWIT_TEST_TSL_TARGET, with TimescaleDB's community edition."""
    return database(named.NamedServer(named.TSL_TARGET), extensions=["timescaledb"], prefix="tsl")


@pytest.fixture
def private_cluster():
    """private_cluster("pg15", settings={...}, fsync=True) starts a server of the test's own."""
    made = []

    def make(flavor="pg15", settings=None, **more):
        made.append(lab.Cluster(flavor, settings, **more))
        return made[-1]

    yield make
    for one in made:
        one.drop()


@pytest.fixture
def open_dir():
    """An empty directory that servers, which run as another user, can enter; tmp_path is closed."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="godwit-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def proxy():
    """proxy(server) puts a TCP proxy in front of a server (a Cluster, Database or port)."""
    made = []

    def make(server):
        port = server if isinstance(server, int) else server.port
        made.append(lab_proxy.Proxy(port))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def tsl_source(database):
    """An empty database on the server of GODWIT_TEST_TSL_SOURCE, with TimescaleDB's community edition."""
    return database(named.NamedServer(named.TSL_SOURCE), extensions=["timescaledb"], prefix="tss")


@pytest.fixture
def plan(tmp_path, source, target):
    """plan(select=..., copy=...) writes a plan from source to target; returns harness.Plan.

    Keys are merged into a small complete plan, see harness.Plan. With GODWIT_TEST_SPOOL set every
    plan has a spool: the tests of the stream must pass as they stand.
    """
    numbers = itertools.count(1)

    def make(source_db=None, target_db=None, **keys):
        if "GODWIT_TEST_SPOOL" in os.environ:
            replication = {"spool": {"directory": str(tmp_path / "spool")}}
            keys = {**keys, "replication": {**replication, **keys.get("replication", {})}}
        return harness.Plan.write(tmp_path / f"plan{next(numbers)}.yaml",
                                  source_db or source, target_db or target, keys)

    return make


@pytest.fixture
def godwit():
    """The engine: godwit("apply", plan) runs it, godwit.start("apply", plan) in the background."""
    engine = harness.Godwit(harness.godwit_bin())
    yield engine
    engine.end_all()


@pytest.fixture
def godwit_tsan():
    """The engine built with ThreadSanitizer."""
    engine = harness.Godwit(harness.REPO / "build" / "tsan" / "godwit")
    yield engine
    engine.end_all()


@pytest.fixture
def writer():
    """writer(source) starts a harness.Writer on tables it makes itself; stopped at the end."""
    made = []

    def make(where, **options):
        made.append(harness.Writer(where, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop(check=False)
