/*
 * The forecast: arithmetic over a workload, without a server.
 */
#include "preflight/workload.h"

double work_changes(const WorkRate *rate)
{
    return rate->inserts + rate->updates + rate->deletes;
}

const char *slot_outlook_name(SlotOutlook outlook)
{
    static const char *const names[] = {"outlasts the copy", "may be lost", "is lost"};
    return names[outlook];
}

static double least_of(double a, double b)
{
    return a < b ? a : b;
}

static double most_of(double a, double b)
{
    return a > b ? a : b;
}

Forecast workload_forecast(const Workload *workload, uint32_t table_jobs, uint32_t index_jobs,
                           int64_t wal_keep_bytes)
{
    double table_workers = table_jobs > 0 ? table_jobs : 1;
    double index_workers = index_jobs > 0 ? index_jobs : 1;
    double now = workload->sample.wal_bytes;
    double mean = workload->average.wal_bytes;
    bool sampled = workload->sample.seconds > 0;
    Forecast forecast = {
        .table_jobs = table_jobs, .index_jobs = index_jobs, .wal_kept_at_most = wal_keep_bytes};
    /* At best indexes are built while other tables are still copied, at worst only afterwards. */
    forecast.copy_seconds_min =
        (double)workload->table_bytes / (COPY_BYTES_PER_SECOND_MAX * table_workers);
    forecast.copy_seconds_max =
        (double)workload->table_bytes / (COPY_BYTES_PER_SECOND_MIN * table_workers) +
        (double)workload->index_bytes / (COPY_BYTES_PER_SECOND_MIN * index_workers);
    forecast.wal_held_min = (sampled ? least_of(now, mean) : mean) * forecast.copy_seconds_min;
    forecast.wal_held_max = (sampled ? most_of(now, mean) : mean) * forecast.copy_seconds_max;
    if (wal_keep_bytes >= 0 && forecast.wal_held_max > (double)wal_keep_bytes)
        forecast.slot =
            forecast.wal_held_min > (double)wal_keep_bytes ? SLOT_IS_LOST : SLOT_AT_RISK;
    return forecast;
}
