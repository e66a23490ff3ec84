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

static Pattern *compile(const char *regex)
{
    AUTO_ERR Err err = {0};
    size_t column = 0;
    Pattern *pattern = pattern_compile(regex, &column, &err);
    if (pattern == NULL)
        BUG("a format cannot be compiled: %s: %s", err.message, regex);
    return pattern;
}

/* Compiling costs far more than matching, and a plan may hold a hundred thousand ids: what is
 * compiled stays, a handful of patterns a thread. */
static bool matches(const char *regex, const char *text)
{
    static _Thread_local struct {
        const char *regex;
        Pattern *pattern;
    } kept[FORMAT_COUNT];
    size_t at = 0;
    while (at < FORMAT_COUNT - 1 && kept[at].regex != NULL && kept[at].regex != regex)
        at++;
    if (kept[at].regex != regex) {
        pattern_free(kept[at].pattern);
        kept[at].pattern = compile(regex);
        kept[at].regex = regex;
    }
    return pattern_matches(kept[at].pattern, text);
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
    [FORMAT_TEXT] = {"a text", "[\\s\\S]+", "text", false, false, NULL},
    [FORMAT_NAME] = {"a migration's name", "[a-z_][a-z0-9_]{0,40}", "metrics_rds_to_tiger", false,
                     false, NULL},
    [FORMAT_ID] = {"an id", "[a-z_][a-z0-9_]{0,62}", "recent", false, false, NULL},
    [FORMAT_VARIABLE] = {"the name of an environment variable", "[A-Za-z_][A-Za-z0-9_]*", "SOURCE",
                         false, false, NULL},
    [FORMAT_SIZE] = {"a size", "[0-9]+|[0-9]+(\\.[0-9]+)? *(B|kB|KB|MB|GB|TB)", "16MB", true, false,
                     check_size},
    [FORMAT_INTERVAL] = {"an interval", SPAN(SPAN_UNITS), "90s", false, false, check_interval},
    [FORMAT_PARTITION] = {"a partition interval",
                          "[1-9][0-9]*|" SPAN(SPAN_UNITS "|" CALENDAR_UNITS), "7 days", true, false,
                          check_partition},
    [FORMAT_SCHEMA] = {"a schema, or a pattern of schemas", "~[\\s\\S]+|" PART, "public", false,
                       true, check_schema},
    [FORMAT_SELECTOR] = {"a relation, or a pattern of relations", "~[\\s\\S]+|" RELATION,
                         "app.orders", false, true, check_selector},
    [FORMAT_RELATION] = {"a relation", RELATION, "app.orders", false, false, check_relation},
    [FORMAT_CONNINFO] = {"a connection string", "[\\s\\S]+", "host=db.example.com dbname=app",
                         false, false, check_conninfo},
    [FORMAT_ROLE] = {"a role, or a pattern of roles", "~[\\s\\S]+|" PART, "app_owner", false, true,
                     check_role},
    [FORMAT_MAP_TARGET] = {"a relation's name on the target", "[^.]+\\.[\\s\\S]+|\"[\\s\\S]+",
                           "billing.invoice", false, false, check_map_target},
    [FORMAT_CODE] = {"the code of a finding", "[A-Z][0-9]{3}", "G205", false, false, NULL},
    [FORMAT_DATE] = {"a day", "[0-9]{4}-[0-9]{2}-[0-9]{2}", "2026-12-31", false, false, check_date},
    [FORMAT_SPAN] = {"an interval", SPAN(SPAN_UNITS "|" CALENDAR_UNITS), "1 month", false, false,
                     check_span},
    [FORMAT_AGE] = {"an interval or a whole number",
                    "[1-9][0-9]*|" SPAN(SPAN_UNITS "|" CALENDAR_UNITS), "7 days", true, false,
                    check_partition},
    [FORMAT_OFFSET] = {"an interval, a whole number or unbounded",
                       "unbounded|[0-9]+|" SPAN(SPAN_UNITS "|" CALENDAR_UNITS), "1 hour", true,
                       false, check_offset},
    [FORMAT_TIMESTAMP] = {"a point in time", TIMESTAMP, "2026-12-31 02:00:00+00", false, false,
                          check_timestamp},
    [FORMAT_JSON] = {"a JSON object", "[\\s\\S]+", "{\"days\": 30}", false, false, check_json},
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

/* One "number unit" at `at`, in microseconds; NULL when it cannot be counted. */
static const char *read_span(const char *at, uint64_t *us)
{
    AUTO_STR Str pair = {0};
    size_t digits = strspn(at, "0123456789.");
    const char *unit = at + digits + strspn(at + digits, " ");
    size_t length = strspn(unit, "abcdefghijklmnopqrstuvwxyz");
    uint64_t days = 0;
    if (*unit == 'y')
        days = 360;
    else if (length >= 3 && strncmp(unit, "mon", 3) == 0)
        days = 30;
    str_append_bytes(&pair, at, digits);
    str_append_char(&pair, ' ');
    str_append_bytes(&pair, unit, days > 0 ? 0 : length);
    str_append(&pair, days > 0 ? "days" : "");
    int64_t one = 0;
    if (!units_interval_parse(pair.data, &one) ||
        (days > 0 && (uint64_t)one > (uint64_t)INT64_MAX / days))
        return NULL;
    *us = (uint64_t)one * (days > 0 ? days : 1);
    return unit + length + strspn(unit + length, " ");
}

bool format_age(const char *text, uint64_t *value)
{
    if (format_is_integer(text))
        return units_uint64_parse(text, value);
    *value = 0;
    for (const char *at = text; *at != '\0';) {
        uint64_t us = 0;
        at = read_span(at, &us);
        if (at == NULL || us > (uint64_t)INT64_MAX - *value)
            return false;
        *value += us;
    }
    return true;
}
