/*
 * Health: see the header. Rates are measured over up to five minutes, so that one bulk write is no
 * prophecy, and the jumps of restart_lsn (a running-transactions record every 15 s) even out.
 *
 * \note Source: PostgreSQL 13-18, "pg_replication_slots", max_slot_wal_keep_size,
 * idle_replication_slot_timeout.
 */
#include "cdc/health.h"

#include "base/str.h"
#include "base/units.h"
#include "sql_text.h"

#define SECOND_US   ((int64_t)1000000)
#define MINUTE_US   (60 * SECOND_US)
#define SAMPLE_US   (5 * SECOND_US) /* between two samples that are kept */
#define RATE_US     (5 * SECOND_US) /* least time that a rate is measured over */
#define PROPHECY_US MINUTE_US       /* least time that a warning is founded on */
#define REPEAT_US   (10 * MINUTE_US)
#define PERCENT     100.0

/* When a level begins, and when it is over. */
typedef struct LevelRow {
    const char *name;
    double used; /* share of a limit */
    double used_over;
    int64_t left_us;
    int64_t left_over_us;
} LevelRow;

static const LevelRow LEVEL_ROWS[SLOT_LEVELS] = {
    [SLOT_WELL] = {"well", 0, 0, 0, 0},
    [SLOT_WARNING] = {"warning", 0.75, 0.65, 60 * MINUTE_US, 90 * MINUTE_US},
    [SLOT_CRITICAL] = {"critical", 0.90, 0.80, 10 * MINUTE_US, 15 * MINUTE_US},
    [SLOT_FULL] = {"full", 1.0, 0.95, 0, 0},
    [SLOT_LOST] = {"lost", 0, 0, 0, 0},
};

bool health_look(Arena *arena, Conn *source, const char *slot, SlotLook *look, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(source, SQL_CDC_SLOT_LOOK, PARAMS(slot), &rows, err))
        return false;
    *look = (SlotLook){
        .head = rows_lsn(rows, 0, 0),
        .exists = rows_bool(rows, 0, 1),
        .wal_status = arena_strdup(arena, rows_text(rows, 0, 2)),
        .retained_bytes = (uint64_t)rows_int64(rows, 0, 3),
        .safe_bytes = rows_text(rows, 0, 4) == NULL ? INT64_MAX : rows_int64(rows, 0, 4),
        .active = rows_bool(rows, 0, 5),
        .inactive_us = (int64_t)(rows_double(rows, 0, 6) * (double)SECOND_US),
        .reason = arena_strdup(arena, rows_text(rows, 0, 7)),
        .failover = rows_bool(rows, 0, 8),
        .keep_bytes = rows_int64(rows, 0, 9),
        .idle_us = (int64_t)(rows_double(rows, 0, 10) * (double)SECOND_US),
    };
    return true;
}

static const HealthSample *oldest(const HealthMeter *meter)
{
    return &meter->samples[meter->first];
}

static void keep(HealthMeter *meter, const SlotLook *look, int64_t now_us)
{
    size_t last = (meter->first + meter->count + HEALTH_SAMPLES - 1) % HEALTH_SAMPLES;
    if (meter->count > 0 && now_us - meter->samples[last].at_us < SAMPLE_US)
        return;
    if (meter->count == HEALTH_SAMPLES) {
        meter->first = (meter->first + 1) % HEALTH_SAMPLES;
        meter->count--;
    }
    meter->samples[(meter->first + meter->count++) % HEALTH_SAMPLES] =
        (HealthSample){.at_us = now_us, .head = look->head, .retained_bytes = look->retained_bytes};
}

static int64_t time_for(int64_t bytes, int64_t rate)
{
    if (bytes <= 0)
        return 0;
    double us = (double)bytes / (double)rate * (double)SECOND_US;
    return us >= (double)INT64_MAX / 2 ? -1 : (int64_t)us;
}

/* The earlier of two times, -1 being never. */
static int64_t sooner(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

/* \return for how long the rates were measured */
static int64_t predict(const HealthMeter *meter, int64_t now_us, SlotHealth *health)
{
    const SlotLook *look = &health->look;
    int64_t window = meter->count == 0 ? 0 : now_us - oldest(meter)->at_us;
    health->wal_rate = -1;
    health->loss_us = -1;
    health->limit_us = -1;
    health->unread_us = look->idle_us > 0 ? look->idle_us : -1;
    if (!look->active && look->idle_us > 0 && look->inactive_us > 0)
        health->loss_us = look->idle_us > look->inactive_us ? look->idle_us - look->inactive_us : 0;
    if (window < RATE_US)
        return window;
    double seconds = (double)window / (double)SECOND_US;
    double grown = (double)look->retained_bytes - (double)oldest(meter)->retained_bytes;
    health->wal_rate = (int64_t)((double)(look->head - oldest(meter)->head) / seconds);
    health->growth = (int64_t)(grown / seconds);
    if (look->safe_bytes != INT64_MAX && health->wal_rate > 0)
        health->unread_us = sooner(health->unread_us, time_for(look->safe_bytes, health->wal_rate));
    if (health->growth <= 0)
        return window;
    if (look->safe_bytes != INT64_MAX)
        health->loss_us = sooner(health->loss_us, time_for(look->safe_bytes, health->growth));
    if (meter->max_retained_bytes > 0)
        health->limit_us =
            time_for((int64_t)(meter->max_retained_bytes - look->retained_bytes), health->growth);
    return window;
}

/* Share of the nearer limit that is used, 0 without a limit. */
static double used(const SlotHealth *health)
{
    const SlotLook *look = &health->look;
    double held = (double)look->retained_bytes;
    double most = 0;
    if (look->safe_bytes != INT64_MAX)
        most = look->safe_bytes <= 0 ? 1 : held / (held + (double)look->safe_bytes);
    if (health->max_retained_bytes == 0)
        return most;
    double of_plan = held / (double)health->max_retained_bytes;
    return of_plan > most ? of_plan : most;
}

static bool is_lost(const SlotLook *look)
{
    return !look->exists || text_equal(look->wal_status, "lost") || *look->reason != '\0';
}

static bool over_plan(const SlotHealth *health, double share)
{
    return health->max_retained_bytes > 0 &&
           (double)health->look.retained_bytes >= share * (double)health->max_retained_bytes;
}

/* Whether a level holds. \param stays it was reached before: it is left with some distance only */
static bool holds(const SlotHealth *health, SlotLevel level, int64_t window, bool stays)
{
    const LevelRow *row = &LEVEL_ROWS[level];
    double share = stays ? row->used_over : row->used;
    int64_t time = stays ? row->left_over_us : row->left_us;
    int64_t left = sooner(health->loss_us, health->limit_us);
    if (level == SLOT_LOST)
        return is_lost(&health->look);
    if (level == SLOT_FULL)
        return over_plan(health, share);
    if (level == SLOT_CRITICAL && text_equal(health->look.wal_status, "unreserved"))
        return true;
    return used(health) >= share || (window >= PROPHECY_US && left >= 0 && left < time);
}

static SlotLevel level_of(const HealthMeter *meter, const SlotHealth *health, int64_t window)
{
    SlotLevel level = SLOT_LOST;
    while (level > SLOT_WELL && !holds(health, level, window, level <= meter->level))
        level--;
    return level;
}

bool health_measure(HealthMeter *meter, const SlotLook *look, int64_t now_us, SlotHealth *health)
{
    *health = (SlotHealth){.look = *look, .max_retained_bytes = meter->max_retained_bytes};
    int64_t window = predict(meter, now_us, health);
    if (look->exists)
        keep(meter, look, now_us);
    health->level = level_of(meter, health, window);
    SlotLevel before = meter->level;
    meter->level = health->level;
    bool tell = health->level > before || (health->level == SLOT_WELL && before != SLOT_WELL) ||
                (health->level != SLOT_WELL && now_us - meter->told_us >= REPEAT_US);
    if (tell)
        meter->told_us = now_us;
    return tell;
}

const char *health_level_text(SlotLevel level)
{
    return LEVEL_ROWS[level].name;
}

/* "; at this rate ... in 3h 10m (limit 4.0 GB)" */
static void append_end(Str *text, Arena *arena, int64_t left_us, const char *what, int64_t limit)
{
    if (left_us < 0)
        return;
    str_appendf(text, "; at the present rate %s in %s", what, units_interval_text(arena, left_us));
    if (limit > 0)
        str_appendf(text, " (at %s)", units_size_text(arena, (uint64_t)limit));
}

char *health_text(Arena *arena, const SlotHealth *health)
{
    AUTO_STR Str text = {0};
    const SlotLook *look = &health->look;
    if (health->level == SLOT_LOST) {
        str_append(&text, look->exists ? "was invalidated by its server" : "is not there any more");
        if (*look->reason != '\0')
            str_appendf(&text, " (%s)", look->reason);
        return str_dup(arena, &text);
    }
    str_appendf(&text, "retains %s of WAL", units_size_text(arena, look->retained_bytes));
    if (health->wal_rate >= 0 && health->growth > 0)
        str_appendf(&text, ", growing by %s/s", units_size_text(arena, (uint64_t)health->growth));
    if (look->safe_bytes != INT64_MAX)
        str_appendf(&text, "; its server keeps it for %s more",
                    units_size_text(arena, look->safe_bytes > 0 ? (uint64_t)look->safe_bytes : 0));
    if (health->max_retained_bytes > 0)
        str_appendf(&text, "; %.0f%% of the plan's limit of %s",
                    (double)look->retained_bytes / (double)health->max_retained_bytes * PERCENT,
                    units_size_text(arena, health->max_retained_bytes));
    append_end(&text, arena, health->loss_us, "it is lost", look->keep_bytes);
    append_end(&text, arena, health->limit_us, "the plan's limit is reached", 0);
    return str_dup(arena, &text);
}

char *health_unread_text(Arena *arena, const SlotHealth *health)
{
    AUTO_STR Str text = {0};
    const SlotLook *look = &health->look;
    str_appendf(&text, "The slot retains %s of WAL", units_size_text(arena, look->retained_bytes));
    if (health->wal_rate >= 0)
        str_appendf(&text, ", the source writes %s/s",
                    units_size_text(arena, (uint64_t)health->wal_rate));
    if (look->safe_bytes == INT64_MAX)
        str_append(&text, "; the source keeps what nobody reads without a limit, on its disk");
    if (health->unread_us >= 0)
        str_appendf(&text, "; at this rate it is lost in %s, unless replication goes on",
                    units_interval_text(arena, health->unread_us));
    else if (look->safe_bytes != INT64_MAX)
        str_appendf(&text, "; the source keeps %s more for it",
                    units_size_text(arena, look->safe_bytes > 0 ? (uint64_t)look->safe_bytes : 0));
    str_append_char(&text, '.');
    return str_dup(arena, &text);
}

static json_t *number_or_null(int64_t value, bool known)
{
    return known ? json_integer((json_int_t)value) : json_null();
}

json_t *health_json(const SlotHealth *health)
{
    AUTO_ARENA Arena arena = {0};
    const SlotLook *look = &health->look;
    json_t *json =
        json_pack("{s:s, s:b, s:b, s:b, s:s, s:I, s:s}", "level", health_level_text(health->level),
                  "exists", look->exists, "active", look->active, "failover", look->failover,
                  "wal_status", look->wal_status, "retained_bytes",
                  (json_int_t)look->retained_bytes, "text", health_text(&arena, health));
    const bool bounded = look->safe_bytes != INT64_MAX;
    json_object_set_new(json, "safe_wal_bytes", number_or_null(look->safe_bytes, bounded));
    json_object_set_new(json, "max_slot_wal_keep_bytes",
                        number_or_null(look->keep_bytes, look->keep_bytes >= 0));
    json_object_set_new(
        json, "max_retained_bytes",
        number_or_null((int64_t)health->max_retained_bytes, health->max_retained_bytes > 0));
    json_object_set_new(json, "wal_bytes_per_second",
                        number_or_null(health->wal_rate, health->wal_rate >= 0));
    json_object_set_new(json, "growth_bytes_per_second",
                        number_or_null(health->growth, health->wal_rate >= 0));
    json_object_set_new(json, "seconds_to_loss",
                        number_or_null(health->loss_us / SECOND_US, health->loss_us >= 0));
    json_object_set_new(json, "seconds_to_limit",
                        number_or_null(health->limit_us / SECOND_US, health->limit_us >= 0));
    json_object_set_new(json, "seconds_to_loss_unread",
                        number_or_null(health->unread_us / SECOND_US, health->unread_us >= 0));
    json_object_set_new(json, "inactive_seconds",
                        number_or_null(look->inactive_us / SECOND_US, !look->active));
    if (*look->reason != '\0')
        json_object_set_new(json, "invalidation_reason", json_string(look->reason));
    return json;
}

bool health_lost(const char *slot, const char *reason, const char *plan, Err *err)
{
    if (reason != NULL)
        err_set(err, ERR_CANNOT_RESUME, "slot %s was invalidated by the source (%s)", slot,
                *reason != '\0' ? reason : "wal_removed");
    else
        err_set(err, ERR_CANNOT_RESUME, "slot %s is not on the source any more", slot);
    err_detail(err, "Changes since then cannot be had any more: what is copied must be copied "
                    "anew, under a new slot.");
    return err_hint(err,
                    "\"godwit resync %s --all --yes\", then \"godwit apply %s\". Before that, look "
                    "at max_slot_wal_keep_size on the source, and at who may drop slots.",
                    plan, plan);
}

bool health_lost_back(const char *slot, const char *reason, const char *plan, Err *err)
{
    if (reason != NULL)
        err_set(err, ERR_CANNOT_RESUME, "slot %s on the target was invalidated (%s)", slot,
                *reason != '\0' ? reason : "wal_removed");
    else
        err_set(err, ERR_CANNOT_RESUME, "slot %s is not on the target any more", slot);
    err_detail(err, "It was the way back: what the target took since then cannot come to the "
                    "source any more. The target is the primary.");
    return err_hint(err,
                    "\"godwit cleanup %s\" drops what is left of the way back. Before the next "
                    "cutover, look at max_slot_wal_keep_size on the target, and at who may drop "
                    "slots.",
                    plan);
}
