/*
 * preflight_run(): probes first, then the table of checks; findings come out by severity and code.
 */
#include "preflight/check.h"

#include "base/str.h"
#include "pg/ddl.h"
#include "plan/report.h"

#include <stdlib.h>
#include <string.h>

/* Every check that needs nothing but what has been read. */
static void (*const checks[])(Check *) = {
    check_wal_level,    check_plugin,          check_slots,         check_standby,
    check_versions,     check_tools,           check_same_database, check_encoding,
    check_retention,    check_prepared,        check_lock_table,    check_connections,
    check_source_role,  check_tables_readable, check_publication,   check_fence,
    check_row_security, check_target_role,     check_identity,      check_replica_role,
    check_analyzed,     check_attestations,    check_way_back,      check_spool,
    check_memory,
};

/* Every check that asks a server more. */
static bool (*const probes[])(Check *, Err *) = {
    probe_existing, probe_versions,    probe_roles,        probe_storage,    probe_quiet,
    probe_powers,   probe_sessions,    probe_transactions, probe_capacity,   probe_collations,
    probe_types,    probe_parameters,  probe_workload,     probe_map,        probe_large_objects,
    probe_way_back, probe_search_path, probe_own_settings, probe_aggregates,
};

const char *finding_severity_name(FindingSeverity severity)
{
    static const char *const names[] = {"attested", "waived", "info", "warning", "error"};
    return names[severity];
}

/* Whether any line of a remedy is SQL. */
static bool has_sql(const char *remedy)
{
    for (const char *line = remedy; *line != '\0'; line += *line == '\n') {
        if (!text_starts_with(line, "--"))
            return true;
        line += strcspn(line, "\n");
    }
    return false;
}

const char *finding_side_name(const Finding *finding)
{
    return finding->at != NULL ? "plan" : conn_side_name(finding->side);
}

void check_add(Check *check, Code code, FindingSeverity severity, const Side *side,
               const char *object, const char *message, const char *why, const char *remedy)
{
    unsigned flags = preflight_code_table[code].flags;
    *vec_push(check->arena, &check->report->findings) = (Finding){
        .code = preflight_code_table[code].code,
        .severity = severity,
        .side = side->side,
        .object = object,
        .message = message,
        .why = why,
        .remedy = remedy,
        .fixable = (flags & CODE_FIXABLE) != 0 && has_sql(remedy),
        .waivable = (flags & CODE_WAIVABLE) != 0,
        .attestable = (flags & CODE_ATTEST) != 0,
    };
}

const char *check_remedy(Check *check, const Side *side, ProviderTopic topic, const char *name,
                         const char *value)
{
    const char *remedy = provider_remedy(check->arena, side->endpoint->kind, topic, name, value,
                                         check_sql_part(check, side, side->catalog->server.user));
    bool setting =
        topic == TOPIC_WAL_LEVEL || topic == TOPIC_SETTING_RESTART || topic == TOPIC_SETTING_RELOAD;
    const char *console = setting ? provider_console(side->endpoint->kind) : NULL;
    if (console == NULL || strstr(remedy, "Console:") != NULL)
        return remedy;
    return check_text(check, "%s\n-- Console: %s", remedy, console);
}

/* No name can begin a line of its own in a message. */
const char *check_name(Check *check, const Name *name)
{
    const char *text = name_text(check->arena, name);
    return text_printable(check->arena, text, strlen(text), NULL);
}

const char *check_part(Check *check, const char *part)
{
    const char *text = name_part_text(check->arena, part);
    return text_printable(check->arena, text, strlen(text), NULL);
}

const char *check_sql(Check *check, const Side *side, const Name *name)
{
    return check_text(check, "%s.%s", check_sql_part(check, side, name->schema),
                      check_sql_part(check, side, name->rel));
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ')
            return true;
    return false;
}

/* A name with a line break would end a comment, or part a statement: it is written by number. */
const char *check_sql_part(Check *check, const Side *side, const char *part)
{
    AUTO_STR Str text = {0};
    if (!has_control(part)) {
        ddl_ident(&text, side->conn, part);
        return str_dup(check->arena, &text);
    }
    str_append(&text, "U&\"");
    for (; *part != '\0'; part++) {
        if ((unsigned char)*part < ' ') {
            str_appendf(&text, "\\%04X", (unsigned)*part);
            continue;
        }
        if (*part == '"' || *part == '\\')
            str_append_char(&text, *part);
        str_append_char(&text, *part);
    }
    str_append_char(&text, '"');
    return str_dup(check->arena, &text);
}

static bool probe_side(Check *check, Side *side, Err *err)
{
    return facts_read(check, side, err) && probe_expect(check, side, err) &&
           probe_endpoint(check, side, err) && probe_provider(check, side, err);
}

static bool probe_all(Check *check, Err *err)
{
    bool ok = probe_side(check, &check->source, err) && probe_side(check, &check->target, err) &&
              activity_read(check, err);
    for (size_t i = 0; ok && i < sizeof(probes) / sizeof(probes[0]); i++)
        ok = probes[i](check, err);
    return ok;
}

static int compare_findings(const void *left, const void *right)
{
    const Finding *a = left;
    const Finding *b = right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    int order = strcmp(a->code, b->code);
    if (order == 0)
        order = (a->side > b->side) - (a->side < b->side);
    return order != 0 ? order : strcmp(a->object, b->object);
}

static void conclude(PreflightReport *report)
{
    if (report->findings.count > 1)
        qsort(report->findings.items, report->findings.count, sizeof(Finding), compare_findings);
    for (size_t i = 0; i < report->findings.count; i++) {
        FindingSeverity severity = report->findings.items[i].severity;
        report->errors += severity == FINDING_ERROR;
        report->warnings += severity == FINDING_WARNING;
    }
}

bool preflight_run(const PreflightInput *input, PreflightReport *report, Err *err)
{
    Check check = {
        .input = input,
        .plan = input->plan,
        .blueprint = input->blueprint,
        .source = {.side = CONN_SOURCE,
                   .catalog = input->source,
                   .endpoint = &input->plan->source,
                   .address = input->source_endpoint,
                   .conn = input->source_conn},
        .target = {.side = CONN_TARGET,
                   .catalog = input->target,
                   .endpoint = &input->plan->target,
                   .address = input->target_endpoint,
                   .conn = input->target_conn},
        .report = report,
        .arena = &report->arena,
    };
    bool ok = probe_all(&check, err);
    for (size_t i = 0; ok && i < sizeof(checks) / sizeof(checks[0]); i++)
        checks[i](&check);
    facts_release(&check.source.facts);
    facts_release(&check.target.facts);
    rows_free(check.activity);
    if (ok) {
        waivers_apply(&check);
        conclude(report);
    }
    return ok;
}

void preflight_release(PreflightReport *report)
{
    arena_release(&report->arena);
    *report = (PreflightReport){0};
}

static Color severity_color(FindingSeverity severity)
{
    return severity == FINDING_ERROR     ? COLOR_OF_ERROR
           : severity == FINDING_WARNING ? COLOR_OF_WARNING
                                         : COLOR_OF_INFO;
}

char *preflight_finding_text(Arena *arena, const Finding *finding, int fd)
{
    AUTO_STR Str text = {0};
    color_append(&text, fd, severity_color(finding->severity),
                 finding_severity_name(finding->severity));
    str_append_char(&text, ' ');
    color_append(&text, fd, COLOR_OF_CODE, finding->code);
    str_appendf(&text, " %s %s: %s\n", finding_side_name(finding), finding->object,
                finding->message);
    if (finding->at != NULL)
        str_appendf(&text, "  at: %s\n", finding->at);
    if (finding->note != NULL) {
        str_appendf(&text, "  %s: %s\n", finding_severity_name(finding->severity), finding->note);
        return str_dup(arena, &text);
    }
    if (finding->why != NULL)
        str_appendf(&text, "  why: %s\n", finding->why);
    for (const char *line = finding->remedy; *line != '\0';) {
        int length = (int)strcspn(line, "\n");
        str_appendf(&text, "  %s %.*s\n", line == finding->remedy ? "fix:" : "    ", length, line);
        line += length + (line[length] == '\n');
    }
    return str_dup(arena, &text);
}
