"""The JSON Schema, judged by two validators over what two YAML readers make of every plan. Needs no server.

The validators are ajv (npm, pinned in tests/schema/package-lock.json) and python3-jsonschema; the readers
js-yaml and PyYAML. godwit's own reading is the "canonical" of `validate --format json`.
"""
import fcntl
import json
import pathlib
import re
import shutil
import subprocess

import harness
import pytest

HERE = harness.REPO / "tests" / "schema"
SCHEMA = harness.REPO / "schemas" / "plan.schema.json"
# Faults that a JSON Schema cannot express: of the text (P0xx), keys and entries given twice, patterns that do
# not compile, texts that YAML readers take for something else, ranges of sizes and intervals, and all of meaning.
BEYOND = re.compile(r"P0\d\d|P103|P108|P111|P112|P114|P116|P117|P2\d\d|G\d+")
# Faults that lie in what two keys far apart say together.
UNITS = {"B": 1, "kB": 1 << 10, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40,
         "us": 1, "ms": 10 ** 3, "s": 10 ** 6, "min": 60 * 10 ** 6, "h": 3600 * 10 ** 6, "d": 86400 * 10 ** 6,
         "w": 7 * 86400 * 10 ** 6}


def plans(*patterns):
    """Paths of plans, relative to the repository."""
    return sorted({str(path.relative_to(harness.REPO)) for pattern in patterns for path in harness.REPO.glob(pattern)})


GOOD = plans("tests/plans/good/*.yaml", "plans/**/*.yaml", "examples/**/*plan*.yaml")
BAD = plans("tests/plans/bad/*.yaml")


@pytest.fixture(scope="module", name="node")
def node_modules():
    """The directory where the pinned packages are installed."""
    where = harness.REPO / "build" / "npm"
    where.mkdir(parents=True, exist_ok=True)
    with open(where / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pinned = (HERE / "package-lock.json").read_bytes()
        done = where / "installed"
        if not done.exists() or done.read_bytes() != pinned:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, where / name)
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=where, check=True,
                           capture_output=True, text=True, timeout=300)
            done.write_bytes(pinned)
    return where


def judge(command, paths, cwd=harness.REPO):
    """{path: verdict} of a judge over plans."""
    full = [str(harness.REPO / path) for path in paths]
    done = subprocess.run([*command, str(SCHEMA), *full], cwd=cwd, check=True, capture_output=True, text=True,
                          timeout=120)
    verdicts = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(verdicts) == len(paths)
    return {str(pathlib.Path(v["path"]).relative_to(harness.REPO)): v for v in verdicts}


@pytest.fixture(scope="module", name="by_python")
def judged_by_python():
    """python3-jsonschema over PyYAML."""
    return judge(["/usr/bin/python3", str(HERE / "judge.py")], GOOD + BAD)


@pytest.fixture(scope="module", name="by_node")
def judged_by_node(node):
    """ajv over js-yaml."""
    return judge(["node", str(HERE / "judge.mjs")], GOOD + BAD, cwd=node)


def amount(text):
    """A size in bytes or an interval in microseconds; None if the text is neither."""
    text = str(text)
    for long, short in (("microsecond", "us"), ("millisecond", "ms"), ("second", "s"), ("sec", "s"), ("minute", "min"),
                        ("hour", "h"), ("hr", "h"), ("day", "d"), ("week", "w")):
        text = re.sub(rf"\b(\d[\d.]*) *{long}s?\b", rf"\1{short}", text)
    parts = re.findall(r"(\d+(?:\.\d+)?) *([A-Za-z]*)", text)
    if not parts or re.sub(r"\d+(?:\.\d+)? *[A-Za-z]*| ", "", text):
        return None
    if any(unit and unit not in UNITS for _, unit in parts):
        return None
    return sum(float(number) * UNITS[unit or "B"] for number, unit in parts)


def compare(path, read, canonical):
    """Whether what a YAML reader made of a plan is what godwit made of it; defaults may stand beside it."""
    if isinstance(read, dict):
        assert isinstance(canonical, dict), path
        for key, value in read.items():
            assert key in canonical, f"{path}.{key} is not in the canonical plan"
            compare(f"{path}.{key}", value, canonical[key])
    elif isinstance(canonical, dict):  # a selector's shorthand
        compare(path, read, canonical["match"])
    elif isinstance(read, list):
        if path.endswith(".publish"):
            read, canonical = sorted(read), sorted(canonical)
        assert len(read) == len(canonical), path
        for index, pair in enumerate(zip(read, canonical)):
            compare(f"{path}[{index}]", *pair)
    elif isinstance(read, bool) or isinstance(canonical, bool):
        assert read is canonical, f"{path}: {read!r} and {canonical!r}"
    else:
        same = str(read) == str(canonical) or (amount(read) is not None and amount(read) == amount(canonical))
        assert same, f"{path}: {read!r} and {canonical!r}"


def test_the_schema_is_the_committed_one(godwit):
    """`godwit schema` prints schemas/plan.schema.json, byte by byte."""
    assert godwit("schema", code=0).out == SCHEMA.read_text(encoding="utf-8")


def test_good_plans_pass(by_python, by_node, godwit):
    """Every good plan: engine and both validators accept it, and all three read the same."""
    assert len(GOOD) >= 5
    for path in GOOD:
        report = godwit("validate", path, "--format", "json", cwd=harness.REPO)
        assert report.code == 0, report.out
        canonical = report.json()["plans"][0]["canonical"]
        for verdict in (by_python[path], by_node[path]):
            assert verdict["valid"], f"{path}: {verdict['faults']}"
            compare(path, verdict["plan"], canonical)
        assert by_python[path]["plan"] == by_node[path]["plan"], path


def codes_of(godwit, paths):
    """(path, codes of errors) of wrong plans; fifty in one call, in which their names clash."""
    for first in range(0, len(paths), 50):
        report = godwit("validate", *paths[first:first + 50], "--format", "json", code=3, cwd=harness.REPO).json()
        for plan in report["plans"]:
            codes = {f["code"] for f in plan["findings"] if f["severity"] == "error"}
            assert codes, plan["file"]
            yield plan["file"], codes


def test_bad_plans_fail_where_a_schema_can_tell(by_python, by_node, godwit):
    """Every bad plan: the engine refuses it; both validators do when its fault is one of shape."""
    caught = 0
    for path, codes in codes_of(godwit, BAD):
        of_shape = {code for code in codes if not BEYOND.fullmatch(code)}
        for verdict in (by_python[path], by_node[path]):
            assert not (of_shape and verdict["valid"]), f"{path}: {of_shape} is not caught"
        caught += bool(of_shape)
        # The schema is no stricter than the engine: what it refuses has a fault of shape or of its text.
        if by_python[path]["valid"] is False and by_node[path]["valid"] is False:
            assert of_shape or re.search(r"P0\d\d|P108|P111|P112|P114|P116|P201", " ".join(codes)), f"{path}: {codes}"
    assert caught > 40


def test_every_plan_has_its_modeline():
    """The first lines of every plan for users name the schema, by a path that leads there."""
    for path in plans("plans/**/*.yaml", "examples/**/*plan*.yaml"):
        text = (harness.REPO / path).read_text(encoding="utf-8")
        found = re.search(r"^# yaml-language-server: \$schema=(\S+)$", text, re.MULTILINE)
        assert found, f"{path} has no modeline"
        assert (harness.REPO / path).parent.joinpath(found[1]).resolve() == SCHEMA.resolve(), path
