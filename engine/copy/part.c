/*
 * Part: statements, the transfer, the proof, the commit.
 */
#include "copy/part.h"

#include "pg/copy.h"
#include "pg/ddl.h"
#include "sql_text.h"

#include <inttypes.h>

/* Emptying a table makes a new file and a commit that waits for the disk: more than frozen rows of
 * a small table are worth. */
#define FREEZE_FROM_BYTES (UINT64_C(8) * 1024 * 1024)

#define PIECES 3 /* one here, one in libpq's buffer, which is doubled when it is too small */

/* --- statements --- */

static void columns_append(Str *sql, const Conn *conn, const Relation *relation)
{
    for (size_t i = 0; i < relation->column_count; i++) {
        str_append(sql, i == 0 ? "" : ", ");
        ddl_ident(sql, conn, relation->columns[i].name);
    }
}

/* A column list as COPY has it; a table without columns has none. */
static void column_list(Str *sql, const Conn *conn, const Relation *relation)
{
    if (relation->column_count == 0)
        return;
    str_append(sql, " (");
    columns_append(sql, conn, relation);
    str_append(sql, ")");
}

void part_source_sql(Str *sql, const Conn *source, const Leaf *leaf, const PartRange *range)
{
    const Relation *relation = leaf->root;
    str_append(sql, "COPY ");
    /* Of a hypertable, and of a chunk that is in the columnstore, a plain COPY gives nothing, nor
     * does ONLY. */
    if (relation->chunked) {
        str_append(sql, "(SELECT ");
        columns_append(sql, source, relation);
        /* A wave without chunks reads none: those that are there are the watcher's. */
        bool none = range->by == PART_BY_CHUNK && range->chunk == NULL;
        str_append(sql, none ? " FROM ONLY " : " FROM ");
        ddl_qname(sql, source, range->chunk != NULL ? range->chunk : &leaf->source);
        parts_condition(sql, range, "", relation->filter);
        str_append(sql, ")");
    } else if (range->by == PART_BY_NONE && relation->filter == NULL) {
        ddl_qname(sql, source, &leaf->source);
        column_list(sql, source, relation);
    } else {
        AUTO_STR Str column = {0};
        if (range->column != NULL)
            ddl_ident(&column, source, range->column);
        str_append(sql, "(SELECT ");
        columns_append(sql, source, relation);
        str_append(sql, " FROM ONLY ");
        ddl_qname(sql, source, &leaf->source);
        parts_condition(sql, range, str_text(&column), relation->filter);
        str_append(sql, ")");
    }
    str_append(sql, relation->binary ? " TO STDOUT (FORMAT binary)" : " TO STDOUT");
}

void part_chunks_sql(Str *sql, const Conn *source, const Leaf *leaf, const Name *const *chunks,
                     size_t count)
{
    const Relation *relation = leaf->root;
    const PartRange all = {.by = PART_BY_NONE};
    for (size_t i = 0; i < count; i++) {
        str_append(sql, i == 0 ? "COPY (SELECT " : " UNION ALL SELECT ");
        columns_append(sql, source, relation);
        str_append(sql, " FROM ");
        ddl_qname(sql, source, chunks[i]);
        parts_condition(sql, &all, "", relation->filter);
    }
    str_append(sql, relation->binary ? ") TO STDOUT (FORMAT binary)" : ") TO STDOUT");
}

const Name *part_target(const Leaf *leaf)
{
    return leaf->one_to_one ? &leaf->target_share : &leaf->root->target;
}

void part_target_sql(Str *sql, const Conn *target, const Leaf *leaf, bool freeze)
{
    str_append(sql, "COPY ");
    ddl_qname(sql, target, part_target(leaf));
    column_list(sql, target, leaf->root);
    str_append(sql, " FROM STDIN");
    if (leaf->root->binary)
        str_append(sql, freeze ? " (FORMAT binary, FREEZE)" : " (FORMAT binary)");
    else if (freeze)
        str_append(sql, " (FREEZE)");
}

void part_empty_sql(Str *sql, const Conn *target, const Leaf *leaf, bool referenced)
{
    if (leaf->bounds != NULL && leaf->root->pool == NULL) {
        str_append(sql, "DELETE FROM ");
        ddl_qname(sql, target, part_target(leaf));
        str_appendf(sql, " WHERE %s", leaf->bounds);
        return;
    }
    str_append(sql, referenced ? "DELETE FROM " : "TRUNCATE ");
    /* A hypertable's rows are in its chunks. */
    if (leaf->root->hypertable == NULL)
        str_append(sql, "ONLY ");
    ddl_qname(sql, target, part_target(leaf));
}

bool part_may_freeze(const Leaf *leaf)
{
    return leaf->one_to_one && leaf->root->hypertable == NULL && leaf->bytes >= FREEZE_FROM_BYTES;
}

/* --- the transfer --- */

typedef struct Transfer {
    const PartSpec *spec;
    Conn *source;
    Conn *target;
    char *piece;    /* COPY_PIECE_BYTES */
    bool reading;   /* the source is inside its COPY */
    bool writing;   /* the target is */
    bool borrowed;  /* the source is the wave's own session */
    bool blocked;   /* the source's table is locked by somebody who waits for the wave to end */
    size_t longest; /* row that was counted */
    int64_t bytes;
    int64_t rows_read;
    int64_t rows_written;
} Transfer;

static bool begin_source(Transfer *transfer, Err *err)
{
    if (transfer->borrowed)
        return pg_none(transfer->source, "SAVEPOINT godwit_part", NO_PARAMS, err);
    return wave_import(transfer->spec->wave, transfer->source, err);
}

static void end_source(Transfer *transfer, bool ok)
{
    AUTO_ERR Err ignored = {0};
    if (!transfer->borrowed)
        pg_rollback(transfer->source); /* it only read */
    else if (!ok && conn_is_ok(transfer->source) &&
             !pg_none(transfer->source, "ROLLBACK TO SAVEPOINT godwit_part", NO_PARAMS, &ignored))
        log_debug(conn_log(transfer->source), "%s", ignored.message); /* wave_check() will tell */
}

static bool begin_target(Transfer *transfer, bool empty, Err *err)
{
    AUTO_STR Str sql = {0};
    /* The commit need not wait for the disk: a crash of the target ends the run (it ends the
     * session that holds the run's lock), and step wave_end looks again behind a commit that does
     * wait. */
    str_append(&sql, "BEGIN; SET LOCAL synchronous_commit = off");
    if (empty) {
        str_append(&sql, "; ");
        const Leaf *leaf = transfer->spec->leaf;
        part_empty_sql(&sql, transfer->target, leaf,
                       wave_leaf(transfer->spec->wave, leaf)->referenced);
    }
    return pg_script(transfer->target, sql.data, err);
}

static bool begin_copies(Transfer *transfer, bool freeze, Err *err)
{
    const PartSpec *spec = transfer->spec;
    AUTO_STR Str sql = {0};
    part_source_sql(&sql, transfer->source, spec->leaf, &spec->range);
    transfer->reading = copy_out_begin(transfer->source, sql.data, err);
    if (!transfer->reading) {
        transfer->blocked = strcmp(err->sqlstate, "55P03") == 0;
        return false;
    }
    str_reset(&sql);
    part_target_sql(&sql, transfer->target, spec->leaf, freeze);
    transfer->writing = copy_in_begin(transfer->target, sql.data, err);
    return transfer->writing;
}

/* Once for a table: its parts do not repeat it. */
static void tell_beside(const Transfer *transfer, size_t bytes)
{
    AUTO_ARENA Arena arena = {0};
    const PartSpec *spec = transfer->spec;
    if (!wave_note_large_row(spec->wave, spec->leaf))
        return;
    budget_tell_beside(spec->run->budget, conn_log(transfer->target),
                       name_text(&arena, &spec->leaf->source), bytes);
}

/* libpq hands a row out when it has all of it. What it took stays with the connection. */
static void count_row(Transfer *transfer)
{
    const PartSpec *spec = transfer->spec;
    Budget *budget = spec->run->budget;
    size_t longest = copy_out_longest(transfer->source);
    if (longest <= transfer->longest)
        return;
    if (!budget_is_beside(budget, transfer->longest) && budget_is_beside(budget, longest))
        tell_beside(transfer, longest);
    budget_resize(budget, BUDGET_COPY, transfer->longest, longest);
    transfer->longest = longest;
}

static bool pass_rows(Transfer *transfer, Err *err)
{
    RunCounters *counters = &transfer->spec->run->counters;
    for (;;) {
        size_t bytes = 0;
        if (!copy_out_read(transfer->source, transfer->piece, COPY_PIECE_BYTES, &bytes, err))
            return false;
        if (bytes == 0)
            return true;
        count_row(transfer);
        if (!copy_in_write(transfer->target, transfer->piece, bytes, err))
            return false;
        transfer->bytes += (int64_t)bytes;
        atomic_fetch_add(&counters->bytes_copied, (long long)bytes);
    }
}

static bool end_copies(Transfer *transfer, Err *err)
{
    transfer->reading = false;
    if (!copy_out_end(transfer->source, &transfer->rows_read, err))
        return false;
    transfer->writing = false;
    if (!copy_in_end(transfer->target, &transfer->rows_written, err))
        return false;
    if (transfer->rows_read == transfer->rows_written)
        return true;
    AUTO_ARENA Arena arena = {0};
    err_set(err, ERR_ROW_COUNT,
            "%s: %" PRId64 " rows were read from the source, %" PRId64 " written to the target",
            name_text(&arena, &transfer->spec->leaf->source), transfer->rows_read,
            transfer->rows_written);
    return err_hint(err, "Something on the target takes rows away: look for triggers and rules of "
                         "the target table.");
}

static bool record(Transfer *transfer, Arena *arena, Err *err)
{
    const PartSpec *spec = transfer->spec;
    int64_t run = spec->run->journal.id;
    const Name *leaf = &spec->leaf->source;
    if (!journal_part_done(transfer->target, run, leaf, wave_number(spec->wave), spec->number,
                           parts_range_text(arena, &spec->range), transfer->rows_read,
                           transfer->rows_written, transfer->bytes, err))
        return false;
    return !spec->only || journal_leaf_state(transfer->target, run, leaf, 'f', err);
}

static bool transfer_part(Transfer *transfer, Arena *arena, Err *err)
{
    const PartSpec *spec = transfer->spec;
    bool freeze =
        spec->only && part_may_freeze(spec->leaf) && !wave_leaf(spec->wave, spec->leaf)->referenced;
    /* The rows of other tables that are merged into the target are none of this one's business. */
    bool empty = spec->only && spec->leaf->root->pool == NULL &&
                 (freeze || wave_leaf(spec->wave, spec->leaf)->dirty);
    return begin_source(transfer, err) && begin_target(transfer, empty, err) &&
           begin_copies(transfer, freeze, err) && pass_rows(transfer, err) &&
           end_copies(transfer, err) && wave_check(spec->wave, err) &&
           record(transfer, arena, err) && pg_commit(transfer->target, err);
}

static void abandon(Transfer *transfer, Err *err)
{
    RunCounters *counters = &transfer->spec->run->counters;
    /* When the source failed, that is the error; when a wait was broken off, the target may have
     * had a reason of its own. */
    if (transfer->writing)
        copy_in_abort(transfer->target, "the source's rows could not be read to their end", err);
    if (transfer->reading)
        copy_out_abort(transfer->source);
    pg_rollback(transfer->target);
    atomic_fetch_sub(&counters->bytes_copied, (long long)transfer->bytes);
}

static bool copy_through(Transfer *transfer, Arena *arena, Err *err)
{
    Budget *budget = transfer->spec->run->budget;
    for (size_t i = 0; i < PIECES; i++)
        budget_resize(budget, BUDGET_COPY, 0, COPY_PIECE_BYTES);
    bool ok = transfer_part(transfer, arena, err);
    for (size_t i = 0; i < PIECES; i++)
        budget_resize(budget, BUDGET_COPY, COPY_PIECE_BYTES, 0);
    budget_resize(budget, BUDGET_COPY, transfer->longest, 0);
    transfer->longest = 0;
    if (!ok)
        abandon(transfer, err);
    end_source(transfer, ok);
    if (ok)
        atomic_fetch_add(&transfer->spec->run->counters.rows_copied,
                         (long long)transfer->rows_written);
    return ok;
}

/* Somebody waits for an exclusive lock that the wave's locks keep from him, and a worker would wait
 * behind him until the wave ends. The session that has the locks does not have to. */
static bool copy_borrowed(const PartSpec *spec, Arena *arena, char *piece, Conn *target, Err *err)
{
    Transfer transfer = {
        .spec = spec,
        .source = wave_borrow(spec->wave),
        .target = target,
        .piece = piece,
        .borrowed = true,
    };
    log_info(conn_log(target),
             "%s: a session waits for an exclusive lock on it; read through the "
             "session that holds the wave's locks",
             name_text(arena, &spec->leaf->source));
    bool ok = copy_through(&transfer, arena, err);
    wave_return(spec->wave);
    return ok;
}

static bool copy_either_way(const PartSpec *spec, Arena *arena, Conn *source, Conn *target,
                            Err *err)
{
    Transfer transfer = {
        .spec = spec,
        .source = source,
        .target = target,
        .piece = arena_alloc(arena, COPY_PIECE_BYTES),
    };
    bool ok = copy_through(&transfer, arena, err);
    if (!ok && transfer.blocked) {
        err_release(err);
        ok = copy_borrowed(spec, arena, transfer.piece, target, err);
    }
    return ok || err_context(err, "could not copy %s (%s)", name_text(arena, &spec->leaf->source),
                             parts_range_text(arena, &spec->range));
}

/* Triggers and keys are made behind the copy; but what was begun before may have them by now, a
 * partition that comes later gets its root's, and an adopted table has its own. */
static bool may_have_triggers(const PartSpec *spec)
{
    return wave_number(spec->wave) > 1 || wave_leaf(spec->wave, spec->leaf)->dirty ||
           spec->run->plan->schema.existing == PLAN_EXISTING_ADOPT;
}

bool part_session(const PartSpec *spec, const PartTarget *target, Conn **conn, Err *err)
{
    const Run *run = spec->run;
    const char *replica_sql = run->blueprint->target->server.replica_sql;
    *conn = target->conn;
    if (!may_have_triggers(spec) || replica_sql == NULL)
        return true;
    if (*target->quiet == NULL || !conn_is_ok(*target->quiet) ||
        conn_in_transaction(*target->quiet)) {
        conn_close(*target->quiet);
        *target->quiet = NULL;
        const ConnOptions options = {
            .purpose = "quiet copy", .replica_sql = replica_sql, .stop = run->stop};
        if (!conn_open(target->quiet, &run->target, &options, err))
            return false;
    }
    *conn = *target->quiet;
    return true;
}

bool part_copy(const PartSpec *spec, Arena *arena, Conn *source, const PartTarget *target, Err *err)
{
    Conn *conn = NULL;
    return part_session(spec, target, &conn, err) &&
           copy_either_way(spec, arena, source, conn, err);
}

bool part_is_done(const PartSpec *spec, Conn *target, bool *done, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    const Name *leaf = &spec->leaf->source;
    if (!pg_one(target, SQL_COPY_PART_IS_DONE,
                PARAMS(arena_int64(&arena, spec->run->journal.id), leaf->schema, leaf->rel,
                       arena_int64(&arena, wave_number(spec->wave)),
                       arena_int64(&arena, spec->number)),
                &rows, err))
        return false;
    *done = rows_bool(rows, 0, 0);
    return true;
}
