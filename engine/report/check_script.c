/*
 * The remedies as a script. It is made to be read, and run by whoever may: one part a side.
 */
#include "plan/report.h"
#include "report/check_report.h"

/* Findings, servers' messages and names come from outside: none of it may end the comment. */
static void put_comment(Str *out, Arena *arena, const char *text)
{
    str_appendf(out, "-- %s\n", text_printable(arena, text, strlen(text), NULL));
}

static void put_heading(Str *out, Arena *arena, const Finding *finding)
{
    put_comment(out, arena,
                arena_printf(arena, "%s %s %s: %s", finding_severity_name(finding->severity),
                             finding->code, finding->object, finding->message));
}

/* The first finding on the same side with the same remedy, when that is another one. */
static const Finding *told_before(const PreflightReport *report, size_t index)
{
    const Finding *finding = &report->findings.items[index];
    for (size_t i = 0; i < index; i++) {
        const Finding *other = &report->findings.items[i];
        if (text_equal(finding_side_name(other), finding_side_name(finding)) &&
            other->severity >= FINDING_INFO && text_equal(other->remedy, finding->remedy))
            return other;
    }
    return NULL;
}

static void put_finding(Str *out, Arena *arena, const PreflightReport *report, size_t index)
{
    const Finding *finding = &report->findings.items[index];
    put_heading(out, arena, finding);
    const Finding *before = told_before(report, index);
    if (finding->note != NULL)
        put_comment(out, arena, finding->note);
    else if (before != NULL)
        put_comment(out, arena,
                    arena_printf(arena, "as for %s %s above", before->code, before->object));
    else
        str_appendf(out, "%s\n", finding->remedy);
    str_append_char(out, '\n');
}

static void put_side(Str *out, Arena *arena, const PreflightReport *report, const char *side)
{
    bool is_first = true;
    for (size_t i = 0; i < report->findings.count; i++) {
        if (!text_equal(finding_side_name(&report->findings.items[i]), side))
            continue;
        if (is_first)
            str_appendf(out, "-- ---- %s ----\n\n", side);
        is_first = false;
        put_finding(out, arena, report, i);
    }
}

void check_print_script(Str *out, const Plan *plan, const PreflightReport *report)
{
    AUTO_ARENA Arena arena = {0};
    str_appendf(out,
                "-- Remedies for plan %s (%.12s): run each part on its own server, by a role that "
                "may.\n-- What stands in comments is to be decided, or done elsewhere.\n\n",
                plan->name, plan->fingerprint);
    put_side(out, &arena, report, "source");
    put_side(out, &arena, report, "target");
    put_side(out, &arena, report, "plan");
}
