/*
 * Server parameters of both sides, compared: those under which an application gets other results,
 * and those of room and speed.
 */
#include "preflight/check.h"
#include "preflight/parameter_table.h"

#include "base/jsontext.h"
#include "base/units.h"
#include "roles/roles.h"
#include "sql_text.h"

#include <string.h>

/* Columns of preflight_parameters.sql. */
enum { PAR_NAME, PAR_VALUE, PAR_UNIT, PAR_CONTEXT, PAR_IN_DATABASE };

static const char *names_json(Arena *arena)
{
    const char **names = arena_array(arena, const char *, parameter_count);
    for (size_t i = 0; i < parameter_count; i++)
        names[i] = parameter_table[i].name;
    return jsontext_list(arena, names, parameter_count);
}

static const char *shown(Check *check, const Rows *rows, size_t row)
{
    const char *value = rows_text(rows, row, PAR_VALUE);
    const char *unit = rows_text(rows, row, PAR_UNIT);
    uint64_t bytes = 0;
    if (value == NULL || *value == '\0')
        return "empty";
    if (unit == NULL || strcmp(value, "-1") == 0 || strcmp(value, "0") == 0)
        return arena_strdup(check->arena, value);
    if (units_size_parse(check_text(check, "%s%s", value, unit), &bytes))
        return units_size_text(check->arena, bytes);
    uint64_t pages = 0;
    if (strcmp(unit, "8kB") == 0 && units_uint64_parse(value, &pages))
        return units_size_text(check->arena, pages * 8192);
    return check_text(check, "%s %s", value, unit);
}

/* Names of one time zone. */
static bool is_utc(const char *zone)
{
    static const char *const names[] = {
        "UTC",  "Etc/UTC", "UCT",      "Etc/UCT", "Universal", "GMT",       "Etc/GMT",
        "GMT0", "Zulu",    "Etc/Zulu", "GMT+0",   "GMT-0",     "Greenwich", "Etc/Universal"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (text_equal(zone, names[i]))
            return true;
    return false;
}

static bool same_value(const char *name, const char *a, const char *b)
{
    return text_equal(a, b) || (text_equal(name, "TimeZone") && is_utc(a) && is_utc(b));
}

static const char *set_on_database(Check *check, const char *name, const char *value)
{
    AUTO_STR Str sql = {0};
    const Side *target = &check->target;
    str_appendf(&sql, "ALTER DATABASE %s ",
                check_sql_part(check, target, target->catalog->server.database));
    setting_sql(&sql, target->conn, &(RoleSetting){.name = name, .value = value});
    str_append_char(&sql, ';');
    return str_dup(check->arena, &sql);
}

static const char *remedy_for(Check *check, const Parameter *parameter, const Rows *from,
                              size_t row)
{
    const char *context = rows_text(from, row, PAR_CONTEXT);
    const char *value = rows_text(from, row, PAR_VALUE);
    const char *unit = rows_text(from, row, PAR_UNIT);
    if (text_equal(context, "user") && parameter->changes_results)
        return set_on_database(check, parameter->name, value == NULL ? "" : value);
    if (!parameter->changes_results)
        return check_text(check, "-- set %s on the target %s", parameter->name,
                          unit != NULL ? "if its size allows it"
                                       : "as on the source, where the applications need it");
    const char *text =
        check_text(check, "'%s%s'", value == NULL ? "" : value, unit == NULL ? "" : unit);
    return check_remedy(check, &check->target,
                        text_equal(context, "postmaster") ? TOPIC_SETTING_RESTART
                                                          : TOPIC_SETTING_RELOAD,
                        parameter->name, text);
}

/* The names in a list that is kept as text: "a, b" and "b,a" are the same. */
static const char *next_name(const char *at, size_t *length)
{
    at += strspn(at, " \t\",");
    *length = strcspn(at, " \t\",");
    return *length == 0 ? NULL : at;
}

static bool is_listed(const char *list, const char *name, size_t length)
{
    size_t size = 0;
    for (const char *at = next_name(list, &size); at != NULL; at = next_name(at + size, &size))
        if (size == length && strncmp(at, name, size) == 0)
            return true;
    return false;
}

const char *parameter_lacking(Arena *arena, const char *source, const char *target)
{
    AUTO_STR Str lacking = {0};
    size_t size = 0;
    for (const char *at = next_name(source, &size); at != NULL; at = next_name(at + size, &size))
        if (!is_listed(target, at, size))
            str_appendf(&lacking, "%s%.*s", lacking.length > 0 ? ", " : "", (int)size, at);
    return lacking.length == 0 ? NULL : str_dup(arena, &lacking);
}

/* Less room than the source has is told; more is not. */
static bool is_less(const char *source, const char *target)
{
    uint64_t a = 0;
    uint64_t b = 0;
    if (!units_uint64_parse(source, &a) || !units_uint64_parse(target, &b))
        return true;
    return b < a;
}

/* Set by ALTER DATABASE on the source, and so copied by the run itself. */
static bool is_copied(Check *check, const Parameter *parameter, const Rows *from, size_t row)
{
    return check->plan->schema.database_settings && rows_bool(from, row, PAR_IN_DATABASE) &&
           setting_left_out(&(RoleSetting){.name = parameter->name}) == NULL;
}

/* The target's own libraries are no loss, and its list is not replaced by the source's. */
static void compare_libraries(Check *check, const Parameter *parameter, const char *source,
                              const char *target)
{
    const char *lacking = parameter_lacking(check->arena, source, target);
    if (lacking == NULL)
        return;
    check_add(check, CODE_PARAMETER_ROOM, FINDING_INFO, &check->target, parameter->name,
              check_text(check, "lacks %s, which the source has", lacking), parameter->why,
              check_text(check,
                         "-- add %s to shared_preload_libraries on the target where the "
                         "applications need it, and restart it",
                         lacking));
}

/* The cutover's fences are this setting: that the source is closed is no reason to close the
 * target, and what closes a target in a run is taken down by its engine. */
static bool is_fence(const Check *check, const char *name, const char *source)
{
    return text_equal(name, "default_transaction_read_only") &&
           (text_equal(source, "on") || check->input->run != NULL);
}

static void compare(Check *check, const Parameter *parameter, const Rows *from, size_t f,
                    const Rows *to, size_t t)
{
    const char *source = rows_text(from, f, PAR_VALUE);
    const char *target = rows_text(to, t, PAR_VALUE);
    if (source == NULL || target == NULL || same_value(parameter->name, source, target) ||
        (!parameter->changes_results && !is_less(source, target)) ||
        is_fence(check, parameter->name, source))
        return;
    if (text_equal(parameter->name, "shared_preload_libraries")) {
        compare_libraries(check, parameter, source, target);
        return;
    }
    bool copied = is_copied(check, parameter, from, f);
    check_add(check, parameter->changes_results ? CODE_PARAMETER : CODE_PARAMETER_ROOM,
              parameter->changes_results && !copied ? FINDING_WARNING : FINDING_INFO,
              &check->target, parameter->name,
              check_text(check, "is %s, on the source %s%s", shown(check, to, t),
                         shown(check, from, f), copied ? "; the run sets it" : ""),
              parameter->why,
              copied ? "-- nothing to do: schema.database_settings is copy"
                     : remedy_for(check, parameter, from, f));
}

bool probe_parameters(Check *check, Err *err)
{
    AUTO_ROWS Rows *from = NULL;
    AUTO_ROWS Rows *to = NULL;
    const char *names = names_json(check->arena);
    if (!pg_rows(check->source.conn, SQL_PREFLIGHT_PARAMETERS, PARAMS(names), &from, err) ||
        !pg_rows(check->target.conn, SQL_PREFLIGHT_PARAMETERS, PARAMS(names), &to, err))
        return err_context(err, "comparing the settings of both servers");
    size_t f = 0;
    size_t t = 0;
    for (size_t i = 0; i < parameter_count; i++) {
        const char *name = parameter_table[i].name;
        while (f < rows_count(from) && strcmp(rows_text(from, f, PAR_NAME), name) < 0)
            f++;
        while (t < rows_count(to) && strcmp(rows_text(to, t, PAR_NAME), name) < 0)
            t++;
        if (f < rows_count(from) && t < rows_count(to) &&
            text_equal(rows_text(from, f, PAR_NAME), name) &&
            text_equal(rows_text(to, t, PAR_NAME), name))
            compare(check, &parameter_table[i], from, f, to, t);
    }
    return true;
}
