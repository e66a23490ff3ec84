"""Drives the stream alone: build/VARIANT/stream_trial, one line of JSON for each command.

    with Trial.on(plan, source, target, tables=["t"]) as trial:
        source.execute("INSERT INTO t VALUES (1)")
        trial.catch_up()
        assert trial.same("t")
"""
import json
import os
import subprocess
import threading

import harness


def binary():
    """The driver that belongs to the engine under test."""
    return harness.godwit_bin().parent / "stream_trial"


class Trial:
    """One engine's stream over a slot and publication that stay when it ends."""

    def __init__(self, plan, source, target, slot="trial", sync_lsn=None, env=None):
        self.plan, self.source, self.target, self.slot = plan, source, target, slot
        self.nonces = 0
        self.may_replay = False  # folding must not lean on the replay
        command = [str(binary()), str(plan.path), slot, "trial_pub"]
        if sync_lsn is not None:
            command.append(str(sync_lsn))
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, **plan.env, "TRIAL_DEBUG": "1", **harness.SANITIZERS, **(env or {})})
        self.log = []
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        self.hello = json.loads(self.process.stdout.readline() or "{}")

    @classmethod
    def on(cls, plan, source, target, schema, tables=(), slot=None, setup="", **options):
        """Make the same tables on both sides, publication and slot, then start."""
        for side in (source, target):
            side.execute(schema)
        if setup:
            source.execute(setup)
        slot = slot or "trial_" + source.name
        names = ", ".join(tables) if tables else None
        source.execute("CREATE PUBLICATION trial_pub FOR " +
                       (f"TABLE {names}" if names else "ALL TABLES"))
        source.value(f"SELECT 1 FROM pg_create_logical_replication_slot('{slot}', 'pgoutput')")
        return cls(plan, source, target, slot, **options)

    def again(self, **options):
        """Another engine on the same slot and run."""
        return Trial(self.plan, self.source, self.target, self.slot, **options)

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line)

    def log_text(self):
        """What the engine has logged."""
        return "".join(self.log)

    def tell(self, line):
        """Send one command, return its answer."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        text = self.process.stdout.readline()
        assert text, f"no answer to {line!r}:\n{self.log_text()}"
        return json.loads(text)

    def ok(self, line):
        """Send a command that must succeed."""
        answer = self.tell(line)
        assert "error" not in answer, f"{line}: {answer}\n{self.log_text()}"
        return answer

    def status(self):
        """The stream's counters and positions."""
        return self.ok("status")

    def memory(self):
        """limits.memory, its shares as [limit, peak], and what passed beside them."""
        memory = self.ok("memory")
        assert memory["fixed"] + sum(share for share, _ in memory["shares"].values()) <= memory["limit"], memory
        for name, (share, peak) in memory["shares"].items():
            assert peak <= share, (name, memory)
        return memory

    def after(self, nonce):
        """How many selected changes arrived behind that marker."""
        return self.ok(f"after {nonce}")["changes"]

    def touched(self, relation):
        """The keys taken since the last call."""
        return self.ok(f"touched {relation}")

    def catch_up(self, timeout=60):
        """Wait until everything committed so far on the source is applied."""
        self.nonces += 1
        self.ok(f"marker n{os.getpid()}_{self.process.pid}_{self.nonces} {timeout * 1000}")

    def fails(self, line=None, timeout=60):
        """The stream must end with an error; returns it."""
        answer = self.tell(line or f"marker fail{self.nonces} {timeout * 1000}")
        assert "error" in answer, answer
        return answer

    def same(self, table, columns="*"):
        """Whether both sides hold the same multiset of rows."""
        query = (f"SELECT count(*)::text, coalesce(sum(hashtextextended(r::text, 0)), 0)::text "
                 f"FROM (SELECT {columns} FROM {table}) AS r")
        here, there = self.source.query(query), self.target.query(query)
        assert here == there, f"{table}: {here} {there}\n{self.log_text()[-3000:]}"
        return True

    def stop(self):
        """End it; returns (exit status, last answer)."""
        if self.process.poll() is None:
            try:
                self.process.stdin.write("stop\n")
                self.process.stdin.flush()
                text = self.process.stdout.readline()
            except BrokenPipeError:
                text = ""
            code = self.process.wait(timeout=60)
            self.reader.join(timeout=10)
            return code, json.loads(text) if text else {}
        return self.process.returncode, {}

    def kill(self):
        """End it as a crash does."""
        self.process.kill()
        self.process.wait()
        self.reader.join(timeout=10)

    def __enter__(self):
        assert self.hello.get("ok"), f"{self.hello}\n{self.log_text()}"
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        text = self.log_text()
        if kind is None:
            assert "Sanitizer" not in text and "BUG" not in text, text
            assert self.may_replay or "replaying" not in text, text
