"""Random schemas and random transactions, both made again by their seed.

    world = World(random.Random(7), schemas=10)     # nothing but names and text so far
    source.execute(world.ddl())
    traffic = Traffic(world, source, seed=7)        # begins to write
    ... migrate ...
    traffic.stop()

A world is some schemas with one to three tables each: every kind of replica identity, partitions, generated and
identity columns, further unique keys, foreign keys, odd names. Traffic is a few sessions whose transactions are
interleaved: one thread takes one step of one of them at a time, so that they begin and commit in different orders.
What a step comes to is left to the source; who compares the two databases afterwards sees whether they are the same.
"""
import collections
import random
import threading
import time

import psycopg

NAMES = ["t", "order", "Upper Case", "quo\"te", "apo'strophe", "back\\slash", "percent%s", "new\nline", "ünïcödé",
         "日本", "semi;colon", "dots.in.it", "$dollar$", "x" * 63, "-- comment",
         "tab\tbed", "select", "a,b(c)", "~tilde", "{brace}"]
TEXTS = ["", "plain", "it's", "back\\slash", "\\N", "null", "NULL", "line\nbreak", "tab\tand\rreturn",
         "\"quoted\"", "{a,b}",
         "ünïcödé", "日本語", "🦫", " leading", "trailing ", "\\x41", "%s",
         "unchanged-toast-datum", "\x01\x7f"]


def literal(text):
    """A text as a literal that does not depend on any setting."""
    if "\\" in text:
        return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return "'" + text.replace("'", "''") + "'"


def quoted(name):
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def _pick(*choices):
    return lambda rng: rng.choice(choices)


def _text(rng):
    return literal(rng.choice(TEXTS) + rng.choice(["", str(rng.randrange(100))]))


def _large(rng):
    size = rng.choice([1, 30, 100, 400])
    return f"(SELECT string_agg(md5({rng.randrange(10**6)}::text || i), '') FROM generate_series(1, {size}) AS i)"


def _numeric(rng):
    return rng.choice(["'NaN'", "0", "0.00", "-1.50", "1e-20", "1" * 40 + ".5",
                       str(rng.randrange(-10**6, 10**6) / 100)])


def _float(rng):
    return rng.choice(["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "1e300", "0.1", repr(rng.random())]) + "::float8"


def _timestamp(rng):
    return rng.choice(["'infinity'", "'-infinity'", "'0044-03-15 12:00:00 BC'", "'2026-02-28 23:59:59.999999'",
                       f"('2020-01-01'::timestamp + {rng.randrange(10**6)} * interval '1.001 minute')"]) + "::timestamp"


# type: how a value of it is made. The lists are not complete; what types there are is another test's matter.
VALUES = {
    "int": lambda rng: str(rng.randrange(-50, 50)),
    "bigint": lambda rng: str(rng.choice([-2**62, 2**62, rng.randrange(10**9)])),
    "smallint": lambda rng: str(rng.randrange(-32768, 32767)),
    "numeric": _numeric,
    "numeric(12,3)": lambda rng: str(rng.randrange(10**6) / 1000),
    "text": _text,
    "varchar(40)": _text,
    "char(8)": lambda rng: literal(rng.choice(["", "a", "a  ", "ü"])),
    "boolean": _pick("true", "false"),
    "date": _pick("'infinity'", "'2026-02-28'", "'0001-01-01 BC'", "'1999-12-31'"),
    "timestamp": _timestamp,
    "timestamptz": lambda rng: f"'2026-03-29 00:30+01'::timestamptz + {rng.randrange(10**5)} * interval '7.5 seconds'",
    "interval": _pick("'1 mon -1 day 00:00:00.1'", "'0'", "'-178000000 years'", "'36:00'"),
    "uuid": lambda rng: f"md5('{rng.randrange(10**6)}')::uuid",
    "bytea": lambda rng: rng.choice(["''", f"decode(md5('{rng.random()}'), 'hex')", "'\\x00ff00'"]) + "::bytea",
    "json": _pick("'{\"b\": 1, \"a\": 1, \"a\": 2}'", "'null'", "'[1.00, \"\\u00e9\"]'"),
    "jsonb": _pick("'{\"b\": 1, \"a\": [1.00, null]}'", "'null'", "'\"text\"'"),
    "float8": _float,
    "real": _pick("'NaN'", "0.1", "3.4e38", "1e-40"),
    "int[]": _pick("'{}'", "'{1,NULL,3}'", "'{{1,2},{3,4}}'", "'[2:3]={7,8}'"),
    "text[]": _pick("'{}'", "'{\"null\",NULL,\"\"}'", "ARRAY['a,b', E'c\\\\d', '\"']"),
    "inet": _pick("'192.168.1.5/24'", "'::1'", "'10.0.0.0/8'"),
    "bit(5)": _pick("B'10101'", "B'00000'"),
    "int4range": _pick("'empty'", "'[1,5)'", "'(,3]'", "'(,)'"),
    "point": _pick("'(1,2)'", "'(0.1,-0)'"),
    "tsvector": _pick("'a:1 b:2A'", "''"),
}
KEYS = {
    "int": str,
    "bigint": str,
    "text": lambda n: literal(f"k{n}"),
    "uuid": lambda n: f"md5('{n}')::uuid",
    "timestamptz": lambda n: f"'2026-01-01'::timestamptz + {n} * interval '1 hour'",
    "numeric": lambda n: f"{n}.50",
}
KEY_SPACE = 60


class Column:
    """A column with values of its own."""

    def __init__(self, rng, name, kinds):
        self.name = quoted(name)
        self.kind = rng.choice(sorted(kinds))
        self.large = self.kind == "text" and rng.random() < 0.5
        self.values = kinds[self.kind]
        self.not_null = rng.random() < 0.2
        self.external = self.large and rng.random() < 0.5

    def value(self, rng):
        """A random value, as SQL."""
        if not self.not_null and rng.random() < 0.15:
            return "NULL"
        return _large(rng) if self.large else self.values(rng)


class Table:
    """One table: its structure, and statements that change it."""

    def __init__(self, rng, schema, name, kinds, parent=None):
        self.name = f"{quoted(schema)}.{quoted(name)}"
        self.schema, self.raw = schema, name
        self.identity = rng.choices(["pk", "unique", "full", "full_pk", "none"], [5, 2, 2, 1, 1])[0]
        key_names = rng.sample(["id", "Key", "k\"2", "tag"], rng.choice([1, 1, 2]))
        self.keys = [(quoted(key), rng.choice(sorted(KEYS))) for key in key_names]
        self.keyed = self.identity in ("pk", "unique", "full_pk")
        self.columns = [Column(rng, f"{rng.choice(['c', 'C', 'ö', 'c ', 'c%'])}{number}", kinds)
                        for number in range(rng.randrange(0, 6))]
        self.partitions = self.keyed and rng.random() < 0.25
        if self.partitions:
            self.keys[0] = (self.keys[0][0], "int")
        self.generated = rng.random() < 0.3
        self.numbered = "" if self.partitions else rng.choice(
            ["", "", "bigserial", "int GENERATED ALWAYS AS IDENTITY", "bigint GENERATED BY DEFAULT AS IDENTITY"])
        self.second = rng.choice(["", "", "UNIQUE", "UNIQUE DEFERRABLE INITIALLY DEFERRED"]) \
            if self.keyed and not self.partitions else ""
        self.parent = parent
        self.on_delete = rng.choice(["CASCADE", "SET NULL", "NO ACTION"])
        self.rows = rng.choice([0, 3, 20, 200, 2000] if self.keyed else [0, 3, 20, 100])  # keyless: a scan a change
        self.index = rng.random() < 0.5
        self.comment = rng.random() < 0.3

    # ---- structure ------------------------------------------------------------------------------

    def _columns(self):
        lines = [f"{name} {kind} NOT NULL" if self.keyed else f"{name} {kind}" for name, kind in self.keys]
        lines += [f"{c.name} {c.kind}{' NOT NULL' if c.not_null else ''}" for c in self.columns]
        lines.append("number int")
        if self.generated:
            lines.append("generated int GENERATED ALWAYS AS (number * 2) STORED")
        if self.numbered:
            lines.append(f'"No" {self.numbered}')
        if self.second:
            lines.append(f"second int {self.second}")
        if self.parent:
            lines.append(f"parent {self.parent.keys[0][1]} REFERENCES {self.parent.name} ON DELETE {self.on_delete}")
        if self.identity in ("pk", "full_pk"):
            lines.append(f"PRIMARY KEY ({', '.join(name for name, _ in self.keys)})")
        return lines

    def ddl(self, rng):
        """Statements that make it, with its first rows."""
        how = rng.choice(["HASH", "RANGE"]) if self.partitions else ""
        tail = f" PARTITION BY {how} ({self.keys[0][0]})" if how else ""
        script = [f"CREATE TABLE {self.name} (\n  " + ",\n  ".join(self._columns()) + f"){tail}"]
        script += self._partition_ddl(how)
        for column in self.columns:
            if column.external:
                script.append(f"ALTER TABLE {self.name} ALTER {column.name} SET STORAGE EXTERNAL")
        if self.identity == "unique":
            index = quoted(f"{self.schema[:20]} {self.raw[:20]} uq")
            script.append(f"CREATE UNIQUE INDEX {index} ON {self.name} ({', '.join(name for name, _ in self.keys)})")
            if not self.partitions:
                script.append(f"ALTER TABLE {self.name} REPLICA IDENTITY USING INDEX {index}")
        elif self.identity in ("full", "full_pk"):
            script += [f"ALTER TABLE {leaf} REPLICA IDENTITY FULL" for leaf in [self.name, *self._leaves()]]
        if self.index:
            script.append(f"CREATE INDEX ON {self.name} (number)")
        if self.comment:
            script.append(f"COMMENT ON TABLE {self.name} IS 'it''s'")
        script.append(self._first_rows(rng))
        return script

    def _leaves(self):
        return [f"{quoted(self.schema)}.{quoted(self.raw[:50] + f' p{part}')}" for part in range(3)] \
            if self.partitions else []

    def _partition_ddl(self, how):
        bounds = ["FROM (MINVALUE) TO (20)", "FROM (20) TO (40)", "FROM (40) TO (MAXVALUE)"] if how == "RANGE" else \
            [f"WITH (MODULUS 3, REMAINDER {part})" for part in range(3)]
        return [f"CREATE TABLE {leaf} PARTITION OF {self.name} FOR VALUES {bound}"
                for leaf, bound in zip(self._leaves(), bounds)]

    def _first_rows(self, rng):
        names = [name for name, _ in self.keys] + [c.name for c in self.columns] + ["number"]
        keys = [self._series(kind) for _, kind in self.keys]
        values = [c.value(rng) if c.large else c.values(rng) for c in self.columns]
        return (f"INSERT INTO {self.name} ({', '.join(names)}) "
                f"SELECT {', '.join([*keys, *values, 'i'])} FROM generate_series(1, {self.rows}) AS i")

    @staticmethod
    def _series(kind):
        return {"int": "i", "bigint": "i", "text": "'k' || i", "uuid": "md5(i::text)::uuid",
                "timestamptz": "'2026-01-01'::timestamptz + i * interval '1 hour'", "numeric": "i + 0.50"}[kind]

    # ---- changes --------------------------------------------------------------------------------

    def _key(self, rng, number=None):
        number = rng.randrange(KEY_SPACE) if number is None else number
        return [KEYS[kind](number) for _, kind in self.keys]

    def _where(self, rng):
        shape = rng.random()
        if shape < 0.75:
            return " AND ".join(f"{name} = {value}" for (name, _), value in zip(self.keys, self._key(rng)))
        if shape < 0.95:
            return f"number % {rng.choice([7, 11, 13])} = {rng.randrange(7)}"
        return "number IS NULL"

    def insert(self, rng):
        """Some rows, now and then many."""
        names = [name for name, _ in self.keys] + [c.name for c in self.columns] + ["number"]
        extra = []
        if self.second:
            names.append("second")
            extra.append("second")
        if self.parent:
            names.append("parent")
            extra.append("parent")
        rows = []
        for _ in range(rng.choice([1, 1, 2, 5])):
            row = self._key(rng) + [c.value(rng) for c in self.columns] + [str(rng.randrange(1000))]
            row += [str(rng.randrange(200)) if name == "second" else rng.choice(["NULL", self.parent.any_key(rng)])
                    for name in extra]
            rows.append(f"({', '.join(row)})")
        return f"INSERT INTO {self.name} ({', '.join(names)}) VALUES {', '.join(rows)}{self._in_the_way()}"

    def _in_the_way(self):
        return "" if "DEFERRABLE" in self.second else " ON CONFLICT DO NOTHING"

    def any_key(self, rng):
        """A query for a key that is there."""
        return f"(SELECT {self.keys[0][0]} FROM {self.name} ORDER BY 1 OFFSET {rng.randrange(10)} LIMIT 1)"

    def insert_many(self, rng):
        """A few hundred rows at once, over a range of keys of its own."""
        names = [name for name, _ in self.keys] + [c.name for c in self.columns] + ["number"]
        start = rng.randrange(10) * 1000 + 10000
        keys = [self._series(kind) for _, kind in self.keys]
        values = [c.values(rng) for c in self.columns]
        end = start + (rng.choice([50, 300, 900]) if self.keyed else 20)
        return (f"INSERT INTO {self.name} ({', '.join(names)}) SELECT {', '.join([*keys, *values, 'i'])} "
                f"FROM generate_series({start}, {end}) AS i{self._in_the_way()}")

    def update(self, rng):
        """Some columns of some rows; sometimes to what they are."""
        changed = rng.sample(self.columns, rng.randrange(len(self.columns) + 1))
        sets = [f"{c.name} = {rng.choice([c.name, c.value(rng)])}" for c in changed]
        sets.append(rng.choice(["number = number + 1", "number = number", f"number = {rng.randrange(1000)}"]))
        if self.second and rng.random() < 0.3:
            sets.append(f"second = {rng.choice(['NULL', str(rng.randrange(200))])}")
        return f"UPDATE {self.name} SET {', '.join(sets)} WHERE {self._where(rng)}"

    def move(self, rng):
        """Another key, over partitions as well."""
        sets = [f"{name} = {value}" for (name, _), value in zip(self.keys, self._key(rng))]
        where = " AND ".join(f"{name} = {value}" for (name, _), value in zip(self.keys, self._key(rng)))
        return f"UPDATE {self.name} SET {', '.join(sets)} WHERE {where}"

    def shift(self, rng):
        """All rows change places: keys that stand in each other's way within one statement or none."""
        name, kind = self.keys[0]
        if kind not in ("int", "bigint", "numeric"):
            return self.move(rng)
        return f"UPDATE {self.name} SET {name} = {rng.choice([59, 600])} - {name} WHERE {name} BETWEEN 0 AND 59"

    def swap(self, rng):
        """The further unique column's values change places, through NULL where the key is checked at once."""
        if not self.second:
            return self.update(rng)
        low = rng.randrange(100)
        if "DEFERRABLE" in self.second:
            return f"UPDATE {self.name} SET second = {2 * low + 20} - second WHERE second BETWEEN {low} AND {low + 20}"
        return (f"UPDATE {self.name} SET second = NULL WHERE second = {low}; "
                f"UPDATE {self.name} SET second = {low} WHERE second = {low + 1}; "
                f"UPDATE {self.name} SET second = {low + 1} WHERE number % 5 = 0 AND second IS NULL "
                f"AND {self.keys[0][0]} = (SELECT min({self.keys[0][0]}::text) FROM {self.name})::{self.keys[0][1]}")

    def delete(self, rng):
        """Some rows."""
        return f"DELETE FROM {self.name} WHERE {self._where(rng)}"

    def delete_all(self, _rng):
        """All rows, one by one."""
        return f"DELETE FROM {self.name}"

    def truncate(self, rng):
        """All rows at once, of what refers to it as well."""
        return f"TRUNCATE {self.name} {rng.choice(['', 'RESTART IDENTITY'])} CASCADE"


class World:
    """Schemas with their types and tables. counts says what it is made of."""

    def __init__(self, rng, schemas):
        self.rng = rng
        self.tables = []
        self.script = []
        self.counts = collections.Counter()
        names = rng.sample(NAMES, min(schemas, len(NAMES)))
        self.schemas = [f"{name[:55]}{number}" for number, name in enumerate(names)]
        for schema in self.schemas:
            self._fill(rng, schema)

    def _fill(self, rng, schema):
        kinds = dict(VALUES)
        self.script.append(f"CREATE SCHEMA {quoted(schema)}")
        if rng.random() < 0.5:
            prefix = quoted(schema)
            self.script += [f"CREATE TYPE {prefix}.mood AS ENUM ('sad', 'o''k', 'Hap py')",
                            f"CREATE DOMAIN {prefix}.positive AS int CHECK (VALUE > 0)",
                            f"CREATE TYPE {prefix}.pair AS (a int, b text)"]
            kinds[f"{prefix}.mood"] = _pick("'sad'", "'o''k'", "'Hap py'")
            kinds[f"{prefix}.positive"] = lambda rng: str(rng.randrange(1, 100))
            kinds[f"{prefix}.pair"] = _pick("'(1,\"a,b\")'", "'(,)'", "'(2,\"\")'")
            kinds[f"{prefix}.mood[]"] = _pick("'{sad,NULL}'", "'{}'", ""
                                            f"ARRAY['Hap py']::text[]::{prefix}.mood[]")
        mine = []
        for name in rng.sample(NAMES, rng.choice([1, 2, 3])):
            parents = [t for t in mine if t.identity in ("pk", "full_pk") and len(t.keys) == 1 and not t.partitions]
            parent = rng.choice(parents) if parents and rng.random() < 0.5 else None
            made = Table(rng, schema, name, kinds, parent)
            if made.keyed and not self.tables and not mine:
                made.rows = 12000  # so that one is copied in parts
            self.script += made.ddl(rng)
            mine.append(made)
            self.counts[f"identity {made.identity}"] += 1
            self.counts["partitioned"] += made.partitions
        self.tables += mine

    def ddl(self):
        """The script that makes everything."""
        return ";\n".join(self.script)


class _Session:
    """One connection and where its transaction stands."""

    def __init__(self, connection):
        self.connection = connection
        self.steps_left = 0


class Traffic:
    """Sessions that write to the world until stop(); counts are what became of their transactions."""

    def __init__(self, world, source, seed, sessions=4, pause_s=0.004):
        self.world, self.source, self.pause_s = world, source, pause_s
        self.rng = random.Random(f"traffic {seed}")
        self.counts = collections.Counter()
        self.sessions = [None] * sessions
        self._ending = threading.Event()
        self._failed = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self):
        """End it; what is open is rolled back. Fails on an error that the source should not have given."""
        self._ending.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the traffic does not end"
        if self._failed:
            raise AssertionError("the traffic failed") from self._failed

    def _work(self):
        try:
            while not self._ending.is_set():
                self._step(self.rng.randrange(len(self.sessions)))
                time.sleep(self.pause_s)
        except Exception as error:  # pylint: disable=broad-exception-caught
            self._failed = error
        finally:
            for session in self.sessions:
                if session is not None:
                    session.connection.close()

    def _open(self):
        try:
            connection = self.source.connect(connect_timeout=5)
            connection.execute("SET lock_timeout = '150ms'; SET TimeZone = 'UTC'")
            return _Session(connection)
        except psycopg.OperationalError:  # the server is down; it comes back
            time.sleep(0.05)
            return None

    def _step(self, number):
        session = self.sessions[number]
        if session is None:
            self.sessions[number] = self._open()
            return
        try:
            if session.steps_left == 0:
                session.connection.execute("BEGIN")
                session.steps_left = self.rng.choice([1, 1, 2, 3, 8])
            elif session.steps_left == 1:
                self._end(session)
            else:
                self._change(session)
        except psycopg.Error as error:
            self._answer(number, session, error)

    def _end(self, session):
        self._one(session, self._statement())
        commits = self.rng.random() < 0.85
        session.connection.execute("COMMIT" if commits else "ROLLBACK")
        session.steps_left = 0
        self.counts["committed" if commits else "rolled back"] += 1

    def _change(self, session):
        session.steps_left -= 1
        if self.rng.random() < 0.4:
            session.connection.execute("SAVEPOINT s")
            try:
                self._one(session, self._statement())
            except psycopg.Error:
                if session.connection.closed:
                    raise
                session.connection.execute("ROLLBACK TO s")
                return
            session.connection.execute(self.rng.choice(["ROLLBACK TO s", "RELEASE s", "SELECT 1"]))
        else:
            self._one(session, self._statement())

    def _one(self, session, statement):
        session.connection.execute(statement)
        self.counts["statements"] += 1

    def _statement(self):
        table = self.rng.choice(self.world.tables)
        make = self.rng.choices(
            [table.insert, table.update, table.delete, table.move, table.swap, table.shift, table.insert_many,
             table.truncate, table.delete_all], [35, 30, 10, 8, 6, 2, 4, 1, 1])[0]
        return make(self.rng)

    def _answer(self, number, session, error):
        """Keys in the way, locks, fences and lost servers are part of life; anything else is a fault of the test."""
        passing = (psycopg.OperationalError, psycopg.errors.IntegrityError, psycopg.errors.ReadOnlySqlTransaction,
                   psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
        if not isinstance(error, passing):
            raise error
        self.counts[type(error).__name__] += 1
        session.steps_left = 0
        try:
            session.connection.execute("ROLLBACK")
        except psycopg.Error:
            session.connection.close()
            self.sessions[number] = None
