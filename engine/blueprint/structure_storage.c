/*
 * Structure: the files that tables have. A rewrite in place is in no stream, and shows here alone.
 *
 * What says that rows were changed: columns that are at other places (one was dropped and made
 * again), another persistence (what is written to an unlogged table is in no WAL), or another file
 * after ALTER TABLE wrote the columns, too. Such a table is copied anew. Another file alone is what
 * TRUNCATE (which is streamed), VACUUM FULL, CLUSTER and SET TABLESPACE leave, but a table that was
 * unlogged for a moment as well: it is compared whole at the cutover. See docs/adr/0036.
 *
 * test_decoding tells changes by the name that a table had, so what was written while it, or its
 * schema, bore another one is told of nobody. Whatever wrote its row in pg_class may have been two
 * renamings, which count as another file.
 */
#include "base/str.h"
#include "blueprint/structure_internal.h"

#include <inttypes.h>

static const char STORAGE[] = "storage ";
static const char NO_COPY[] = ", not copied";
static const char FILE_MARK[] = ", file ";

bool storage_is(const char *key)
{
    return text_starts_with(key, STORAGE);
}

static void add_one(Arena *arena, FactVec *facts, const Blueprint *blueprint,
                    const Relation *relation, uint32_t oid)
{
    const CatRelation *found = catalog_relation(blueprint->source, oid);
    if (found == NULL || found->storage == 0)
        return;
    bool by_name = blueprint->plan->replication.plugin == PLAN_PLUGIN_TEST_DECODING;
    facts_add(arena, facts,
              arena_printf(arena, "%s%s of %s", STORAGE, name_text(arena, &found->name),
                           name_text(arena, &relation->source)),
              arena_printf(arena,
                           "oid %" PRIu32 ", columns %s, persistence %c%s, written %s%s%" PRIu32
                           "%s%s",
                           oid, found->places == NULL ? "none" : found->places, found->persistence,
                           relation_is_copied(blueprint, relation) ? "" : NO_COPY,
                           found->written == NULL ? "never" : found->written, FILE_MARK,
                           found->storage, by_name ? ", named " : "", by_name ? found->named : ""));
}

/* A chunk gets another file when it is compressed; ALTER TABLE of a hypertable rewrites the empty
 * table above its chunks, too. */
void storage_add(Arena *arena, FactVec *facts, const Blueprint *blueprint, const Relation *relation)
{
    if (relation->schema_only)
        return;
    if (relation->chunked) {
        add_one(arena, facts, blueprint, relation, relation->oid);
        return;
    }
    for (size_t l = 0; l < relation->leaf_count; l++)
        add_one(arena, facts, blueprint, relation, relation->leaves[l]->oid);
}

/* --- what a fact says --- */

/* How much of both values is the same: up to a mark. */
static bool same_until(const char *a, const char *b, const char *mark)
{
    const char *left = strstr(a, mark), *right = strstr(b, mark);
    return left != NULL && right != NULL && left - a == right - b &&
           strncmp(a, b, (size_t)(left - a)) == 0;
}

static bool same_after(const char *a, const char *b, const char *mark)
{
    const char *left = strstr(a, mark), *right = strstr(b, mark);
    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

/* The same table, and its rows may be others. Another one under its name is told by its oid. */
static bool is_rewritten(const char *was, const char *is)
{
    if (!same_until(was, is, ", columns "))
        return false;
    return !same_until(was, is, ", written ") ||
           (!same_until(was, is, FILE_MARK) && !same_after(was, is, FILE_MARK));
}

static void take_moves(Arena *arena, const FactVec *from, const FactVec *other, bool forward,
                       FactVec *kept)
{
    for (size_t i = 0; i < from->count; i++) {
        const Fact *fact = &from->items[i];
        const Fact *there = storage_is(fact->key) ? structure_find(other, fact->key) : NULL;
        if (storage_is(fact->key) &&
            (there == NULL || !is_rewritten(forward ? fact->value : there->value,
                                            forward ? there->value : fact->value)))
            continue;
        *vec_push(arena, kept) = *fact;
    }
}

void storage_align(Arena *arena, FactVec *was, FactVec *is)
{
    FactVec left = {0};
    FactVec right = {0};
    take_moves(arena, was, is, true, &left);
    take_moves(arena, is, was, false, &right);
    *was = left;
    *is = right;
}

bool storage_name(Arena *arena, const char *key, Name *name)
{
    const char *text = key + strlen(STORAGE);
    for (const char *end = strstr(text, " of "); end != NULL; end = strstr(end + 1, " of ")) {
        if (name_parse(arena, arena_printf(arena, "%.*s", (int)(end - text), text), name))
            return true;
    }
    return false;
}

bool storage_can_copy(const FactVec *facts, const char *key)
{
    static const char MERGED[] = "merged into ";
    AUTO_ARENA Arena arena = {0};
    Name name;
    const Fact *own = structure_find(facts, key);
    if (own == NULL || strstr(own->value, NO_COPY) != NULL || !storage_name(&arena, key, &name))
        return false;
    for (size_t i = 0; i < facts->count; i++) {
        const Fact *fact = &facts->items[i];
        if (text_starts_with(fact->key, MERGED) &&
            strstr(fact->value, name_text(&arena, &name)) != NULL)
            return false;
    }
    return true;
}

/* --- over the time of a run --- */

void structure_refiled(const Blueprint *blueprint, const char *before, const char *after,
                       bool *whole)
{
    AUTO_ARENA Arena arena = {0};
    FactVec was = {0};
    FactVec is = {0};
    facts_parse(&arena, &was, before);
    facts_parse(&arena, &is, after);
    for (size_t i = 0; i < is.count; i++) {
        const Fact *fact = &is.items[i];
        const Fact *then = storage_is(fact->key) ? structure_find(&was, fact->key) : NULL;
        if (then == NULL || same_after(then->value, fact->value, FILE_MARK))
            continue;
        uint32_t oid = (uint32_t)strtoul(fact->value + strlen("oid "), NULL, 10);
        const CatRelation *table = catalog_relation(blueprint->source, oid);
        for (size_t r = 0; table != NULL && r < blueprint->relation_count; r++)
            whole[r] = whole[r] || blueprint->relations[r].oid == table->root;
    }
}

static char *with_files(Arena *arena, const char *recorded, const char *now,
                        bool (*stays)(const char *was, const char *is))
{
    AUTO_ARENA Arena own = {0};
    FactVec was = {0};
    FactVec is = {0};
    facts_parse(&own, &was, recorded);
    facts_parse(&own, &is, now);
    for (size_t i = 0; i < is.count; i++) {
        Fact *fact = &is.items[i];
        const Fact *then = storage_is(fact->key) ? structure_find(&was, fact->key) : NULL;
        if (then != NULL && stays(then->value, fact->value))
            fact->value = then->value;
    }
    return facts_text(arena, &is);
}

static bool is_kept(const char *was, const char *is)
{
    return same_until(was, is, ", columns ") && !is_rewritten(was, is);
}

static bool is_comparable(const char *was, const char *is)
{
    return same_until(was, is, ", written ");
}

char *structure_keep(Arena *arena, const char *recorded, const char *now)
{
    return with_files(arena, recorded, now, is_kept);
}

char *structure_but_files(Arena *arena, const char *before, const char *now)
{
    return with_files(arena, before, now, is_comparable);
}
