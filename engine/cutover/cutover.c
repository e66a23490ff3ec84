/*
 * Cutover: each function is one step's body; the steps are in step/cutover_*.c.
 */
#include "cutover/cutover.h"

#include "base/clock.h"
#include "cdc/stream.h"
#include "cutover/fence.h"
#include "cutover/sequences.h"
#include "hook/notify.h"
#include "cutover/cutover_internal.h"
#include "journal/run_state_table.h"
#include "lob/lob.h"
#include "verify/verify.h"

#include <inttypes.h>
#include <sys/random.h>

#define SESSIONS_END_MS 10000
#define DRAIN_MIN_MS    1000

Cutover *cutover_new(void)
{
    Cutover *cutover = mem_resize(NULL, sizeof(Cutover));
    *cutover = (Cutover){0};
    return cutover;
}

bool cutover_prepare(Run *run, Err *err)
{
    Cutover *cutover = run->cutover;
    if (cutover->fence != NULL)
        return true;
    uint64_t random[2];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        BUG("no random bytes");
    cutover->nonce =
        arena_printf(&cutover->arena, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    LobPowers powers = {0};
    if (!conn_open(&cutover->fence, &run->source,
                   &(ConnOptions){.purpose = "fence", .stop = run->stop}, err) ||
        !lob_powers(cutover->fence, &powers, err))
        return false;
    cutover->locks_large_objects = powers.locks && run->plan->copy.data;
    return true;
}

void cutover_free(Cutover *cutover)
{
    if (cutover == NULL)
        return;
    conn_close(cutover->fence);
    arena_release(&cutover->arena);
    mem_free(cutover);
}

/* Journal first: whatever is up can be found and taken down. */
static bool fence_record(Run *run, Conn *book, Conn *side, const char *method, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    JournalFence fence = {.side = conn_side(side), .method = method};
    return fence_database_previous(&arena, side, &fence.previous, err) &&
           journal_fence_set(book, run_main(run)->journal.id, &fence, err);
}

bool cutover_begin(Run *run, Conn *source, Conn *target, Err *err)
{
    Run *main = run_main(run);
    Conn *book = run_book(run, source, target);
    const char *state = run->forth != NULL ? RUN_FAILBACK : RUN_CUTOVER;
    atomic_store(&run->cutover->begun, true);
    return text_equal(main->journal.state, state) ||
           (journal_run_state(book, &main->journal, state, err) &&
            run_event(main, book, run->forth != NULL ? "failback" : "cutover", NULL, err));
}

bool cutover_fence_target(Run *run, Conn *source, Conn *target, Err *err)
{
    return cutover_begin(run, source, target, err) &&
           fence_record(run, run_book(run, source, target), target, "read_only", err) &&
           fence_database_read_only(target, err) &&
           fence_end_others(target, NULL, 0, SESSIONS_END_MS, err);
}

static bool fence_by_lock(Run *run, Err *err)
{
    return fence_lock_source(run->cutover->fence, run, err);
}

static bool fence_by_setting(Run *run, Conn *source, Conn *target, Err *err)
{
    return fence_record(run, run_book(run, source, target), source,
                        fence_method_name(PLAN_STOP_READ_ONLY), err) &&
           fence_database_read_only(source, err) &&
           fence_end_others(source, NULL, 0, SESSIONS_END_MS, err);
}

/* Journalled first: a command that fails, or whose engine dies, may have stopped some. */
static bool fence_by_command(Run *run, Conn *source, Conn *target, Err *err)
{
    HookCall call = cutover_writers_call(run, "stop_writes", run->stop);
    return fence_record(run, run_book(run, source, target), source,
                        fence_method_name(PLAN_STOP_COMMAND), err) &&
           hook_command(&call, &run->plan->cutover.run, err);
}

static bool fence_by_method(Run *run, Conn *source, Conn *target, Err *err)
{
    switch (run->plan->cutover.method) {
    case PLAN_STOP_LOCK:
        return fence_by_lock(run, err);
    case PLAN_STOP_READ_ONLY:
        return fence_by_setting(run, source, target, err);
    case PLAN_STOP_MANUAL:
        log_info(&run->log,
                 "cutover.stop_writes.method is manual: writes on the source must have stopped");
        return true;
    case PLAN_STOP_COMMAND:
        return fence_by_command(run, source, target, err);
    }
    BUG("an unknown method of stopping writes");
}

bool cutover_fence_source(Run *run, Conn *source, Conn *target, Err *err)
{
    if (!fence_no_prepared(source, err))
        return false;
    StreamStatus status = {0};
    stream_status(run->stream, &status);
    atomic_store(&run->counters.lag_at_cutover_bytes, (long long)status.lag_bytes);
    atomic_store(&run->cutover->began_ms, clock_ms());
    /* The last of the writers may have prepared one. */
    if (!fence_by_method(run, source, target, err) || !fence_no_prepared(source, err))
        return false;
    /* Before 16 a session that is read-only may write large objects all the same. */
    return run->plan->cutover.method == PLAN_STOP_LOCK ||
           fence_lock_large_objects(run->cutover->fence, run, err);
}

int64_t cutover_downtime_ms(const Run *run)
{
    long long began = run->cutover == NULL ? 0 : atomic_load(&run->cutover->began_ms);
    return began == 0 ? 0 : clock_ms() - began;
}

static int time_left_ms(const Run *run)
{
    int64_t left = run->plan->cutover.max_downtime_us / 1000 - cutover_downtime_ms(run);
    return left < DRAIN_MIN_MS ? DRAIN_MIN_MS : (int)left;
}

/* Chunks that came between the watcher's last look and the fence. Should the cutover be rolled back
 * they must be published from the moment on in which the locks fall: see cutover_rollback(). */
static bool take_last_chunks(Run *run, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *const *statements = NULL;
    size_t count = 0;
    if (!stream_wait_last_chunks(&arena, run->stream, time_left_ms(run), &statements, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!pg_none(run->cutover->fence, statements[i], NO_PARAMS, err))
            return false;
    run->cutover->publishes = count > 0;
    return true;
}

bool cutover_drain(Run *run, Conn *source, Err *err)
{
    Lsn marker = 0;
    if (!stream_marker_emit(source, run->journal.mark, run->cutover->nonce, &marker, err))
        return false;
    return stream_wait_marker(run->stream, run->cutover->nonce, time_left_ms(run), err) &&
           take_last_chunks(run, err);
}

static bool report_differences(Run *run, Conn *book, const Relation *relation,
                               const VerifyResult *result, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    if (result->difference_total == 0)
        return true;
    atomic_fetch_add(&run->counters.differences, result->difference_total);
    const char *name = name_text(&arena, &relation->target);
    for (size_t i = 0; i < result->difference_count; i++)
        log_error(&run->log, "%s differs at %s", name, result->differences[i].key);
    AUTO_ERR Err ignored = {0};
    if (!journal_finding(
            book, run_main(run)->journal.id, err_code_name(ERR_DIFFERENCE), "error", name,
            result->difference_count > 0 ? result->differences[0].key : "counts differ", &ignored))
        log_debug(&run->log, "could not journal a difference: %s", ignored.message);
    return err_set(err, ERR_DIFFERENCE, "%s: %" PRId64 " rows differ between source and target",
                   name, result->difference_total);
}

/* A change of a row that is not there was skipped where nothing is copied and that is the plan's
 * will; a row that a whole relation lacks may be any of those that never changed. */
static bool may_lack_rows(const Plan *plan, const TouchedKeys *keys)
{
    return !plan->copy.data && (keys->overflow || plan->apply.on_conflict == PLAN_CONFLICT_SKIP);
}

/* Rows that came with a partition are in no stream; behind the fence nothing more has come. */
static bool is_whole(const Run *run, const Relation *relation, bool live)
{
    const bool *refiled = run->cutover->refiled;
    return (refiled != NULL && refiled[relation->index]) ||
           (live && run->whole != NULL && run->whole[relation->index]);
}

/* What a relation's rows were found to be by an attempt before this one, or by a verification, and
 * nobody has found mended: the keys went with the engine that found it. */
static bool is_open(const Rows *open, const Relation *relation)
{
    AUTO_ARENA Arena arena = {0};
    const char *source = name_text(&arena, &relation->source);
    const char *target = name_text(&arena, &relation->target);
    for (size_t r = 0; r < rows_count(open); r++) {
        const char *object = rows_text(open, r, 0);
        if (text_equal(object, source) || text_equal(object, target))
            return true;
    }
    return false;
}

static bool settle(Run *run, Conn *book, const Relation *relation, Err *err)
{
    return journal_settle_findings(book, run_main(run)->journal.id, err_code_name(ERR_DIFFERENCE),
                                   &relation->source, &relation->target, err);
}

typedef struct Moved {
    Run *run;
    Conn *source;
    Conn *target;
    bool live;
    Rows *open; /* live: what was found to differ before */
} Moved;

static bool compare_moved(Arena *arena, const Moved *moved, const Relation *relation,
                          const TouchedKeys *keys, VerifyResult *result, Err *err)
{
    Run *run = moved->run;
    VerifySpec spec = {.relation = relation,
                       .method = PLAN_VERIFY_CHECKSUM,
                       .partial = may_lack_rows(run->plan, keys),
                       .source = moved->source,
                       .target = moved->target,
                       .stream = moved->live ? run->stream : NULL,
                       .throttle = moved->live ? &run->throttle : NULL};
    bool ok = keys->overflow ? verify_relation(arena, &spec, result, err)
                             : verify_keys(arena, &spec, keys, result, err);
    if (!ok)
        return err_context(err, "could not compare %s", name_text(arena, &relation->source));
    run->cutover->keys_verified += (int64_t)keys->count;
    return true;
}

/* Rows of which nothing can be said now are looked at again behind the fence. */
static bool relation_moved(const Moved *moved, const Relation *relation, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Run *run = moved->run;
    TouchedKeys keys = {0};
    VerifyResult result = {0};
    Conn *book = run_book(run, moved->source, moved->target);
    stream_touched_take(&arena, run->stream, relation, &keys);
    if (relation->unlogged && moved->live)
        return true; /* it is copied again behind the fence */
    bool open = moved->live && is_open(moved->open, relation);
    bool whole = is_whole(run, relation, moved->live);
    keys.overflow = keys.overflow || relation->unlogged || open || whole;
    if (keys.count == 0 && !keys.overflow)
        return true;
    if (!compare_moved(&arena, moved, relation, &keys, &result, err))
        return false;
    stream_touched_put(run->stream, relation, &result.busy_keys);
    if (!report_differences(run, book, relation, &result, err))
        return false;
    return !open || result.busy > 0 || settle(run, book, relation, err);
}

bool cutover_verify_moved(Run *run, Conn *source, Conn *target, bool live, Err *err)
{
    AUTO_ROWS Rows *open = NULL;
    Conn *book = run_book(run, source, target);
    if (live && !journal_open_findings(book, run_main(run)->journal.id,
                                       err_code_name(ERR_DIFFERENCE), &open, err))
        return false;
    const Moved moved = {
        .run = run, .source = source, .target = target, .live = live, .open = open};
    for (size_t i = 0; i < run->blueprint->relation_count; i++) {
        if (!relation_moved(&moved, &run->blueprint->relations[i], err))
            return false;
    }
    return true;
}

static bool compare_marked(Run *run, Conn *source, Conn *target, const Relation *relation, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    VerifyResult result = {0};
    bool any = false;
    VerifyNotes notes = {.book = target, .run_id = run->journal.id};
    VerifySpec spec = {.relation = relation,
                       .method = PLAN_VERIFY_CHECKSUM,
                       .partial = !run->plan->copy.data,
                       .source = source,
                       .target = target,
                       .stream = run->stream,
                       .notes = &notes,
                       .throttle = &run->throttle};
    if (!verify_marked(&arena, &spec, &any, &result, err))
        return err_context(err, "could not compare %s", name_text(&arena, &relation->source));
    if (any)
        log_info(&run->log, "compared %s with the source, where it was touched since the switch",
                 name_text(&arena, &relation->source));
    return report_differences(run, run_book(run, source, target), relation, &result, err);
}

bool cutover_verify_kept(Run *run, Conn *source, Conn *target, Err *err)
{
    for (size_t i = 0; run->forth != NULL && i < run->blueprint->relation_count; i++) {
        const Relation *relation = &run->blueprint->relations[i];
        if (!relation->unlogged && !is_whole(run, relation, true) &&
            !compare_marked(run, source, target, relation, err))
            return false;
    }
    return true;
}

/* Nothing of ours may have come behind this attempt's first marker: then a writer got past the
 * fence. */
static bool nothing_after_marker(Run *run, Err *err)
{
    StreamStatus status = {0};
    stream_status(run->stream, &status);
    if (status.failed)
        return stream_error(run->stream, err);
    uint64_t changes = stream_after_marker(run->stream, run->cutover->nonce);
    if (changes == 0)
        return true;
    err_set(err, ERR_RUN, "%" PRIu64 " changes reached the source after its fence", changes);
    return err_hint(err, "A writer got past the fence (a superuser, a session with its own "
                         "settings, or writes went on "
                         "under method manual or command). Stop it, then cut over again.");
}

/* Under the lock method a queued write would commit when the locks fall: its session ends before
 * they do. */
static bool close_source(Run *run, Conn *source, Conn *target, Err *err)
{
    if (run->plan->cutover.method == PLAN_STOP_MANUAL ||
        run->plan->cutover.method == PLAN_STOP_COMMAND)
        return true;
    if (run->plan->cutover.method == PLAN_STOP_LOCK &&
        !(fence_record(run, run_book(run, source, target), source,
                       fence_method_name(PLAN_STOP_LOCK), err) &&
          fence_database_read_only(source, err)))
        return false;
    return fence_end_others(source, NULL, 0, SESSIONS_END_MS, err);
}

/* SHARE locks do not stop nextval(): what was drawn since the sequences were read is gone. */
static bool sequences_again(Run *run, Conn *source, Conn *target, Err *err)
{
    size_t ignored = 0;
    return run->plan->cutover.method != PLAN_STOP_LOCK ||
           sequences_move(run, source, target, &ignored, err);
}

static bool state_switched(Run *run, Conn *source, Conn *book, Err *err)
{
    JournalRun *journal = &run_main(run)->journal;
    if (!journal_fence_close(book, journal->id, conn_side(source), err))
        return false;
    if (run->forth != NULL) /* the next cutover is approved anew */
        return journal_spend_approvals(book, journal->id, err) &&
               journal_run_switch(book, journal, RUN_FAILED_BACK, err);
    return journal_switched(book, journal->id, err) &&
           journal_run_switch(book, journal, RUN_SWITCHED, err);
}

/* One transaction: the state tells whether all of it was done. */
static bool state_switch(Run *run, Conn *source, Conn *target, Err *err)
{
    Conn *book = run_book(run, source, target);
    JournalRun *journal = &run_main(run)->journal;
    const char *before = journal->state;
    if (pg_begin(book, NULL, err) && state_switched(run, source, book, err) && pg_commit(book, err))
        return true;
    journal->state = before;
    return false;
}

bool cutover_switch(Run *run, Conn *source, Conn *target, Err *err)
{
    if (!close_source(run, source, target, err) || !sequences_again(run, source, target, err) ||
        !nothing_after_marker(run, err))
        return false;
    /* A last marker through the whole path: what a late writer committed would have come before it,
     * and what comes behind it is not applied any more, whatever the way of stopping the writers.
     */
    const char *last = arena_printf(&run->cutover->arena, "%s-last", run->cutover->nonce);
    Lsn marker = 0;
    stream_seal_at(run->stream, last);
    if (!stream_marker_emit(source, run->journal.mark, last, &marker, err) ||
        !stream_wait_marker(run->stream, last, time_left_ms(run), err) ||
        !nothing_after_marker(run, err))
        return false;
    if (!state_switch(run, source, target, err))
        return false;
    atomic_store(&run->cutover->switched, true);
    pg_rollback(run->cutover->fence);
    return true;
}

/* What stopped the writers on the target lets them go on: they are at home again. */
static bool writers_go_on(Run *run, Err *err)
{
    const PlanCutover *cutover = &run->plan->cutover;
    HookCall call = cutover_writers_call(run, "undo", NULL);
    if (run->forth == NULL || cutover->method != PLAN_STOP_COMMAND || cutover->undo.argc == 0)
        return true;
    return hook_command(&call, &cutover->undo, err) || err_context(err, "cutover.stop_writes.undo");
}

bool cutover_writers_home(Run *main, Err *err)
{
    Run back = {.plan = main->plan, .forth = main, .stop = main->stop, .log = main->log};
    return writers_go_on(&back, err);
}

static bool open_target(const JournalFence *fences, size_t count, Conn *target, Err *err)
{
    for (size_t i = 0; i < count; i++)
        if (fences[i].side == conn_side(target) &&
            !fence_database_restore(target, fences[i].previous, err))
            return false;
    fence_renew_others(target);
    return true;
}

/* The journal forgets the fence last: an engine that died in between, or whose command failed, has
 * left it to the next one, which opens what is open and runs the command again. */
static bool unfence(Run *run, Conn *book, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    JournalFence *fences = NULL;
    size_t count = 0;
    int64_t id = run_main(run)->journal.id;
    if (!journal_fences(&arena, book, id, &fences, &count, err) ||
        !open_target(fences, count, target, err))
        return false;
    atomic_store(&run->cutover->opened, true);
    return writers_go_on(run, err) && journal_fence_clear(book, id, conn_side(target), err);
}

bool cutover_unfence_target(Run *run, Conn *source, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Run *main = run_main(run);
    Conn *book = run_book(run, source, target);
    if (!unfence(run, book, target, err))
        return false;
    int64_t downtime = cutover_downtime_ms(run);
    if (downtime == 0) /* an earlier engine switched; its downtime is not ours to measure */
        return true;
    atomic_store(&run->counters.downtime_ms, downtime);
    const char *detail = arena_printf(&arena, "{\"downtime_ms\": %" PRId64 "}", downtime);
    if (run->forth != NULL)
        return run_event(main, book, "failed_back", detail, err);
    return journal_downtime(book, main->journal.id, downtime, err) &&
           run_event(main, book, "switched", detail, err);
}
