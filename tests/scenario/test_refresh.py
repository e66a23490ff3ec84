"""godwit refresh: relations added to the selection while the run goes on are taken in, with every row and change."""
import harness
import pytest
from road import APPROVAL, WAITING, replicating

TABLES = """
CREATE TABLE old (id int PRIMARY KEY, v text);
INSERT INTO old SELECT i, 'old ' || i FROM generate_series(1, 500) AS i;
CREATE TABLE parted (k int PRIMARY KEY, v text) PARTITION BY RANGE (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
INSERT INTO parted SELECT i, 'p' FROM generate_series(1, 99) AS i;
"""
SEEN = """
CREATE TABLE seen (k int, v text); ALTER TABLE seen REPLICA IDENTITY FULL;
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO public.seen SELECT NEW.k, NEW.v; RETURN NEW; END';
CREATE TRIGGER see AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION see(); -- new partitions get it, too
"""
ADDED = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE "New One" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT now(), m mood,
    old_id int REFERENCES old (id), tag text UNIQUE);
COMMENT ON TABLE "New One" IS 'added later';
CREATE INDEX "by m" ON "New One" (m);
INSERT INTO "New One" (m, old_id, tag) SELECT 'good', i, 't' || i FROM generate_series(1, 300) AS i;
CREATE TABLE other (id bigserial PRIMARY KEY, v text DEFAULT 'x');
INSERT INTO other (v) SELECT 'o' FROM generate_series(1, 50);
CREATE VIEW together AS SELECT n.id, o.v FROM "New One" n JOIN old o ON o.id = n.old_id;
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);
CREATE TABLE attached (v text, k int NOT NULL);
INSERT INTO attached SELECT 'a', i FROM generate_series(200, 250) AS i;
ALTER TABLE parted ATTACH PARTITION attached FOR VALUES FROM (200) TO (300);
INSERT INTO parted VALUES (150, 'new partition');
"""


def write(source, number):
    """Changes on old and new relations alike."""
    source.execute(f"""
        UPDATE old SET v = v || '{number}' WHERE id % 7 = {number};
        INSERT INTO "New One" (m, old_id, tag) VALUES ('bad', {number}, 'w{number}');
        UPDATE "New One" SET tag = tag || 'x' WHERE id = {number}; DELETE FROM other WHERE id = {number};
        INSERT INTO other DEFAULT VALUES; UPDATE parted SET v = '{number}' WHERE k IN (1, 150, 220);
        INSERT INTO parted VALUES (100 + {number}, 'w'), (260 + {number}, 'w');
    """)


@pytest.mark.parametrize("killed", [False, True])
def test_without_an_engine(killed, source, target, plan, godwit):
    """Tables, partitions, what comes with them; killed in the middle, a plain apply goes on. The copy of a partition
    wakes no trigger that came with it."""
    source.execute(TABLES + SEEN)
    mine = plan(cutover=APPROVAL)
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    running.kill9()
    source.execute("UPDATE old SET v = 'while nobody looked' WHERE id < 10")
    source.execute(ADDED)
    result = godwit("apply", mine, "--exit-at-gate", code=6)
    assert "godwit refresh" in result.err and 'public."New One"' in result.err
    assert target.value("SELECT to_regclass('\"New One\"') IS NULL")
    if killed:
        with target.connect(autocommit=False) as reader:  # in the middle of the second restore
            reader.execute("LOCK TABLE pg_attrdef IN SHARE MODE")
            running = godwit.start("refresh", mine)
            running.wait_for("could not lock a table")
            running.kill9()
        result = godwit("refresh", mine, env={"GODWIT_FAULT": "target/worker:statement:90:kill"})
        assert result.code in (-9, 137), result.err
    else:
        with source.connect(autocommit=False) as writer:
            writer.execute("INSERT INTO other DEFAULT VALUES")
            running = godwit.start("refresh", mine)
            running.wait_for("added to the publication waits")
            writer.commit()
            running.wait(code=0)
        write(source, 3)
        godwit("refresh", mine, code=0)
        assert target.value('SELECT count(*) FROM "New One"') == 301
    with replicating(godwit, mine, source, target):
        write(source, 4)
        write(source, 5)
    assert target.value("SELECT obj_description('\"New One\"'::regclass)") == "added later"
    joined = "SELECT count(*) FROM together"
    assert target.value(joined) == source.value(joined)
    validated = "SELECT count(*) FROM pg_constraint WHERE conname = 'New One_old_id_fkey' AND convalidated"
    assert target.value(validated) == 1


def test_selection_in_the_plan(source, target, plan, godwit):
    """The plan's select may grow, not shrink; other changes of the source are no additions."""
    source.execute(TABLES)
    source.execute("CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (1), (2)")
    mine = plan(select={"schemas": None, "tables": ["public.old", "public.parted"]})
    godwit("apply", mine, "--until", "catchup", code=0)
    mine.change(select={"tables": ["public.later", "public.old", "public.parted"]})
    assert "select.tables" in godwit("apply", mine, code=12).err
    godwit("refresh", mine, code=0)
    assert target.value("SELECT count(*) FROM later") == 2
    mine.change(select={"tables": ["public.later", "public.old"]})
    assert "gone: table public.parted" in godwit("refresh", mine, code=12).err
    assert "select.tables" in godwit("apply", mine, code=12).err, "the smaller plan was taken over"
    mine.change(select={"tables": ["public.later", "public.old", "public.parted"]})
    source.execute("ALTER TABLE old ADD COLUMN w int")
    assert "column w of public.old" in godwit("refresh", mine, code=12).err
    source.execute("ALTER TABLE old DROP COLUMN w")
    publication = source.value("SELECT pubname FROM pg_publication")
    source.execute(f'ALTER PUBLICATION "{publication}" DROP TABLE old')
    result = godwit("refresh", mine)
    assert result.code != 0 and "its tables are not the selected ones" in result.err
    source.execute(f'ALTER PUBLICATION "{publication}" ADD TABLE old')
    target.execute("DROP TABLE later")
    result = godwit("refresh", mine)
    assert result.code != 0 and "later" in result.err
    assert harness.compare(source, target, exclude=["public.later"]).differences == []
    mine.change(copy={"data": False}, apply={"on_conflict": "skip"})
    assert "copy.data" in godwit("apply", mine, "--accept-changes", code=12).err
    source.execute("CREATE TABLE theirs (id int PRIMARY KEY)")
    target.execute("CREATE TABLE theirs (id int PRIMARY KEY); INSERT INTO theirs VALUES (1)")
    wider = ["public.theirs", "public.later", "public.old", "public.parted"]
    mine.change(copy=None, apply=None, select={"tables": wider})
    godwit("reset", mine, "--yes", code=0)
    assert target.value("SELECT count(*) FROM theirs") == 1, "reset dropped a table that the run never made"
    assert target.value("SELECT count(*) FROM pg_class WHERE relname IN ('old', 'parted', 'parted_1')") == 0


def test_the_running_engine(source, target, plan, godwit):
    """The engine takes in what was added and goes on; what it could not take in does not stop it."""
    source.execute(TABLES)
    mine = plan(cutover=APPROVAL)
    with replicating(godwit, mine, source, target) as running:
        source.execute("CREATE TABLE bad (v text)")
        assert "G201" in godwit("refresh", mine, code=4).err
        source.execute("DROP TABLE bad; CREATE TABLE fresh (id int PRIMARY KEY, v text);"
                       "INSERT INTO fresh SELECT i, 'f' FROM generate_series(1, 300) AS i")
        target.execute("CREATE TABLE fresh (id int PRIMARY KEY, v text); INSERT INTO fresh VALUES (-1, 'theirs')")
        assert "G403 target public.fresh: a table of this name" in godwit("refresh", mine, code=4).err
        assert target.value("SELECT string_agg(v, ',') FROM fresh") == "theirs"
        target.execute("DROP TABLE fresh")
        assert "has taken in what was added" in godwit("refresh", mine, code=0).out
        assert target.value("SELECT count(*) FROM fresh") == 300
        source.execute("CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);"
                       "UPDATE fresh SET v = 'g' WHERE id < 9; INSERT INTO parted VALUES (150, 'n'); DELETE FROM old")
        assert running.running(), "the engine ended"
        source.execute("CREATE SCHEMA more; CREATE TABLE more.t (id int PRIMARY KEY)")
        other = harness.Plan(f"{mine.path}.yaml", dict(mine.keys, select={"schemas": ["public", "more"]}), mine.env)
        other.save()
        assert "another plan" in godwit("refresh", other, code=12).err, "the engine has read its own file"
        source.execute("DROP SCHEMA more CASCADE")
        running.wait_for(WAITING, new=False)
