"""workload_audit.py: the proof that no writer transaction was lost or split.

Owns: the comparison of app.audit_txn and app.audit_step on any server with the log that
workload.py wrote while it ran.

    report = check_audit(target_conninfo, "/tmp/txn.log")
    assert report.ok, report
"""

import json
from dataclasses import dataclass, field

import psycopg

SETTINGS = "-c timezone=UTC"


@dataclass
class AuditReport:
    """What the audit tables of a server say about the transactions of a log."""

    committed: int = 0
    missing: list = field(default_factory=list)     # logged as committed, not there
    split: list = field(default_factory=list)       # there with another number of steps
    undone: list = field(default_factory=list)      # rolled back by us, but there
    stray: list = field(default_factory=list)       # there, but in no log
    orphans: int = 0                                # steps without their transaction

    @property
    def ok(self):
        """True if every transaction is there once and whole, and nothing else is."""
        return not (self.missing or self.split or self.undone or self.stray or self.orphans)

    def __str__(self):
        return (f"{self.committed} transactions: {len(self.missing)} missing, {len(self.split)} split, "
                f"{len(self.undone)} rolled back but present, {len(self.stray)} unknown to the log, "
                f"{self.orphans} orphan steps")


def read_log(path):
    """The log as {txn uuid: (state, steps)}."""
    with open(path, encoding="utf-8") as f:
        return {e["txn"]: (e["state"], e["steps"]) for e in map(json.loads, f)}


def check_audit(conninfo, log_path):
    """Compares app.audit_txn and app.audit_step of a server with the log of the writer."""
    log = read_log(log_path)
    report = AuditReport(committed=sum(1 for s, _ in log.values() if s == "committed"))
    with psycopg.connect(conninfo, options=SETTINGS) as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        there = {str(txn): (steps, found) for txn, steps, found in conn.execute(
            "SELECT t.txn, t.steps, count(s.step) FROM app.audit_txn t "
            "LEFT JOIN app.audit_step s USING (txn) GROUP BY t.txn, t.steps")}
        report.orphans = conn.execute(
            "SELECT count(*) FROM app.audit_step s "
            "WHERE NOT EXISTS (SELECT FROM app.audit_txn t WHERE t.txn = s.txn)").fetchone()[0]
    for txn, (state, steps) in log.items():
        if txn not in there:
            if state == "committed":
                report.missing.append(txn)
        elif state == "rolled_back":
            report.undone.append(txn)
        elif there[txn] != (steps, steps):
            report.split.append(txn)
    report.stray = [txn for txn in there if txn not in log]
    return report
