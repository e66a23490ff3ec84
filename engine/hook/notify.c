/*
 * Notifier: one command at a time, event by event.
 */
#include "hook/notify.h"

#include "base/clock.h"
#include "base/jsontext.h"
#include "base/queue.h"
#include "base/str.h"
#include "base/thread.h"
#include "hook/hook.h"

#include <poll.h>

#define QUEUE_EVENTS 200
#define QUEUE_BYTES  ((size_t)1024 * 1024)
#define FLUSH_MS     5000

struct Notifier {
    Run *run;
    Queue events; /* of texts, owned by who takes them */
    Stop stop;    /* ends the command that runs */
    Stop ended;   /* requested by the thread as its last act */
    pthread_t thread;
    atomic_size_t lost;
};

typedef struct EventText {
    const char *kind;
    const char *text;
} EventText;

static const EventText EVENT_TEXTS[] = {
    {"started", "the engine has taken the run"},
    {"copied", "the rows are copied"},
    {"caught_up", "the target has caught up with the source"},
    {"waiting", "the run waits for an approval"},
    {"approved", "the cutover is approved"},
    {"cutover", "the cutover has begun"},
    {"switched", "the target is the primary and takes writes"},
    {"rolled_back", "the cutover was rolled back; the source is the primary"},
    {"finished", "the migration is finished"},
    {"step_done", "a step of the plan is done"},
};

static const char *event_text(const char *kind)
{
    for (size_t i = 0; i < sizeof(EVENT_TEXTS) / sizeof(EVENT_TEXTS[0]); i++) {
        if (text_equal(EVENT_TEXTS[i].kind, kind))
            return EVENT_TEXTS[i].text;
    }
    return kind;
}

static void deliver(Notifier *notifier, const char *event)
{
    AUTO_ERR Err err = {0};
    HookCall call = {.run = notifier->run,
                     .step = "notify",
                     .phase = "",
                     .place = "notify",
                     .stop = &notifier->stop,
                     .input = event,
                     .is_quiet = true,
                     .log = {.run = notifier->run->plan->name, .step = "notify"}};
    if (stop_reason(&notifier->stop) != STOP_NONE) {
        atomic_fetch_add(&notifier->lost, 1);
    } else if (!hook_command(&call, &notifier->run->plan->notify, &err)) {
        if (stop_reason(&notifier->stop) != STOP_NONE)
            atomic_fetch_add(&notifier->lost, 1);
        else
            log_err(&call.log, LOG_WARN, &err);
    }
}

static void *notifier_main(void *data)
{
    Notifier *notifier = data;
    for (char *event = queue_take(&notifier->events, -1); event != NULL;
         event = queue_take(&notifier->events, -1)) {
        deliver(notifier, event);
        mem_free(event);
    }
    stop_request(&notifier->ended, STOP_DONE);
    return NULL;
}

static void release(Notifier *notifier)
{
    queue_release(&notifier->events);
    stop_release(&notifier->stop);
    stop_release(&notifier->ended);
    mem_free(notifier);
}

Notifier *notifier_begin(Run *run)
{
    AUTO_ERR Err err = {0};
    if (run->plan->notify.argc == 0)
        return NULL;
    Notifier *notifier = mem_resize(NULL, sizeof(Notifier));
    *notifier = (Notifier){.run = run, .stop.fd = -1, .ended.fd = -1};
    queue_init(&notifier->events, QUEUE_EVENTS, QUEUE_BYTES);
    if (stop_init(&notifier->stop, &err) && stop_init(&notifier->ended, &err) &&
        thread_begin(&notifier->thread, "notify", notifier_main, notifier, &err))
        return notifier;
    log_err(&run->log, LOG_WARN, &err);
    log_warn(&run->log, "notify: events are not delivered");
    release(notifier);
    return NULL;
}

void notifier_end(Notifier *notifier)
{
    if (notifier == NULL)
        return;
    queue_close(&notifier->events);
    if (stop_poll(NULL, notifier->ended.fd, POLLIN, FLUSH_MS) != 1)
        stop_request(&notifier->stop, STOP_DONE);
    pthread_join(notifier->thread, NULL);
    size_t lost = atomic_load(&notifier->lost);
    if (lost > 0)
        log_warn(&notifier->run->log, "notify: %zu events were not delivered", lost);
    release(notifier);
}

static char *event_json(Arena *arena, const Run *run, const char *kind, const char *message,
                        const char *detail)
{
    json_t *event =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:o*}", "v", 1, "time",
                  clock_rfc3339(arena, clock_unix_us()), "level", "info", "run", run->plan->name,
                  "event", kind, "message", message != NULL ? message : event_text(kind), "run_id",
                  (json_int_t)run->journal.id, "fingerprint", run->plan->fingerprint, "detail",
                  detail != NULL ? json_loads(detail, 0, NULL) : NULL);
    return event == NULL ? NULL : jsontext_compact(arena, event);
}

void notify_event(const Run *run, const char *kind, const char *message, const char *detail)
{
    AUTO_ARENA Arena arena = {0};
    Notifier *notifier = run->notifier;
    const char *json = notifier == NULL ? NULL : event_json(&arena, run, kind, message, detail);
    if (notifier == NULL)
        return;
    size_t bytes = json == NULL ? 0 : strlen(json);
    char *line = json == NULL ? NULL : mem_resize(NULL, bytes + 2);
    if (line != NULL) {
        memcpy(line, json, bytes);
        memcpy(line + bytes, "\n", 2);
    }
    if (line != NULL && queue_put(&notifier->events, line, bytes, 0))
        return;
    mem_free(line);
    if (atomic_fetch_add(&notifier->lost, 1) == 0)
        log_warn(&run->log, "notify: the command does not keep up; events are lost");
}

bool run_event(const Run *run, Conn *target, const char *kind, const char *detail, Err *err)
{
    notify_event(run, kind, NULL, detail);
    return journal_event(target, run->journal.id, kind, detail, err);
}
