/*
 * Structure: a blueprint's facts, and what of them moved.
 */
#include "blueprint/structure_internal.h"

#include "base/str.h"

#include <inttypes.h>

/* What stands on the target before the cutover, and what comes behind the drain, follows it. */
static const char QUIET_LINE[] = "session_replication_role cannot be set on the target";

/* A partition that was detached and attached again may have other rows, of which no WAL tells. */
static const char *attached(Arena *arena, const Catalog *source, const Leaf *leaf)
{
    const char *text = arena_printf(arena, "oid %" PRIu32 ", attached by", leaf->oid);
    const CatRelation *relation = catalog_relation(source, leaf->oid);
    for (; relation != NULL && relation->is_partition;
         relation = catalog_relation(source, relation->parent))
        text = arena_printf(arena, "%s %s", text, relation->attached);
    return text;
}

static Fact partition_fact(Arena *arena, const Catalog *source, const Leaf *leaf)
{
    return (Fact){arena_printf(arena, "partition %s of %s", name_text(arena, &leaf->source),
                               name_text(arena, &leaf->root->source)),
                  attached(arena, source, leaf)};
}

static void add_relation(Arena *arena, FactVec *facts, const Catalog *source,
                         const Relation *relation)
{
    const char *name = name_text(arena, &relation->source);
    facts_add(arena, facts, arena_printf(arena, "table %s", name),
              arena_printf(arena, "oid %" PRIu32, relation->oid));
    for (size_t c = 0; c < relation->column_count; c++) {
        const Column *column = &relation->columns[c];
        facts_add(arena, facts,
                  arena_printf(arena, "column %s of %s", name_part_text(arena, column->name), name),
                  column->type_text);
    }
    for (size_t g = 0; g < relation->generated_count; g++)
        facts_add(arena, facts,
                  arena_printf(arena, "generated column %s of %s",
                               name_part_text(arena, relation->generated[g]), name),
                  "");
    if (relation->schema_only)
        facts_add(arena, facts, arena_printf(arena, "no rows of %s", name), "");
    if (relation->filter != NULL)
        facts_add(arena, facts, arena_printf(arena, "row filter of %s", name), relation->filter);
    if (relation->key != NULL)
        facts_add(arena, facts, arena_printf(arena, "key of %s", name), relation->key->index_name);
    for (size_t l = 0; relation->partitioned && l < relation->leaf_count; l++) {
        Fact fact = partition_fact(arena, source, relation->leaves[l]);
        facts_add(arena, facts, fact.key, fact.value);
    }
}

/* Not a whole thing that may be added: they are copied under one snapshot. */
static void add_merge(Arena *arena, FactVec *facts, const Relation *first)
{
    AUTO_STR Str names = {0};
    for (const Relation *one = first; one != NULL; one = one->merge_next)
        str_appendf(&names, "%s%s", names.length > 0 ? ", " : "", name_text(arena, &one->source));
    facts_add(arena, facts, arena_printf(arena, "merged into %s", name_text(arena, &first->target)),
              str_dup(arena, &names));
}

char *structure_text(Arena *arena, const Blueprint *blueprint)
{
    AUTO_ARENA Arena own = {0};
    FactVec facts = {0};
    for (size_t r = 0; r < blueprint->relation_count; r++) {
        add_relation(&own, &facts, blueprint->source, &blueprint->relations[r]);
        storage_add(&own, &facts, blueprint, &blueprint->relations[r]);
    }
    for (size_t r = 0; r < blueprint->relation_count; r++)
        if (blueprint->relations[r].merge == &blueprint->relations[r])
            add_merge(&own, &facts, &blueprint->relations[r]);
    for (size_t s = 0; s < blueprint->sequence_count; s++)
        facts_add(&own, &facts,
                  arena_printf(&own, "sequence %s", name_text(&own, &blueprint->sequences[s].name)),
                  "");
    if (blueprint_keeps_quiet(blueprint))
        facts_add(&own, &facts, QUIET_LINE, "");
    facts_sort(&facts);
    return facts_text(arena, &facts);
}

char *structure_diff(Arena *arena, const char *before, const char *after)
{
    AUTO_ARENA Arena own = {0};
    FactVec was = {0};
    FactVec is = {0};
    facts_parse(&own, &was, before);
    facts_parse(&own, &is, after);
    storage_align(&own, &was, &is);
    return facts_diff(arena, &was, &is);
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
                         "change on the source; if whole tables or partitions were added, take "
                         "them in: \"godwit refresh\"; or \"godwit reset\" and begin again.");
}

const Fact *structure_find(const FactVec *facts, const char *key)
{
    for (size_t low = 0, high = facts->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(facts->items[middle].key, key);
        if (order == 0)
            return &facts->items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Whether a new fact is a whole table, partition or sequence, or belongs to a table that is new. */
bool structure_is_whole(const FactVec *was, const FactVec *is, const char *key)
{
    static const char TABLE[] = "table ";
    if (text_starts_with(key, TABLE) || text_starts_with(key, "sequence ") ||
        text_starts_with(key, "partition "))
        return true;
    for (size_t i = 0; i < is->count; i++) {
        const char *table = is->items[i].key;
        if (!text_starts_with(table, TABLE) || structure_find(was, table) != NULL)
            continue;
        const char *name = table + strlen(TABLE);
        size_t length = strlen(key);
        size_t tail = strlen(" of ") + strlen(name);
        if (length > tail && strncmp(key + length - tail, " of ", 4) == 0 &&
            text_equal(key + length - strlen(name), name))
            return true;
    }
    return false;
}

bool structure_grew(const char *before, const char *after, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    FactVec was = {0};
    FactVec is = {0};
    facts_parse(&arena, &was, before);
    facts_parse(&arena, &is, after);
    storage_align(&arena, &was, &is);
    bool ok = true;
    for (size_t i = 0; i < was.count; i++) {
        const Fact *now = structure_find(&is, was.items[i].key);
        ok = ok && now != NULL && text_equal(now->value, was.items[i].value);
    }
    for (size_t i = 0; i < is.count; i++)
        ok = ok && (structure_find(&was, is.items[i].key) != NULL ||
                    structure_is_whole(&was, &is, is.items[i].key));
    return ok || structure_same(before, after, err);
}

/* "partition p of t", with a "table t" that was there. */
bool structure_is_partition(Arena *arena, const FactVec *was, const char *key)
{
    if (!text_starts_with(key, "partition "))
        return false;
    for (size_t i = 0; i < was->count; i++) {
        const char *table = was->items[i].key;
        if (!text_starts_with(table, "table "))
            continue;
        const char *end = arena_printf(arena, " of %s", table + strlen("table "));
        size_t length = strlen(key), tail = strlen(end);
        if (length > tail && strcmp(key + length - tail, end) == 0)
            return true;
    }
    return false;
}

/* Whether this fact is new, or says another thing than before. */
bool structure_moved(const FactVec *was, const Fact *fact)
{
    const Fact *before = structure_find(was, fact->key);
    return before == NULL || !text_equal(before->value, fact->value);
}

static void add_new(Arena *arena, const char *key, NameVec *added)
{
    static const char *const KINDS[] = {"table ", "sequence "};
    for (size_t k = 0; k < sizeof(KINDS) / sizeof(KINDS[0]); k++) {
        Name name;
        if (text_starts_with(key, KINDS[k]) && name_parse(arena, key + strlen(KINDS[k]), &name))
            *vec_push(arena, added) = name;
    }
}

/* "partition p of t" of a table that was there. \param name receives p */
static bool parse_partition(Arena *arena, const FactVec *was, const char *key, Name *name)
{
    static const char PARTITION[] = "partition ";
    if (!structure_is_partition(arena, was, key))
        return false;
    const char *text = key + strlen(PARTITION);
    for (const char *end = strstr(text, " of "); end != NULL; end = strstr(end + 1, " of ")) {
        if (name_parse(arena, arena_printf(arena, "%.*s", (int)(end - text), text), name))
            return true;
    }
    return false;
}

/* What is new or says another thing. \return false when it is no addition */
static bool look_at_new(Arena *arena, const FactVec *was, const FactVec *is, StructureMoves *moves)
{
    for (size_t i = 0; i < is->count; i++) {
        const char *key = is->items[i].key;
        if (!structure_moved(was, &is->items[i]) || structure_is_partition(arena, was, key) ||
            storage_is(key))
            continue;
        if (structure_find(was, key) != NULL || !structure_is_whole(was, is, key))
            return false;
        add_new(arena, key, &moves->added);
    }
    return true;
}

/* What went or says another thing. \return false when it is no partition */
static bool look_at_old(Arena *arena, const FactVec *was, const FactVec *is, StructureMoves *moves)
{
    for (size_t i = 0; i < was->count; i++) {
        const Fact *fact = &was->items[i];
        StructurePartition one = {.is_gone = structure_find(is, fact->key) == NULL};
        if (!structure_moved(is, fact))
            continue;
        if (storage_is(fact->key)) {
            if (!storage_can_copy(was, fact->key))
                return false;
            if (storage_name(arena, fact->key, &one.name))
                *vec_push(arena, &moves->rewritten) = one.name;
            continue;
        }
        if (!parse_partition(arena, was, fact->key, &one.name))
            return false;
        one.oid = (uint32_t)strtoul(fact->value + strlen("oid "), NULL, 10);
        *vec_push(arena, &moves->partitions) = one;
    }
    return true;
}

StructureMoves structure_moves(Arena *arena, const char *before, const char *after)
{
    AUTO_ARENA Arena own = {0};
    StructureMoves moves = {.move = STRUCTURE_SAME};
    FactVec was = {0};
    FactVec is = {0};
    if (strcmp(before, after) == 0)
        return moves;
    facts_parse(&own, &was, before);
    facts_parse(&own, &is, after);
    storage_align(&own, &was, &is);
    if (*facts_diff(&own, &was, &is) == '\0')
        return moves;
    if (!look_at_new(arena, &was, &is, &moves) || !look_at_old(arena, &was, &is, &moves))
        return (StructureMoves){.move = STRUCTURE_ALTERED};
    bool copied_anew = moves.partitions.count + moves.rewritten.count > 0;
    moves.move = copied_anew ? STRUCTURE_PARTITIONS : STRUCTURE_ADDED;
    return moves;
}

bool *structure_late(Arena *arena, const char *before, const Blueprint *blueprint)
{
    AUTO_ARENA Arena own = {0};
    FactVec was = {0};
    bool *late = arena_array(arena, bool, blueprint->leaf_count + 1);
    facts_parse(&own, &was, before);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        Fact fact = partition_fact(&own, blueprint->source, leaf);
        late[i] = leaf->root->partitioned && structure_moved(&was, &fact);
    }
    return late;
}

const char *structure_names(Arena *arena, const NameVec *names)
{
    const char *text = "";
    for (size_t i = 0; i < names->count; i++)
        text = arena_printf(arena, "%s%s%s", text, i == 0 ? "" : ", ",
                            name_text(arena, &names->items[i]));
    return text;
}

const char *structure_look(Arena *arena, Conn *source, const Blueprint *began, Err *err)
{
    Catalog catalog = {0};
    Blueprint now = {0};
    PlanFindings findings = {0};
    AUTO_ERR Err unfit = {0}; /* a selector that matches nothing any more; the comparison tells */
    bool ok = catalog_inspect(&catalog, source, err) &&
              (blueprint_build(&now, began->plan, &catalog, began->target, &findings, &unfit) ||
               unfit.code == ERR_PLAN || err_move(err, &unfit));
    const char *text = ok ? structure_without(arena, structure_text(arena, &now), began->paused,
                                              began->paused_count)
                          : NULL;
    blueprint_release(&now);
    catalog_release(&catalog);
    return text;
}
