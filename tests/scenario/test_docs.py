"""What the pages say is what the engine's tables say. Needs no server."""
import pathlib
import re
import subprocess

import harness

REPO = pathlib.Path(__file__).resolve().parents[2]
ERR_ROW = re.compile(r'X\(ERR_\w+, "E\d+", (\d+), "')


def read(name):
    """Text of a file of the repository."""
    return (REPO / name).read_text(encoding="utf-8")


def exit_statuses():
    """Every exit status of the error table, and 0."""
    rows = [int(status) for status in ERR_ROW.findall(read("engine/base/err_codes.h"))]
    assert len(rows) > 20
    return {0, *rows}


def commands():
    """The commands that `godwit help` lists."""
    text = subprocess.run([harness.godwit_bin(), "help"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^  ([a-z]+) +", text, re.MULTILINE)
    assert "apply" in found
    return found


def test_operations_lists_each_exit_status():
    """docs/operations.md has one row per exit status and no other."""
    rows = re.findall(r"^\| ([\d, ]+) \|", read("docs/operations.md"), re.MULTILINE)
    assert {int(number) for row in rows for number in row.split(",")} == exit_statuses()


def test_operations_lists_each_class_of_error():
    """The table of errors that pass by themselves is the engine's, row by row."""
    words = {"GROUP": "transaction", "SESSION": "session"}
    rows = re.findall(r'\{"(\w+)", RETRY_(\w+), "([^"]+)"\}', read("engine/cdc/retry_table.c"))
    told = re.findall(r"^\| `(\w+)`[^|]* \| ([^|]+) \| (\w+) \|$", read("docs/operations.md"), re.MULTILINE)
    assert told == [(state, text, words[what]) for state, what, text in rows]
    assert len(told) > 10


def test_each_field_bug_has_its_row():
    """tests/ANCHORS.md has every row once; what it names is there."""
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| (.+) \|$", read("tests/ANCHORS.md"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 63))
    there = {name for page in (REPO / "tests/scenario").glob("test_*.py")
             for name in re.findall(r"^def (test_\w+)\(", page.read_text(encoding="utf-8"), re.MULTILINE)}
    named = {name for _, text in rows for name in re.findall(r"`(test_\w+)`", text)}
    assert len(named) > 40
    assert not named - there


def test_man_page_lists_each_exit_status():
    """So does the manual page."""
    text = read("docs/man/godwit.1").split(".SH EXIT STATUS")[1].split(".SH ")[0]
    found = {int(n) for line in re.findall(r"^\.BR? (\d.*)$", text, re.MULTILINE)
             for n in re.findall(r"\d+", line)}
    assert found == exit_statuses()


def test_pages_name_each_command():
    """Each command stands in the manual page and in the guide's table."""
    man = read("docs/man/godwit.1").split(".SH COMMANDS")[1].split(".SH EXIT")[0]
    guide = read("docs/guide.md").split("## The commands")[1].split("\n## ")[0]
    for command in commands():
        assert re.search(rf"\b{command}\b", man), command
        assert re.search(rf"`{command}\b", guide), command


def test_each_setting_of_timescaledb_has_its_test():
    """docs/hypertables.md has a row for every key that is TimescaleDB's, and what it names is there."""
    keys = {re.sub(r"^(hypertables|continuous_aggregates|jobs)$", r"\1[]", key)
            for page in ("hypertables", "continuous_aggregates", "jobs", "timescaledb")
            for key in re.findall(r"^## `(.+)`$", read(f"docs/keys/{page}.md"), re.MULTILINE)}
    table = read("docs/hypertables.md").split("\n| key | test |\n|---|---|\n")[1].split("\n\n")[0]
    told, there = set(), {name for page in (REPO / "tests/scenario").glob("test_*.py")
                          for name in re.findall(r"^def (test_\w+)\(", page.read_text(encoding="utf-8"), re.MULTILINE)}
    for row in table.splitlines():
        (group, *leaves), proof = (re.findall(r"`([^`]+)`", cell) for cell in row.split("|")[1:3])
        told |= {group, *(f"{group}.{leaf}" for leaf in leaves)}
        assert proof or re.search(r"\b(printed|native)\b", row), row
        for name in proof:
            assert not name.startswith("test_") or name in there or (REPO / "tests/scenario" / name).exists(), name
    assert len(keys) > 60
    assert told == keys


def test_links_lead_somewhere():
    """Relative links of the pages point to files and headings that exist."""
    pages = [p for p in REPO.glob("*.md")] + list(REPO.glob("docs/**/*.md")) + list(REPO.glob("examples/**/*.md"))
    for page in pages:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            if "://" in link:
                continue
            path, _, anchor = link.partition("#")
            there = (page.parent / path).resolve() if path else page
            assert there.exists(), f"{page.name}: {link}"
            if anchor:
                titles = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
                anchors = [re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles]
                assert anchor in anchors, f"{page.name}: {link}"
