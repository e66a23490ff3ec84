/*
 * Format: one row per form.
 */
#include "plan/format.h"

#include "base/clock.h"
#include "base/str.h"
#include "base/units.h"
#include "match/pattern.h"
#include "plan/secret.h"

#include <jansson.h>
#include <string.h>

#define SPAN_UNITS                                                                                 \
    "us|microseconds?|ms|milliseconds?|s|secs?|seconds?|min|mins|minutes?|h|hrs?|hours?|d|days?|"  \
    "w|weeks?"
#define CALENDAR_UNITS "mons?|months?|y|yrs?|years?"
#define SPAN(units)    "[0-9]+(\\.[0-9]+)? *(" units ")( *[0-9]+(\\.[0-9]+)? *(" units "))*"
#define PART           "(\"([^\"]|\"\")+\"|[a-z_\\u0080-\\uffff][a-z0-9_$\\u0080-\\uffff]*)"
#define RELATION       PART "\\." PART

static bool check_size(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    (void)arena;
    return units_size_parse(text, &result->value) || err_set(err, ERR_PLAN, "not a size");
}

static bool check_interval(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    (void)arena;
    int64_t us = 0;
    if (!units_interval_parse(text, &us))
        return err_set(err, ERR_PLAN, "not an interval of fixed length");
    result->value = (uint64_t)us;
    return true;
}

static bool is_positive(const char *text)
{
    return text[strspn(text, "0. abcdefghijklmnopqrstuvwxyz")] != '\0';
}

static bool matches(const char *regex, const char *text)
{
    AUTO_ERR Err err = {0};
    size_t column = 0;
    Pattern *pattern = pattern_compile(regex, &column, &err);
    bool found = pattern != NULL && pattern_matches(pattern, text);
    if (pattern == NULL)
        BUG("a format cannot be compiled: %s: %s", err.message, regex);
    pattern_free(pattern);
    return found;
}

static bool check_partition(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    (void)arena;
    (void)result;
    uint64_t number = 0;
    if (format_is_integer(text)) {
        if (!units_uint64_parse(text, &number) || number == 0 || number > INT64_MAX)
            return err_set(err, ERR_PLAN, "not a positive whole number");
        return true;
    }
    if (!matches(SPAN(SPAN_UNITS "|" CALENDAR_UNITS), text))
        return err_set(err, ERR_PLAN, "neither an interval nor a whole number");
    return is_positive(text) || err_set(err, ERR_PLAN, "not longer than nothing");
}

/* The selector itself is compiled again by fill, into the plan; this one only judges. */
static bool judge_selector(Arena *arena, const char *text, FormatResult *result, bool schema,
                           Err *err)
{
    Selector selector = {0};
    bool ok = schema ? selector_schema(arena, text, &selector, &result->character, err)
                     : selector_relation(arena, text, &selector, &result->character, err);
    result->is_pattern = *text == '~';
    selector_release(&selector);
    result->has_reason = !ok;
    return ok;
}

static bool check_schema(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    return judge_selector(arena, text, result, true, err);
}

static bool check_selector(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    return judge_selector(arena, text, result, false, err);
}

static bool check_relation(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    result->has_reason = true;
    if (*text == '~')
        return err_set(err, ERR_PLAN, "one relation is named here, not a pattern");
    return judge_selector(arena, text, result, false, err);
}

/* A password is reported by the walker, with its own code. */
static bool check_conninfo(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    (void)arena;
    result->has_reason = true;
    SecretSpan span = {0};
    const char *fault = NULL;
    (void)secret_in_conninfo(text, &span, &fault);
    return fault == NULL || err_set(err, ERR_PLAN, "%s", fault);
}

static bool check_role(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    return judge_selector(arena, text, result, true, err);
}

/* The groups are judged with the pattern, by whoever expands them; here each stands for a part. */
static bool check_map_target(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    Name name = {0};
    AUTO_STR Str plain = {0};
    for (const char *at = text; *at != '\0'; at++) {
        size_t digits = at[0] == '$' && at[1] == '{' ? strspn(at + 2, "0123456789") : 0;
        if (digits > 0 && digits < 3 && at[2 + digits] == '}') {
            str_append_char(&plain, 'x');
            at += 2 + digits;
        } else {
            str_append_char(&plain, *at);
        }
    }
    result->has_reason = true;
    return name_parse(arena, plain.data, &name) ||
           err_set(err, ERR_PLAN, "it must be schema.name, with ${1} for a group of the pattern");
}

static bool check_date(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    (void)arena;
    (void)result;
    return clock_is_date(text) || err_set(err, ERR_PLAN, "not a day of the calendar");
}

static bool check_span(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    if (format_is_integer(text))
        return err_set(err, ERR_PLAN, "an interval needs units");
    return check_partition(arena, text, result, err);
}

static bool check_offset(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    if (text_equal(text, "unbounded"))
        return true;
    if (format_is_integer(text) ? text_equal(text, "0") : !is_positive(text))
        return matches(SPAN(SPAN_UNITS "|" CALENDAR_UNITS) "|0", text) ||
               err_set(err, ERR_PLAN, "neither an interval nor a whole number");
    return check_partition(arena, text, result, err);
}

static bool check_json(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    (void)arena;
    json_error_t fault = {0};
    json_t *parsed = json_loads(text, JSON_REJECT_DUPLICATES, &fault);
    bool is_object = json_is_object(parsed);
    json_decref(parsed);
    result->has_reason = !is_object;
    if (parsed == NULL)
        return err_set(err, ERR_PLAN, "%s", fault.text);
    return is_object || err_set(err, ERR_PLAN, "it is JSON, but no object");
}

#define TIMESTAMP                                                                                  \
    "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,6})?)?"                 \
    " ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)?)?"

static bool check_timestamp(Arena *arena, const char *text, FormatResult *result, Err *err)
{
    (void)result;
    size_t day_bytes = strlen("2026-12-31");
    bool fits = matches(TIMESTAMP, text) && clock_is_date(arena_memdup(arena, text, day_bytes));
    return fits || err_set(err, ERR_PLAN, "neither a day of the calendar nor a time on one");
}

static const FormatRow ROWS[FORMAT_COUNT] = {
    [FORMAT_TEXT] = {"a text", "[\\s\\S]+", "text", false, NULL},
    [FORMAT_NAME] = {"a migration's name", "[a-z_][a-z0-9_]{0,40}", "metrics_rds_to_tiger", false,
                     NULL},
    [FORMAT_ID] = {"an id", "[a-z_][a-z0-9_]{0,62}", "recent", false, NULL},
    [FORMAT_VARIABLE] = {"the name of an environment variable", "[A-Za-z_][A-Za-z0-9_]*", "SOURCE",
                         false, NULL},
    [FORMAT_SIZE] = {"a size", "[0-9]+|[0-9]+(\\.[0-9]+)? *(B|kB|KB|MB|GB|TB)", "16MB", true,
                     check_size},
    [FORMAT_INTERVAL] = {"an interval", SPAN(SPAN_UNITS), "90s", false, check_interval},
    [FORMAT_PARTITION] = {"a partition interval",
                          "[1-9][0-9]*|" SPAN(SPAN_UNITS "|" CALENDAR_UNITS), "7 days", true,
                          check_partition},
    [FORMAT_SCHEMA] = {"a schema, or a pattern of schemas", "~.+|" PART, "public", false,
                       check_schema},
    [FORMAT_SELECTOR] = {"a relation, or a pattern of relations", "~.+|" RELATION, "app.orders",
                         false, check_selector},
    [FORMAT_RELATION] = {"a relation", RELATION, "app.orders", false, check_relation},
    [FORMAT_CONNINFO] = {"a connection string", "[\\s\\S]+", "host=db.example.com dbname=app",
                         false, check_conninfo},
    [FORMAT_ROLE] = {"a role, or a pattern of roles", "~.+|" PART, "app_owner", false, check_role},
    [FORMAT_MAP_TARGET] = {"a relation's name on the target", "[^.]+\\.[\\s\\S]+|\"[\\s\\S]+",
                           "billing.invoice", false, check_map_target},
    [FORMAT_CODE] = {"the code of a finding", "[A-Z][0-9]{3}", "G205", false, NULL},
    [FORMAT_DATE] = {"a day", "[0-9]{4}-[0-9]{2}-[0-9]{2}", "2026-12-31", false, check_date},
    [FORMAT_SPAN] = {"an interval", SPAN(SPAN_UNITS "|" CALENDAR_UNITS), "1 month", false,
                     check_span},
    [FORMAT_AGE] = {"an interval or a whole number",
                    "[1-9][0-9]*|" SPAN(SPAN_UNITS "|" CALENDAR_UNITS), "7 days", true,
                    check_partition},
    [FORMAT_OFFSET] = {"an interval, a whole number or unbounded",
                       "unbounded|[0-9]+|" SPAN(SPAN_UNITS "|" CALENDAR_UNITS), "1 hour", true,
                       check_offset},
    [FORMAT_TIMESTAMP] = {"a point in time", TIMESTAMP, "2026-12-31 02:00:00+00", false,
                          check_timestamp},
    [FORMAT_JSON] = {"a JSON object", "[\\s\\S]+", "{\"days\": 30}", false, check_json},
};

const FormatRow *format_row(PlanFormat format)
{
    return &ROWS[format];
}

bool format_check(Arena *arena, PlanFormat format, const char *text, FormatResult *result, Err *err)
{
    *result = (FormatResult){0};
    const FormatRow *row = &ROWS[format];
    if (*text == '\0')
        return err_set(err, ERR_PLAN, "empty");
    if (row->check != NULL)
        return row->check(arena, text, result, err);
    return matches(row->regex, text) || err_set(err, ERR_PLAN, "not %s", row->name);
}

bool format_is_integer(const char *text)
{
    return *text != '\0' && text[strspn(text, "+-0123456789")] == '\0';
}
