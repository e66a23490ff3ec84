"""Steps of the user, hooks of the cutover, notify, pause: what they get, when they run, what their failure does.

Every command is one program, hook.py, that writes down what it got; a file beside it says how it behaves.
"""
import json
import os
import re
import signal
import time

import harness
import psycopg
import pytest

SECRET = "s3cr3t-w0rd"
HOOK = '''#!/usr/bin/python3
"""Write down what came; then behave as behave.json says of this step."""
import json, os, sys, time
name = os.environ.get("GODWIT_STEP", "?")
text = sys.stdin.read()
with open("record.jsonl", "a", encoding="utf-8") as record:
    record.write(json.dumps({"step": name, "place": os.environ.get("GODWIT_PLACE"), "argv": sys.argv,
                             "cwd": os.getcwd(), "env": dict(os.environ), "stdin": text,
                             "pid": os.getpid(), "group": os.getpgid(0),
                             "fds": sorted(map(int, os.listdir("/proc/self/fd")))}) + "\\n")
with open("behave.json", encoding="utf-8") as file:
    behave = json.load(file).get(name + "/" + os.environ.get("GODWIT_PLACE", ""), "")
print("hello\\x1b[31m from", name, flush=True)
if behave == "leak":
    print(os.environ["TARGET"], file=sys.stderr, flush=True)
    sys.exit(0)
if behave.startswith("write "):
    import psycopg
    with psycopg.connect(behave[6:], autocommit=True) as connection:
        connection.execute("INSERT INTO item VALUES (1000 + random() * 1000000, 'late')")
if behave == "fail":
    print("the reason is", name, file=sys.stderr)
    sys.exit(3)
if behave == "sleep":
    time.sleep(60)
'''


class Room:
    """A plan's directory with hook.py, what it recorded, and how it is to behave."""

    def __init__(self, path):
        self.path = path
        (path / "hook.py").write_text(HOOK, encoding="utf-8")
        (path / "hook.py").chmod(0o755)
        self.behave()

    def behave(self, **how):
        """behave(place__step="fail"): from now on."""
        told = {"/".join(reversed(key.split("__"))): value for key, value in how.items()}
        (self.path / "behave.json").write_text(json.dumps(told), encoding="utf-8")

    def write(self, name, text):
        """A file beside the plan."""
        (self.path / name).write_text(text, encoding="utf-8")

    def take(self):
        """What was recorded since the last call."""
        file = self.path / "record.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        file.write_text("", encoding="utf-8")
        return [json.loads(line) for line in lines]

    def steps(self):
        """The steps whose commands ran since the last call, in order; without those of notify."""
        return [call["step"] for call in self.take() if call["step"] != "notify"]


@pytest.fixture
def room(tmp_path, source):
    """The directory of the plan; the source has a table and two sequences."""
    source.execute("CREATE TABLE item (id int PRIMARY KEY, v text);"
                   "INSERT INTO item SELECT i, 'v' || i FROM generate_series(1, 200) AS i")
    return Room(tmp_path)


def command(*arguments, **more):
    """A command of hook.py."""
    return {"run": ["./hook.py", *arguments], "timeout": "20s", **more}


def hooks(name):
    """A hook that is a command."""
    return [{"id": name, "command": command(name)}]


def with_password(mine):
    """The environment of a plan with a password in both connection strings."""
    return {name: psycopg.conninfo.make_conninfo(value, password=SECRET) for name, value in mine.env.items()}


CUTOVER = {"gates": {"stable_for": "100ms"}, "before_fence": hooks("scale_down"), "after_drain": hooks("look"),
           "switch": hooks("dns"), "on_rollback": hooks("scale_up")}


def writable(database):
    """Whether a new session can write."""
    with database.connect() as connection:
        connection.execute("UPDATE item SET v = v || '!' WHERE id = 1")
    return True


def before(graph, step):
    """Every step that must be done before this one."""
    needs = set(graph[step]["needs"]) & graph.keys()
    return needs.union(*(before(graph, other) for other in needs))


def test_steps_and_hooks_get_facts_and_nothing_else(room, source, target, plan, godwit):
    """All kinds of steps and hooks in one migration: order, argv, environment, stdin, log, no secret anywhere."""
    room.write("warm.sql", "-- makes a table\nCREATE SCHEMA cache;\n"
                           "CREATE TABLE cache.top AS SELECT count(*) FROM public.item;\n"
                           "DO $$ BEGIN RAISE NOTICE 'warm; and ready'; END $$")
    room.write("vacuum.sql", "-- godwit: no transaction\nVACUUM public.item;\n"
                             "CREATE INDEX CONCURRENTLY item_v ON public.item (v);")
    mine = plan(verify=[{"id": "all", "method": "checksum"}, {"id": "counts", "method": "count"}], cutover={
        **CUTOVER, "after_drain": [*hooks("look"), {"id": "again", "verify": ["all", "counts"]}]}, steps=[
        {"id": "warm", "needs": ["copy"], "before": ["tell"], "sql": {"server": "target", "file": "warm.sql"}},
        {"id": "sweep", "needs": ["copy"], "sql": {"server": "target", "file": "vacuum.sql"}},
        {"id": "note", "before": ["copy"],
         "sql": {"server": "source", "statement": "COMMENT ON TABLE public.item IS 'moving'"}},
        {"id": "tell", "needs": ["catchup"], "before": ["cutover"],
         "command": command("a b", "*", env=["TARGET", "LAB_WORD"])},
        {"id": "check", "verify": ["counts"]},
        {"id": "skipped", "needs": ["warm"], "command": command("never"),
         "done_if": {"server": "target", "sql": "SELECT to_regclass('cache.top') IS NOT NULL"}},
        {"id": "goodbye", "needs": ["finish"], "command": command("bye")},
    ], notify={"command": ["./hook.py", "event"]})
    room.behave(steps__tell="leak")
    env = {**with_password(mine), "LAB_WORD": "visible", "HIDDEN": "hidden-word", "PGAPPNAME": "x"}

    graph = {s["id"]: s for s in godwit("graph", mine, "--format", "json", code=0).json()["steps"]}
    assert graph["tell"]["phase"] == "catchup" and "tell" in before(graph, "cutover.prepare")
    assert graph["look"]["needs"] == ["cutover.verify"] and graph["finish"]["needs"].count("dns") == 1
    shown = godwit("plan", mine, env=env, code=0).out
    assert "run ./hook.py 'a b' '*', at most 20" in shown, shown
    assert "verify all, counts" in shown
    assert "CREATE TABLE cache.top AS" in godwit("plan", mine, "--format", "sql", env=env, code=0).out

    result = godwit("apply", mine, "--log-level", "debug", env=env, code=0)
    calls = room.take()
    own = [call for call in calls if call["step"] != "notify"]
    assert [call["step"] for call in own] == ["tell", "scale_down", "look", "dns", "goodbye"]
    assert target.value("SELECT count FROM cache.top") == 200
    assert target.value("SELECT count(*) FROM pg_indexes WHERE indexname = 'item_v'") == 1
    assert source.value("SELECT obj_description('item'::regclass)") == "moving"

    tell = own[0]
    assert tell["argv"] == ["./hook.py", "a b", "*"] and tell["cwd"] == str(room.path)
    assert tell["group"] == tell["pid"] and tell["fds"][:3] == [0, 1, 2] and max(tell["fds"]) < 6
    given = {"PATH", "GODWIT_PLAN", "GODWIT_RUN", "GODWIT_STEP", "GODWIT_PHASE", "GODWIT_PLACE"}
    assert set(tell["env"]) - {"LC_CTYPE"} == given | {"TARGET", "LAB_WORD"}
    assert set(own[1]["env"]) - {"LC_CTYPE"} == given
    facts = {call["step"]: json.loads(call["stdin"]) for call in own}
    assert facts["tell"] | {"lag_bytes": 0, "lag_seconds": 0} == {
        "v": 1, "plan": mine.name, "run": 1, "step": "tell", "phase": "catchup", "place": "steps",
        "fingerprint": facts["dns"]["fingerprint"], "downtime_ms": 0, "lag_bytes": 0, "lag_seconds": 0,
        "source": {"host": "127.0.0.1", "port": str(source.port), "dbname": source.name},
        "target": {"host": "127.0.0.1", "port": str(target.port), "dbname": target.name}}
    assert facts["scale_down"]["downtime_ms"] == 0 < facts["look"]["downtime_ms"] <= facts["dns"]["downtime_ms"]
    assert [facts[s]["place"] for s in ("scale_down", "look", "dns")] == ["before_fence", "after_drain", "switch"]

    events = [json.loads(call["stdin"]) for call in calls if call["step"] == "notify"]
    kinds = [event["event"] for event in events]
    assert [k for k in kinds if k != "step_done"] == [
        "started", "copied", "caught_up", "cutover", "switched", "finished"]
    assert {e["detail"]["step"] for e in events if e["event"] == "step_done"} == {
        "warm", "sweep", "note", "tell", "check", "skipped", "goodbye"}
    assert all(e["v"] == 1 and e["run"] == mine.name and e["message"] for e in events)
    assert events[kinds.index("switched")]["detail"]["downtime_ms"] > 0

    assert "warm; and ready" in result.err and "hello\\x1b[31m from tell" in result.err and "done_if says" in result.err
    journal = target.query("SELECT row_to_json(s)::text FROM godwit.step AS s") + target.query(
        "SELECT row_to_json(e)::text FROM godwit.event AS e") + target.query("SELECT canonical FROM godwit.run")
    status = godwit("status", mine, env=env, code=0).out
    for text in (result.err, result.out, status, shown, str(journal), *(call["stdin"] for call in calls)):
        assert SECRET not in text and "hidden-word" not in text
    assert "password=***" in result.err.replace("****", "***")
    states = dict(target.query("SELECT step, state FROM godwit.step"))
    assert [states[step] for step in ("warm", "tell", "dns", "goodbye", "again")] == ["done"] * 5
    assert target.value("SELECT count(*) FROM godwit.verification WHERE id = 'counts'") >= 1


def test_anchor_39_each_point_of_the_cutover_fails_as_documented(room, source, target, plan, godwit):
    """One migration, one failing point after the other: exit status, on_rollback, a writable source; then it ends."""
    mine = plan(cutover={**CUTOVER, "max_downtime": "3s", "stop_writes": {"grace": "2s"}})

    def attempt(code, steps, words, **behave):
        room.behave(**behave)
        result = godwit("apply", mine, code=code)
        assert room.steps() == steps and words in result.err, result.err
        if code != 11:
            assert writable(source)
        return result

    result = attempt(10, ["scale_down", "scale_up"], "ended with status 3", before_fence__scale_down="fail")
    assert "the reason is scale_down" in result.err
    attempt(10, ["scale_down", "look", "scale_up"], "ended with status 3", after_drain__look="fail")
    began = time.monotonic()
    attempt(10, ["scale_down", "look", "scale_up"], "max_downtime", after_drain__look="sleep")
    assert time.monotonic() - began < 15
    attempt(13, ["scale_down", "look", "scale_up"], "scale_up", after_drain__look="fail", on_rollback__scale_up="fail")
    assert target.value("SELECT state FROM godwit.run") == "cutover"

    # Killed in a hook: the next engine runs on_rollback first (again after the failure above).
    room.behave(after_drain__look="sleep")
    running = godwit.start("apply", mine)
    running.wait_for("hello.*from look")
    running.kill9()
    assert room.steps() == ["scale_up", "scale_down", "look"]
    assert writable(source)
    room.behave(on_rollback__scale_up="fail")
    godwit("apply", mine, code=13)
    assert room.steps() == ["scale_up"]

    # Ctrl-C in a hook: its whole group ends, the attempt is taken back.
    room.behave(after_drain__look="sleep")
    running = godwit.start("apply", mine)
    running.wait_for("hello.*from look")
    os.kill(running.pid, signal.SIGINT)
    assert "interrupted" in running.wait(code=10).err
    calls = room.take()
    assert [call["step"] for call in calls] == ["scale_up", "scale_down", "look", "scale_up"]
    assert not os.path.exists(f"/proc/{calls[2]['pid']}")
    assert writable(source)

    # Behind the switch there is no way back: the hook runs again, the source stays closed.
    attempt(11, ["scale_down", "look", "dns"], "ended with status 3", switch__dns="fail")
    assert writable(target)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        writable(source)
    room.behave()
    godwit("apply", mine, code=0)
    assert room.steps() == ["dns"]
    assert target.value("SELECT count(*) FROM item") == 200


def test_a_step_is_done_once(room, source, target, plan, godwit):
    """Killed in a command: the operator says; in SQL: effect and journal decide; errors name file and line; pause."""
    source.execute("CREATE TABLE side (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int)")
    target.execute("CREATE SCHEMA public_extra; CREATE TABLE public_extra.gate (id int)")
    room.write("slow.sql", "CREATE TABLE public_extra.done (id int);\n\n-- fails until the gate has a row\n"
                           "SELECT 1 / count(*)\n  FROM public_extra.gate, pg_sleep(1);\n")
    mine = plan(cutover={"gates": {"stable_for": "100ms"}, "approval": {"required": True}}, steps=[
        {"id": "call", "needs": ["catchup"], "before": ["cutover"], "command": command("once", env=["LAB_WORD"])},
        {"id": "slow", "needs": ["call"], "before": ["cutover"], "sql": {"server": "target", "file": "slow.sql"}},
        {"id": "away", "needs": ["slow"], "before": ["cutover"],
         "sql": {"server": "source", "statement": "INSERT INTO public.side (n) SELECT 1 FROM pg_sleep(1)"}},
    ])
    assert "LAB_WORD (call)" in godwit("apply", mine, code=4).err
    assert target.value("SELECT to_regnamespace('godwit') IS NULL")
    env = {"LAB_WORD": "x"}
    room.behave(steps__call="sleep")
    running = godwit.start("apply", mine, env=env)
    running.wait_for("hello.*from call")
    assert "running  call" in godwit("status", mine, code=0).out
    orphan = running.kill9() and room.take()[0]["pid"]
    os.kill(orphan, signal.SIGKILL)
    for _ in range(2):
        result = godwit("apply", mine, env=env, code=1)
        assert "--step-done call" in result.err and room.steps() == []
    assert "nobody knows" in godwit("plan", mine, env=env, code=0).out
    godwit("apply", mine, "--step-done", "bogus", env=env, code=64)

    # Its timeout ends it; then Ctrl-C does; both ends are known, and the next engine runs it again.
    running = godwit.start("apply", mine, "--step-again", "call", env=env)
    running.wait_for("hello.*from call")
    told = godwit("pause", mine, code=0).out
    assert "is paused" in told, told + running.err
    assert "paused" in running.wait(code=143).err
    assert "nothing to pause" in godwit("pause", mine, code=0).out
    godwit("apply", mine, "--step-again", "call", env=env, code=64)
    room.behave(steps__call="fail")
    assert "the reason is call" in godwit("apply", mine, env=env, code=1).err
    room.behave()

    # The SQL step on the target fails with its place; its table is not there; nothing is marked.
    result = godwit("apply", mine, env=env, code=1)
    assert "slow.sql:4: target: division by zero" in result.err, result.err
    assert target.value("SELECT to_regclass('public_extra.done') IS NULL")
    assert room.steps() == ["call", "call", "call"]
    target.execute("INSERT INTO public_extra.gate VALUES (1)")
    running = godwit.start("apply", mine, env=env)
    target.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'SELECT 1 / count%'")
    running.kill9()

    # Killed in it: it is run again, once; and so is the one on the source, whose server remembers.
    running = godwit.start("apply", mine, env=env)
    source.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'INSERT INTO public.side%'")
    assert target.value("SELECT state FROM godwit.step WHERE step = 'slow'") == "done"
    running.kill9()
    running = godwit.start("apply", mine, env=env)
    running.wait_for("waiting for an approval")
    assert source.value("SELECT count(*) FROM side") == 1 and room.steps() == []

    # Pause while it waits; what is changed meanwhile arrives afterwards; a changed hook is another plan.
    assert "is paused" in godwit("pause", mine, code=0).out
    running.wait(code=143)
    source.execute("UPDATE item SET v = 'while it paused' WHERE id = 2")
    with open(room.path / "hook.py", "a", encoding="utf-8") as file:
        file.write("# more\n")
    godwit("apply", mine, env=env, code=12)
    room.write("hook.py", HOOK)
    godwit("apply", mine, "--exit-at-gate", env=env, code=6)
    godwit("approve", mine, code=0)
    godwit("cutover", mine, env=env, code=0)
    assert target.value("SELECT v FROM item WHERE id = 2") == "while it paused"
    assert room.steps() == []
    assert "nothing to pause" in godwit("pause", mine, code=0).out


def test_a_command_stops_the_writers(room, source, target, plan, godwit):
    """stop_writes by a command: a write behind it is seen and undone; without one the cutover goes through. What is
    written behind the switch is never applied over the new primary's rows, and told by whichever engine comes to it."""
    stop = {"method": "command", "run": ["./hook.py", "stop"], "undo": ["./hook.py", "go"], "grace": "10s"}
    mine = plan(cutover={**CUTOVER, "stop_writes": stop})
    fence = "cutover.source_fence"
    room.write("behave.json", json.dumps({fence + "/stop_writes": "fail"}))
    assert "ended with status 3" in godwit("apply", mine, code=10).err
    calls = room.take()
    assert [(c["step"], c["place"], c["argv"][1]) for c in calls] == [
        ("scale_down", "before_fence", "scale_down"), (fence, "stop_writes", "stop"), (fence, "undo", "go"),
        ("scale_up", "on_rollback", "scale_up")]
    room.behave(after_drain__look="write " + source.conninfo())
    assert "reached the source after its fence" in godwit("apply", mine, code=10).err
    assert room.steps() == ["scale_down", fence, "look", fence, "scale_up"]
    room.behave(switch__dns="write " + source.conninfo())
    failed = godwit("apply", mine, code=11)
    assert "1 changes reached the source behind the switch: public.item" in failed.err, failed.err
    assert room.steps() == ["scale_down", fence, "look", "dns"]
    target.execute("UPDATE item SET v = 'of the primary' WHERE id = 7")
    source.execute("UPDATE item SET v = 'of a job that still runs' WHERE id = 7")
    failed = godwit("apply", mine, code=11)
    assert "public.item: 2 changes" in failed.err and "Key (id)=(7)" in failed.err, failed.err
    ended = godwit("apply", mine, code=0)
    assert re.search(r"public.item: 2 changes .*\(told before\)", ended.err), ended.err
    assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0
    assert target.value("SELECT count(*) FROM item") == 201
    assert target.value("SELECT v FROM item WHERE id = 7") == "of the primary"
    assert target.value("SELECT count(*) FROM godwit.finding WHERE code = 'E110'") == 2


@pytest.mark.parametrize("road", ["lanes and spool", "test_decoding"])
def test_behind_the_switch_by_every_road(road, room, source, target, plan, godwit, tmp_path):
    """Whatever road changes take, those that come behind the last marker are counted, named, and not applied; nor are
    they by the engine that is begun anew, when the first was killed before it told them."""
    by_lanes = {"apply": {"lanes": 3}, "replication": {"spool": {"directory": str(tmp_path / "spool")}}}
    keys = {"replication": {"plugin": "test_decoding"}} if road == "test_decoding" else by_lanes
    stop = {"method": "command", "run": ["./hook.py", "stop"], "undo": ["./hook.py", "go"], "grace": "10s"}
    mine = plan(cutover={**CUTOVER, "stop_writes": stop}, **keys)
    room.behave(switch__dns="write " + source.conninfo())
    assert godwit("apply", mine, env=harness.BEHIND_THE_SWITCH).code == -9
    source.execute("UPDATE item SET v = 'of a job that still runs'")
    failed = godwit("apply", mine, code=11)
    assert "reached the source behind the switch: public.item" in failed.err, failed.err
    target.execute("UPDATE item SET v = 'of the primary' WHERE id = 7")
    godwit("apply", mine, code=0)
    assert target.value("SELECT v FROM item WHERE id = 7") == "of the primary"
    assert target.value("SELECT count(*) FROM item WHERE v = 'of a job that still runs'") == 0
    assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0


def test_places_that_cannot_be(room, plan, godwit):
    """Without a server: a circle is printed whole with its place, unknown names with a suggestion."""
    del room
    def step(name, **more):
        return {"id": name, "sql": {"server": "target", "statement": "SELECT 1"}, **more}
    cases = [
        ([step("a", needs=["b"]), step("b", needs=["a"])], "a -> b"),
        ([step("late", needs=["cutover.unfence"], before=["copy"])], "late"),
        ([step("a", needs=["catchupp"])], 'did you mean "catchup"'),
        ([step("copy")], "copy"),
    ]
    for steps, words in cases:
        result = godwit("graph", plan(steps=steps), code=3)
        assert words in result.err, result.err
