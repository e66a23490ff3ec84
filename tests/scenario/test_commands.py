"""The commands beside the main road: exit statuses, streams, formats."""
import json
import re

import harness
import pytest


def test_usage_errors(godwit):
    """A wrong command line is status 64, says what, and prints nothing on stdout."""
    for args, words in ((["frob"], "there is no command"), ([], "no command given"), (["apply"], "takes PLAN"),
                        (["rehearse", "x.yaml"], "is not in this version"),
                        (["plan", "x.yaml", "--bogus"], "has no option --bogus"),
                        (["plan", "-x"], "has no option -x"), (["--bogus"], "there is no command \"--bogus\""),
                        (["approve", "x.yaml", "--yes"], "has no option --yes"),
                        (["plan", "x.yaml", "--format", "xml"], "text|sql|json"),
                        (["status", "x.yaml", "--log-level", "loud"], "--log-level")):
        result = godwit(*args, code=64)
        assert words in result.err and result.out == "", args


def test_help_lists_every_command(godwit):
    """help names each command; help COMMAND shows its options; version is one line."""
    out = godwit("help", code=0).out
    for name in ("validate graph check plan show apply status approve verify cutover reset cleanup unlock schema"
                 " explain version help").split():
        assert f"  {name} " in out
        assert godwit("help", name, code=0).out.startswith(f"Usage: godwit {name}")
        assert godwit(name, "--help", code=0).out.startswith(f"Usage: godwit {name}")
    assert godwit("version", code=0).out.startswith("godwit ")
    assert godwit("plan", "-h", code=0).out == godwit("help", "plan", code=0).out
    assert godwit("--help", code=0).out == godwit("-h", code=0).out == out
    assert godwit("--version", code=0).out == godwit("version", code=0).out


def test_explain_has_every_code(godwit):
    """explain without a code lists them; each has a page; an unknown one is a usage error."""
    codes = [line.split()[0] for line in godwit("explain", code=0).out.splitlines()]
    assert {"E050", "E100", "P101", "G101"} <= set(codes) and codes == sorted(codes)
    for code in ("E140", "G201", "P102"):
        assert godwit("explain", code, code=0).out.startswith(code)
    godwit("explain", "Z999", code=64)
    assert "GODWIT_LOG_LEVEL is debug" in godwit("version", env={"GODWIT_LOG_LEVEL": "loud"}, code=64).err


def test_colors(godwit):
    """Severities and codes are coloured on a terminal, where nobody says otherwise, and never for a machine."""
    bad = ("validate", "tests/plans/bad/unknown_key.yaml")
    marked = re.compile(r": \x1b\[1;31merror\x1b\[0m \x1b\[1mP\d+\x1b\[0m: ")
    plain = godwit(*bad, code=3, cwd=harness.REPO).err
    here = {"code": 3, "cwd": harness.REPO}
    told = godwit.on_terminal(*bad, **here).err
    assert marked.search(told) and "godwit: \x1b[1;31mE030\x1b[0m: " in told
    assert re.sub(r"\x1b\[[0-9;]*m", "", told) == plain
    for quiet in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"GODWIT_COLOR": "never"}):
        assert godwit.on_terminal(*bad, env=quiet, **here).err == plain
    always = {"env": {"GODWIT_COLOR": "always", "NO_COLOR": "1"}, **here}
    assert godwit(*bad, **always).err == told
    assert "\x1b" not in godwit(*bad, "--format", "json", **always).out
    assert godwit(*bad, "--color=never", **always).err == plain
    assert "GODWIT_COLOR is auto, always or never, not \"red\"" in godwit("version", env={"GODWIT_COLOR": "red"},
                                                                         code=64).err


def drawn(form, text):
    """The edges between ids that a drawing shows; every line of it must be of the language."""
    quoted = r'"((?:[^"\\\\]|\\\\.)*)"'
    lines = {"dot": (r"digraph \w+ \{", r"  node \[shape=\w+\];", r"  subgraph cluster_\w+ \{", r'    label="\w+";',
                     r"  \}", r"\}", rf"    {quoted};", rf"  {quoted} -> {quoted};"),
             "mermaid": ("graph TD", r'  subgraph \w+\["\w+"\]', "  end", r'    (s\d+)\["([^"]*)"\]',
                         r"  (s\d+) --> (s\d+)")}[form]
    nodes, edges = {}, set()
    for line in text.splitlines():
        match = next((m for m in (re.fullmatch(one, line) for one in lines) if m), None)
        assert match, f"no line of {form}: {line!r}"
        names = match.groups()
        if "->" in line:
            assert set(names) <= set(nodes), line
            edges.add(tuple(nodes[name] for name in names))
        elif names:
            nodes[names[0]] = names[-1].replace("#quot;", '"')
    assert text.count("subgraph") == 6 and len(nodes) == len(set(nodes.values()))
    return edges


@pytest.mark.parametrize("form", ["text", "dot", "mermaid", "json"])
def test_graph_formats(form, source, target, plan, godwit, writer):
    """graph prints the same twice, offline and connected, in each format."""
    writer(source).stop()
    mine = plan()
    for more in ([], ["--connect"]):
        first = godwit("graph", mine, "--format", form, *more, code=0).out
        assert first == godwit("graph", mine, "--format", form, *more, code=0).out
        assert "cutover.switch" in first
        assert ("copy:public.w_order" in first) == bool(more)
        if form in ("dot", "mermaid"):
            edges = drawn(form, first)
            assert ("wave", "copy:public.w_order" if more else "copy:*") in edges
            assert ("cutover.drain", "cutover.sequences") in edges
    if form == "json":
        steps = {step["id"]: step for step in json.loads(first)["steps"]}
        assert "copy:public.w_order" in steps and "wave" in steps["copy:public.w_order"]["needs"]


def test_check_formats(source, target, plan, godwit):
    """A table without identity: an error with its remedy, as text, JSON and script; the remedy cures it."""
    source.execute("CREATE TABLE bare (a int)")
    mine = plan()
    assert "G201" in godwit("check", mine, code=4).out
    report = godwit("check", mine, "--format", "json", code=4).json()
    found = [f for f in report["findings"] if f["code"] == "G201"]
    assert len(found) == 1 and found[0]["object"] == "public.bare" and found[0]["server"] == "source"
    assert "REPLICA IDENTITY FULL" in godwit("check", mine, "--script", code=4).out
    godwit("apply", mine, code=4)
    source.execute("ALTER TABLE bare REPLICA IDENTITY FULL")
    godwit("check", mine, code=0)


def test_until_stops_behind_a_step(source, target, plan, godwit, writer):
    """--until copy ends when the rows are there; the next apply goes on; an unknown step is a usage error."""
    load = writer(source)
    mine = plan()
    godwit("apply", mine, "--until", "copy", code=0)
    assert target.value("SELECT count(*) FROM w_order") > 0
    assert target.value("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'") == 0
    godwit("apply", mine, "--until", "bogus", code=64)
    godwit("apply", mine, code=0)
    load.stop(check=False)
    load.verify(target)


def test_unlock_ends_a_lingering_session(source, target, plan, godwit, writer):
    """unlock shows who holds the lock, asks, and ends that session; its engine stops at once."""
    writer(source)
    mine = plan(cutover={"approval": {"required": True}})
    assert "nobody holds" in godwit("unlock", mine, code=0).out
    running = godwit.start("apply", mine)
    running.wait_for("waiting for an approval")
    assert "session" in godwit("unlock", mine, code=64).err
    assert "ended session" in godwit("unlock", mine, "--yes", code=0).out
    result = running.wait(code=1)
    assert "lock" in result.err


def test_log_lines_as_json(source, target, plan, godwit, writer):
    """--log-format json: each line of stderr is an object with v, time, level, message."""
    writer(source).stop()
    source.execute('CREATE TABLE "odd\nname" (id int PRIMARY KEY)')
    result = godwit("apply", plan(), "--log-format", "json", code=0)
    lines = [json.loads(line) for line in result.err.splitlines() if line.startswith("{")]
    assert len(lines) > 20
    assert all(line["v"] == 1 and line["time"].endswith("Z") and line["message"] for line in lines)
    assert any("odd\nname" in line.get("step", "") for line in lines)


def test_expected_endpoint(source, target, plan, godwit):
    """expect: another database than the plan names is refused with 12."""
    mine = plan(source={"kind": "self_hosted", "conninfo_env": "SOURCE", "expect": {"dbname": "production"}})
    assert "expects \"production\"" in godwit("check", mine, code=12).err


def test_passfile_that_libpq_would_leave_aside(source, target, plan, godwit, tmp_path):
    """A password file that is not there or not private ends with 5, in words; validate, in CI, does not look for it."""
    secret = tmp_path / "pgpass"
    mine = plan(source={"kind": "self_hosted", "conninfo_env": "SOURCE", "passfile": str(secret)})
    godwit("validate", mine, code=0)
    assert f'source.passfile "{secret}" cannot be read: No such file' in godwit("check", mine, code=5).err
    secret.write_text("*:*:*:*:x\n", encoding="utf-8")
    secret.chmod(0o640)
    assert "is open to others (mode 0640)" in godwit("check", mine, code=5).err
    secret.chmod(0o600)
    assert "holds no table" in godwit("graph", mine, "--connect", code=3).err


def test_missing_tools_are_a_finding(source, target, plan, godwit):
    """No pg_dump where the plan says: preflight's G116 and status 4; verify needs none."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mine = plan(tools={"pg_bin": "/nonexistent"})
    assert "G116" in godwit("check", mine, code=4).out
    assert "G116" in godwit("apply", mine, code=4).err
    assert target.value("SELECT to_regnamespace('godwit') IS NULL")


def test_words_before_anything_is_there(source, target, plan, godwit):
    """What is not there yet is told as that: no pinned plan, no table to compare, no run."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mine = plan()
    gone = godwit("show", "nothing.pinned", code=3).err
    assert "cannot be read" in gone and "-1" not in gone and "not a pinned plan" not in gone, gone
    assert "--out FILE" in godwit("show", mine, code=3).err
    missing = godwit("verify", mine, code=1).err
    assert "nothing to compare: the target has no public.t" in missing and "godwit apply" in missing, missing
    assert "Statement" not in missing


def test_status_of_a_run_that_waits(source, target, plan, godwit):
    """Who left at the gate did not fail; where no engine runs, no step does."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mine = plan(cutover={"approval": {"required": True}})
    godwit("apply", mine, "--exit-at-gate", code=6)
    shown = godwit("status", mine, code=0).out
    assert "stopped  approval" in shown and "approval" in shown and "failed" not in shown, shown
    result = godwit("cleanup", mine, code=64)
    assert "Drop slot" in result.err and "add --yes" in result.err
    assert 'did you mean "apply"?' in godwit("aply", mine, code=64).err
