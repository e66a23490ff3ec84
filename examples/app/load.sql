-- load.sql: rows for schema.sql, set-based and the same on every run of one server version.
--
-- Owns: what the tables hold before the workload starts; about 2.6 million rows and 60 MB of
-- incompressible bytea at scale 1. The values are chosen to be awkward where that costs nothing:
-- infinities, NaN, empty arrays, quotes, backslashes, newlines, several scripts, NULLs.
-- Parameter: scale (1 by default; the tests use 0.01). Needs a superuser: foreign key triggers are
-- off while loading, and the last statement proves every foreign key by an anti-join instead.
--
--     psql -X -v scale=0.01 -d shop -f load.sql

\set ON_ERROR_STOP on
\if :{?scale}
\else
\set scale 1
\endif
SET client_min_messages = warning;
SET timezone = 'UTC';
SET synchronous_commit = off;
SET max_parallel_workers_per_gather = 0;
SET session_replication_role = replica;

SELECT greatest(50, (50000 * :scale)::bigint) AS customers,
       greatest(40, (5000 * :scale)::bigint) AS products,
       greatest(20, (3000 * :scale)::bigint) AS images,
       greatest(100, (150000 * :scale)::bigint) AS orders,
       greatest(50, (120000 * :scale)::bigint) AS shipments,
       greatest(20, (500 * sqrt(:scale))::bigint) AS devices,
       greatest(500, (900000 * :scale)::bigint) AS metrics,
       greatest(100, (200000 * :scale)::bigint) AS events,
       greatest(50, (25000 * :scale)::bigint) AS changes,
       greatest(20, (8000 * :scale)::bigint) AS notes
\gset

BEGIN;
SELECT setseed(0.20261101) \g /dev/null

INSERT INTO ref.country (code, name, eu, languages)
SELECT chr(65 + i / 26) || chr(65 + i % 26), 'Country ' || i, i % 3 = 0,
       CASE i % 4 WHEN 0 THEN '{}' WHEN 1 THEN '{de}' WHEN 2 THEN '{fr,"pt,br"}'
                  ELSE ARRAY['日本語', 'x"y', NULL] END
FROM generate_series(0, 119) i;

INSERT INTO ref.currency VALUES ('EUR', 2, '€'), ('USD', 2, '$'), ('JPY', 0, '¥'), ('KWD', 3, 'د.ك');

INSERT INTO ref.category (id, parent_id, title, path)
SELECT i, CASE WHEN i > 8 THEN 1 + i % 8 END, 'Category ' || i,
       CASE WHEN i > 8 THEN ARRAY['Category ' || (1 + i % 8), 'Category ' || i]
            ELSE ARRAY['Category ' || i] END
FROM generate_series(1, 80) i;

INSERT INTO ref.surcharge (weight, percent)
SELECT app.weight_range(i * 2.5, (i + 1) * 2.5), i * 1.25 FROM generate_series(0, 19) i;
INSERT INTO ref.surcharge (weight, percent) VALUES (app.weight_range(50, NULL), 99.99);

INSERT INTO app.customer (public_id, email, full_name, tier, tier_history, country, tags,
                          preferences, loyalty_points, created_at, updated_at)
SELECT md5('customer' || i)::uuid, 'user' || i || '@example.org',
       (ARRAY['Ada', 'Grace', 'Zoë', 'Łukasz', '李', 'Ömer', 'O''Neil', 'Anna-Maria'])[1 + i % 8]
           || ' ' || (ARRAY['Lovelace', 'Hopper', 'García', 'Nowak', '小龙', 'Müller'])[1 + i % 6]
           || ' ' || i,
       (ARRAY['bronze', 'bronze', 'silver', 'gold', 'house account'])[1 + i % 5]::app.customer_tier,
       CASE WHEN i % 7 = 0 THEN '{}' ELSE '{bronze,"house account"}' END::app.customer_tier[],
       chr(65 + i % 120 / 26) || chr(65 + i % 120 % 26),
       CASE WHEN i % 5 = 0 THEN '{}' ELSE ARRAY['tag' || i % 11, E'back\\slash', 'a b'] END,
       CASE WHEN i % 50 = 0     -- one in fifty is out of line
            THEN jsonb_build_object('history', (SELECT jsonb_agg(md5(i || '.' || k))
                                                FROM generate_series(1, 90) k))
            ELSE jsonb_build_object('lang', 'de', 'n', i, 'news', i % 2 = 0, 'none', NULL) END,
       i % 5000,
       '2026-11-01 00:00:00+00'::timestamptz - i * interval '7 minutes',
       '2026-11-01 00:00:00+00'::timestamptz - i * interval '3 minutes'
FROM generate_series(1, :customers) i;

INSERT INTO app.address (customer_id, kind, lines, postcode, country, place)
SELECT c.id, k.kind, ARRAY[c.full_name, E'Main "St."\t' || c.id % 300, ''], (10000 + c.id % 89999)::text,
       c.country, CASE WHEN c.id % 3 > 0 THEN point(c.id % 180, c.id % 90) END
FROM app.customer c
JOIN (VALUES ('home', 1), ('work', 4)) k (kind, every) ON c.id % k.every = 0
ORDER BY c.id, k.kind;

INSERT INTO app.warehouse (code, title, place, opens, network)
SELECT 'WH-' || lpad(i::text, 3, '0'), 'Warehouse ' || i, point(i * 7.5, -i / 3.0),
       ('0' || i % 10 || ':30:00+0' || i % 9)::timetz, ('10.' || i || '.0.0/16')::cidr
FROM generate_series(1, 10) i;
INSERT INTO app.dock (warehouse_code, dock_no, busy)
SELECT w.code, d, CASE WHEN d % 2 = 0 THEN tstzrange('2026-11-01', 'infinity') END
FROM app.warehouse w, generate_series(1, 12) d ORDER BY w.id, d;

INSERT INTO app.maintenance_window (during, reason)
SELECT tstzrange(t, t + interval '2 hours'), 'weekly check ' || t::date
FROM generate_series('2026-01-04 02:00:00+00'::timestamptz, '2026-10-25', '7 days') t;

INSERT INTO app.product (sku, title, description, category_id, price, size, attributes)
SELECT chr(65 + i % 26) || chr(65 + i / 26 % 26) || '-' || lpad(i::text, 6, '0'),
       'Product ' || i,
       CASE WHEN i % 4 > 0 THEN E'line one\nline two of ' || i || E'\\.\n' || repeat('Lorem ', i % 60) END,
       1 + i % 80, (i % 9000) + 0.99,
       CASE WHEN i % 10 > 0 THEN ROW(100 + i % 900, 50 + i % 500, 10 + i % 300)::app.dimensions END,
       jsonb_build_object('colour', 'c' || i % 17, 'sizes', jsonb_build_array(i % 3, i % 5, 1e3, 1.50))
FROM generate_series(1, :products) i;

-- Incompressible content: hash blocks, 64 bytes each, 8 to 32 kB an image.
INSERT INTO app.product_image (product_id, image_no, caption, content)
SELECT 1 + i % :products, 1 + i / :products, 'image ' || i, b.content
FROM generate_series(0, :images - 1) i,
     LATERAL (SELECT string_agg(sha512(convert_to(i || '/' || k, 'UTF8')), NULL::bytea ORDER BY k) AS content
              FROM generate_series(1, 128 + (i * 37 % 384)::integer) k) b;

INSERT INTO app.stock (warehouse_id, product_id, on_hand, reserved, updated_at)
SELECT w, p, 20 + (p * 13 + w * 7) % 500, p % 20, '2026-11-01 00:00:00+00'
FROM generate_series(1, :products) p, generate_series(1, 10) w;

INSERT INTO app.orders (customer_id, status, currency, placed_at, promised, client_address, note, updated_at)
SELECT 1 + (i * 7919) % :customers,
       (ARRAY['new', 'paid', 'packed', 'shipped', 'done', 'done', 'done', 'cancelled'])[1 + i % 8]::app.order_status,
       (ARRAY['EUR', 'EUR', 'USD', 'JPY', 'KWD'])[1 + i % 5],
       '2026-11-01 00:00:00+00'::timestamptz - (:orders - i) * (interval '230 days' / :orders),
       (i % 9) * interval '1 day 02:03:04.000005',
       CASE WHEN i % 3 = 0 THEN '2001:db8::' || to_hex(i % 65536)
            WHEN i % 3 = 1 THEN '192.0.2.' || i % 256 END::inet,
       CASE WHEN i % 20 = 0 THEN E'please ring "twice"\r\nand ''wait''' END,
       '2026-11-01 00:00:00+00'
FROM generate_series(1, :orders) i;

INSERT INTO app.order_line (order_id, line_no, product_id, quantity, unit_price)
SELECT o, l, 1 + (o * 31 + l * 17) % :products, 1 + (o + l) % 5, (o % 9000) + 0.49
FROM generate_series(1, :orders) o, generate_series(1, 3) l;

INSERT INTO app.shipment (id, order_id, state, carrier, weight_kg, label, manifest, updated_at)
SELECT md5('shipment' || i)::uuid, i,
       (ARRAY['booked', 'picked_up', 'in_transit', 'delivered', 'lost'])[1 + i % 5]::app.shipment_state,
       'carrier ' || i % 7, (i % 3000) / 7.0,
       CASE WHEN i % 40 = 0
            THEN (SELECT string_agg(sha512(convert_to('label' || i || k, 'UTF8')), NULL::bytea)
                  FROM generate_series(1, 50) k) END,
       CASE WHEN i % 20 = 0
            THEN jsonb_build_object('items', (SELECT jsonb_agg(md5(i || ':' || k))
                                              FROM generate_series(1, 100) k))
            ELSE jsonb_build_object('items', jsonb_build_array(i, i + 1)) END,
       '2026-11-01 00:00:00+00'
FROM generate_series(1, :shipments) i;

INSERT INTO app.shipment_event (shipment_id, occurred_at, state, place, scanner, extra)
SELECT md5('shipment' || i)::uuid,
       '2026-11-01 00:00:00+00'::timestamptz - (:shipments - i) * (interval '240 days' / :shipments)
           + k * interval '3 hours',
       (ARRAY['booked', 'picked_up', 'in_transit'])[k]::app.shipment_state,
       'Ort ' || (i + k) % 400, CASE WHEN k = 2 THEN '08:00:2b:01:02:03'::macaddr END,
       CASE WHEN i % 9 = 0 THEN jsonb_build_object('by', k) END
FROM generate_series(1, :shipments) i, generate_series(1, 3) k;

INSERT INTO app.cart_hold (customer_id, until)
SELECT 1 + i % :customers, '2026-11-01 01:00:00+00' FROM generate_series(1, 30) i;
INSERT INTO app.cart_hold_item (hold_id, product_id)
SELECT h, 1 + (h + k) % :products FROM generate_series(1, 30) h, generate_series(0, 1) k;

-- Without a key, with true duplicates, and with numbers that are equal but not the same.
INSERT INTO app.change_log (at, what, amount, detail)
SELECT '2026-10-01 00:00:00+00'::timestamptz + (i / 3) * interval '1 minute', 'change ' || i / 3,
       CASE i % 7 WHEN 0 THEN 1.0 WHEN 1 THEN 1.00 WHEN 2 THEN 'NaN' WHEN 3 THEN NULL ELSE i / 3 END,
       CASE WHEN i % 4 > 0 THEN ('{"n": ' || i / 3 || ',  "s":"x"}')::json END
FROM generate_series(1, :changes) i;
INSERT INTO app.change_log (at, what, amount, detail)
SELECT '2026-10-01 00:00:00+00', 'duplicate', 1.0, '{"a":1}' FROM generate_series(1, 10);

INSERT INTO app.pickup_code (code, order_id, valid_until)
SELECT upper(substr(md5('code' || i), 1, 3)) || lpad(to_hex(i), 3, '0'), i,
       CASE WHEN i % 2 = 0 THEN 'infinity' ELSE date '2026-11-01' + i::integer % 90 END
FROM generate_series(1, least(4000, :orders)) i;

INSERT INTO app.ticket (order_id, flags, body)
SELECT i, (i % 16)::bit(4)::varbit, 'ticket body ' || repeat('é', i::integer % 50)
FROM generate_series(1, least(2000, :orders)) i;

INSERT INTO app.import_scratch SELECT 'scratch ' || i FROM generate_series(1, 100) i;

INSERT INTO billing.invoice (number, order_id, currency, net, tax, issued_on, due)
SELECT 'INV-' || nextval('billing.invoice_number'), i, (ARRAY['EUR', 'EUR', 'USD', 'JPY', 'KWD'])[1 + i % 5],
       100 + i % 5000, (100 + i % 5000) * 0.19, date '2026-03-20' + (i * 220 / :shipments)::integer,
       daterange(date '2026-03-20' + (i * 220 / :shipments)::integer, NULL)
FROM generate_series(1, :shipments) i;

INSERT INTO billing.payment (invoice_id, method, amount, paid_at, reference)
SELECT i, (ARRAY['card', 'transfer', 'cash'])[1 + i % 3], 100 + i % 5000,
       CASE WHEN i % 997 = 0 THEN 'infinity' ELSE timestamp '2026-11-01' - i * interval '1 minute' END,
       CASE WHEN i % 2 = 0 THEN jsonb_build_object('iban', md5(i::text)) END
FROM generate_series(1, :shipments) i WHERE i % 6 > 0;

INSERT INTO billing."Tax Rate"
SELECT c.code, d, (ARRAY[0, 19.25, 1e-300, '-0', 'NaN', 'Infinity'])[1 + (ascii(c.code) + extract(year FROM d)::integer) % 6]
FROM ref.country c, (VALUES (date '2020-01-01'), ('2024-07-01'), ('2026-01-01')) v (d);

INSERT INTO telemetry.device (serial, warehouse_id, mac, last_seen, settings)
SELECT 'BOX-' || lpad(i::text, 6, '0'), 1 + i % 10, '08:00:2b:01:02:03:04:05',
       '2026-11-01 00:00:00+00',
       CASE WHEN i % 5 = 0 THEN jsonb_build_object('calibration', (SELECT jsonb_agg(md5(i || 'c' || k))
                                                                   FROM generate_series(1, 80) k))
            ELSE '{"rate": 60}' END
FROM generate_series(1, :devices) i;

-- Sixty days of readings, oldest first.
INSERT INTO telemetry.metrics (time, device_id, temperature, humidity, battery_mv, payload)
SELECT '2026-09-02 00:00:00+00'::timestamptz + (i / :devices) * (interval '60 days' / (:metrics / :devices + 1)),
       1 + i % :devices,
       CASE WHEN i % 5000 = 0 THEN 'NaN' ELSE 20 + 10 * sin(i / 1000.0) + random() END,
       (40 + i % 50)::real / 3, (3000 + i % 1200)::smallint,
       CASE WHEN i % 25 = 0 THEN jsonb_build_object('fw', '1.' || i % 9, 'rssi', -(i % 90)) END
FROM generate_series(0, :metrics - 1) i;

INSERT INTO telemetry.events (time, device_id, kind, severity, message, detail)
SELECT '2026-09-02 00:00:00+00'::timestamptz + i * (interval '60 days' / :events), 1 + (i * 7) % :devices,
       (ARRAY['boot', 'door', 'shock', 'tilt', 'low_battery', 'geofence'])[1 + i % 6]::telemetry.event_kind,
       i % 6, CASE WHEN i % 3 = 0 THEN 'event ' || i END,
       CASE WHEN i % 4 = 0 THEN jsonb_build_object('g', round((i % 100) / 9.81, 3)) END
FROM generate_series(1, :events) i;

INSERT INTO "Legacy Shop"."Customer Notes" ("customer", "Note; text", "select", "Über""quoted""")
SELECT 1 + i % :customers,
       CASE i % 5 WHEN 0 THEN E'tab\there' WHEN 1 THEN E'new\nline' WHEN 2 THEN '\N' WHEN 3 THEN '' END,
       CASE WHEN i % 2 = 0 THEN i END, 'ß' || i
FROM generate_series(1, :notes) i;

COMMIT;

SET session_replication_role = origin;

-- Every foreign key holds, although its triggers were off: one anti-join per constraint.
DO $$
DECLARE
    fk record;
    orphans bigint;
BEGIN
    FOR fk IN
        SELECT c.conname, c.conrelid::regclass AS child,
               format('SELECT count(*) FROM %s c LEFT JOIN %s p ON %s WHERE p.tableoid IS NULL AND %s',
                      c.conrelid::regclass, c.confrelid::regclass,
                      string_agg(format('c.%I = p.%I', a.attname, b.attname), ' AND '),
                      string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ')) AS query
        FROM pg_constraint c
        CROSS JOIN unnest(c.conkey, c.confkey) k (child_att, parent_att)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.child_att
        JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.parent_att
        WHERE c.contype = 'f' AND c.conparentid = 0
        GROUP BY c.oid, c.conname, c.conrelid, c.confrelid
    LOOP
        EXECUTE fk.query INTO orphans;
        IF orphans > 0 THEN
            RAISE EXCEPTION 'foreign key % of %: % orphans', fk.conname, fk.child, orphans;
        END IF;
    END LOOP;
END
$$;

REFRESH MATERIALIZED VIEW billing.monthly_revenue;
REFRESH MATERIALIZED VIEW billing.top_debtor;
ANALYZE;
