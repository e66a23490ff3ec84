/*
 * Validation: JSON, GitHub's workflow commands, SARIF. The bytes are a function of the plans and
 * their paths alone.
 */
#include "report/validation.h"

#include "base/digest.h"
#include "pages_text.h"
#include "plan/diag.h"
#include "preflight/preflight.h"
#include "plan/json.h"
#include "plan/report.h"

#include <ctype.h>

typedef struct Output {
    Arena *arena;
    Str *out;
    Json json;
    const PlanFile *files;
    size_t count;
} Output;

typedef void Printer(Output *output);

/* The column behind the last one that is marked. */
static uint32_t end_column(const PlanFinding *finding)
{
    return finding->pos.column + finding->span;
}

/* A kind of finding: of the plan language, or of preflight, which judges waivers. */
typedef struct Rule {
    const char *code;
    const char *title;
    bool is_error;
} Rule;

/* Those of the plan language first. \return false behind the last one. */
static bool rule_at(size_t index, Rule *rule)
{
    size_t count = 0;
    const PreflightCode *codes = preflight_codes(&count);
    if (index < DIAG_COUNT) {
        const PlanDiagRow *row = plan_diag_row((PlanDiag)index);
        *rule = (Rule){row->code, row->title, row->is_error};
        return true;
    }
    if (index - DIAG_COUNT >= count)
        return false;
    *rule = (Rule){codes[index - DIAG_COUNT].code, codes[index - DIAG_COUNT].title, true};
    return true;
}

static const char *title_of(const char *code)
{
    Rule rule;
    for (size_t i = 0; rule_at(i, &rule); i++)
        if (text_equal(rule.code, code))
            return rule.title;
    return "";
}

/* A path as text that is valid UTF-8. */
static const char *shown_path(Output *output, const PlanFile *file)
{
    return text_printable(output->arena, file->path, strlen(file->path), NULL);
}

/* ---- json ----------------------------------------------------------------------------------- */

static void put_place(Json *json, const PlanFinding *finding)
{
    if (finding->pos.line == 0) {
        json_text(json, "line", NULL);
        json_text(json, "column", NULL);
        json_text(json, "end_column", NULL);
        return;
    }
    json_number(json, "line", finding->pos.line);
    json_number(json, "column", finding->pos.column);
    json_number(json, "end_column", end_column(finding));
}

static void put_finding(Output *output, const PlanFile *file, const PlanFinding *finding)
{
    Json *json = &output->json;
    json_open(json, NULL, '{');
    json_text(json, "code", finding->code);
    json_text(json, "severity", finding->is_error ? "error" : "warning");
    json_text(json, "title", title_of(finding->code));
    json_text(json, "file", shown_path(output, file));
    put_place(json, finding);
    json_text(json, "message", finding->message);
    json_text(json, "hint", finding->hint);
    json_close(json, '}');
}

static void put_plan(Output *output, const PlanFile *file)
{
    Json *json = &output->json;
    json_open(json, NULL, '{');
    json_text(json, "file", shown_path(output, file));
    json_text(json, "name", file->plan.name);
    json_bool(json, "valid", file->is_valid);
    json_text(json, "fingerprint", file->is_valid ? file->plan.fingerprint : NULL);
    json_raw(json, "canonical", file->is_valid ? file->plan.canonical : NULL);
    json_number(json, "errors", file->findings.errors);
    json_open(json, "findings", '[');
    for (size_t i = 0; i < file->findings.count; i++)
        put_finding(output, file, &file->findings.items[i]);
    json_close(json, ']');
    json_close(json, '}');
}

static void print_json(Output *output)
{
    Json *json = &output->json;
    size_t errors = plan_set_errors(output->files, output->count);
    json_open(json, NULL, '{');
    json_number(json, "v", 1);
    json_bool(json, "valid", errors == 0);
    json_number(json, "errors", errors);
    json_open(json, "plans", '[');
    for (size_t i = 0; i < output->count; i++)
        put_plan(output, &output->files[i]);
    json_close(json, ']');
    json_close(json, '}');
    str_append_char(output->out, '\n');
}

/* ---- github --------------------------------------------------------------------------------- */

/* Source: GitHub's actions toolkit, command.ts: data escapes % CR LF, a property also : and , */
static void append_escaped(Str *out, const char *text, bool is_property)
{
    for (; *text != '\0'; text++) {
        bool escaped = *text == '%' || *text == '\r' || *text == '\n' ||
                       (is_property && (*text == ':' || *text == ','));
        if (escaped)
            str_appendf(out, "%%%02X", (unsigned char)*text);
        else
            str_append_char(out, *text);
    }
}

static void print_command(Output *output, const PlanFile *file, const PlanFinding *finding)
{
    Str *out = output->out;
    str_appendf(out, "::%s file=", finding->is_error ? "error" : "warning");
    append_escaped(out, file->path, true);
    if (finding->pos.line > 0)
        str_appendf(out, ",line=%u,endLine=%u,col=%u,endColumn=%u", finding->pos.line,
                    finding->pos.line, finding->pos.column, end_column(finding) - 1);
    str_append(out, ",title=");
    append_escaped(
        out, arena_printf(output->arena, "%s: %s", finding->code, title_of(finding->code)), true);
    str_append(out, "::");
    append_escaped(out, finding->message, false);
    if (finding->hint != NULL) {
        append_escaped(out, "\n", false);
        append_escaped(out, finding->hint, false);
    }
    str_append_char(out, '\n');
}

static void print_github(Output *output)
{
    for (size_t i = 0; i < output->count; i++) {
        const PlanFindings *findings = &output->files[i].findings;
        for (size_t j = 0; j < findings->count; j++)
            print_command(output, &output->files[i], &findings->items[j]);
    }
}

/* ---- sarif ---------------------------------------------------------------------------------- */

/* A path as a URI reference. Source: RFC 3986, unreserved characters and "/". */
static const char *path_uri(Output *output, const char *path)
{
    AUTO_STR Str uri = {0};
    str_append(&uri, *path == '/' ? "file://" : "");
    for (; *path != '\0'; path++) {
        if (isalnum((unsigned char)*path) || strchr("-._~/", *path) != NULL)
            str_append_char(&uri, *path);
        else
            str_appendf(&uri, "%%%02X", (unsigned char)*path);
    }
    return str_dup(output->arena, &uri);
}

static const char *page_of(const char *code)
{
    for (const PageText *page = PAGES_TEXT; page->code != NULL; page++) {
        if (text_equal(page->code, code))
            return page->text;
    }
    BUG("finding %s has no page", code);
}

static void put_message(Json *json, const char *key, const char *text, const char *markdown)
{
    json_open(json, key, '{');
    json_text(json, "text", text);
    if (markdown != NULL)
        json_text(json, "markdown", markdown);
    json_close(json, '}');
}

static bool is_used(const Output *output, const char *code)
{
    for (size_t i = 0; i < output->count; i++) {
        const PlanFindings *findings = &output->files[i].findings;
        for (size_t j = 0; j < findings->count; j++) {
            if (text_equal(findings->items[j].code, code))
                return true;
        }
    }
    return false;
}

/* The rules that results name, in the order of the table. */
static void put_rules(Output *output)
{
    Json *json = &output->json;
    json_open(json, "rules", '[');
    Rule rule;
    for (size_t i = 0; rule_at(i, &rule); i++) {
        if (!is_used(output, rule.code))
            continue;
        const char *page = page_of(rule.code);
        json_open(json, NULL, '{');
        json_text(json, "id", rule.code);
        put_message(json, "shortDescription", rule.title, NULL);
        put_message(json, "help", page, page);
        json_open(json, "defaultConfiguration", '{');
        json_text(json, "level", rule.is_error ? "error" : "warning");
        json_close(json, '}');
        json_close(json, '}');
    }
    json_close(json, ']');
}

static uint64_t rule_index(const Output *output, const char *code)
{
    uint64_t index = 0;
    Rule rule;
    for (size_t i = 0; rule_at(i, &rule) && !text_equal(rule.code, code); i++)
        index += is_used(output, rule.code);
    return index;
}

static void put_location(Output *output, const PlanFile *file, const PlanFinding *finding)
{
    Json *json = &output->json;
    json_open(json, NULL, '{');
    json_open(json, "physicalLocation", '{');
    json_open(json, "artifactLocation", '{');
    json_text(json, "uri", path_uri(output, file->path));
    json_close(json, '}');
    if (finding->pos.line > 0) {
        json_open(json, "region", '{');
        json_number(json, "startLine", finding->pos.line);
        json_number(json, "startColumn", finding->pos.column);
        json_number(json, "endColumn", end_column(finding));
        json_close(json, '}');
    }
    json_close(json, '}');
    json_close(json, '}');
}

/* The same finding in the same file keeps its identity when lines above it come and go. */
static void put_identity(Output *output, const PlanFile *file, const PlanFinding *finding)
{
    const char *text =
        arena_printf(output->arena, "%s\n%s\n%s", file->path, finding->code, finding->message);
    json_open(&output->json, "partialFingerprints", '{');
    json_text(&output->json, "godwitFinding/v1", digest_hex(output->arena, text, strlen(text)));
    json_close(&output->json, '}');
}

static void put_result(Output *output, const PlanFile *file, const PlanFinding *finding)
{
    Json *json = &output->json;
    const char *text = finding->hint == NULL
                           ? finding->message
                           : arena_printf(output->arena, "%s\n%s", finding->message, finding->hint);
    json_open(json, NULL, '{');
    json_text(json, "ruleId", finding->code);
    json_number(json, "ruleIndex", rule_index(output, finding->code));
    json_text(json, "level", finding->is_error ? "error" : "warning");
    put_message(json, "message", text, NULL);
    json_open(json, "locations", '[');
    put_location(output, file, finding);
    json_close(json, ']');
    put_identity(output, file, finding);
    json_close(json, '}');
}

static void put_driver(Output *output)
{
    Json *json = &output->json;
    json_open(json, "tool", '{');
    json_open(json, "driver", '{');
    json_text(json, "name", "godwit");
    json_text(json, "semanticVersion", GODWIT_VERSION);
    put_rules(output);
    json_close(json, '}');
    json_close(json, '}');
}

/* Source: OASIS, Static Analysis Results Interchange Format, version 2.1.0. */
static void print_sarif(Output *output)
{
    Json *json = &output->json;
    json_open(json, NULL, '{');
    json_text(json, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_text(json, "version", "2.1.0");
    json_open(json, "runs", '[');
    json_open(json, NULL, '{');
    put_driver(output);
    json_text(json, "columnKind", "unicodeCodePoints");
    json_open(json, "results", '[');
    for (size_t i = 0; i < output->count; i++) {
        const PlanFindings *findings = &output->files[i].findings;
        for (size_t j = 0; j < findings->count; j++)
            put_result(output, &output->files[i], &findings->items[j]);
    }
    json_close(json, ']');
    json_close(json, '}');
    json_close(json, ']');
    json_close(json, '}');
    str_append_char(output->out, '\n');
}

void validation_print(Str *out, const PlanFile *files, size_t count, const char *format)
{
    static const struct {
        const char *format;
        Printer *print;
    } PRINTERS[] = {{"json", print_json}, {"github", print_github}, {"sarif", print_sarif}};
    AUTO_ARENA Arena arena = {0};
    Output output = {
        .arena = &arena,
        .out = out,
        .json = {.out = out, .pretty = true},
        .files = files,
        .count = count,
    };
    for (size_t i = 0; i < sizeof(PRINTERS) / sizeof(*PRINTERS); i++) {
        if (text_equal(PRINTERS[i].format, format)) {
            PRINTERS[i].print(&output);
            return;
        }
    }
    BUG("there is no format \"%s\"", format);
}
