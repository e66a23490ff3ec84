/*
 * Show line: every part of a line; a column is "name[type]=kind:value".
 */
#include "lib/show_line.h"

#include <string.h>

static void show_text(Str *out, TdText text)
{
    str_append_bytes(out, text.data, text.bytes);
}

static void show_tuple(Str *out, const char *before, const TdTuple *tuple)
{
    static const char *const KINDS[] = {"null", "unchanged", "quoted", "bare", "bits"};
    if (!tuple->present)
        return;
    str_append(out, before);
    TdColumn column;
    for (TdCursor at = td_columns(tuple); td_column(&at, &column);) {
        AUTO_STR Str value = {0};
        AUTO_STR Str name = {0};
        str_reserve(&value, column.value.bytes + 1);
        value.length = td_value(&column, value.data);
        str_reserve(&name, column.name.bytes + 1);
        name.length = td_unquote_name(column.name, name.data);
        str_append_char(out, ' ');
        str_append_bytes(out, name.data, name.length);
        str_append_char(out, '[');
        show_text(out, column.type);
        str_appendf(out, "]=%s:", KINDS[column.kind]);
        str_append_bytes(out, value.data, value.length);
    }
}

void show_line(Str *out, const TdLine *line)
{
    static const char *const KINDS[] = {"begin",  "commit",   "insert", "update",
                                        "delete", "truncate", "message"};
    str_append(out, KINDS[line->kind]);
    if (line->kind <= TD_COMMIT)
        str_appendf(out, " %u", line->xid);
    if (line->kind == TD_COMMIT && line->commit_unix_us != 0)
        str_appendf(out, " %lld", (long long)line->commit_unix_us);
    if (line->kind == TD_MESSAGE) {
        str_append(out, line->transactional ? " inside " : " outside ");
        show_text(out, line->prefix);
        str_append_char(out, '=');
        show_text(out, line->content);
        return;
    }
    TdText schema;
    TdText name;
    for (TdCursor at = td_relations(line); td_relation(&at, &schema, &name);) {
        str_append_char(out, ' ');
        show_text(out, schema);
        str_append_char(out, '/');
        show_text(out, name);
    }
    str_append(out, line->restart_identity ? " restart" : "");
    str_append(out, line->cascade ? " cascade" : "");
    show_tuple(out, " old", &line->old_tuple);
    show_tuple(out, " new", &line->new_tuple);
}
