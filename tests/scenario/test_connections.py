"""source.max_connections and target.max_connections are hard caps: sampled during whole runs."""
import contextlib
import threading

import psycopg

BACKENDS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() " \
           "AND application_name LIKE ANY ('{godwit%,pg\\_%}')"


class Sampler:
    """The most sessions that a database had at one time."""

    def __init__(self, database):
        self.most, self.names = 0, []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._look, args=(database,))
        self.thread.start()

    def _look(self, database):
        with contextlib.suppress(psycopg.OperationalError), database.connect() as connection:  # ended at the fence
            while not self.stopping.is_set():
                count = connection.execute(BACKENDS).fetchone()[0]
                if count > self.most:
                    self.most = count
                    self.names = [row[0] for row in connection.execute(
                        BACKENDS.replace("count(*)", "application_name") + " ORDER BY 1")]
                self.stopping.wait(0.002)

    def end(self):
        """The figure, and who they were."""
        self.stopping.set()
        self.thread.join()
        return self.most, self.names


def test_caps_hold_with_lanes_and_low_caps(source, target, plan, godwit, tmp_path):
    """Four lanes, more jobs than the caps leave room for, a spool, changes during the run."""
    source.execute("".join(f"CREATE TABLE t{n} (id int PRIMARY KEY, v text UNIQUE);"
                           f"INSERT INTO t{n} SELECT g, 'v' || g FROM generate_series(1, 3000) g;" for n in range(12)))
    caps = {"source": 12, "target": 17}
    mine = plan(source={"max_connections": caps["source"]}, target={"max_connections": caps["target"]},
                copy={"table_jobs": 8, "index_jobs": 4}, apply={"lanes": 4},
                replication={"spool": {"directory": str(tmp_path / "spool")}})
    samplers = {"source": Sampler(source), "target": Sampler(target)}
    try:
        running = godwit.start("apply", mine)
        running.wait_for("wave 1: ")
        for n in range(12):
            source.execute(f"UPDATE t{n} SET v = 'w' || id WHERE id < 500")
        running.wait(code=0)
    finally:
        found = {side: sampler.end() for side, sampler in samplers.items()}
    print(found)
    for side, cap in caps.items():
        assert found[side][0] <= cap, found[side]
