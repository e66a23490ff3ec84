/*
 * Translate's names: test_decoding tells relations by name, so that they are found by theirs;
 * chunks of hypertables, which come at any time, are asked for once.
 */
#include "cdc/translate_internal.h"

#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    return name_compare(&((const TranslateLeaf *)a)->leaf->source,
                        &((const TranslateLeaf *)b)->leaf->source);
}

/* Where the name stands, or would. */
static size_t name_place(const Translate *translate, const Name *name)
{
    size_t low = 0;
    for (size_t high = translate->names.count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (name_compare(&translate->names.items[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_name(Translate *translate, const Name *name, TranslateLeaf *leaf)
{
    size_t at = name_place(translate, name);
    Arena *arena = &translate->arena;
    *vec_insert(arena, &translate->names, at) = (TranslateName){
        .name = {arena_strdup(arena, name->schema), arena_strdup(arena, name->rel)},
        .leaf = leaf,
    };
}

static TranslateLeaf *state_of(Translate *translate, const Leaf *leaf)
{
    TranslateLeaf key = {.leaf = leaf};
    return bsearch(&key, translate->leaves, translate->leaf_count, sizeof(TranslateLeaf), by_name);
}

/* What the catalog showed need not be asked. */
static void add_chunks(Translate *translate, const Blueprint *blueprint)
{
    for (size_t i = 0; blueprint->has_chunked && i < blueprint->source->relations_count; i++) {
        const CatRelation *relation = &blueprint->source->relations[i];
        const Leaf *leaf = blueprint_chunked(blueprint, relation->hypertable);
        if (blueprint_leaf(blueprint, relation->oid) == NULL)
            add_name(translate, &relation->name, leaf == NULL ? NULL : state_of(translate, leaf));
    }
}

void translate_init(Translate *translate, const Blueprint *blueprint)
{
    *translate = (Translate){.blueprint = blueprint, .leaf_count = blueprint->leaf_count};
    translate->latin1 =
        blueprint->source != NULL && text_equal(blueprint->source->server.encoding, "LATIN1");
    translate->leaves = arena_array(&translate->arena, TranslateLeaf, blueprint->leaf_count);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        TdColumn *row = arena_array(&translate->arena, TdColumn, leaf->root->column_count);
        translate->leaves[i] = (TranslateLeaf){.leaf = leaf, .row = row};
    }
    qsort(translate->leaves, translate->leaf_count, sizeof(TranslateLeaf), by_name);
    add_chunks(translate, blueprint);
}

/* A relation that the blueprint lacks. \param leaf receives NULL when it is not selected */
static bool find_stranger(Output *output, const Name *name, TranslateLeaf **leaf)
{
    Translate *translate = output->translate;
    const Leaf *found = NULL;
    *leaf = NULL;
    if (translate->resolve == NULL)
        return true;
    size_t at = name_place(translate, name);
    if (at < translate->names.count && name_equal(&translate->names.items[at].name, name)) {
        *leaf = translate->names.items[at].leaf;
        return true;
    }
    if (!translate->resolve(translate->resolve_data, name, translate->xid, &found, output->err))
        return false;
    *leaf = found == NULL ? NULL : state_of(translate, found);
    add_name(translate, name, *leaf);
    return true;
}

bool translate_find_leaf(Output *output, TdText schema, TdText name, TranslateLeaf **leaf)
{
    Translate *translate = output->translate;
    str_reset(&translate->name);
    char *at = str_reserve(&translate->name, schema.bytes + name.bytes + 2);
    char *schema_end = at + td_unquote_name(schema, at);
    *schema_end = '\0';
    *(schema_end + 1 + td_unquote_name(name, schema_end + 1)) = '\0';
    Leaf wanted = {.source = {at, schema_end + 1}};
    TranslateLeaf key = {.leaf = &wanted};
    *leaf = bsearch(&key, translate->leaves, translate->leaf_count, sizeof(TranslateLeaf), by_name);
    return *leaf != NULL || find_stranger(output, &wanted.source, leaf);
}
