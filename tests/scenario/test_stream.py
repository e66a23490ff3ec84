"""The stream alone: decode, group, fold, apply, positions, against real servers."""
import time

import pytest
from stream import Trial

BASIC = """
CREATE TABLE t (id int PRIMARY KEY, a text, b numeric, c timestamptz DEFAULT now());
"""


def test_changes_arrive(plan, source, target):
    """Inserts, updates, deletes, one by one and many, arrive and are counted."""
    with Trial.on(plan(), source, target, BASIC) as trial:
        source.execute("INSERT INTO t VALUES (1, 'one', 1.10), (2, 'two', 2), (3, NULL, NULL)")
        source.execute("UPDATE t SET a = E'tab\\tnew\\nline \\\\ back' WHERE id = 2")
        source.execute("DELETE FROM t WHERE id = 3")
        trial.catch_up()
        assert trial.same("t")
        source.execute("INSERT INTO t SELECT g, 'x' || g, g / 3.0 FROM generate_series(10, 5000) g")
        source.execute("UPDATE t SET b = b + 1 WHERE id % 3 = 0")
        source.execute("DELETE FROM t WHERE id % 7 = 0")
        source.execute("UPDATE t SET id = id + 100000 WHERE id % 5 = 0")
        trial.catch_up()
        assert trial.same("t")
        status = trial.status()
        assert status["conflicts"] == 0 and not status["failed"]
        assert status["changes"] > 5000


def test_unchanged_toast(plan, source, target):
    """A TOAST value that did not travel is neither lost nor written, whatever else happens."""
    schema = "CREATE TABLE t (id int PRIMARY KEY, big text, small int); " \
             "ALTER TABLE t ALTER big SET STORAGE EXTERNAL;"
    with Trial.on(plan(), source, target, schema) as trial:
        source.execute("INSERT INTO t SELECT g, repeat(md5(g::text), 70000), g "
                       "FROM generate_series(1, 8) g")
        trial.catch_up()
        source.execute("UPDATE t SET small = small + 100 WHERE id <= 4")  # big does not travel
        source.execute("UPDATE t SET id = id + 50 WHERE id = 1")          # nor with a new key
        source.execute("BEGIN; UPDATE t SET big = repeat('n', 100000) WHERE id = 2; "
                       "UPDATE t SET small = 7 WHERE id = 2; UPDATE t SET id = 60 WHERE id = 2; COMMIT")
        source.execute("BEGIN; DELETE FROM t WHERE id = 3; INSERT INTO t VALUES (3, 'x', 3); "
                       "UPDATE t SET small = 4 WHERE id = 3; COMMIT")
        source.execute("UPDATE t SET big = big WHERE id = 5")
        source.execute("BEGIN; UPDATE t SET id = 70 WHERE id = 6; UPDATE t SET small = 1 WHERE id = 70; "
                       "UPDATE t SET id = 6 WHERE id = 70; COMMIT")
        source.execute("BEGIN; UPDATE t SET small = 9 WHERE id = 7; DELETE FROM t WHERE id = 7; COMMIT")
        trial.catch_up()
        assert trial.same("t")
        assert trial.status()["conflicts"] == 0
        assert source.value("SELECT count(*) FROM t WHERE length(big) > 90000") == 6


def test_replica_identities(plan, source, target):
    """Default, index and full identity; full with NULLs and with equal rows; no key at all."""
    schema = """
        CREATE TABLE by_index (a int, b int NOT NULL, c text); CREATE UNIQUE INDEX by_index_b ON by_index (b);
        ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_b;
        CREATE TABLE full_key (id int PRIMARY KEY, n int, v text); ALTER TABLE full_key REPLICA IDENTITY FULL;
        CREATE TABLE keyless (n numeric, j json, v text, f float8); ALTER TABLE keyless REPLICA IDENTITY FULL;
        CREATE TABLE inserts_only (n int, v text);
        CREATE TABLE "Odd ""x"" Name" ("Key ""k"" no" int, "select" text, PRIMARY KEY ("Key ""k"" no"));
        CREATE TABLE pair (a text, b date, v int, PRIMARY KEY (b, a));
        CREATE TABLE only_key (id int PRIMARY KEY);
    """
    with Trial.on(plan(), source, target, schema) as trial:
        source.execute("""
            INSERT INTO by_index SELECT g, g, 'c' || g FROM generate_series(1, 30) g;
            UPDATE by_index SET a = NULL WHERE b % 2 = 0; DELETE FROM by_index WHERE b % 5 = 0;
            UPDATE by_index SET b = b + 100 WHERE b < 4;
            INSERT INTO full_key SELECT g, CASE WHEN g % 3 > 0 THEN g END, NULL FROM generate_series(1, 30) g;
            UPDATE full_key SET v = 'x' WHERE n IS NULL; DELETE FROM full_key WHERE n % 4 = 0;
            UPDATE full_key SET id = -id WHERE id < 10;
            INSERT INTO keyless VALUES (1.0, '{"a": 1}', NULL, 'NaN'), (1.00, '{"a":1}', NULL, 'NaN'),
                (1.0, '{"a": 1}', NULL, 'NaN'), (NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL),
                (2, 'null', 'null', '-0');
            INSERT INTO inserts_only SELECT g, NULL FROM generate_series(1, 40) g;
            INSERT INTO "Odd ""x"" Name" VALUES (1, 'a'), (2, 'b');
            UPDATE "Odd ""x"" Name" SET "select" = 'z' WHERE "Key ""k"" no" = 2;
            INSERT INTO pair SELECT 'a''\\' || g, date '2020-01-01' + g, g FROM generate_series(1, 20) g;
            UPDATE pair SET b = b + 1000, v = -v WHERE v % 3 = 0; DELETE FROM pair WHERE v = 4;
            INSERT INTO only_key SELECT generate_series(1, 20); UPDATE only_key SET id = id; DELETE FROM
                only_key WHERE id < 5;
        """)
        trial.catch_up()
        source.execute("""
            DELETE FROM keyless WHERE ctid = (SELECT min(ctid) FROM keyless WHERE n::text = '1.0');
            UPDATE keyless SET v = 'one of two' WHERE ctid = (SELECT min(ctid) FROM keyless WHERE n IS NULL);
            UPDATE keyless SET f = 0 WHERE n = 2;
        """)
        trial.catch_up()
        for table in ("by_index", "full_key", "inserts_only", '"Odd ""x"" Name"', "pair", "only_key"):
            assert trial.same(table)
        assert trial.same("keyless", "n::text, j::text, v, f::text")
        assert trial.status()["conflicts"] == 0
        assert target.value("SELECT count(*) FROM keyless WHERE n::text = '1.0'") == 1


def test_generated_and_identity_columns(plan, source, target):
    """Stored generated columns are computed there; identity ALWAYS is kept, moved, set."""
    schema = """
        CREATE TABLE gen (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, twice int GENERATED ALWAYS
            AS (a * 2) STORED, big text);
        ALTER TABLE gen ALTER big SET STORAGE EXTERNAL;
        CREATE TABLE side (k text PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, v text, big text);
        ALTER TABLE side ALTER big SET STORAGE EXTERNAL;
    """
    with Trial.on(plan(), source, target, schema) as trial:
        source.execute("""
            INSERT INTO gen (a, big) SELECT g, repeat('b', 50000) FROM generate_series(1, 5) g;
            INSERT INTO gen (a) SELECT g FROM generate_series(1, 50) g;
            INSERT INTO side (k, big) SELECT 'k' || g, repeat('b', 50000) FROM generate_series(1, 30) g;
        """)
        trial.catch_up()
        source.execute("UPDATE gen SET a = a + 1")
        source.execute("UPDATE gen SET id = DEFAULT WHERE id IN (2, 9)")
        source.execute("UPDATE side SET v = 'v' WHERE n < 10")
        source.execute("UPDATE side SET n = DEFAULT WHERE k = 'k3'")
        source.execute("UPDATE side SET k = 'new' WHERE k = 'k4'")
        source.execute("DELETE FROM side WHERE k = 'k5'")
        trial.catch_up()
        assert trial.same("gen") and trial.same("side")
        assert trial.status()["conflicts"] == 0


def test_partitions_map_to_their_root(plan, source, target):
    """Leaves with other column orders land in the root; a row that moves between them moves."""
    schema = """
        CREATE TABLE p (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
        CREATE TABLE p2 (v text, gone int, day date NOT NULL, id int NOT NULL); ALTER TABLE p2 DROP COLUMN gone;
        ALTER TABLE p2 ADD PRIMARY KEY (id, day);
        ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
        CREATE TABLE p3 PARTITION OF p FOR VALUES FROM ('2020-03-01') TO ('2020-04-01') PARTITION BY LIST (id);
        CREATE TABLE p3a PARTITION OF p3 DEFAULT;
    """
    with Trial.on(plan(), source, target, schema) as trial:
        source.execute("INSERT INTO p SELECT g, date '2020-01-01' + g % 80, 'v' || g FROM generate_series(1, 400) g")
        source.execute("UPDATE p SET day = day + 30 WHERE day < '2020-02-10'")
        source.execute("UPDATE p SET v = 'w' WHERE id % 3 = 0; DELETE FROM p WHERE id % 7 = 0")
        trial.catch_up()
        assert trial.same("p")
        source.execute("TRUNCATE p2; INSERT INTO p VALUES (1000, '2020-02-05', 'after')")
        trial.catch_up()
        assert trial.same("p")
        source.execute("BEGIN; INSERT INTO p VALUES (1001, '2020-03-05', 'x'); TRUNCATE p; "
                       "INSERT INTO p VALUES (1, '2020-01-05', 'only'); COMMIT")
        trial.catch_up()
        assert trial.same("p") and target.value("SELECT count(*) FROM p") == 1


def test_truncate_of_several(plan, source, target):
    """TRUNCATE of tables that reference each other is one statement, in its place among changes."""
    schema = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a); " \
        "CREATE TABLE c (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, v text)"
    with Trial.on(plan(), source, target, schema) as trial:
        source.execute("INSERT INTO a SELECT generate_series(1, 50); "
                       "INSERT INTO b SELECT g, g FROM generate_series(1, 50) g")
        source.execute("BEGIN; DELETE FROM b WHERE id = 1; TRUNCATE a CASCADE; INSERT INTO a VALUES (7); "
                       "INSERT INTO b VALUES (1, 7); COMMIT")
        trial.catch_up()
        assert trial.same("a") and trial.same("b")
        assert trial.touched("public.a")["overflow"]
        source.execute("BEGIN; UPDATE c SET v = 'w'; TRUNCATE b, a, c RESTART IDENTITY; "
                       "INSERT INTO c (v) VALUES ('first'); COMMIT")
        trial.catch_up()
        assert trial.same("b") and target.query("SELECT * FROM c") == [(1, "first")]
        source.execute("INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1); TRUNCATE c, a RESTART IDENTITY CASCADE")
        trial.catch_up()
        assert target.query("SELECT id FROM a UNION ALL SELECT id FROM b UNION ALL SELECT id FROM c") == []


def test_sessions_are_quiet_and_patient(plan, source, target):
    """Triggers, rules and keys of the target do not act; a flood of notices is no flood; the database's timeouts,
    all low, end neither a busy session nor an idle one."""
    schema = "CREATE TABLE a (id int PRIMARY KEY, v text CHECK (v <> '')); CREATE TABLE b (id int PRIMARY KEY, a int)"
    with Trial.on(plan(), source, target, schema) as trial:
        trial.catch_up()
    target.execute("""
        CREATE FUNCTION loud(v text) RETURNS bool LANGUAGE plpgsql AS
            $$BEGIN FOR i IN 1..5 LOOP RAISE NOTICE 'loud %', repeat('x', 200); END LOOP; RETURN true; END$$;
        ALTER TABLE a ADD CHECK (loud(v)), ADD CHECK (id <> 3 OR pg_sleep(1) IS NOT NULL);
        CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'the trigger fired'; END$$;
        CREATE TRIGGER fires BEFORE INSERT OR UPDATE OR DELETE ON a FOR EACH ROW EXECUTE FUNCTION act();
        CREATE TRIGGER fires AFTER TRUNCATE ON b EXECUTE FUNCTION act();
        CREATE RULE doubled AS ON INSERT TO b DO ALSO INSERT INTO a VALUES (-1, 'by the rule');
        ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a DEFERRABLE INITIALLY DEFERRED NOT VALID
    """)
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout",
                 "transaction_timeout"):
        target.execute(f"ALTER DATABASE {target.name} SET {name} = 300")
    target.execute(f"ALTER DATABASE {target.name} SET client_min_messages = debug1")
    with trial.again(env={"TRIAL_DEBUG": "0"}) as trial:
        source.execute("INSERT INTO a SELECT g, 'v' FROM generate_series(1, 4000) g;"
                       "UPDATE a SET v = 'w' WHERE id < 300;"
                       "TRUNCATE b; INSERT INTO b VALUES (1, 77777); DELETE FROM a WHERE id = 4")
        trial.catch_up()
        time.sleep(1)
        source.execute("DELETE FROM a WHERE id < 2000")
        trial.catch_up()
        assert trial.same("a") and trial.same("b")
        assert trial.log_text().count("replicating from") == 1 and "x" * 200 not in trial.log_text()


def test_further_unique_keeps_source_order(plan, source, target):
    """Values of a second unique column go round; folding would meet them twice."""
    schema = "CREATE TABLE u (id int PRIMARY KEY, slot int UNIQUE, v text)"
    with Trial.on(plan(), source, target, schema) as trial:
        source.execute("INSERT INTO u SELECT g, g, 'v' FROM generate_series(1, 40) g")
        source.execute("BEGIN; UPDATE u SET slot = 1000 WHERE id = 1; UPDATE u SET slot = 1 WHERE id = 2; "
                       "UPDATE u SET slot = 2 WHERE id = 1; COMMIT")
        source.execute("BEGIN; DELETE FROM u WHERE id = 3; INSERT INTO u VALUES (90, 3, 'took'); "
                       "UPDATE u SET v = 'w' WHERE id = 90; COMMIT")
        trial.catch_up()
        assert trial.same("u") and trial.status()["conflicts"] == 0


def test_touched_keys(plan, source, target):
    """Keys of changed and deleted rows are told once, as text."""
    with Trial.on(plan(), source, target, BASIC) as trial:
        source.execute("INSERT INTO t (id) SELECT generate_series(1, 5)")
        trial.catch_up()
        assert sorted(trial.touched("public.t")["keys"]) == ["1", "2", "3", "4", "5"]
        source.execute("UPDATE t SET a = 'x' WHERE id = 2; DELETE FROM t WHERE id = 3; "
                       "UPDATE t SET id = 40 WHERE id = 4")
        trial.catch_up()
        assert sorted(trial.touched("public.t")["keys"]) == ["2", "3", "4", "40"]
        assert trial.touched("public.t") == {"overflow": False, "keys": []}
        source.execute("INSERT INTO t (id) SELECT generate_series(30000, 45000)")
        source.execute("UPDATE t SET a = 'y' WHERE id >= 30000")
        trial.catch_up()
        assert sorted(map(int, trial.touched("public.t")["keys"])) == list(range(30000, 45001))
        source.execute("INSERT INTO t (id) SELECT generate_series(100, 21000)")
        trial.catch_up()
        assert trial.touched("public.t")["overflow"]


KEYS = {
    "smallint": ["-32768", "0", "32767"], "int": ["-2147483648", "-1", "2147483647"],
    "bigint": ["-9223372036854775808", "9223372036854775807", "10"], "oid": ["0", "4294967295"],
    "boolean": ["t", "f"], "text": ["", " a\tb\\", "ä"], "varchar(9)": ["\\N", "x"], "character(5)": ["a", "üüüüü"],
    "name": ["n", "a name"], "uuid": ["00000000-0000-0000-0000-000000000000", "0123456789abcdeffedcba9876543210"],
    "date": ["-infinity", "infinity", "4713-01-01 BC", "0001-12-31 BC", "0001-01-01", "0004-02-29", "1900-02-28",
             "1999-12-31", "2000-02-29", "2000-03-01", "2100-03-01", "9999-12-31", "10000-01-01", "5874897-12-31"],
    "timestamp": ["-infinity", "infinity", "4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999", "2000-01-01",
                  "1999-12-31 23:59:59.999999", "1970-01-01 00:00:00.5", "2024-02-29 12:00:00.000001"],
    "timestamptz": ["-infinity", "infinity", "4713-01-01 00:00:00+00 BC", "0001-01-01 00:00+01",
                    "294276-12-31 23:59:59.999999+00", "2026-03-29 02:30:00+01"],
}


def test_keys_of_binary_values(plan, source, target):
    """What is a key in every form in which the source may send it is told as the source writes it."""
    schema = "".join(f"CREATE TABLE k{n} (k {one} PRIMARY KEY, f float8);" for n, one in enumerate(KEYS))
    with Trial.on(plan(), source, target, schema) as trial:
        for n, (one, values) in enumerate(KEYS.items()):
            source.execute(f"INSERT INTO k{n} SELECT v::{one}, 0.1 FROM unnest(%s::text[]) AS v", (values,))
        source.execute("".join(f"UPDATE k{n} SET f = 'NaN';" for n in range(len(KEYS))))
        trial.catch_up()
        assert "values come in binary form" in trial.log_text()
        for n in range(len(KEYS)):
            with source.connect() as connection:
                connection.execute("SET timezone = 'UTC'")
                keys = [key for key, in connection.execute(f"SELECT textin(format('%s', k)::cstring) FROM k{n}")]
            assert sorted(trial.touched(f"public.k{n}")["keys"]) == sorted(keys)
            assert trial.same(f"k{n}")


def test_which_form_values_come_in(plan, source, target):
    """Binary only where every column is safe in it, as both sides have it now; otherwise the log says what is not. A
    column of the target that is changed meanwhile would take another type's bytes for its own."""
    schema = "CREATE TABLE t (id int PRIMARY KEY, v int, w interval, x text[]); CREATE TABLE n (k numeric PRIMARY KEY);"
    with Trial.on(plan(source_db=target, target_db=source), target, source, "CREATE TABLE a (i interval)") as trial:
        trial.catch_up()
        assert "as text: column i of public.a is of type interval, whose binary form is not" in trial.log_text()
    for side in (target, source):
        side.execute("DROP TABLE a; DROP SCHEMA IF EXISTS godwit CASCADE; DROP PUBLICATION IF EXISTS trial_pub")

    def again(trial, ddl, expected):
        trial.stop()
        for side, script in ddl.items():
            side.execute(script)
        trial = trial.again()
        source.execute("INSERT INTO t SELECT coalesce(max(id), 0) + 1, 1 FROM t")
        trial.catch_up()
        assert trial.same("t", "id, v, w") and f"values come {expected}" in trial.log_text(), trial.log_text()
        return trial

    with Trial.on(plan(), source, target, schema) as trial:
        trial.catch_up()
        assert "as text: column k of public.n is in the key, and of type numeric\n" in trial.log_text()
        drop = "DROP TABLE n"
        trial = again(trial, {source: drop, target: drop}, "in binary form")
        trial = again(trial, {target: "ALTER TABLE t ALTER v TYPE real"},
                      "as text: column v of public.t is of another type on the target, or not there\n")
        domain = "CREATE DOMAIN d AS int; ALTER TABLE t ALTER v TYPE d"
        trial = again(trial, {source: domain, target: domain},
                      "as text: column v of public.t is of type public.d, whose binary form is not the same everywhere")
        trial.stop()


def test_what_the_copy_has_is_skipped(plan, source, target):
    """Transactions at or below sync_lsn are left out, those above are applied."""
    setup = "INSERT INTO t (id) VALUES (1)"
    first = Trial.on(plan(), source, target, BASIC, setup=setup)
    assert first.hello["ok"]
    first.kill()
    source.execute("INSERT INTO t (id) VALUES (2)")
    sync = source.value("SELECT pg_current_wal_insert_lsn()::text")
    source.execute("INSERT INTO t (id) VALUES (3)")
    with first.again(sync_lsn=sync) as trial:
        trial.catch_up()
        assert target.query("SELECT id FROM t ORDER BY id") == [(3,)]
        assert trial.status()["skipped"] == 1


TYPES = """
CREATE EXTENSION citext; CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'so "happy"'); CREATE DOMAIN short AS varchar(9) CHECK (length(VALUE) < 9);
CREATE TYPE pair AS (a int, b text); CREATE DOMAIN ints AS int[];
CREATE TABLE m (k citext, e mood, d short, v numeric(12, 3), ts timestamp(3) with time zone, b bytea, j jsonb,
                a text[], o ints, c pair, h hstore, r int4range, x bit(5), ch character(7), iv interval,
                f float8, box box, PRIMARY KEY (k, e, d));
"""


def test_every_kind_of_type(plan, source, target):
    """Values of all sorts go through inserts, updates and deletes of many rows and of few."""
    fill = """
        INSERT INTO m SELECT 'K' || g, (enum_range(NULL::mood))[1 + g % 3], 'd' || g, g / 3.0,
            timestamptz '2024-02-29 12:00+01' + g * interval '1 hour 1 ms', decode(md5(g::text), 'hex'),
            jsonb_build_object('a"b', g, 'n', null), ARRAY['x', NULL, 'q"uote', 'back\\', '{c,d}', 'NULL'],
            ARRAY[g, NULL], ROW(g, 'a,"b')::pair, hstore('k' || g, 'v "x"'), int4range(g, g + 5), (g % 32)::bit(5),
            'ch' || g, g * interval '1 mon 2 days 3.5 sec', CASE g % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity'
            WHEN 2 THEN 1e-300 ELSE 1.0 / 3 END, box(point(g, 1), point(2, g))
        FROM generate_series(FIRST, LAST) g
    """
    columns = "k, e, d, v, ts, b, j, a, o, c, h, r, x, ch, iv, f, box::text AS box"
    with Trial.on(plan(), source, target, TYPES) as trial:
        source.execute(fill.replace("FIRST", "1").replace("LAST", "5"))
        source.execute(fill.replace("FIRST", "100").replace("LAST", "500"))
        trial.catch_up()
        assert trial.same("m", columns)
        source.execute("UPDATE m SET a = a || 'more'::text, h = h || 'z=>1'::hstore, v = -v, "
                       "j = j || '[1]', iv = iv * 2")
        source.execute("UPDATE m SET k = k || '-new', box = NULL WHERE d > 'd3'")
        source.execute("DELETE FROM m WHERE d LIKE 'd2%'")
        source.execute("UPDATE m SET e = 'sad', b = NULL, o = NULL WHERE d LIKE 'd1%'")
        trial.catch_up()
        assert trial.same("m", columns)
        source.execute("UPDATE m SET k = lower(k::text) WHERE d = 'd5'; DELETE FROM m WHERE d = 'd4'")
        trial.catch_up()
        assert trial.same("m", columns)


def test_anchor_16_statements_for_many_rows(plan, source, target):
    """Large runs travel as arrays and use the key's index, not a statement for each row."""
    schema = """
        CREATE TABLE n (id bigint, day date, v text, w jsonb, PRIMARY KEY (id, day));
    """
    with Trial.on(plan(), source, target, schema) as trial:
        source.execute("INSERT INTO n SELECT g, date '2020-01-01' + g % 9, E'\\\\\"' || g, '{}' "
                       "FROM generate_series(1, 20000) g")
        trial.catch_up()
        target.execute("CREATE TABLE counted (n bigint); CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS "
                       "'BEGIN INSERT INTO public.counted VALUES (1); RETURN NULL; END'; "
                       "CREATE TRIGGER t AFTER UPDATE OR DELETE ON n FOR EACH STATEMENT EXECUTE FUNCTION tell(); "
                       "ALTER TABLE n ENABLE ALWAYS TRIGGER t")
        source.execute("UPDATE n SET v = CASE WHEN id % 2 = 0 THEN v || 'x' END WHERE id <= 6000")
        source.execute("DELETE FROM n WHERE id BETWEEN 3000 AND 9000")
        trial.catch_up()
        assert trial.same("n")
        assert 1 <= target.value("SELECT count(*) FROM counted") < 200


@pytest.mark.parametrize("flavor", ["pg14", "pg16", "pg17", "pg18"])
def test_other_majors_stream(plan, database, target, flavor):
    """Each protocol version that a source may speak."""
    source = database(flavor)
    schema = BASIC + "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY HASH (id); " \
        "CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0); " \
        "CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
    with Trial.on(plan(source_db=source), source, target, schema) as trial:
        source.execute("INSERT INTO t SELECT g, 'x' || g, g / 3.0 FROM generate_series(1, 500) g; "
                       "INSERT INTO p SELECT g, 'v' FROM generate_series(1, 100) g")
        source.execute("UPDATE t SET b = b + 1 WHERE id % 3 = 0; DELETE FROM t WHERE id % 7 = 0; "
                       "UPDATE t SET id = -id WHERE id < 30; UPDATE p SET id = id + 200")
        trial.catch_up()
        assert trial.same("t") and trial.same("p")
        source.execute("TRUNCATE t; INSERT INTO t (id) VALUES (1)")
        trial.catch_up()
        assert trial.same("t") and trial.status()["conflicts"] == 0
