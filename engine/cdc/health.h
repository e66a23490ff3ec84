/*
 * Health: how a slot does, from looks at it: what it holds, how fast that grows, when it is lost at
 * this rate, and when somebody is to be told. Pure but for health_look(); whoever acts on it is
 * step/slot_watch.h.
 *
 *     HealthMeter meter = {.max_retained_bytes = plan->replication.max_retained_wal_bytes};
 *     ... each second: health_look(arena, conn, slot, &look, err);
 *     if (health_measure(&meter, &look, clock_us(), &health)) tell(health_text(arena, &health));
 */
#ifndef GODWIT_CDC_HEALTH_H
#define GODWIT_CDC_HEALTH_H

#include "base/lsn.h"
#include "pg/query.h"

#include <jansson.h>

#define HEALTH_SAMPLES 60

/* One look at pg_replication_slots. */
typedef struct SlotLook {
    Lsn head; /* the source's WAL end */
    bool exists;
    bool active;
    bool failover;          /* 17+: kept through a failover */
    const char *wal_status; /* reserved, extended, unreserved, lost; "" before 13 */
    const char *reason;     /* 17+: why it was invalidated; "" */
    uint64_t retained_bytes;
    int64_t safe_bytes;  /* may still be written before it can be lost; INT64_MAX: no limit */
    int64_t keep_bytes;  /* max_slot_wal_keep_size, -1 none */
    int64_t inactive_us; /* 17+: since when nobody reads it; 0 active or not known */
    int64_t idle_us;     /* 18+: idle_replication_slot_timeout, 0 none */
} SlotLook;

/* From good to bad. */
typedef enum SlotLevel {
    SLOT_WELL,
    SLOT_WARNING,  /* three quarters of a limit, or lost within an hour */
    SLOT_CRITICAL, /* nine tenths, or lost within ten minutes, or "unreserved" */
    SLOT_FULL,     /* the plan's max_retained_wal is reached */
    SLOT_LOST,     /* gone or invalidated */
    SLOT_LEVELS
} SlotLevel;

typedef struct SlotHealth {
    SlotLook look; /* its texts live as long as the arena they were read into */
    SlotLevel level;
    uint64_t max_retained_bytes; /* the plan's, 0 none */
    int64_t wal_rate;            /* bytes of WAL a second on the source, -1 not known yet */
    int64_t growth;              /* bytes a second by which more is held; below 0: less */
    int64_t loss_us;             /* until the source may invalidate it, -1 not in sight */
    int64_t limit_us;            /* until the plan's limit, -1 not in sight */
    int64_t unread_us;           /* until loss if nobody reads it from now on, -1 not in sight */
} SlotHealth;

typedef struct HealthSample {
    int64_t at_us;
    Lsn head;
    uint64_t retained_bytes;
} HealthSample;

/* Zeroed but for max_retained_bytes, it has seen nothing. */
typedef struct HealthMeter {
    uint64_t max_retained_bytes;
    HealthSample samples[HEALTH_SAMPLES]; /* ring, oldest first */
    size_t first;
    size_t count;
    SlotLevel level;
    int64_t told_us; /* when the level was last told */
} HealthMeter;

/** One look. \param arena keeps its texts \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool health_look(Arena *arena, Conn *source, const char *slot, SlotLook *look, Err *err);

/** Takes a look in. A level is left for a better one only when what made it is well past, so that a
 * value that swings about a threshold is told once.
 * \param now_us monotonic \return whether somebody is to be told: the level got worse, or got well
 * again, or a bad one lasts and was not told for ten minutes */
bool health_measure(HealthMeter *meter, const SlotLook *look, int64_t now_us, SlotHealth *health);

/** "well", "warning", "critical", "full", "lost". */
const char *health_level_text(SlotLevel level);

/** One sentence without a full stop: what is held, and what comes of it. */
char *health_text(Arena *arena, const SlotHealth *health);

/** The same for an engine that leaves the slot unread: what is held, how fast the source writes,
 * and when the slot is lost at that rate. Ends in a full stop. */
char *health_unread_text(Arena *arena, const SlotHealth *health);

/** For samples and events: every number, and the sentence as "text". A new reference. */
json_t *health_json(const SlotHealth *health);

/** Sets ERR_CANNOT_RESUME for a slot that is gone or was invalidated, with what to do.
 * \param reason why, or NULL: it is not on the source any more \param plan the plan's path
 * \return false */
bool health_lost(const char *slot, const char *reason, const char *plan, Err *err);

/** The same of the way back's slot, on the target. */
bool health_lost_back(const char *slot, const char *reason, const char *plan, Err *err);

#endif
