/*
 * Printing a dry run for people, and as a script.
 */
#include "base/jsontext.h"
#include "base/units.h"
#include "report/dry_run.h"

#include <inttypes.h>

/* So many lines of SQL of one step stand in the text; --format sql has them all. */
#define SQL_LINES_SHOWN 16

static const char SYMBOLS[DRY_STATE_COUNT] = {
    [DRY_CREATE] = '+', [DRY_CHANGE] = '~', [DRY_DONE] = '=', [DRY_FINDING] = '!'};

/* A name may hold a line end, which would leave the line (or the comment) that it stands in. */
static void append_line(Str *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        str_append_char(out, *c == '\n' || *c == '\r' ? ' ' : *c);
}

static void append_position(Str *out, const DryRun *dry, const DryStep *step)
{
    if (step->pos.line == 0)
        return;
    str_append(out, "  (");
    append_line(out, dry->path);
    str_appendf(out, ":%" PRIu32 ")", step->pos.line);
}

/* Without the blanks and semicolons at its end. */
static size_t statement_length(const char *sql)
{
    size_t length = strlen(sql);
    while (length > 0 && strchr("; \n", sql[length - 1]) != NULL)
        length--;
    return length;
}

/* --- text --- */

static const char *rows_words(Arena *arena, int64_t rows)
{
    return rows < 0 ? "an unknown number of rows" : arena_printf(arena, "%" PRId64 " rows", rows);
}

/* What is assumed is not known to the millisecond. */
static const char *time_text(Arena *arena, int64_t us)
{
    return us < 1000000 ? "under a second"
                        : arena_printf(arena, "about %s", units_interval_text(arena, us));
}

static void print_estimate(Str *out, const DryStep *step)
{
    AUTO_ARENA Arena arena = {0};
    if (step->estimate.work == WORK_NONE)
        return;
    str_append(out, "      estimate: ");
    if (step->estimate.work != WORK_INDEX)
        str_appendf(out, "%s, ", rows_words(&arena, step->estimate.rows));
    str_appendf(out, "%s, %s\n", units_size_text(&arena, step->estimate.bytes),
                time_text(&arena, dry_step_us(step)));
}

static void print_parts(Str *out, const DryStep *step)
{
    for (size_t i = 0; i < step->parts.count; i++) {
        const StepParts *parts = &step->parts.items[i];
        str_append(out, "      ");
        append_line(out, parts->leaf);
        str_appendf(out, " in %zu part%s: %s\n", parts->count, parts->count == 1 ? "" : "s",
                    parts->reason);
    }
}

static void print_findings(Str *out, const DryStep *step)
{
    for (size_t i = 0; i < step->findings.count; i++) {
        const DryFinding *finding = &step->findings.items[i];
        str_appendf(out, "    ! %s %s on the %s, ", finding->severity, finding->code,
                    finding->server);
        append_line(out, finding->object);
        str_append(out, ": ");
        append_line(out, finding->message);
        str_append_char(out, '\n');
    }
}

/* \return how many lines were left out */
static size_t print_statement(Str *out, const StepSql *statement, size_t *room)
{
    const char *label = conn_side_name(statement->side);
    size_t left = statement_length(statement->sql);
    size_t hidden = 0;
    for (const char *line = statement->sql; left > 0; label = "") {
        size_t length = strcspn(line, "\n");
        if (length > left)
            length = left;
        if (*room > 0)
            str_appendf(out, "      %6s | %.*s\n", label, (int)length, line);
        *room > 0 ? (*room)-- : hidden++;
        size_t used = length < left ? length + 1 : length;
        left -= used;
        line += used;
    }
    return hidden;
}

static void print_statements(Str *out, const DryStep *step)
{
    size_t room = SQL_LINES_SHOWN;
    size_t hidden = 0;
    if (step->state == DRY_DONE)
        return;
    for (size_t i = 0; i < step->sql.count; i++)
        hidden += print_statement(out, &step->sql.items[i], &room);
    if (hidden > 0)
        str_appendf(out, "             | ... %zu more line%s: --format sql\n", hidden,
                    hidden == 1 ? "" : "s");
}

static void print_step(Str *out, const DryRun *dry, const DryStep *step)
{
    str_appendf(out, "  %c ", SYMBOLS[step->state]);
    append_line(out, step->id);
    str_append(out, ": ");
    append_line(out, step->sentence);
    append_position(out, dry, step);
    str_append_char(out, '\n');
    if (step->reason != NULL) {
        str_append(out, "      ");
        append_line(out, step->reason);
        str_append_char(out, '\n');
    }
    print_findings(out, step);
    print_estimate(out, step);
    print_parts(out, step);
    print_statements(out, step);
}

static void print_totals(Str *out, const DryRun *dry)
{
    AUTO_ARENA Arena arena = {0};
    for (StepWork work = WORK_NONE + 1; work < WORK_COUNT; work++) {
        const DryAssumption *assumed = dry_assumption(work);
        DryTotal total = dry_run_total(dry, work);
        if (total.steps == 0)
            continue;
        str_appendf(out, "%s: %s, ", assumed->work, units_size_text(&arena, total.bytes));
        if (work != WORK_INDEX)
            str_appendf(out, "%s, ", rows_words(&arena, total.rows));
        str_appendf(out, "%s, assuming %s/s on each of %" PRIu32 " %s%s\n",
                    time_text(&arena, total.us), units_size_text(&arena, assumed->bytes_per_second),
                    dry->jobs[work], assumed->job, dry->jobs[work] == 1 ? "" : "s");
    }
}

static void print_summary(Str *out, const DryRun *dry)
{
    size_t counts[DRY_STATE_COUNT] = {0};
    for (size_t i = 0; i < dry->steps.count; i++)
        counts[dry->steps.items[i].state]++;
    str_appendf(out,
                "\n%zu steps, %zu to do: %zu + create, %zu ~ change, %zu = done, %zu ! finding\n",
                dry->steps.count, dry_run_changes(dry), counts[DRY_CREATE], counts[DRY_CHANGE],
                counts[DRY_DONE], counts[DRY_FINDING]);
    size_t errors = dry_run_findings(dry, "error");
    if (errors > 0)
        str_appendf(out,
                    "%zu finding%s of preflight block%s the run: \"godwit check\" prints each with "
                    "its remedy\n",
                    errors, errors == 1 ? "" : "s", errors == 1 ? "s" : "");
    print_totals(out, dry);
}

static void print_text(Str *out, const DryRun *dry)
{
    str_appendf(out, "plan \"%s\" %.12s\nsource  %s\ntarget  %s\nrun     %s\n", dry->name,
                dry->fingerprint, dry->source, dry->target, dry->run);
    if (dry->drift.count > 0)
        str_append(out, "\ndrift since the run was last applied\n");
    for (size_t i = 0; i < dry->drift.count; i++) {
        str_append(out, "  ! ");
        append_line(out, dry->drift.items[i]);
        str_append_char(out, '\n');
    }
    const char *phase = "";
    for (size_t i = 0; i < dry->steps.count; i++) {
        const DryStep *step = &dry->steps.items[i];
        if (strcmp(step->phase, phase) != 0)
            str_appendf(out, "\n%s\n", step->phase);
        phase = step->phase;
        print_step(out, dry, step);
    }
    print_summary(out, dry);
}

/* --- SQL --- */

static void print_sql(Str *out, const DryRun *dry)
{
    str_appendf(out, "-- plan \"%s\" %.12s: every statement, in an order in which it may run.\n",
                dry->name, dry->fingerprint);
    for (size_t i = 0; i < dry->drift.count; i++) {
        str_append(out, "-- ! drift, ");
        append_line(out, dry->drift.items[i]);
        str_append_char(out, '\n');
    }
    for (size_t i = 0; i < dry->steps.count; i++) {
        const DryStep *step = &dry->steps.items[i];
        str_append(out, "\n-- ");
        append_line(out, step->id);
        str_appendf(out, " (%s): ", dry_state_name(step->state));
        append_line(out, step->sentence);
        append_position(out, dry, step);
        str_append_char(out, '\n');
        for (size_t f = 0; f < step->findings.count; f++) {
            str_appendf(out, "-- ! %s: ", step->findings.items[f].code);
            append_line(out, step->findings.items[f].message);
            str_append_char(out, '\n');
        }
        for (size_t s = 0; s < step->sql.count; s++) {
            const StepSql *statement = &step->sql.items[s];
            str_appendf(out, "-- on the %s:\n%.*s;\n", conn_side_name(statement->side),
                        (int)statement_length(statement->sql), statement->sql);
        }
    }
}

void dry_run_print(Str *out, const DryRun *dry, const char *format)
{
    AUTO_ARENA Arena arena = {0};
    if (text_equal(format, "json"))
        str_append(out, jsontext_pretty(&arena, dry_run_json(dry)));
    else if (text_equal(format, "sql"))
        print_sql(out, dry);
    else
        print_text(out, dry);
}
