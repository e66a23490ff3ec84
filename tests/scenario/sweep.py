"""The fault sweep: statements that a migration sends fail, or their connection is cut, or the engine is killed there.

A statement is its text without digits, its side and who sends it. An engine that is started again knows from a file
what had its turn, so one migration goes through hundreds of faults, each where the statement stands when it is its
turn: some in the first engine, some in a resumed one, some behind a cutover that was taken back. What the migration
comes to must be what a run without faults comes to.
"""
import collections

import psycopg

import harness
from misfortune import OBJECTS

# How an engine may end that was failed, cut or killed: the next one goes on. 2 to 9, 12, 14 and 70 are no such end.
ENDS = (-9, 1, 10, 11, 13)

SCHEMA = """
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE parted_b PARTITION OF parted FOR VALUES FROM (100) TO (1000000);
CREATE TABLE swept (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent int REFERENCES parted, u int UNIQUE,
                    v text);
CREATE TABLE bare (v text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER always AFTER INSERT ON swept FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE swept ENABLE ALWAYS TRIGGER always;
CREATE MATERIALIZED VIEW summed AS SELECT count(*) FROM parted;
INSERT INTO parted SELECT i, 'v' || i FROM generate_series(1, 200) AS i;
INSERT INTO swept (parent, u) SELECT i, i FROM generate_series(1, 150) AS i;
INSERT INTO bare SELECT 'b' || i FROM generate_series(1, 20) AS i;
"""
KEYS = {"replication": {"replica_identity": {"when_missing": "set"}}, "cutover": {"gates": {"stable_for": "100ms"}}}


# Two tables, a sequence, an index, a foreign key.
SMALL = """
CREATE TABLE one (id int PRIMARY KEY, v text);
CREATE TABLE two (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, one int REFERENCES one);
CREATE INDEX two_one ON two (one);
INSERT INTO one SELECT i, 'v' || i FROM generate_series(1, 50) AS i;
INSERT INTO two (one) SELECT i FROM generate_series(1, 50) AS i;
"""
FEW = {"copy": {"table_jobs": 1, "index_jobs": 1}}


class Drip:
    """What comes to SMALL between two engines."""

    WORK = """
    INSERT INTO one SELECT max(id) + 1, 'new' FROM one;
    INSERT INTO two (one) SELECT max(id) FROM one;
    UPDATE one SET v = v || '.' WHERE id % 7 = 3;
    DELETE FROM two WHERE id % 11 = 5
    """

    def __init__(self, source):
        self.source = source

    def drop(self):
        """Once; a fence that a killed engine left, or one behind the switch, refuses it."""
        try:
            with self.source.connect(autocommit=False) as connection:
                connection.execute("SET lock_timeout = '1s'")
                for statement in self.WORK.split(";"):
                    connection.execute(statement)
        except (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.LockNotAvailable):
            pass


class Sweep:
    """One migration under a rule of GODWIT_SWEEP, until it is done."""

    def __init__(self, godwit, plan, directory, rule):
        self.godwit, self.plan, self.rule = godwit, plan, rule
        self.seen = directory / f"swept_{rule.replace(':', '_').replace('+', '_')}"
        self.ends = collections.Counter()

    def struck(self):
        """(kind, side) of each fault so far."""
        return [tuple(line.split()[1:3]) for line in self.lines()]

    def lines(self):
        """The faults so far, as the hook wrote them down."""
        return self.seen.read_text(encoding="utf-8", errors="replace").splitlines() if self.seen.exists() else []

    def run(self, most, between=None):
        """Start engines until one finishes; each must come upon a fault that none before it had."""
        for _ in range(most):
            before = len(self.lines())
            result = self.godwit("apply", self.plan, env={"GODWIT_SWEEP": f"{self.rule}:{self.seen}"}, timeout=300)
            self.ends[result.code] += 1
            if result.code == 0:
                return
            new = self.lines()[before:]
            assert result.code in ENDS, f"exit status {result.code} behind {new}:\n{result.err[-3000:]}"
            assert new, f"exit status {result.code} without a fault:\n{result.err[-3000:]}"
            if between is not None:
                between()
        raise AssertionError(f"not done after {most} engines: {self.ends}, last {self.lines()[-3:]}")

    def told(self):
        """Its size, for the reader."""
        kinds = collections.Counter(self.struck())
        texts = len({line.split()[0] for line in self.lines()})
        return (f"{self.rule}: {texts} statements, {len(self.lines())} faults ("
                + ", ".join(f"{count} {kind} on the {side}" for (kind, side), count in sorted(kinds.items()))
                + f"), {sum(self.ends.values())} engines, all resumed, 0 lost, 0 twice")


def compare(source, target):
    """Rows, sequences and objects are the source's, as behind a run without faults; nothing is left on the source."""
    harness.assert_same(source, target)
    here, there = (collections.Counter(row[0] for row in side.query(OBJECTS, {"schemas": ["public"]}))
                   for side in (source, target))
    assert here == there, f"objects: only here {here - there}, only there {there - here}"
    assert source.query("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()") == []
    assert source.query("SELECT pubname FROM pg_publication") == []
