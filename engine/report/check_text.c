/*
 * The findings and the workload as text.
 */
#include "base/units.h"
#include "report/check_report.h"

#include <unistd.h>

#define HOUR          3600.0
#define US_PER_SECOND 1000000.0

static const char *size_text(Arena *arena, double bytes)
{
    return units_size_text(arena, (uint64_t)bytes);
}

static const char *time_text(Arena *arena, double seconds)
{
    if (seconds < 1)
        return "under 1s";
    return units_interval_text(arena, (int64_t)(seconds * US_PER_SECOND));
}

static void print_rate(Str *out, Arena *arena, const char *label, const WorkRate *rate)
{
    double changes = work_changes(rate);
    if (rate->seconds <= 0)
        return;
    str_appendf(out, "  %-12s %.1f row changes a second", label, changes);
    if (changes > 0)
        str_appendf(out, " (%.0f%% inserts, %.0f%% updates, %.0f%% deletes)",
                    100 * rate->inserts / changes, 100 * rate->updates / changes,
                    100 * rate->deletes / changes);
    str_appendf(out, ", %.1f commits a second, %s of WAL an hour; over %s\n", rate->commits,
                size_text(arena, rate->wal_bytes * HOUR), time_text(arena, rate->seconds));
}

/* "3s to 12s", or one text where both ends read alike. */
static const char *range_text(Arena *arena, const char *from, const char *to)
{
    return text_equal(from, to) ? from : arena_printf(arena, "%s to %s", from, to);
}

static void print_forecast(Str *out, Arena *arena, const Forecast *forecast)
{
    str_appendf(out,
                "  %-12s %s, if each of %u table and %u index jobs moves %s to %s a second; a "
                "rehearsal measures it\n",
                "copy",
                range_text(arena, time_text(arena, forecast->copy_seconds_min),
                           time_text(arena, forecast->copy_seconds_max)),
                forecast->table_jobs, forecast->index_jobs,
                size_text(arena, COPY_BYTES_PER_SECOND_MIN),
                size_text(arena, COPY_BYTES_PER_SECOND_MAX));
    str_appendf(out,
                "  %-12s %s on the source until the copy ends (kept at most: %s; the slot %s)\n",
                "WAL held",
                range_text(arena, size_text(arena, forecast->wal_held_min),
                           size_text(arena, forecast->wal_held_max)),
                forecast->wal_kept_at_most < 0
                    ? "no limit"
                    : units_size_text(arena, (uint64_t)forecast->wal_kept_at_most),
                slot_outlook_name(forecast->slot));
}

static void print_workload(Str *out, Arena *arena, const PreflightReport *report)
{
    const Workload *work = &report->workload;
    if (!work->known)
        return;
    str_append(out, "\nworkload of the source\n");
    str_appendf(
        out, "  %-12s %s; selected: %s in %llu tables (%llu with each partition), %s of indexes\n",
        "database", units_size_text(arena, work->database_bytes),
        units_size_text(arena, work->table_bytes), (unsigned long long)work->tables,
        (unsigned long long)work->leaves, units_size_text(arena, work->index_bytes));
    print_rate(out, arena, "now", &work->sample);
    print_rate(out, arena, "on average", &work->average);
    str_append(out, "what it means for this run\n");
    print_forecast(out, arena, &report->forecast);
}

void check_print_text(Str *out, const PreflightReport *report)
{
    AUTO_ARENA Arena arena = {0};
    size_t accepted = 0;
    for (size_t i = 0; i < report->findings.count; i++) {
        accepted += report->findings.items[i].severity < FINDING_INFO;
        str_append(out, preflight_finding_text(&arena, &report->findings.items[i], STDOUT_FILENO));
    }
    print_workload(out, &arena, report);
    str_appendf(out, "%s%zu error%s, %zu warning%s", report->workload.known ? "\n" : "",
                report->errors, report->errors == 1 ? "" : "s", report->warnings,
                report->warnings == 1 ? "" : "s");
    if (accepted > 0)
        str_appendf(out, ", %zu waived or attested", accepted);
    str_append_char(out, '\n');
}
