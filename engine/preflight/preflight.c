/*
 * Preflight: probes both sides once, then walks the table.
 */
#include "preflight/preflight.h"

#include "base/str.h"
#include "pg/query.h"
#include "preflight/check.h"
#include "sql_text.h"

static const char *const SEVERITY_NAMES[] = {
    [FINDING_INFO] = "info",
    [FINDING_WARNING] = "warning",
    [FINDING_ERROR] = "error",
};

const char *finding_severity_name(FindingSeverity severity)
{
    return SEVERITY_NAMES[severity];
}

void check_found(CheckCtx *ctx, ConnSide side, const char *object, const char *message,
                 const char *why, const char *remedy)
{
    *vec_push(ctx->arena, &ctx->report->findings) = (Finding){
        .code = ctx->check->code,
        .severity = ctx->check->severity,
        .side = side,
        .object = arena_strdup(ctx->arena, object),
        .message = arena_strdup(ctx->arena, message),
        .why = arena_strdup(ctx->arena, why),
        .remedy = arena_strdup(ctx->arena, remedy),
    };
    ctx->report->errors += ctx->check->severity == FINDING_ERROR;
    ctx->report->warnings += ctx->check->severity == FINDING_WARNING;
}

int64_t check_setting(const CheckCtx *ctx, ConnSide side, const char *name, int64_t missing)
{
    const Catalog *catalog = side == CONN_SOURCE ? ctx->input->source : ctx->input->target;
    const CatSetting *setting = catalog_setting(catalog, name);
    return setting == NULL ? missing : strtoll(setting->value, NULL, 10);
}

static bool probe(Arena *arena, Conn *conn, Probe *probe, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(conn, SQL_PREFLIGHT_PROBE, NO_PARAMS, &rows, err))
        return false;
    *probe = (Probe){
        .slots_used = rows_int64(rows, 0, 0),
        .senders_used = rows_int64(rows, 0, 1),
        .connections_used = rows_int64(rows, 0, 2),
        .large_objects = rows_int64(rows, 0, 3),
        .may_replicate = rows_bool(rows, 0, 4),
        .may_create_in_database = rows_bool(rows, 0, 5),
        .owns_database = rows_bool(rows, 0, 6),
        .bypasses_row_security = rows_bool(rows, 0, 7),
        .backend_pid = rows_int64(rows, 0, 8),
        .prepared = arena_strdup(arena, rows_text(rows, 0, 9)),
    };
    return true;
}

bool preflight_run(const PreflightInput *input, PreflightReport *report, Err *err)
{
    *report = (PreflightReport){0};
    CheckCtx ctx = {.input = input, .report = report, .arena = &report->arena};
    if (!probe(ctx.arena, input->source_conn, &ctx.source, err) ||
        !probe(ctx.arena, input->target_conn, &ctx.target, err))
        return false;
    for (const Check *check = PREFLIGHT_CHECKS; check->code != NULL; check++) {
        ctx.check = check;
        if (!check->run(&ctx, err))
            return err_context(err, "check %s", check->code);
    }
    return true;
}

void preflight_release(PreflightReport *report)
{
    arena_release(&report->arena);
    *report = (PreflightReport){0};
}

char *preflight_finding_text(Arena *arena, const Finding *finding)
{
    AUTO_STR Str text = {0};
    str_appendf(&text, "%s %s %s %s: %s\n", finding_severity_name(finding->severity), finding->code,
                conn_side_name(finding->side), finding->object, finding->message);
    str_appendf(&text, "    why: %s\n", finding->why);
    if (finding->remedy == NULL)
        return str_dup(arena, &text);
    for (const char *line = finding->remedy; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        str_appendf(&text, "    %s %.*s\n", line == finding->remedy ? "fix:" : "    ", (int)length,
                    line);
        line += length + (line[length] == '\n');
    }
    return str_dup(arena, &text);
}
