"""What scenario tests are written with: databases, plans, the engine as a process, comparison.

    def test_it(source, target, plan, godwit):
        source.execute("CREATE TABLE t (id int PRIMARY KEY)")
        godwit("apply", plan(select={"tables": ["public.t"]}), code=0)
        harness.assert_same(source, target)

Nothing here uses godwit's own code, so that a comparison proves something. Writer is in writer.py.
"""
import contextlib
import copy
import dataclasses
import json
import os
import pathlib
import pty
import re
import secrets
import select
import signal
import subprocess
import termios
import threading
import time

import psycopg
import yaml
from psycopg import sql

import cluster as lab
from writer import Writer  # noqa: F401  (part of this module's interface)

REPO = lab.REPO
SANITIZER_STATUS = 99
SANITIZERS = {
    "ASAN_OPTIONS": f"exitcode={SANITIZER_STATUS}:detect_leaks=1:quarantine_size_mb=16",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": f"exitcode={SANITIZER_STATUS}:second_deadlock_stack=1",
}
TAIL = 6000
# The engine dies when the source's last change is in and the target is the primary, but still closed.
BEHIND_THE_SWITCH = {"GODWIT_FAULT": "target:statement=RESET default_transaction_read_only:1:kill"}
PATIENT = ("-c statement_timeout=0 -c lock_timeout=0"
           " -c idle_in_transaction_session_timeout=0")


def godwit_bin():
    """The engine under test: GODWIT_BIN, or the last one built."""
    return pathlib.Path(os.environ.get("GODWIT_BIN", REPO / "build" / "godwit")).resolve()


# ---- databases ----------------------------------------------------------------------------------


class Database:
    """One database on a lab server."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name

    @classmethod
    def create(cls, cluster, extensions=(), prefix="db"):
        """Create a database with a random name, and extensions in it."""
        made = cls(cluster, f"{prefix}_{secrets.token_hex(4)}")
        cluster.create_database(made.name, extensions)
        return made

    @property
    def port(self):
        """The server's port."""
        return self.cluster.port

    def conninfo(self, user="postgres", port=None, **more):
        """A connection string; port may be a proxy's."""
        return self.cluster.conninfo(self.name, user, port, **more)

    def connect(self, **options):
        """A psycopg connection, in autocommit unless asked otherwise.

        Timeouts that a test sets on the database do not reach it: it is the test's own instrument.
        """
        return self.cluster.connect(self.name, options=PATIENT, **options)

    def execute(self, script, params=None):
        """Run statements; a script of several is one transaction when it has no parameters."""
        with self.connect() as connection:
            connection.execute(script, params)

    def query(self, statement, params=None):
        """All rows of a query, as tuples."""
        with self.connect() as connection:
            return connection.execute(statement, params).fetchall()

    def value(self, statement, params=None):
        """The one value of a query."""
        rows = self.query(statement, params)
        assert len(rows) == 1 and len(rows[0]) == 1, f"not one value: {rows!r}"
        return rows[0][0]

    def wait_until(self, statement, params=None, timeout=60):
        """Run a query until its one value is true. The target's fence may end the session that asks."""
        end = time.monotonic() + timeout
        value = None
        while True:
            try:
                value = self.value(statement, params)
            except psycopg.OperationalError as e:
                if "due to administrator command" not in str(e):
                    raise
            if value:
                return
            assert time.monotonic() < end, f"after {timeout} s still {value!r}: {statement}"
            time.sleep(0.1)

    def psql(self, script=None, file=None):
        """Run a script with psql."""
        return self.cluster.psql(script, self.name, file)

    def drop(self):
        """Drop it with its sessions and slots."""
        self.cluster.drop_database(self.name)


# ---- plans --------------------------------------------------------------------------------------


def _merged(base, changes):
    """base with changes merged into it; a value of None takes a key out, lists are replaced."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = _merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


class Plan:
    """A plan file and the environment that it names (SOURCE and TARGET, connection strings)."""

    def __init__(self, path, keys, env):
        self.path = pathlib.Path(path)
        self.keys = keys
        self.env = env

    @classmethod
    def write(cls, path, source, target, keys):
        """Write a plan; keys are merged into one that runs through to the cutover unasked."""
        base = {
            "version": 1,
            "name": f"t_{secrets.token_hex(4)}",
            "source": {"kind": "self_hosted", "conninfo_env": "SOURCE"},
            "target": {"kind": "self_hosted", "conninfo_env": "TARGET"},
            "tools": {"pg_bin": str(lab.pg_bin("pg17").resolve())},
            "select": {"schemas": ["public"]},
            "cutover": {"gates": {"stable_for": "100ms"}, "approval": {"required": False}},
        }
        made = cls(path, _merged(base, keys),
                   {"SOURCE": source.conninfo(), "TARGET": target.conninfo()})
        made.save()
        return made

    @property
    def name(self):
        """The plan's name."""
        return self.keys["name"]

    def save(self):
        """Write the keys to the file."""
        self.path.write_text(yaml.safe_dump(self.keys, sort_keys=False, allow_unicode=True),
                             encoding="utf-8")

    def change(self, **keys):
        """Edit the file, as somebody does between two runs."""
        self.keys = _merged(self.keys, keys)
        self.save()

    def via(self, source=None, target=None):
        """The same plan with one or both endpoints reached through a proxy."""
        env = dict(self.env)
        for name, proxy in (("SOURCE", source), ("TARGET", target)):
            if proxy is not None:
                env[name] = psycopg.conninfo.make_conninfo(env[name], port=proxy.port)
        return Plan(self.path, self.keys, env)

    def __str__(self):
        return str(self.path)


# ---- the engine ---------------------------------------------------------------------------------


@dataclasses.dataclass
class Result:
    """How a run of the engine ended."""

    args: list
    code: int
    out: str
    err: str

    def json(self):
        """stdout as JSON."""
        return json.loads(self.out)

    def check(self, code=None):
        """Fail on a sanitizer's report, and on another exit status than this one."""
        text = (f"{' '.join(self.args)}\nexit status {self.code}\n--- stdout\n{self.out[-TAIL:]}\n"
                f"--- stderr\n{self.err[-TAIL:]}")
        assert self.code != SANITIZER_STATUS and "runtime error: " not in self.err, \
            f"a sanitizer complains: {text}"
        assert code is None or self.code == code, f"expected exit status {code}: {text}"
        return self


class Running:
    """The engine in the background; its lines are kept as they come."""

    def __init__(self, args, env, cwd):
        self.args = [str(arg) for arg in args]
        self._lines = {"out": [], "err": []}
        self._news = threading.Condition()
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            self.args, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
        self._readers = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in (("out", self.process.stdout), ("err", self.process.stderr))]
        for reader in self._readers:
            reader.start()

    def _read(self, name, stream):
        with stream:
            for line in stream:
                with self._news:
                    self._lines[name].append(line)
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def out(self):
        """stdout so far."""
        return "".join(self._lines["out"])

    @property
    def err(self):
        """stderr so far."""
        return "".join(self._lines["err"])

    @property
    def pid(self):
        """The engine's process id."""
        return self.process.pid

    def running(self):
        """Whether it still runs."""
        return self.process.poll() is None

    def wait_for(self, pattern, timeout=60, new=False):
        """Wait for a line of either stream that the pattern is found in; return its match.

        new=True looks only at lines that come after the call.
        """
        expression = re.compile(pattern)
        end = time.monotonic() + timeout
        with self._news:
            seen = {name: len(lines) if new else 0 for name, lines in self._lines.items()}
            while True:
                for name, lines in self._lines.items():
                    for line in lines[seen[name]:]:
                        match = expression.search(line)
                        if match:
                            return match
                    seen[name] = len(lines)
                ended = not any(reader.is_alive() for reader in self._readers)
                assert not ended, f"{self._told()}\nended without a line like {pattern!r}"
                left = end - time.monotonic()
                assert left > 0, f"{self._told()}\nno line like {pattern!r} after {timeout} s"
                self._news.wait(min(left, 0.2))

    def _told(self):
        return (f"{' '.join(self.args)}\n--- stdout\n{self.out[-TAIL:]}\n"
                f"--- stderr\n{self.err[-TAIL:]}")

    def send_signal(self, number):
        """Send it a signal."""
        self.process.send_signal(number)

    def kill9(self):
        """SIGKILL the engine, not the tools it may have started; wait until it is gone."""
        self.process.kill()
        return self._result(30)

    def wait(self, timeout=120, code=None):
        """Wait for its end; a Result, checked against the exit status if one is given."""
        try:
            return self._result(timeout).check(code)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            raise AssertionError(f"still running after {timeout} s: {self._told()}") from None

    def _result(self, timeout):
        if self.running():  # wait(timeout) alone looks every 50 ms
            end = os.pidfd_open(self.pid)
            try:
                select.select([end], [], [], timeout)
            finally:
                os.close(end)
        code = self.process.wait(0.1)
        for reader in self._readers:
            reader.join(5)
        return Result(self.args, code, self.out, self.err)

    def end(self):
        """End it and everything it started. The number of an engine that ended may be another process's by now, but not
        while something that it started is left."""
        if self.running() or not pathlib.Path(f"/proc/{self.pid}").exists():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(30)


class Godwit:
    """Runs the engine. A Plan among the arguments also brings its environment."""

    def __init__(self, binary):
        self.binary = pathlib.Path(binary)
        self._started = []

    def _prepare(self, args, env):
        assert self.binary.exists(), f"no {self.binary}: run `make build`"
        full = {name: value for name, value in os.environ.items()
                if not name.startswith(("PG", "GODWIT_")) and name not in ("SOURCE", "TARGET", "NO_COLOR")}
        full.update(SANITIZERS)
        full["LC_ALL"] = "C.UTF-8"
        for arg in args:
            if isinstance(arg, Plan):
                full.update(arg.env)
        full.update({name: str(value) for name, value in (env or {}).items()})
        return [str(self.binary), *map(str, args)], full

    def __call__(self, *args, code=None, env=None, timeout=180, cwd=None):
        """Run to the end; a Result, checked against the exit status if one is given."""
        return self.start(*args, env=env, cwd=cwd).wait(timeout, code)

    def start(self, *args, env=None, cwd=None):
        """Start in the background."""
        command, full = self._prepare(args, env)
        self._started.append(Running(command, full, cwd))
        return self._started[-1]

    def on_terminal(self, *args, answer="", code=None, env=None, cwd=None):
        """Run to the end with a terminal as standard input and error; a Result without the answer's echo."""
        command, full = self._prepare(args, {"TERM": "xterm", **(env or {})})
        ours, its = pty.openpty()
        modes = termios.tcgetattr(its)
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(its, termios.TCSANOW, modes)
        os.write(ours, answer.encode())
        told = bytearray()
        with subprocess.Popen(command, env=full, cwd=cwd, stdin=its, stderr=its, stdout=subprocess.PIPE) as process:
            os.close(its)
            with contextlib.suppress(OSError):  # EIO: nobody holds the other end any more
                while some := os.read(ours, 1 << 16):
                    told += some
            out = process.stdout.read().decode()
        os.close(ours)
        return Result(command, process.returncode, out, told.decode().replace("\r\n", "\n")).check(code)

    def end_all(self):
        """End whatever a test left running."""
        for one in self._started:
            one.end()


# ---- comparison ---------------------------------------------------------------------------------

PINNED = """
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET client_encoding = 'UTF8'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';
SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex';
SET xmloption = 'content'; SET lc_monetary = 'C'; SET row_security = off;
SET search_path = pg_catalog; SET statement_timeout = 0;
"""

TABLES = """
SELECT n.nspname, c.relname, c.oid,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
   AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname NOT LIKE '\\_timescaledb\\_%%'
   AND n.nspname NOT IN ('information_schema', 'godwit', 'timescaledb_information',
                         'timescaledb_experimental')
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s))
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1, 2
"""

SEQUENCES = """
SELECT n.nspname, c.relname
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND c.relpersistence <> 't'
   AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname NOT LIKE '\\_timescaledb\\_%%'
   AND n.nspname NOT IN ('information_schema', 'godwit', 'timescaledb_information',
                         'timescaledb_experimental')
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s))
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1, 2
"""


@dataclasses.dataclass
class Comparison:
    """What compare() found."""

    tables: int = 0
    rows: int = 0
    sequences: int = 0
    differences: list = dataclasses.field(default_factory=list)


def _row_text(columns):
    return sql.SQL("ROW({})::text").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c)) for c in columns))


def _digest(connection, name, columns):
    """Row count and an order-free sum over the rows' hashes."""
    return connection.execute(sql.SQL(
        "SELECT count(*), sum(('x' || substr(h, 1, 16))::bit(64)::bigint::numeric),"
        " sum(('x' || substr(h, 17, 16))::bit(64)::bigint::numeric)"
        " FROM (SELECT md5({}) AS h FROM {}) AS hashed"
    ).format(_row_text(columns), sql.Identifier(*name))).fetchone()


def _different_rows(connections, name, columns):
    """A few rows that are on one side only, of tables small enough to look at."""
    sides = []
    for connection, table in zip(connections, name):
        rows = connection.execute(sql.SQL("SELECT {} FROM {} LIMIT 300000").format(
            _row_text(columns), sql.Identifier(*table))).fetchall()
        counted = {}
        for (row,) in rows:
            counted[row] = counted.get(row, 0) + 1
        sides.append(counted)
    found = []
    for label, mine, other in (("source", *sides), ("target", *reversed(sides))):
        only = [row for row, times in mine.items() if times > other.get(row, 0)]
        found += [f"    only on the {label}: {row[:300]}" for row in sorted(only)[:5]]
    return found


def compare(source, target, schemas=None, exclude=(), renamed=None, sequences=True):
    """Compare every user table's rows, and the sequences, of two quiet databases.

    exclude and renamed name tables as "schema.table"; renamed maps a source's name to the target's.
    Partitioned tables count as one table. A table that only one side has is a difference.
    """
    result = Comparison()
    renamed = renamed or {}
    with source.connect(autocommit=False) as left, target.connect(autocommit=False) as right:
        for connection in (left, right):
            connection.execute(PINNED)
            connection.commit()
        listed = [
            {f"{schema}.{table}": (schema, table, columns)
             for schema, table, _, columns in
             connection.execute(TABLES, {"schemas": schemas}).fetchall()}
            for connection in (left, right)]
        wanted = set(listed[0]) - set(exclude)
        arrived = {renamed.get(name, name) for name in wanted}
        for extra in sorted(set(listed[1]) - arrived - set(exclude)):
            result.differences.append(f"{extra}: only on the target")
        for name in sorted(wanted):
            _compare_table(result, (left, right), listed, name, renamed.get(name, name))
        if sequences:
            _compare_sequences(result, (left, right), schemas, exclude)
    return result


def _compare_table(result, connections, listed, name, target_name):
    if target_name not in listed[1]:
        result.differences.append(f"{name}: {target_name} is not on the target")
        return
    schema, table, columns = listed[0][name]
    other_schema, other_table, other_columns = listed[1][target_name]
    if columns != other_columns:
        result.differences.append(f"{name}: columns {columns} here, {other_columns} on the target")
        return
    names = ((schema, table), (other_schema, other_table))
    digests = [_digest(connection, one, columns) for connection, one in zip(connections, names)]
    result.tables += 1
    result.rows += digests[0][0]
    if digests[0] != digests[1]:
        result.differences.append("\n".join(
            [f"{name}: {digests[0][0]} rows on the source, {digests[1][0]} on the target",
             *_different_rows(connections, names, columns)]))


def _compare_sequences(result, connections, schemas, exclude):
    states = []
    for connection in connections:
        names = connection.execute(SEQUENCES, {"schemas": schemas}).fetchall()
        states.append({
            f"{schema}.{name}": connection.execute(
                sql.SQL("SELECT last_value, is_called FROM {}").format(
                    sql.Identifier(schema, name))).fetchone()
            for schema, name in names})
    for name in sorted(set(states[0]) | set(states[1])):
        if name in exclude:
            continue
        result.sequences += 1
        left, right = (side.get(name) for side in states)
        if left != right:
            result.differences.append(
                f"sequence {name}: {left} on the source, {right} on the target")


def assert_same(source, target, **options):
    """Fail with the list of differences between two databases; returns the Comparison."""
    found = compare(source, target, **options)
    assert not found.differences, "\n".join(found.differences)
    assert found.tables > 0, "there was no table to compare"
    return found
