/*
 * Leaves: one query for all, or one for a relation's.
 */
#include "copy/leaves.h"

#include "sql_text.h"

static int by_name(const void *a, const void *b)
{
    return name_compare(&((const JournalLeaf *)a)->source, &((const JournalLeaf *)b)->source);
}

bool leaf_is_copied(const JournalLeaf *state)
{
    return state != NULL && (state->state == 'f' || state->state == 's' || state->state == 'r');
}

bool leaves_states(Arena *arena, const Run *run, Conn *target, const JournalLeaf ***states,
                   Err *err)
{
    const Blueprint *blueprint = run->blueprint;
    JournalLeaf *known = NULL;
    size_t count = 0;
    *states = arena_array(arena, const JournalLeaf *, blueprint->leaf_count);
    if (run->journal.id == 0)
        return true;
    if (!journal_leaves(arena, target, run->journal.id, &known, &count, err))
        return false;
    if (count > 0)
        qsort(known, count, sizeof(JournalLeaf), by_name);
    for (size_t i = 0; count > 0 && i < blueprint->leaf_count; i++) {
        JournalLeaf wanted = {.source = blueprint->leaves[i].source};
        (*states)[i] = bsearch(&wanted, known, count, sizeof(JournalLeaf), by_name);
    }
    return true;
}

void list_append(Str *array, const char *text)
{
    str_append(array, array->length == 0 ? "{\"" : ",\"");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            str_append_char(array, '\\');
        str_append_char(array, *c);
    }
    str_append_char(array, '"');
}

void list_end(Str *array)
{
    str_append(array, array->length == 0 ? "{}" : "}");
}

bool leaves_left(const Run *run, Conn *target, Leaf *const *leaves, size_t count, size_t *left,
                 Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str schemas = {0};
    AUTO_STR Str rels = {0};
    AUTO_ROWS Rows *rows = NULL;
    *left = count;
    if (run->journal.id == 0)
        return true;
    for (size_t i = 0; i < count; i++) {
        list_append(&schemas, leaves[i]->source.schema);
        list_append(&rels, leaves[i]->source.rel);
    }
    list_end(&schemas);
    list_end(&rels);
    if (!pg_one(target, SQL_COPY_LEAVES_LEFT,
                PARAMS(arena_int64(&arena, run->journal.id), schemas.data, rels.data), &rows, err))
        return false;
    *left = (size_t)rows_int64(rows, 0, 0);
    return true;
}
