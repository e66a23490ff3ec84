"""examples/gitops: review, approve, apply, cut over; what moved since the review is refused with 12, by name.

The script and the plan of the example run as they are, on real servers, in a copy of their folder.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

import cluster as lab
import harness

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "gitops"

SCHEMA = """
CREATE SCHEMA shop;
CREATE TABLE shop.payment (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount numeric(12,2) NOT NULL,
                           paid_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE shop.refund (id int PRIMARY KEY, payment_id bigint NOT NULL REFERENCES shop.payment, why text);
CREATE INDEX refund_payment ON shop.refund (payment_id);
CREATE FUNCTION shop.total() RETURNS numeric LANGUAGE sql STABLE AS 'SELECT sum(amount) FROM shop.payment';
INSERT INTO shop.payment (amount) SELECT i / 4.0 FROM generate_series(1, 2000) AS i;
INSERT INTO shop.refund SELECT i, i * 3, 'torn' FROM generate_series(1, 300) AS i;
"""


class Repository:
    """A copy of the example's folder, its servers in the environment."""

    def __init__(self, path, source, target):
        shutil.copytree(EXAMPLE, path)
        self.path = path
        self.pinned = path / "migration.pinned"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "GODWIT_"))}
        self.env.update(harness.SANITIZERS, SOURCE=source.conninfo(), TARGET=target.conninfo(),
                        GODWIT_BIN=str(harness.godwit_bin()), LC_ALL="C.UTF-8",
                        PATH=f"{lab.pg_bin('pg17').resolve()}:{os.environ['PATH']}")

    def __call__(self, *args, code=0, **env):
        done = subprocess.run([self.path / "gitops.sh", *args], env=dict(self.env, **env), capture_output=True,
                              text=True, timeout=180, check=False)
        assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def review(self):
        """The fingerprint that the review prints."""
        return re.search(r"^fingerprint (\w{64})$", self("review"), re.M).group(1)

    def change(self, old, new):
        """Edit the plan."""
        plan = self.path / "plan.yaml"
        text = plan.read_text()
        assert old in text
        plan.write_text(text.replace(old, new))


@pytest.fixture
def repository(source, target, tmp_path):
    """The example over a small shop."""
    source.execute(SCHEMA)
    return Repository(tmp_path / "repository", source, target)


def test_the_whole_way(repository, source, target):
    """review -> approve -> apply (again and again) -> cutover; nothing is applied that was not approved."""
    repository("apply", code=6)
    fingerprint = repository.review()
    assert "LOCK TABLE" in (repository.path / "review.sql").read_text()
    assert "copy:shop.payment" in (repository.path / "review.txt").read_text()
    repository("apply", code=6)
    repository("approve", "0123456789ab", code=12)
    repository("approve", fingerprint[:11], code=64)
    repository("approve", fingerprint[:12])
    assert target.value("SELECT to_regnamespace('godwit') IS NULL")
    assert "waits for its approval" in repository("apply")
    source.execute("INSERT INTO shop.payment (amount) VALUES (7)")
    assert "waits for its approval" in repository("apply")  # its own run is no move
    source.execute("CREATE INDEX unseen ON shop.payment (paid_at)")  # what nobody reviewed is not built
    said = repository("apply", code=12)
    assert "source: new: index unseen of shop.payment" in said and "graph: new: step index:shop.unseen" in said
    source.execute("DROP INDEX shop.unseen")
    repository("cutover")
    harness.assert_same(source, target, schemas=["shop"])
    assert "nothing to do" in repository("apply")


def test_another_plan_is_refused(repository, target):
    """A plan changed after the review: 12 with the key, old and new; the same for another pinned plan."""
    repository("approve", repository.review())
    repository.change("table_jobs: 2", "table_jobs: 3")
    said = repository("apply", code=12)
    assert "plan.yaml changed since the plan was pinned" in said
    assert "copy.table_jobs: 2 -> 3" in said
    repository.review()
    assert "another migration.pinned was approved" in repository("apply", code=12)
    repository.change("name: gitops", "nome: gitops")
    assert "did you mean \"name\"" in repository("review", code=3)
    assert "and is not valid" in subprocess.run([harness.godwit_bin(), "apply", repository.pinned], env=repository.env,
                                                capture_output=True, text=True, check=False).stderr
    assert target.value("SELECT to_regnamespace('godwit') IS NULL")


MOVES = [
    ("ALTER TABLE shop.payment ALTER amount TYPE numeric(14,2)",
     "source: column amount of shop.payment: numeric(12,2) not null -> numeric(14,2) not null"),
    ("ALTER TABLE shop.refund ADD note text", "source: new: column note of shop.refund (text)"),
    ("ALTER TABLE shop.refund ALTER why SET DEFAULT 'lost'",
     "source: column why of shop.refund: text -> text default 'lost'::text"),
    ("DROP INDEX shop.refund_payment", "source: gone: index refund_payment of shop.refund (CREATE INDEX"),
    ("ALTER TABLE shop.refund REPLICA IDENTITY FULL",
     "source: replica identity of shop.refund: default -> full"),
    ("CREATE TABLE shop.later (id int PRIMARY KEY)", "source: new: table shop.later (logged"),
    ("CREATE OR REPLACE FUNCTION shop.total() RETURNS numeric LANGUAGE sql STABLE AS 'SELECT 1.0'",
     "source: function shop.total(): md5 "),
    ("REVOKE DELETE ON shop.payment FROM postgres",
     "source: owner and privileges of shop.payment: postgres -> postgres {postgres="),
    ("CREATE TYPE shop.mood AS ENUM ('good', 'bad')", "source: new: type shop.mood (good, bad)"),
]


def test_a_moved_catalog_is_refused(repository, source, target):
    """Each object that moves on the source is named with what it was and is; nothing is written. Undone, it runs."""
    repository("approve", repository.review())
    source.execute("CREATE TABLE public.elsewhere (id int); ANALYZE shop.payment")  # nobody selected it
    for statement, _ in MOVES:
        source.execute(statement)
    said = repository("apply", code=12)
    assert "the source and the graph changed since the plan was pinned" in said
    for statement, move in MOVES:
        assert move in said, f"{statement}\n{said}"
    assert "graph: new: step copy:shop.later" in said
    assert "public.elsewhere" not in said
    target.execute("CREATE SCHEMA shop; CREATE TABLE shop.in_the_way (a int)")
    assert "target: new: table shop.in_the_way" in repository("apply", code=12)
    assert target.value("SELECT to_regnamespace('godwit') IS NULL")
    assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0


def test_other_moves_are_refused(repository, source, target, godwit, database):
    """An edited file, another database, another engine, a run that went on by another way; and show needs no server."""
    fingerprint = repository.review()
    pinned, env = repository.pinned, {name: repository.env[name] for name in ("SOURCE", "TARGET", "PATH")}
    whole = pinned.read_text()
    pinned.write_text(whole.replace("shop.refund", "shop.refunt", 1))
    for command in ("apply", "show", "plan", "status"):
        assert "was changed after it was written" in godwit(command, pinned, env=env, code=12).err
    pinned.write_text(json.dumps(json.loads(whole)))  # layout is nothing
    assert fingerprint in godwit("show", pinned, code=0).out
    shown = godwit("show", pinned, "--format", "json", code=0).json()
    assert shown["plan"] == (repository.path / "plan.yaml").read_text()
    assert shown["pins"]["source_catalog"]["facts"] > 10 and shown["pins"]["journal"]["facts"] == 1
    other = database("pg17", prefix="other")
    assert "pinned for target" in godwit("apply", pinned, env=dict(env, TARGET=other.conninfo()), code=12).err
    for command in (("plan",), ("check",), ("graph", "--connect")):
        godwit(command[0], pinned, *command[1:], env=env, code=0)
    godwit("apply", repository.path / "plan.yaml", "--until", "schema_pre", env=env, code=0)
    said = godwit("apply", pinned, env=env, code=12).err
    assert "the target and the journal changed since the plan was pinned" in said
    assert re.search(r"journal: run: none -> \d+, running, epoch 1\n", said)
    assert "journal: new: step schema_pre (done)" in said
    # What is left of that run can be reviewed and pinned, too.
    godwit("plan", repository.path / "plan.yaml", "--out", pinned, env=env, code=0)
    assert "\n  = schema_pre: " in godwit("show", pinned, code=0).out
    godwit("apply", pinned, "--exit-at-gate", env=env, code=6)
    assert "drift" not in godwit("plan", pinned, env=env, code=0).out
    target.execute("DROP TABLE shop.refund")
    said = godwit("plan", pinned, env=env, code=0).out
    assert "\ndrift since the run was last applied\n  ! target: step schema_pre was done, but " in said
    assert "  ! target: step index:shop.refund_pkey was done, but what it made is not there any more\n" in said
    assert "step publication was done" not in said and "payment_pkey was done" not in said
    source.execute("ALTER TABLE shop.payment ADD late int")
    late = "source: new: column late of shop.payment (integer)"
    assert late in godwit("plan", repository.path / "plan.yaml", "--format", "json", env=env, code=0).json()["drift"]
    assert late in godwit("plan", pinned, env=env, code=12).err


def test_no_secret_is_pinned(repository, source, godwit):
    """Passwords of the connection strings, and settings that are secrets, are in nothing that review writes."""
    secret = "hunter2-Zt9"
    env = {name: f"{repository.env[name]} password={secret}" for name in ("SOURCE", "TARGET")}
    source.execute(f"ALTER DATABASE {source.name} SET app.jwt_secret = '{secret}'")
    repository("review", GODWIT_LOG_LEVEL="debug", **env)
    assert "\"jwt_secret\" TO '***" in (repository.path / "review.sql").read_text()
    for path in repository.path.glob("*"):
        assert path.is_dir() or secret not in path.read_text(), path
    result = godwit("plan", repository.path / "plan.yaml", "--format", "json", "--log-level", "debug", code=0,
                    env=dict(env, PATH=repository.env["PATH"]))
    assert secret not in result.out + result.err


def test_workflow():
    """The workflow is YAML that calls stages of the script, and keeps its secrets in secrets."""
    text = (EXAMPLE / ".github" / "workflows" / "migration.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"]
    called = [step["run"] for job in jobs.values() for step in job["steps"] if "gitops.sh" in step.get("run", "")]
    assert called == ["./gitops.sh review", "./gitops.sh apply", "./gitops.sh cutover"]
    for job in jobs.values():
        assert job["env"] == {"SOURCE": "${{ secrets.SOURCE }}", "TARGET": "${{ secrets.TARGET }}"}
