"""workload_kinds.py: what the transactions of workload.py do.

Owns: Txn (one open transaction and the notes of what it changed) and KINDS, the table of
transaction kinds with their weights; one function each. A kind gets an open Txn, changes the
database, and calls `did` for everything it changed. It never commits.
"""

import json
import time
import uuid

import psycopg


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
