"""Addresses behind which there is no plain server: a real PgBouncer, and two servers as one."""
import itertools
import os
import shutil
import socket
import subprocess
import threading
import time

import harness
import psycopg
import pytest

PGBOUNCER = """
[databases]
pooled = host=127.0.0.1 port={port} dbname={name} user=postgres
{name} = host=127.0.0.1 port={port} dbname={name} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 5
ignore_startup_parameters = extra_float_digits
logfile = {folder}/pgbouncer.log
pidfile =
"""


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def bouncer(open_dir):
    """bouncer(database, mode) puts a PgBouncer in front of a database; gives its port."""
    program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no pgbouncer: tools/deps installs it")
        pytest.skip("no pgbouncer: tools/deps installs it")
    started = []

    def start(database, mode):
        listen = free_port()
        ini = open_dir / "pgbouncer.ini"
        ini.write_text(PGBOUNCER.format(port=database.port, name=database.name, listen=listen, mode=mode,
                                        folder=open_dir), encoding="utf-8")
        open_dir.chmod(0o777)
        command = [program, str(ini)]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid", harness.lab.SERVER_USER, "--regid", harness.lab.SERVER_USER,
                       "--init-groups", "--pdeathsig", "QUIT", "--", *command]
        # pylint: disable-next=consider-using-with
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        end = time.monotonic() + 10
        while True:
            try:
                psycopg.connect(database.conninfo(port=listen), autocommit=True).close()
                return listen
            except psycopg.OperationalError:
                assert time.monotonic() < end, (open_dir / "pgbouncer.log").read_text(encoding="utf-8")
                time.sleep(0.1)

    yield start
    for one in started:
        one.terminate()
        one.wait(10)


def findings(godwit, plan, code):
    """(code, side, message) of what check finds."""
    found = godwit("check", plan, "--sample", "0s", "--format", "json", code=code, timeout=60).json()["findings"]
    return [(one["code"], one["server"], one["message"]) for one in found if one["severity"] == "error"]


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_pooler_is_refused(side, source, target, plan, godwit, bouncer):
    """PgBouncer on either side: in transaction mode found by behaviour; in session mode too, and by
    the name of a pool."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    database = source if side == "source" else target
    mine = plan()
    port = bouncer(database, "transaction")
    mine.env[side.upper()] = database.conninfo(port=port)
    found = findings(godwit, mine, 4)
    assert [(code, where) for code, where, _ in found] == [("G105", side)], found
    assert "process number" in found[0][2] or "do not outlive a transaction" in found[0][2]
    assert "G105" in godwit("apply", mine, code=4).err
    mine.env[side.upper()] = psycopg.conninfo.make_conninfo(mine.env[side.upper()], dbname="pooled")
    messages = [message for code, _, message in findings(godwit, mine, 4) if code == "G105"]
    assert f"asked for database pooled and got {database.name}" in messages
    assert target.value("SELECT to_regnamespace('godwit') IS NULL")


class Balancer:
    """Hands connections to several ports in turn, as a reader endpoint does."""

    def __init__(self, ports):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ports = itertools.cycle(ports)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", next(self._ports)))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        other.close()

    def close(self):
        """Take no more."""
        self._listener.close()


def test_two_servers_behind_one_address_are_refused(source, servers, plan, godwit):
    """Each connection is one plain session, but not of one server: no snapshot could be shared."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    twin = harness.Database(servers("pg16"), source.name)
    twin.cluster.create_database(twin.name)
    balancer = Balancer([source.port, twin.port])
    mine = plan()
    mine.env["SOURCE"] = source.conninfo(port=balancer.port)
    try:
        found = findings(godwit, mine, 4)
        assert [one[:2] for one in found] == [("G105", "source")], found
        assert "two connections do not reach one server" in found[0][2]
    finally:
        balancer.close()
        twin.drop()


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_failed_probe_is_no_pooler(side, source, target, plan, godwit):
    """An error of another kind than an unknown snapshot is what it is: a failure, not a finding about the address."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mine = plan()
    ends = []
    for number in range(1, 5):
        fault = f"{side}/probe:statement:{number}:fail"
        result = godwit("check", mine, "--sample", "0s", "--format", "json", env={"GODWIT_FAULT": fault})
        assert "fault hook" in result.err
        ends.append(result.code)
    assert ends == [1, 1, 1, 0], ends  # the last one takes a transaction back that nobody needs
