"""A workload that proves things: every transaction writes down what it did, in the same database.

    writer = Writer(source)             # makes its tables, begins to write
    writer.wait_transactions(200)
    ... migrate ...
    writer.stop()
    writer.verify(target)               # nothing missing, nothing split, nothing too much

Each transaction changes several tables and inserts one audit row per row it changed, and a last one
that says how many there are. So the target alone shows whether a transaction was split, and the
writer's memory says which ones were committed, rolled back, or cut off while they committed.
"""
import random
import threading
import time

import psycopg

SETUP = """
CREATE TABLE w_audit (id bigserial PRIMARY KEY, txid bigint NOT NULL, tbl text NOT NULL,
                      key text NOT NULL, op text NOT NULL);
CREATE TABLE w_account (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                        balance bigint NOT NULL, note text, txid bigint NOT NULL);
CREATE TABLE w_order (id bigserial PRIMARY KEY, account_id bigint NOT NULL REFERENCES w_account,
                      detail jsonb NOT NULL, document text, txid bigint NOT NULL);
ALTER TABLE w_order ALTER document SET STORAGE EXTERNAL;
CREATE TABLE w_item (order_id bigint REFERENCES w_order, line int, quantity numeric(12,3) NOT NULL,
                     tags text[], txid bigint NOT NULL, PRIMARY KEY (order_id, line));
CREATE TABLE w_event (at timestamptz NOT NULL, device int NOT NULL, value double precision,
                      txid bigint NOT NULL, PRIMARY KEY (at, device));
CREATE TABLE w_log (key text NOT NULL, line text, txid bigint NOT NULL);
ALTER TABLE w_log REPLICA IDENTITY FULL;
INSERT INTO w_account (balance, note, txid)
SELECT 1000, repeat('n', i %% 40), 0 FROM generate_series(1, %(accounts)s) AS i;
INSERT INTO w_order (account_id, detail, document, txid)
SELECT 1 + i %% %(accounts)s, jsonb_build_object('n', i), repeat(md5(i::text), 100), 0
  FROM generate_series(1, %(orders)s) AS i;
INSERT INTO w_item (order_id, line, quantity, tags, txid)
SELECT i, line, i * 0.125, ARRAY['a', 'b' || line], 0
  FROM generate_series(1, %(orders)s) AS i, generate_series(1, 2) AS line;
INSERT INTO w_event (at, device, value, txid)
SELECT timestamptz '2026-01-01 00:00+00' + i * interval '20 minutes', i %% 10, sin(i), 0
  FROM generate_series(1, %(events)s) AS i;
INSERT INTO w_log (key, line, txid)
SELECT 'old-' || i, repeat('x', i %% 60), 0 FROM generate_series(1, %(orders)s) AS i;
"""
TABLES = ("w_audit", "w_account", "w_order", "w_item", "w_event", "w_log")

KEYS = {
    "w_account": "id::text",
    "w_order": "id::text",
    "w_item": "order_id || '/' || line",
    "w_event": "extract(epoch FROM at)::numeric(20,6) || '/' || device",
    "w_log": "key",
}

SPLIT = """
SELECT txid, count(*) FILTER (WHERE op <> 'end'), max(key) FILTER (WHERE op = 'end')
  FROM w_audit GROUP BY txid
HAVING count(*) FILTER (WHERE op = 'end') <> 1
    OR count(*) FILTER (WHERE op <> 'end') <> (max(key) FILTER (WHERE op = 'end'))::int
 LIMIT 10
"""

# The last audit row of each row says whether it must be there and which transaction left it so.
STALE = """
WITH last AS (
    SELECT DISTINCT ON (key) key, op, txid FROM w_audit WHERE tbl = '{table}' ORDER BY key, id DESC)
SELECT coalesce(l.key, r.key), l.op, l.txid, r.txid
  FROM last AS l FULL JOIN (SELECT {key} AS key, txid FROM {table}) AS r ON r.key = l.key
 WHERE CASE WHEN l.key IS NULL THEN r.txid <> 0
            WHEN l.op = 'delete' THEN r.key IS NOT NULL
            ELSE r.key IS NULL OR r.txid <> l.txid END
 LIMIT 10
"""


class _Undo(Exception):
    """A transaction that the writer rolls back on purpose."""


class _Transaction:
    """One open transaction; counts what it does and writes it down."""

    def __init__(self, connection, txid, rng):
        self.connection = connection
        self.txid = txid
        self.rng = rng
        self.changes = 0

    def run(self, statement, *params):
        """Run a statement; the rows it returns, if any."""
        cursor = self.connection.execute(statement, params)
        return cursor.fetchall() if cursor.description else []

    def note(self, table, key, op):
        """Write the audit row of one changed row."""
        self.changes += 1
        self.run("INSERT INTO w_audit (txid, tbl, key, op) VALUES (%s, %s, %s, %s)",
                 self.txid, table, str(key), op)

    # ---- what a transaction may do --------------------------------------------------------------

    def transfer(self):
        """Move money between two accounts: the sum of all balances never changes."""
        ids = [row[0] for row in self.run(
            "SELECT id FROM (SELECT id FROM w_account ORDER BY random() LIMIT 2) AS two"
            " ORDER BY id")]
        if len(ids) < 2:
            return
        amount = self.rng.randint(1, 50)
        for account, change in zip(ids, (amount, -amount)):
            self.run("UPDATE w_account SET balance = balance + %s, txid = %s WHERE id = %s",
                     change, self.txid, account)
            self.note("w_account", account, "update")

    def account(self):
        """A new account without money."""
        (key,), = self.run("INSERT INTO w_account (balance, note, txid) VALUES (0, %s, %s)"
                           " RETURNING id", "new" * self.rng.randint(0, 9), self.txid)
        self.note("w_account", key, "insert")

    def order(self):
        """A new order with items."""
        (key,), = self.run(
            "INSERT INTO w_order (account_id, detail, document, txid)"
            " SELECT id, %s::jsonb, repeat(md5(%s), %s), %s FROM w_account"
            " ORDER BY random() LIMIT 1 RETURNING id", f'{{"n": {self.rng.random()}}}', str(self.txid),
            self.rng.choice((1, 150)), self.txid)
        self.note("w_order", key, "insert")
        for line in range(1, self.rng.randint(1, 4)):
            self.run("INSERT INTO w_item VALUES (%s, %s, %s, %s, %s)", key, line,
                     self.rng.randint(1, 99999) / 1000, ["x", None, '"q"'], self.txid)
            self.note("w_item", f"{key}/{line}", "insert")

    def change_order(self):
        """Update an order without touching its large document."""
        for key, in self.run(
                "UPDATE w_order SET detail = detail || %s::jsonb, txid = %s WHERE id = (SELECT id"
                " FROM w_order ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id",
                f'{{"changed": {self.txid}}}', self.txid):
            self.note("w_order", key, "update")

    def renumber_item(self):
        """Change a primary key."""
        for order, line in self.run("SELECT order_id, line FROM w_item ORDER BY random() LIMIT 1"
                                    " FOR UPDATE SKIP LOCKED"):
            new = line + 1000 + self.txid % 1_000_000_000
            self.run("UPDATE w_item SET line = %s, txid = %s WHERE order_id = %s AND line = %s",
                     new, self.txid, order, line)
            self.note("w_item", f"{order}/{line}", "delete")
            self.note("w_item", f"{order}/{new}", "insert")

    def drop_items(self):
        """Delete the items of one order."""
        for key, in self.run(
                "DELETE FROM w_item WHERE order_id = (SELECT order_id FROM w_item ORDER BY random()"
                " LIMIT 1) RETURNING order_id || '/' || line"):
            self.note("w_item", key, "delete")

    def events(self):
        """A batch of new time-series rows."""
        base = 1_770_000_000 + self.txid % 1_000_000_000 * 61 + self.txid // 1_000_000_000 * 7
        for device in range(self.rng.randint(1, 6)):
            (key,), = self.run(
                f"INSERT INTO w_event VALUES (to_timestamp(%s), %s, %s, %s)"
                f" RETURNING {KEYS['w_event']}", base, device, self.rng.random(), self.txid)
            self.note("w_event", key, "insert")

    def change_events(self):
        """Update a few time-series rows and delete one."""
        for key, in self.run(
                "UPDATE w_event SET value = value + 1, txid = %s WHERE (at, device) IN (SELECT at,"
                " device FROM w_event ORDER BY random() LIMIT 3 FOR UPDATE SKIP LOCKED)"
                f" RETURNING {KEYS['w_event']}", self.txid):
            self.note("w_event", key, "update")
        for key, in self.run(
                "DELETE FROM w_event WHERE (at, device) = (SELECT at, device FROM w_event"
                f" ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING {KEYS['w_event']}"):
            self.note("w_event", key, "delete")

    def log(self):
        """Insert into, change and delete from a table without a key."""
        key = f"{self.txid}-{self.changes}"
        self.run("INSERT INTO w_log VALUES (%s, %s, %s)", key, self.rng.choice((None, "", "text")),
                 self.txid)
        self.note("w_log", key, "insert")
        for changed, in self.run(
                "UPDATE w_log SET line = 'changed', txid = %s WHERE ctid = (SELECT ctid FROM w_log"
                " ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING key", self.txid):
            self.note("w_log", changed, "update")
        for gone, in self.run(
                "DELETE FROM w_log WHERE ctid = (SELECT ctid FROM w_log ORDER BY random() LIMIT 1"
                " FOR UPDATE SKIP LOCKED) RETURNING key"):
            self.note("w_log", gone, "delete")

    KINDS = (transfer, transfer, account, order, change_order, change_order, renumber_item,
             drop_items, events, events, change_events, log)


class Writer:
    """Threads that write until stop(). They survive lost connections, fences and restarts."""

    def __init__(self, database, workers=2, pause_s=0.002, accounts=100, orders=300, events=500,
                 seed=1, setup=True, conninfo=None):
        """Make the tables (in public; setup=False: they are there) and begin to write.

        conninfo: where to connect, if not to the database itself (a proxy, another user).
        """
        self.database = database
        self._conninfo = conninfo or database.conninfo()
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self.committed = set()
        self.rolled_back = set()
        self.unknown = set()
        self.errors = []
        self._broken = []
        if setup:
            with database.connect() as connection:
                psycopg.ClientCursor(connection).execute(
                    SETUP,
                    {"accounts": accounts, "orders": orders, "events": events})
        self.total = database.value("SELECT sum(balance)::bigint FROM w_account")
        self._threads = [
            threading.Thread(target=self._work, args=(number, random.Random(seed * 1000 + number)),
                             daemon=True)
            for number in range(1, workers + 1)]
        for thread in self._threads:
            thread.start()

    def _work(self, number, rng):
        txid = number * 1_000_000_000
        connection = None
        try:
            while not self._stopping.is_set():
                txid += 1
                try:
                    if connection is None:
                        connection = psycopg.connect(self._conninfo, autocommit=False,
                                                     application_name="writer", connect_timeout=5)
                    self._transaction(connection, txid, rng)
                    self._stopping.wait(self._pause_s)
                except psycopg.Error as error:
                    with self._lock:
                        self.errors.append((txid, str(error).strip()))
                    if connection is not None:
                        connection.close()
                        connection = None
                    self._stopping.wait(0.1)
        except Exception as error:  # pylint: disable=broad-except
            self._broken.append(error)
            raise
        finally:
            if connection is not None:
                connection.close()

    def _transaction(self, connection, txid, rng):
        """One transaction; afterwards its number is in committed, rolled_back or unknown."""
        transaction = _Transaction(connection, txid, rng)
        fate = self.rolled_back
        try:
            for kind in rng.choices(_Transaction.KINDS, k=rng.randint(1, 4)):
                kind(transaction)
            if rng.random() < 0.04:
                raise _Undo
            transaction.run("INSERT INTO w_audit (txid, tbl, key, op) VALUES (%s, '', %s, 'end')",
                            txid, str(transaction.changes))
            fate = self.unknown
            connection.commit()
            fate = self.committed
        except _Undo:
            connection.rollback()
        finally:
            with self._lock:
                fate.add(txid)

    def wait_transactions(self, count, timeout=60):
        """Wait until so many more transactions have committed."""
        wanted = len(self.committed) + count
        end = time.monotonic() + timeout
        while len(self.committed) < wanted:
            assert not self._broken, f"the writer broke: {self._broken[0]!r}"
            assert time.monotonic() < end, \
                f"only {len(self.committed)} of {wanted} transactions; {self.errors[-3:]}"
            time.sleep(0.02)

    def stop(self, check=True):
        """Stop writing; with check, fail if a thread ended for a reason of its own."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)
        if check:
            assert not any(thread.is_alive() for thread in self._threads), "a writer hangs"
            assert not self._broken, f"the writer broke: {self._broken[0]!r}"

    # ---- proof ----------------------------------------------------------------------------------

    def consistent(self, database):
        """What is wrong with a database that should show a state the source once had; a list.

        May be asked of a target that still replicates with one lane.
        """
        wrong = []
        with database.connect(autocommit=False) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            (total,), = connection.execute("SELECT sum(balance)::bigint FROM w_account").fetchall()
            if total != self.total:
                wrong.append(f"the balances sum up to {total}, not to {self.total}")
            wrong += [f"transaction {txid} is split: {there} of {said} changes"
                      for txid, there, said in connection.execute(SPLIT).fetchall()]
            for table, key in KEYS.items():
                wrong += [f"{table} {name}: last {op} by {there_by}, the row is of {row_by}"
                          for name, op, there_by, row_by in
                          connection.execute(STALE.format(table=table, key=key)).fetchall()]
        return wrong

    def missing(self, database):
        """Committed transactions that are not there, others that are; a list."""
        there = {txid for txid, in database.query("SELECT DISTINCT txid FROM w_audit")}
        with self._lock:
            lost = sorted(self.committed - there)
            undead = sorted(there - self.committed - self.unknown)
        return ([f"committed transaction {txid} is missing" for txid in lost[:10]]
                + [f"transaction {txid} was never committed" for txid in undead[:10]])

    def verify(self, database):
        """Fail unless the database holds exactly the committed transactions, each whole."""
        wrong = self.missing(database) + self.consistent(database)
        assert not wrong, "\n".join(wrong)
        assert self.committed, "the writer committed nothing"
