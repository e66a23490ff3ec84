/*
 * Workload: what the source does, read twice over a short while and since its statistics began, and
 * what that means for this run.
 */
#ifndef GODWIT_PREFLIGHT_WORKLOAD_H
#define GODWIT_PREFLIGHT_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

/* A second's worth of work. */
typedef struct WorkRate {
    double seconds; /* that it was taken over; 0: not known */
    double inserts;
    double updates;
    double deletes;
    double commits;
    double wal_bytes; /* of the whole cluster */
} WorkRate;

typedef struct Workload {
    bool known;
    WorkRate sample;  /* now */
    WorkRate average; /* since the statistics began */
    uint64_t database_bytes;
    uint64_t table_bytes; /* selected */
    uint64_t index_bytes;
    uint64_t tables;
    uint64_t leaves;
} Workload;

/* Whether the source's limit of WAL outlasts the copy. */
typedef enum SlotOutlook { SLOT_OUTLASTS, SLOT_AT_RISK, SLOT_IS_LOST } SlotOutlook;

/* What the run would take and hold back, at that rate; an assumption stands behind each. */
typedef struct Forecast {
    double copy_seconds_min;
    double copy_seconds_max;
    double wal_held_min; /* bytes until the copy ends */
    double wal_held_max;
    int64_t wal_kept_at_most; /* max_slot_wal_keep_size in bytes, -1 no limit */
    SlotOutlook slot;
    uint32_t table_jobs;
    uint32_t index_jobs;
} Forecast;

/* What the forecast assumes of one worker. */
#define COPY_BYTES_PER_SECOND_MIN (10.0 * 1024 * 1024)
#define COPY_BYTES_PER_SECOND_MAX (60.0 * 1024 * 1024)

/** All row changes of a rate, a second. */
double work_changes(const WorkRate *rate);

/** "outlasts the copy", "may be lost", "is lost". */
const char *slot_outlook_name(SlotOutlook outlook);

/** The forecast for a workload. \param wal_keep_bytes -1 no limit */
Forecast workload_forecast(const Workload *workload, uint32_t table_jobs, uint32_t index_jobs,
                           int64_t wal_keep_bytes);

#endif
