/*
 * Slot watch: see the header. What fails where: a look that fails (source down, session ended) is
 * logged and tried again, the stream tells what is wrong with the source; a watch without a session
 * decides nothing. The slot is dropped only by slot_watch_answer(), when nothing reads it any more;
 * killed before that, the slot stays and the next engine decides anew.
 */
#include "step/slot_watch.h"

#include "base/clock.h"
#include "base/jsontext.h"
#include "cutover/cutover.h"
#include "hook/notify.h"
#include "sql_text.h"

#include "base/units.h"

#define LOOK_MS      1000
#define RECONNECT_MS 2000
#define DROP_TRIES   3
#define VERSION_LSN  100000 /* pg_current_wal_flush_lsn() and pg_wal_lsn_diff() have their names */

typedef enum Verdict { VERDICT_NONE, VERDICT_LOST, VERDICT_LIMIT } Verdict;

struct SlotWatch {
    Run *run;
    pthread_t thread;
    bool running;
    Stop stop; /* ends the thread */
    atomic_bool armed;
    HealthMeter meter; /* the thread's */

    pthread_mutex_t mutex; /* below: the newest look */
    Arena arena;
    SlotHealth health;
    bool seen;
    bool to_journal;
    Verdict verdict;
};

/* Behind the switch the slot is no longer the run's to keep; in a cutover the drain is about to
 * free it, and max_downtime bounds that. */
static bool may_act(const SlotWatch *watch)
{
    const Cutover *cutover = watch->run->cutover;
    return atomic_load(&watch->armed) && (cutover == NULL || !atomic_load(&cutover->switched));
}

static bool in_cutover(const SlotWatch *watch)
{
    const Cutover *cutover = watch->run->cutover;
    return cutover != NULL && atomic_load(&cutover->begun);
}

static Verdict judge(const SlotWatch *watch, const SlotHealth *health)
{
    if (!may_act(watch))
        return VERDICT_NONE;
    if (health->level == SLOT_LOST)
        return VERDICT_LOST;
    bool drop = watch->run->plan->replication.on_limit == PLAN_ON_LIMIT_DROP_SLOT;
    return drop && health->level == SLOT_FULL && !in_cutover(watch) ? VERDICT_LIMIT : VERDICT_NONE;
}

static void tell(const SlotWatch *watch, const SlotHealth *health)
{
    AUTO_ARENA Arena arena = {0};
    const Run *run = watch->run;
    const char *text = health_text(&arena, health);
    LogLevel level = health->level == SLOT_WELL      ? LOG_INFO
                     : health->level == SLOT_WARNING ? LOG_WARN
                                                     : LOG_ERROR;
    log_message(&run->log, level, "slot %s is %s: it %s", run->slot_name,
                health_level_text(health->level), text);
}

static void keep_look(SlotWatch *watch, const SlotHealth *health, bool told)
{
    pthread_mutex_lock(&watch->mutex);
    arena_reset(&watch->arena);
    watch->health = *health;
    watch->health.look.wal_status = arena_strdup(&watch->arena, health->look.wal_status);
    watch->health.look.reason = arena_strdup(&watch->arena, health->look.reason);
    watch->seen = true;
    watch->to_journal = watch->to_journal || told;
    watch->verdict = watch->verdict != VERDICT_NONE ? watch->verdict : judge(watch, health);
    pthread_mutex_unlock(&watch->mutex);
}

static bool look(SlotWatch *watch, Conn *conn, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    SlotLook now = {0};
    SlotHealth health;
    if (!health_look(&arena, conn, watch->run->slot_name, &now, err))
        return false;
    if (!now.exists && !may_act(watch))
        return true; /* not made yet, or dropped by the end of the run */
    bool told = health_measure(&watch->meter, &now, clock_us(), &health);
    if (told && may_act(watch))
        tell(watch, &health);
    keep_look(watch, &health, told && may_act(watch));
    if (watch->verdict != VERDICT_NONE)
        stop_request(watch->run->stop, STOP_SLOT);
    return true;
}

static bool watch_session(SlotWatch *watch, Err *err)
{
    AUTO_CONN Conn *conn = NULL;
    ConnOptions options = {.purpose = "slot watch", .read_only = true, .stop = &watch->stop};
    if (!conn_open(&conn, &watch->run->source, &options, err))
        return false;
    if (conn_version(conn) < VERSION_LSN) {
        stop_request(&watch->stop, STOP_DONE);
        return true;
    }
    while (watch->verdict == VERDICT_NONE) {
        if (!look(watch, conn, err))
            return false;
        if (!stop_sleep(&watch->stop, LOOK_MS))
            return true;
    }
    return true;
}

static void *watch_main(void *data)
{
    SlotWatch *watch = data;
    while (watch->verdict == VERDICT_NONE && stop_reason(&watch->stop) == STOP_NONE) {
        AUTO_ERR Err err = {0};
        if (watch_session(watch, &err) || stop_reason(&watch->stop) != STOP_NONE)
            break;
        log_debug(&watch->run->log, "slot watch: %s", err.message);
        stop_sleep(&watch->stop, RECONNECT_MS);
    }
    return NULL;
}

SlotWatch *slot_watch_begin(Run *run)
{
    AUTO_ERR Err err = {0};
    SlotWatch *watch = mem_resize(NULL, sizeof(SlotWatch));
    *watch = (SlotWatch){
        .run = run, .meter = {.max_retained_bytes = run->plan->replication.max_retained_wal_bytes}};
    if (!stop_init(&watch->stop, &err)) {
        log_err(&run->log, LOG_WARN, &err);
        mem_free(watch);
        return NULL;
    }
    pthread_mutex_init(&watch->mutex, NULL);
    watch->running = pthread_create(&watch->thread, NULL, watch_main, watch) == 0;
    if (!watch->running)
        log_warn(&run->log, "could not start a thread: nobody watches the slot");
    return watch;
}

void slot_watch_arm(SlotWatch *watch)
{
    if (watch != NULL)
        atomic_store(&watch->armed, true);
}

json_t *slot_watch_json(SlotWatch *watch)
{
    if (watch == NULL)
        return NULL;
    pthread_mutex_lock(&watch->mutex);
    json_t *json = watch->seen ? health_json(&watch->health) : NULL;
    pthread_mutex_unlock(&watch->mutex);
    return json;
}

const char *slot_watch_text(Arena *arena, SlotWatch *watch)
{
    if (watch == NULL)
        return NULL;
    pthread_mutex_lock(&watch->mutex);
    const char *text = watch->seen ? health_text(arena, &watch->health) : NULL;
    pthread_mutex_unlock(&watch->mutex);
    return text;
}

const char *slot_watch_unread_text(Arena *arena, SlotWatch *watch)
{
    if (watch == NULL)
        return "";
    pthread_mutex_lock(&watch->mutex);
    const char *text = watch->seen ? health_unread_text(arena, &watch->health) : "";
    pthread_mutex_unlock(&watch->mutex);
    return text;
}

bool slot_watch_journal(Run *run, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    SlotWatch *watch = run->slot_watch;
    if (watch == NULL)
        return true;
    pthread_mutex_lock(&watch->mutex);
    json_t *json = watch->to_journal ? health_json(&watch->health) : NULL;
    watch->to_journal = false;
    pthread_mutex_unlock(&watch->mutex);
    return json == NULL || run_event(run, target, "slot", jsontext_compact(&arena, json), err);
}

void slot_watch_end(Run *run)
{
    SlotWatch *watch = run->slot_watch;
    if (watch == NULL || !watch->running)
        return;
    stop_request(&watch->stop, STOP_DONE);
    pthread_join(watch->thread, NULL);
    watch->running = false;
}

/* The run's stop is set: a session that does not obey it. */
static bool drop_slot(const Run *run, Err *err)
{
    AUTO_CONN Conn *conn = NULL;
    ConnOptions options = {.purpose = "slot drop"};
    return conn_open(&conn, &run->source, &options, err) &&
           pg_none(conn, SQL_SLOT_DROP, PARAMS(run->slot_name), err);
}

static void give_up(const Run *run, const SlotHealth *health, Err *failure)
{
    AUTO_ARENA Arena arena = {0};
    bool dropped = false;
    err_release(failure);
    for (int i = 0; i < DROP_TRIES && !dropped; i++) {
        AUTO_ERR Err err = {0};
        dropped = drop_slot(run, &err);
        if (!dropped)
            log_err(&run->log, LOG_ERROR, &err);
    }
    err_set(failure, ERR_SLOT_LIMIT, "slot %s retained %s of WAL, the plan's limit is %s: %s",
            run->slot_name, units_size_text(&arena, health->look.retained_bytes),
            units_size_text(&arena, health->max_retained_bytes),
            dropped ? "the run was stopped and the slot dropped"
                    : "the run was stopped, but the slot could not be dropped");
    err_detail(failure, "replication.slot.on_limit of the plan says so, for the source's sake.");
    if (!dropped) {
        err_hint(failure, "Drop it on the source: SELECT pg_drop_replication_slot('%s').",
                 run->slot_name);
        return;
    }
    err_hint(failure,
             "Raise replication.slot.max_retained_wal, or find out why the run fell behind; then "
             "\"godwit resync %s --all --yes\" and \"godwit apply %s\" copy anew under a new slot.",
             run->plan->path, run->plan->path);
}

void slot_watch_answer(Run *run, Conn *target, Err *failure)
{
    SlotWatch *watch = run->slot_watch;
    AUTO_ERR Err err = {0};
    if (watch == NULL || watch->verdict == VERDICT_NONE || stop_reason(run->stop) != STOP_SLOT)
        return;
    if (watch->verdict == VERDICT_LIMIT) {
        give_up(run, &watch->health, failure);
    } else {
        const SlotLook *now = &watch->health.look;
        err_release(failure);
        health_lost(run->slot_name, now->exists ? now->reason : NULL, run->plan->path, failure);
    }
    if (conn_is_ok(target) && !slot_watch_journal(run, target, &err))
        log_debug(&run->log, "slot watch: %s", err.message);
}

void slot_watch_free(SlotWatch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_destroy(&watch->mutex);
    stop_release(&watch->stop);
    arena_release(&watch->arena);
    mem_free(watch);
}
