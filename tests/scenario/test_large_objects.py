"""Large objects: no stream carries them; they keep their oids, what changed meanwhile comes behind the fence."""
import pytest
from road import APPROVAL, WAITING

CONTENTS = """
    SELECT m.oid::text || ' ' || md5(lo_get(m.oid)) || ' ' || length(lo_get(m.oid))
           || ' ' || pg_get_userbyid(m.lomowner)
           || ' ' || COALESCE((SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(m.lomacl) a), '-')
           || ' ' || COALESCE(obj_description(m.oid, 'pg_largeobject'), '-')
      FROM pg_largeobject_metadata m ORDER BY m.oid
"""


def contents(where):
    """One line an object: oid, hash, size, owner, privileges, comment."""
    return [row[0] for row in where.query(CONTENTS)]


@pytest.fixture
def roles(source, target):
    """Two roles of the cluster that both databases are in."""
    names = [f"{source.name}_lob_{which}" for which in ("owner", "reader")]
    for name in names:
        source.execute(f'CREATE ROLE "{name}"')
    yield names
    for where in (target, source):  # of one cluster
        with where.connect() as connection:
            connection.execute("SET default_transaction_read_only = off")
            for name in names:
                connection.execute(f'DROP OWNED BY "{name}"')
                if where is source:
                    connection.execute(f'DROP ROLE "{name}"')


def fill(source, roles):
    """2,000 small ones, one of 20 MB, one that is empty; owner, privileges and comment on some."""
    owner, reader = roles
    source.execute(f"""
        CREATE TABLE files (id int PRIMARY KEY, content oid);
        INSERT INTO files SELECT i, lo_from_bytea(200000 + i, convert_to(repeat(md5(i::text), i % 200), 'UTF8'))
          FROM generate_series(1, 2000) i;
        SELECT lo_from_bytea(300000, '');
        SELECT lo_put(300000, i * 65536::bigint, convert_to(repeat(md5(i::text), 2048), 'UTF8'))
          FROM generate_series(0, 319) i;
        SELECT lo_create(300001);
        GRANT SELECT ON LARGE OBJECT 200001 TO PUBLIC;
        GRANT SELECT, UPDATE ON LARGE OBJECT 200002 TO "{reader}" WITH GRANT OPTION;
        ALTER LARGE OBJECT 200003 OWNER TO "{owner}";
        GRANT SELECT ON LARGE OBJECT 200003 TO "{reader}";
        COMMENT ON LARGE OBJECT 200004 IS 'it''s a comment';
    """)


def test_anchor_55_large_objects_come_with_what_changed(source, target, plan, godwit, roles):
    """2,000 objects through a lock table of the usual size, a kill in the middle, and writes, new objects and
    deletions until the cutover: both sides hold the same. A flipped byte of one is found by its oid."""
    fill(source, roles)
    mine = plan(cutover=APPROVAL, schema={"ownership": "keep"})
    found = godwit("check", mine, "--format", "json", code=0)
    assert "G113" in found.out
    killed = godwit.start("apply", mine)
    target.wait_until("SELECT to_regclass('godwit.large_object') IS NOT NULL", timeout=60)
    target.wait_until("SELECT count(*) > 0 FROM godwit.large_object", timeout=60)
    killed.kill9()
    target.wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'godwit%worker%' "
                      "AND datname = current_database()", timeout=60)
    before = target.value("SELECT count(*) FROM godwit.large_object")
    assert before == target.value("SELECT count(*) FROM pg_largeobject_metadata")
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    assert contents(target) == contents(source)
    # A flip of one byte of a target's page, behind everybody's back.
    target.execute("SELECT lo_put(200777, 5, '\\x00')")
    result = godwit("verify", mine, code=9)
    assert "large object 200777: not the same" in result.out
    target.execute("SELECT lo_unlink(200778)")
    assert "large object 200778: missing on the target" in godwit("verify", mine, code=9).out
    target.execute("SELECT lo_put(200777, 5, substr(convert_to(md5('777'), 'UTF8'), 6, 1)), "
                   "lo_from_bytea(200778, convert_to(repeat(md5('778'), 178), 'UTF8'))")
    source.execute(f"""
        SELECT lo_put(300000, 12345678, '\\xdeadbeef');
        SELECT lo_put(200010, 0, '\\x00');
        SELECT lo_truncate(lo_open(200011, 131072), 17);
        SELECT lo_unlink(200012), lo_unlink(200013);
        SELECT lo_from_bytea(200013, 'anew'), lo_from_bytea(199999, 'first'), lo_from_bytea(400000, 'last');
        GRANT UPDATE ON LARGE OBJECT 200014 TO "{roles[1]}";
        COMMENT ON LARGE OBJECT 400000 IS 'came late';
    """)
    live = godwit("verify", mine, code=0)
    assert "changed on the source since" in live.out
    godwit("approve", mine, code=0)
    running.wait(code=0)
    assert contents(target) == contents(source)


def test_large_objects_are_fenced(source, target, plan, godwit):
    """A writer of large objects writes until the fence stops it: what it was told is committed is on the target.
    A tool that copies them once, or fences only tables, loses the last ones."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); SELECT lo_from_bytea(500000, '')")
    mine = plan(cutover=APPROVAL)
    running = godwit.start("apply", mine)
    running.wait_for(WAITING, timeout=120)
    godwit("approve", mine, code=0)
    written = 0
    with source.connect() as connection:
        try:
            while True:
                connection.execute("SELECT lo_put(500000, %s, %s)", (written * 4, written.to_bytes(4, "big")))
                written += 1
        except Exception:  # the fence ended the session
            pass
    running.wait(code=0)
    assert written > 0
    data = target.value("SELECT lo_get(500000)")
    assert len(data) >= written * 4
    assert all(data[at * 4:at * 4 + 4] == at.to_bytes(4, "big") for at in range(written))


def test_large_objects_that_cannot_be_moved_are_found_before(source, target, plan, godwit):
    """An oid that is taken on the target, a user that may not read one or stop its writers: findings of check."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY); SELECT lo_from_bytea(600000, 'a'), lo_from_bytea(600001, 'b')")
    target.execute("SELECT lo_from_bytea(600001, 'mine')")
    mine = plan(cutover=APPROVAL)
    assert "G119" in godwit("check", mine, code=4).out
    assert target.value("SELECT lo_get(600001)") == b"mine"
