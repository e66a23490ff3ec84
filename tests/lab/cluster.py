"""Throw-away PostgreSQL servers of several versions, each in its own directory on its own port.

    with Cluster("pg17", settings={"max_replication_slots": 4}) as cluster:
        cluster.create_database("app")
        with cluster.connect("app") as connection:
            connection.execute("SELECT 1")

Flavors are pg10, pg13 (sources before 14), pg14, pg15, pg16, pg17 (with TimescaleDB) and pg18; their programs come
from `make lab`.
A server listens on 127.0.0.1, trusts everybody unless set_hba() says otherwise, never runs as root,
and is stopped by its own pid. It ends with the process that made it unless it is detached.
"""
import fcntl
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import psycopg

REPO = pathlib.Path(__file__).resolve().parents[2]
FLAVORS = ("pg10", "pg13", "pg14", "pg15", "pg16", "pg17", "pg18")
PORTS = range(21000, 29000)
PORT_LOCKS = pathlib.Path("/tmp/godwit-lab-ports")  # one for the machine, wherever TMPDIR is
SERVER_USER = "postgres"

DEFAULTS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "logical",
    "max_wal_senders": 10,
    "max_replication_slots": 10,
    "max_prepared_transactions": 10,
    "max_connections": 100,
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "jit": "off",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
TIMESCALEDB = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "timescaledb.max_background_workers": 4,
}


class LabError(RuntimeError):
    """The lab is not there, or a server did not do what it was asked."""


def lab_dir():
    """The directory that `make lab` filled; raises LabError with the command that provides it."""
    path = (REPO / os.environ.get("LAB_DIR", ".lab")).resolve()
    if not (path / "done").exists():
        raise LabError(f"there is no lab in {path}: run `make lab`")
    return path


def pg_bin(flavor="pg17"):
    """Directory of a flavor's programs; only pg15 and pg17 have clients (psql, pg_dump)."""
    return lab_dir() / flavor / "bin"


def _lock_port():
    """Choose a free port and lock it; return the port and the open lock file."""
    if not PORT_LOCKS.exists():
        PORT_LOCKS.mkdir(exist_ok=True)
        PORT_LOCKS.chmod(0o1777)
    for port in random.sample(PORTS, 400):
        try:
            lock = os.open(PORT_LOCKS / str(port), os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            return port, lock
        except OSError:
            os.close(lock)
    raise LabError("no free port")


def _children(pid):
    """The pids of a process's children."""
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _alive(pid):
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def _quoted(value):
    if isinstance(value, bool):
        value = "on" if value else "off"
    return "'" + str(value).replace("'", "''") + "'"


class Cluster:
    """One server. Its directory holds data/, server.log and cluster.json."""

    def __init__(self, flavor="pg15", settings=None, *, fsync=False, directory=None,
                 detached=False, start=True):
        """Make the data directory and start the server.

        settings override DEFAULTS; fsync=True where durability is the point; directory must be
        absent or empty (default: a temporary one, removed at stop); detached servers outlive us.
        """
        if flavor not in FLAVORS:
            raise LabError(f"no flavor {flavor!r}, there are: {', '.join(FLAVORS)}")
        self.flavor = flavor
        self.major = int(flavor[2:])
        self.detached = detached
        self.bin = pg_bin(flavor)
        self._process = None
        self._pid = None
        self._models = {}
        self._temporary = directory is None
        if directory is None:
            directory = tempfile.mkdtemp(prefix=f"godwit-{flavor}-")
        self.directory = pathlib.Path(directory).resolve()
        self.data = self.directory / "data"
        self.log_file = self.directory / "server.log"
        self.port, self._port_lock = _lock_port()
        self.settings = dict(DEFAULTS, fsync=fsync, full_page_writes=fsync, port=self.port)
        if flavor == "pg17":
            self.settings.update(TIMESCALEDB)
        if self.major < 11:
            del self.settings["jit"]
        self.settings.update(settings or {})
        self._make_data()
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()

    # ---- files ----------------------------------------------------------------------------------

    def _make_data(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        if any(self.directory.iterdir()):
            raise LabError(f"{self.directory} is not empty")
        template = lab_dir() / "template" / self.flavor
        self.directory.chmod(0o755)
        subprocess.run(["cp", "-a", "--reflink=auto", template, self.data], check=True)
        self._own(self.directory)
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write("\ninclude 'lab.conf'\n")
        self._write_settings()

    def _own(self, path):
        if os.geteuid() == 0:
            user = pwd.getpwnam(SERVER_USER)
            os.chown(path, user.pw_uid, user.pw_gid)

    def _write_settings(self):
        conf = self.data / "lab.conf"
        conf.write_text("".join(f"{name} = {_quoted(value)}\n"
                                for name, value in self.settings.items()), encoding="utf-8")
        self._own(conf)

    def set_hba(self, lines):
        """Replace pg_hba.conf by these lines and reload; lines=None trusts everybody again."""
        if lines is None:
            lines = ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
        (self.data / "pg_hba.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.reload()

    def log_text(self):
        """What the server has logged."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    # ---- process --------------------------------------------------------------------------------

    @property
    def pid(self):
        """The postmaster's pid, None when it does not run."""
        return self._pid

    def start(self, timeout_s=60):
        """Start the server and wait until it answers."""
        if self._pid is not None:
            raise LabError("the server runs already")
        command = [str(self.bin / "postgres"), "-D", str(self.data)]
        privileges = []
        if os.geteuid() == 0:
            privileges += ["--reuid", SERVER_USER, "--regid", SERVER_USER, "--init-groups"]
        if not self.detached:
            privileges += ["--pdeathsig", "QUIT"]
        if privileges:
            command = ["setpriv", *privileges, "--", *command]
        env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        with open(self.log_file, "ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=env, start_new_session=True, pass_fds=(self._port_lock,))
        self._pid = self._process.pid
        self._wait_ready(timeout_s)
        (self.directory / "cluster.json").write_text(json.dumps(
            {"flavor": self.flavor, "port": self.port, "pid": self._pid}), encoding="utf-8")

    def _wait_ready(self, timeout_s):
        end = time.monotonic() + timeout_s
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None:
                    self._pid = None
                    raise LabError(f"{self.flavor} did not start:\n{self.log_text()[-3000:]}") \
                        from error
                if time.monotonic() > end:
                    raise LabError(f"{self.flavor} does not answer after {timeout_s} s:\n"
                                   f"{self.log_text()[-3000:]}") from error
            time.sleep(0.05)

    def _end(self, signals):
        """Send each (signal, seconds to wait) in turn until the server has ended."""
        for number, wait_s in signals:
            self._process.send_signal(number)
            try:
                self._process.wait(wait_s)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            raise LabError(f"server {self._pid} does not end")
        self._pid = None

    def stop(self, mode="fast"):
        """Stop the server: smart, fast or immediate."""
        if self._pid is None:
            return
        first = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]
        self._end([(first, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)])

    def restart(self, mode="fast"):
        """Stop and start again on the same port; settings changed by set() are in force then."""
        self.stop(mode)
        self.start()

    def kill9(self):
        """SIGKILL the postmaster and all its processes, as a machine that loses power does.

        What was written without fsync survives in the kernel's cache; start() recovers.
        """
        family = _children(self._pid)
        self._end([(signal.SIGKILL, 10)])
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        end = time.monotonic() + 10
        while any(_alive(pid) for pid in family):
            if time.monotonic() > end:
                raise LabError("processes of the killed server are still there")
            time.sleep(0.02)

    def reload(self):
        """Let the server read its files again, and wait until a new session sees them."""
        if self._pid is None:
            return
        self._process.send_signal(signal.SIGHUP)
        time.sleep(0.3)

    def set(self, restart=False, **settings):
        """Change settings in the file, then reload or restart. A value of None takes it out."""
        self.settings.update(settings)
        self.settings = {name: value for name, value in self.settings.items() if value is not None}
        self._write_settings()
        if restart:
            self.restart()
        else:
            self.reload()

    def drop(self):
        """Stop the server; remove its directory if it is a temporary one."""
        self.stop("immediate" if self._temporary else "fast")
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)
        if self._port_lock is not None:
            os.close(self._port_lock)
            self._port_lock = None

    # ---- clients --------------------------------------------------------------------------------

    def conninfo(self, dbname="postgres", user="postgres", port=None, **more):
        """A connection string; port may be a proxy's."""
        return psycopg.conninfo.make_conninfo(
            "", host="127.0.0.1", port=port or self.port, dbname=dbname, user=user, **more)

    def connect(self, dbname="postgres", user="postgres", autocommit=True, **more):
        """A psycopg connection, in autocommit unless asked otherwise."""
        return psycopg.connect(self.conninfo(dbname, user, **more), autocommit=autocommit)

    def query(self, sql, params=None, dbname="postgres"):
        """Run one statement; return its rows, or None where it has none."""
        with self.connect(dbname) as connection:
            cursor = connection.execute(sql, params)
            return cursor.fetchall() if cursor.description else None

    def psql(self, sql=None, dbname="postgres", file=None):
        """Run a script with psql, stopping at the first error; return what it prints."""
        command = [pg_bin("pg17") / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
                   "-d", self.conninfo(dbname)]
        if file is not None:
            command += ["-f", file]
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"psql: {done.stderr}")
        return done.stdout

    def create_database(self, name, extensions=()):
        """Create a database, on pg17 with the extension timescaledb only if it is asked for.

        From the second one with the same extensions on, it is the copy of a model: to create one takes ten times as
        long.
        """
        extensions = tuple(extensions)
        if not extensions:
            self._copy_database(name)
        elif extensions not in self._models:
            self._models[extensions] = None
            self._make_database(name, extensions)
        else:
            if self._models[extensions] is None:
                self._models[extensions] = self._make_model(extensions)
            self._copy_database(name, self._models[extensions])
            if "timescaledb" in extensions:  # CREATE EXTENSION does so, too; else the launcher comes by when it likes
                self.query("SELECT _timescaledb_functions.start_background_workers()", dbname=name)

    def _copy_database(self, name, model=None):
        # TimescaleDB's launcher sends a worker to a template that is named: template1 would not be alone next time.
        text = "CREATE DATABASE {}" + (" TEMPLATE {}" if model else "")
        # A server of 15 and later writes every page to the WAL unless it is told to copy files, which 14 always does.
        text += " STRATEGY file_copy" if self.major > 14 else ""
        names = [psycopg.sql.Identifier(one) for one in (name, model) if one]
        self.query(psycopg.sql.SQL(text).format(*names))

    def _make_database(self, name, extensions):
        self._copy_database(name)
        with self.connect(name) as connection:
            for extension in extensions:
                connection.execute(psycopg.sql.SQL("CREATE EXTENSION {}").format(psycopg.sql.Identifier(extension)))

    def _make_model(self, extensions):
        """A database that nobody may enter, so that nobody is in it when it is copied."""
        name = f"model_{len(self._models)}"
        self._make_database(name, extensions)
        with self.connect() as connection:
            connection.execute(psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(
                psycopg.sql.Identifier(name)))
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        return name

    def drop_database(self, name):
        """Drop a database with its sessions and its logical slots."""
        with self.connect() as connection:
            drop_database(connection, name)


def drop_database(connection, name):
    """Drop a database with its sessions and slots. A walsender that was just ended holds its slot for a moment; before
    13 there is no WITH (FORCE), and workers come again."""
    force = connection.info.server_version >= 130000
    text = psycopg.sql.SQL("DROP DATABASE IF EXISTS {}" + (" WITH (FORCE)" if force else ""))
    for left in range(99, -1, -1):
        connection.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                           "WHERE database = %s AND active_pid IS NOT NULL", (name,))
        if not force:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                               "WHERE database = %s", (name,))
            connection.execute(text.format(psycopg.sql.Identifier(name)))
            return
        except (psycopg.errors.ObjectInUse, psycopg.errors.UndefinedObject):  # the latter: a temporary slot went
            if left == 0:
                raise
            time.sleep(0.05)


def stop_detached(directory):
    """Stop the server that a detached Cluster left in this directory; True if one ran."""
    directory = pathlib.Path(directory).resolve()
    data = directory / "data"
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return False
    if str(data).encode() not in command:
        return False
    for number, wait_s in ((signal.SIGINT, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            if not _alive(pid):
                return True
            time.sleep(0.05)
    raise LabError(f"server {pid} in {directory} does not end")
