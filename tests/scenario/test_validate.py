"""`godwit validate` for people and machines, and what no plan may be. Needs no server."""
import json
import pathlib
import re
import shutil

import harness
import hostile
import pytest

PLANS = harness.REPO / "tests" / "plans"
FORMATS = ("json", "github", "sarif")
ESCAPED = {"%0A": "\n", "%0D": "\r", "%3A": ":", "%2C": ",", "%25": "%"}
COMMAND = re.compile(r"::(error|warning) ([^:]*)::(.*)")


def unescape(text):
    """What GitHub's runner makes of a command's text."""
    for escaped, plain in ESCAPED.items():
        text = text.replace(escaped, plain)
    return text


def commands(out):
    """GitHub's workflow commands: [(severity, properties, message)]."""
    found = []
    for line in out.splitlines():
        match = COMMAND.fullmatch(line)
        assert match, line
        properties = dict(pair.split("=", 1) for pair in match[2].split(","))
        found.append((match[1], {name: unescape(value) for name, value in properties.items()}, unescape(match[3])))
    return found


def check_sarif(log):
    """What the standard requires of the objects that are used here (sections 3.13 to 3.58)."""
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json") and len(log["runs"]) == 1
    run = log["runs"][0]
    assert set(run) == {"tool", "columnKind", "results"} and run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    assert driver["name"] == "godwit" and re.fullmatch(r"\d+\.\d+\.\d+", driver["semanticVersion"])
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"] and rule["help"]["text"].startswith(rule["id"])
        assert rule["defaultConfiguration"]["level"] in ("error", "warning")
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning") and result["message"]["text"]
        assert len(result["locations"]) == 1 and all(map(str, result["partialFingerprints"].values()))
        place = result["locations"][0]["physicalLocation"]
        assert re.fullmatch(r"(file:///)?([A-Za-z0-9._~/-]|%[0-9A-F]{2})+", place["artifactLocation"]["uri"])
        region = place.get("region", {"startLine": 1, "startColumn": 1, "endColumn": 2})
        assert region["startLine"] >= 1 and 1 <= region["startColumn"] < region["endColumn"]
    assert {result["ruleId"] for result in run["results"]} == set(ids)
    return run["results"]


def test_formats_say_the_same(godwit):
    """Every wrong plan: json, github and sarif have the findings of the text, in its order."""
    plans = sorted(str(path.relative_to(harness.REPO)) for path in (PLANS / "bad").glob("*.yaml"))
    for first in range(0, len(plans), 50):
        some = plans[first:first + 50]
        text = godwit("validate", *some, code=3, cwd=harness.REPO).err
        told = re.findall(r"^(tests/plans/\S+?):(\d+):(\d+): (error|warning) ([PG]\d+): (.*)$", text, re.MULTILINE)
        out = {form: godwit("validate", *some, "--format", form, code=3, cwd=harness.REPO).out for form in FORMATS}
        report = json.loads(out["json"])
        findings = [finding for plan in report["plans"] for finding in plan["findings"]]
        assert report["v"] == 1 and report["valid"] is False and [p["file"] for p in report["plans"]] == some
        unseen = sum(int(f["message"].split()[0]) - 1 for f in findings if f["code"] == "P012")
        assert report["errors"] == unseen + sum(f["severity"] == "error" for f in findings)
        assert [(f["file"], str(f["line"]), str(f["column"]), f["severity"], f["code"], f["message"])
                for f in findings] == told
        assert [(p["file"], p["line"], p["col"], severity, p["title"].split(":")[0], message.split("\n")[0])
                for severity, p, message in commands(out["github"])] == told
        assert [(r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], r["ruleId"],
                 r["message"]["text"].split("\n")[0]) for r in check_sarif(json.loads(out["sarif"]))] \
            == [(t[0], t[4], t[5]) for t in told]


def test_valid_plans_in_each_format(godwit):
    """A good plan: exit 0, an empty list of findings, its name and fingerprint."""
    plan = PLANS / "good" / "minimal.yaml"
    report = godwit("validate", plan, "--format", "json", code=0).json()
    only = report["plans"][0]
    assert report["valid"] and only["valid"] and only["name"] == "metrics" and only["findings"] == []
    assert godwit("validate", plan, code=0).out == \
        f'{plan}: plan "metrics" is valid, fingerprint {only["fingerprint"][:12]}\n'
    assert godwit("validate", plan, "--format", "github", code=0).out == ""
    assert check_sarif(godwit("validate", plan, "--format", "sarif", code=0).json()) == []


def test_anchor_19_no_plugin_that_makes_one_text(godwit, tmp_path):
    """A plugin that writes a whole transaction as one text ends at 1 GB of it, and the slot never moves again: only
    those that send row by row can be chosen."""
    for plugin in ("wal2json", "decoderbufs", "pgoutput", "test_decoding"):
        (tmp_path / f"{plugin}.yaml").write_text(hostile.HEAD + f"replication: {{ plugin: {plugin} }}\n",
                                                 encoding="utf-8")
        taken = plugin in ("pgoutput", "test_decoding")
        result = godwit("validate", f"{plugin}.yaml", code=0 if taken else 3, cwd=tmp_path)
        assert taken or "one of the values" in result.err and "pgoutput" in result.err


def test_names_clash(godwit, tmp_path):
    """Two plans of one name: an error at the later name, also when that plan has other faults; a plan given
    twice is a warning."""
    for name in ("a", "b", "broken"):
        (tmp_path / f"{name}.yaml").write_text(hostile.HEAD + ("bogus: 1\n" if name == "broken" else ""),
                                               encoding="utf-8")
    (tmp_path / "c.yaml").write_text(hostile.HEAD.replace("name: metrics", "name: other"), encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    names = ["a.yaml", "b.yaml", "c.yaml", "broken.yaml", "link.yaml"]
    result = godwit("validate", *names, code=3, cwd=tmp_path)
    assert 'b.yaml:2:7: error P230: the plan "a.yaml" has the name "metrics" as well' in result.err
    assert "broken.yaml:2:7: error P230" in result.err and "broken.yaml:6:1: error P101" in result.err
    assert 'link.yaml: warning P260: this plan is given twice\n  hint: It is "a.yaml".' in result.err
    assert "2 of 5 plans have errors" in result.err and result.out.count("is valid") == 3
    godwit("validate", "a.yaml", "c.yaml", "link.yaml", code=0, cwd=tmp_path)


def test_odd_paths(godwit, tmp_path):
    """Blanks, signs, line ends and broken bytes in a path: each format stays whole."""
    odd = tmp_path / "a b:c,d%e\nf\udcffg.yaml"
    odd.write_text(hostile.HEAD + "bogus: 1\n", encoding="utf-8")
    text = godwit("validate", odd, code=3).err
    assert f"{tmp_path}/a b:c,d%e\\x0af\\xffg.yaml:6:1: error P101" in text
    report = godwit("validate", odd, "--format", "json", code=3).json()
    assert report["plans"][0]["file"] == f"{tmp_path}/a b:c,d%e\\x0af\\xffg.yaml"
    result = check_sarif(godwit("validate", odd, "--format", "sarif", code=3).json())[0]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.endswith("/a%20b%3Ac%2Cd%25e%0Af%FFg.yaml") and uri.startswith("file:///")
    out = godwit.start("validate", odd, "--format", "github")
    out.wait(code=3)
    assert commands(out.out)[0][1]["file"].startswith(f"{tmp_path}/a b:c,d%e\nf")


def test_good_plans_in_other_clothes(godwit, tmp_path):
    """A byte order mark, line ends of Windows and Macs: the same fingerprint."""
    good = (PLANS / "good" / "complete.yaml").read_bytes()
    seen = set()
    for number, data in enumerate((good, b"\xef\xbb\xbf" + good, good.replace(b"\n", b"\r\n"))):
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(data)
        seen.add(godwit("validate", path, "--format", "json", code=0).json()["plans"][0]["fingerprint"])
    assert len(seen) == 1


def test_a_pinned_plan_is_judged_by_its_own_name(godwit, tmp_path):
    """A file that is no pinned plan but has its suffix is refused clearly."""
    (tmp_path / "x.pinned").write_text("{}", encoding="utf-8")
    result = godwit("validate", tmp_path / "x.pinned")
    assert result.code != 0 and "x.pinned" in result.err


def test_bad_input_is_refused_clearly_and_cheaply(godwit, tmp_path):
    """Bombs, broken bytes, pipes, devices: each its code, its place, status 3, no more memory than a plan needs."""
    plain = harness.REPO / "build" / "debug" / "godwit"  # a sanitizer needs memory of its own
    binary = plain if plain.exists() else godwit.binary
    factor = 5 if "asan" in binary.parts else 1
    good = hostile.measure(binary, PLANS / "good" / "complete.yaml")
    assert good.status == 0
    try:
        for case in hostile.make(tmp_path):
            cost = hostile.measure(binary, case.path)
            shown = f"{case.name}: {cost}"[:600]
            assert cost.status == (3 if case.code else 0), shown
            if not case.code:
                continue
            assert f" error {case.code}: " in cost.err, shown
            assert bool(re.match(rf"{re.escape(str(case.path))}:\d+:\d+: error ", cost.err)) == case.at_place, shown
            assert len(cost.err) < 64 * 1024, shown
            # What a tree of 500,000 nodes takes; everything small stays near a good plan.
            large = case.path.is_file() and case.path.stat().st_size > 500_000
            most_mb = 160 if large else 16
            assert cost.peak_kb < good.peak_kb + factor * most_mb * 1024, shown
    finally:
        shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.parametrize("command", ["check", "plan", "apply", "graph"])
def test_other_commands_refuse_it_too(godwit, command, tmp_path):
    """A directory or nothing where a plan should be: every command says so, status 3."""
    assert "it is a directory" in godwit(command, tmp_path, code=3).err
    assert "No such file or directory" in godwit(command, pathlib.Path("none.yaml"), code=3, cwd=tmp_path).err
