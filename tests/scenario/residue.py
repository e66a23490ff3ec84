"""What a run could leave behind on a server: read before and after, compared whole.

    before = residue.fingerprint(source)
    ... apply, kill, cleanup ...
    residue.assert_none(source, before)
"""
import time

PARTS = {
    "slots": "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()",
    "publications": "SELECT p.pubname, p.puballtables, pg_describe_object(r.classid, r.objid, r.objsubid)"
                    "  FROM pg_publication AS p"
                    "  LEFT JOIN pg_depend AS r ON r.refclassid = 'pg_publication'::regclass AND r.refobjid = p.oid",
    "subscriptions": "SELECT subname FROM pg_stat_subscription WHERE subname LIKE 'godwit%%'",
    "origins": "SELECT roname FROM pg_replication_origin WHERE roname LIKE 'godwit%%'",
    "schemas": "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'",
    "relations": "SELECT c.oid::regclass::text, c.relkind, c.relreplident, c.reloptions::text, c.relacl::text,"
                 "       c.relowner::regrole::text, c.relhastriggers, c.relrowsecurity"
                 "  FROM pg_class AS c WHERE c.relnamespace <> 'pg_catalog'::regnamespace AND c.relpersistence <> 't'"
                 "   AND NOT c.relisshared",
    "columns": "SELECT a.attrelid::regclass::text, a.attname::text, a.atttypid::regtype::text, a.attnotnull,"
               "       a.attoptions::text, pg_get_expr(d.adbin, d.adrelid)"
               "  FROM pg_attribute AS a"
               "  LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
               "  JOIN pg_class AS c ON c.oid = a.attrelid"
               " WHERE a.attnum > 0 AND c.relnamespace <> 'pg_catalog'::regnamespace AND c.relpersistence <> 't'",
    "indexes": "SELECT indexrelid::regclass::text, indisreplident, indisvalid, indisclustered FROM pg_index",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint",
    "triggers": "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal",
    "event triggers": "SELECT evtname, evtenabled FROM pg_event_trigger",
    "functions": "SELECT oid::regprocedure::text, proacl::text FROM pg_proc WHERE oid >= 16384",
    "types": "SELECT oid::regtype::text FROM pg_type WHERE oid >= 16384 AND typnamespace::regnamespace::text"
             " NOT LIKE 'pg_%%temp_%%'",
    "roles": "SELECT rolname, rolconfig::text FROM pg_roles WHERE rolname LIKE '%%godwit%%'",
    "settings": "SELECT setrole::regrole::text, setconfig::text FROM pg_db_role_setting"
                " WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))",
    "database": "SELECT datacl::text, datconnlimit, datallowconn FROM pg_database WHERE datname = current_database()",
    "default privileges": "SELECT defaclrole::regrole::text, defaclobjtype, defaclacl::text FROM pg_default_acl",
    "comments": "SELECT objoid::text, description FROM pg_description WHERE description LIKE '%%godwit%%'",
    "prepared": "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()",
    "extensions": "SELECT extname FROM pg_extension",
    "large objects": "SELECT count(*)::text FROM pg_largeobject_metadata",
}

SESSIONS = ("SELECT pid, application_name, state, query FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'godwit %%'")


def fingerprint(database):
    """What stands on it, by part."""
    return {part: sorted(map(str, database.query(statement))) for part, statement in PARTS.items()}


def assert_none(database, before, but=()):
    """Nothing came and nothing went, but for these parts; no session of the engine is left, and so no lock."""
    now = fingerprint(database)
    different = {part: (sorted(set(before[part]) - set(now[part])), sorted(set(now[part]) - set(before[part])))
                 for part in PARTS if part not in but and before[part] != now[part]}
    assert not different, f"gone, left behind: {different}"
    end = time.monotonic() + 30
    while database.query(SESSIONS):
        assert time.monotonic() < end, database.query(SESSIONS)
        time.sleep(0.2)
