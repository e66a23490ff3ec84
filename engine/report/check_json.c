/*
 * The findings and the workload as JSON.
 */
#include "base/jsontext.h"
#include "report/check_report.h"

static json_t *finding_json(const Finding *f)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:s, s:b, s:b, s:b, s:s*, s:s*}", "id",
                     f->code, "code", f->code, "severity", finding_severity_name(f->severity),
                     "server", finding_side_name(f), "object", f->object, "message", f->message,
                     "why", f->why, "remedy", f->remedy, "fixable", f->fixable, "waivable",
                     f->waivable, "attestable", f->attestable, "note", f->note, "at", f->at);
}

static json_t *rate_json(const WorkRate *rate)
{
    double changes = work_changes(rate);
    if (rate->seconds <= 0)
        return json_null();
    return json_pack(
        "{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "seconds", rate->seconds, "changes_per_second",
        changes, "inserts_per_second", rate->inserts, "updates_per_second", rate->updates,
        "deletes_per_second", rate->deletes, "update_delete_share",
        changes > 0 ? (rate->updates + rate->deletes) / changes : 0.0, "commits_per_second",
        rate->commits, "wal_bytes_per_hour", rate->wal_bytes * 3600);
}

static json_t *workload_json(const Workload *work)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "database_bytes",
                     (json_int_t)work->database_bytes, "table_bytes", (json_int_t)work->table_bytes,
                     "index_bytes", (json_int_t)work->index_bytes, "tables",
                     (json_int_t)work->tables, "leaves", (json_int_t)work->leaves, "sample",
                     rate_json(&work->sample), "average", rate_json(&work->average));
}

static json_t *forecast_json(const Forecast *forecast)
{
    json_t *kept = forecast->wal_kept_at_most < 0
                       ? json_null()
                       : json_integer((json_int_t)forecast->wal_kept_at_most);
    return json_pack("{s:f, s:f, s:I, s:I, s:o, s:s, s:{s:I, s:I, s:f, s:f}}", "copy_seconds_min",
                     forecast->copy_seconds_min, "copy_seconds_max", forecast->copy_seconds_max,
                     "wal_held_bytes_min", (json_int_t)forecast->wal_held_min, "wal_held_bytes_max",
                     (json_int_t)forecast->wal_held_max, "wal_kept_at_most_bytes", kept, "slot",
                     slot_outlook_name(forecast->slot), "assumes", "table_jobs",
                     (json_int_t)forecast->table_jobs, "index_jobs",
                     (json_int_t)forecast->index_jobs, "bytes_per_second_and_job_min",
                     COPY_BYTES_PER_SECOND_MIN, "bytes_per_second_and_job_max",
                     COPY_BYTES_PER_SECOND_MAX);
}

void check_print_json(Str *out, const PreflightReport *report)
{
    AUTO_ARENA Arena arena = {0};
    json_t *findings = json_array();
    for (size_t i = 0; i < report->findings.count; i++)
        json_array_append_new(findings, finding_json(&report->findings.items[i]));
    json_t *root = json_pack("{s:i, s:I, s:I, s:o}", "v", 1, "errors", (json_int_t)report->errors,
                             "warnings", (json_int_t)report->warnings, "findings", findings);
    if (report->workload.known) {
        json_object_set_new(root, "workload", workload_json(&report->workload));
        json_object_set_new(root, "forecast", forecast_json(&report->forecast));
    }
    str_append(out, jsontext_pretty(&arena, root));
}
