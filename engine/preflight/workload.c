/*
 * Reading the source's workload, and the findings that follow from it.
 */
#include "preflight/check.h"

#include "base/units.h"
#include "sql_text.h"

#define MB 1048576

/* Row changes a second that the stream carries with room to spare on two cores (measured). */
#define CHANGES_PER_SECOND 50000.0

/* Columns of preflight_workload.sql. */
enum {
    WORK_TIME,
    WORK_WAL,
    WORK_INSERTED,
    WORK_UPDATED,
    WORK_DELETED,
    WORK_COMMITS,
    WORK_SINCE,
    WORK_WAL_COUNTED,
    WORK_WAL_SINCE,
    WORK_SIZE
};

static WorkRate rate_between(const Rows *from, const Rows *to)
{
    double seconds = rows_double(to, 0, WORK_TIME) - rows_double(from, 0, WORK_TIME);
    if (seconds <= 0)
        return (WorkRate){0};
    return (WorkRate){
        .seconds = seconds,
        .inserts =
            (rows_double(to, 0, WORK_INSERTED) - rows_double(from, 0, WORK_INSERTED)) / seconds,
        .updates =
            (rows_double(to, 0, WORK_UPDATED) - rows_double(from, 0, WORK_UPDATED)) / seconds,
        .deletes =
            (rows_double(to, 0, WORK_DELETED) - rows_double(from, 0, WORK_DELETED)) / seconds,
        .commits =
            (rows_double(to, 0, WORK_COMMITS) - rows_double(from, 0, WORK_COMMITS)) / seconds,
        .wal_bytes = (rows_double(to, 0, WORK_WAL) - rows_double(from, 0, WORK_WAL)) / seconds,
    };
}

static WorkRate rate_since(const Rows *rows)
{
    double seconds = rows_double(rows, 0, WORK_TIME) - rows_double(rows, 0, WORK_SINCE);
    double wal_seconds = rows_double(rows, 0, WORK_TIME) - rows_double(rows, 0, WORK_WAL_SINCE);
    if (seconds <= 0 || wal_seconds <= 0)
        return (WorkRate){0};
    return (WorkRate){
        .seconds = seconds,
        .inserts = rows_double(rows, 0, WORK_INSERTED) / seconds,
        .updates = rows_double(rows, 0, WORK_UPDATED) / seconds,
        .deletes = rows_double(rows, 0, WORK_DELETED) / seconds,
        .commits = rows_double(rows, 0, WORK_COMMITS) / seconds,
        .wal_bytes = rows_double(rows, 0, WORK_WAL_COUNTED) / wal_seconds,
    };
}

static bool read_once(Check *check, Rows **rows, Err *err)
{
    AUTO_ERR Err refused = {0};
    if (pg_one(check->source.conn, SQL_PREFLIGHT_WORKLOAD, NO_PARAMS, rows, &refused))
        return true;
    /* A provider may keep these views to itself: then there is no profile. */
    if (conn_is_ok(check->source.conn) && refused.sqlstate[0] != '\0')
        return true;
    return err_move(err, &refused);
}

static bool wait_between(Check *check, int64_t us, Err *err)
{
    const Stop *stop = conn_stop(check->source.conn);
    return stop_sleep(stop, (int)(us / 1000)) || stop_error(stop, err);
}

static void check_slot_outlives(Check *check, const Forecast *forecast)
{
    if (forecast->slot == SLOT_OUTLASTS)
        return;
    bool certain = forecast->slot == SLOT_IS_LOST;
    check_add(
        check, CODE_SLOT_LOST, certain ? FINDING_ERROR : FINDING_WARNING, &check->source,
        "max_slot_wal_keep_size",
        check_text(check, "is %s, and the copy holds back %s to %s of WAL",
                   units_size_text(check->arena, (uint64_t)forecast->wal_kept_at_most),
                   units_size_text(check->arena, (uint64_t)forecast->wal_held_min),
                   units_size_text(check->arena, (uint64_t)forecast->wal_held_max)),
        certain ? "Even at the fastest the slot is lost before the copy ends."
                : "If the copy is slow the slot is lost before it ends, and the run begins "
                  "anew.",
        check_remedy(check, &check->source, TOPIC_SETTING_RELOAD, "max_slot_wal_keep_size", "-1"));
}

static void check_plan_limit(Check *check, const Forecast *forecast)
{
    uint64_t limit = check->plan->replication.max_retained_wal_bytes;
    if (limit == 0 || forecast->wal_held_max <= (double)limit)
        return;
    check_add(check, CODE_WAL_LIMIT, FINDING_WARNING, &check->source,
              "replication.slot.max_retained_wal",
              check_text(check, "is %s, and the copy holds back %s to %s of WAL",
                         units_size_text(check->arena, limit),
                         units_size_text(check->arena, (uint64_t)forecast->wal_held_min),
                         units_size_text(check->arena, (uint64_t)forecast->wal_held_max)),
              check->plan->replication.on_limit == PLAN_ON_LIMIT_DROP_SLOT
                  ? "At the limit the run is stopped and its slot dropped: it begins anew."
                  : "At the limit an alarm is raised.",
              "-- raise replication.slot.max_retained_wal in the plan, or copy.table_jobs");
}

static void check_writers(Check *check, const Workload *work)
{
    double now = work_changes(&work->sample);
    double mean = work_changes(&work->average);
    double changes = now > mean ? now : mean;
    if (changes <= CHANGES_PER_SECOND)
        return;
    check_add(check, CODE_FAST_WRITERS, FINDING_WARNING, &check->source,
              check_part(check, check->source.catalog->server.database),
              check_text(check, "%.0f rows change in a second", changes),
              "The stream may not catch up while it goes on at this rate; the lag, and the WAL "
              "that is held, then grow.",
              "-- rehearse with this load, migrate at a quieter time, or split the selection over "
              "several plans");
}

bool probe_workload(Check *check, Err *err)
{
    AUTO_ROWS Rows *first = NULL;
    AUTO_ROWS Rows *second = NULL;
    Workload *work = &check->report->workload;
    int64_t keep_mb = catalog_setting_int(check->source.catalog, "max_slot_wal_keep_size", -1);
    if (!read_once(check, &first, err))
        return false;
    if (first == NULL)
        return true;
    if (check->input->sample_us > 0 &&
        (!wait_between(check, check->input->sample_us, err) || !read_once(check, &second, err)))
        return false;
    *work = (Workload){
        .known = true,
        .average = rate_since(first),
        .database_bytes = (uint64_t)rows_int64(first, 0, WORK_SIZE),
        .table_bytes = check->sizes.tables,
        .index_bytes = check->sizes.indexes,
        .tables = check->blueprint->relation_count,
        .leaves = check->blueprint->leaf_count,
    };
    if (second != NULL)
        work->sample = rate_between(first, second);
    check->report->forecast =
        workload_forecast(work, check->plan->copy.table_jobs, check->plan->copy.index_jobs,
                          keep_mb < 0 ? -1 : keep_mb * MB);
    if (check->input->resuming)
        return true;
    check_slot_outlives(check, &check->report->forecast);
    check_plan_limit(check, &check->report->forecast);
    check_writers(check, work);
    return true;
}
