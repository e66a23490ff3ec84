/*
 * Report: findings in an arena, sorted by place at the end.
 */
#include "plan/report.h"

#include "base/str.h"
#include "plan/secret.h"

/* A longer text from the plan is cut in messages. */
#define QUOTED_MAX 60

/* No message may act on a terminal, whatever the text from the plan that it repeats. */
static char *shown(Report *report, const char *format, va_list args) PRINTF(2, 0);

static char *shown(Report *report, const char *format, va_list args)
{
    const char *text = arena_vprintf(report->arena, format, args);
    return text_printable(report->arena, text, strlen(text), NULL);
}

static void add(Report *report, PlanDiag diag, PlanPos pos, uint32_t span, const char *format,
                va_list args) PRINTF(5, 0);

static void add(Report *report, PlanDiag diag, PlanPos pos, uint32_t span, const char *format,
                va_list args)
{
    const PlanDiagRow *row = plan_diag_row(diag);
    report->errors += row->is_error;
    report->later += diag == DIAG_LATER;
    if (report_is_full(report)) {
        report->dropped++;
        return;
    }
    *vec_push(report->arena, &report->list) = (PlanFinding){
        .code = row->code,
        .is_error = row->is_error,
        .pos = pos,
        .span = span,
        .message = shown(report, format, args),
    };
}

void report_at(Report *report, PlanDiag diag, PlanPos pos, uint32_t span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(report, diag, pos, span, format, args);
    va_end(args);
}

void report_node(Report *report, PlanDiag diag, const Node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(report, diag, node->pos, node_span(node), format, args);
    va_end(args);
}

void report_hint(Report *report, const char *format, ...)
{
    if (report->dropped > 0)
        return;
    va_list args;
    va_start(args, format);
    report->list.items[report->list.count - 1].hint = shown(report, format, args);
    va_end(args);
}

static int by_place(const void *a, const void *b)
{
    const PlanFinding *x = a;
    const PlanFinding *y = b;
    if (x->pos.line != y->pos.line)
        return x->pos.line < y->pos.line ? -1 : 1;
    if (x->pos.column != y->pos.column)
        return x->pos.column < y->pos.column ? -1 : 1;
    return strcmp(x->code, y->code);
}

void report_finish(Report *report, PlanFindings *findings)
{
    if (report->list.count > 1)
        qsort(report->list.items, report->list.count, sizeof(PlanFinding), by_place);
    if (report->dropped > 0) {
        PlanPos last = report->list.items[report->list.count - 1].pos;
        *vec_push(report->arena, &report->list) = (PlanFinding){
            .code = plan_diag_row(DIAG_TOO_MANY)->code,
            .is_error = true,
            .pos = last,
            .span = 1,
            .message =
                arena_printf(report->arena, "%zu more findings are not shown", report->dropped),
        };
    }
    *findings = (PlanFindings){
        .items = report->list.items, .count = report->list.count, .errors = report->errors};
}

const char *report_quoted(Report *report, const char *text)
{
    size_t bytes = strlen(text);
    size_t cut = 0;
    uint32_t code = 0;
    for (size_t characters = 0; cut < bytes && characters < QUOTED_MAX; characters++)
        cut += text_character(text + cut, bytes - cut, &code);
    char *copy = arena_memdup(report->arena, text, bytes);
    secret_mask(copy, bytes);
    return arena_printf(report->arena, "\"%s%s\"", text_printable(report->arena, copy, cut, NULL),
                        cut < bytes ? "..." : "");
}

/* A continuation-checked UTF-8 sequence of `length` bytes; false if it is cut or overlong. */
static bool decode(const unsigned char *at, size_t length, uint32_t *code)
{
    static const uint32_t SMALLEST[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t value = at[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return false;
        value = value << 6 | (at[i] & 0x3FU);
    }
    *code = value;
    return value >= SMALLEST[length] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

size_t text_character(const char *text, size_t bytes, uint32_t *code)
{
    const unsigned char *at = (const unsigned char *)text;
    if (at[0] < 0x80) {
        *code = at[0];
        return 1;
    }
    size_t length = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] >= 0xC2 && at[0] <= 0xF4 && length <= bytes && decode(at, length, code))
        return length;
    *code = UINT32_MAX;
    return 1;
}

static bool is_break(uint32_t code)
{
    return code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

const char *text_line(const char *text, size_t bytes, uint32_t line, size_t *length)
{
    size_t at = 0;
    uint32_t code = 0;
    for (uint32_t number = 1;; number++) {
        size_t start = at;
        size_t step = 0;
        while (at < bytes) {
            step = text_character(text + at, bytes - at, &code);
            if (is_break(code))
                break;
            at += step;
        }
        if (number == line) {
            *length = at - start;
            return text + start;
        }
        if (at >= bytes)
            return NULL;
        at += code == '\r' && at + 1 < bytes && text[at + 1] == '\n' ? 2 : step;
    }
}
