#!/usr/bin/python3
"""workload.py: traffic for the example application, with a proof of what it did.

Every transaction has a UUID. It writes one app.audit_step row per thing it changed while it
works, and one app.audit_txn row with the number of steps as its last act; once COMMIT has
returned, its UUID goes to a local log. After a migration the target must hold exactly the logged
transactions, each with all of its steps: `check_audit` says so or names those that are missing,
split, or there although they were rolled back.

    SOURCE='host=... dbname=shop' workload.py run --rate 100 --log /tmp/txn.log
    TARGET='host=... dbname=shop' workload.py check --log /tmp/txn.log

From a test:

    load = Workload(conninfo, threads=4, rate=50, log_path=path)
    load.start(); ...; summary = load.stop()
    assert not summary["errors"] and check_audit(target, path).ok

It runs until SIGTERM, or until the server refuses writes (read-only, terminated and not coming
back, permission withdrawn): that is how a cutover looks from here, and it ends with a summary and
status 0. Status 1: a transaction failed in a way that no cutover explains.
"""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field

import psycopg

REFUSED = {"25006", "42501"}            # read-only transaction, insufficient privilege
GIVE_WAY = {"40001", "40P01", "55P03"}  # serialization, deadlock, lock not available
CONNECTION_LOST = {"57P01", "57P02", "57P03", "57P05", "25P03", "53300", "55000"}
SETTINGS = "-c timezone=UTC -c idle_in_transaction_session_timeout=0 -c statement_timeout=0"


class Refused(Exception):
    """The server takes no more writes from us."""


class RollbackWanted(Exception):
    """Raised by a kind that must leave no trace."""


class Txn:
    """One open transaction: statements, and the record of what they changed."""

    def __init__(self, cur, rng, worker):
        self.cur = cur
        self.rng = rng
        self.worker = worker
        self.id = uuid.UUID(int=rng.getrandbits(128), version=4)
        self.steps = 0
        self._waiting = []

    def run(self, sql, *params):
        """Runs one statement; returns its rows ([] when it has none)."""
        self.cur.execute(sql, params or None)
        return self.cur.fetchall() if self.cur.description else []

    def one(self, sql, *params):
        """Runs one statement; returns its first row or None."""
        rows = self.run(sql, *params)
        return rows[0] if rows else None

    def did(self, relation, op, *key):
        """Notes one change; written with the next flush."""
        self._waiting.append((relation, op, "|".join(str(k) for k in key)))

    def forget_since(self, mark):
        """Drops notes of a rolled back savepoint; `mark` is a value of `mark()`."""
        if mark[0] != self.steps:
            raise AssertionError("notes of a savepoint were flushed inside it")
        del self._waiting[mark[1]:]

    def mark(self):
        """A place to which `forget_since` goes back."""
        return (self.steps, len(self._waiting))

    def flush(self):
        """Writes the notes so far into app.audit_step."""
        if not self._waiting:
            return
        first = self.steps + 1
        self.steps += len(self._waiting)
        relations, ops, keys = (list(c) for c in zip(*self._waiting))
        self._waiting = []
        self.run("INSERT INTO app.audit_step (txn, step, relation, op, row_key) "
                 "SELECT %s, %s + n - 1, r, o, k "
                 "FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY u (r, o, k, n)",
                 self.id, first, relations, ops, keys)

    def finish(self, kind):
        """The last act: all notes, then the row that says how many there are."""
        self.flush()
        self.run("INSERT INTO app.audit_txn (txn, worker, kind, steps) VALUES (%s, %s, %s, %s)",
                 self.id, self.worker.no, kind, self.steps)


# ---------------------------------------------------------------------------------------------
# kinds of transactions

KINDS = {}


def kind(weight):
    """Registers a transaction kind under its function's name."""
    def register(function):
        KINDS[function.__name__] = (weight, function)
        return function
    return register


@kind(20)
def place_order(t):
    """Order, lines, reserved stock, the customer's points, sometimes a pickup code and a ticket."""
    w = t.worker
    customer = t.rng.randint(1, w.limits["customer"])
    order = t.one("INSERT INTO app.orders (customer_id, currency, note, client_address) "
                  "VALUES (%s, %s, %s, %s) RETURNING id", customer,
                  t.rng.choice(["EUR", "USD", "JPY"]),
                  t.rng.choice([None, "", "leave it at the door \\ 'please'", "日本\n語"]),
                  t.rng.choice([None, "192.0.2.7", "2001:db8::1"]))[0]
    t.did("app.orders", "i", order)
    products = sorted({t.rng.randint(1, w.limits["product"]) for _ in range(t.rng.randint(1, 6))})
    for line, product in enumerate(products, 1):
        quantity = t.rng.randint(1, 4)
        t.run("INSERT INTO app.order_line (order_id, line_no, product_id, quantity, unit_price) "
              "SELECT %s, %s, id, %s, price FROM app.product WHERE id = %s",
              order, line, quantity, product)
        t.did("app.order_line", "i", order, line)
        t.run("UPDATE app.stock SET reserved = reserved + %s, updated_at = clock_timestamp() "
              "WHERE product_id = %s AND warehouse_id = %s",
              quantity, product, 1 + product % 10)
        t.did("app.stock", "u", product, 1 + product % 10)
    t.flush()
    t.run("UPDATE app.customer SET loyalty_points = loyalty_points + 1 WHERE id = %s", customer)
    t.did("app.customer", "u", customer)
    if t.rng.random() < 0.3:
        code = f"{t.rng.getrandbits(24):06x}"
        t.run("INSERT INTO app.pickup_code (code, order_id) VALUES (%s, %s)", code, order)
        t.did("app.pickup_code", "i", code)
    if t.rng.random() < 0.2:
        ticket = t.one("INSERT INTO app.ticket (order_id, flags, body) "
                       "VALUES (%s, B'1011', %s) RETURNING ticket", order, "help! " * 20)[0]
        t.did("app.ticket", "i", ticket)
    t.after_commit = lambda: w.open_orders.append((order, len(products)))


@kind(10)
def ship_order(t):
    """Shipment with a label and a manifest, its first events, the order's status."""
    if not t.worker.open_orders:
        return place_order(t)
    order, _ = t.worker.open_orders[0]
    shipment = uuid.UUID(int=t.rng.getrandbits(128), version=4)
    label = t.rng.randbytes(t.rng.choice([0, 100, 5000]))
    items = [f"{t.rng.getrandbits(128):032x}" for _ in range(t.rng.choice([1, 3, 120]))]
    t.run("INSERT INTO app.shipment (id, order_id, carrier, weight_kg, label, manifest) "
          "VALUES (%s, %s, %s, %s, %s, %s)", shipment, order, "carrier " + str(t.rng.randint(1, 7)),
          t.rng.random() * 30, label, json.dumps({"items": items}))
    t.did("app.shipment", "i", shipment)
    for state in ("booked", "picked_up"):
        seq = t.one("INSERT INTO app.shipment_event (shipment_id, occurred_at, state, place) "
                    "VALUES (%s, clock_timestamp(), %s, 'dock') RETURNING seq", shipment, state)[0]
        t.did("app.shipment_event", "i", seq)
    t.run("UPDATE app.orders SET status = 'shipped' WHERE id = %s", order)
    t.did("app.orders", "u", order)
    t.after_commit = lambda: t.worker.open_orders.pop(0)
    return None


@kind(6)
def bill_order(t):
    """Invoice (numbered by a trigger), payments, the order's status."""
    if not t.worker.open_orders:
        return place_order(t)
    order = t.rng.choice(t.worker.open_orders)[0]
    invoice, gross = t.one(
        "INSERT INTO billing.invoice (order_id, currency, net, tax) "
        "SELECT %s, 'EUR', app.order_total(%s), round(app.order_total(%s) * 0.19, 2) "
        "RETURNING id, gross", order, order, order)
    t.did("billing.invoice", "i", invoice)
    for method in t.rng.choice([["card"], ["cash"], ["card", "transfer"]]):
        payment = t.one("INSERT INTO billing.payment (invoice_id, method, amount) "
                        "VALUES (%s, %s, %s) RETURNING id", invoice, method, gross / 2 + 1)[0]
        t.did("billing.payment", "i", payment)
    t.run("UPDATE app.orders SET status = 'paid' WHERE id = %s", order)
    t.did("app.orders", "u", order)
    t.after_commit = lambda: t.worker.billed.add(order)
    return None


@kind(4)
def cancel_order(t):
    """Deletes an order; its lines and codes go by cascade, its ticket stays with a NULL."""
    free = [o for o in t.worker.open_orders if o[0] not in t.worker.billed]
    if not free:
        return place_order(t)
    order = t.rng.choice(free)
    t.run("DELETE FROM app.orders WHERE id = %s", order[0])
    t.did("app.orders", "d", order[0])
    t.after_commit = lambda: t.worker.open_orders.remove(order)
    return None


@kind(20)
def ingest_metrics(t):
    """A batch of readings and the sender's last_seen (its large settings stay unchanged)."""
    device = t.rng.randint(1, t.worker.limits["device"])
    count = t.rng.randint(5, 40)
    t.run("INSERT INTO telemetry.metrics (time, device_id, temperature, humidity, battery_mv, payload) "
          "SELECT clock_timestamp() + n * interval '1 ms', %s, %s + n, 50, 3700, "
          "CASE WHEN n %% 5 = 0 THEN '{\"rssi\": -70}'::jsonb END "
          "FROM generate_series(1, %s) n ON CONFLICT DO NOTHING", device, t.rng.random() * 50, count)
    t.did("telemetry.metrics", "i", device, count)
    t.run("UPDATE telemetry.device SET last_seen = clock_timestamp() WHERE id = %s", device)
    t.did("telemetry.device", "u", device)


@kind(8)
def ingest_events(t):
    """Events, some of them with long messages."""
    for _ in range(t.rng.randint(1, 4)):
        event = t.one("INSERT INTO telemetry.events (time, device_id, kind, severity, message, detail) "
                      "VALUES (clock_timestamp(), %s, %s, %s, %s, %s) RETURNING id",
                      t.rng.randint(1, t.worker.limits["device"]),
                      t.rng.choice(["boot", "door", "shock", "geofence"]), t.rng.randint(0, 5),
                      t.rng.choice([None, "short", "long " * 900]),
                      json.dumps({"g": t.rng.random()}))[0]
        t.did("telemetry.events", "i", event)


@kind(5)
def correct_metrics(t):
    """Changes old readings without touching their key."""
    device = t.rng.randint(1, t.worker.limits["device"])
    rows = t.run("UPDATE telemetry.metrics m SET temperature = 0 - m.temperature "
                 "FROM (SELECT time FROM telemetry.metrics WHERE device_id = %s AND time < %s "
                 "      ORDER BY time DESC LIMIT 3) o "
                 "WHERE m.device_id = %s AND m.time = o.time RETURNING m.time",
                 device, t.worker.some_time(), device)
    for row in rows:
        t.did("telemetry.metrics", "u", device, row[0])


@kind(3)
def shift_metrics(t):
    """Changes the key of readings; some move into another week, so into another chunk."""
    device = t.rng.randint(1, t.worker.limits["device"])
    shift = t.rng.choice(["17 microseconds", "-8 days -23 microseconds"])
    rows = t.run("UPDATE telemetry.metrics m SET time = m.time + %s::interval "
                 "FROM (SELECT time FROM telemetry.metrics WHERE device_id = %s AND time < %s "
                 "      ORDER BY time DESC LIMIT 2) o "
                 "WHERE m.device_id = %s AND m.time = o.time RETURNING m.time",
                 shift, device, t.worker.some_time(), device)
    for row in rows:
        t.did("telemetry.metrics", "u", device, row[0])


@kind(3)
def delete_metrics(t):
    """Deletes the oldest readings of one device."""
    device = t.rng.randint(1, t.worker.limits["device"])
    rows = t.run("DELETE FROM telemetry.metrics m USING "
                 "(SELECT time FROM telemetry.metrics WHERE device_id = %s ORDER BY time LIMIT 5) o "
                 "WHERE m.device_id = %s AND m.time = o.time RETURNING m.time", device, device)
    for row in rows:
        t.did("telemetry.metrics", "d", device, row[0])


@kind(1)
def bulk(t):
    """One large transaction: many readings in, many changed, some out."""
    device = t.rng.randint(1, t.worker.limits["device"])
    t.run("INSERT INTO telemetry.metrics (time, device_id, temperature) "
          "SELECT clock_timestamp() + n * interval '10 microseconds', %s, n "
          "FROM generate_series(1, 1500) n ON CONFLICT DO NOTHING", device)
    t.did("telemetry.metrics", "i", device, 1500)
    t.run("UPDATE telemetry.metrics SET humidity = 1 WHERE device_id = %s "
          "AND time > clock_timestamp() - interval '1 minute'", device)
    t.did("telemetry.metrics", "u", device, "last minute")
    t.run("DELETE FROM telemetry.metrics WHERE device_id = %s AND temperature BETWEEN 100 AND 200 "
          "AND time > clock_timestamp() - interval '1 minute'", device)
    t.did("telemetry.metrics", "d", device, "100 to 200")


@kind(3)
def new_image(t):
    """Writes TOAST anew, or adds an image."""
    product = t.rng.randint(1, t.worker.limits["product"])
    t.run("INSERT INTO app.product_image (product_id, image_no, caption, content) "
          "VALUES (%s, 1, 'new', %s) "
          "ON CONFLICT (product_id, image_no) DO UPDATE SET content = excluded.content",
          product, t.rng.randbytes(t.rng.randint(9000, 30000)))
    t.did("app.product_image", "u", product, 1)


@kind(6)
def keep_toast(t):
    """Updates rows whose large columns stay as they are."""
    w = t.worker
    for row in t.run("UPDATE app.product_image SET caption = %s WHERE product_id = %s "
                     "RETURNING product_id, image_no", "caption " + str(t.rng.random()),
                     t.rng.randint(1, w.limits["image_product"])):
        t.did("app.product_image", "u", *row)
    large = t.one("UPDATE app.shipment SET state = 'in_transit' WHERE id = md5('shipment' || %s)::uuid "
                  "RETURNING id", 20 * t.rng.randint(1, max(1, w.limits["shipment"] // 20)))
    if large:
        t.did("app.shipment", "u", large[0])
    device = 5 * t.rng.randint(1, max(1, w.limits["device"] // 5))
    t.run("UPDATE telemetry.device SET last_seen = clock_timestamp() WHERE id = %s", device)
    t.did("telemetry.device", "u", device)


@kind(4)
def change_toast(t):
    """Customers' preferences grow out of line and shrink again."""
    customer = t.rng.randint(1, t.worker.limits["customer"])
    words = [f"{t.rng.getrandbits(128):x}" for _ in range(t.rng.choice([1, 200]))]
    t.run("UPDATE app.customer SET preferences = %s, tier = 'silver', tags = tags || 'x'::text "
          "WHERE id = %s", json.dumps({"w": words}), customer)
    t.did("app.customer", "u", customer)


@kind(8)
def upsert_stock(t):
    """INSERT ... ON CONFLICT DO UPDATE on a table with a generated column and triggers."""
    for product in sorted({t.rng.randint(1, t.worker.limits["product"]) for _ in range(3)}):
        t.run("INSERT INTO app.stock (warehouse_id, product_id, on_hand) VALUES (%s, %s, %s) "
              "ON CONFLICT (product_id, warehouse_id) DO UPDATE "
              "SET on_hand = excluded.on_hand, reserved = 0, updated_at = clock_timestamp()",
              1 + product % 10, product, t.rng.randint(0, 400))
        t.did("app.stock", "u", product, 1 + product % 10)


@kind(3)
def change_keys(t):
    """Primary keys, identity indexes and referenced keys change; two codes are swapped."""
    if t.worker.open_orders:
        order, lines = t.rng.choice(t.worker.open_orders)
        t.run("UPDATE app.order_line SET line_no = line_no + 10 WHERE order_id = %s AND line_no < 20",
              order)
        t.did("app.order_line", "u", order, lines)
    codes = [r[0] for r in t.run("SELECT code FROM app.pickup_code WHERE code >= %s "
                                 "ORDER BY code LIMIT 2 FOR UPDATE SKIP LOCKED",
                                 f"{t.rng.getrandbits(24):06x}")]
    if len(codes) == 2:
        for old, new in ((codes[0], "~swap~"), (codes[1], codes[0]), ("~swap~", codes[1])):
            t.run("UPDATE app.pickup_code SET code = %s WHERE code = %s", new, old)
            t.did("app.pickup_code", "u", old, new)
    house = t.rng.randint(1, 10)
    row = t.one("UPDATE app.warehouse SET code = CASE WHEN code LIKE 'WH%%' THEN 'WX' ELSE 'WH' END "
                "|| substr(code, 3) WHERE id = %s RETURNING code", house)
    t.did("app.warehouse", "u", row[0])


@kind(6)
def keyless(t):
    """Duplicates in a table without a key: add two, change one, delete one."""
    what = f"dup {t.rng.randint(1, 20)}"
    detail = json.dumps({"pad": "x" * t.rng.choice([1, 9000]), "n": t.rng.randint(1, 3)})
    t.run("INSERT INTO app.change_log (at, what, amount, detail) "
          "SELECT date_trunc('minute', now()), %s, 1.0, %s::json FROM generate_series(1, 2)",
          what, detail)
    t.did("app.change_log", "i", what)
    t.run("UPDATE app.change_log SET amount = amount + 1.00 WHERE ctid = (SELECT ctid "
          "FROM app.change_log WHERE what = %s AND at > now() - interval '10 minutes' "
          "LIMIT 1 FOR UPDATE SKIP LOCKED)", what)
    t.did("app.change_log", "u", what)
    if t.rng.random() < 0.5:
        t.run("DELETE FROM app.change_log WHERE ctid = (SELECT ctid FROM app.change_log "
              "WHERE what = %s AND at > now() - interval '10 minutes' "
              "LIMIT 1 FOR UPDATE SKIP LOCKED)", what)
        t.did("app.change_log", "d", what)


@kind(1)
def truncate_carts(t):
    """TRUNCATE of two small tables, then new rows in the same transaction."""
    t.run("SET LOCAL lock_timeout = '300ms'")
    restart = t.rng.choice(["RESTART", "CONTINUE"])
    t.run(f"TRUNCATE app.cart_hold, app.cart_hold_item {restart} IDENTITY")
    t.did("app.cart_hold", "t")
    hold_carts(t)


@kind(4)
def hold_carts(t):
    """Rows for the tables that get truncated."""
    hold = t.one("INSERT INTO app.cart_hold (customer_id, until) VALUES (%s, now()) RETURNING id",
                 t.rng.randint(1, t.worker.limits["customer"]))[0]
    t.did("app.cart_hold", "i", hold)
    for product in sorted({t.rng.randint(1, t.worker.limits["product"]) for _ in range(3)}):
        t.run("INSERT INTO app.cart_hold_item (hold_id, product_id) VALUES (%s, %s)", hold, product)
        t.did("app.cart_hold_item", "i", hold, product)


@kind(4)
def savepoints(t):
    """Savepoints: one kept, one rolled back by hand, one by an error, one inside another."""
    note = ('INSERT INTO "Legacy Shop"."Customer Notes" ("customer", "Note; text") '
            'VALUES (%s, %s) RETURNING "Id"')
    customer = t.rng.randint(1, t.worker.limits["customer"])
    t.run("SAVEPOINT a")
    t.did("Customer Notes", "i", t.one(note, customer, "kept")[0])
    t.run("SAVEPOINT b")
    mark = t.mark()
    t.did("Customer Notes", "i", t.one(note, customer, "NOT KEPT")[0])
    t.run("UPDATE app.customer SET full_name = 'NOT KEPT' WHERE id = %s", customer)
    t.did("app.customer", "u", customer)
    t.run("ROLLBACK TO SAVEPOINT b")
    t.forget_since(mark)
    try:
        t.run("INSERT INTO app.order_line (order_id, line_no, product_id, quantity, unit_price) "
              "VALUES (1, 1, 1, 0, 0)")
    except psycopg.errors.IntegrityError:
        t.run("ROLLBACK TO SAVEPOINT b")
    t.run("RELEASE SAVEPOINT b")
    t.did("Customer Notes", "i", t.one(note, customer, "kept too \\N")[0])
    t.run("RELEASE SAVEPOINT a")


@kind(3)
def roll_back(t):
    """Does an order and takes it all back: must leave no trace anywhere."""
    place_order(t)
    raise RollbackWanted


@kind(1)
def slow(t):
    """Keeps a transaction with changes open for a while."""
    hold_carts(t)
    t.flush()
    time.sleep(t.rng.random() * 1.5)
    keep_toast(t)


@kind(3)
def move_partition(t):
    """Moves rows of the partitioned table, some into another leaf."""
    back = t.rng.choice(["1 second", "-100 days", "100 days"])
    rows = t.run("UPDATE app.shipment_event SET occurred_at = occurred_at + %s::interval "
                 "WHERE shipment_id = md5('shipment' || %s)::uuid AND state = 'booked' "
                 "RETURNING seq", back, t.rng.randint(1, t.worker.limits["shipment"]))
    for row in rows:
        t.did("app.shipment_event", "u", row[0])


@kind(3)
def notes(t):
    """The table with odd names: through its view's trigger, updated, deleted."""
    customer = t.rng.randint(1, t.worker.limits["customer"])
    t.run('INSERT INTO "Legacy Shop"."All Notes" (email, "Note; text") VALUES (%s, %s)',
          f"user{customer}@example.org", "by the view; $$ \\. ''")
    t.did("All Notes", "i", customer)
    t.run('UPDATE "Legacy Shop"."Customer Notes" SET "select" = coalesce("select", 0) + 1, '
          '"Über""quoted""" = NULL WHERE "customer" = %s', customer)
    t.did("Customer Notes", "u", customer)
    if t.rng.random() < 0.3:
        t.run('DELETE FROM "Legacy Shop"."Customer Notes" WHERE "Id" = '
              '(SELECT min("Id") FROM "Legacy Shop"."Customer Notes" WHERE "customer" = %s)', customer)
        t.did("Customer Notes", "d", customer)


@kind(2)
def move_window(t):
    """Deletes a row and adds another that the exclusion constraint allows only afterwards."""
    row = t.one("DELETE FROM app.maintenance_window WHERE id = (SELECT id FROM app.maintenance_window "
                "WHERE lower(during) >= %s ORDER BY lower(during) LIMIT 1 FOR UPDATE SKIP LOCKED) "
                "RETURNING id, lower(during), upper(during)", t.worker.some_time())
    if row:
        t.did("app.maintenance_window", "d", row[0])
        new = t.one("INSERT INTO app.maintenance_window (during, reason) "
                    "VALUES (tstzrange(%s, %s), 'moved') RETURNING id", row[1], row[2])
        t.did("app.maintenance_window", "i", new[0])


@kind(1)
def reference_data(t):
    """Small reference tables change too; a rule keeps a DELETE from doing anything."""
    row = t.one("UPDATE ref.surcharge SET percent = percent + 0.01 WHERE id = "
                "(SELECT id FROM ref.surcharge ORDER BY random() LIMIT 1) RETURNING id")
    t.did("ref.surcharge", "u", row[0])
    t.run("DELETE FROM ref.currency WHERE code = 'KWD'")
    t.run('UPDATE billing."Tax Rate" SET "Rate %%" = "Rate %%" / 3 WHERE country = %s', "AB")
    t.did("Tax Rate", "u", "AB")


# ---------------------------------------------------------------------------------------------
# workers


class Worker(threading.Thread):
    """One connection and the transactions that run on it."""

    def __init__(self, owner, no):
        super().__init__(name=f"workload-{no}", daemon=True)
        self.owner = owner
        self.no = no
        self.rng = random.Random(None if owner.seed is None else owner.seed * 1000 + no)
        self.conn = None
        self.limits = {}
        self.open_orders = []
        self.billed = set()

    def some_time(self):
        """A time inside the loaded readings."""
        low, high = self.limits["times"]
        return low + (high - low) * self.rng.random()

    def run(self):
        kinds = [k for k in KINDS if k not in self.owner.without]
        weights = [KINDS[k][0] for k in kinds]
        pause = self.owner.threads / self.owner.rate if self.owner.rate else 0.0
        due = time.monotonic()
        try:
            self._connect()
            while not self.owner.stopping.is_set():
                self._transaction(self.rng.choices(kinds, weights)[0])
                due = max(due + pause, time.monotonic() - 1.0)
                self.owner.stopping.wait(max(0.0, due - time.monotonic()))
        except Refused as e:
            self.owner.refuse(str(e))
        except Exception as e:  # a bug of ours or a surprise: the summary must show it
            self.owner.fail(f"{type(e).__name__}: {e}")
        finally:
            if self.conn is not None:
                self.conn.close()

    def _connect(self):
        """Connects, waiting while the server is away; Refused when it stays away."""
        began = time.monotonic()
        while True:
            if self.owner.stopping.is_set():
                raise Refused("stopped")
            try:
                self.conn = psycopg.connect(self.owner.conninfo, options=SETTINGS,
                                            application_name="godwit_workload")
                self._read_limits()
                return
            except psycopg.Error as e:
                if not connection_gone(e, self.conn):
                    raise
                if time.monotonic() - began > self.owner.give_up_after:
                    raise Refused(f"cannot connect: {first_line(e)}") from e
                self.owner.stopping.wait(0.1)

    def _read_limits(self):
        if self.limits:
            return
        with self.conn.cursor() as cur:
            cur.execute(
                "SELECT (SELECT max(id) FROM app.customer), (SELECT max(id) FROM app.product), "
                "(SELECT max(product_id) FROM app.product_image), (SELECT max(id) FROM billing.invoice), "
                "(SELECT max(id) FROM telemetry.device), "
                "(SELECT min(time) FROM telemetry.metrics), (SELECT max(time) FROM telemetry.metrics)")
            row = cur.fetchone()
        self.conn.rollback()
        names = ("customer", "product", "image_product", "shipment", "device")
        self.limits = dict(zip(names, row))
        self.limits["times"] = row[5:]

    def _transaction(self, name):
        """One transaction of kind `name`, its outcome counted and logged."""
        t = None
        committing = False
        try:
            with self.conn.cursor() as cur:
                t = Txn(cur, self.rng, self)
                t.after_commit = None
                try:
                    KINDS[name][1](t)
                    t.finish(name)
                    committing = True
                    self.conn.commit()
                    self.owner.done(t, name, "committed")
                    if t.after_commit:
                        t.after_commit()
                except RollbackWanted:
                    t.finish(name)
                    self.conn.rollback()
                    self.owner.done(t, name, "rolled_back")
        except psycopg.Error as e:
            self._failed(e, t, name, committing)

    def _failed(self, e, t, name, committing):
        state = e.sqlstate or ""
        if connection_gone(e, self.conn):
            if committing:
                self.owner.done(t, name, "unknown")     # the server may or may not have committed
            self.conn.close()
            self.owner.count("reconnected")
            self._connect()
            return
        self.conn.rollback()
        if state in REFUSED:
            if self.owner.on_refusal == "stop":
                raise Refused(first_line(e)) from e
            self.owner.count("refused")
            self.conn.close()                           # a new session sees new defaults
            self.owner.stopping.wait(0.1)
            self._connect()
        elif state in GIVE_WAY:
            self.owner.count("gave_way")
        elif state[:2] == "23":
            self.owner.count("rejected")
        elif state == "57014" and self.owner.stopping.is_set():
            return
        else:
            raise e


def connection_gone(e, conn):
    """True if the error means that the session is over."""
    return (e.sqlstate in CONNECTION_LOST or (e.sqlstate or "")[:2] == "08"
            or (e.sqlstate is None and isinstance(e, psycopg.OperationalError))
            or (conn is not None and (conn.closed or conn.broken)))


def first_line(e):
    """The first line of an error's text."""
    return (str(e).strip().splitlines() or ["(no message)"])[0]


class Workload:
    """Several workers with one rate, one log and one summary.

    conninfo: where to write. threads, rate (transactions per second over all threads, 0 for no
    limit), seed (None: another run every time), without (kinds to leave out), log_path (a JSON
    line per finished transaction), on_refusal ("stop" ends at the first refused write, "wait"
    goes on trying: for a cutover that is rolled back), give_up_after (seconds without a
    connection that count as a refusal).
    """

    def __init__(self, conninfo, threads=4, rate=100.0, seed=None, without=(), log_path=None,
                 on_refusal="stop", give_up_after=10.0):
        unknown = set(without) - set(KINDS)
        if unknown:
            raise ValueError(f"no such kind of transaction: {sorted(unknown)}")
        self.conninfo = conninfo
        self.threads = threads
        self.rate = rate
        self.seed = seed
        self.without = set(without)
        self.on_refusal = on_refusal
        self.give_up_after = give_up_after
        self.stopping = threading.Event()
        self._log = open(log_path, "a", encoding="utf-8") if log_path else None
        self._lock = threading.Lock()
        self._counts = {}
        self._kinds = {}
        self._errors = []
        self._refused = None
        self._refused_at = None
        self._last_commit_at = None
        self._longest_gap = 0.0
        self._began = None
        self._workers = [Worker(self, n) for n in range(1, threads + 1)]

    def start(self):
        """Starts the workers and returns at once."""
        self._began = time.time()
        for w in self._workers:
            w.start()

    def wait(self, timeout=None):
        """Waits until every worker has ended; False on timeout."""
        end = None if timeout is None else time.monotonic() + timeout
        for w in self._workers:
            w.join(None if end is None else max(0.0, end - time.monotonic()))
        return not any(w.is_alive() for w in self._workers)

    def stop(self):
        """Ends politely: running transactions finish, blocked ones are cancelled. Returns the summary."""
        self.stopping.set()
        if not self.wait(3.0):
            for w in self._workers:
                if w.is_alive() and w.conn is not None and not w.conn.closed:
                    w.conn.cancel()
            self.wait(10.0)
        return self.summary()

    def done(self, t, name, state):
        """Logs one finished transaction."""
        now = time.time()
        with self._lock:
            self._counts[state] = self._counts.get(state, 0) + 1
            if state == "committed":
                self._kinds[name] = self._kinds.get(name, 0) + 1
                if self._last_commit_at is not None:
                    self._longest_gap = max(self._longest_gap, now - self._last_commit_at)
                self._last_commit_at = now
            if self._log:
                self._log.write(json.dumps({"txn": str(t.id), "kind": name, "steps": t.steps,
                                            "state": state, "at": now}) + "\n")
                self._log.flush()

    def count(self, what):
        """Counts something that is not a finished transaction."""
        with self._lock:
            self._counts[what] = self._counts.get(what, 0) + 1

    def refuse(self, why):
        """A worker met a server that takes no writes: everybody stops."""
        with self._lock:
            if self._refused is None and not self.stopping.is_set():
                self._refused = why
                self._refused_at = time.time()
        self.stopping.set()

    def fail(self, why):
        """A worker died of something that should not happen."""
        with self._lock:
            self._errors.append(why)
        self.stopping.set()

    def summary(self):
        """What happened so far, as a dict that JSON can take."""
        with self._lock:
            return {"committed": self._counts.get("committed", 0),
                    "rolled_back": self._counts.get("rolled_back", 0),
                    "unknown": self._counts.get("unknown", 0),
                    "rejected": self._counts.get("rejected", 0),
                    "gave_way": self._counts.get("gave_way", 0),
                    "refused_writes": self._counts.get("refused", 0),
                    "reconnected": self._counts.get("reconnected", 0),
                    "kinds": dict(sorted(self._kinds.items())),
                    "seconds": round(time.time() - (self._began or time.time()), 1),
                    "ended_by": "refusal" if self._refused else
                                "error" if self._errors else "stop" if self.stopping.is_set() else None,
                    "refusal": self._refused,
                    "last_commit_at": self._last_commit_at,
                    "refused_at": self._refused_at,
                    "longest_gap_ms": round(self._longest_gap * 1000),
                    "errors": list(self._errors)}


def wait_until_writable(conninfo, timeout):
    """Tries a write that is always rolled back, until the server takes it; returns the time or None."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            with psycopg.connect(conninfo, options=SETTINGS, connect_timeout=5) as conn:
                conn.execute("INSERT INTO app.audit_txn (txn, worker, kind, steps) "
                             "VALUES (gen_random_uuid(), 0, 'probe', 0)")
                conn.rollback()
            return time.time()
        except psycopg.Error:
            time.sleep(0.02)
    return None


# ---------------------------------------------------------------------------------------------
# the proof


@dataclass
class AuditReport:
    """What the audit tables of a server say about the transactions of a log."""

    committed: int = 0
    missing: list = field(default_factory=list)     # logged as committed, not there
    split: list = field(default_factory=list)       # there with another number of steps
    undone: list = field(default_factory=list)      # rolled back by us, but there
    stray: list = field(default_factory=list)       # there, but in no log
    orphans: int = 0                                # steps without their transaction

    @property
    def ok(self):
        """True if every transaction is there once and whole, and nothing else is."""
        return not (self.missing or self.split or self.undone or self.stray or self.orphans)

    def __str__(self):
        return (f"{self.committed} transactions: {len(self.missing)} missing, {len(self.split)} split, "
                f"{len(self.undone)} rolled back but present, {len(self.stray)} unknown to the log, "
                f"{self.orphans} orphan steps")


def read_log(path):
    """The log as {txn uuid: (state, steps)}."""
    with open(path, encoding="utf-8") as f:
        return {e["txn"]: (e["state"], e["steps"]) for e in map(json.loads, f)}


def check_audit(conninfo, log_path):
    """Compares app.audit_txn and app.audit_step of a server with the log of the writer."""
    log = read_log(log_path)
    report = AuditReport(committed=sum(1 for s, _ in log.values() if s == "committed"))
    with psycopg.connect(conninfo, options=SETTINGS) as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        there = {str(txn): (steps, found) for txn, steps, found in conn.execute(
            "SELECT t.txn, t.steps, count(s.step) FROM app.audit_txn t "
            "LEFT JOIN app.audit_step s USING (txn) GROUP BY t.txn, t.steps")}
        report.orphans = conn.execute(
            "SELECT count(*) FROM app.audit_step s "
            "WHERE NOT EXISTS (SELECT FROM app.audit_txn t WHERE t.txn = s.txn)").fetchone()[0]
    for txn, (state, steps) in log.items():
        if txn not in there:
            if state == "committed":
                report.missing.append(txn)
        elif state == "rolled_back":
            report.undone.append(txn)
        elif there[txn] != (steps, steps):
            report.split.append(txn)
    report.stray = [txn for txn in there if txn not in log]
    return report


# ---------------------------------------------------------------------------------------------
# command line


def run_command(args):
    """`run`: writes until told to stop or refused; prints the summary as JSON."""
    load = Workload(os.environ[args.conninfo_env], threads=args.threads, rate=args.rate, seed=args.seed,
                    without=args.without, log_path=args.log, on_refusal=args.on_refusal)
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: load.stopping.set())
    load.start()
    end = time.monotonic() + args.seconds if args.seconds else None
    while not load.stopping.wait(0.1):
        if end is not None and time.monotonic() > end:
            break
    summary = load.stop()
    if args.then_env and summary["refused_at"]:
        writable_at = wait_until_writable(os.environ[args.then_env], args.then_timeout)
        if writable_at:
            summary["writable_at"] = writable_at
            summary["client_downtime_ms"] = round((writable_at - summary["last_commit_at"]) * 1000)
    text = json.dumps(summary, indent=2)
    print(text)
    if args.summary:
        with open(args.summary, "w", encoding="utf-8") as f:
            f.write(text + "\n")
    return 1 if summary["errors"] else 0


def check_command(args):
    """`check`: is every logged transaction on this server, whole?"""
    report = check_audit(os.environ[args.conninfo_env], args.log)
    print(report)
    for name in ("missing", "split", "undone", "stray"):
        for txn in getattr(report, name)[:10]:
            print(f"  {name}: {txn}")
    return 0 if report.ok else 1


def main():
    """Reads the arguments and runs one command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="write until SIGTERM or until the server refuses writes")
    run.add_argument("--conninfo-env", default="SOURCE", help="variable with the connection string")
    run.add_argument("--threads", type=int, default=4)
    run.add_argument("--rate", type=float, default=100.0, help="transactions per second; 0: no limit")
    run.add_argument("--seconds", type=float, help="end by itself after so long")
    run.add_argument("--seed", type=int)
    run.add_argument("--without", nargs="*", default=[], metavar="KIND", help=", ".join(KINDS))
    run.add_argument("--log", help="a JSON line per finished transaction")
    run.add_argument("--summary", help="the summary goes here too")
    run.add_argument("--on-refusal", choices=["stop", "wait"], default="stop")
    run.add_argument("--then-env", help="variable with a connection string: once refused, try (and "
                     "roll back) a write there until it works, and report the gap a client saw")
    run.add_argument("--then-timeout", type=float, default=120.0, metavar="SECONDS")
    check = commands.add_parser("check", help="compare a server's audit tables with the log")
    check.add_argument("--conninfo-env", default="TARGET")
    check.add_argument("--log", required=True)
    args = parser.parse_args()
    return run_command(args) if args.command == "run" else check_command(args)


if __name__ == "__main__":
    sys.exit(main())
