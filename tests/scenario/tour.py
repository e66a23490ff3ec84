"""Tours: pages whose blocks run as they stand there, so that they cannot rot.

A block that begins with ```sh tour is run; its last command must end with status 0, or with the exit=N of its first
line.
"""
import os
import pathlib
import re
import subprocess

import harness

REPO = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```sh tour(?: exit=(\d+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def tour_blocks(text):
    """The tour's blocks as (expected status of the last command, script)."""
    return [(int(status or 0), script) for status, script in BLOCK.findall(text)]


def environment(directory, source, target, **more):
    """What the blocks of a tour see: godwit on the PATH, a TMPDIR of their own, both servers."""
    bin_dir = directory / "bin"
    bin_dir.mkdir()
    (bin_dir / "godwit").symlink_to(harness.godwit_bin())
    return dict(os.environ, PATH=f"{bin_dir}:{os.environ['PATH']}", TMPDIR=str(directory),
                SOURCE=source.conninfo(), TARGET=target.conninfo(), **more)


def take(page, commands, env):
    """Runs every tour block of a page, in order, in one directory, each ending as it says; what each printed.

    commands are those of godwit that the page must show.
    """
    blocks = tour_blocks((REPO / page).read_text(encoding="utf-8"))
    for command in commands.split():
        assert any(f"godwit {command} " in script for _, script in blocks), command
    said = []
    for status, script in blocks:
        done = subprocess.run(["bash", "-c", script if status else f"set -e\n{script}"], cwd=REPO,
                              env=env, capture_output=True, text=True, timeout=300, check=False)
        said.append(done.stdout + done.stderr)
        assert done.returncode == status, \
            f"this block ended with {done.returncode}, not {status}:\n{script}\n{said[-1]}"
    return said
