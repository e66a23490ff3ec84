/*
 * Render: a finding as people read it, with the line it is about and a caret.
 *
 *     plan.yaml:12:3: error P101: unknown key "hypertable"
 *        12 | hypertable:
 *           | ^~~~~~~~~~
 *       did you mean "hypertables"?
 *
 * The caret stands under the right column whatever the line holds: wide and combining characters
 * are measured, tabs expanded, everything a terminal would act on is shown as an escape.
 */
#include "plan/report.h"

#include "base/str.h"
#include "plan/width.h"

/* A longer line is shown from some way before the caret, this many columns of it. */
#define SNIPPET_COLUMNS 120
#define SNIPPET_BEFORE  40
#define TAB_COLUMNS     4

static bool in_ranges(const WidthRange *ranges, size_t count, uint32_t code)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (code < ranges[middle].first)
            high = middle;
        else if (code > ranges[middle].last)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

/* Control characters, and those that change the direction or the order of what is shown. */
static bool needs_escape(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x061C ||
           (code >= 0x200E && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF || code == UINT32_MAX;
}

/* Appends one character as it is shown; returns the columns it takes. */
static size_t show(Str *out, const char *at, size_t length, uint32_t code, size_t column)
{
    if (code == '\t') {
        size_t blanks = TAB_COLUMNS - column % TAB_COLUMNS;
        str_appendf(out, "%*s", (int)blanks, "");
        return blanks;
    }
    if (needs_escape(code)) {
        size_t before = out->length;
        if (code == UINT32_MAX || code < 0x80)
            str_appendf(out, "\\x%02x", (unsigned char)*at);
        else
            str_appendf(out, "\\u%04x", code);
        return out->length - before;
    }
    str_append_bytes(out, at, length);
    if (in_ranges(WIDTH_ZERO, WIDTH_ZERO_COUNT, code))
        return 0;
    return in_ranges(WIDTH_TWO, WIDTH_TWO_COUNT, code) ? 2 : 1;
}

char *text_printable(Arena *arena, const char *text, size_t bytes, size_t *width)
{
    AUTO_STR Str out = {0};
    size_t columns = 0;
    for (size_t at = 0; at < bytes;) {
        uint32_t code = 0;
        size_t length = text_character(text + at, bytes - at, &code);
        columns += show(&out, text + at, length, code, columns);
        at += length;
    }
    if (width != NULL)
        *width = columns;
    return str_dup(arena, &out);
}

/* How many columns a line takes; it is not looked at further than it may be shown. */
static size_t columns_of(const char *line, size_t bytes)
{
    size_t columns = 0;
    for (size_t at = 0; at < bytes && columns <= SNIPPET_COLUMNS;) {
        AUTO_STR Str shown = {0};
        uint32_t code = 0;
        size_t length = text_character(line + at, bytes - at, &code);
        columns += show(&shown, line + at, length, code, columns);
        at += length;
    }
    return columns;
}

/* Lays out a line from its character `first` on, and under it the marks. */
static void lay_out(Str *shown, Str *marks, const char *line, size_t bytes, uint32_t first,
                    const PlanFinding *finding)
{
    uint32_t caret = finding->pos.column;
    uint32_t number = 1;
    size_t columns = 0;
    size_t at = 0;
    for (; at < bytes && columns < SNIPPET_COLUMNS; number++) {
        uint32_t code = 0;
        size_t length = text_character(line + at, bytes - at, &code);
        size_t width = number < first ? 0 : show(shown, line + at, length, code, columns);
        bool marked = number >= caret && number - caret < finding->span;
        for (size_t i = 0; i < width; i++)
            str_append_char(marks, !marked ? ' ' : number == caret && i == 0 ? '^' : '~');
        columns += width;
        at += length;
    }
    if (at < bytes)
        str_append(shown, "...");
    if (number <= caret) /* just past the end of the line */
        str_append_char(marks, '^');
}

static void append_snippet(Str *out, const Plan *plan, const PlanFinding *finding)
{
    size_t bytes = 0;
    const char *line = finding->pos.line == 0
                           ? NULL
                           : text_line(plan->text, plan->text_bytes, finding->pos.line, &bytes);
    if (line == NULL)
        return;
    AUTO_STR Str shown = {0};
    AUTO_STR Str marks = {0};
    uint32_t caret = finding->pos.column;
    bool fits = columns_of(line, bytes) <= SNIPPET_COLUMNS;
    uint32_t first = !fits && caret > SNIPPET_COLUMNS - SNIPPET_BEFORE ? caret - SNIPPET_BEFORE : 1;
    if (first > 1) {
        str_append(&shown, "...");
        str_append(&marks, "   ");
    }
    lay_out(&shown, &marks, line, bytes, first, finding);
    while (marks.length > 0 && marks.data[marks.length - 1] == ' ')
        marks.data[--marks.length] = '\0';
    str_appendf(out, "%5u | %s\n%5s | %s\n", finding->pos.line, str_text(&shown), "",
                str_text(&marks));
}

char *plan_finding_text(Arena *arena, const Plan *plan, const PlanFinding *finding, int fd)
{
    AUTO_STR Str out = {0};
    const char *path = plan->path == NULL ? "plan" : plan->path;
    str_append(&out, text_printable(arena, path, strlen(path), NULL));
    if (finding->pos.line > 0)
        str_appendf(&out, ":%u:%u", finding->pos.line, finding->pos.column);
    str_append(&out, ": ");
    color_append(&out, fd, finding->is_error ? COLOR_OF_ERROR : COLOR_OF_WARNING,
                 finding->is_error ? "error" : "warning");
    str_append_char(&out, ' ');
    color_append(&out, fd, COLOR_OF_CODE, finding->code);
    str_appendf(&out, ": %s\n", finding->message);
    append_snippet(&out, plan, finding);
    if (finding->hint != NULL)
        str_appendf(&out, "  hint: %s\n", finding->hint);
    return str_dup(arena, &out);
}
