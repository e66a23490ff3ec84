/*
 * Toc: reading the list, deciding, counting.
 */
#include "schema/toc.h"

#include "catalog/catalog.h"

#include <errno.h>

static bool read_number(const char **at, uint32_t *value)
{
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(*at, &end, 10);
    if (end == *at || errno != 0 || number > UINT32_MAX)
        return false;
    *at = end;
    *value = (uint32_t)number;
    return true;
}

/* The kind's word is followed by a blank; where one word begins another ("TABLE", "TABLE DATA"),
 * the first number tells a relation in a schema called DATA from the longer word. */
static const TocKind *find_kind(const char *text, uint32_t class_oid)
{
    for (const TocKind *kind = TOC_KINDS; kind->desc != NULL; kind++) {
        size_t length = strlen(kind->desc);
        if (strncmp(text, kind->desc, length) == 0 && text[length] == ' ' &&
            kind->numbered == (class_oid != 0))
            return kind;
    }
    return NULL;
}

static bool read_entry(const char *line, TocEntry *entry)
{
    uint32_t dump_id = 0;
    if (!read_number(&line, &dump_id) || *line++ != ';' || !read_number(&line, &entry->class_oid) ||
        !read_number(&line, &entry->oid) || *line++ != ' ' || dump_id > INT32_MAX)
        return false;
    entry->dump_id = (int)dump_id;
    entry->kind = find_kind(line, entry->class_oid);
    return true;
}

static bool read_needs(Arena *arena, Toc *toc, const char *text)
{
    if (toc->entries.count == 0)
        return false;
    TocEntry *entry = &toc->entries.items[toc->entries.count - 1];
    entry->first_need = toc->needs.count;
    uint32_t id = 0;
    while (read_number(&text, &id)) {
        *vec_push(arena, &toc->needs) = (int)id;
        entry->need_count++;
    }
    return *text == '\0';
}

static TocEntry *toc_find(const Toc *toc, int dump_id)
{
    size_t at = (size_t)dump_id;
    return at >= toc->place_count || toc->places[at] == 0
               ? NULL
               : &toc->entries.items[toc->places[at] - 1];
}

static void index_places(Arena *arena, Toc *toc)
{
    for (size_t i = 0; i < toc->entries.count; i++) {
        size_t id = (size_t)toc->entries.items[i].dump_id;
        toc->place_count = id >= toc->place_count ? id + 1 : toc->place_count;
    }
    toc->places = arena_array(arena, size_t, toc->place_count);
    for (size_t i = 0; i < toc->entries.count; i++)
        toc->places[toc->entries.items[i].dump_id] = i + 1;
}

static const char NEEDS_MARK[] = ";\tdepends on:";

static bool read_line(Arena *arena, Toc *toc, const char *line, bool post)
{
    if (text_starts_with(line, NEEDS_MARK))
        return post || read_needs(arena, toc, line + strlen(NEEDS_MARK));
    if (*line == '\0' || *line == ';')
        return true;
    TocEntry entry = {0};
    if (!read_entry(line, &entry))
        return false;
    if (!post) {
        *vec_push(arena, &toc->entries) = entry;
        return true;
    }
    TocEntry *known = toc_find(toc, entry.dump_id);
    if (known != NULL)
        known->post = true;
    return known != NULL;
}

static bool read_list(Arena *arena, Toc *toc, const char *list, bool post, Err *err)
{
    for (const char *line = list; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        const char *text = arena_memdup(arena, line, length);
        if (!read_line(arena, toc, text, post))
            return err_set(err, ERR_TOOL, "could not understand a line of pg_restore --list: %s",
                           text);
        line += length + (line[length] == '\n');
    }
    return true;
}

bool toc_read(Arena *arena, const char *list, const char *post_list, Toc *toc, Err *err)
{
    if (!read_list(arena, toc, list, false, err))
        return false;
    index_places(arena, toc);
    return read_list(arena, toc, post_list, true, err);
}

static TocFate by_section(const TocEntry *entry)
{
    return entry->post ? TOC_POST : TOC_PRE;
}

static TocFate object_fate(const TocEntry *entry, const TocJudge *judge)
{
    if (!judge->keeps(judge->data, entry->class_oid, entry->oid))
        return TOC_UNSELECTED;
    if (judge->late(judge->data, entry->class_oid, entry->oid))
        return TOC_LATE;
    return by_section(entry);
}

static TocFate switch_fate(const TocEntry *entry, const TocJudge *judge)
{
    if (!judge->keeps(judge->data, CAT_CLASS_RELATION, entry->oid))
        return TOC_UNSELECTED;
    return judge->late(judge->data, 0, entry->oid) ? TOC_LATE : TOC_POST;
}

static TocFate ours_fate(const TocEntry *entry, const TocJudge *judge)
{
    if (entry->class_oid == 0) /* attachments of indexes */
        return TOC_OURS;
    return judge->keeps(judge->data, entry->class_oid, entry->oid) ? TOC_OURS : TOC_UNSELECTED;
}

static bool is_kept(TocFate fate)
{
    return fate == TOC_PRE || fate == TOC_POST || fate == TOC_OURS;
}

static TocFate index_fate(const Toc *toc, const TocEntry *entry, const TocJudge *judge)
{
    for (size_t i = 0; i < entry->need_count; i++) {
        const TocEntry *need = toc_find(toc, toc->needs.items[entry->first_need + i]);
        if (need != NULL && need->kind != NULL &&
            strcmp(need->kind->desc, "MATERIALIZED VIEW") == 0)
            return is_kept(need->fate) ? TOC_POST : TOC_UNSELECTED;
    }
    return ours_fate(entry, judge);
}

/* A comment on something made later than its place in the archive goes with the later ones. */
static TocFate follower_fate(const Toc *toc, const TocEntry *entry)
{
    TocFate fate = entry->need_count == 0 ? TOC_UNSELECTED : by_section(entry);
    for (size_t i = 0; i < entry->need_count; i++) {
        const TocEntry *need = toc_find(toc, toc->needs.items[entry->first_need + i]);
        if (need == NULL || need->fate == TOC_UNSELECTED)
            return TOC_UNSELECTED;
        if (!is_kept(need->fate))
            return need->fate;
        if (need->fate != TOC_PRE)
            fate = TOC_POST;
    }
    return fate;
}

static TocRule rule_of(const TocEntry *entry)
{
    if (entry->kind != NULL)
        return entry->kind->rule;
    return entry->class_oid == 0 ? TOC_RULE_FOLLOWS : TOC_RULE_OBJECT;
}

static TocFate first_fate(const Toc *toc, const TocEntry *entry, const TocJudge *judge)
{
    switch (rule_of(entry)) {
    case TOC_RULE_OBJECT:
        return object_fate(entry, judge);
    case TOC_RULE_SWITCH:
        return switch_fate(entry, judge);
    case TOC_RULE_INDEX:
        return index_fate(toc, entry, judge);
    case TOC_RULE_OURS:
        return ours_fate(entry, judge);
    case TOC_RULE_DROP:
        return TOC_LEFT_OUT;
    case TOC_RULE_HEADER:
        return TOC_HEADER;
    case TOC_RULE_FOLLOWS:
        break;
    }
    return TOC_UNSELECTED;
}

void toc_decide(Toc *toc, const TocJudge *judge)
{
    for (size_t i = 0; i < toc->entries.count; i++)
        toc->entries.items[i].fate = first_fate(toc, &toc->entries.items[i], judge);
    for (size_t i = 0; i < toc->entries.count; i++) {
        TocEntry *entry = &toc->entries.items[i];
        if (rule_of(entry) == TOC_RULE_FOLLOWS)
            entry->fate = follower_fate(toc, entry);
    }
}

static size_t count_kind(const Toc *toc, TocFate fate, const TocKind *kind)
{
    size_t count = 0;
    for (size_t i = 0; i < toc->entries.count; i++)
        count += toc->entries.items[i].fate == fate && toc->entries.items[i].kind == kind;
    return count;
}

static void add_count(Str *text, size_t count, const char *what)
{
    if (count > 0)
        str_appendf(text, "%s%zu %s", text->length > 0 ? ", " : "", count, what);
}

char *toc_summary(Arena *arena, const Toc *toc, TocFate fate)
{
    AUTO_STR Str text = {0};
    for (const TocKind *kind = TOC_KINDS; kind->desc != NULL; kind++)
        add_count(&text, count_kind(toc, fate, kind), kind->desc);
    add_count(&text, count_kind(toc, fate, NULL), "of other kinds");
    return str_dup(arena, &text);
}

const TocEntry *toc_entry(const Toc *toc, int dump_id)
{
    return toc_find(toc, dump_id);
}

void toc_use_list(Str *list, const Toc *toc, TocFate fate, TocWanted *wanted, void *data)
{
    for (size_t i = 0; i < toc->entries.count; i++) {
        const TocEntry *entry = &toc->entries.items[i];
        if (entry->fate == fate && (wanted == NULL || wanted(data, toc, entry)))
            str_appendf(list, "%d;\n", entry->dump_id);
    }
}
