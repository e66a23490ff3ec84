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
#include "step/way_back.h"

#define ON_TARGET    " on the target"
#define LOOK_MS      1000
#define RECONNECT_MS 2000
#define DROP_TRIES   3
#define VERSION_LSN  100000 /* pg_current_wal_flush_lsn() and pg_wal_lsn_diff() have their names */

typedef enum Verdict { VERDICT_NONE, VERDICT_LOST, VERDICT_LIMIT } Verdict;

struct SlotWatch {
    Run *run;
    const Endpoint *server; /* that the slot is on */
    const char *slot_name;
    const char *where; /* said behind the slot's name */
    bool keeps;        /* over the way back while that is kept open, behind a switch */
    Arena names;
    pthread_t thread;
    bool running;
    Stop stop; /* ends the thread */
    atomic_bool armed;
    HealthMeter meter; /* the thread's */

    pthread_mutex_t mutex; /* below: the newest look */
    Arena arena;
    SlotHealth health;
    int64_t looked_us; /* when it was taken */
    bool seen;
    bool to_journal;
    Verdict verdict;
};

/* Behind the switch the slot is no longer the run's to keep; in a cutover the drain is about to
 * free it, and max_downtime bounds that. */
static bool may_act(const SlotWatch *watch)
{
    const Cutover *cutover = watch->keeps ? NULL : watch->run->cutover;
    return atomic_load(&watch->armed) && (cutover == NULL || !atomic_load(&cutover->switched));
}

static bool in_cutover(const SlotWatch *watch)
{
    const Cutover *cutover = watch->keeps ? NULL : watch->run->cutover;
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
    log_message(&run->log, level, "slot %s%s is %s: it %s", watch->slot_name, watch->where,
                health_level_text(health->level), text);
}

static void keep_look(SlotWatch *watch, const SlotHealth *health, bool told)
{
    pthread_mutex_lock(&watch->mutex);
    arena_reset(&watch->arena);
    watch->health = *health;
    watch->health.look.wal_status = arena_strdup(&watch->arena, health->look.wal_status);
    watch->health.look.reason = arena_strdup(&watch->arena, health->look.reason);
    watch->looked_us = clock_us();
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
    if (!health_look(&arena, conn, watch->slot_name, &now, err))
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
    if (!conn_open(&conn, watch->server, &options, err))
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

static void begin_thread(SlotWatch *watch)
{
    watch->running = pthread_create(&watch->thread, NULL, watch_main, watch) == 0;
    if (!watch->running)
        log_warn(&watch->run->log, "could not start a thread: nobody watches the slot");
}

/* One that keeps the way back has no session before there is something to look at. */
static SlotWatch *begin(SlotWatch made)
{
    AUTO_ERR Err err = {0};
    Run *run = made.run;
    SlotWatch *watch = mem_resize(NULL, sizeof(SlotWatch));
    *watch = made;
    watch->meter.max_retained_bytes = run->plan->replication.max_retained_wal_bytes;
    if (!stop_init(&watch->stop, &err)) {
        log_err(&run->log, LOG_WARN, &err);
        arena_release(&watch->names);
        mem_free(watch);
        return NULL;
    }
    pthread_mutex_init(&watch->mutex, NULL);
    if (!watch->keeps)
        begin_thread(watch);
    return watch;
}

SlotWatch *slot_watch_begin(Run *run)
{
    return begin((SlotWatch){.run = run,
                             .server = &run->source,
                             .slot_name = run->slot_name,
                             .where = run->forth != NULL ? ON_TARGET : ""});
}

SlotWatch *slot_watch_begin_back(Run *run)
{
    Arena names = {0};
    const char *slot = way_back_slot(&names, run->plan->name, run->journal.mark);
    return begin((SlotWatch){.run = run,
                             .server = &run->target,
                             .slot_name = slot,
                             .where = ON_TARGET,
                             .keeps = true,
                             .names = names});
}

void slot_watch_arm(SlotWatch *watch)
{
    if (watch == NULL)
        return;
    atomic_store(&watch->armed, true);
    if (watch->keeps && !watch->running)
        begin_thread(watch);
}

void slot_watch_disarm(SlotWatch *watch)
{
    if (watch != NULL)
        atomic_store(&watch->armed, false);
}

static bool is_of_way_back(const SlotWatch *watch)
{
    return watch->keeps || watch->run->forth != NULL;
}

/* Under the mutex. */
static json_t *as_json(const SlotWatch *watch)
{
    json_t *json = health_json(&watch->health);
    if (is_of_way_back(watch))
        json_object_set_new(json, "server", json_string("target"));
    return json;
}

json_t *slot_watch_json(SlotWatch *watch)
{
    if (watch == NULL)
        return NULL;
    pthread_mutex_lock(&watch->mutex);
    json_t *json = watch->seen ? as_json(watch) : NULL;
    if (json != NULL)
        json_object_set_new(json, "age_us", json_integer(clock_us() - watch->looked_us));
    pthread_mutex_unlock(&watch->mutex);
    return json;
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

bool slot_watch_journal(Run *run, SlotWatch *watch, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    if (watch == NULL)
        return true;
    pthread_mutex_lock(&watch->mutex);
    json_t *json = watch->to_journal ? as_json(watch) : NULL;
    watch->to_journal = false;
    pthread_mutex_unlock(&watch->mutex);
    return json == NULL || run_event(run, target, "slot", jsontext_compact(&arena, json), err);
}

void slot_watch_end(SlotWatch *watch)
{
    if (watch == NULL || !watch->running)
        return;
    stop_request(&watch->stop, STOP_DONE);
    pthread_join(watch->thread, NULL);
    watch->running = false;
}

/* The run's stop is set: a session that does not obey it. */
static bool drop_slot(const SlotWatch *watch, Err *err)
{
    AUTO_CONN Conn *conn = NULL;
    ConnOptions options = {.purpose = "slot drop"};
    return conn_open(&conn, watch->server, &options, err) &&
           pg_none(conn, SQL_SLOT_DROP, PARAMS(watch->slot_name), err);
}

static bool drop_patiently(const SlotWatch *watch)
{
    for (int i = 0; i < DROP_TRIES; i++) {
        AUTO_ERR Err err = {0};
        if (drop_slot(watch, &err))
            return true;
        log_err(&watch->run->log, LOG_ERROR, &err);
    }
    return false;
}

/* What the slot's loss means for who reads the error. */
static void hint_dropped(const SlotWatch *watch, Err *failure)
{
    const char *path = watch->run->plan->path;
    if (is_of_way_back(watch)) {
        err_hint(failure,
                 "The target is the primary, and nothing comes back from it to the source any "
                 "more. \"godwit cleanup %s\" drops what is left of the way back.",
                 path);
        return;
    }
    err_hint(failure,
             "Raise replication.slot.max_retained_wal, or find out why the run fell behind; then "
             "\"godwit resync %s --all --yes\" and \"godwit apply %s\" copy anew under a new slot.",
             path, path);
}

static void give_up(const SlotWatch *watch, Err *failure)
{
    AUTO_ARENA Arena arena = {0};
    const SlotHealth *health = &watch->health;
    err_release(failure);
    bool dropped = drop_patiently(watch);
    err_set(failure, ERR_SLOT_LIMIT, "slot %s%s retained %s of WAL, the plan's limit is %s: %s",
            watch->slot_name, watch->where, units_size_text(&arena, health->look.retained_bytes),
            units_size_text(&arena, health->max_retained_bytes),
            dropped ? "the run was stopped and the slot dropped"
                    : "the run was stopped, but the slot could not be dropped");
    err_detail(failure, "replication.slot.on_limit of the plan says so, for the %s's sake.",
               conn_side_name(watch->server->side));
    if (dropped)
        hint_dropped(watch, failure);
    else
        err_hint(failure, "Drop it on the %s: SELECT pg_drop_replication_slot('%s').",
                 conn_side_name(watch->server->side), watch->slot_name);
}

static void tell_lost(const SlotWatch *watch, Err *failure)
{
    const SlotLook *now = &watch->health.look;
    const char *reason = now->exists ? now->reason : NULL;
    err_release(failure);
    if (is_of_way_back(watch))
        health_lost_back(watch->slot_name, reason, watch->run->plan->path, failure);
    else
        health_lost(watch->slot_name, reason, watch->run->plan->path, failure);
}

void slot_watch_answer(Run *run, SlotWatch *watch, Conn *target, Err *failure)
{
    AUTO_ERR Err err = {0};
    if (watch == NULL || watch->verdict == VERDICT_NONE || stop_reason(run->stop) != STOP_SLOT)
        return;
    if (watch->verdict == VERDICT_LIMIT)
        give_up(watch, failure);
    else
        tell_lost(watch, failure);
    if (conn_is_ok(target) && !slot_watch_journal(run, watch, target, &err))
        log_debug(&run->log, "slot watch: %s", err.message);
}

void slot_watch_free(SlotWatch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_destroy(&watch->mutex);
    stop_release(&watch->stop);
    arena_release(&watch->arena);
    arena_release(&watch->names);
    mem_free(watch);
}
