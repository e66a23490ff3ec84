/*
 * Structure: lines, sorted, and the merge of two sorted texts.
 */
#include "blueprint/structure.h"

#include "base/str.h"
#include "base/vec.h"

#include <inttypes.h>

typedef VEC(const char *) Lines;

/* What stands on the target before the cutover, and what comes behind the drain, follows it. */
static const char QUIET_LINE[] = "session_replication_role cannot be set on the target";

static void add(Arena *arena, Lines *lines, const char *line)
{
    *vec_push(arena, lines) = line;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(Lines *lines)
{
    if (lines->count > 1)
        qsort(lines->items, lines->count, sizeof(*lines->items), by_text);
}

static void add_relation(Arena *arena, Lines *lines, const Relation *relation)
{
    const char *name = name_text(arena, &relation->source);
    add(arena, lines, arena_printf(arena, "table %s (oid %" PRIu32 ")", name, relation->oid));
    for (size_t c = 0; c < relation->column_count; c++) {
        const Column *column = &relation->columns[c];
        add(arena, lines,
            arena_printf(arena, "column %s of %s (%s)", name_part_text(arena, column->name), name,
                         column->type_text));
    }
    for (size_t g = 0; g < relation->generated_count; g++)
        add(arena, lines,
            arena_printf(arena, "generated column %s of %s",
                         name_part_text(arena, relation->generated[g]), name));
    if (relation->key != NULL)
        add(arena, lines, arena_printf(arena, "key %s of %s", relation->key->index_name, name));
    for (size_t l = 0; relation->partitioned && l < relation->leaf_count; l++)
        add(arena, lines,
            arena_printf(arena, "partition %s of %s (oid %" PRIu32 ")",
                         name_text(arena, &relation->leaves[l]->source), name,
                         relation->leaves[l]->oid));
}

char *structure_text(Arena *arena, const Blueprint *blueprint)
{
    AUTO_STR Str text = {0};
    AUTO_ARENA Arena own = {0};
    Lines lines = {0};
    for (size_t r = 0; r < blueprint->relation_count; r++)
        add_relation(&own, &lines, &blueprint->relations[r]);
    for (size_t s = 0; s < blueprint->sequence_count; s++)
        add(&own, &lines,
            arena_printf(&own, "sequence %s", name_text(&own, &blueprint->sequences[s].name)));
    if (blueprint_keeps_quiet(blueprint))
        add(&own, &lines, QUIET_LINE);
    sort(&lines);
    for (size_t i = 0; i < lines.count; i++)
        str_appendf(&text, "%s\n", lines.items[i]);
    return str_dup(arena, &text);
}

static void split(Arena *arena, Lines *lines, const char *text)
{
    char *save = NULL;
    char *copy = arena_strdup(arena, text);
    for (char *line = strtok_r(copy, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
        add(arena, lines, line);
    sort(lines);
}

char *structure_diff(Arena *arena, const char *before, const char *after)
{
    AUTO_STR Str out = {0};
    AUTO_ARENA Arena own = {0};
    Lines old_lines = {0}, new_lines = {0};
    split(&own, &old_lines, before);
    split(&own, &new_lines, after);
    size_t o = 0, n = 0;
    while (o < old_lines.count || n < new_lines.count) {
        int order = 0;
        if (o == old_lines.count)
            order = 1;
        else if (n == new_lines.count)
            order = -1;
        else
            order = strcmp(old_lines.items[o], new_lines.items[n]);
        if (order < 0)
            str_appendf(&out, "gone: %s\n", old_lines.items[o]);
        else if (order > 0)
            str_appendf(&out, "new: %s\n", new_lines.items[n]);
        o += order <= 0;
        n += order >= 0;
    }
    return str_dup(arena, &out);
}

bool structure_same(const char *before, const char *after, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *diff = structure_diff(&arena, before, after);
    if (*diff == '\0')
        return true;
    if (strstr(diff, QUIET_LINE) != NULL) {
        err_set(err, ERR_STALE, "the target's user may do something else than when the run began");
        err_detail(err, "%.*s", (int)strlen(diff) - 1, diff);
        return err_hint(err, "Which triggers and foreign keys stand on the target follows from it. "
                             "Put the right back as it was, or \"godwit reset\" and begin again.");
    }
    err_set(err, ERR_STALE, "the selected tables of the source are not those the run began with");
    err_detail(err, "%.*s", (int)strlen(diff) - 1, diff);
    return err_hint(err, "What is new was not copied, or would not fit on the target. Undo the "
                         "change on the source, or \"godwit reset\" and begin again.");
}
