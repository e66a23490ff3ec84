"""`make demo`, small: it migrates, proves it, and leaves no server and no file behind."""
import os
import pathlib
import signal
import subprocess
import time

import harness

REPO = pathlib.Path(__file__).resolve().parents[2]
DEMO = REPO / "examples" / "app" / "demo.sh"


def demo_env(open_dir):
    """The environment of a small demo whose files stand in open_dir."""
    return dict(os.environ, DEMO_SCALE="0.01", DEMO_SECONDS="2", TMPDIR=str(open_dir),
                GODWIT_BIN=str(harness.godwit_bin()))


def servers_below(directory):
    """Command lines of processes that mention a directory."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in text and "postgres" in text:
            found.append(text)
    return found


def test_demo(open_dir):
    """The whole demo ends with 0, says "0 differences" and the downtime, and cleans up."""
    done = subprocess.run([DEMO], env=demo_env(open_dir), capture_output=True, text=True, timeout=600,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 differences" in done.stdout
    assert "0 missing, 0 split" in done.stdout
    assert "downtime" in done.stdout.split("== Summary")[1]
    assert servers_below(open_dir) == []
    assert list(open_dir.glob("godwit-demo.*")) == []


def test_demo_interrupted(open_dir):
    """Ctrl-C in the middle stops everything that the demo started."""
    with open(open_dir / "out", "w", encoding="utf-8") as out:
        # A shell cannot trap a signal that was ignored when it began, as in a job in the background.
        demo = subprocess.Popen([DEMO], env=demo_env(open_dir), stdout=out, stderr=out,
                                start_new_session=True,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        end = time.monotonic() + 300
        while "== Do it" not in (open_dir / "out").read_text(encoding="utf-8"):
            assert demo.poll() is None and time.monotonic() < end, \
                (open_dir / "out").read_text(encoding="utf-8")
            time.sleep(0.1)
        assert servers_below(open_dir), "no server runs although the demo does"
        os.killpg(demo.pid, signal.SIGINT)
        status = demo.wait(60)
    assert status == 130, (open_dir / "out").read_text(encoding="utf-8")
    assert servers_below(open_dir) == []
    assert list(open_dir.glob("godwit-demo.*")) == []
