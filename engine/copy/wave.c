/*
 * Wave: the order matters. Locks, then the snapshot, then a look at the catalog inside it, and only
 * then the journal: a wave that the journal knows is one whose snapshot was good.
 */
#include "copy/wave.h"

#include "base/clock.h"
#include "copy/blockers.h"
#include "copy/job.h"
#include "copy/leaves.h"
#include "copy/published.h"
#include "copy/timeline.h"
#include "copy/wave_chunks.h"
#include "pg/ddl.h"
#include "pg/slot.h"
#include "sql_text.h"

#include <inttypes.h>
#include <pthread.h>

#define TABLES_PER_LOCK 500
#define CHECK_EVERY_MS  1000
/* A table of the wave is locked by the keeper: who waits for it waits behind somebody who in turn
 * waits for the keeper, that is, until the wave ends. */
#define IMPORT_LOCK_TIMEOUT_MS 1000
#define NO_SNAPSHOT            "22023" /* its file is gone, or never was */
#define SNAPSHOT_MODES         "ISOLATION LEVEL REPEATABLE READ READ ONLY"

struct Wave {
    Arena arena;
    Run *run;
    Conn *holder;          /* keeps the locks */
    Conn *keeper;          /* keeps the snapshot */
    pthread_mutex_t mutex; /* holder, keeper and checked_ms, once parts are copied */
    int64_t checked_ms;
    const char *snapshot;
    const char *server_began; /* when the server that holds it was started */
    Lsn sync_lsn;
    int64_t number;
    WaveLeaf *leaves;       /* by Leaf.index */
    atomic_bool *large_row; /* the same: one was told of */
    Leaf **included;        /* sorted by oid */
    size_t included_count;
    CopyJob **jobs;        /* by Relation.index */
    int64_t began_ms;      /* of the snapshot */
    bool *begun;           /* by Relation.index: one is counted once, however often it is tried */
    atomic_int copying;    /* relations that are begun and not copied */
    atomic_bool has_begun; /* at least one relation was admitted */
    atomic_bool lost;      /* nothing more can be copied under it */
};

static Wave *wave_new(Run *run)
{
    Wave *wave = mem_resize(NULL, sizeof(Wave));
    *wave = (Wave){.run = run};
    pthread_mutex_init(&wave->mutex, NULL);
    wave->leaves = arena_array(&wave->arena, WaveLeaf, run->blueprint->leaf_count);
    wave->large_row = arena_array(&wave->arena, atomic_bool, run->blueprint->leaf_count);
    wave->included = arena_array(&wave->arena, Leaf *, run->blueprint->leaf_count);
    wave->jobs = arena_array(&wave->arena, CopyJob *, run->blueprint->relation_count);
    wave->begun = arena_array(&wave->arena, bool, run->blueprint->relation_count);
    return wave;
}

void wave_free(Wave *wave)
{
    if (wave == NULL)
        return;
    for (size_t i = 0; i < wave->run->blueprint->relation_count; i++)
        job_free(wave->jobs[i]);
    conn_close(wave->keeper);
    pthread_mutex_destroy(&wave->mutex);
    arena_release(&wave->arena);
    mem_free(wave);
}

static void wave_free_scope(Wave **wave)
{
    wave_free(*wave);
}

/* --- what is left --- */

static int by_oid(const void *a, const void *b)
{
    uint32_t left = (*(Leaf *const *)a)->oid, right = (*(Leaf *const *)b)->oid;
    return left < right ? -1 : left > right;
}

/* Tables that become one are copied under one snapshot: under two of them a row that moved from one
 * to the other would be there twice. So one that is not finished takes all of them along; by index
 * of the first. */
static const bool *merges_begun(Wave *wave, const JournalLeaf *const *states)
{
    const Blueprint *blueprint = wave->run->blueprint;
    bool *again = arena_array(&wave->arena, bool, blueprint->relation_count);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Relation *first = blueprint->leaves[i].root->pool;
        if (first != NULL && !leaf_is_copied(states[i]))
            again[first->index] = true;
    }
    return again;
}

static bool choose_leaves(Wave *wave, Conn *target, Err *err)
{
    const Blueprint *blueprint = wave->run->blueprint;
    const JournalLeaf **states = NULL;
    if (!leaves_states(&wave->arena, wave->run, target, &states, err))
        return false;
    const bool *again = merges_begun(wave, states);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Relation *first = blueprint->leaves[i].root->pool;
        if (leaf_is_copied(states[i]) && (first == NULL || !again[first->index]))
            continue;
        wave->leaves[i].included = true;
        wave->leaves[i].dirty = states[i] != NULL;
        wave->included[wave->included_count++] = &blueprint->leaves[i];
    }
    if (wave->included_count > 1)
        qsort(wave->included, wave->included_count, sizeof(Leaf *), by_oid);
    return true;
}

bool wave_leaves_left(const Run *run, Conn *target, size_t *left, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const JournalLeaf **states = NULL;
    *left = 0;
    if (!leaves_states(&arena, run, target, &states, err))
        return false;
    for (size_t i = 0; i < run->blueprint->leaf_count; i++)
        *left += !leaf_is_copied(states[i]);
    return true;
}

/* --- locks and snapshot --- */

static bool open_session(const Wave *wave, const char *purpose, bool replication, Conn **conn,
                         Err *err)
{
    ConnOptions options = {
        .purpose = purpose,
        .replication = replication,
        .lock_timeout_ms = BLOCKERS_LOCK_TIMEOUT_MS,
        .stop = wave->run->stop,
    };
    return conn_open(conn, &wave->run->source, &options, err);
}

static bool lock_leaves(const Wave *wave, Err *err)
{
    AUTO_STR Str sql = {0};
    for (size_t i = 0; i < wave->included_count; i++) {
        const Leaf *leaf = wave->included[i];
        if (!leaf->root->chunked) {
            str_append(&sql, sql.length == 0 ? "LOCK TABLE ONLY " : ", ONLY ");
            ddl_qname(&sql, wave->keeper, &leaf->source);
        }
        bool full = (i + 1) % TABLES_PER_LOCK == 0 || i + 1 == wave->included_count;
        if (!full || sql.length == 0)
            continue;
        str_append(&sql, " IN ACCESS SHARE MODE");
        if (!pg_none(wave->keeper, sql.data, NO_PARAMS, err))
            return false;
        str_reset(&sql);
    }
    return wave_chunks_lock(wave->keeper, wave->included, wave->included_count, err);
}

/* The keeper imports the slot's snapshot and exports it again: from then on the walsender, and
 * what may befall it, does not matter. LOCK TABLE takes no snapshot of its own, so the import may
 * still follow it (PostgreSQL docs, SET TRANSACTION: before any query of the transaction). */
static bool keep_snapshot(Wave *wave, const SlotSnapshot *made, Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rows = NULL;
    str_append(&sql, "SET TRANSACTION SNAPSHOT ");
    ddl_literal(&sql, wave->keeper, made->snapshot);
    if (!pg_none(wave->keeper, sql.data, NO_PARAMS, err) ||
        !pg_one(
            wave->keeper,
            "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.pg_postmaster_start_time()::text",
            NO_PARAMS, &rows, err))
        return err_context(err, "could not keep the snapshot");
    wave->began_ms = clock_ms();
    wave->snapshot = arena_strdup(&wave->arena, rows_text(rows, 0, 0));
    wave->server_began = arena_strdup(&wave->arena, rows_text(rows, 0, 1));
    wave->sync_lsn = made->consistent_point;
    return true;
}

/* A slot that outlives its session is found by the run's name: by the next wave, by cleanup. */
static const char *snapshot_slot(Wave *wave, const Conn *replication)
{
    int pid = conn_backend_pid(replication);
    if (slot_may_be_temporary(replication))
        return arena_printf(&wave->arena, "godwit_%s_wave_%d", wave->run->journal.mark, pid);
    return arena_printf(&wave->arena, "%s_w%04x", wave->run->slot_name, (unsigned)pid & 0xffff);
}

static bool make_snapshot(Wave *wave, Err *err)
{
    AUTO_CONN Conn *replication = NULL;
    SlotSnapshot made = {0};
    if (!open_session(wave, "wave snapshot", true, &replication, err))
        return false;
    const char *name = snapshot_slot(wave, replication);
    return slot_export_snapshot(&wave->arena, replication, name,
                                plan_plugin_name(wave->run->plan->replication.plugin), &made,
                                err) &&
           keep_snapshot(wave, &made, err) && slot_release(&wave->arena, replication, name, err);
}

/* What a killed engine left, where slots cannot be temporary. */
static bool drop_left_slots(Wave *wave, Err *err)
{
    return slot_may_be_temporary(wave->keeper) ||
           pg_none(wave->keeper, SQL_WAVE_SLOTS_LEFT, PARAMS(wave->run->slot_name), err);
}

/* Locks first, then the snapshot; chunks that came between the two are locked behind it, and the
 * whole is done again if one of them was rewritten before that. */
static bool hold_once(Wave *wave, Err *err)
{
    bool still = false;
    for (;;) {
        if (!pg_begin(wave->keeper, SNAPSHOT_MODES, err) || !lock_leaves(wave, err) ||
            !make_snapshot(wave, err) ||
            !wave_chunks_lock(wave->keeper, wave->included, wave->included_count, err) ||
            !wave_chunks_read(&wave->arena, wave->run, wave->keeper, wave->included,
                              wave->included_count, wave->leaves, &still, err))
            return false;
        if (still)
            return true;
        log_info(&wave->run->log, "a chunk came and was rewritten while the snapshot was taken; "
                                  "it is taken again");
        pg_rollback(wave->keeper);
    }
}

static bool hold(Wave *wave, Err *err)
{
    Patience patience = {0};
    if (!open_session(wave, "wave keeper", false, &wave->keeper, err) ||
        !drop_left_slots(wave, err))
        return false;
    while (!hold_once(wave, err)) {
        pg_rollback(wave->keeper); /* nobody waits behind our locks while we wait */
        if (!blockers_wait(&patience, wave->keeper, "the snapshot for the copy", err))
            return false;
    }
    return true;
}

/* --- the catalog inside the snapshot --- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The columns that travel, and those left out, as wave_catalog.sql shows them. */
static char *planned_columns(Arena *arena, const Relation *relation)
{
    size_t count = 0;
    const char **items =
        arena_array(arena, const char *, relation->column_count + relation->left_out_count);
    for (size_t i = 0; i < relation->column_count; i++)
        items[count++] = arena_printf(arena, "%s %" PRIu32, relation->columns[i].name,
                                      relation->columns[i].type_oid);
    for (size_t i = 0; i < relation->left_out_count; i++)
        if (!relation->left_out[i].generated)
            items[count++] = arena_printf(arena, "%s %" PRIu32, relation->left_out[i].name,
                                          relation->left_out[i].type_oid);
    if (count > 1)
        qsort(items, count, sizeof(*items), by_text);
    AUTO_STR Str text = {0};
    for (size_t i = 0; i < count; i++)
        str_appendf(&text, "%s%s", i > 0 ? "," : "", items[i]);
    return str_dup(arena, &text);
}

static bool leaf_is_stale(const Leaf *leaf, const char *what, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    err_set(err, ERR_STALE, "source table %s is not what was planned: %s",
            name_text(&arena, &leaf->source), what);
    return err_hint(err, "Its structure changed after the plan was resolved or after its schema "
                         "was copied. Undo the change, or begin anew with \"godwit reset\".");
}

static Leaf *included_leaf(const Wave *wave, uint32_t oid)
{
    Leaf key = {.oid = oid};
    Leaf *key_ptr = &key;
    Leaf **found = bsearch(&key_ptr, wave->included, wave->included_count, sizeof(Leaf *), by_oid);
    return found == NULL ? NULL : *found;
}

static bool compare_leaf(Wave *wave, const Rows *rows, size_t row, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const Leaf *leaf = included_leaf(wave, rows_oid(rows, row, 0));
    if (leaf == NULL)
        BUG("the catalog shows a leaf that was not asked for");
    Name name = {rows_text(rows, row, 1), rows_text(rows, row, 2)};
    if (!name_equal(&name, &leaf->source))
        return leaf_is_stale(
            leaf, arena_printf(&arena, "it is called %s now", name_text(&arena, &name)), err);
    const char *columns = rows_text(rows, row, 4);
    const char *planned = planned_columns(&arena, leaf->root);
    if (strcmp(columns, planned) != 0) {
        leaf_is_stale(leaf, "its columns are others", err);
        return err_detail(err, "Columns (name and type oid) are %s; planned were %s.", columns,
                          planned);
    }
    int64_t pages = rows_int64(rows, row, 3);
    wave->leaves[leaf->index].pages = pages > UINT32_MAX ? UINT32_MAX : (uint32_t)pages;
    return true;
}

static bool compare_catalog(Wave *wave, Err *err)
{
    AUTO_STR Str oids = {0};
    AUTO_ROWS Rows *rows = NULL;
    for (size_t i = 0; i < wave->included_count; i++)
        str_appendf(&oids, "%s%" PRIu32, i == 0 ? "{" : ",", wave->included[i]->oid);
    list_end(&oids);
    if (!pg_rows(wave->keeper, SQL_WAVE_CATALOG, PARAMS(oids.data), &rows, err))
        return err_context(err, "could not read the catalog inside the snapshot");
    for (size_t r = 0; r < rows_count(rows); r++) {
        if (!compare_leaf(wave, rows, r, err))
            return false;
    }
    if (rows_count(rows) == wave->included_count)
        return true;
    return err_set(err, ERR_STALE, "%zu of the planned source tables are gone",
                   wave->included_count - rows_count(rows));
}

/* --- begin, use, end --- */

static bool open_in_journal(Wave *wave, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Name *names = arena_array(&arena, Name, wave->included_count);
    for (size_t i = 0; i < wave->included_count; i++)
        names[i] = wave->included[i]->source;
    /* Which chunks it holds counts for leaves that are copied, and no leaf of it is before. */
    return journal_wave_open(target, wave->run->journal.id, names, wave->included_count,
                             wave->sync_lsn, &wave->number, err) &&
           published_note(wave->run, wave->keeper, target, wave->included, wave->included_count,
                          err) &&
           wave_chunks_record(wave->run, wave->keeper, target, wave->included, wave->included_count,
                              wave->leaves, wave->sync_lsn, err);
}

/* What an earlier wave brought of merged tables goes as a whole, before any part comes: their rows
 * cannot be told apart later. */
static bool empty_merged(Wave *wave, Conn *target, Err *err)
{
    const Blueprint *blueprint = wave->run->blueprint;
    AUTO_ARENA Arena arena = {0};
    bool *done = arena_array(&arena, bool, blueprint->relation_count);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        const Relation *first = leaf->root->pool;
        if (first == NULL || !wave->leaves[i].dirty || done[first->index])
            continue;
        AUTO_STR Str sql = {0};
        done[first->index] = true;
        part_empty_sql(&sql, target, leaf, wave->leaves[i].referenced);
        if (!pg_none(target, sql.data, NO_PARAMS, err))
            return err_context(err, "could not empty %s", name_text(&arena, &first->target));
    }
    return true;
}

/* A table that foreign keys of others reference cannot be truncated alone. They stand where a table
 * is copied anew. */
static bool find_referenced(Wave *wave, Conn *target, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(target, SQL_WAVE_REFERENCED, NO_PARAMS, &rows, err))
        return false;
    for (size_t i = 0; i < wave->included_count; i++) {
        const Leaf *leaf = wave->included[i];
        for (size_t r = 0; wave->leaves[leaf->index].dirty && r < rows_count(rows); r++) {
            Name name = {rows_text(rows, r, 0), rows_text(rows, r, 1)};
            if (name_equal(&name, part_target(leaf)))
                wave->leaves[leaf->index].referenced = true;
        }
    }
    return true;
}

/* Before its own position is written down, which may be of a new timeline. */
static bool check_timeline(const Wave *wave, Conn *target, Err *err)
{
    AUTO_CONN Conn *replication = NULL;
    const Run *run = wave->run;
    const TimelineOf of = {
        .run = run->journal.id, .target = target, .plan = run->plan->path, .log = &run->log};
    return open_session(wave, "wave timeline", true, &replication, err) &&
           timeline_check(&of, replication, 0, err);
}

bool wave_begin(Wave **out, Run *run, Conn *target, Err *err)
{
    __attribute__((cleanup(wave_free_scope))) Wave *wave = wave_new(run);
    if (!choose_leaves(wave, target, err) || !check_timeline(wave, target, err) ||
        !hold(wave, err) || !compare_catalog(wave, err) || !find_referenced(wave, target, err) ||
        !open_in_journal(wave, target, err) || !empty_merged(wave, target, err))
        return false;
    wave->checked_ms = clock_ms();
    log_info(&run->log, "wave %" PRId64 ": %zu tables under the snapshot at %s", wave->number,
             wave->included_count, lsn_text(wave->sync_lsn).text);
    *out = wave;
    wave = NULL;
    return true;
}

bool wave_none(Run *run, Conn *source, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const Blueprint *blueprint = run->blueprint;
    Name *names = arena_array(&arena, Name, blueprint->leaf_count);
    Leaf **leaves = arena_array(&arena, Leaf *, blueprint->leaf_count);
    const JournalLeaf **states = NULL;
    int64_t wave = 0;
    size_t count = 0;
    if (!leaves_states(&arena, run, target, &states, err))
        return false;
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        if (leaf_is_copied(states[i]))
            continue;
        leaves[count] = &blueprint->leaves[i];
        names[count++] = blueprint->leaves[i].source;
    }
    return journal_wave_open(target, run->journal.id, names, count, 0, &wave, err) &&
           published_note(run, source, target, leaves, count, err) &&
           pg_none(target, SQL_COPY_NONE,
                   PARAMS(arena_int64(&arena, run->journal.id), arena_int64(&arena, wave)), err);
}

static bool ask(Wave *wave, Err *err);

bool wave_import(Wave *wave, Conn *source, Err *err)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "BEGIN " SNAPSHOT_MODES "; SET LOCAL lock_timeout = ");
    str_appendf(&sql, "%d; SET TRANSACTION SNAPSHOT ", IMPORT_LOCK_TIMEOUT_MS);
    ddl_literal(&sql, source, wave->snapshot);
    if (pg_script(source, sql.data, err))
        return true;
    if (strcmp(err->sqlstate, NO_SNAPSHOT) != 0)
        return false;
    /* It went with the session that keeps it: that is the news. */
    AUTO_ERR Err why = {0};
    pthread_mutex_lock(&wave->mutex);
    if (!ask(wave, &why)) {
        err_release(err);
        err_move(err, &why);
    }
    pthread_mutex_unlock(&wave->mutex);
    return false;
}

Conn *wave_borrow(Wave *wave)
{
    pthread_mutex_lock(&wave->mutex);
    return wave->keeper;
}

void wave_return(Wave *wave)
{
    pthread_mutex_unlock(&wave->mutex);
}

int64_t wave_number(const Wave *wave)
{
    return wave->number;
}

Lsn wave_sync_lsn(const Wave *wave)
{
    return wave->sync_lsn;
}

const WaveLeaf *wave_leaf(const Wave *wave, const Leaf *leaf)
{
    return &wave->leaves[leaf->index];
}

bool wave_note_large_row(Wave *wave, const Leaf *leaf)
{
    return !atomic_exchange(&wave->large_row[leaf->index], true);
}

CopyJob **wave_job(Wave *wave, const Relation *relation)
{
    return &wave->jobs[relation->index];
}

/* Whether the session went with its server, which passes by itself; or somebody ended it, who wants
 * its locks, and may do what he wants them for. */
static bool went_with_server(const Wave *wave)
{
    AUTO_CONN Conn *conn = NULL;
    AUTO_ROWS Rows *rows = NULL;
    AUTO_ERR Err away = {0};
    return !open_session(wave, "wave", false, &conn, &away) ||
           !pg_one(conn, "SELECT pg_catalog.pg_postmaster_start_time()::text", NO_PARAMS, &rows,
                   &away) ||
           strcmp(rows_text(rows, 0, 0), wave->server_began) != 0;
}

static bool ask(Wave *wave, Err *err)
{
    AUTO_ERR Err lost = {0};
    if (!conn_is_ended(wave->keeper) && pg_none(wave->keeper, "SELECT 1", NO_PARAMS, &lost))
        return true;
    if (err_is_set(&lost) && stop_reason(conn_stop(wave->keeper)) != STOP_NONE)
        return err_move(err, &lost);
    atomic_store(&wave->lost, true);
    err_set(err, went_with_server(wave) ? ERR_LOST : ERR_RUN,
            "the session that keeps the locks and the snapshot of the copy was lost");
    if (err_is_set(&lost))
        err_detail(err, "%s.", lost.message);
    return err_hint(err, "Run \"godwit apply\" again: finished tables stay, the others are copied "
                         "under a new snapshot.");
}

bool wave_check(Wave *wave, Err *err)
{
    bool ok = true;
    if (pthread_mutex_trylock(&wave->mutex) != 0)
        return true; /* somebody is using the session this very moment */
    int64_t now = clock_ms();
    if (conn_is_ended(wave->keeper) || now - wave->checked_ms >= CHECK_EVERY_MS) {
        ok = ask(wave, err);
        if (ok)
            wave->checked_ms = now;
    }
    pthread_mutex_unlock(&wave->mutex);
    return ok;
}

bool wave_is_lost(Wave *wave)
{
    return wave != NULL && atomic_load(&wave->lost);
}

void wave_end(Wave **wave)
{
    if (*wave == NULL)
        return;
    pg_rollback((*wave)->keeper);
    wave_free(*wave);
    *wave = NULL;
}

static bool is_old(const Wave *wave)
{
    const int64_t limit_ms = wave->run->plan->copy.max_snapshot_age_us / 1000;
    return limit_ms != 0 && atomic_load(&wave->has_begun) && clock_ms() - wave->began_ms > limit_ms;
}

bool wave_may_begin(const Wave *wave, const Relation *relation)
{
    return relation->pool != NULL || atomic_load(&wave->copying) == 0 || !is_old(wave);
}

bool wave_admit(Wave *wave, const Relation *relation, Err *err)
{
    Run *run = wave->run;
    bool *begun = &wave->begun[relation->index];
    if (relation->pool == NULL && !*begun && atomic_load(&wave->copying) == 0 && is_old(wave)) {
        log_info(&run->log,
                 "the snapshot of wave %" PRId64
                 " is older than copy.max_snapshot_age: taking another",
                 wave->number);
        stop_request(run->stop, STOP_SNAPSHOT);
        return stop_error(run->stop, err);
    }
    if (!*begun)
        atomic_fetch_add(&wave->copying, 1);
    *begun = true;
    atomic_store(&wave->has_begun, true);
    return true;
}

void wave_leave(Wave *wave)
{
    atomic_fetch_sub(&wave->copying, 1);
}
