"""godwit check: findings that appear, their own remedies that cure them, waivers, formats."""
import contextlib
import os
import pty
import re
import subprocess
import time
import xml.etree.ElementTree as xml

import pytest

import harness

UNTIL = "2999-12-31"
WEIRD = "odd\ttable\x01\n-- DROP"


def findings(report):
    """{(code, object): finding} of a JSON report."""
    return {(f["code"], f["object"]): f for f in report["findings"]}


def codes(report, *severities):
    """The codes of all findings, or of those of some severities."""
    return {f["code"] for f in report["findings"] if not severities or f["severity"] in severities}


def statements(remedy):
    """What of a remedy is SQL."""
    return "\n".join(line for line in remedy.splitlines() if not line.startswith("--"))


def check(godwit, plan, *more, code=None):
    """The report of check as JSON, without the sample."""
    return godwit("check", plan, "--sample", "0s", "--format", "json", *more, code=code).json()


def run_remedies(report, source, target, *wanted):
    """Run the SQL of the remedies of some codes, statement by statement, each on its own server."""
    for finding in report["findings"]:
        if finding["code"] in wanted:
            server = {"source": source, "target": target}[finding["server"]]
            sql = statements(finding["remedy"])
            assert sql, finding
            for statement in sql.splitlines():
                server.execute(statement)


AWKWARD = """
CREATE TABLE keyed (id int PRIMARY KEY, name text);
INSERT INTO keyed SELECT g, g FROM generate_series(1, 100) g;
CREATE INDEX keyed_name ON keyed (name);
CREATE TABLE german (word text COLLATE "de-x-icu" PRIMARY KEY);
CREATE TABLE french (word text COLLATE "fr-x-icu" PRIMARY KEY);
CREATE TABLE trees (id int PRIMARY KEY, tree pg_node_tree);
CREATE DOMAIN number AS oid;
CREATE TYPE pair AS (a regclass, b int);
CREATE TABLE local (id int PRIMARY KEY, o number, p pair, x xid[], plain text);
CREATE TYPE raw;
CREATE FUNCTION raw_in(cstring) RETURNS raw LANGUAGE c STRICT AS '$libdir/hstore', 'hstore_in';
CREATE FUNCTION raw_out(raw) RETURNS cstring LANGUAGE c STRICT AS '$libdir/hstore', 'hstore_out';
CREATE TYPE raw (INPUT = raw_in, OUTPUT = raw_out);
CREATE TABLE blob (id int PRIMARY KEY, data raw[]);
CREATE TABLE away (id int, tree pg_node_tree);
UPDATE pg_collation SET collversion = '0.1' WHERE collname = 'de-x-icu';
"""


def test_findings_go_with_their_remedies(source, target, plan, godwit):
    """Collations, types, settings, statistics: named with what they concern, cured as printed."""
    source.execute(AWKWARD)
    target.execute("DELETE FROM pg_collation WHERE collname = 'fr-x-icu'")
    for setting in ("TimeZone = 'Asia/Tokyo'", "work_mem = '512MB'", "idle_session_timeout = '1h'",
                    "search_path = '$user', \"a,b\", public"):
        source.execute(f"ALTER DATABASE {source.name} SET {setting}")
    mine = plan(select={"exclude": ["public.away"]}, schema={"database_settings": "omit"})
    report = check(godwit, mine, code=4)
    found = findings(report)
    assert "public.german_pkey" in found["G601", 'pg_catalog."de-x-icu"']["message"]
    assert found["G603", 'pg_catalog."fr-x-icu"']["severity"] == "error"
    assert "tree of type pg_node_tree" in found["G605", "public.trees"]["message"]
    assert ("G605", "public.away") not in found
    assert "data of type public.raw[] (inside it public.raw)" in found["G606", "public.blob"]["message"]
    versions = [one.value("SELECT pg_collation_actual_version(oid) FROM pg_collation WHERE collname = 'und-x-icu'")
                for one in (source, target)]
    assert (("G604", "ICU") in found) == (versions[0] != versions[1])
    if versions[0] != versions[1]:
        assert "public.german_pkey" in found["G604", "ICU"]["message"]
    locals_ = [f["message"] for f in report["findings"] if f["code"] == "G607"]
    assert len(locals_) == 3 and {f["object"] for f in report["findings"] if f["code"] == "G607"} \
        == {"public.local"}
    assert any("pair (inside it regclass)" in text for text in locals_)
    assert "on the source Asia/Tokyo" in found["G608", "TimeZone"]["message"]
    assert found["G608", "search_path"]["severity"] == "warning"
    copying = findings(check(godwit, plan(select={"exclude": ["public.away"]}), code=4))["G608", "TimeZone"]
    assert copying["severity"] == "info" and copying["message"].endswith("; the run sets it")
    assert found["G609", "work_mem"]["severity"] == "info"
    assert "5 tables were never analyzed" in found["G526", "statistics"]["message"]
    assert "idle_session_timeout" in found["G523", "postgres"]["message"]
    assert all(f["why"] and f["remedy"] and f["id"] == f["code"] for f in report["findings"])

    run_remedies(report, source, target, "G526", "G601", "G603", "G608")
    source.execute("ALTER TABLE trees ALTER tree TYPE text; ALTER TABLE local DROP o, DROP p, DROP x;"
                   "DROP TABLE blob; DROP TYPE raw CASCADE")
    assert target.value("SELECT setting FROM pg_db_role_setting s, unnest(setconfig) setting, "
                        "pg_database d WHERE d.oid = setdatabase AND datname = current_database() "
                        "AND setting LIKE 'search_path=%'") == 'search_path="$user", "a,b", public'
    left = codes(check(godwit, mine, code=0))
    assert not left & {"G526", "G601", "G603", "G605", "G607"}, left
    assert ("G608", "TimeZone") not in findings(check(godwit, mine, code=0))
    assert "G608" not in left


def test_a_failure_on_a_replication_connection_is_no_refusal(source, target, plan, godwit):
    """Who was let in and then failed lacks no right: the error is told, not a remedy that would change nothing."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    result = godwit("check", plan(), "--sample", "0s", code=1,
                    env={"GODWIT_FAULT": "source/probe:statement=SET client_encoding:2:fail"})
    assert "G303" not in result.out + result.err and "(probe): statement failed by the fault hook" in result.err


def test_databases_that_order_text_differently(source, servers, plan, godwit):
    """G602 lists what of the selection the database's own collation orders; a database made as the
    remedy says has no finding."""
    server = servers("pg15")
    made = []
    try:
        for name, locale in (("en", "en"), ("en_too", "en"), ("de", "de")):
            one = harness.Database(server, f"{source.name}_{name}")
            server.connect("postgres").execute(
                f"CREATE DATABASE {one.name} TEMPLATE template0 LOCALE_PROVIDER icu "
                f"ICU_LOCALE '{locale}' LC_COLLATE 'C' LC_CTYPE 'C'")
            made.append(one)
        english, too, german = made
        english.execute("CREATE TABLE word (id int PRIMARY KEY, text text UNIQUE);"
                        "CREATE TABLE part (k text PRIMARY KEY) PARTITION BY RANGE (k);"
                        "CREATE TABLE part_a PARTITION OF part FOR VALUES FROM ('a') TO ('b')")
        keys = {"tools": {"pg_bin": str(server.bin)}}
        report = check(godwit, plan(english, german, **keys), code=0)
        found = findings(report)["G602", german.name]
        assert found["severity"] == "warning" and "the source by en" in found["message"]
        for what in ("index public.word_text_key", "partition key public.part", "index public.part_pkey"):
            assert what in found["message"]
        assert "word_pkey" not in found["message"] and "ICU_LOCALE 'en'" in found["remedy"]
        assert "G602" not in codes(check(godwit, plan(english, too, **keys), code=0))
        server.connect("postgres").execute(
            f"UPDATE pg_database SET datcollversion = '0.1' WHERE datname = '{english.name}'")
        report = check(godwit, plan(english, too, **keys), code=0)
        assert "public.word_text_key" in findings(report)["G601", english.name]["message"]
        run_remedies(report, english, too, "G601")
        assert "G601" not in codes(check(godwit, plan(english, too, **keys), code=0))

        latin = harness.Database(server, f"{source.name}_latin")
        made.append(latin)
        server.connect("postgres").execute(f"CREATE DATABASE {latin.name} TEMPLATE template0 ENCODING 'LATIN9' "
                                           "LOCALE 'C' LOCALE_PROVIDER libc")
        report = check(godwit, plan(english, latin, **keys), code=4)
        assert findings(report)["G112", latin.name]["message"] == "has encoding LATIN9, the source has UTF8"
        latin.execute("CREATE TABLE word (id int PRIMARY KEY)")
        report = check(godwit, plan(latin, english, replication={"plugin": "test_decoding"}), code=4)
        assert findings(report)["G112", latin.name]["message"].endswith("which is not read from test_decoding")
    finally:
        for one in made:
            one.drop()


def test_anchor_14_sql_ascii_is_refused(source, target, servers, plan, godwit):
    """Bytes of no known encoding do not become text of another: check and apply refuse, and nothing is made."""
    bytes_only = harness.Database(servers("pg15"), f"{source.name}_ascii")
    servers("pg15").connect("postgres").execute(f"CREATE DATABASE {bytes_only.name} TEMPLATE template0"
                                                " ENCODING 'SQL_ASCII' LOCALE 'C'")
    try:
        bytes_only.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
        found = findings(check(godwit, plan(bytes_only), code=4))["G112", target.name]
        assert found["severity"] == "error" and found["message"] == "has encoding UTF8, the source has SQL_ASCII"
        assert "ENCODING 'SQL_ASCII'" in found["remedy"]
        godwit("apply", plan(bytes_only), code=4)
        assert target.value("SELECT to_regclass('public.t') IS NULL")
    finally:
        bytes_only.drop()


def test_anchor_24_no_statement_for_each_table(source, target, plan, godwit):
    """What is read before the first row is read of all tables at once: 150 tables more, not one statement more."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    for side in (source, target):
        side.execute(f"ALTER DATABASE {side.name} SET log_statement = 'all'")

    def statements_of_a_check():
        before = [len(side.cluster.log_text()) for side in (source, target)]
        check(godwit, plan())
        return [len(re.findall(r"LOG: +(?:execute <|statement: )", side.cluster.log_text()[start:]))
                for side, start in zip((source, target), before)]

    few = statements_of_a_check()
    source.execute("DO $$ BEGIN FOR i IN 1 .. 150 LOOP EXECUTE format('CREATE TABLE t%s"
                   " (id int PRIMARY KEY, v text UNIQUE, p int REFERENCES t)', i); END LOOP; END $$")
    assert statements_of_a_check() == few and min(few) > 3


def test_old_transactions_are_named_and_ended(source, database, plan, godwit):
    """A session that wrote, one idle in its transaction, and a prepared transaction of another
    database; the remedies end the sessions, and no other."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    other = database("pg15")
    mine = plan(cutover={"stop_writes": {"grace": "1s"}})
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(source.connect()) for _ in range(2)]
        sessions[0].execute("BEGIN; INSERT INTO t VALUES (1)")
        sessions[1].execute("BEGIN; SELECT count(*) FROM t")
        other.execute("BEGIN; CREATE TABLE p (id int); PREPARE TRANSACTION 'it''s old'")
        pids = [session.info.backend_pid for session in sessions]
        time.sleep(2)
        try:
            report = check(godwit, mine, code=0)
        finally:
            other.execute("ROLLBACK PREPARED 'it''s old'")
        found = findings(report)
        assert "in one transaction" in found["G521", f"session {pids[0]}"]["message"] or \
            "idle in its transaction" in found["G521", f"session {pids[0]}"]["message"]
        assert "idle in its transaction" in found["G522", f"session {pids[1]}"]["message"]
        prepared = [f for key, f in found.items() if key[1].startswith("prepared transaction")]
        assert len(prepared) == 1 and "ROLLBACK PREPARED 'it''s old'" in prepared[0]["remedy"]
        assert other.name in prepared[0]["message"]
        for finding in found.values():
            if finding["object"] in {f"session {pid}" for pid in pids}:
                source.execute(statements(finding["remedy"]))
        for session in sessions:
            session.close()
    source.wait_until(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid IN ({pids[0]}, {pids[1]})")
    assert not codes(check(godwit, mine, code=0)) & {"G521", "G522"}


def test_fix_runs_what_is_safe_and_nothing_else(source, target, plan, godwit):
    """--fix asks (64 without a terminal), sets replica identities and analyzes, looks again, and
    leaves everything else to people."""
    source.execute(f'CREATE TABLE bare (a int); CREATE TABLE "{WEIRD}" (a int);'
                   "CREATE TABLE uniq (a int NOT NULL UNIQUE); INSERT INTO bare VALUES (1);"
                   "UPDATE bare SET a = 2; CREATE UNLOGGED TABLE scratch (id int PRIMARY KEY)")
    source.execute(f"ALTER DATABASE {source.name} SET TimeZone = 'Asia/Tokyo'")
    mine = plan(schema={"database_settings": "omit"})
    result = godwit("check", mine, "--fix", code=64)
    assert "REPLICA IDENTITY FULL" in result.err and "add --yes" in result.err
    assert source.value("SELECT relreplident FROM pg_class WHERE relname = 'bare'") == "d"
    godwit("check", mine, "--fix", "--script", "--yes", code=64)

    result = godwit("check", mine, "--fix", "--yes", "--sample", "0s", "--format", "json", code=0)
    report = result.json()
    assert codes(report, "error") == set() and "G203" in codes(report, "warning")
    assert "fixed G201 public.bare" in result.err
    assert not any(f["fixable"] for f in report["findings"])
    assert "G608" in codes(report) and "G526" not in codes(report)
    assert dict(source.query("SELECT relname, relreplident FROM pg_class WHERE relkind = 'r' AND "
                             "relnamespace = 'public'::regnamespace")) == \
        {"bare": "f", WEIRD: "f", "uniq": "i", "scratch": "d"}
    assert target.value("SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = "
                        "setdatabase WHERE datname = current_database()") == 0
    source.execute("ALTER TABLE scratch SET LOGGED; ANALYZE scratch")
    assert "nothing here is safe to fix" in godwit("check", mine, "--fix", "--yes", code=0).err


def answer(argv, env, text):
    """Run a command on a terminal that gives one answer; its exit status."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(argv, env=env, stdin=theirs, stderr=theirs, stdout=subprocess.DEVNULL) as process:
        os.close(theirs)
        said = b""
        while b"[yes/no]" not in said:
            said += os.read(ours, 4096)
        os.write(ours, text)
        status = process.wait(60)
    os.close(ours)
    return status


def test_fix_asks_on_a_terminal(source, target, plan, godwit):
    """Whatever is not yes changes nothing; yes runs the statements."""
    source.execute("CREATE TABLE bare (a int)")
    mine = plan()
    argv = [str(godwit.binary), "check", str(mine), "--fix", "--sample", "0s"]
    identity = "SELECT relreplident FROM pg_class WHERE relname = 'bare'"
    for text, status, identity_then in ((b"y\n", 64, "d"), (b"yes\n", 0, "f")):
        assert answer(argv, {**os.environ, **mine.env}, text) == status
        assert source.value(identity) == identity_then


def test_script_runs_as_it_is_printed(source, target, plan, godwit):
    """Each part of --script runs in psql, whatever names there are, and cures its findings."""
    source.execute(f'CREATE TABLE bare (a int); CREATE TABLE "{WEIRD}" (a int)')
    source.execute(f"ALTER DATABASE {source.name} SET bytea_output = 'escape'")
    mine = plan(schema={"database_settings": "omit"})
    script = godwit("check", mine, "--script", code=4).out
    parts = dict(re.findall(r"^-- ---- (\w+) ----\n(.*?)(?=^-- ---- |\Z)", script, re.M | re.S))
    assert list(parts) == ["source", "target"]
    assert "-- error G201 public.bare: has no replica identity\n" in parts["source"]
    assert "\n-- DROP" not in script and "\x01" not in script
    assert """SET "bytea_output" TO 'escape'""" in parts["target"]
    source.psql(parts["source"])
    target.psql(parts["target"])
    left = check(godwit, mine, code=0)
    assert not codes(left) & {"G201", "G526", "G608"}


def test_junit_is_xml_for_any_name(source, target, plan, godwit):
    """Errors are failures, what is waived is skipped, what holds passes; no name breaks the XML."""
    source.execute(f'CREATE TABLE "{WEIRD}<&>" (a int); CREATE TABLE t (a int); ALTER TABLE t REPLICA IDENTITY FULL')
    mine = plan(waive=[{"code": "G205", "object": "public.t", "reason": "<few> & small", "until": UNTIL}])
    out = godwit("check", mine, "--format", "junit", "--sample", "0s", code=4).out
    suites = xml.fromstring(out.encode())
    cases = suites.findall("./testsuite/testcase")
    assert int(suites.get("tests")) == len(cases)
    failed = [case for case in cases if case.find("failure") is not None]
    assert len(failed) == int(suites.get("failures")) == 1 and "DROP<&>" in failed[0].get("name")
    assert "REPLICA IDENTITY FULL" in failed[0].find("failure").text
    skipped = [case for case in cases if case.find("skipped") is not None]
    assert [case.get("name") for case in skipped] == ["G205 public.t"]
    assert skipped[0].find("skipped").get("message") == f"until {UNTIL}: <few> & small"
    assert any(case.get("name").startswith("G101 ") and len(case) == 0 for case in cases)


def test_waivers_and_attestations(source, target, plan, godwit):
    """A waived finding stays listed; one past its end blocks apply; one that answers nothing is a
    warning; an attestation answers what SQL cannot see, which Azure demands."""
    source.execute("CREATE TABLE events (a int); ALTER TABLE events REPLICA IDENTITY FULL;"
                   'CREATE TABLE "Odd" (a int); ALTER TABLE "Odd" REPLICA IDENTITY FULL')

    def entry(code, until=UNTIL, **more):
        return {"code": code, "reason": "ticket 41", "until": until, **more}

    mine = plan(waive=[entry("G205", object='~public\\..*'), entry("G608", object="TimeZone"),
                       entry("G521")])  # old transactions come and go: no G902
    report = check(godwit, mine, code=0)
    waived = {f["object"]: f for f in report["findings"] if f["severity"] == "waived"}
    assert set(waived) == {"public.events", 'public."Odd"'}
    assert waived["public.events"]["note"] == f"until {UNTIL}: ticket 41"
    assert [f["object"] for f in report["findings"] if f["severity"] == "warning"] == ["G608"]
    assert f"{mine}:" in next(f for f in report["findings"] if f["code"] == "G902")["at"]
    text = godwit("check", mine, "--sample", "0s", code=0).out
    assert "waived G205 source public.events: has no key" in text and "2 waived or attested" in text
    assert 'waived G205 source public."Odd"' in godwit("apply", mine, "--until", "preflight", code=0).err
    godwit("cleanup", mine, "--yes", code=0)

    past = plan(waive=[entry("G205", until="2020-02-29")])
    assert "G901" in godwit("validate", past, code=3).err
    assert codes(check(godwit, past, code=4), "error") == {"G901"}
    assert "ended on 2020-02-29" in godwit("apply", past, code=4).err
    assert source.value("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == 0

    wrong = plan(waive=[entry("G201"), entry("G295")])
    result = godwit("validate", wrong, code=3)
    assert "G201 (every published table has a replica identity) cannot be waived" in result.err
    assert "Did you mean G205" in result.err

    azure = plan(target={"kind": "azure"})
    assert codes(check(godwit, azure, code=4), "error") == {"G310", "G311"}
    azure.change(attest=[entry("G310"), entry("G311"), entry("G312")],
                 waive=[entry("G205"), entry("G114")])
    report = check(godwit, azure, code=0)
    assert codes(report, "attested") == {"G310", "G311", "G312"}
    assert codes(report, "warning") <= {"G313", "G314", "G501", "G502", "G504"}


def test_workload_and_what_it_means(source, target, plan, godwit):
    """Rates from a sample and since the statistics began, and a forecast with its assumptions; a
    limit of retained WAL that the copy would pass is told."""
    source.execute("CREATE TABLE t (id int PRIMARY KEY, filler text);"
                   "INSERT INTO t SELECT g, repeat('x', 500) FROM generate_series(1, 20000) g")
    mine = plan(copy={"table_jobs": 1}, replication={"slot": {"max_retained_wal": "16MB"}})
    with source.connect() as busy:
        running = godwit.start("check", mine, "--format", "json", "--sample", "2s")
        end = time.monotonic() + 30
        while time.monotonic() < end and running.running():
            busy.execute("UPDATE t SET filler = filler || 'y' WHERE id <= 50")
            busy.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000))")
            time.sleep(0.01)
        report = running.wait(code=0).json()
    work, forecast = report["workload"], report["forecast"]
    assert work["tables"] == 1 and work["table_bytes"] > 10_000_000 and work["index_bytes"] > 0
    assert work["sample"]["seconds"] == pytest.approx(2, abs=1)
    assert work["sample"]["updates_per_second"] > 50 and work["sample"]["wal_bytes_per_hour"] > 10_000_000
    assert work["sample"]["update_delete_share"] > 0.9
    assert work["average"]["seconds"] > 1 and work["average"]["changes_per_second"] > 0
    assert 0 < forecast["copy_seconds_min"] < forecast["copy_seconds_max"]
    assert forecast["slot"] == "outlasts the copy"
    assert 0 <= forecast["wal_held_bytes_min"] <= forecast["wal_held_bytes_max"]
    assert forecast["assumes"]["table_jobs"] == 1
    assert "16 MB, and the copy holds back" in findings(report)["G702", "replication.slot.max_retained_wal"]["message"]
    mine.change(replication={"slot": {"max_retained_wal": "100GB"}})
    text = godwit("check", mine, "--sample", "100ms", code=0).out
    assert "G702" not in text and "workload of the source" in text and "WAL held" in text
    godwit("check", mine, "--sample", "1h", code=64)
