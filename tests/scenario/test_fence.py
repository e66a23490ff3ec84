"""Writers at the fence: prepared transactions, statements that wait, clients that override it.

Each test is a loss that was watched happening to tools of this kind, and would happen again here.
"""
import contextlib
import signal
import threading

import harness
import psycopg
import pytest
from road import APPROVAL, WAITING


def test_a_prepared_transaction_stops_the_start(source, plan, godwit):
    """check and apply refuse while a prepared transaction is open, naming it; nothing is left behind."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    with source.connect() as connection:
        connection.execute(f"BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION '{source.name}'")
    mine = plan()
    try:
        for command in ("check", "apply"):
            result = godwit(command, mine, code=4)
            assert source.name in result.out + result.err
        assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0
    finally:
        source.execute(f"COMMIT PREPARED '{source.name}'")
    godwit("check", mine, code=0)


def test_a_role_that_no_closing_keeps_out(source, target, plan, godwit):
    """Its own setting overrules the database's: named by check, again before the fence, cured by the remedies."""
    roles = [f"{kind}_{source.name}" for kind in ("all", "here", "none")]
    source.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    for role in roles:
        source.execute(f"CREATE ROLE {role} LOGIN; GRANT INSERT ON t TO {role}")
    everywhere, here, none = roles
    own = f"ALTER ROLE {everywhere} SET default_transaction_read_only = off"
    source.execute(f"{own}; ALTER ROLE {here} IN DATABASE {source.name} SET default_transaction_read_only = off;"
                   f"ALTER ROLE {none} SET default_transaction_read_only = off;"
                   f"ALTER ROLE {none} IN DATABASE {source.name} SET default_transaction_read_only = on")
    mine = plan(cutover=APPROVAL)
    try:
        found = godwit("check", mine, "--sample", "0s", "--format", "json", code=4).json()["findings"]
        own_settings = [f for f in found if f["code"] == "G213"]
        assert [f["object"] for f in own_settings] == [everywhere, here], own_settings
        for finding in own_settings:
            source.execute(finding["remedy"])
        running = godwit.start("apply", mine)
        running.wait_for(WAITING, timeout=120)
        source.execute(own)
        godwit("approve", mine, code=0)
        ended = running.wait(60, code=4)
        assert f"role {everywhere} has" in ended.err and "Nothing is fenced" in ended.err, ended.err
        source.execute("INSERT INTO t VALUES (2)")
    finally:
        for database in (source, target):
            for role in roles:
                if database.value("SELECT count(*) FROM pg_roles WHERE rolname = %s", (role,)):
                    database.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("method", ["lock", "read_only"])
def test_a_prepared_transaction_stops_the_cutover(method, source, target, plan, godwit):
    """One that is prepared while the engine replicates: the cutover does not switch; later it does, with its rows."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mine = plan(cutover={**APPROVAL, "max_downtime": "10s", "stop_writes": {"method": method, "grace": "2s"}})
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    with source.connect() as connection:
        connection.execute(f"BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION '{source.name}'")
    try:
        godwit("approve", mine, code=0)
        result = running.wait()
        assert result.code != 0 and "prepared" in result.err and source.name in result.err, result.err
        godwit("apply", mine, "--exit-at-gate", code=6)  # it can replicate all the same
    finally:
        source.execute(f"COMMIT PREPARED '{source.name}'")
    source.execute("INSERT INTO t VALUES (2)")
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    harness.assert_same(source, target)
    assert target.value("SELECT count(*) FROM t") == 2


class Queued:
    """Clients whose INSERT waits at the fence; each notes whether it was told that it committed."""

    def __init__(self, source, count=8):
        self._source = source
        self._ending = threading.Event()
        self.committed = set()
        self.refused = set()
        self.unknown = set()
        self._threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def _work(self, worker):
        number = worker * 1_000_000
        connection = None
        while not self._ending.is_set():
            number += 1
            try:
                connection = connection or self._source.connect()
                connection.execute("INSERT INTO t VALUES (%s, 'client')", (number,))
                self.committed.add(number)
                self._ending.wait(0.01)  # the fence is what they are to meet, not a backlog
            except psycopg.OperationalError:  # terminated: the statement may have committed
                self.unknown.add(number)
                connection = None
                self._ending.wait(0.1)
            except psycopg.Error:  # refused
                self.refused.add(number)
                self._ending.wait(0.05)

    def stop(self):
        """End the clients."""
        self._ending.set()
        for thread in self._threads:
            thread.join(60)


@pytest.mark.parametrize("method", ["lock", "read_only"])
def test_a_queued_insert_does_not_commit(method, source, target, plan, godwit):
    """INSERTs that wait at the fence get an error: after the cutover the source has no row more than the target."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    mine = plan(cutover={**APPROVAL, "stop_writes": {"method": method}})
    clients = Queued(source)
    try:
        godwit("apply", mine, "--exit-at-gate", code=6)
        godwit("approve", mine, code=0)
        godwit("cutover", mine, code=0)
    finally:
        clients.stop()
    assert clients.refused or clients.unknown, "nobody met the fence"
    there = {number for number, in target.query("SELECT id FROM t")}
    assert not clients.committed - there, "committed on the source, lost"
    assert not clients.refused & there, "refused on the source, and yet there"
    harness.assert_same(source, target)


def test_a_write_behind_the_marker_rolls_back(source, target, plan, godwit, proxy):
    """A client that overrides read_only writes through the whole cutover: it does not switch, and nothing is lost."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    mine = plan(cutover={**APPROVAL, "max_downtime": "10s", "stop_writes": {"method": "read_only", "grace": "3s"}})
    godwit("apply", mine, "--exit-at-gate", code=6)
    godwit("approve", mine, code=0)
    ending = threading.Event()
    written = []

    def override():
        number = 0
        while not ending.is_set():
            with contextlib.suppress(psycopg.Error), source.connect() as connection:
                while not ending.is_set():
                    number += 1
                    connection.execute("BEGIN READ WRITE")
                    connection.execute("INSERT INTO t VALUES (%s, 'override')", (number,))
                    connection.execute("COMMIT")
                    written.append(number)

    client = threading.Thread(target=override, daemon=True)
    client.start()
    try:
        slow = proxy(source)  # so that there is time to write between the marker and the switch
        slow.delay(0.02)
        result = godwit("cutover", mine.via(source=slow))
    finally:
        ending.set()
        client.join(60)
    assert result.code == 10, result.err
    source.execute("INSERT INTO t VALUES (0, 'writable again')")
    godwit("approve", mine, code=0)
    godwit("cutover", mine, code=0)
    harness.assert_same(source, target)
    assert not set(written) - {number for number, in target.query("SELECT id FROM t")}


class Beginner:
    """A client whose session takes a second to begin: the settings are read, and no list of sessions has it yet."""

    def __init__(self, database):
        self._database = database
        self._connection = None
        self._thread = threading.Thread(target=self._begin, daemon=True)
        self._thread.start()
        database.wait_until("SELECT count(*) > 0 FROM pg_locks AS l WHERE l.locktype = 'object' AND NOT EXISTS "
                            "(SELECT FROM pg_stat_activity AS a WHERE a.pid = l.pid AND a.datid IS NOT NULL)")

    def _begin(self):
        with contextlib.suppress(psycopg.Error):
            self._connection = psycopg.connect(self._database.conninfo(), options="-c post_auth_delay=1",
                                               autocommit=True)

    def write(self, statement):
        """Whether it can."""
        self._thread.join(60)
        try:
            self._connection.execute(statement)
        except (AttributeError, psycopg.OperationalError):  # it was ended
            return False
        return True


@contextlib.contextmanager
def waiting_at(step, target):
    """The engine waits at this step for as long as the body takes."""
    with target.connect() as holder:
        holder.execute("SET application_name = 'godwit test'")  # the fence leaves it alone
        holder.execute("SET default_transaction_read_only = off")
        holder.execute("BEGIN")
        holder.execute("INSERT INTO godwit.step (run, step, state) SELECT id, %s, 'running' FROM godwit.run "
                       "ON CONFLICT (run, step) DO UPDATE SET state = 'running'", (step,))
        yield
        holder.execute("ROLLBACK")


def test_sessions_that_are_beginning_learn_of_the_fence(source, target, plan, godwit):
    """One that read the database's setting before it changed, and is in no list of sessions then, does not live with
    it: not read-only behind a rollback, and not writing to a source whose writes nobody reads any more."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    mine = plan(cutover={"gates": {"stable_for": "100ms"}})
    running = godwit.start("apply", mine)
    running.wait_for(r"\[catchup\] done", timeout=120)
    with waiting_at("cutover.drain", target):
        running.wait_for(r"\[cutover.source_fence\] done")
        beginner = Beginner(target)
        running.send_signal(signal.SIGINT)
        running.wait(code=10)
    beginner.write("CREATE TABLE elsewhere ()")  # it may, or is ended: never "read-only transaction"
    running = godwit.start("apply", mine)
    running.wait_for(r"\[catchup\] done", timeout=120)
    with waiting_at("cutover.switch", target):
        running.wait_for(r"\[cutover.verify\] done")
        beginner = Beginner(source)
    running.wait(code=0)
    assert not beginner.write("INSERT INTO t VALUES (2)")
    harness.assert_same(source, target, exclude=["public.elsewhere"])


PREPARES = """#!/usr/bin/python3
import os
import psycopg
with psycopg.connect(os.environ["SOURCE"], autocommit=True) as connection:
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t VALUES (1)")
    connection.execute("PREPARE TRANSACTION 'last_of_" + connection.info.dbname + "'")
"""


def test_what_is_prepared_while_the_writers_stop(source, target, plan, godwit):
    """The command that stops them has one left open: it could commit when nobody reads any more; no switch."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mine = plan()
    hook = mine.path.parent / "stop.py"
    hook.write_text(PREPARES, encoding="utf-8")
    hook.chmod(0o755)
    mine.change(cutover={"stop_writes": {"method": "command", "run": ["./stop.py"], "undo": ["/bin/true"],
                                         "env": ["SOURCE"]}})
    prepared = f"last_of_{source.name}"
    ended = godwit("apply", mine)
    source.execute(f"COMMIT PREPARED '{prepared}'")
    assert prepared in ended.check(10).err
    mine.change(cutover={"stop_writes": {"run": ["/bin/true"]}})
    godwit("apply", mine, "--accept-changes", code=0)
    harness.assert_same(source, target)
