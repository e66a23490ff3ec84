-- schema.sql: the example application, a parcel shop with tracked freight boxes.
--
-- Owns: every object of the database that the tour, the demo and the scenario tests migrate: five
-- schemas, about thirty relations, and on purpose many of the things that make a migration hard
-- (see README.md in this folder for the list). Runs on PostgreSQL 14 to 18, needs no extension.
-- Does not own: rows (load.sql) and traffic (workload.py).
--
--     psql -X -v ON_ERROR_STOP=1 -d shop -f schema.sql

\set ON_ERROR_STOP on
SET client_min_messages = warning;
BEGIN;

CREATE SCHEMA ref;
CREATE SCHEMA app;
CREATE SCHEMA billing;
CREATE SCHEMA telemetry;
CREATE SCHEMA "Legacy Shop";

COMMENT ON SCHEMA app IS 'the shop itself: customers, orders, stock, freight';
COMMENT ON SCHEMA "Legacy Shop" IS 'imported from the old system; its names were kept ''as they were''';

-- ---------------------------------------------------------------------------------------------
-- types

CREATE TYPE app.customer_tier AS ENUM ('bronze', 'silver', 'gold', 'house account');
CREATE TYPE app.order_status AS ENUM ('new', 'paid', 'packed', 'shipped', 'done', 'cancelled');
CREATE TYPE app.shipment_state AS ENUM ('booked', 'picked_up', 'in_transit', 'delivered', 'lost');
CREATE TYPE app.dimensions AS (length_mm integer, width_mm integer, height_mm integer);
CREATE TYPE app.weight_range AS RANGE (SUBTYPE = numeric);
CREATE TYPE telemetry.event_kind AS ENUM ('boot', 'door', 'shock', 'tilt', 'low_battery', 'geofence');

CREATE DOMAIN ref.currency_code AS char(3) CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE DOMAIN ref.country_code AS char(2) CHECK (VALUE ~ '^[A-Z]{2}$');
CREATE DOMAIN app.email AS text CHECK (VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$');
CREATE DOMAIN app.sku AS varchar(20) NOT NULL CHECK (VALUE ~ '^[A-Z]{2}-[0-9]{6}$');
CREATE DOMAIN billing.money_amount AS numeric(14, 2);

-- ---------------------------------------------------------------------------------------------
-- functions that tables need

CREATE FUNCTION app.normal_name(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT pg_catalog.lower(pg_catalog.btrim(name)) $$;

CREATE FUNCTION app.volume_l(d app.dimensions) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT (d).length_mm::numeric * (d).width_mm * (d).height_mm / 1000000 $$;

CREATE FUNCTION app.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at := pg_catalog.clock_timestamp();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION app.touch_updated_at() IS 'trigger: keeps updated_at honest';

-- ---------------------------------------------------------------------------------------------
-- ref

CREATE TABLE ref.country (
    code ref.country_code PRIMARY KEY,
    name text NOT NULL,
    eu boolean NOT NULL DEFAULT false,
    languages text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE ref.currency (
    code ref.currency_code PRIMARY KEY,
    minor_units smallint NOT NULL DEFAULT 2 CHECK (minor_units BETWEEN 0 AND 4),
    symbol text NOT NULL
);

CREATE RULE currency_is_kept AS ON DELETE TO ref.currency DO INSTEAD NOTHING;

CREATE TABLE ref.category (
    id smallint PRIMARY KEY,
    parent_id smallint REFERENCES ref.category (id) DEFERRABLE INITIALLY DEFERRED,
    title text NOT NULL,
    path text[] NOT NULL
);

CREATE TABLE ref.surcharge (
    id integer GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 10) PRIMARY KEY,
    weight app.weight_range NOT NULL,
    percent numeric(5, 2) NOT NULL CHECK (percent >= 0),
    EXCLUDE USING gist (weight WITH &&)
);

-- ---------------------------------------------------------------------------------------------
-- app

CREATE TABLE app.customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    old_code text,
    public_id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    email app.email NOT NULL,
    full_name text NOT NULL,
    tier app.customer_tier NOT NULL DEFAULT 'bronze',
    tier_history app.customer_tier[] NOT NULL DEFAULT '{}',
    country ref.country_code NOT NULL REFERENCES ref.country (code),
    tags text[] NOT NULL DEFAULT '{}',
    preferences jsonb NOT NULL DEFAULT '{}',
    loyalty_points integer NOT NULL DEFAULT 0,
    search_name text GENERATED ALWAYS AS (app.normal_name(full_name)) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT customer_points_not_negative CHECK (loyalty_points >= 0)
) WITH (fillfactor = 85);
-- A dropped column: attribute numbers on the source have a hole that the target's do not.
ALTER TABLE app.customer DROP COLUMN old_code;
CREATE UNIQUE INDEX customer_email_lower ON app.customer (lower(email));
CREATE INDEX customer_preferences ON app.customer USING gin (preferences jsonb_path_ops);
CREATE INDEX customer_tags ON app.customer USING gin (tags);
CREATE INDEX customer_gold ON app.customer (created_at DESC) INCLUDE (email) WHERE tier = 'gold';
CREATE INDEX customer_search_name ON app.customer (search_name text_pattern_ops);
COMMENT ON TABLE app.customer IS 'who buys; "deleted" customers are renamed, never removed';
COMMENT ON COLUMN app.customer.tier_history IS 'every tier the customer ever had, oldest first';

CREATE TABLE app.address (
    id bigserial PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES app.customer (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('home', 'work', 'pickup')),
    lines text[] NOT NULL,
    postcode varchar(12) NOT NULL,
    country ref.country_code NOT NULL REFERENCES ref.country (code),
    place point,
    UNIQUE (customer_id, kind)
);
CREATE INDEX address_place ON app.address USING gist (place);
CREATE INDEX address_postcode ON app.address USING hash (postcode);

CREATE TABLE app.warehouse (
    code varchar(8) PRIMARY KEY,
    id integer GENERATED BY DEFAULT AS IDENTITY UNIQUE,
    title text NOT NULL,
    place point NOT NULL,
    opens timetz NOT NULL,
    network cidr NOT NULL
);

CREATE TABLE app.dock (
    warehouse_code varchar(8) NOT NULL
        REFERENCES app.warehouse (code) ON UPDATE CASCADE ON DELETE RESTRICT,
    dock_no smallint NOT NULL,
    busy tstzrange,
    PRIMARY KEY (warehouse_code, dock_no)
);

CREATE TABLE app.maintenance_window (
    id serial PRIMARY KEY,
    during tstzrange NOT NULL CHECK (NOT isempty(during)),
    reason text NOT NULL,
    CONSTRAINT one_maintenance_at_a_time EXCLUDE USING gist (during WITH &&)
);

CREATE TABLE app.product (
    id serial PRIMARY KEY,
    sku app.sku UNIQUE,
    title text NOT NULL,
    description text,
    category_id smallint NOT NULL REFERENCES ref.category (id),
    price billing.money_amount NOT NULL CHECK (price >= 0),
    size app.dimensions,
    volume_l numeric GENERATED ALWAYS AS (app.volume_l(size)) STORED,
    attributes jsonb NOT NULL DEFAULT '{}',
    words tsvector GENERATED ALWAYS AS
        (to_tsvector('pg_catalog.simple', title || ' ' || coalesce(description, ''))) STORED
);
CREATE INDEX product_words ON app.product USING gin (words);
CREATE INDEX product_price_cents ON app.product (((price * 100)::bigint));

CREATE TABLE app.product_image (
    product_id integer NOT NULL REFERENCES app.product (id) ON DELETE CASCADE,
    image_no smallint NOT NULL,
    caption text NOT NULL,
    content bytea NOT NULL,
    content_sha256 bytea GENERATED ALWAYS AS (sha256(content)) STORED,
    content_size integer GENERATED ALWAYS AS (octet_length(content)) STORED,
    PRIMARY KEY (product_id, image_no)
);
ALTER TABLE app.product_image ALTER COLUMN content SET STORAGE EXTERNAL;
COMMENT ON COLUMN app.product_image.content IS '8 to 32 kB that do not compress: always out of line';

CREATE TABLE app.stock (
    warehouse_id integer NOT NULL REFERENCES app.warehouse (id),
    product_id integer NOT NULL REFERENCES app.product (id),
    on_hand integer NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
    reserved integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    available integer GENERATED ALWAYS AS (on_hand - reserved) STORED,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (product_id, warehouse_id)
) WITH (fillfactor = 70);
CREATE INDEX stock_short ON app.stock (warehouse_id, product_id) WHERE on_hand - reserved < 5;

CREATE TABLE app.orders (
    id bigint GENERATED ALWAYS AS IDENTITY (CACHE 20) PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES app.customer (id),
    status app.order_status NOT NULL DEFAULT 'new',
    currency ref.currency_code NOT NULL REFERENCES ref.currency (code),
    placed_at timestamptz NOT NULL DEFAULT now(),
    promised interval NOT NULL DEFAULT '3 days',
    client_address inet,
    note text,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_customer ON app.orders (customer_id, placed_at DESC);
CREATE INDEX orders_open ON app.orders (placed_at) WHERE status IN ('new', 'paid', 'packed');
CREATE INDEX orders_placed_brin ON app.orders USING brin (placed_at);
CREATE STATISTICS app.orders_status_currency (dependencies) ON status, currency FROM app.orders;
ALTER TABLE app.orders ALTER COLUMN customer_id SET STATISTICS 500;

CREATE TABLE app.order_line (
    order_id bigint NOT NULL REFERENCES app.orders (id) ON DELETE CASCADE,
    line_no smallint NOT NULL,
    product_id integer NOT NULL REFERENCES app.product (id),
    quantity integer NOT NULL CHECK (quantity > 0),
    unit_price billing.money_amount NOT NULL,
    line_total numeric(16, 2) GENERATED ALWAYS AS (quantity * unit_price) STORED,
    PRIMARY KEY (order_id, line_no)
);
CREATE INDEX order_line_product ON app.order_line (product_id);

CREATE TABLE app.shipment (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id bigint NOT NULL REFERENCES app.orders (id),
    state app.shipment_state NOT NULL DEFAULT 'booked',
    carrier text NOT NULL,
    weight_kg real NOT NULL,
    label bytea,
    manifest jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX shipment_order ON app.shipment (order_id);
CREATE INDEX shipment_manifest ON app.shipment USING gin (manifest);

-- Partitioned by range. The identity-like default is a sequence, since identity columns on
-- partitioned tables exist only from PostgreSQL 17 on.
CREATE SEQUENCE app.shipment_event_seq AS bigint CACHE 10;
CREATE TABLE app.shipment_event (
    shipment_id uuid NOT NULL REFERENCES app.shipment (id) ON DELETE CASCADE,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    seq bigint NOT NULL DEFAULT nextval('app.shipment_event_seq'),
    state app.shipment_state NOT NULL,
    place text,
    scanner macaddr,
    extra jsonb,
    PRIMARY KEY (occurred_at, seq)
) PARTITION BY RANGE (occurred_at);
ALTER SEQUENCE app.shipment_event_seq OWNED BY app.shipment_event.seq;
CREATE TABLE app.shipment_event_2026q3 PARTITION OF app.shipment_event
    FOR VALUES FROM ('2026-07-01 00:00:00+00') TO ('2026-10-01 00:00:00+00');
CREATE TABLE app.shipment_event_2026q4 PARTITION OF app.shipment_event
    FOR VALUES FROM ('2026-10-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
CREATE TABLE app.shipment_event_rest PARTITION OF app.shipment_event DEFAULT;
-- This leaf was attached later: its columns stand in another order and have a hole.
CREATE TABLE app.shipment_event_2026q2 (
    seq bigint NOT NULL DEFAULT nextval('app.shipment_event_seq'),
    scanner macaddr,
    gone integer,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    shipment_id uuid NOT NULL,
    extra jsonb,
    place text,
    state app.shipment_state NOT NULL
);
ALTER TABLE app.shipment_event_2026q2 DROP COLUMN gone;
ALTER TABLE app.shipment_event ATTACH PARTITION app.shipment_event_2026q2
    FOR VALUES FROM ('2026-04-01 00:00:00+00') TO ('2026-07-01 00:00:00+00');
CREATE INDEX shipment_event_shipment ON app.shipment_event (shipment_id, occurred_at);

CREATE TABLE app.cart_hold (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES app.customer (id),
    until timestamptz NOT NULL
);
CREATE TABLE app.cart_hold_item (
    hold_id integer NOT NULL REFERENCES app.cart_hold (id) ON DELETE CASCADE,
    product_id integer NOT NULL REFERENCES app.product (id),
    quantity integer NOT NULL DEFAULT 1,
    PRIMARY KEY (hold_id, product_id)
);

-- No primary key, whole rows as identity, a json column that has no equality operator.
CREATE TABLE app.change_log (
    at timestamptz NOT NULL DEFAULT now(),
    who name NOT NULL DEFAULT current_user,
    what text NOT NULL,
    amount numeric,
    detail json
);
ALTER TABLE app.change_log REPLICA IDENTITY FULL;
CREATE INDEX change_log_at ON app.change_log (at);

-- No primary key, identity by a unique index.
CREATE TABLE app.pickup_code (
    code char(6) NOT NULL,
    order_id bigint NOT NULL REFERENCES app.orders (id) ON DELETE CASCADE,
    valid_until date NOT NULL DEFAULT 'infinity'
);
CREATE UNIQUE INDEX pickup_code_code ON app.pickup_code (code);
ALTER TABLE app.pickup_code REPLICA IDENTITY USING INDEX pickup_code_code;

-- A sequence of its own that counts down; the default of one column uses it by a function.
CREATE SEQUENCE app.ticket_no AS integer INCREMENT BY -1 MINVALUE -2000000000 MAXVALUE -1 START -1;
CREATE FUNCTION app.next_ticket() RETURNS text
    LANGUAGE sql VOLATILE
    AS $$ SELECT 'T' || pg_catalog.abs(pg_catalog.nextval('app.ticket_no'))::text $$;
CREATE TABLE app.ticket (
    ticket text PRIMARY KEY DEFAULT app.next_ticket(),
    order_id bigint REFERENCES app.orders (id) ON DELETE SET NULL,
    flags bit varying(16) NOT NULL DEFAULT B'0',
    body text NOT NULL
);

-- A table that stays behind: the plan excludes it.
CREATE TABLE app.import_scratch (raw text);

-- What each writer transaction did, written by that transaction: app.audit_step one row per
-- changed row, app.audit_txn one row for the whole. workload.py writes them and checks them.
CREATE TABLE app.audit_txn (
    txn uuid PRIMARY KEY,
    worker smallint NOT NULL,
    kind text NOT NULL,
    steps integer NOT NULL CHECK (steps >= 0),
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE app.audit_step (
    txn uuid NOT NULL REFERENCES app.audit_txn (txn) DEFERRABLE INITIALLY DEFERRED,
    step integer NOT NULL,
    relation text NOT NULL,
    op char(1) NOT NULL CHECK (op IN ('i', 'u', 'd', 't')),
    row_key text NOT NULL,
    PRIMARY KEY (txn, step)
);
COMMENT ON TABLE app.audit_txn IS 'one row per workload transaction, written as its last act';

-- ---------------------------------------------------------------------------------------------
-- billing

CREATE SEQUENCE billing.invoice_number AS integer START WITH 20260001;
CREATE TABLE billing.invoice (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    number text NOT NULL UNIQUE,
    order_id bigint NOT NULL REFERENCES app.orders (id),
    currency ref.currency_code NOT NULL REFERENCES ref.currency (code),
    net billing.money_amount NOT NULL,
    tax billing.money_amount NOT NULL DEFAULT 0,
    gross numeric(14, 2) GENERATED ALWAYS AS (net + tax) STORED,
    issued_on date NOT NULL DEFAULT current_date,
    due daterange
);
CREATE INDEX invoice_order ON billing.invoice (order_id);
CREATE INDEX invoice_month ON billing.invoice ((date_trunc('month', issued_on::timestamp)));

CREATE FUNCTION billing.number_invoice() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.number IS NULL THEN
        NEW.number := 'INV-' || pg_catalog.nextval('billing.invoice_number');
    END IF;
    RETURN NEW;
END
$$;

CREATE TABLE billing.payment (
    id bigserial PRIMARY KEY,
    invoice_id bigint NOT NULL REFERENCES billing.invoice (id),
    method text NOT NULL CHECK (method IN ('card', 'transfer', 'cash')),
    amount billing.money_amount NOT NULL CHECK (amount <> 0),
    paid_at timestamp NOT NULL DEFAULT localtimestamp,
    reference jsonb
);
CREATE INDEX payment_invoice ON billing.payment (invoice_id);
CREATE UNIQUE INDEX payment_one_cash ON billing.payment (invoice_id) WHERE method = 'cash';

CREATE TABLE billing."Tax Rate" (
    country ref.country_code NOT NULL REFERENCES ref.country (code),
    "Valid From" date NOT NULL,
    "Rate %" double precision NOT NULL,
    PRIMARY KEY (country, "Valid From")
);

-- ---------------------------------------------------------------------------------------------
-- telemetry: two time-series tables, plain here, hypertables on the target

CREATE TABLE telemetry.device (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    serial text NOT NULL UNIQUE,
    warehouse_id integer REFERENCES app.warehouse (id),
    mac macaddr8,
    last_seen timestamptz,
    settings jsonb NOT NULL DEFAULT '{}',
    retired boolean NOT NULL DEFAULT false
);

CREATE TABLE telemetry.metrics (
    time timestamptz NOT NULL,
    device_id integer NOT NULL,
    temperature double precision,
    humidity real,
    battery_mv smallint,
    payload jsonb,
    PRIMARY KEY (device_id, time)
);
CREATE INDEX metrics_time ON telemetry.metrics (time DESC);
CREATE INDEX metrics_hot ON telemetry.metrics (time, device_id) WHERE temperature > 60;
COMMENT ON TABLE telemetry.metrics IS 'one row per device and reading';

CREATE TABLE telemetry.events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    time timestamptz NOT NULL,
    device_id integer NOT NULL REFERENCES telemetry.device (id),
    kind telemetry.event_kind NOT NULL,
    severity smallint NOT NULL DEFAULT 1 CHECK (severity BETWEEN 0 AND 5),
    message text,
    detail jsonb,
    PRIMARY KEY (id, time)
);
CREATE INDEX events_device ON telemetry.events (device_id, time DESC);
CREATE INDEX events_detail ON telemetry.events USING gin (detail);

-- ---------------------------------------------------------------------------------------------
-- the old system

CREATE TABLE "Legacy Shop"."Customer Notes" (
    "Id" serial PRIMARY KEY,
    "customer" bigint NOT NULL REFERENCES app.customer (id),
    "Note; text" text,
    "select" integer,
    "Über""quoted""" text
);
CREATE INDEX "Notes by Customer" ON "Legacy Shop"."Customer Notes" ("customer", "select");
COMMENT ON COLUMN "Legacy Shop"."Customer Notes"."Note; text" IS 'free text; may hold '' and \ and $$';

-- ---------------------------------------------------------------------------------------------
-- triggers

CREATE TRIGGER customer_touch BEFORE UPDATE ON app.customer
    FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();
CREATE TRIGGER orders_touch BEFORE UPDATE ON app.orders
    FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();
CREATE TRIGGER shipment_touch BEFORE UPDATE OF state, manifest ON app.shipment
    FOR EACH ROW WHEN (old.state IS DISTINCT FROM new.state)
    EXECUTE FUNCTION app.touch_updated_at();
CREATE TRIGGER invoice_number BEFORE INSERT ON billing.invoice
    FOR EACH ROW EXECUTE FUNCTION billing.number_invoice();

-- Stock that runs short leaves a line in the change log: a row that the source's trigger writes
-- and that the target must get once, from the stream, not again from its own trigger.
CREATE FUNCTION app.log_short_stock() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO app.change_log (what, amount, detail)
    SELECT 'short stock', n.available,
           pg_catalog.json_build_object('product', n.product_id, 'warehouse', n.warehouse_id)
    FROM fresh n JOIN stale o USING (product_id, warehouse_id)
    WHERE n.available < 5 AND o.available >= 5;
    RETURN NULL;
END
$$;
CREATE TRIGGER stock_short AFTER UPDATE ON app.stock
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION app.log_short_stock();

-- ---------------------------------------------------------------------------------------------
-- functions and views over the tables

CREATE FUNCTION app.order_total(wanted bigint) RETURNS numeric
    LANGUAGE sql STABLE STRICT
    BEGIN ATOMIC
        SELECT coalesce(sum(l.line_total), 0) FROM app.order_line l WHERE l.order_id = wanted;
    END;

CREATE AGGREGATE billing.multiply(numeric) (SFUNC = pg_catalog.numeric_mul, STYPE = numeric, INITCOND = '1');

CREATE VIEW app.open_order AS
    SELECT o.id, o.customer_id, o.status, o.placed_at, app.order_total(o.id) AS total
    FROM app.orders o
    WHERE o.status IN ('new', 'paid', 'packed')
    WITH LOCAL CHECK OPTION;
ALTER VIEW app.open_order ALTER COLUMN status SET DEFAULT 'new';

CREATE VIEW app.late_order AS
    SELECT v.*, c.email, c.tier
    FROM app.open_order v JOIN app.customer c ON c.id = v.customer_id
    WHERE v.placed_at < now() - interval '14 days';

-- Needs the primary key of app.customer (grouping by it): such a view can only be made once the
-- key exists, and so can everything that stands on it.
CREATE VIEW billing.customer_balance AS
    SELECT c.id, c.full_name, c.tier,
           coalesce(sum(i.gross), 0) AS invoiced,
           coalesce(sum(p.paid), 0) AS paid
    FROM app.customer c
    LEFT JOIN app.orders o ON o.customer_id = c.id
    LEFT JOIN billing.invoice i ON i.order_id = o.id
    LEFT JOIN (SELECT invoice_id, sum(amount) AS paid FROM billing.payment GROUP BY invoice_id) p
           ON p.invoice_id = i.id
    GROUP BY c.id;

CREATE VIEW billing.debtor AS
    SELECT id, full_name, invoiced - paid AS owes
    FROM billing.customer_balance WHERE invoiced > paid;

CREATE MATERIALIZED VIEW billing.monthly_revenue AS
    SELECT date_trunc('month', i.issued_on::timestamp)::date AS month, i.currency,
           count(*) AS invoices, sum(i.gross) AS gross
    FROM billing.invoice i GROUP BY 1, 2
    WITH NO DATA;
CREATE UNIQUE INDEX monthly_revenue_key ON billing.monthly_revenue (month, currency);

CREATE MATERIALIZED VIEW billing.top_debtor AS
    SELECT id, full_name, owes FROM billing.debtor ORDER BY owes DESC, id LIMIT 100
    WITH NO DATA;

CREATE VIEW telemetry.last_hour AS
    SELECT device_id, count(*) AS readings, max(time) AS newest, avg(temperature) AS temperature
    FROM telemetry.metrics WHERE time > now() - interval '1 hour' GROUP BY device_id;

CREATE VIEW "Legacy Shop"."All Notes" AS
    SELECT n."Id", c.email, n."Note; text" FROM "Legacy Shop"."Customer Notes" n
    JOIN app.customer c ON c.id = n."customer";

CREATE FUNCTION "Legacy Shop"."Add Note"() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO "Legacy Shop"."Customer Notes" ("customer", "Note; text")
    SELECT c.id, NEW."Note; text" FROM app.customer c WHERE c.email = NEW.email;
    RETURN NEW;
END
$$;
CREATE TRIGGER add_note INSTEAD OF INSERT ON "Legacy Shop"."All Notes"
    FOR EACH ROW EXECUTE FUNCTION "Legacy Shop"."Add Note"();

COMMIT;
