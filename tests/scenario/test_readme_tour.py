"""The README's tour and the guide's first migration run as they stand there, so that they cannot rot."""
import os
import pathlib
import re
import subprocess

import pytest

import harness

REPO = pathlib.Path(__file__).resolve().parents[2]
APP = REPO / "examples" / "app"
BLOCK = re.compile(r"^```sh tour(?: exit=(\d+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def tour_blocks(text):
    """The tour's blocks as (expected status of the last command, script)."""
    return [(int(status or 0), script) for status, script in BLOCK.findall(text)]


def test_parses_blocks():
    """Only blocks marked as tour are taken, with their expected status."""
    text = "```sh\nno\n```\n```sh tour\na\nb\n```\ntext\n```sh tour exit=3\nc\n```\n"
    assert tour_blocks(text) == [(0, "a\nb\n"), (3, "c\n")]


PAGES = {"README.md": "validate check plan apply status approve cutover cleanup",
         "docs/guide.md": "init validate grants check plan show apply status verify approve cutover cleanup"}


@pytest.mark.parametrize("page", PAGES)
def test_tour(page, source, target, tmp_path):
    """Every tour block of a page, in order, in one directory, each ending as it says."""
    blocks = tour_blocks((REPO / page).read_text(encoding="utf-8"))
    for command in PAGES[page].split():
        assert any(f"godwit {command} " in script for _, script in blocks), command
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    (bin_dir / "godwit").symlink_to(harness.godwit_bin())
    env = dict(os.environ, PATH=f"{bin_dir}:{os.environ['PATH']}", TMPDIR=str(tmp_path),
               SOURCE=source.conninfo(), TARGET=target.conninfo())
    subprocess.run([APP / "load.sh", source.conninfo()], env=dict(env, SCALE="0.01"), check=True)

    for status, script in blocks:
        done = subprocess.run(["bash", "-c", script if status else f"set -e\n{script}"], cwd=REPO,
                              env=env, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != status:
            pytest.fail(f"this block ended with {done.returncode}, not {status}:\n{script}\n"
                        f"{done.stdout}\n{done.stderr}")

    same = subprocess.run([APP / "compare.sh", source.conninfo(), target.conninfo()],
                          capture_output=True, text=True, check=False)
    assert same.returncode == 0, same.stdout + same.stderr
    assert target.value("SELECT count(*) FROM timescaledb_information.hypertables") == 2
