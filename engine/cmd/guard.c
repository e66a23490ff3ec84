/*
 * Guard: see the header. A look that fails is tried again; it never fails the run, since the stream
 * tells what is wrong with the source. What is altered must be seen twice: DDL that is gone again a
 * moment later, as by a migration tool that tries something, does not stop a run; what it did to
 * rows shows by the table's file and columns (blueprint/structure_storage.c). A step that failed
 * for it has seen it, too.
 */
#include "cmd/guard.h"

#include "base/clock.h"
#include "blueprint/structure.h"
#include "copy/published.h"
#include "cutover/cutover.h"
#include "step/way_back.h"

#define AGAIN_MS     1000
#define LOOK_LOCK_MS 1000 /* the sizes of tables that are being rewritten are waited for */

static const char CAME[] =
    "came to the source since the run began, and is not copied; the cutover refuses until \"godwit "
    "refresh\" takes it in, or it is gone again";

void guard_warn_added(const LogCtx *ctx, const char *names)
{
    log_warn(ctx, "%s %s", names, CAME);
}

/* --- looking --- */

static const char *look(Arena *arena, Run *run, Err *err)
{
    AUTO_CONN Conn *conn = NULL;
    ConnOptions options = {
        .purpose = "guard", .read_only = true, .lock_timeout_ms = LOOK_LOCK_MS, .stop = run->stop};
    if (!conn_open(&conn, &run->source, &options, err))
        return NULL;
    return structure_look(arena, conn, run->blueprint, err);
}

static bool is_due(const Guard *guard, const Run *run, const StreamStatus *status)
{
    if (run->forth != NULL || atomic_load(&run->cutover->begun) || status->failed)
        return false;
    return guard->again_ms != 0 ? clock_ms() >= guard->again_ms : status->shapes != guard->seen;
}

/* --- what to do --- */

static void find(Run *run, Conn *target, const char *severity, const char *object,
                 const char *message)
{
    AUTO_ERR Err err = {0};
    if (!journal_finding(target, run->journal.id, err_code_name(ERR_STALE), severity, object,
                         message, &err))
        log_debug(&run->log, "guard: %s", err.message);
}

static void report_added(Run *run, Conn *target, const char *text)
{
    guard_warn_added(&run->log, text);
    find(run, target, "warning", text, CAME);
}

static void answer_added(Guard *guard, Arena *arena, Run *run, Conn *target, const char *text)
{
    guard->altered = NULL;
    if (guard->told != NULL && strcmp(guard->told, text) == 0)
        return;
    bool refused = guard->leave_added && guard->told == NULL;
    guard->told = arena_strdup(arena, text);
    if (!run->plan->ddl.add || refused) {
        report_added(run, target, text);
        return;
    }
    log_info(&run->log, "stopping at a checkpoint to take in %s", text);
    stop_request(run->stop, STOP_LATE);
}

/* The engine begins anew without them; what it finds then counts. */
static bool pause_altered(Run *run, Conn *target, const char *before, const char *now)
{
    AUTO_ARENA Arena arena = {0};
    NameVec tables = {0};
    if (!run->plan->ddl.pause_relation || !structure_can_pause(&arena, before, now, &tables))
        return false;
    for (size_t i = 0; i < tables.count; i++) {
        const Name *table = &tables.items[i];
        const Relation *relation = blueprint_relation(run->blueprint, table);
        const char *name = name_text(&arena, table);
        const char *remedy = relation == NULL
                                 ? NULL
                                 : structure_remedy(&arena, before, now, table, &relation->target);
        find(run, target, "error", name,
             arena_printf(&arena,
                          "altered on the source: %s; it is paused, the rest replicates on. On the "
                          "target: %s Then \"godwit resync PLAN %s\"",
                          structure_diff_of(&arena, before, now, table),
                          remedy == NULL ? "see \"godwit status\"." : remedy, name));
    }
    log_info(&run->log, "stopping at a checkpoint to go on without %s",
             structure_names(&arena, &tables));
    stop_request(run->stop, STOP_LATE);
    return true;
}

/* The stream does not tell what happened to them: who begins anew copies them. */
static void answer_rewritten(Guard *guard, Run *run, Conn *target, const char *text)
{
    guard->altered = NULL;
    log_warn(&run->log, "stopping at a checkpoint to copy anew what was rewritten: %s", text);
    find(run, target, "warning", text, "was truncated or rewritten on the source; copied anew");
    stop_request(run->stop, STOP_LATE);
}

static void stop_altered(Run *run, Conn *target, const char *before, const char *now)
{
    AUTO_ARENA Arena own = {0};
    if (pause_altered(run, target, before, now))
        return;
    const char *diff = structure_diff(&own, before, now);
    log_error(&run->log, "tables were altered on the source; stopping: %.*s",
              (int)strcspn(diff, "\n"), diff);
    find(run, target, "error", "source", diff);
    stop_request(run->stop, STOP_DDL);
}

static void answer_altered(Guard *guard, Arena *arena, Run *run, Conn *target, const char *before,
                           const char *now)
{
    if (guard->altered != NULL && strcmp(guard->altered, now) == 0) {
        stop_altered(run, target, before, now);
        return;
    }
    guard->altered = arena_strdup(arena, now);
    guard->again_ms = clock_ms() + AGAIN_MS;
}

/* A table that somebody took out of its publication: what is written to it is in no stream. One
 * that is in again is compared at the cutover. */
static void check_published(Guard *guard, Run *run, Conn *target)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    AUTO_CONN Conn *conn = NULL;
    const char **now = NULL;
    ConnOptions options = {
        .purpose = "guard", .read_only = true, .lock_timeout_ms = LOOK_LOCK_MS, .stop = run->stop};
    if (conn_open(&conn, &run->source, &options, &err) &&
        published_still(&arena, run, conn, target, NULL, &now, NULL, &err))
        return;
    if (err.code != ERR_STALE) {
        log_debug(&run->log, "guard: %s", err.message);
        guard->again_ms = clock_ms() + AGAIN_MS;
        return;
    }
    log_error(&run->log, "%s; stopping", err.message);
    find(run, target, "error", "source", err.message);
    err_release(&guard->unpublished);
    err_move(&guard->unpublished, &err);
    stop_request(run->stop, STOP_DDL);
}

/* --- the way back --- */

static bool back_is_due(const Guard *guard, const Run *run, const StreamStatus *status)
{
    if (!atomic_load(&run->keeping) || run->forth != NULL || status->failed)
        return false;
    return guard->again_ms != 0 ? clock_ms() >= guard->again_ms
                                : status->shapes != guard->seen_back;
}

/* \param now "": nothing can go back any more as the target is */
static bool look_back(Arena *arena, const Run *run, const char **now, Err *err)
{
    AUTO_CONN Conn *conn = NULL;
    ConnOptions options = {
        .purpose = "guard", .read_only = true, .lock_timeout_ms = LOOK_LOCK_MS, .stop = run->stop};
    if (!conn_open(&conn, &run->target, &options, err))
        return false;
    *now = way_back_look(arena, run, conn, err);
    if (*now != NULL)
        return true;
    if (err->code != ERR_RUN && err->code != ERR_PLAN)
        return false;
    err_release(err);
    *now = "";
    return true;
}

/* What moved is told by the next beginning, which takes it in or refuses it (way_back_take()). */
static void guard_back(Guard *guard, Arena *arena, Run *run, const StreamStatus *status)
{
    AUTO_ARENA Arena own = {0};
    AUTO_ERR Err err = {0};
    const char *now = NULL;
    bool looked = look_back(&own, run, &now, &err);
    guard->seen_back = status->shapes;
    guard->again_ms = looked ? 0 : clock_ms() + AGAIN_MS;
    if (!looked) {
        log_debug(&run->log, "guard: %s", err.message);
        return;
    }
    if (*now != '\0' &&
        *structure_diff(&own, structure_text(&own, run->back->run.blueprint), now) == '\0') {
        guard->altered_back = NULL;
        return;
    }
    if (guard->altered_back == NULL || strcmp(guard->altered_back, now) != 0) {
        guard->altered_back = arena_strdup(arena, now);
        guard->again_ms = clock_ms() + AGAIN_MS;
        return;
    }
    log_warn(&run->log, "the target's tables are not as they were when the way back was made: "
                        "stopping at a checkpoint to look what can go back");
    stop_request(run->stop, STOP_LATE);
}

void guard_tick(Guard *guard, Arena *arena, Run *run, Conn *target, const StreamStatus *status)
{
    if (back_is_due(guard, run, status)) {
        guard_back(guard, arena, run, status);
        return;
    }
    AUTO_ARENA Arena own = {0};
    AUTO_ERR Err err = {0};
    if (!is_due(guard, run, status))
        return;
    const char *now = look(&own, run, &err);
    guard->seen = status->shapes;
    guard->again_ms = 0;
    if (now == NULL) {
        log_debug(&run->log, "guard: %s", err.message);
        guard->again_ms = clock_ms() + AGAIN_MS;
        return;
    }
    const char *before = structure_text(&own, run->blueprint);
    const StructureMoves moves = structure_moves(&own, before, now);
    if (moves.rewritten.count > 0) {
        answer_rewritten(guard, run, target, structure_names(&own, &moves.rewritten));
        return;
    }
    if (moves.added.count > 0)
        answer_added(guard, arena, run, target, structure_names(&own, &moves.added));
    else if (moves.move == STRUCTURE_ALTERED)
        answer_altered(guard, arena, run, target, before, now);
    else
        guard->altered = NULL;
    check_published(guard, run, target);
}

/* A statement about a table or a column that is not there, or not so. */
static bool met_other_names(const Err *failure)
{
    return strncmp(failure->sqlstate, "42", 2) == 0 || strcmp(failure->sqlstate, "3F000") == 0;
}

void guard_failed(Guard *guard, Arena *arena, Run *run, Conn *target, const Err *failure)
{
    AUTO_ARENA Arena own = {0};
    AUTO_ERR Err err = {0};
    if (!met_other_names(failure) || run->forth != NULL || atomic_load(&run->cutover->begun) ||
        stop_reason(run->stop) != STOP_NONE)
        return;
    const char *now = look(&own, run, &err);
    if (now == NULL) {
        log_debug(&run->log, "guard: %s", err.message);
        return;
    }
    const char *before = structure_text(&own, run->blueprint);
    const StructureMoves moves = structure_moves(&own, before, now);
    if (moves.move == STRUCTURE_ALTERED) {
        guard->altered = arena_strdup(arena, now);
        stop_altered(run, target, before, now);
    } else if (moves.move == STRUCTURE_PARTITIONS) {
        log_warn(&run->log, "stopping at a checkpoint to take in what moved on the source");
        stop_request(run->stop, STOP_LATE);
    }
}

void guard_answer(Guard *guard, const Run *run, Err *failure)
{
    AUTO_ARENA Arena arena = {0};
    if (stop_reason(run->stop) == STOP_DDL && err_is_set(&guard->unpublished)) {
        err_release(failure);
        err_move(failure, &guard->unpublished);
    }
    err_release(&guard->unpublished);
    if (guard->altered == NULL || stop_reason(run->stop) != STOP_DDL)
        return;
    AUTO_ERR Err err = {0};
    if (structure_same(structure_text(&arena, run->blueprint), guard->altered, &err))
        return;
    err_release(failure);
    err_move(failure, &err);
}
