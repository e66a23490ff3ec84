"""DDL on the source while it is replicated: told by name, never lost with a status of 0."""
import harness
import pytest
from road import APPROVAL, WAITING, in_one_transaction, replicating

CHANGES = {
    "add": ("ALTER TABLE t ADD COLUMN late int DEFAULT 5", "ALTER TABLE t DROP COLUMN late"),
    "rename": ("ALTER TABLE t RENAME COLUMN v TO w", "ALTER TABLE t RENAME COLUMN w TO v"),
    "drop": ("ALTER TABLE t DROP COLUMN v", None),
    "type": ("ALTER TABLE t ALTER COLUMN v TYPE varchar(100)", "ALTER TABLE t ALTER COLUMN v TYPE text"),
    "table": ("ALTER TABLE t RENAME TO u", "ALTER TABLE u RENAME TO t"),
    "publish": ("CREATE TABLE other (id int PRIMARY KEY); ALTER PUBLICATION {pub} ADD TABLE other;"
                "INSERT INTO other VALUES (1)", None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_anchor_49_a_changed_table_stops_the_stream(change, source, target, plan, godwit):
    """DDL on a selected table while it is replicated: an error that names it, now and again, and nothing behind it
    is applied."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'copied')")
    mine = plan(cutover=APPROVAL)
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    done, undone = CHANGES[change]
    source.execute("INSERT INTO t VALUES (2, 'before')")
    target.wait_until("SELECT count(*) = 2 FROM t")
    publication = source.value("SELECT pubname FROM pg_publication")
    in_one_transaction(source, done.format(pub=f'"{publication}"'),
                       "INSERT INTO {} (id) VALUES (3)".format("u" if change == "table" else "t"))
    result = running.wait(code=1)
    assert "public." in result.err and "E007" in result.err
    assert target.value("SELECT count(*) FROM t") == 2
    if undone is not None:
        source.execute(undone)
    result = godwit("apply", mine, "--exit-at-gate")  # the rows are in the WAL as they were written
    if change == "type":  # which wrote the table anew: so it is copied anew, and the WAL's rows are older
        assert result.code == 6 and "copied anew: public.t" in result.err
        harness.assert_same(source, target)
        return
    told = "publication" if change == "publish" else "public."
    assert result.code in (1, 12) and told in result.err, result.err
    assert target.value("SELECT count(*) FROM t") == 2
    if change == "rename":  # undone, but the stream holds a row in the other shape: what the error advises
        assert "godwit resync PLAN TABLE" in result.err
        godwit("resync", mine, "public.t", code=0)
        godwit("apply", mine, "--exit-at-gate", code=6)
        harness.assert_same(source, target)


QUIET = {
    "column": ("ALTER TABLE t ADD COLUMN late int DEFAULT 5", "ALTER TABLE t DROP COLUMN late"),
    "dropped": ("ALTER TABLE t DROP COLUMN v", None),
    "scale": ("ALTER TABLE t ALTER COLUMN n TYPE numeric(12, 4)", "ALTER TABLE t ALTER COLUMN n TYPE numeric(10, 2)"),
    "table": ("CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)", "DROP TABLE u"),
    "again": ("DROP TABLE q; CREATE TABLE q (id int PRIMARY KEY)", None),
    "detached": ("ALTER TABLE p DETACH PARTITION p1", "INSERT INTO p1 VALUES (3); DELETE FROM p1 WHERE k = 1;"
                 "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (10)"),
    "sequence": ("CREATE SEQUENCE s; SELECT nextval('s')", "DROP SEQUENCE s"),
}


@pytest.mark.parametrize("change", QUIET)
def test_ddl_that_no_row_shows(change, source, target, plan, godwit):
    """A table, partition, column that comes or goes without a changed row is not lost with a status of 0: the
    cutover refuses and names it, so does the next apply; once it is undone the run goes on."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v text, n numeric(10, 2)); INSERT INTO t VALUES (1, 'x', 1.5);"
                   "CREATE TABLE p (k int PRIMARY KEY) PARTITION BY RANGE (k); CREATE TABLE q (id int PRIMARY KEY);"
                   "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); INSERT INTO p VALUES (1), (2)")
    mine = plan(cutover=APPROVAL)
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    done, undone = QUIET[change]
    source.execute(done)
    godwit("approve", mine, code=0)
    told = "not those the run began with"
    by_name = "detached or dropped" if change == "detached" else told
    first = running.wait(code=12).err  # of the cutover, or of who looked before it
    assert told in first or by_name in first
    assert by_name in godwit("apply", mine, code=12).err
    if undone is not None:
        source.execute(undone)
        godwit("approve", mine, code=0)
        godwit("apply", mine, code=0)
        harness.assert_same(source, target)


def test_a_column_that_was_added_and_dropped_again(source, target, plan, godwit):
    """DDL that is gone again before any row of the table changes does not matter."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'copied')")
    with replicating(godwit, plan(cutover=APPROVAL), source, target):
        source.execute("ALTER TABLE t ADD COLUMN late int")
        source.execute("ALTER TABLE t DROP COLUMN late")
        source.execute("INSERT INTO t VALUES (2, 'after')")
        source.execute("ALTER TABLE t ALTER COLUMN v SET DEFAULT 'x'")
        source.execute("CREATE INDEX ON t (v); VACUUM FULL t".split(";", maxsplit=1)[0])
        with source.connect() as connection:
            connection.execute("VACUUM FULL t")
        source.execute("UPDATE t SET v = v || '!'")


def test_labels_of_enums(source, target, plan, godwit):
    """A label that is renamed is another value in rows that nothing changes, one that is added lacks on the target: the
    cutover refuses, names the types however deep they lie, and goes on when the target has been altered, too."""
    source.execute("CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TYPE pair AS (m mood, n int);"
                   "CREATE DOMAIN few AS pair[]; CREATE TYPE state AS ENUM ('x', 'y'); CREATE TYPE alone AS ENUM ('1');"
                   "CREATE TABLE t (id int PRIMARY KEY, v few, s state); INSERT INTO t VALUES (1, '{\"(a,1)\"}', 'x')")
    mine = plan(cutover=APPROVAL)
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    altered = "ALTER TYPE mood RENAME VALUE 'a' TO 'z'; ALTER TYPE state ADD VALUE 'w' BEFORE 'y'"
    source.execute(altered + "; ALTER TYPE alone ADD VALUE '2'")
    target.execute("ALTER TYPE state ADD VALUE 'v' BEFORE 'x'")
    godwit("approve", mine, code=0)
    said = running.wait(code=12).err
    assert 'type public.mood: "z", "b" on the source, "a", "b" on the target' in said
    assert 'type public.state: "x", "w", "y" on the source, "v", "x", "y" on the target' in said
    assert "alone" not in said
    target.execute(altered)
    source.execute("INSERT INTO t VALUES (2, '{\"(z,2)\"}', 'w')")
    godwit("approve", mine, code=0)
    godwit("apply", mine, code=0)
    harness.assert_same(source, target)


def test_rewritten_in_place(source, target, plan, godwit):
    """A rewrite in place is in no stream. Whatever got another file after its columns were altered is copied anew; what
    may have got one without a changed row (VACUUM FULL, or a moment as an unlogged table) is compared whole."""
    source.execute("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE u (LIKE a INCLUDING ALL);"
                   "CREATE TABLE f (LIKE a INCLUDING ALL); CREATE TABLE e (LIKE a INCLUDING ALL);"
                   "CREATE TABLE p (k int PRIMARY KEY, v text) PARTITION BY RANGE (k);"
                   "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);"
                   + "".join(f"INSERT INTO {t} VALUES (1, 'low'), (2, 'low');" for t in "aufep"))
    mine = plan(cutover=APPROVAL)
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    source.execute("ALTER TABLE a DROP COLUMN v, ADD COLUMN v text DEFAULT 'new';"
                   "ALTER TABLE u ALTER COLUMN v TYPE text USING upper(v)")
    running.wait_for("copied anew: public.a, public.u", timeout=60)
    running.wait_for(WAITING, timeout=60, new=True)
    assert target.value("SELECT count(*) FROM a NATURAL JOIN (SELECT id, 'new' AS v FROM u WHERE v = 'LOW') AS u") == 2
    in_one_transaction(source, "ALTER TABLE p1 SET UNLOGGED", "INSERT INTO p1 VALUES (50, 'in no WAL')",
                       "ALTER TABLE p1 SET LOGGED")
    source.execute("TRUNCATE e; INSERT INTO e VALUES (3, 'behind it'), (4, 'it'); UPDATE u SET v = 'on'")
    with source.connect() as connection:
        connection.execute("VACUUM FULL f")
    godwit("approve", mine, code=0)
    told = running.wait(code=9).err
    assert "public.f has another file" in told and "public.e has another file" in told
    assert "public.a has another file" not in told  # since it was copied anew
    assert "public.p: 1 rows differ" in told
    godwit("resync", mine, "p", code=0)
    godwit("apply", mine, code=0)
    harness.assert_same(source, target)


def test_split_out_of_the_default(source, target, plan, godwit):
    """A partition takes rows out of the default one while the stream is behind: what it applies then are changes of
    both from before, to one table on the target. Both are copied under one snapshot, so none of them counts."""
    source.execute("CREATE TABLE old (id int PRIMARY KEY, v text);"
                   "CREATE TABLE p (k int PRIMARY KEY) PARTITION BY RANGE (k);"
                   "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE pd PARTITION OF p DEFAULT;"
                   "INSERT INTO p VALUES (1), (25), (50)")
    mine = plan(cutover=APPROVAL, apply={"on_conflict": "upsert"})
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    running.kill9()
    target.execute("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                   "'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';"
                   "CREATE TRIGGER slow BEFORE INSERT ON old FOR EACH ROW EXECUTE FUNCTION slow();"
                   "ALTER TABLE old ENABLE ALWAYS TRIGGER slow")
    for n in range(1, 7):  # more than one group of transactions each, the moved rows in one of them
        source.execute("INSERT INTO old VALUES (%s, repeat('x', 9000000))", (n,))
        if n == 4:
            source.execute("INSERT INTO p SELECT generate_series(20, 24)")
    in_one_transaction(source, "CREATE TABLE p3 (LIKE p INCLUDING ALL)",
                       "WITH moved AS (DELETE FROM pd WHERE k BETWEEN 20 AND 39 RETURNING *)"
                       "INSERT INTO p3 SELECT * FROM moved",
                       "ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (20) TO (40)")
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=60)
    godwit("approve", mine, code=0)
    running.wait(code=0)
    assert target.value("SELECT count(*) FROM p3") == 6  # one of them was in the default one there
    harness.assert_same(source, target)


def test_publication_altered_by_hand(source, target, plan, godwit):
    """What is written to a table while no publication has it is in no stream. One that was taken out and put in again
    is compared whole at the cutover; one that is out stops the run. By resync nothing is lost."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'copied');"
                   "CREATE TABLE p (k int PRIMARY KEY, v text) PARTITION BY RANGE (k);"
                   "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); INSERT INTO p VALUES (1, 'copied')")
    mine = plan(cutover=APPROVAL)
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    ours = source.value("SELECT quote_ident(pubname) FROM pg_publication")
    in_one_transaction(source, f"ALTER PUBLICATION {ours} DROP TABLE p", "UPDATE p SET v = 'in no stream'")
    assert "public.p1 is not published as planned any more" in running.wait(code=12).err
    assert "put in again" in godwit("apply", mine).err
    godwit("resync", mine, "p", code=0)
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=60)
    in_one_transaction(source, f"ALTER PUBLICATION {ours} DROP TABLE t", "INSERT INTO t VALUES (2, 'in no stream')")
    source.execute(f"ALTER PUBLICATION {ours} ADD TABLE t; INSERT INTO p VALUES (2, 'published')")
    godwit("approve", mine, code=0)
    told = running.wait(code=9).err
    assert "the publication of public.t was altered since it was copied" in told
    assert "publication of public.p" not in told
    godwit("resync", mine, "t", code=0)
    source.execute("UPDATE t SET v = v || '!'")
    godwit("apply", mine, code=0)
    harness.assert_same(source, target)
