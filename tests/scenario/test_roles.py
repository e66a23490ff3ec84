"""Roles, owners, privileges and settings arrive, for a user of the target that is no superuser, too."""
import secrets

import harness
import pytest

# {x} is a mark of the test: roles belong to the whole server.
ROLES = """
CREATE ROLE "{x}_Own ""er" LOGIN PASSWORD '{secret}' CONNECTION LIMIT 7 VALID UNTIL '2031-02-03 04:05:06+00';
CREATE ROLE {x}_app LOGIN NOINHERIT CREATEDB BYPASSRLS PASSWORD '{secret}';
CREATE ROLE {x}_readers;
CREATE ROLE "{x}_Лёша" LOGIN IN ROLE {x}_readers;
CREATE ROLE {x}_boss LOGIN;
CREATE ROLE {x}_above; GRANT {x}_above TO {x}_boss; GRANT {x}_readers TO {x}_boss WITH ADMIN OPTION;
CREATE ROLE {x}_policy;
CREATE ROLE {x}_default;
CREATE ROLE {x}_left LOGIN;
CREATE ROLE {x}_unneeded LOGIN; GRANT {x}_above TO {x}_unneeded;
CREATE ROLE {x}_old;
COMMENT ON ROLE {x}_app IS 'the application''s own';
ALTER ROLE {x}_app SET search_path TO app, "$user", public;
ALTER ROLE {x}_app SET work_mem = '5MB';
ALTER ROLE {x}_app SET default_tablespace = '';
GRANT pg_monitor TO {x}_app;
"""

OBJECTS = """
CREATE SCHEMA app AUTHORIZATION "{x}_Own ""er";
CREATE SCHEMA "Odd "" S";
SET ROLE "{x}_Own ""er"; SET search_path = app;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE item (id bigserial PRIMARY KEY, secret text, name text, m mood);
CREATE TABLE doc (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item bigint REFERENCES item);
CREATE TABLE part (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE SEQUENCE loose;
CREATE VIEW v AS SELECT id, name FROM item;
CREATE MATERIALIZED VIEW mv AS SELECT count(*) AS n FROM item;
CREATE FUNCTION f(int, text DEFAULT 'x') RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION closed() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE PROCEDURE p(a int) LANGUAGE plpgsql AS 'BEGIN END';
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same);
CREATE STATISTICS st ON secret, name FROM item;
CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.simple);
GRANT USAGE ON SCHEMA app TO {x}_app, {x}_readers;
GRANT SELECT, INSERT, UPDATE ON item TO {x}_app WITH GRANT OPTION;
GRANT SELECT (id, name), REFERENCES (id) ON item TO {x}_readers;
GRANT SELECT ON doc, part, v, mv TO {x}_readers;
GRANT SELECT ON v TO PUBLIC;
GRANT TRUNCATE, DELETE ON doc TO {x}_app;
GRANT SELECT ON doc TO {x}_left, {x}_old;
GRANT USAGE ON SEQUENCE item_id_seq, loose TO {x}_app;
REVOKE EXECUTE ON FUNCTION closed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION closed() TO {x}_app;
GRANT EXECUTE ON PROCEDURE p(int) TO {x}_readers;
REVOKE USAGE ON TYPE mood FROM PUBLIC;
GRANT USAGE ON TYPE mood TO {x}_app;
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON item TO {x}_policy USING (name = current_user);
REVOKE UPDATE ON part FROM "{x}_Own ""er";
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO {x}_default WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {x}_app;
COMMENT ON TABLE item IS 'what there is';
RESET ROLE;
CREATE TABLE "Odd "" S"."T able" (id int PRIMARY KEY, "co l" text);
ALTER TABLE "Odd "" S"."T able" OWNER TO {x}_app;
GRANT SELECT ("co l") ON "Odd "" S"."T able" TO "{x}_Лёша";
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
INSERT INTO app.item (secret, name, m) SELECT 's', 'n' || i, 'good' FROM generate_series(1, 50) i;
INSERT INTO app.doc (item) SELECT i FROM generate_series(1, 20) i;
INSERT INTO app.part VALUES (1, '2026-03-04');
"""

DATABASE = """
GRANT CREATE, CONNECT ON DATABASE {db} TO {x}_app;
REVOKE TEMPORARY ON DATABASE {db} FROM PUBLIC;
ALTER DATABASE {db} SET search_path TO "Odd "" S", public;
ALTER DATABASE {db} SET timezone = 'Europe/Berlin';
ALTER DATABASE {db} SET my.own = 'it''s';
ALTER DATABASE {db} SET default_tablespace = '';
ALTER ROLE {x}_app IN DATABASE {db} SET statement_timeout = '90s';
COMMENT ON DATABASE {db} IS 'the shop''s';
"""

OWNERS = """
SELECT 'relation', c.oid::regclass::text, c.relowner::regrole::text FROM pg_class c
 WHERE c.relnamespace::regnamespace::text = ANY (%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c')
UNION ALL
SELECT 'routine', p.oid::regprocedure::text, p.proowner::regrole::text FROM pg_proc p
 WHERE p.pronamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'type', t.oid::regtype::text, t.typowner::regrole::text FROM pg_type t
 WHERE t.typnamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'schema', n.nspname, n.nspowner::regrole::text FROM pg_namespace n
 WHERE n.oid::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'operator', o.oid::regoperator::text, o.oprowner::regrole::text FROM pg_operator o
 WHERE o.oprnamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'statistics', s.stxname, s.stxowner::regrole::text FROM pg_statistic_ext s
 WHERE s.stxnamespace::regnamespace::text = ANY (%(schemas)s)
UNION ALL
SELECT 'text search', s.cfgname, s.cfgowner::regrole::text FROM pg_ts_config s
 WHERE s.cfgnamespace::regnamespace::text = ANY (%(schemas)s)
"""

RIGHTS = """
SELECT what, name, col, COALESCE(grantee::regrole::text, 'PUBLIC'), privilege_type,
       is_grantable AND grantee <> owner
  FROM (
    SELECT 'relation' AS what, c.oid::regclass::text AS name, '' AS col, c.relowner AS owner, e.*
      FROM pg_class c, aclexplode(COALESCE(c.relacl, acldefault(
               CASE WHEN c.relkind = 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) e
     WHERE c.relnamespace::regnamespace::text = ANY (%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL
    SELECT 'column', c.oid::regclass::text, a.attname, c.relowner, e.*
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) e
     WHERE c.relnamespace::regnamespace::text = ANY (%(schemas)s)
    UNION ALL
    SELECT 'routine', p.oid::regprocedure::text, '', p.proowner, e.*
      FROM pg_proc p, aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) e
     WHERE p.pronamespace::regnamespace::text = ANY (%(schemas)s)
    UNION ALL
    SELECT 'type', t.oid::regtype::text, '', t.typowner, e.*
      FROM pg_type t, aclexplode(COALESCE(t.typacl, acldefault('T', t.typowner))) e
     WHERE t.typnamespace::regnamespace::text = ANY (%(schemas)s) AND t.typtype IN ('e', 'd')
    UNION ALL
    SELECT 'schema', n.nspname, '', n.nspowner, e.*
      FROM pg_namespace n, aclexplode(COALESCE(n.nspacl, acldefault('n', n.nspowner))) e
     WHERE n.oid::regnamespace::text = ANY (%(schemas)s)
    UNION ALL
    SELECT 'default', d.defaclrole::regrole::text || COALESCE(d.defaclnamespace::regnamespace::text, ''),
           d.defaclobjtype::text, d.defaclrole, e.*
      FROM pg_default_acl d, aclexplode(d.defaclacl) e
    UNION ALL
    SELECT 'database', '', '', d.datdba, e.*
      FROM pg_database d, aclexplode(COALESCE(d.datacl, acldefault('d', d.datdba))) e
     WHERE d.datname = current_database()
  ) AS item
 WHERE privilege_type <> 'MAINTAIN'
"""

MEMBERS = """
SELECT g.rolname::text, m.rolname::text, bool_or(a.admin_option)
  FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
 WHERE m.rolname LIKE %(x)s || '\\_%%' AND m.rolname <> %(user)s
 GROUP BY 1, 2
"""

ATTRIBUTES = """
SELECT rolname::text, rolinherit, rolcreatedb, rolcanlogin, rolconnlimit,
       rolvaliduntil AT TIME ZONE 'UTC', shobj_description(oid, 'pg_authid'),
       (SELECT string_agg(c, '; ' ORDER BY c) FROM pg_db_role_setting s, unnest(s.setconfig) c
         WHERE s.setrole = r.oid AND s.setdatabase = 0 AND c NOT LIKE 'default_tablespace%%')
  FROM pg_roles r WHERE rolname LIKE %(x)s || '\\_%%' AND rolname <> %(user)s
"""

SETTINGS = """
SELECT COALESCE(r.rolname::text, ''), c
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c
 WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND c NOT LIKE 'default_tablespace%%' AND c NOT LIKE 'default_transaction_read_only%%'
"""

SCHEMAS = ["app", '"Odd "" S"']


class Stage:
    """A source full of roles, and a target whose user is no superuser."""

    def __init__(self, source, target):
        self.x = f"r{secrets.token_hex(3)}"
        self.secret = f"pw{secrets.token_hex(8)}"
        self.source, self.target = source, target
        self.user = f"{self.x}_admin"
        source.execute(self.text(ROLES))
        with source.connect() as connection:
            connection.execute(f"GRANT CREATE ON DATABASE {source.name} TO \"{self.x}_Own \"\"er\"")
            connection.execute(self.text(OBJECTS))
            connection.execute(self.text(DATABASE))
        target.execute(
            f"CREATE ROLE {self.user} LOGIN CREATEROLE CREATEDB;"
            f"GRANT pg_signal_backend, pg_monitor TO {self.user} WITH ADMIN OPTION;"
            f"GRANT SET ON PARAMETER session_replication_role TO {self.user};"
            f"ALTER DATABASE {target.name} OWNER TO {self.user};"
            f"CREATE ROLE {self.x}_old NOLOGIN CONNECTION LIMIT 3")

    def text(self, script):
        """A script with the names of this stage."""
        return (script.replace("{x}", self.x).replace("{secret}", self.secret)
                .replace("{db}", self.source.name))

    def plan(self, plan, **keys):
        """A plan from the superuser of the source to the admin of the target."""
        base = {"select": {"schemas": SCHEMAS}, "roles": {"exclude": [f"{self.x}_left"]}}
        made = plan(self.source, self.target, **{**base, **keys})
        made.env["TARGET"] = self.target.conninfo(user=self.user)
        return made

    def hashes(self):
        """The password hashes of the source's roles."""
        return dict(self.source.query("SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE %s"
                                      " AND rolpassword IS NOT NULL", (f"{self.x}\\_%",)))

    def both(self, query):
        """The rows of a query on both sides."""
        values = {"schemas": SCHEMAS, "x": self.x, "user": self.user}
        return set(self.source.query(query, values)), set(self.target.query(query, values))

    def drop(self):
        """Drop the roles again, once the databases are gone."""
        for database in (self.source, self.target):
            database.drop()
            with database.cluster.connect() as connection:
                names = connection.execute("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname LIKE %s"
                                           " ORDER BY rolname = %s", (f"{self.x}\\_%", self.user)).fetchall()
                for (name,) in names:
                    connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def stage(database):
    """stage("pg15", "pg17") is a Stage."""
    made = []

    def make(source, target):
        made.append(Stage(database(source, prefix="src"), database(target, prefix="dst")))
        return made[-1]

    yield make
    for one in made:
        one.drop()


def told(result):
    """What an engine said, on both streams."""
    return result.out + result.err


def assert_no_secret(one, *texts):
    """No password and no hash stands in any of these."""
    secrets_of = [one.secret, *one.hashes().values()]
    assert len(secrets_of) == 3
    for text in texts:
        for secret in secrets_of:
            assert secret not in text
            assert secret[-30:] not in text


def journal_text(target):
    """Every row of the journal."""
    tables = target.query("SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'godwit'::regnamespace"
                          " AND relkind = 'r'")
    return "\n".join(str(target.query(f"SELECT * FROM {name}")) for (name,) in tables)


@pytest.mark.parametrize("pair", [("pg15", "pg17"), ("pg14", "pg15")], ids="-".join)
def test_roles_owners_and_privileges_arrive(pair, stage, plan, godwit, tmp_path):
    """By a user that is no superuser: everything is as on the source, and nothing tells a password."""
    one = stage(*pair)
    one.target.cluster.set(log_statement="all", log_min_duration_statement=0)
    before = len(one.target.cluster.log_text())
    mine = one.plan(plan, schema={"ownership": "keep"}, roles={"exclude": [f"{one.x}_left"],
                                                              "passwords": "required"})
    checked = godwit("check", mine, code=0)
    assert f"G412 target {one.x}_app: is created without BYPASSRLS" in checked.out
    assert "G418 target default_tablespace" in checked.out
    shown = godwit("plan", mine, "--format", "sql", "--out", tmp_path / "p.pinned", code=0)
    assert "'***'" in shown.out
    assert f'CREATE ROLE "{one.x}_app" LOGIN NOINHERIT CREATEDB;' in shown.out
    first = godwit("apply", mine, "--until", "privileges.rehearse", "--log-level", "debug", code=0)
    assert f"privilege of {one.x}_left is left out on 1 objects (app.doc): the plan excludes it" in first.err
    assert one.target.value("SELECT count(*) FROM pg_class c, aclexplode(c.relacl) e"
                            " WHERE c.relnamespace = 'app'::regnamespace AND e.grantee <> c.relowner") == 0
    again = godwit("apply", mine, "--until", "privileges.rehearse", "--log-level", "debug", code=0)
    assert "made role" in first.err and "made role" not in again.err
    journal = journal_text(one.target)
    last = godwit("apply", mine, "--log-level", "debug", code=0)
    one.target.cluster.set(log_statement="none", log_min_duration_statement=-1)
    log = one.target.cluster.log_text()[before:]
    assert "COPY pg_temp.godwit_password" in log
    assert_no_secret(one, *map(told, (checked, shown, first, again, last)), journal, journal_text(one.target), log,
                     (tmp_path / "p.pinned").read_text(encoding="utf-8"))
    assert_same_access(one)
    taken = dict(one.target.query("SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE %s"
                                  " AND rolpassword IS NOT NULL", (f"{one.x}\\_%",)))
    assert taken == one.hashes()
    assert one.target.value("SELECT shobj_description(oid, 'pg_database') FROM pg_database"
                            " WHERE datname = current_database()") == "the shop's"
    harness.assert_same(one.source, one.target, schemas=["app"])


def assert_same_access(one):
    """Both sides say the same of roles, memberships, owners, privileges and settings."""
    skipped = {f"{one.x}_left", f"{one.x}_old", f"{one.x}_unneeded"}
    for query, expected in ((ATTRIBUTES, skipped), (MEMBERS, {f"{one.x}_above"})):
        left, right = one.both(query)
        assert {row[0] for row in left - right} == expected
        assert {row[0] for row in right - left} <= {f"{one.x}_old"}
    assert one.target.value("SELECT rolconnlimit FROM pg_roles WHERE rolname = %s", (f"{one.x}_old",)) == 3
    admin, left = ("postgres", one.user), f"{one.x}_left"

    def named(rows):
        """Without what belongs to the users that run things."""
        return {row for row in rows if not {*admin, left} & set(map(str, row))}
    for query in (OWNERS, RIGHTS):
        mine, there = map(named, one.both(query))
        assert mine - there == set()
        assert there - mine == set()
        assert len(mine) > 20
    mine, there = one.both(SETTINGS)
    assert mine - there == {("", "my.own=it's")} and there - mine == set()


def test_who_owned_keeps_what_ownership_gave(stage, plan, godwit):
    """All goes to the target's user by default; another user is told, and reset drops only our roles."""
    one = stage("pg15", "pg17")
    mine = one.plan(plan, roles={"map": [{"source": f"{one.x}_policy", "target": f"{one.x}_old"}],
                                 "passwords": "omit"}, schema={"comments": "omit"})
    checked = godwit("check", mine, code=0)
    assert f"G417 target {one.user}: becomes the owner of SECURITY DEFINER functions" in checked.out
    names = "SELECT count(*) FROM pg_roles WHERE rolname LIKE %s"
    godwit("apply", mine, env={"GODWIT_FAULT": "target/worker:statement:25:kill"}, code=-9)
    assert one.target.value("SELECT count(*) FROM godwit.step WHERE step = 'roles' AND state = 'running'") == 1
    assert one.target.value(names, (f"{one.x}\\_%",)) == 2
    godwit("apply", mine, "--until", "schema_post", code=0)
    made = one.target.value(names, (f"{one.x}\\_%",))
    assert made > 8
    assert one.target.value("SELECT array_agg(r.rolname)::text FROM pg_policy p JOIN pg_roles r"
                            " ON r.oid = ANY (p.polroles)") == f"{{{one.x}_old}}"
    assert one.target.value("SELECT count(*) FROM pg_description WHERE description = 'what there is'") == 0
    godwit("reset", mine, "--yes", code=0)
    assert one.target.value(names, (f"{one.x}\\_%",)) == 2
    godwit("apply", mine, code=0)
    assert one.target.value("SELECT count(DISTINCT relowner) FROM pg_class"
                            " WHERE relnamespace = 'app'::regnamespace") == 1
    owner = f'{one.x}_Own "er'
    for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"):
        assert one.target.value("SELECT has_table_privilege(%s, 'app.item', %s)", (owner, right))
    assert one.target.value("SELECT has_table_privilege(%s, 'app.part', 'UPDATE')", (owner,)) is False
    assert one.target.value("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = %s", (owner,))


def test_a_user_that_cannot_create_roles_is_told_who_has_to(stage, plan, godwit):
    """Without CREATEROLE the run goes on; the finding holds the SQL, without a password."""
    one = stage("pg15", "pg17")
    one.target.execute(f"ALTER ROLE {one.user} NOCREATEROLE")
    mine = one.plan(plan)
    report = godwit("check", mine, "--format", "json", code=0)
    found = {(f["code"], f["object"]): f for f in report.json()["findings"]}
    remedy = found["G411", f"{one.x}_app"]["remedy"]
    assert "CREATE ROLE" in str(remedy) and "BYPASSRLS" in str(remedy)
    assert ("G416", f"{one.x}_app") in found
    assert_no_secret(one, told(report))
    one.target.execute("".join(line for line in remedy) if isinstance(remedy, list) else remedy)
    after = godwit("check", mine, "--format", "json", code=0).json()["findings"]
    assert ("G411", f"{one.x}_app") not in {(f["code"], f["object"]) for f in after}
    one.target.execute(f"ALTER ROLE {one.user} CREATEROLE")
    strict = one.plan(plan, roles={"passwords": "required"})
    strict.env["SOURCE"] = one.source.conninfo(user=f"{one.x}_app")
    assert "G413" in told(godwit("check", strict))
