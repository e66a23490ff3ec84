/*
 * Waivers and attestations: entries of the plan that answer findings until a day. An entry answers
 * what its code allows and no more: nothing that would lose rows can be waived, and nothing that
 * SQL can see can be attested.
 */
#include "preflight/check.h"

#include "base/clock.h"
#include "match/pattern.h"
#include "plan/suggest.h"

/* One of the two lists. */
typedef struct Entries {
    const char *key;
    const PlanWaiver *items;
    size_t count;
    unsigned flag; /* what a code must have */
    FindingSeverity becomes;
} Entries;

static void lists_of(const Plan *plan, Entries lists[2])
{
    lists[0] = (Entries){"waive", plan->waivers, plan->waiver_count, CODE_WAIVABLE, FINDING_WAIVED};
    lists[1] =
        (Entries){"attest", plan->attests, plan->attest_count, CODE_ATTEST, FINDING_ATTESTED};
}

const char *preflight_today(Arena *arena)
{
    char *now = clock_rfc3339(arena, clock_unix_us());
    now[strlen("2026-12-31")] = '\0';
    return now;
}

static const PreflightCode *find_code(const char *text)
{
    size_t count = 0;
    const PreflightCode *codes = preflight_codes(&count);
    for (size_t i = 0; i < count; i++)
        if (text_equal(codes[i].code, text))
            return &codes[i];
    return NULL;
}

/* The nearest code that such an entry may name. */
static const char *nearest_code(const char *text, unsigned flag)
{
    Suggest suggest = suggest_begin(text);
    size_t count = 0;
    const PreflightCode *codes = preflight_codes(&count);
    for (size_t i = 0; i < count; i++)
        if ((codes[i].flags & flag) != 0)
            suggest_offer(&suggest, codes[i].code);
    return suggest.best;
}

static const char *unknown_hint(Arena *arena, const Entries *list, const PlanWaiver *entry)
{
    const char *best = nearest_code(entry->code, list->flag);
    if (best != NULL)
        return arena_printf(arena, "Did you mean %s (%s)?", best, find_code(best)->title);
    return "\"godwit explain\" lists the codes.";
}

static bool pattern_fault(Arena *arena, const PlanWaiver *entry, const char **message)
{
    AUTO_ERR Err err = {0};
    size_t column = 0;
    if (entry->object == NULL || *entry->object != '~')
        return false;
    Pattern *pattern = pattern_compile(entry->object + 1, &column, &err);
    if (pattern == NULL)
        *message = arena_printf(arena, "object is no pattern: %s", err.message);
    pattern_free(pattern);
    return *message != NULL;
}

/* What is wrong with an entry by itself. \return false when nothing is. */
static bool entry_fault(Arena *arena, const Entries *list, const PlanWaiver *entry,
                        const char *today, PlanFinding *fault)
{
    const PreflightCode *code = find_code(entry->code);
    *fault =
        (PlanFinding){.is_error = true, .pos = entry->pos, .span = (uint32_t)strlen(entry->code)};
    if (code == NULL) { /* it waives nothing, so nothing is lost with it */
        fault->is_error = false;
        fault->code = preflight_code_table[CODE_WAIVER_CODE].code;
        fault->message = arena_printf(arena, "%s: there is no finding %s", list->key, entry->code);
        fault->hint = unknown_hint(arena, list, entry);
    } else if ((code->flags & list->flag) == 0) {
        fault->code = preflight_code_table[CODE_WAIVER_CODE].code;
        fault->message = arena_printf(arena, "%s: %s (%s) cannot be %s", list->key, code->code,
                                      code->title, finding_severity_name(list->becomes));
        fault->hint = list->flag == CODE_WAIVABLE
                          ? "Rows, or the run, would be lost with it: cure it."
                          : "SQL can see it: cure it, or waive it.";
    } else if (pattern_fault(arena, entry, &fault->message)) {
        fault->code = preflight_code_table[CODE_WAIVER_CODE].code;
    } else if (strcmp(entry->until, today) < 0) {
        fault->code = preflight_code_table[CODE_WAIVER_ENDED].code;
        fault->pos = entry->until_pos;
        fault->span = (uint32_t)strlen(entry->until);
        fault->message = arena_printf(arena, "%s: the entry for %s ended on %s", list->key,
                                      entry->code, entry->until);
        fault->hint = "Look at the finding anew; then remove the entry, or give it a new end with "
                      "a new reason.";
    } else {
        return false;
    }
    return true;
}

void preflight_judge_plan(Arena *arena, const Plan *plan, const char *today, PlanFindings *findings)
{
    Entries lists[2];
    lists_of(plan, lists);
    VEC(PlanFinding) all = {0};
    for (size_t i = 0; i < findings->count; i++)
        *vec_push(arena, &all) = findings->items[i];
    for (size_t l = 0; l < 2; l++) {
        for (size_t i = 0; i < lists[l].count; i++) {
            PlanFinding fault;
            if (!entry_fault(arena, &lists[l], &lists[l].items[i], today, &fault))
                continue;
            *vec_push(arena, &all) = fault;
            findings->errors += fault.is_error;
        }
    }
    findings->items = all.items;
    findings->count = all.count;
}

static const char *place_text(Check *check, PlanPos pos)
{
    return check_text(check, "%s:%u:%u", check->plan->path, pos.line, pos.column);
}

static void found_in_plan(Check *check, const PlanWaiver *entry, const PlanFinding *fault)
{
    *vec_push(check->arena, &check->report->findings) = (Finding){
        .code = fault->code,
        .severity = fault->is_error ? FINDING_ERROR : FINDING_WARNING,
        .object = entry->code,
        .message = fault->message,
        .why = "What an entry answers is a decision for a time; it does not go on by itself.",
        .remedy = check_text(check, "-- %s", fault->hint == NULL ? "correct it" : fault->hint),
        .at = place_text(check, fault->pos),
    };
}

/* As findings write objects; a name may be quoted where it need not be. */
static bool object_is(Check *check, const char *wanted, const char *object)
{
    Name name;
    return text_equal(wanted, object) || (name_parse(check->arena, wanted, &name) &&
                                          text_equal(name_text(check->arena, &name), object));
}

static bool answers(Check *check, const PlanWaiver *entry, const Pattern *pattern,
                    const Finding *finding)
{
    if (!text_equal(entry->code, finding->code) || finding->at != NULL)
        return false;
    if (entry->object == NULL)
        return true;
    return pattern != NULL ? pattern_matches(pattern, finding->object)
                           : object_is(check, entry->object, finding->object);
}

/* \return how many findings the entry answered. */
static size_t answer(Check *check, const Entries *list, const PlanWaiver *entry)
{
    AUTO_ERR Err err = {0};
    size_t column = 0;
    size_t answered = 0;
    bool is_pattern = entry->object != NULL && *entry->object == '~';
    Pattern *pattern = is_pattern ? pattern_compile(entry->object + 1, &column, &err) : NULL;
    for (size_t i = 0; i < check->report->findings.count; i++) {
        Finding *finding = &check->report->findings.items[i];
        if (!answers(check, entry, pattern, finding))
            continue;
        finding->severity = list->becomes;
        finding->note = check_text(check, "until %s: %s", entry->until, entry->reason);
        finding->fixable = false;
        answered++;
    }
    if (pattern != NULL)
        pattern_free(pattern);
    return answered;
}

static void apply_entry(Check *check, const Entries *list, const PlanWaiver *entry,
                        const char *today)
{
    PlanFinding fault;
    if (entry_fault(check->arena, list, entry, today, &fault)) {
        found_in_plan(check, entry, &fault);
        return;
    }
    if (answer(check, list, entry) > 0 || (find_code(entry->code)->flags & CODE_PASSING) != 0)
        return;
    found_in_plan(check, entry,
                  &(PlanFinding){
                      .code = preflight_code_table[CODE_WAIVER_IDLE].code,
                      .pos = entry->pos,
                      .message = check_text(check, "%s: there is no finding %s%s%s", list->key,
                                            entry->code, entry->object == NULL ? "" : " of ",
                                            entry->object == NULL ? "" : entry->object),
                      .hint = "Remove it, or write the object as the finding does.",
                  });
}

void waivers_apply(Check *check)
{
    Entries lists[2];
    const char *today = preflight_today(check->arena);
    lists_of(check->plan, lists);
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < lists[l].count; i++)
            apply_entry(check, &lists[l], &lists[l].items[i], today);
}
