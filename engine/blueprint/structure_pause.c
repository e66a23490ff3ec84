/*
 * Structure: which tables were altered, what stands without them, and what would make the target's
 * table like the source's again.
 */
#include "base/str.h"
#include "blueprint/structure_internal.h"

static const char TABLE[] = "table ";
static const char COLUMN[] = "column ";
static const char GENERATED[] = "generated column ";
static const char MERGED[] = "merged into ";

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Whether a fact is of this table, or is the table. \param name as name_text() shows it */
static bool is_of(Arena *arena, const char *key, const char *name)
{
    if (text_starts_with(key, TABLE))
        return text_equal(key + strlen(TABLE), name);
    return ends_with(key, arena_printf(arena, " of %s", name));
}

/* The table among these facts that a key belongs to; NULL: none. */
static const char *table_of(Arena *arena, const FactVec *facts, const char *key)
{
    for (size_t i = 0; i < facts->count; i++) {
        const char *table = facts->items[i].key;
        if (text_starts_with(table, TABLE) && is_of(arena, key, table + strlen(TABLE)))
            return table + strlen(TABLE);
    }
    return NULL;
}

static void add_table(Arena *arena, NameVec *tables, const char *text)
{
    Name name;
    if (text == NULL || !name_parse(arena, text, &name))
        return;
    for (size_t i = 0; i < tables->count; i++) {
        if (name_equal(&tables->items[i], &name))
            return;
    }
    *vec_push(arena, tables) = name;
}

static NameVec altered(Arena *arena, const FactVec *was, const FactVec *is)
{
    NameVec tables = {0};
    for (size_t i = 0; i < was->count; i++) {
        const Fact *fact = &was->items[i];
        if (structure_moved(is, fact) && !structure_is_partition(arena, was, fact->key) &&
            !(storage_is(fact->key) && storage_can_copy(was, fact->key)))
            add_table(arena, &tables, table_of(arena, was, fact->key));
    }
    for (size_t i = 0; i < is->count; i++) {
        const Fact *fact = &is->items[i];
        if (structure_find(was, fact->key) == NULL && !storage_is(fact->key) &&
            !structure_is_partition(arena, was, fact->key) &&
            !structure_is_whole(was, is, fact->key))
            add_table(arena, &tables, table_of(arena, was, fact->key));
    }
    return tables;
}

static bool is_of_any(Arena *arena, const char *key, const Name *tables, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_of(arena, key, name_text(arena, &tables[i])))
            return true;
    }
    return false;
}

char *structure_without(Arena *arena, const char *text, const Name *tables, size_t count)
{
    AUTO_ARENA Arena own = {0};
    FactVec facts = {0};
    FactVec kept = {0};
    facts_parse(&own, &facts, text);
    for (size_t i = 0; i < facts.count; i++) {
        if (!is_of_any(&own, facts.items[i].key, tables, count))
            facts_add(&own, &kept, facts.items[i].key, facts.items[i].value);
    }
    return facts_text(arena, &kept);
}

/* One of a dropped column or table goes with it, and nothing is to be set for it. */
static const char *without_lost_sequences(Arena *arena, const char *before, const char *after)
{
    FactVec was = {0};
    FactVec is = {0};
    FactVec kept = {0};
    facts_parse(arena, &was, before);
    facts_parse(arena, &is, after);
    for (size_t i = 0; i < was.count; i++) {
        const Fact *fact = &was.items[i];
        if (!text_starts_with(fact->key, "sequence ") || structure_find(&is, fact->key) != NULL)
            facts_add(arena, &kept, fact->key, fact->value);
    }
    return facts_text(arena, &kept);
}

/* Whether one of the tables is merged with others, or none is left without them. */
static bool are_needed(Arena *arena, const FactVec *was, const NameVec *tables)
{
    size_t left = 0;
    for (size_t i = 0; i < was->count; i++) {
        const Fact *fact = &was->items[i];
        left += text_starts_with(fact->key, TABLE) &&
                !is_of_any(arena, fact->key, tables->items, tables->count);
        for (size_t t = 0; text_starts_with(fact->key, MERGED) && t < tables->count; t++) {
            if (strstr(fact->value, name_text(arena, &tables->items[t])) != NULL)
                return true;
        }
    }
    return left == 0;
}

bool structure_can_pause(Arena *arena, const char *before, const char *after, NameVec *tables)
{
    FactVec was = {0};
    FactVec is = {0};
    facts_parse(arena, &was, before);
    facts_parse(arena, &is, after);
    storage_align(arena, &was, &is);
    *tables = altered(arena, &was, &is);
    if (tables->count == 0 || are_needed(arena, &was, tables))
        return false;
    const char *left = structure_without(arena, before, tables->items, tables->count);
    const char *right = structure_without(arena, after, tables->items, tables->count);
    left = without_lost_sequences(arena, left, right);
    return structure_moves(arena, left, right).move != STRUCTURE_ALTERED;
}

/* --- one table --- */

static void columns_of(Arena *arena, FactVec *columns, const char *text, const char *name)
{
    FactVec facts = {0};
    facts_parse(arena, &facts, text);
    for (size_t i = 0; i < facts.count; i++) {
        const char *key = facts.items[i].key;
        bool is_column = text_starts_with(key, COLUMN) || text_starts_with(key, GENERATED);
        if (is_column && is_of(arena, key, name))
            facts_add(arena, columns, key, facts.items[i].value);
    }
}

char *structure_diff_of(Arena *arena, const char *before, const char *after, const Name *table)
{
    AUTO_ARENA Arena own = {0};
    FactVec was = {0};
    FactVec is = {0};
    const char *name = name_text(&own, table);
    FactVec left = {0};
    FactVec right = {0};
    facts_parse(&own, &was, before);
    facts_parse(&own, &is, after);
    for (size_t i = 0; i < was.count; i++)
        if (is_of(&own, was.items[i].key, name))
            facts_add(&own, &left, was.items[i].key, was.items[i].value);
    for (size_t i = 0; i < is.count; i++)
        if (is_of(&own, is.items[i].key, name))
            facts_add(&own, &right, is.items[i].key, is.items[i].value);
    storage_align(&own, &left, &right);
    char *diff = facts_diff(arena, &left, &right);
    size_t length = strlen(diff);
    if (length > 0 && diff[length - 1] == '\n')
        diff[length - 1] = '\0';
    return diff;
}

char *structure_columns(Arena *arena, const Catalog *catalog, uint32_t relation, const Name *table)
{
    AUTO_ARENA Arena own = {0};
    FactVec facts = {0};
    size_t count = 0;
    const char *name = name_text(&own, table);
    const CatColumn *columns = catalog_columns(catalog, relation, &count);
    for (size_t i = 0; i < count; i++)
        facts_add(&own, &facts,
                  arena_printf(&own, "%s%s of %s", columns[i].generated ? GENERATED : COLUMN,
                               name_part_text(&own, columns[i].name), name),
                  columns[i].generated ? "" : columns[i].type_text);
    facts_sort(&facts);
    return facts_text(arena, &facts);
}

static void add_action(Str *sql, const char *separator, const char *verb, const char *key,
                       const char *name, const char *type)
{
    size_t head = strlen(text_starts_with(key, COLUMN) ? COLUMN : GENERATED);
    size_t length = strlen(key) - head - strlen(" of ") - strlen(name);
    str_appendf(sql, "%s%s %.*s%s%s", separator, verb, (int)length, key + head,
                *type == '\0' ? "" : " ", type);
}

/* A generated column is told, its expression stands on the source. */
char *structure_remedy(Arena *arena, const char *before, const char *after, const Name *table,
                       const Name *target)
{
    AUTO_ARENA Arena own = {0};
    AUTO_STR Str sql = {0};
    FactVec was = {0};
    FactVec is = {0};
    const char *name = name_text(&own, table);
    columns_of(&own, &was, before, name);
    columns_of(&own, &is, after, name);
    for (size_t i = 0; i < was.count; i++)
        if (structure_find(&is, was.items[i].key) == NULL)
            add_action(&sql, sql.length == 0 ? "" : ", ", "DROP COLUMN", was.items[i].key, name,
                       "");
    for (size_t i = 0; i < is.count; i++) {
        const Fact *fact = &is.items[i];
        const Fact *then = structure_find(&was, fact->key);
        const char *separator = sql.length == 0 ? "" : ", ";
        if (then == NULL && text_starts_with(fact->key, COLUMN))
            add_action(&sql, separator, "ADD COLUMN", fact->key, name, fact->value);
        else if (then == NULL)
            add_action(&sql, separator, "ADD COLUMN", fact->key, name,
                       "... GENERATED, as on the source");
        else if (!text_equal(then->value, fact->value))
            add_action(&sql, separator, "ALTER COLUMN", fact->key, name,
                       arena_printf(&own, "TYPE %s", fact->value));
    }
    if (sql.length == 0)
        return NULL;
    return arena_printf(arena, "ALTER TABLE %s %s;", name_text(&own, target), sql.data);
}
