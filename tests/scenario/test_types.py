"""Every common built-in type, at its extremes, through copy, stream, apply and verification.

Each type has tables of its own: v_* (values under an integer key), k_* (the type itself is the key), f_*
(no key, replica identity full), b_* (hundreds of rows, changed at once, the type in the key where it
can be). What the source holds at the start is copied; then rows are inserted,
updated, rekeyed and deleted while the engine replicates; then the run cuts over.
"""
import re

import pytest

import harness

USER_TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'o''k', 'Über froh, "sehr"');
CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
CREATE DOMAIN words AS text[] CHECK (array_length(VALUE, 1) < 10);
CREATE TYPE pair AS (a int, b text);
CREATE TYPE span AS RANGE (subtype = float8);
"""

BYTES = "\\x" + bytes(range(256)).hex()
LONG = "x" * 3000 + "é" * 3000

TYPES = {
    "boolean": ["t", "f"],
    "smallint": ["-32768", "0", "32767"],
    "integer": ["-2147483648", "0", "2147483647"],
    "bigint": ["-9223372036854775808", "4294967297", "0", "9223372036854775807"],
    "real": ["NaN", "Infinity", "-Infinity", "-0", "3.4028235e38", "1e-45", "0.1", "16777217"],
    "double precision": ["NaN", "Infinity", "-Infinity", "-0", "1.7976931348623157e308", "5e-324",
                         "0.30000000000000004", "9007199254740993"],
    "numeric": ["NaN", "Infinity", "-Infinity", "0", "0.000", "1.10", "-1e500", "1e-500",
                "123456789012345678901234567890.123456789012345678901234567890"],
    "numeric(20,5)": ["999999999999999.99999", "-0.00001", "NaN"],
    "money": ["-92233720368547758.08", "0", "92233720368547758.07"],
    "character(5)": ["", "a", "a b", "üüüüü"],
    "character varying(3000)": ["", " ", "\\N", "é" * 3000],
    "text": ["", " ", "\\", "\\N", "\\.", "NULL", "a\tb\nc\rd\ve\ff\bg", "'\"(),{}", "\u0085\u00a0\u2028",
             "𝄞 👩‍👩‍👧", "\x01\x7f", LONG],
    "name": ["", "a name", "n" * 63],
    '"char"': ["a", "", "Z"],
    "bytea": ["", "\\x00", BYTES, "\\x" + "ab" * 9000],
    "date": ["-infinity", "infinity", "4713-01-01 BC", "5874897-12-31", "2000-01-01", "1999-12-31"],
    "time": ["00:00:00", "24:00:00", "23:59:59.999999"],
    "timetz": ["00:00:00+15:59", "24:00:00-15:59", "12:00:00.000001+05:30:15"],
    "timestamp": ["-infinity", "infinity", "4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999",
                  "2000-01-01", "1999-12-31 23:59:59.999999"],
    "timestamp(0)": ["2026-01-01 00:00:00.6", "infinity"],
    "timestamptz": ["-infinity", "infinity", "4713-01-01 00:00:00+00 BC",
                    "294276-12-31 23:59:59.999999+00", "2026-03-29 02:30:00+01", "1901-01-01 00:00-04:56"],
    "interval": ["178000000 years", "-178000000 years", "1 mon", "30 days", "720:00:00",
                 "-1 mon +1 day -00:00:00.000001", "00:00:00", "876000:00:00.000001"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "inet": ["0.0.0.0/0", "255.255.255.255", "10.1.2.3/8", "::/0", "2001:db8::1/127", "::ffff:1.2.3.4"],
    "cidr": ["0.0.0.0/0", "10.0.0.0/8", "2001:db8::/32"],
    "macaddr": ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"],
    "macaddr8": ["00:00:00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff:ff:fe"],
    "bit(11)": ["00000000000", "11111111111", "10000000001"],
    "bit varying": ["", "0", "101010101", "1" * 100],
    "json": ['{"a": 1, "a":  2}', "null", " [1 , 2] ", '"\\u0000"', "1.00", '{"b":1,"a":2}'],
    "jsonb": ["null", "{}", '{"b": [1.0, 1.00, null, true, "\\u00e9\\n"], "": {"": ""}}', "1e400",
              '"' + "j" * 3000 + '"'],
    "jsonpath": ["$", '$.a[*] ? (@.b == "x" && @.c > 1)', "lax $.**{2 to last}.size()"],
    "xml": ["<a/>", "<?xml version=\"1.0\" standalone=\"yes\"?><a b=\"c\">&lt;é</a>", "text <b>and</b> more", ""],
    "point": ["(0,-0)", "(1e308,-5e-324)", "(Infinity,NaN)"],
    "line": ["{1,2,3}", "{-1e-100,0.1,0}"],
    "lseg": ["[(0,0),(0.1,0.3)]", "[(1e300,-1e300),(2,2)]"],
    "box": ["(1,1),(0,0)", "(0.1,Infinity),(-Infinity,0)"],
    "path": ["((0,0),(1,0.1))", "[(0,0),(1,1),(2,0)]"],
    "polygon": ["((0,0),(1,0),(0.1,0.3))"],
    "circle": ["<(0,0),0>", "<(0.1,1e100),3.3>"],
    "tsvector": ["", "'a':1A,2B 'fat' 'it''s':16383", "'\\\\':1"],
    "tsquery": ["", "'a' & !'b' | 'c':*AB", "'x' <2> 'y'"],
    "int4range": ["empty", "(,)", "[1,5)", "[2147483646,2147483647)"],
    "int8range": ["empty", "[-9223372036854775808,0)", "(,9223372036854775807)"],
    "numrange": ["empty", "[1.0,1.00]", "(NaN,)", "(-1e100,1e100]"],
    "tsrange": ["empty", "[-infinity,infinity]", "(\"2026-01-01 00:00:00.000001\",)"],
    "tstzrange": ["empty", "[\"2026-01-01 00:00+00\",infinity)"],
    "daterange": ["empty", "[2026-01-01,2026-01-02)", "(,infinity)"],
    "int4multirange": ["{}", "{[1,2),[5,9)}", "{(,1),[3,)}"],
    "nummultirange": ["{}", "{[1.0,2.00)}"],
    "oid": ["0", "4294967295"],
    "regclass": ["pg_class", "public.anchor"],
    "regtype": ["integer", "public.mood", "double precision[]"],
    "regproc": ["now"],
    "xid8": ["0", "18446744073709551615"],
    "pg_lsn": ["0/0", "FFFFFFFF/FFFFFFFF", "16/B374D848"],
    "pg_snapshot": ["10:20:10,14,15"],
    "tid": ["(0,1)", "(4294967295,65535)"],
    "integer[]": ["{}", "{NULL}", "{1,-2147483648,NULL}", "[0:1]={1,2}", "{{1,2},{3,4}}",
                  "[-1:0][5:6]={{1,2},{3,4}}"],
    "text[]": ["{}", '{"",NULL,"NULL","null"}', '{"a\\"b","c\\\\d","{e}","f,g"," h "}'],
    "bytea[]": ['{"\\\\x00ff",NULL,"\\\\x"}'],
    "double precision[]": ["{NaN,-Infinity,-0,0.30000000000000004}", "{5e-324,NULL}"],
    "numeric[]": ["{NaN,1.10,NULL}"],
    "boolean[]": ["{t,f,NULL}"],
    "timestamptz[]": ["{infinity,\"2026-01-01 00:00+00\",NULL}"],
    "uuid[]": ["{00000000-0000-0000-0000-000000000001}"],
    "jsonb[]": ['{"{\\"a\\": [1]}",NULL,"null"}'],
    "mood": ["sad", "o'k", "Über froh, \"sehr\""],
    "mood[]": ["{}", "{sad,NULL,\"Über froh, \\\"sehr\\\"\"}"],
    "positive": ["1", "9223372036854775807"],
    "words": ["{}", "{a,NULL,\"b c\"}"],
    "pair": ["(,)", "(1,\"\")", "(-1,\"a\"\"b,\\\\\")"],
    "pair[]": ["{}", '{"(1,x)",NULL,"(,)"}'],
    "span": ["empty", "[0.1,0.30000000000000004)", "(-Infinity,NaN]"],
}
NEVER_EQUAL = {"json", "xml", "point", "box", "line", "lseg", "path", "polygon", "circle", "jsonpath",
               "pg_snapshot", "int2vector", "boolean[]"}
NO_KEY = NEVER_EQUAL | {"tsquery", "regclass", "regtype", "regproc", "words"}
# equal to another value of the list, so that both cannot be keys
SAME_KEY = {("numeric", "0.000"), ("interval", "30 days"), ("interval", "720:00:00")}

# What the stream takes as binary values, and which of it may be in a key then. Any other column makes it all text.
BINARY = {"boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric", "numeric(20,5)", "money",
          "character(5)", "character varying(3000)", "text", "name", '"char"', "bytea", "date", "time", "timetz",
          "timestamp", "timestamp(0)", "timestamptz", "uuid", "inet", "cidr", "macaddr", "macaddr8", "bit(11)",
          "bit varying", "json", "jsonb", "point", "line", "lseg", "box", "path", "polygon", "circle", "tsvector",
          "oid", "xid8", "pg_lsn", "integer[]", "text[]", "bytea[]", "double precision[]", "numeric[]", "boolean[]",
          "timestamptz[]", "uuid[]", "jsonb[]"}
BINARY_KEYS = {"boolean", "smallint", "integer", "bigint", "character(5)", "character varying(3000)", "text", "name",
               "date", "timestamp", "timestamp(0)", "timestamptz", "uuid", "oid"}

# Not in every server: built without libxml.
MAY_LACK = {"xml"}


def names(type_name):
    """The tables of a type."""
    plain = re.sub(r"[^a-z0-9]+", "_", type_name.lower().replace("[]", "_array")).strip("_")
    return f"v_{plain}", f"k_{plain}", f"f_{plain}", f"b_{plain}"


def keys_of(type_name):
    """Values that may stand together in a key column."""
    values = [one for one in TYPES[type_name] if (type_name, one) not in SAME_KEY]
    return [one for one in values if len(one) < 1000]


def can_be_key(type_name, binary):
    """Whether a key may have a column of the type."""
    return type_name in BINARY_KEYS if binary else type_name not in NO_KEY


def has_key(type_name, binary):
    """Whether the type can be a primary key, with values to spare."""
    return can_be_key(type_name, binary) and len(keys_of(type_name)) >= 2


def fill(connection, type_name, binary=False):
    """Make a type's tables and their first rows."""
    value, key, full, bulk = names(type_name)
    connection.execute(f"CREATE TABLE {value} (id int PRIMARY KEY, v {type_name})")
    connection.execute(f"CREATE TABLE {full} (v {type_name}, n int); "
                       f"ALTER TABLE {full} REPLICA IDENTITY FULL")
    for number, one in enumerate([None, *TYPES[type_name]]):
        connection.execute(f"INSERT INTO {value} VALUES (%s, %s::text::{type_name})", (number, one))
        connection.execute(f"INSERT INTO {full} VALUES (%s::text::{type_name}, %s)", (one, number // 2))
    if has_key(type_name, binary):
        connection.execute(f"CREATE TABLE {key} (k {type_name} PRIMARY KEY, n int)")
        for number, one in enumerate(keys_of(type_name)[:-1]):
            connection.execute(f"INSERT INTO {key} VALUES (%s::text::{type_name}, %s)", (one, number))
    key_columns = "id, v" if can_be_key(type_name, binary) else "id"
    connection.execute(
        f"CREATE TABLE {bulk} (id int, v {type_name}, w {type_name}, n int, PRIMARY KEY ({key_columns}))")
    connection.execute(
        f"INSERT INTO {bulk} SELECT i, a.v, b.v, i FROM generate_series(1, 300) AS i"
        f" JOIN {value} AS a ON a.id = 1 + i % {len(TYPES[type_name])}"
        f" JOIN {value} AS b ON b.id = i % {len(TYPES[type_name]) + 1}")


def change(connection, type_name, binary):
    """Write to a type's tables while the engine replicates."""
    value, key, full, bulk = names(type_name)
    count = len(TYPES[type_name]) + 1
    connection.execute(f"INSERT INTO {value} SELECT id + 1000, v FROM {value}")
    connection.execute(f"UPDATE {value} AS a SET v = b.v FROM {value} AS b"
                       f" WHERE a.id < {count} AND b.id = (a.id + 1) % {count} + 1000")
    connection.execute(f"DELETE FROM {value} WHERE id = 1001")
    connection.execute(f"INSERT INTO {full} SELECT * FROM {full}")
    connection.execute(f"DELETE FROM {full} WHERE ctid IN (SELECT min(ctid) FROM {full} GROUP BY n)")
    connection.execute(f"UPDATE {full} SET n = n + 100 WHERE ctid IN"
                       f" (SELECT max(ctid) FROM {full} GROUP BY n)")
    connection.execute(f"UPDATE {bulk} SET n = -n WHERE id > 100")
    connection.execute(f"UPDATE {bulk} AS a SET w = b.v FROM {value} AS b"
                       f" WHERE a.id > 50 AND b.id = (a.id + 1) % {count} + 1000")
    connection.execute(f"DELETE FROM {bulk} WHERE id % 4 = 0")
    if has_key(type_name, binary):
        values = keys_of(type_name)
        connection.execute(f"INSERT INTO {key} VALUES (%s::text::{type_name}, -1)", (values[-1],))
        connection.execute(f"DELETE FROM {key} WHERE k = %s::text::{type_name}", (values[0],))
        connection.execute(f"UPDATE {key} SET k = %s::text::{type_name}, n = -2"
                           f" WHERE k = %s::text::{type_name}", (values[0], values[-1]))
        connection.execute(f"UPDATE {key} SET n = n + 7")


def supported(database, type_name):
    """Whether this server takes the type's values; only a few types may be lacking."""
    try:
        database.value(f"SELECT count(%s::text::{type_name})", [TYPES[type_name][0]])
        return True
    except Exception:  # pylint: disable=broad-except
        if type_name not in MAY_LACK:
            raise
        return False


@pytest.mark.parametrize("majors, copy_format, binary", [
    (("pg15", "pg17"), "auto", True), (("pg15", "pg17"), "text", False), (("pg14", "pg18"), "auto", False)],
    ids=["15-17-binary", "15-17-text", "14-18"])
def test_anchor_09_every_type(database, plan, godwit, majors, copy_format, binary):  # pylint: disable=R0913,R0917
    """Extremes of every type arrive as they were, by binary and by text copy, inserted, updated,
    rekeyed and deleted in the stream, as text and (those that may be) as binary values, with and
    without a key; verify agrees with an independent comparison."""
    source, target = (database(flavor) for flavor in majors)
    source.execute(USER_TYPES)
    source.execute("CREATE TABLE anchor (id int PRIMARY KEY)")
    with target_like(target) as there:
        types = [one for one in TYPES if supported(source, one) and supported(there, one)]
    types = [one for one in types if one in BINARY] if binary else types
    with source.connect() as connection, connection.transaction():
        for one in types:
            fill(connection, one, binary)
    file = plan(source, target, copy={"format": copy_format}, cutover={"approval": {"required": True}},
                replication={"heartbeat": "1s"})
    engine = godwit.start("apply", file)
    engine.wait_for("waiting for an approval", timeout=170)
    with source.connect() as connection:
        for one in types:
            change(connection, one, binary)
    godwit("verify", file, code=0)
    godwit("approve", file, code=0)
    engine.wait(timeout=170, code=0)
    assert ("values come in binary form" in engine.err) == binary
    found = harness.assert_same(source, target)
    assert found.tables >= 2 * len(types)


def target_like(target):
    """The target with the user's types in a schema of its own search path, to try values on."""
    return _WithTypes(target)


class _WithTypes:
    """Answers value() in a transaction that has the user's types and is rolled back."""

    def __init__(self, database):
        self._connection = database.connect(autocommit=False)

    def __enter__(self):
        self._connection.execute(USER_TYPES + "CREATE TABLE anchor (id int PRIMARY KEY)")
        return self

    def __exit__(self, *_):
        self._connection.rollback()
        self._connection.close()

    def value(self, statement, params):
        """One value."""
        with self._connection.transaction():  # a savepoint: a type that is lacking is no end
            return self._connection.execute(statement, params).fetchone()[0]


@pytest.mark.parametrize("majors", [("pg15", "pg17"), ("pg14", "pg18")], ids=["15-17", "14-18"])
def test_no_two_values_look_alike(database, plan, godwit, majors):
    """Equal tables of every type verify as equal between majors; when each row on the target holds
    the next of its type's values, NULL among them, every row is found to differ."""
    sides = [database(flavor) for flavor in majors]
    for side in sides:
        side.execute(USER_TYPES)
        side.execute("CREATE TABLE anchor (id int PRIMARY KEY)")
        with side.connect() as connection, connection.transaction():
            for one in TYPES:
                fill(connection, one)
    file = plan(*sides)
    godwit("verify", file, code=0)
    with sides[1].connect() as connection:
        for one in TYPES:
            value = names(one)[0]
            count = len(TYPES[one]) + 1
            connection.execute(f"UPDATE {value} AS a SET v = b.v FROM {value} AS b"
                               f" WHERE b.id = (a.id + 1) % {count}")
    found = godwit("verify", file, "--format", "json", code=9).json()
    counts = {one["relation"]: one["differences"] for one in found["relations"] if one["differences"]}
    assert counts == {f"public.{names(one)[0]}": len(TYPES[one]) + 1 for one in TYPES}


def test_keys_of_extension_types(source, target, plan, godwit):
    """Keys whose equality lies in an extension's schema: rows are found by the type's own operator
    and its index, in apply and in live verification."""
    source.execute(
        "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION ltree SCHEMA ext;"
        "CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION cube SCHEMA ext;"
        "CREATE TABLE c (k ext.citext PRIMARY KEY, v int, h ext.hstore);"
        "INSERT INTO c SELECT 'Key ' || i, i, 'a=>1'::ext.hstore FROM generate_series(1, 5000) AS i;"
        "CREATE TABLE l (k ext.ltree PRIMARY KEY, v int);"
        "INSERT INTO l SELECT ('a.b' || i)::ext.ltree, i FROM generate_series(1, 500) AS i;"
        "CREATE TABLE q (k ext.cube PRIMARY KEY, v int, many ext.cube[]);"
        "INSERT INTO q VALUES ('()', 1, NULL), ('(0,-0)', 2, '{}'), "
        "('(1e308,5e-324),(-1e308,0.1)', 3, '{NULL,\"(1)\"}'),"
        "('(NaN,Infinity),(-Infinity,0.30000000000000004)', 4, '{\"(1,2),(3,4)\"}')")
    file = plan(cutover={"approval": {"required": True}}, replication={"heartbeat": "1s"})
    engine = godwit.start("apply", file)
    engine.wait_for("waiting for an approval", timeout=120)
    source.execute(
        "SET search_path = public, ext; UPDATE c SET v = -v, h = NULL; DELETE FROM c WHERE k = 'KEY 7';"
        "UPDATE c SET k = 'KEY 5' WHERE k = 'key 5'; INSERT INTO c VALUES ('new', 0, 'b=>NULL');"
        "DELETE FROM l WHERE k = 'a.b3'; UPDATE l SET k = 'x.y' WHERE k = 'a.b4'; UPDATE l SET v = v + 1;"
        "UPDATE q SET k = '(7),(8)', many = array_append(many, k) WHERE v = 1; UPDATE q SET v = -v;"
        "DELETE FROM q WHERE k = '(0,0)'; INSERT INTO q SELECT k, 0, ARRAY[k] FROM q WHERE v = -9;"
        "INSERT INTO q SELECT ext.cube(ARRAY(SELECT i / 3.0::float8 FROM generate_series(1, 100) AS i)), 9, NULL")
    godwit("verify", file, code=0)
    target.execute("SET session_replication_role = replica; SET search_path = public, ext;"
                   "UPDATE c SET v = 0 WHERE k = 'key 9'; DELETE FROM l WHERE k = 'a.b9'")
    found = godwit("verify", file, "--format", "json", code=9).json()
    rows = {one["relation"]: one["rows"] for one in found["relations"]}
    assert rows["public.c"] == ["not the same: (k)=(Key 9)"]
    assert rows["public.l"] == ["missing on the target: (k)=(a.b9)"]
    target.execute("SET session_replication_role = replica; SET search_path = public, ext;"
                   "UPDATE c SET v = -9 WHERE k = 'key 9'; INSERT INTO l VALUES ('a.b9', 10)")
    godwit("approve", file, code=0)
    engine.wait(timeout=120, code=0)
    harness.assert_same(source, target)
