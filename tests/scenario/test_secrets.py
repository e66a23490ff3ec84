"""No password appears anywhere: four ways to give one, each on both sides, all commands, at debug level too.

What is looked for is the middle of the password, which no way of quoting or percent-encoding changes.
"""
import json
import os
import pathlib
import threading
import urllib.parse

import psycopg
import pytest

import cluster as lab
import harness

CORE, WRONG = "K7vQ2mRd8s", "Wr0ngHx4Tq"
PASSWORD = f"a b/@:%{CORE}\\'=é"
JWT = f"jwt-{CORE}"
REFUSED = "timescaledb.max_tuples_decompressed_per_dml_transaction"
VALUE = "no-number-rf5Yb8"  # of a setting whose name does not say that it is a secret: `plan` shows it
WAYS = ("uri", "environment", "service", "passfile", "PGPASSWORD")
HOOK = '''#!/usr/bin/python3
"""Write down everything that came."""
import os, sys, time
with open("record", "a", encoding="utf-8") as record:
    print("hook", sys.argv, dict(os.environ), sys.stdin.read(), file=record)
time.sleep(0.1)
'''
TOOL = '''#!/bin/sh
{{ echo "tool {name}"; tr '\\0' '\\n' </proc/$$/environ; echo "$@"; }} >>{record}
exec {real} "$@"
'''


@pytest.fixture(scope="module")
def servers_with_passwords():
    """Two servers that let "mover", a superuser, in by its password only."""
    made = [lab.Cluster("pg15"), lab.Cluster("pg17")]
    for server in made:
        with server.connect() as connection:
            connection.execute(f"CREATE ROLE mover LOGIN SUPERUSER PASSWORD {lab_literal(PASSWORD)}")
        server.set_hba(["host all postgres 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256"])
    yield made
    for server in made:
        server.drop()


def lab_literal(text):
    """An SQL literal."""
    return psycopg.sql.Literal(text).as_string(None)


class Room:
    """A plan's directory: password files, tools that write down what they got, hooks, and what was said."""

    def __init__(self, path, databases):
        self.path = path
        self.databases = dict(zip(("source", "target"), databases))
        self.said = []
        self.ran = []  # of that, what commands said that carry the plan out, and their journal
        (path / "hook.py").write_text(HOOK, encoding="utf-8")
        (path / "hook.py").chmod(0o755)
        (path / "bin").mkdir()
        for name in ("pg_dump", "pg_restore"):
            tool = path / "bin" / name
            tool.write_text(TOOL.format(name=name, record=path / "record", real=lab.pg_bin("pg17") / name),
                            encoding="utf-8")
            tool.chmod(0o755)

    def endpoint(self, side, way, password=PASSWORD):
        """One side of a plan and the environment that belongs to it."""
        database = self.databases[side]
        variable = side.upper()
        where = {"host": "127.0.0.1", "port": str(database.port), "dbname": database.name, "user": "mover"}
        keys = {"kind": "self_hosted", "conninfo_env": variable}
        env = {variable: psycopg.conninfo.make_conninfo("", **where)}
        if way == "uri":
            env[variable] = (f"postgresql://mover:{urllib.parse.quote(password, safe='')}@127.0.0.1:{database.port}"
                             f"/{database.name}")
        elif way == "environment":
            env[variable] = psycopg.conninfo.make_conninfo("", password=password, **where)
        elif way == "service":
            file = self.path / "services.conf"
            with open(file, "a", encoding="utf-8") as services:
                lines = "".join(f"{name}={value}\n" for name, value in {**where, "password": password}.items())
                services.write(f"[{side}_{len(password)}]\n{lines}\n")
            keys = {"kind": "self_hosted", "service": f"{side}_{len(password)}", "conninfo_env": None}
            env = {"PGSERVICEFILE": file}
        elif way == "passfile":
            file = self.path / f"{side}_{len(password)}.pass"
            escaped = password.replace("\\", "\\\\").replace(":", "\\:")
            file.write_text(f"*:*:*:*:{escaped}\n", encoding="utf-8")
            file.chmod(0o600)
            keys["passfile"] = file.name
        else:
            env["PGPASSWORD"] = password
        return keys, env

    def plan(self, number, ways, password=PASSWORD, **keys):
        """A plan whose two sides give their passwords in these two ways."""
        source, from_env = self.endpoint("source", ways[0], password)
        target, to_env = self.endpoint("target", ways[1], password)
        made = harness.Plan.write(self.path / f"plan{number}.yaml", *self.databases.values(), {
            "source": source, "target": target, "tools": {"pg_bin": str(self.path / "bin")}, **keys})
        made.env = {**from_env, **to_env}
        return made

    def record(self):
        """What tools and hooks got."""
        file = self.path / "record"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def look(self, *words):
        """Nothing that was said or recorded holds a secret."""
        for text in (*self.said, self.record()):
            for word in words:
                assert word not in text, text[max(0, text.index(word) - 300):text.index(word) + 100]


class ProcessList:
    """What anybody sees of all processes' arguments, as long as it is open."""

    def __init__(self):
        self.seen = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self._end.wait(0.02):
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()


@pytest.fixture
def room(tmp_path, database, servers_with_passwords):
    """Two databases; the source's has a setting that is a secret."""
    old, new = servers_with_passwords
    source, target = database(old, prefix="secret"), database(new, ["timescaledb"], prefix="secret")
    source.execute("CREATE TABLE item (id int PRIMARY KEY, v text); INSERT INTO item VALUES (1, 'one'), (2, 'two');"
                   "CREATE VIEW v AS SELECT * FROM item;"
                   f"ALTER DATABASE {source.name} SET app.jwt_secret = '{JWT}';"
                   f"ALTER DATABASE {source.name} SET {REFUSED} = '{VALUE}'")
    return Room(tmp_path, (source, target))


def everything(database):
    """All rows of all tables of the journal."""
    tables = database.query("SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'r'"
                            " AND relnamespace = to_regnamespace('godwit')")
    return "\n".join(str(database.query(f"SELECT t::text FROM {table} AS t")) for (table,) in tables)


def look_all(room, godwit, plan):
    """Every command that only reads."""
    for arguments in (("validate", plan), ("validate", plan, "--format", "json"), ("graph", plan, "--connect"),
                      ("grants", plan, "--connect"), ("check", plan, "--sample", "0s"),
                      ("check", plan, "--sample", "0s", "--format", "json"),
                      ("check", plan, "--sample", "0s", "--format", "junit"), ("plan", plan),
                      ("plan", plan, "--format", "json"), ("plan", plan, "--format", "sql")):
        result = godwit(*arguments, "--log-level", "debug", code=0)
        room.said.append(result.out + result.err)


def run_all(room, godwit, plan, log_format):
    """A whole migration, command by command, at debug level; all that they print is kept."""
    target = room.databases["target"]
    pinned = room.path / f"{plan.path.stem}.pinned"

    def run(*arguments, code=0):
        result = godwit(*arguments, "--log-level", "debug", "--log-format", log_format, code=code,
                        env=plan.env)
        room.said.append(result.out + result.err)
        if arguments[0] in ("apply", "cutover", "status", "verify"):
            room.ran.append(room.said[-1])

    run("plan", plan, "--out", pinned)
    run("show", pinned)
    room.said.append(pinned.read_text(encoding="utf-8"))
    run("apply", pinned, "--exit-at-gate", code=6)
    run("status", plan)
    run("status", plan, "--format", "json")
    run("verify", plan)
    run("approve", plan)
    run("cutover", plan)
    room.ran.append(everything(target))
    room.said.append(room.ran[-1])
    assert "setting_refused" in room.said[-1]
    run("plan", plan)
    run("cleanup", plan, "--yes")
    run("apply", plan)
    assert target.value("SELECT count(*) FROM item") == 2


def hooks(name):
    """A hook that is a command."""
    return [{"id": name, "command": {"run": ["./hook.py"]}}]


def test_no_password_anywhere(room, godwit):
    """URI to service, hooks and notify; every command; tools, hooks and the process list get and show none."""
    plan = room.plan(1, ("uri", "service"), notify={"command": ["./hook.py"]}, steps=[
        {"id": "mine", "needs": ["copy"], "before": ["catchup"], "command": {"run": ["./hook.py"]}}],
        cutover={"approval": {"required": True}, "gates": {"stable_for": "100ms"}, "before_fence": hooks("fence")})
    with ProcessList() as processes:
        look_all(room, godwit, plan)
        run_all(room, godwit, plan, "text")
    room.look(CORE)
    record = room.record()
    assert record.count("tool pg_dump") > 1 and "tool pg_restore" in record and "PGPASSFILE=/proc/" in record
    for hook in ("'GODWIT_STEP': 'mine'", "'GODWIT_STEP': 'fence'", '"event":'):
        assert hook in record.replace('": "', '":"').replace('"event":"', '"event": "'), hook
    assert any(b"apply" in line for line in processes.seen)
    assert not [line for line in processes.seen if CORE.encode() in line]


def test_a_refused_setting_keeps_its_value(room, godwit):
    """Password file to environment; a setting that the target refuses is told by its name, without its value."""
    plan = room.plan(2, ("passfile", "environment"),
                     cutover={"approval": {"required": True}, "gates": {"stable_for": "100ms"}})
    run_all(room, godwit, plan, "json")
    room.look(CORE)
    said = "\n".join(room.ran)
    assert VALUE not in said
    assert f"the target refuses {REFUSED} of the database: " in said
    assert "invalid value for parameter" in said


def test_each_way_on_each_side(room, godwit):
    """Each way works on both sides, with pg_dump, too; a wrong password is refused (5) and not repeated."""
    for number, way in enumerate(WAYS):
        plan = room.plan(10 + number, (way, way))
        result = godwit("plan", plan, "--log-level", "debug", code=0)
        room.said.append(result.out + result.err)
        wrong = room.plan(20 + number, (way, way), password=f"x{PASSWORD}{WRONG}")
        for command in ("check", "plan", "apply", "status"):
            result = godwit(command, wrong, "--log-level", "debug", "--log-format", "json", code=5)
            assert "password authentication failed" in result.err
            room.said.append(result.out + result.err)
    for text in (f"postgresql://mover:{CORE}%zz@127.0.0.1/x", f"host=127.0.0.1 password='{CORE}", f"{CORE} = = x",
                 f"host=127.0.0.1 pasword={CORE}"):
        plan = room.plan(30, ("uri", "uri"))
        plan.env["SOURCE"] = text
        result = godwit("check", plan, "--log-level", "debug")
        assert result.code in (5, 64), result
        room.said.append(result.out + result.err)
    room.look(CORE, WRONG)


def test_init_writes_none(room, godwit):
    """A drafted plan names the variable, not what is in it; nor does a refusal."""
    _, env = room.endpoint("source", "uri")
    result = godwit("init", "--source-env", "SOURCE", "--log-level", "debug", env=env, code=0)
    room.said.append(result.out + result.err)
    assert "conninfo_env: SOURCE" in result.out
    room.said.append(json.dumps(os.listdir(room.path)))
    room.look(CORE)
