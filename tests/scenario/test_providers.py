"""Providers, recreated on lab servers: what is found, what is said, and whether weak roles get through.

Each side has the provider's roles, settings and functions, and an admin who is no superuser. The roles
that migrate are made, and dropped again, by exactly the SQL that `godwit grants` prints, run by that
admin.
"""
import harness
import psycopg
import pytest
from providers import Profile

SEED = """
CREATE ROLE {owner} NOLOGIN;
GRANT {owner} TO {admin} {option};
GRANT CREATE ON DATABASE {database} TO {owner};
CREATE SCHEMA app AUTHORIZATION {owner};
CREATE SCHEMA secret;
CREATE TABLE secret.plan (id int);
SET ROLE {owner};
CREATE TABLE app.customer (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE app.orders (id int PRIMARY KEY, customer int REFERENCES app.customer ON DELETE CASCADE,
    amount numeric(10, 2));
CREATE TABLE app.audit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
CREATE VIEW app.total AS SELECT customer, sum(amount) AS amount FROM app.orders GROUP BY 1;
CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO app.audit (what) VALUES (TG_OP || ' ' || COALESCE(NEW.id, OLD.id)); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.note();
INSERT INTO app.customer (name) SELECT 'c' || n FROM generate_series(1, 100) n;
INSERT INTO app.orders SELECT n, n % 100 + 1, n FROM generate_series(1, 500) n;
RESET ROLE;
"""
CHANGES = """
INSERT INTO app.orders SELECT n, n % 100 + 1, n FROM generate_series(1001, 1100) n;
DELETE FROM app.customer WHERE id <= 10;
UPDATE app.orders SET amount = amount + 1 WHERE id % 7 = 0;
INSERT INTO app.customer (name) VALUES ('late');
"""
# source, its server, target; how the target silences triggers: by SET, a function, or not at all
PAIRS = [
    ("rds", "pg15", "tiger_cloud", None),
    ("aurora", "pg15", "azure", None),
    ("azure", "pg16", "self_hosted", "set"),
    ("supabase", "pg16", "rds", None),
    ("mst", "pg16", "mst", "function"),
    ("neon", "pg16", "neon", None),
]


@pytest.fixture(scope="module")
def clusters():
    """Servers of this file alone: a provider's roles belong to a whole server."""
    shared = {}

    def get(flavor):
        if flavor not in shared:
            shared[flavor] = harness.lab.Cluster(flavor)
        return shared[flavor]

    yield get
    for one in shared.values():
        one.drop()


@pytest.fixture
def profile(clusters):
    """profile("rds", "pg15") is a new database that looks like one on RDS."""
    made = []

    def make(kind, flavor):
        made.append(Profile(kind, harness.Database.create(clusters(flavor), prefix=kind)))
        return made[-1]

    yield make
    for one in made:
        owner = f"own_{one.database.name}"
        one.forget()
        with one.database.cluster.connect() as connection:
            connection.execute(f"DROP ROLE IF EXISTS {owner}")


def seed(profile):
    """Tables of an application, owned by a role of its own."""
    name = profile.database.name
    option = "" if profile.database.cluster.major < 16 else "WITH ADMIN OPTION"
    profile.database.execute(SEED.format(owner=f"own_{name}", admin=profile.admin, database=name,
                                         option=option))


def refused(conninfo, statement):
    """Whether a role may not do this."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        try:
            connection.execute("BEGIN")
            connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            return True
        finally:
            connection.execute("ROLLBACK")
    return False


def assert_least(profile, role):
    """The role has no attribute beyond what replication needs, and no way to others' things."""
    attributes = profile.database.query(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = %s", (role,))
    assert attributes == [(False, False, False, False)], role
    conninfo = profile.conninfo(role)
    assert refused(conninfo, "CREATE ROLE more")
    assert refused(conninfo, "ALTER DATABASE postgres SET work_mem = '1MB'")
    assert refused(conninfo, f"SET ROLE {profile.admin}") or profile.database.cluster.major < 16


def check(godwit, plan, code=0):
    """The findings of `godwit check`."""
    return godwit("check", plan, "--sample", "0s", "--format", "json", code=code).json()["findings"]


@pytest.mark.parametrize("source_kind, source_flavor, target_kind, way", PAIRS,
                         ids=[f"{one[0]}-to-{one[2]}" for one in PAIRS])
def test_weak_roles_migrate(source_kind, source_flavor, target_kind, way, profile, tmp_path, godwit):
    """grants makes both roles as the admins; they migrate under changes; grants drops them."""
    source, target = profile(source_kind, source_flavor), profile(target_kind, "pg17")
    seed(source)
    plan = harness.Plan.write(tmp_path / "plan.yaml", source.database, target.database, {
        "source": {"kind": source_kind}, "target": {"kind": target_kind},
        "select": {"schemas": ["app"]}, "cutover": {"approval": {"required": True}},
        "attest": [{"code": code, "reason": "off, by hand", "until": "2099-12-31"}
                   for code in ("G310", "G311")] if target_kind == "azure" else None})
    admins = {"SOURCE": source.conninfo(), "TARGET": target.conninfo()}
    grants = godwit("grants", plan, "--connect", "--format", "json", env=admins, code=0).json()
    roles = [grants[side]["role"] for side in ("source", "target")]
    assert roles == [f"godwit_{plan.name}_source", f"godwit_{plan.name}_target"]
    source.run(grants["source"]["make"])
    target.run(grants["target"]["make"])
    if way == "function":
        target.database.execute(f"GRANT USAGE ON SCHEMA aiven_extras TO {roles[1]}")
    assert_least(source, roles[0])
    assert_least(target, roles[1])
    assert refused(source.conninfo(roles[0]), "SELECT FROM secret.plan")

    for one, role in zip((source, target), roles):  # what a provider, or its admin, may have set
        one.database.execute(f"ALTER ROLE {role} SET statement_timeout = '150ms';"
                             f"ALTER ROLE {role} SET idle_in_transaction_session_timeout = '50ms';"
                             f"ALTER ROLE {role} SET idle_session_timeout = '50ms';"
                             f"ALTER ROLE {role} SET lock_timeout = '1ms'")
    plan.env = {"SOURCE": source.conninfo(roles[0]), "TARGET": target.conninfo(roles[1])}
    if source_kind in ("rds", "aurora"):
        errors = [one for one in check(godwit, plan, 4) if one["severity"] == "error"]
        assert [one["code"] for one in errors] == ["G303"], errors
        assert "replication connection is refused" in errors[0]["message"]
        assert errors[0]["remedy"].startswith(f'GRANT rds_replication TO "{roles[0]}"')
        # There membership is enough, by a hook of the server; here it takes the attribute.
        source.database.execute(f"ALTER ROLE {roles[0]} REPLICATION")
    found = check(godwit, plan)
    if target_kind == "azure":
        disk = [one for one in found if one["object"] == "azure.enable_temp_tablespaces_on_local_ssd"]
        assert "--name azure.enable_temp_tablespaces_on_local_ssd --value off" in disk[0]["remedy"]
    assert {"G114", "G105"}.isdisjoint(one["code"] for one in found), found
    assert (way is None) == ("G306" in [one["code"] for one in found]), found

    godwit("apply", plan, "--exit-at-gate", code=6)
    source.database.execute(CHANGES)
    godwit("approve", plan, code=0)
    godwit("apply", plan, code=0)
    harness.assert_same(source.database, target.database, schemas=["app"])
    assert target.database.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'")
    assert target.database.value("SELECT count(*) FROM pg_trigger WHERE tgname = 'note' AND tgenabled = 'O'") == 1
    godwit("cleanup", plan, "--yes", code=0)

    if way == "function":
        target.database.execute(f"REVOKE USAGE ON SCHEMA aiven_extras FROM {roles[1]}")
    source.run(grants["source"]["drop"])
    target.run(grants["target"]["drop"])
    for one, role in zip((source, target), roles):
        assert one.database.query("SELECT FROM pg_roles WHERE rolname = %s", (role,)) == []
        assert one.database.value("SELECT pg_get_userbyid(datdba) FROM pg_database"
                                  " WHERE datname = current_database()") == one.admin
    assert target.database.value("SELECT pg_get_userbyid(relowner) FROM pg_class"
                                 " WHERE oid = 'app.orders'::regclass") == target.admin


# kind: words of its remedy for wal_level, evidence that detection names, a slot rule's words
WORDS = {
    "self_hosted": ("ALTER SYSTEM SET wal_level", None, None),
    "rds": ("aws rds modify-db-parameter-group", "setting rds.extensions", None),
    "aurora": ("aws rds modify-db-cluster-parameter-group", "function aurora_version()", None),
    "azure": ("az postgres flexible-server parameter set", "setting azure.extensions", "storage runs low"),
    "neon": ("Console: Settings, Logical Replication", "setting neon.tenant_id", "about 40 hours"),
    "supabase": ("supabase --experimental", "setting supautils.privileged_role", "4 GB by default"),
    "mst": ("avn service update", "extension aiven_extras", None),
}


@pytest.fixture(scope="module")
def poor():
    """A server on which nothing is as a source needs it."""
    with harness.lab.Cluster("pg16", {"wal_level": "replica", "max_replication_slots": 1,
                                      "max_slot_wal_keep_size": "4GB", "wal_sender_timeout": "5s"}) as made:
        yield made


@pytest.mark.parametrize("kind", WORDS)
def test_each_provider_is_recognised_and_told_in_its_own_words(kind, poor, clusters, tmp_path, godwit):
    """Remedies are the provider's; another kind in the plan is a finding that says why; roles alone
    are only a guess."""
    words, evidence, rule = WORDS[kind]
    source = Profile(kind, harness.Database.create(poor, prefix=kind))
    target = harness.Database.create(clusters("pg17"), prefix="plain")
    source.database.execute("CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY)")
    plan = harness.Plan.write(tmp_path / "plan.yaml", source.database, target,
                              {"source": {"kind": kind}, "select": {"schemas": ["app"]}})
    try:
        found = check(godwit, plan, 4)
        remedies = {one["code"]: one["remedy"] for one in found if one["server"] == "source"}
        assert words in remedies["G101"] and ("Console: " in remedies["G101"]) == (kind != "self_hosted")
        assert "G114" not in remedies
        assert {"G102", "G108", "G501"} <= set(remedies), remedies
        rules = [one["message"] for one in found if one["code"] == "G502"]
        assert (rule is None) == (kind not in ("azure", "neon", "supabase"))
        assert rule is None or any(rule in message for message in rules), rules

        plan.change(source={"kind": "rds" if kind != "rds" else "self_hosted"})
        other = [one for one in check(godwit, plan, 4) if one["code"] == "G114"]
        assert [one["server"] for one in other] == ["source"]
        if kind == "self_hosted":
            assert "nothing on the server points to it" in other[0]["message"]
            return
        assert f"looks like {kind} ({evidence})" in other[0]["message"]
        with source.database.connect() as connection:
            connection.execute("SELECT FROM pg_proc")
            for name in source.print.settings:
                connection.execute(f"ALTER DATABASE {source.database.name} RESET {name}")
            connection.execute("DROP SCHEMA IF EXISTS aiven_extras CASCADE")
            connection.execute("DROP FUNCTION IF EXISTS public.aurora_version()")
        plan.change(source={"kind": "self_hosted"})
        guess = [one for one in check(godwit, plan, 4) if one["code"] == "G114"]
        assert [one["severity"] for one in guess] == ["info"] and "may be" in guess[0]["message"]
    finally:
        target.drop()
        source.forget()


def test_what_is_the_providers_stays_behind(clusters, tmp_path, godwit):
    """Supabase's schemas, event triggers and roles' tables are left out; auth when it is named."""
    source = Profile("supabase", harness.Database.create(clusters("pg16"), prefix="supa"))
    target = harness.Database.create(clusters("pg17"), prefix="plain")
    source.database.execute("""
        CREATE TABLE public.profile (id int PRIMARY KEY REFERENCES auth.users, name text);
        CREATE TABLE public.inner_works (id int PRIMARY KEY);
        ALTER TABLE public.inner_works OWNER TO supabase_admin;
        CREATE VIEW public.feed AS SELECT id FROM realtime.messages;
        INSERT INTO auth.users VALUES (1, 'a'); INSERT INTO public.profile VALUES (1, 'A')""")
    plan = harness.Plan.write(tmp_path / "plan.yaml", source.database, target,
                              {"source": {"kind": "supabase"}, "select": {"schemas": ["~.*"]}})
    try:
        told = godwit("plan", plan, "--format", "sql", code=0)
        for line in ("schema realtime is left out: Supabase's own", "schema auth is left out",
                     "public.inner_works is left out: it belongs to supabase_admin",
                     "view public.feed is left out", "foreign key"):
            assert line in told.err, f"{line}\n{told.err}"
        assert "public.profile needs" not in told.err
        assert "event trigger" not in told.err
        plan.change(select={"schemas": ["public", "auth"]})
        godwit("apply", plan, code=0)
        assert target.query("SELECT mail FROM auth.users") == [("a",)]
        assert target.query("SELECT conname FROM pg_constraint WHERE contype = 'f'"
                            " AND connamespace = 'public'::regnamespace") == [("profile_id_fkey",)]
        assert target.value("SELECT to_regclass('public.inner_works') IS NULL AND"
                            " to_regnamespace('realtime') IS NULL")
        assert target.value("SELECT count(*) FROM pg_event_trigger") == 0
        godwit("cleanup", plan, "--yes", code=0)
    finally:
        target.drop()
        source.forget()


def test_grants_without_reading(source, target, plan, godwit):
    """Offline the SQL finds out by itself: run by a superuser, nothing is missing; the drop leaves nothing,
    and gives the databases back."""
    for one in (source, target):
        one.execute(f"CREATE ROLE own_{one.name}; ALTER DATABASE {one.name} OWNER TO postgres")
    odd = "\"Odd 'one\""
    source.execute(f"CREATE SCHEMA {odd} AUTHORIZATION own_{source.name}; CREATE TABLE {odd}.t (id int PRIMARY KEY);"
                   f"ALTER TABLE {odd}.t OWNER TO own_{source.name}; CREATE TABLE {odd}.other (id int PRIMARY KEY)")
    mine = plan(select={"schemas": None, "tables": ["~Odd 'one\\.t"]})
    grants = godwit("grants", mine, "--format", "json", code=0).json()
    text = godwit("grants", mine, code=0).out
    roles = "SELECT rolname FROM pg_roles WHERE rolname LIKE %s ORDER BY 1", (f"godwit\\_{mine.keys['name']}\\_%",)
    for side, one in (("source", source), ("target", target)):
        assert all(statement in text for statement in grants[side]["make"] + grants[side]["drop"])
        one.psql(text)  # run as it is, it does nothing
        assert one.query(*roles) == []
        one.psql(f"\\set make_{side} 1\n{text}")
        assert one.query(*roles) == [(grants[side]["role"],)]
        mine.env[side.upper()] = one.conninfo(user=grants[side]["role"])
    assert [one for one in check(godwit, mine) if one["severity"] == "error"] == []
    assert refused(mine.env["SOURCE"], "CREATE ROLE more")
    assert godwit("grants", mine, "--connect", "--format", "json", code=0).json()["source"]["role"]
    for side, one in (("source", source), ("target", target)):
        one.psql(f"\\set drop_{side} 1\n{text}")
        assert one.query("SELECT FROM pg_roles WHERE rolname = %s", (grants[side]["role"],)) == []
        assert one.value("SELECT pg_get_userbyid(datdba) FROM pg_database"
                         " WHERE datname = current_database()") == "postgres"
        one.execute(f"DROP OWNED BY own_{one.name} CASCADE; DROP ROLE own_{one.name}")
