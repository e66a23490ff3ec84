-- The journal: schema "godwit" on the target. Made by `apply`, dropped with its last run by `cleanup`.
-- Idempotent; each version adds to the one before. Never replicated, never verified.
-- Parameters: none. Columns: none.
CREATE SCHEMA IF NOT EXISTS godwit;

CREATE TABLE IF NOT EXISTS godwit.control (
    version     integer NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT pg_catalog.now()
);

INSERT INTO godwit.control (version)
SELECT 1 WHERE NOT EXISTS (SELECT FROM godwit.control);

-- One row per plan name. A finished run that was cleaned up leaves its row as a tombstone.
CREATE TABLE IF NOT EXISTS godwit.run (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name           text NOT NULL UNIQUE,
    mark           text NOT NULL,
    fingerprint    text NOT NULL,
    canonical      text NOT NULL,
    engine_version text NOT NULL,
    source_system  text NOT NULL,
    target_system  text NOT NULL,
    state          text NOT NULL,
    epoch          bigint NOT NULL DEFAULT 0,
    runner         text NOT NULL DEFAULT session_user,
    started_at     timestamptz NOT NULL DEFAULT pg_catalog.now(),
    ended_at       timestamptz,
    downtime_ms    bigint,
    pinned         text,
    switched_at    timestamptz
);
-- The hash of the pinned plan that the run is held to; NULL when the last engine was given a plan file.
ALTER TABLE godwit.run ADD COLUMN IF NOT EXISTS pinned text;
-- When the target became the primary: failback.keep_for counts from here.
ALTER TABLE godwit.run ADD COLUMN IF NOT EXISTS switched_at timestamptz;
-- The source's timeline when its rows and changes were taken last; NULL: nobody has looked.
ALTER TABLE godwit.run ADD COLUMN IF NOT EXISTS timeline bigint;

-- What the run's data road stood on when it began, a line per fact: who resumes or cuts over compares.
CREATE TABLE IF NOT EXISTS godwit.structure (
    run        bigint PRIMARY KEY REFERENCES godwit.run ON DELETE CASCADE,
    lines      text NOT NULL
);

CREATE TABLE IF NOT EXISTS godwit.step (
    run        bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    step       text NOT NULL,
    state      text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    detail     text,
    started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    ended_at   timestamptz,
    PRIMARY KEY (run, step)
);

-- One row per leaf (plain table or partition leaf). State: i init, d copying, f copied and its diverted
-- changes being replayed, s caught up, r streaming.
CREATE TABLE IF NOT EXISTS godwit.relation (
    run        bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    schema     text NOT NULL,
    rel        text NOT NULL,
    state      "char" NOT NULL CHECK (state IN ('i', 'd', 'f', 's', 'r')),
    wave       bigint NOT NULL,
    sync_lsn   pg_lsn NOT NULL,
    rows       bigint NOT NULL DEFAULT 0,
    bytes      bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, schema, rel)
);
-- What published it under the snapshot of its copy (copy_published.sql); NULL: nothing has to, or nobody has looked.
ALTER TABLE godwit.relation ADD COLUMN IF NOT EXISTS published text;

-- Partitions that the run has known, and where their rows are on the target: a table of their own, or a share of one,
-- within bounds if those tell it. Once the source has dropped one, nobody else could say. gone_at: it went, and the
-- target has none of its rows any more; changes from before may still come, and are left out.
CREATE TABLE IF NOT EXISTS godwit.partition (
    run           bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    oid           oid NOT NULL,
    root          oid NOT NULL,
    schema        text NOT NULL,
    rel           text NOT NULL,
    target_schema text NOT NULL,
    target_rel    text NOT NULL,
    bounds        text,
    shared        boolean NOT NULL,
    gone_at       timestamptz,
    PRIMARY KEY (run, oid)
);

-- Tables that were altered on the source while it was replicated (ddl.altered: pause_relation): their changes are left
-- out until they are copied anew. oid: of the table that was copied.
CREATE TABLE IF NOT EXISTS godwit.paused (
    run           bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    schema        text NOT NULL,
    rel           text NOT NULL,
    target_schema text NOT NULL,
    target_rel    text NOT NULL,
    oid           oid NOT NULL,
    why           text NOT NULL,
    remedy        text NOT NULL,
    paused_at     timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, schema, rel)
);

-- A chunk of a TimescaleDB source that is known to be one of a selected hypertable; its changes are, also when it is
-- there no more. Where the stream's watcher takes chunks in, its rows are on the target: by a wave, or one by one, in the
-- transaction that wrote the rows. Changes that commit at sync_lsn or above are applied.
CREATE TABLE IF NOT EXISTS godwit.chunk (
    run        bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    oid        oid NOT NULL,
    hypertable oid NOT NULL,
    sync_lsn   pg_lsn NOT NULL,
    copied_at  timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, oid)
);
ALTER TABLE godwit.chunk ADD COLUMN IF NOT EXISTS schema text;
ALTER TABLE godwit.chunk ADD COLUMN IF NOT EXISTS rel text;
-- The constraints that say what it may hold, and its range of time, as of when it was written down or merged since.
ALTER TABLE godwit.chunk ADD COLUMN IF NOT EXISTS bounds text;
ALTER TABLE godwit.chunk ADD COLUMN IF NOT EXISTS begins bigint;
ALTER TABLE godwit.chunk ADD COLUMN IF NOT EXISTS ends bigint;

-- A part is done only if its row is here: it was written by the transaction that wrote the rows.
CREATE TABLE IF NOT EXISTS godwit.part (
    run          bigint NOT NULL,
    schema       text NOT NULL,
    rel          text NOT NULL,
    wave         bigint NOT NULL,
    part         integer NOT NULL,
    range        text NOT NULL,
    rows_read    bigint NOT NULL,
    rows_written bigint NOT NULL,
    bytes        bigint NOT NULL,
    done_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, schema, rel, part),
    FOREIGN KEY (run, schema, rel) REFERENCES godwit.relation ON DELETE CASCADE
);

-- The applied position. Moved by compare and set, in the transaction that applied the changes.
CREATE TABLE IF NOT EXISTS godwit.lane (
    run          bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    id           integer NOT NULL,
    applied      pg_lsn NOT NULL,
    epoch        bigint NOT NULL,
    commit_time  timestamptz,
    transactions bigint NOT NULL DEFAULT 0,
    changes      bigint NOT NULL DEFAULT 0,
    updated_at   timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, id)
) WITH (fillfactor = 20);
-- Of lane 0: the relations whose changes are routed by key, with its columns (JSON). Holds while lanes stand apart.
ALTER TABLE godwit.lane ADD COLUMN IF NOT EXISTS routing text;
-- The newest look of a verification. Who begins one locks this table first, so that no lane stands between the move of
-- its row and its commit then: a lane that moves later knows of the look, and writes down what it touched.
ALTER TABLE godwit.lane ADD COLUMN IF NOT EXISTS look bigint NOT NULL DEFAULT 0;

-- Changes that did not meet the row they expect, as apply.on_conflict decided; written with the changes around them.
CREATE TABLE IF NOT EXISTS godwit.conflict (
    run      bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    lane     integer NOT NULL,
    schema   text NOT NULL,
    rel      text NOT NULL,
    kind     text NOT NULL,
    outcome  text NOT NULL,
    count    bigint NOT NULL,
    last_key text NOT NULL,
    last_lsn pg_lsn NOT NULL,
    last_at  timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, lane, schema, rel, kind, outcome)
);

-- A fence that stands on a side, with what was there before, so that anybody can take it back.
CREATE TABLE IF NOT EXISTS godwit.fence (
    run       bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    side      text NOT NULL CHECK (side IN ('source', 'target')),
    method    text NOT NULL,
    previous  text,
    fenced_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, side)
);

-- A replica identity that was set on the source, with what was there before, so that it can be taken back.
CREATE TABLE IF NOT EXISTS godwit.identity (
    run            bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    schema         text NOT NULL,
    rel            text NOT NULL,
    previous       "char" NOT NULL,
    previous_index text,
    given          "char" NOT NULL,
    given_index    text,
    made_index     boolean NOT NULL,
    set_at         timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, schema, rel)
);

-- A job of a TimescaleDB source that was scheduled and rests for the time of the run.
CREATE TABLE IF NOT EXISTS godwit.source_job (
    run       bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    job       bigint NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, job)
);

CREATE TABLE IF NOT EXISTS godwit.gate (
    run        bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    gate       text NOT NULL,
    reached_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    detail     text,
    PRIMARY KEY (run, gate)
);

CREATE TABLE IF NOT EXISTS godwit.approval (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run         bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    fingerprint text NOT NULL,
    approver    text NOT NULL DEFAULT session_user,
    approved_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    expires_at  timestamptz NOT NULL
);

-- What another command asks the engine that holds the lock to do.
CREATE TABLE IF NOT EXISTS godwit.request (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run          bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    kind         text NOT NULL,
    argument     text,
    requested_by text NOT NULL DEFAULT session_user,
    requested_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    taken_at     timestamptz,
    finished_at  timestamptz,
    exit_status  integer,
    message      text
);

CREATE TABLE IF NOT EXISTS godwit.finding (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run      bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    code     text NOT NULL,
    severity text NOT NULL,
    object   text,
    message  text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE INDEX IF NOT EXISTS finding_run ON godwit.finding (run);
-- A difference (E090) is an open one until all rows of its relation were found the same.
ALTER TABLE godwit.finding ADD COLUMN IF NOT EXISTS settled_at timestamptz;

CREATE TABLE IF NOT EXISTS godwit.event (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run    bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    kind   text NOT NULL,
    detail jsonb,
    at     timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE INDEX IF NOT EXISTS event_run ON godwit.event (run, id);

-- The newest sample of a running engine, for `status` from any machine. One row per run.
CREATE TABLE IF NOT EXISTS godwit.metric (
    run    bigint PRIMARY KEY REFERENCES godwit.run ON DELETE CASCADE,
    sample jsonb NOT NULL,
    at     timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
) WITH (fillfactor = 20);

-- Sequences as set at cutover: read on the source after the drain, set and read back on the target.
CREATE TABLE IF NOT EXISTS godwit.sequence (
    run        bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    schema     text NOT NULL,
    rel        text NOT NULL,
    last_value bigint NOT NULL,
    is_called  boolean NOT NULL,
    set_at     timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, schema, rel)
);

-- Large objects that the run brought, as they were when they were last looked at: what may have changed since shows
-- by the horizon (the oldest transaction that was running then) and by the hash. Written with the object itself.
CREATE TABLE IF NOT EXISTS godwit.large_object (
    run     bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    oid     oid NOT NULL,
    size    bigint NOT NULL,
    hash    text NOT NULL,
    access  text NOT NULL,
    horizon bigint NOT NULL,
    PRIMARY KEY (run, oid)
);

-- Who verified what, and what came out.
CREATE TABLE IF NOT EXISTS godwit.verification (
    run         bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    id          text NOT NULL,
    schema      text NOT NULL,
    rel         text NOT NULL,
    source_rows bigint NOT NULL,
    target_rows bigint NOT NULL,
    differences bigint NOT NULL,
    verified_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, id, schema, rel)
);

-- How far a verification has come: the parts of a relation in the order of its key. A part that was found the same has
-- the number of the look that found it; one that has none is yet to be looked at. Holds while the basis does: the
-- statement that compares, and the copies that the rows come from.
CREATE TABLE IF NOT EXISTS godwit.looked (
    run         bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    id          text NOT NULL,
    schema      text NOT NULL,
    rel         text NOT NULL,
    part        integer NOT NULL,
    basis       text NOT NULL,
    ranged      "char" NOT NULL,
    from_key    text NOT NULL,
    to_key      text NOT NULL,
    ends        text NOT NULL,
    look        bigint,
    source_rows bigint NOT NULL DEFAULT 0,
    target_rows bigint NOT NULL DEFAULT 0,
    looked_at   timestamptz,
    PRIMARY KEY (run, id, schema, rel, part)
);

-- Which relations were changed since which look, between which places of their keys (NULL: anywhere): a part that was
-- found the same and was touched then or later is looked at again. Written with the changes.
CREATE TABLE IF NOT EXISTS godwit.touched (
    run      bigint NOT NULL REFERENCES godwit.run ON DELETE CASCADE,
    lane     integer NOT NULL,
    schema   text NOT NULL,
    rel      text NOT NULL,
    look     bigint NOT NULL,
    least    bigint,
    greatest bigint,
    PRIMARY KEY (run, lane, schema, rel)
);

-- The mark of objects that a plan's runs made on the target: `reset` and `existing: replace` drop these and no other.
-- It outlives a run that was abandoned (mark '' then), and ends with one that was switched.
CREATE TABLE IF NOT EXISTS godwit.made (
    name    text NOT NULL,
    mark    text NOT NULL,
    class   oid NOT NULL,
    object  oid NOT NULL,
    PRIMARY KEY (class, object)
);

-- What stays of a run after `cleanup`, so that a later `apply` can say "done".
CREATE TABLE IF NOT EXISTS godwit.tombstone (
    name        text NOT NULL,
    fingerprint text NOT NULL,
    outcome     text NOT NULL,
    ended_at    timestamptz NOT NULL
);
