#!/usr/bin/python3
"""workload.py: traffic for the example application, with a proof of what it did.

Every transaction has a UUID. It writes one app.audit_step row per thing it changed while it
works, and one app.audit_txn row with the number of steps as its last act; once COMMIT has
returned, its UUID goes to a local log. After a migration the target must hold exactly the logged
transactions, each with all of its steps: `check_audit` says so or names those that are missing,
split, or there although they were rolled back.

    SOURCE='host=... dbname=shop' workload.py run --rate 100 --log /tmp/txn.log
    TARGET='host=... dbname=shop' workload.py check --log /tmp/txn.log

From a test:

    load = Workload(conninfo, threads=4, rate=50, log_path=path)
    load.start(); ...; summary = load.stop()
    assert not summary["errors"] and check_audit(target, path).ok

It runs until SIGTERM, or until the server refuses writes (read-only, terminated and not coming
back, permission withdrawn): that is how a cutover looks from here, and it ends with a summary and
status 0. Status 1: a transaction failed in a way that no cutover explains.
"""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time

import psycopg

from workload_audit import check_audit
from workload_kinds import KINDS, RollbackWanted, Txn

REFUSED = {"25006", "42501"}            # read-only transaction, insufficient privilege
GIVE_WAY = {"40001", "40P01", "55P03"}  # serialization, deadlock, lock not available
CONNECTION_LOST = {"57P01", "57P02", "57P03", "57P05", "25P03", "53300", "55000"}
SETTINGS = "-c timezone=UTC -c idle_in_transaction_session_timeout=0 -c statement_timeout=0"


class Refused(Exception):
    """The server takes no more writes from us."""


# ---------------------------------------------------------------------------------------------
# workers


class Worker(threading.Thread):
    """One connection and the transactions that run on it."""

    def __init__(self, owner, no):
        super().__init__(name=f"workload-{no}", daemon=True)
        self.owner = owner
        self.no = no
        self.rng = random.Random(None if owner.seed is None else owner.seed * 1000 + no)
        self.conn = None
        self.limits = {}
        self.open_orders = []
        self.billed = set()

    def some_time(self):
        """A time inside the loaded readings."""
        low, high = self.limits["times"]
        return low + (high - low) * self.rng.random()

    def run(self):
        kinds = [k for k in KINDS if k not in self.owner.without]
        weights = [KINDS[k][0] for k in kinds]
        pause = self.owner.threads / self.owner.rate if self.owner.rate else 0.0
        due = time.monotonic()
        try:
            self._connect()
            while not self.owner.stopping.is_set():
                self._transaction(self.rng.choices(kinds, weights)[0])
                due = max(due + pause, time.monotonic() - 1.0)
                self.owner.stopping.wait(max(0.0, due - time.monotonic()))
        except Refused as e:
            self.owner.refuse(str(e))
        except Exception as e:  # a bug of ours or a surprise: the summary must show it
            self.owner.fail(f"{type(e).__name__}: {e}")
        finally:
            if self.conn is not None:
                self.conn.close()

    def _connect(self):
        """Connects, waiting while the server is away; Refused when it stays away."""
        began = time.monotonic()
        while True:
            if self.owner.stopping.is_set():
                raise Refused("stopped")
            try:
                self.conn = psycopg.connect(self.owner.conninfo, options=SETTINGS,
                                            application_name="godwit_workload")
                self._read_limits()
                return
            except psycopg.Error as e:
                if not connection_gone(e, self.conn):
                    raise
                if time.monotonic() - began > self.owner.give_up_after:
                    raise Refused(f"cannot connect: {first_line(e)}") from e
                self.owner.stopping.wait(0.1)

    def _reconnect(self):
        self.conn.close()
        self.owner.count("reconnected")
        self._connect()

    def _read_limits(self):
        if self.limits:
            return
        with self.conn.cursor() as cur:
            cur.execute(
                "SELECT (SELECT max(id) FROM app.customer), (SELECT max(id) FROM app.product), "
                "(SELECT max(product_id) FROM app.product_image), (SELECT max(id) FROM billing.invoice), "
                "(SELECT max(id) FROM telemetry.device), "
                "(SELECT min(time) FROM telemetry.metrics), (SELECT max(time) FROM telemetry.metrics)")
            row = cur.fetchone()
        self.conn.rollback()
        names = ("customer", "product", "image_product", "shipment", "device")
        self.limits = dict(zip(names, row))
        self.limits["times"] = row[5:]

    def _transaction(self, name):
        """One transaction of kind `name`, its outcome counted and logged."""
        t = None
        committing = False
        try:
            with self.conn.cursor() as cur:
                t = Txn(cur, self.rng, self)
                t.after_commit = None
                try:
                    KINDS[name][1](t)
                    t.finish(name)
                    committing = True
                    self.conn.commit()
                    self.owner.done(t, name, "committed")
                    if t.after_commit:
                        t.after_commit()
                except RollbackWanted:
                    t.finish(name)
                    self.conn.rollback()
                    self.owner.done(t, name, "rolled_back")
        except psycopg.Error as e:
            self._failed(e, t, name, committing)

    def _failed(self, e, t, name, committing):
        state = e.sqlstate or ""
        if connection_gone(e, self.conn):
            if committing:
                self.owner.done(t, name, "unknown")     # the server may or may not have committed
            self._reconnect()
            return
        try:
            self.conn.rollback()
        except psycopg.Error as lost:                   # ended between the failure and the rollback
            if not connection_gone(lost, self.conn):
                raise
            self._reconnect()
            return
        if state in REFUSED:
            if self.owner.on_refusal == "stop":
                raise Refused(first_line(e)) from e
            self.owner.count("refused")
            self.conn.close()                           # a new session sees new defaults
            self.owner.stopping.wait(0.1)
            self._connect()
        elif state in GIVE_WAY:
            self.owner.count("gave_way")
        elif state[:2] == "23":
            self.owner.count("rejected")
        elif state == "57014" and self.owner.stopping.is_set():
            return
        else:
            raise e


def connection_gone(e, conn):
    """True if the error means that the session is over."""
    return (e.sqlstate in CONNECTION_LOST or (e.sqlstate or "")[:2] == "08"
            or (e.sqlstate is None and isinstance(e, psycopg.OperationalError))
            or (conn is not None and (conn.closed or conn.broken)))


def first_line(e):
    """The first line of an error's text."""
    return (str(e).strip().splitlines() or ["(no message)"])[0]


class Workload:
    """Several workers with one rate, one log and one summary.

    conninfo: where to write. threads, rate (transactions per second over all threads, 0 for no
    limit), seed (None: another run every time), without (kinds to leave out), log_path (a JSON
    line per finished transaction), on_refusal ("stop" ends at the first refused write, "wait"
    goes on trying: for a cutover that is rolled back), give_up_after (seconds without a
    connection that count as a refusal).
    """

    def __init__(self, conninfo, threads=4, rate=100.0, seed=None, without=(), log_path=None,
                 on_refusal="stop", give_up_after=10.0):
        unknown = set(without) - set(KINDS)
        if unknown:
            raise ValueError(f"no such kind of transaction: {sorted(unknown)}")
        self.conninfo = conninfo
        self.threads = threads
        self.rate = rate
        self.seed = seed
        self.without = set(without)
        self.on_refusal = on_refusal
        self.give_up_after = give_up_after
        self.stopping = threading.Event()
        self._log = open(log_path, "a", encoding="utf-8") if log_path else None
        self._lock = threading.Lock()
        self._counts = {}
        self._kinds = {}
        self._errors = []
        self._refused = None
        self._refused_at = None
        self._last_commit_at = None
        self._longest_gap = 0.0
        self._began = None
        self._workers = [Worker(self, n) for n in range(1, threads + 1)]

    def start(self):
        """Starts the workers and returns at once."""
        self._began = time.time()
        for w in self._workers:
            w.start()

    def wait(self, timeout=None):
        """Waits until every worker has ended; False on timeout."""
        end = None if timeout is None else time.monotonic() + timeout
        for w in self._workers:
            w.join(None if end is None else max(0.0, end - time.monotonic()))
        return not any(w.is_alive() for w in self._workers)

    def stop(self):
        """Ends politely: running transactions finish, blocked ones are cancelled. Returns the summary."""
        self.stopping.set()
        if not self.wait(3.0):
            for w in self._workers:
                if w.is_alive() and w.conn is not None and not w.conn.closed:
                    w.conn.cancel()
            self.wait(10.0)
        return self.summary()

    def done(self, t, name, state):
        """Logs one finished transaction."""
        now = time.time()
        with self._lock:
            self._counts[state] = self._counts.get(state, 0) + 1
            if state == "committed":
                self._kinds[name] = self._kinds.get(name, 0) + 1
                if self._last_commit_at is not None:
                    self._longest_gap = max(self._longest_gap, now - self._last_commit_at)
                self._last_commit_at = now
            if self._log:
                self._log.write(json.dumps({"txn": str(t.id), "kind": name, "steps": t.steps,
                                            "state": state, "at": now}) + "\n")
                self._log.flush()

    def count(self, what):
        """Counts something that is not a finished transaction."""
        with self._lock:
            self._counts[what] = self._counts.get(what, 0) + 1

    def refuse(self, why):
        """A worker met a server that takes no writes: everybody stops."""
        with self._lock:
            if self._refused is None and not self.stopping.is_set():
                self._refused = why
                self._refused_at = time.time()
        self.stopping.set()

    def fail(self, why):
        """A worker died of something that should not happen."""
        with self._lock:
            self._errors.append(why)
        self.stopping.set()

    def summary(self):
        """What happened so far, as a dict that JSON can take."""
        with self._lock:
            return {"committed": self._counts.get("committed", 0),
                    "rolled_back": self._counts.get("rolled_back", 0),
                    "unknown": self._counts.get("unknown", 0),
                    "rejected": self._counts.get("rejected", 0),
                    "gave_way": self._counts.get("gave_way", 0),
                    "refused_writes": self._counts.get("refused", 0),
                    "reconnected": self._counts.get("reconnected", 0),
                    "kinds": dict(sorted(self._kinds.items())),
                    "seconds": round(time.time() - (self._began or time.time()), 1),
                    "ended_by": "refusal" if self._refused else
                                "error" if self._errors else "stop" if self.stopping.is_set() else None,
                    "refusal": self._refused,
                    "last_commit_at": self._last_commit_at,
                    "refused_at": self._refused_at,
                    "longest_gap_ms": round(self._longest_gap * 1000),
                    "errors": list(self._errors)}


def wait_until_writable(conninfo, timeout):
    """Tries a write that is always rolled back, until the server takes it; returns the time or None."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            with psycopg.connect(conninfo, options=SETTINGS, connect_timeout=5) as conn:
                conn.execute("INSERT INTO app.audit_txn (txn, worker, kind, steps) "
                             "VALUES (gen_random_uuid(), 0, 'probe', 0)")
                conn.rollback()
            return time.time()
        except psycopg.Error:
            time.sleep(0.02)
    return None


# ---------------------------------------------------------------------------------------------
# command line


def run_command(args):
    """`run`: writes until told to stop or refused; prints the summary as JSON."""
    load = Workload(os.environ[args.conninfo_env], threads=args.threads, rate=args.rate, seed=args.seed,
                    without=args.without, log_path=args.log, on_refusal=args.on_refusal)
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: load.stopping.set())
    load.start()
    end = time.monotonic() + args.seconds if args.seconds else None
    while not load.stopping.wait(0.1):
        if end is not None and time.monotonic() > end:
            break
    summary = load.stop()
    if args.then_env and summary["refused_at"]:
        writable_at = wait_until_writable(os.environ[args.then_env], args.then_timeout)
        if writable_at:
            summary["writable_at"] = writable_at
            summary["client_downtime_ms"] = round((writable_at - summary["last_commit_at"]) * 1000)
    text = json.dumps(summary, indent=2)
    print(text)
    if args.summary:
        with open(args.summary, "w", encoding="utf-8") as f:
            f.write(text + "\n")
    return 1 if summary["errors"] else 0


def check_command(args):
    """`check`: is every logged transaction on this server, whole?"""
    report = check_audit(os.environ[args.conninfo_env], args.log)
    print(report)
    for name in ("missing", "split", "undone", "stray"):
        for txn in getattr(report, name)[:10]:
            print(f"  {name}: {txn}")
    return 0 if report.ok else 1


def main():
    """Reads the arguments and runs one command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="write until SIGTERM or until the server refuses writes")
    run.add_argument("--conninfo-env", default="SOURCE", help="variable with the connection string")
    run.add_argument("--threads", type=int, default=4)
    run.add_argument("--rate", type=float, default=100.0, help="transactions per second; 0: no limit")
    run.add_argument("--seconds", type=float, help="end by itself after so long")
    run.add_argument("--seed", type=int)
    run.add_argument("--without", nargs="*", default=[], metavar="KIND", help=", ".join(KINDS))
    run.add_argument("--log", help="a JSON line per finished transaction")
    run.add_argument("--summary", help="the summary goes here too")
    run.add_argument("--on-refusal", choices=["stop", "wait"], default="stop")
    run.add_argument("--then-env", help="variable with a connection string: once refused, try (and "
                     "roll back) a write there until it works, and report the gap a client saw")
    run.add_argument("--then-timeout", type=float, default=120.0, metavar="SECONDS")
    check = commands.add_parser("check", help="compare a server's audit tables with the log")
    check.add_argument("--conninfo-env", default="TARGET")
    check.add_argument("--log", required=True)
    args = parser.parse_args()
    return run_command(args) if args.command == "run" else check_command(args)


if __name__ == "__main__":
    sys.exit(main())
