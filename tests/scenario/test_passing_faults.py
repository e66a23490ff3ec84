"""Faults that pass by themselves: one `apply` goes through all of them, nobody has to call it again."""
import contextlib
import signal
import time

import harness
from road import APPROVAL, WAITING

BIG = """
CREATE TABLE big (id bigint PRIMARY KEY, payload text NOT NULL);
INSERT INTO big SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 12000) AS i;
"""
GOES_ON = r"this passes by itself"
SOON = APPROVAL | {"gates": {"stable_for": "100ms"}}
END_SESSION = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity " \
              "WHERE datname = current_database() AND application_name LIKE %s"


def caught_up_again(running, target):
    """It has begun anew and is where it was."""
    running.wait_for(WAITING, timeout=60, new=True)
    assert target.value("SELECT state FROM godwit.run") == "running"


def test_anchor_31_one_apply_outlives_what_passes(private_cluster, database, plan, godwit, writer, proxy):
    """Servers restarted at once in copy and stream, the lock's session ended, a target that is silently gone: one
    process goes through all of it in place, and nothing is lost or twice. The plan's own tcp_user_timeout finds the
    silence sooner."""
    servers = private_cluster("pg15"), private_cluster("pg17")
    source, target = (database(server) for server in servers)
    source.execute(BIG)
    load = writer(source)
    ways = proxy(source), proxy(target)
    mine = plan(source, target, cutover=SOON, copy={"split_tables_larger_than": "1MB", "table_jobs": 2})
    ways[0].limit(8_000_000)
    through = mine.via(*ways)
    through.env["TARGET"] += " tcp_user_timeout=3000"
    running = godwit.start("apply", through)
    running.wait_for(r"\[wave:?\w*\] done")
    servers[0].restart("immediate")  # in the copy, whose snapshot is gone with it
    running.wait_for(GOES_ON)
    running.wait_for(r"\[wave:?\w*\] done", new=True)
    servers[1].restart("immediate")  # in the copy
    running.wait_for("the run's lock is lost")
    ways[0].limit(None)
    running.wait_for(WAITING)
    servers[0].restart("immediate")  # in the stream: it connects again, the run does not notice
    load.wait_transactions(10)
    assert target.value(END_SESSION, ("godwit%lock",)) == 1
    caught_up_again(running, target)
    # The session that answers requests and writes samples is the only one that ends: another one takes its place.
    assert target.value(END_SESSION, ("godwit%main",)) == 1
    target.wait_until("SELECT at > %s FROM godwit.metric",
                      (target.value("SELECT clock_timestamp()"),))
    ways[1].vanish()
    running.wait_for(GOES_ON, timeout=60, new=True)
    ways[1].come_back()
    running.wait_for(WAITING, timeout=60, new=True)
    load.wait_transactions(10)
    # A source that does not answer is told, and who follows a cutover through it is answered behind it.
    ways[0].refuse()
    target.wait_until("SELECT (sample->>'head_age_us')::bigint > 3000000 FROM godwit.metric")
    told = godwit("status", mine, code=0).out
    assert "lag                not known: the source does not answer" in told and "; last seen" in told, told
    godwit("approve", mine, code=0)
    running.wait_for(GOES_ON, timeout=60, new=True)
    follower = godwit.start("cutover", mine)
    follower.wait_for("asking the running engine")
    ways[0].accept()
    running.wait(code=0)
    assert "downtime" in follower.wait(code=0).out
    out = godwit("status", mine, code=0).out
    assert "primary            the target" in out and "finished since " + target.value(
        "SELECT to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM godwit.run") in out
    load.stop(check=False)
    load.verify(target)
    harness.assert_same(source, target)


def test_a_run_that_somebody_took_over_is_left_to_him(source, target, plan, godwit, proxy):
    """An engine is cut off; another takes the run. When the way is there again the first one leaves. Cut off as well,
    the second one waits, and a signal ends that at once."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    way, other = proxy(target), proxy(target)
    mine = plan(cutover=SOON)
    first = godwit.start("apply", mine.via(target=way))
    first.wait_for(WAITING)
    way.refuse()
    first.wait_for(GOES_ON, timeout=60)
    second = godwit.start("apply", mine.via(target=other))
    second.wait_for(WAITING)
    way.accept()
    assert "took the run over" in first.wait(code=1).err
    other.refuse()
    second.wait_for(GOES_ON, timeout=60)
    time.sleep(1)
    second.send_signal(signal.SIGINT)
    second.wait(timeout=30, code=130)
    source.execute("INSERT INTO t VALUES (2)")
    godwit("approve", mine, code=0)
    godwit("apply", mine, code=0)
    harness.assert_same(source, target)


PARTED = """
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY HASH (id);
CREATE TABLE parted0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT i, md5(i::text) FROM generate_series(1, 2000) AS i;
"""
LOCK_JUST_LOOKED = "SELECT clock_timestamp() - state_change < '200 ms' FROM pg_stat_activity " \
                   "WHERE datname = current_database() AND application_name LIKE 'godwit%lock'"


def test_a_target_that_forgets_what_it_committed(private_cluster, database, source, plan, godwit):
    """The target crashes before what was just done is on its disk, and is back before the lock's session is missed:
    what hangs on it is not done first. Here a key of a partitioned table would come before those of its partitions."""
    server = private_cluster("pg17", {"wal_writer_delay": "10s", "bgwriter_lru_maxpages": 0})
    target = database(server)
    source.execute(PARTED)
    source.execute("CREATE TABLE other (id int PRIMARY KEY)")
    mine = plan(source, target)
    godwit("apply", mine, "--until", "schema_pre", code=0)
    with contextlib.closing(target.connect(autocommit=False)) as whole, \
            contextlib.closing(target.connect(autocommit=False)) as part:
        whole.execute("LOCK TABLE ONLY parted IN ACCESS SHARE MODE")
        part.execute("LOCK TABLE parted0 IN ACCESS SHARE MODE")
        running = godwit.start("apply", mine)
        running.wait_for(r"\[constraint:public.parted1.parted1_pkey\] done")
        target.wait_until("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'parted0'::regclass")
        target.wait_until(LOCK_JUST_LOOKED)
        part.rollback()
        running.wait_for(r"\[constraint:public.parted0.parted0_pkey\] done")
        server.kill9()
        server.start()
    running.wait(code=0)


def test_an_engine_that_waits_for_its_source_holds_the_run(source, target, plan, godwit, proxy):
    """Who asks for something meanwhile finds it, another engine does not get in; also when the lock's session ends in
    between, for the lock comes before the source. What was asked is done when the source is there again."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    way = proxy(source)
    mine = plan(cutover=SOON)
    running = godwit.start("apply", mine.via(source=way))
    running.wait_for(WAITING)
    way.refuse()
    godwit("approve", mine, code=0)
    running.wait_for(GOES_ON, timeout=60)
    godwit("apply", mine, code=7)
    assert target.value(END_SESSION, ("godwit%lock",)) == 1
    target.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND "
                      "application_name LIKE 'godwit%%lock'")
    asked = godwit.start("pause", mine)
    asked.wait_for("asked the running engine")
    way.accept()
    running.wait(60, code=143)
    assert "is paused" in asked.wait(code=0).out
    godwit("apply", mine, code=0)
    harness.assert_same(source, target)
