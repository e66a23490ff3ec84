/*
 * What a TimescaleDB source has beside its tables, as comments in the words of the plan:
 * columnstore and policies, continuous aggregates, jobs. The mirror takes them without being told;
 * whoever wants one to be different takes its entry out of the comment.
 */
#include "base/jsontext.h"
#include "base/str.h"
#include "draft/draft_internal.h"

#include <stdio.h>
#include <string.h>

/* "04:05:06.5" as "4 hours 5 minutes 6500 ms". */
static void append_clock(Str *span, const char *clock)
{
    int hours = 0, minutes = 0;
    double seconds = 0;
    if (sscanf(clock, "%d:%d:%lf", &hours, &minutes, &seconds) != 3)
        return;
    if (hours > 0)
        str_appendf(span, " %d hours", hours);
    if (minutes > 0)
        str_appendf(span, " %d minutes", minutes);
    long ms = (long)(seconds * 1000 + 0.5);
    if (ms > 0 && ms % 1000 == 0)
        str_appendf(span, " %ld seconds", ms / 1000);
    else if (ms > 0)
        str_appendf(span, " %ld ms", ms);
}

/* PostgreSQL's "1 day 02:30:00" as the plan writes it; NULL for nothing at all. */
static const char *span_text(Arena *arena, const char *text)
{
    AUTO_STR Str span = {0};
    const char *clock = text == NULL ? NULL : strchr(text, ':');
    if (clock == NULL)
        return text;
    while (clock > text && clock[-1] != ' ')
        clock--;
    str_append_bytes(&span, text, (size_t)(clock - text));
    if (span.length > 0)
        span.data[--span.length] = '\0';
    append_clock(&span, clock);
    const char *whole = str_dup(arena, &span);
    while (*whole == ' ')
        whole++;
    return *whole == '\0' ? NULL : whole;
}

static void put(Arena *arena, Str *out, const char *key, const char *value)
{
    if (value != NULL)
        str_appendf(out, "%s%s: %s", out->data[out->length - 1] == '{' ? "" : ", ", key,
                    draft_scalar(arena, value));
}

/* What TimescaleDB keeps of a refresh policy in its configuration alone. */
static void put_more(Str *out, const CatJob *job)
{
    static const char *const KEYS[] = {"buckets_per_batch", "max_batches_per_execution",
                                       "refresh_newest_first", "include_tiered_data"};
    json_t *more = job->more == NULL ? NULL : json_loads(job->more, 0, NULL);
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
        const json_t *value = json_object_get(more, KEYS[i]);
        if (json_is_integer(value))
            str_appendf(out, ", %s: %" JSON_INTEGER_FORMAT, KEYS[i], json_integer_value(value));
        else if (json_is_boolean(value))
            str_appendf(out, ", %s: %s", KEYS[i], json_is_true(value) ? "true" : "false");
    }
    json_decref(more);
}

static void put_list(Arena *arena, Str *out, const char *key, const char **texts, size_t count)
{
    if (count == 0)
        return;
    str_appendf(out, "%s%s: [", out->data[out->length - 1] == '{' ? "" : ", ", key);
    for (size_t i = 0; i < count; i++)
        str_appendf(out, "%s%s", i > 0 ? ", " : "", draft_scalar(arena, texts[i]));
    str_append(out, "]");
}

static void put_policy(Arena *arena, Str *out, const CatJob *job)
{
    put(arena, out, "schedule_interval", span_text(arena, job->schedule_interval));
    put(arena, out, "initial_start", job->initial_start);
    put(arena, out, "timezone", job->timezone);
    put(arena, out, "max_runtime", span_text(arena, job->max_runtime));
    if (job->max_retries >= 0)
        str_appendf(out, ", max_retries: %d", (int)job->max_retries);
    put(arena, out, "retry_period", span_text(arena, job->retry_period));
    if (!job->scheduled)
        str_append(out, ", scheduled: false");
}

static const CatJob *job_of(const Catalog *source, const Name *table, const char *procedure)
{
    for (size_t i = 0; i < source->jobs_count; i++) {
        const CatJob *job = &source->jobs[i];
        if (job->table.rel != NULL && name_equal(&job->table, table) &&
            strcmp(job->procedure.rel, procedure) == 0)
            return job;
    }
    return NULL;
}

void draft_policies(Arena *arena, Str *out, const Catalog *source, const Name *table)
{
    const CatColumnstore *columnstore = catalog_columnstore(source, table);
    const CatJob *convert = job_of(source, table, "policy_compression");
    const CatJob *drop = job_of(source, table, "policy_retention");
    const CatJob *reorder = job_of(source, table, "policy_reorder");
    if (columnstore != NULL) {
        str_append(out, "#     columnstore: {");
        put_list(arena, out, "segmentby", columnstore->segmentby, columnstore->segmentby_count);
        put_list(arena, out, "orderby", columnstore->orderby, columnstore->orderby_count);
        if (convert != NULL) {
            put(arena, out, "after", span_text(arena, convert->age));
            put(arena, out, "created_before", span_text(arena, convert->created_before));
            put_policy(arena, out, convert);
        }
        str_append(out, "}\n");
    }
    if (drop != NULL) {
        str_append(out, "#     retention: {");
        put(arena, out, "drop_after", span_text(arena, drop->age));
        put(arena, out, "drop_created_before", span_text(arena, drop->created_before));
        put_policy(arena, out, drop);
        str_append(out, "}\n");
    }
    if (reorder != NULL) {
        str_append(out, "#     reorder: {");
        put(arena, out, "index", reorder->index_name);
        put_policy(arena, out, reorder);
        str_append(out, "}\n");
    }
}

/* Line by line, as it is; the first begins where the block does. */
static void put_query(Arena *arena, Str *out, const char *query)
{
    for (const char *at = query; *at != '\0'; at++) {
        if (*at != '\n' && (unsigned char)*at < ' ') {
            str_appendf(out, "#     query: %s\n", draft_scalar(arena, query));
            return;
        }
    }
    str_append(out, "#     query: |\n");
    const char *line = query + strspn(query, " \n");
    while (*line != '\0') {
        size_t bytes = strcspn(line, "\n");
        str_append(out, "#       ");
        str_append_bytes(out, line, bytes);
        str_append(out, "\n");
        line += bytes + (line[bytes] == '\n' ? 1 : 0);
    }
}

static const char *offset_text(Arena *arena, const char *offset)
{
    const char *span = span_text(arena, offset);
    return offset == NULL ? "unbounded" : span == NULL ? "0" : span;
}

void draft_aggregate(Arena *arena, Str *out, const Catalog *source, const CatAggregate *aggregate)
{
    const CatJob *job = job_of(source, &aggregate->view, "policy_refresh_continuous_aggregate");
    str_appendf(out, "#   - target_view: %s\n", draft_relation(arena, &aggregate->view));
    put_query(arena, out, aggregate->query);
    if (!aggregate->materialized_only)
        str_append(out, "#     materialized_only: false\n");
    if (aggregate->reads.rel != NULL && job_of(source, &aggregate->reads, "policy_retention"))
        str_append(out, "#     data: carry # retention drops what it reads\n");
    if (job != NULL) {
        str_append(out, "#     refresh: {");
        put(arena, out, "start_offset", offset_text(arena, job->start_offset));
        put(arena, out, "end_offset", offset_text(arena, job->end_offset));
        put_more(out, job);
        put_policy(arena, out, job);
        str_append(out, "}\n");
    }
    draft_policies(arena, out, source, &aggregate->view);
}

void draft_job(Arena *arena, Str *out, const CatJob *job)
{
    str_append(out, "#   - {");
    put(arena, out, "procedure", name_text(arena, &job->procedure));
    put(arena, out, "config", job->config);
    put_policy(arena, out, job);
    str_append(out, "}\n");
}
