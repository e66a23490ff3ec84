"""One migration of a random world under random options and random faults, all made again by one seed.

    result = Trial(godwit, pair, directory, seed=7, schemas=10).run()

What is a case: one random schema, written to all the while, in a migration whose options and faults are drawn, too. The
migration is resumed by the same command until it is done; then every table, sequence, index and constraint is
compared by what is in harness.py and here, which knows nothing of godwit. A fault's moment is drawn as well, but when
it strikes is the machine's matter: a seed makes the same world, traffic, options and faults again, not the same race.
"""
import collections
import random
import secrets
import time

import cluster as lab
import harness
import proxy as lab_proxy
import psycopg
from chance import Traffic, World, quoted

KINDS = ["kill", "cut source", "cut target", "restart source", "restart target", "crash target", "pause", "end backend",
         "stall", "hook kill", "hook cut", "hook fail"]
MOMENTS = [r"\[slot\] done", r"\[schema_pre\] done", r"\[wave:?\w*\] done", r"\[replicate\] done", r"\[wave_end\] done",
           r"\[catchup\] done", r"\[cutover.target_fence\] done", r"\[cutover.source_fence\] done",
           r"\[cutover.drain\] done", r"\[cutover.verify\] done", r"\[cutover.switch\] done"]
# What a run may end with that a fault was thrown at: killed, an error that a new apply mends, a server that was down,
# a cutover taken back, one to be finished, one that could not even be taken back yet.
FAULTED = (-9, 1, 5, 10, 11, 13)
ENGINE_S = 300

OBJECTS = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indrelid
 WHERE relnamespace::regnamespace::text = ANY (%(schemas)s) AND indisvalid
UNION ALL
SELECT conrelid::regclass || ' ' || conname || ' ' || CASE WHEN conparentid = 0
           THEN pg_get_constraintdef(oid) || ' ' || convalidated
           ELSE replace(pg_get_constraintdef(oid), ' NOT VALID', '') END  -- before 18 VALIDATE passes over these
  FROM pg_constraint WHERE connamespace::regnamespace::text = ANY (%(schemas)s) AND contype <> 'n'
UNION ALL
SELECT oid::regclass || ' ' || relkind::text || relreplident::text || coalesce(obj_description(oid, 'pg_class'), '')
  FROM pg_class WHERE relnamespace::regnamespace::text = ANY (%(schemas)s) AND relkind IN ('r', 'p', 'S', 'i', 'I')
 ORDER BY 1
"""
LEFT_BEHIND = """
SELECT 'slot ' || slot_name FROM pg_replication_slots WHERE database = current_database()
UNION ALL SELECT 'publication ' || pubname FROM pg_publication
"""


class Pair:
    """A source's and a target's server; trials take a database on each."""

    def __init__(self, source="pg15", target="pg17"):
        self.source, self.target = lab.Cluster(source), lab.Cluster(target)

    def drop(self):
        """Stop both."""
        self.source.drop()
        self.target.drop()


def draw_plan(rng, world):
    """Options that all must come to the same."""
    keys = {
        "select": {"schemas": [quoted(name) for name in world.schemas]},
        "copy": {"table_jobs": rng.choice([1, 2, 4]), "index_jobs": rng.choice([1, 2]),
                 "format": rng.choice(["auto", "auto", "text"]), "vacuum": rng.random() < 0.5,
                 "split_tables_larger_than": rng.choice(["1MB", "1GB"])},
        "limits": {"memory": rng.choice(["64MB", "512MB"])},
        "replication": {"replica_identity": {"when_missing": "set"}, "heartbeat": rng.choice(["1s", "10s"])},
        "schema": {"foreign_keys": rng.choice(["not_valid_then_validate", "validate"])},
        "verify": [{"id": "all", "method": rng.choice(["count", "checksum", "checksum"])}],
        "cutover": {"gates": {"stable_for": rng.choice(["100ms", "500ms", "1500ms"])},
                    "stop_writes": {"method": rng.choice(["lock", "lock", "read_only"])}},
    }
    if rng.random() < 0.3:
        keys["copy"]["max_snapshot_age"] = "1s"
    if rng.random() < 0.4 and len(world.schemas) > 1:
        keys["replication"]["publications"] = [
            {"name": f"some {secrets.token_hex(4)}", "tables": [world.tables[0].name]},
            {"name": f"rest {secrets.token_hex(4)}"}]
    if keys["cutover"]["stop_writes"]["method"] == "read_only":
        keys["cutover"]["stop_writes"] |= {"grace": "3s", "terminate": ["postgres"]}
    return keys


class Trial:
    """One migration, from an empty target to the comparison."""

    def __init__(self, godwit, pair, directory, seed, schemas=10, faults=3):
        self.godwit, self.pair, self.directory, self.seed = godwit, pair, directory, seed
        self.rng = random.Random(f"trial {seed}")
        self.world = World(self.rng, schemas)
        self.faults = [(self.rng.choice(KINDS), self._moment()) for _ in range(self.rng.randrange(1, faults + 1))]
        self.counts = collections.Counter()
        self.story = []

    def _moment(self):
        """Either so many seconds after the start, or a step's end and a little."""
        if self.rng.random() < 0.5:
            return None, self.rng.uniform(0.02, 3)
        return self.rng.choice(MOMENTS), self.rng.choice([0, self.rng.uniform(0, 0.4)])

    def told(self):
        """What was drawn and what happened, for a failure's message."""
        return f"seed {self.seed}: " + "; ".join(self.story)

    def run(self):
        """Migrate under the faults and compare; the counts of what was done."""
        source = harness.Database.create(self.pair.source, prefix="src")
        target = harness.Database.create(self.pair.target, prefix="dst")
        with lab_proxy.Proxy(source.port) as left, lab_proxy.Proxy(target.port) as right:
            self.proxies = {"source": left, "target": right}
            self.databases = {"source": source, "target": target}
            traffic = None
            try:
                source.execute(self.world.ddl())
                traffic = Traffic(self.world, source, self.seed)
                plan = harness.Plan.write(self.directory / f"plan{self.seed}.yaml", source, target,
                                          draw_plan(self.rng, self.world)).via(left, right)
                self._migrate(plan)
                traffic.stop()
                self._compare(source, target)
            except (AssertionError, psycopg.Error) as error:
                raise AssertionError(f"{self.told()}\n{error}") from error
            finally:
                if traffic is not None:
                    traffic.stop()
        source.drop()
        target.drop()
        self.counts.update({f"transactions {what}": times for what, times in traffic.counts.items()})
        self.counts.update({"cases": len(self.world.schemas), "tables": len(self.world.tables), "migrations": 1})
        return self.counts

    # ---- the migration --------------------------------------------------------------------------

    def _migrate(self, plan):
        waiting = list(self.faults)
        for attempt in range(len(self.faults) + 4):
            fault = waiting.pop(0) if waiting else None
            env = self._hook(fault)
            running = self.godwit.start("apply", plan, env=env)
            self.counts["engines"] += 1
            if fault is not None and not env:
                self._strike(fault, running)
            result = running.wait(ENGINE_S)
            self.story.append(f"{attempt}: {fault} -> {result.code}")
            self.counts[f"exit {result.code}"] += 1
            if result.code == 0:
                return
            assert result.code in FAULTED, f"exit status {result.code}:\n{result.err[-6000:]}"
            assert fault is not None or result.code in (1, 5, 10, 11), f"without a fault:\n{result.err[-6000:]}"
            self.last_err = result.err
        raise AssertionError(f"does not come to its end:\n{self.last_err[-4000:]}")

    def _hook(self, fault):
        """The variable of the engine's own hook, where that is the fault."""
        if fault is None or not fault[0].startswith("hook"):
            return {}
        side = self.rng.choice(["source", "target"])
        point = self.rng.choice(["statement", "statement", "message"])
        number = int(2 ** self.rng.uniform(0, 9))
        self.counts[fault[0]] += 1
        rule = f"{side}:{point}:{number}:{fault[0].split()[1]}"
        self.story.append(rule)
        return {"GODWIT_FAULT": rule}

    def _strike(self, fault, running):
        kind, (line, seconds) = fault
        if line is not None:
            try:
                running.wait_for(line, timeout=ENGINE_S)
            except AssertionError:
                pass  # it did not come to that step; the wait ends with the engine
        end = time.monotonic() + seconds
        while time.monotonic() < end and running.running():
            time.sleep(0.01)
        if not running.running():
            self.counts["ended before the fault"] += 1
            return
        self.counts[kind] += 1
        getattr(self, "_" + kind.replace(" ", "_"))(running)

    @staticmethod
    def _kill(running):
        running.kill9()

    def _cut_source(self, _running):
        self.proxies["source"].cut()

    def _cut_target(self, _running):
        self.proxies["target"].cut()

    def _restart_source(self, _running):
        self.pair.source.restart("immediate")

    def _restart_target(self, _running):
        self.pair.target.restart("immediate")

    def _crash_target(self, _running):
        self.pair.target.kill9()
        self.pair.target.start()

    @staticmethod
    def _pause(running):
        running.send_signal(19)
        time.sleep(1)
        running.send_signal(18)

    def _stall(self, _running):
        side = self.rng.choice(["source", "target"])
        self.proxies[side].stall()
        time.sleep(self.rng.uniform(0.2, 1.5))
        self.proxies[side].go_on()

    def _end_backend(self, _running):
        side = self.rng.choice(["source", "target"])
        for _ in range(self.rng.choice([1, 3])):
            self.databases[side].query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name LIKE 'godwit%%' ORDER BY md5(pid::text || %s) LIMIT 1", (str(self.rng.random()),))
            time.sleep(0.05)

    # ---- the comparison -------------------------------------------------------------------------

    def _source_fell(self):
        return self.counts["restart source"] > 0

    @staticmethod
    def _compare_sequences(source, target):
        """A server that fell goes on up to 32 numbers further, which it had written down beforehand: behind the
        switch that makes the source's sequences run ahead of the target's, never the other way round."""
        found = ("SELECT schemaname, sequencename, coalesce(last_value, 0), increment_by FROM pg_sequences "
                 "WHERE schemaname <> 'godwit' ORDER BY 1, 2")
        here, there = source.query(found), target.query(found)
        assert [row[:2] for row in here] == [row[:2] for row in there]
        ahead = [(*left[:2], left[2], right[2]) for left, right in zip(here, there)
                 if not 0 <= (left[2] - right[2]) / left[3] <= 33]
        assert not ahead, f"sequences: {ahead}"

    def _compare(self, source, target):
        found = harness.assert_same(source, target, sequences=not self._source_fell())
        if self._source_fell():
            self._compare_sequences(source, target)
        self.counts["rows compared"] += found.rows
        schemas = {"schemas": [quoted(name) for name in self.world.schemas] + self.world.schemas}
        here, there = (collections.Counter(row[0] for row in side.query(OBJECTS, schemas)) for side in (source, target))
        assert here == there, f"objects: only here {here - there}, only there {there - here}"
        assert source.query(LEFT_BEHIND) == [], f"left on the source: {source.query(LEFT_BEHIND)}"
