/*
 * Place: from a byte of a value back to the line and column of the plan. Needs no tree: the value
 * is read again where it began.
 */
#include "plan/report.h"

static size_t bytes_of(const char *text, size_t bytes, size_t characters)
{
    size_t at = 0;
    uint32_t code = 0;
    for (; characters > 0 && at < bytes; characters--)
        at += text_character(text + at, bytes - at, &code);
    return at;
}

uint32_t plan_characters(const char *text, size_t bytes)
{
    uint32_t count = 0;
    uint32_t code = 0;
    for (size_t at = 0; at < bytes; count++)
        at += text_character(text + at, bytes - at, &code);
    return count;
}

/* The bytes that the first `offset` bytes of the value take in the line, from its first character
 * on; SIZE_MAX when they stand there in another form. */
static size_t bytes_in_line(const char *line, size_t length, const char *value, size_t offset)
{
    bool doubles = *line == '\'';
    size_t at = *line == '"' || doubles ? 1 : 0;
    for (size_t i = 0; i < offset; i++) {
        if (at >= length || line[at] != value[i] || value[i] == '\n')
            return SIZE_MAX;
        at++;
        if (doubles && value[i] == '\'' && at < length && line[at] == '\'')
            at++;
    }
    return at;
}

bool plan_place(const Plan *plan, const char *value, size_t offset, PlanPos *pos)
{
    size_t length = 0;
    const char *line = text_line(plan->text, plan->text_bytes, pos->line, &length);
    size_t begin = line == NULL ? 0 : bytes_of(line, length, pos->column - 1);
    if (line == NULL || begin >= length)
        return false;
    size_t taken = bytes_in_line(line + begin, length - begin, value, offset);
    if (taken == SIZE_MAX || (line[begin] == '|' || line[begin] == '>'))
        return false;
    pos->column += plan_characters(line + begin, taken);
    return true;
}
