/*
 * Relmap: relation messages against the Blueprint, all differences in one error.
 */
#include "cdc/relmap.h"

#include "base/str.h"

/* That the source may send: a publication may have generated ones (since 18). */
static size_t most_columns(const Relation *relation)
{
    return relation->column_count + relation->left_out_count + relation->generated_count;
}

void relmap_init(Relmap *relmap, const Blueprint *blueprint)
{
    *relmap = (Relmap){.blueprint = blueprint};
    Arena *arena = &relmap->arena;
    relmap->rels = arena_array(arena, RelState, blueprint->relation_count);
    relmap->leaves = arena_array(arena, LeafState, blueprint->leaf_count);
    size_t widest = 1;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        relmap->rels[i] = (RelState){.relation = relation,
                                     .first = NO_CHANGE,
                                     .last = NO_CHANGE,
                                     .ordered = relation->further_unique};
        fold_init(&relmap->rels[i].fold, relation);
        if (most_columns(relation) > widest)
            widest = most_columns(relation);
    }
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        relmap->leaves[i] = (LeafState){.leaf = leaf, .rel = &relmap->rels[leaf->root->index]};
    }
    for (size_t i = 0; blueprint->has_chunked && i < blueprint->source->relations_count; i++) {
        const CatRelation *chunk = &blueprint->source->relations[i];
        const Leaf *leaf = blueprint_chunked(blueprint, chunk->hypertable);
        if (leaf != NULL)
            relmap_add_chunk(relmap, chunk->oid, leaf);
    }
    relmap->scratch = arena_array(arena, PgoValue, widest);
    relmap->old_values = arena_array(arena, PgoValue, widest);
    relmap->new_values = arena_array(arena, PgoValue, widest);
    relmap->key_values = arena_array(arena, PgoValue, widest);
}

static void forget_misfits(Relmap *relmap)
{
    for (size_t i = 0; i < relmap->misfits.count; i++)
        err_release(&relmap->misfits.items[i].error);
    relmap->misfits.count = 0;
}

void relmap_release(Relmap *relmap)
{
    for (size_t i = 0; relmap->blueprint != NULL && i < relmap->blueprint->relation_count; i++)
        fold_release(&relmap->rels[i].fold);
    forget_misfits(relmap);
    arena_release(&relmap->arena);
}

void relmap_forget(Relmap *relmap)
{
    forget_misfits(relmap);
    for (size_t i = 0; i < relmap->blueprint->leaf_count; i++)
        relmap->leaves[i].known = false;
    for (size_t i = 0; i < relmap->chunks.count; i++)
        relmap->chunks.items[i].state->known = false;
}

static LeafState *find_chunk(const Relmap *relmap, uint32_t oid)
{
    size_t at = vec_place(&relmap->chunks, oid, oid);
    bool found = at < relmap->chunks.count && relmap->chunks.items[at].oid == oid;
    return found ? relmap->chunks.items[at].state : NULL;
}

const Leaf *relmap_chunk_of(const Relmap *relmap, uint32_t oid)
{
    const LeafState *state = find_chunk(relmap, oid);
    return state == NULL ? NULL : state->leaf;
}

void relmap_add_chunk(Relmap *relmap, uint32_t oid, const Leaf *leaf)
{
    if (find_chunk(relmap, oid) != NULL)
        return;
    LeafState *state = arena_new(&relmap->arena, LeafState);
    *state = (LeafState){.leaf = leaf, .rel = &relmap->rels[leaf->root->index]};
    if (relmap->blueprint->chunk_way == CHUNKS_BY_WATCH)
        state->chunk = oid;
    size_t at = vec_place(&relmap->chunks, oid, oid);
    *vec_insert(&relmap->arena, &relmap->chunks, at) = (ChunkState){oid, state};
}

LeafState *relmap_find(const Relmap *relmap, uint32_t oid)
{
    const Leaf *leaf = blueprint_leaf(relmap->blueprint, oid);
    return leaf == NULL ? find_chunk(relmap, oid) : &relmap->leaves[leaf->index];
}

bool relmap_knows(const Relmap *relmap, uint32_t oid)
{
    return relmap_find(relmap, oid) != NULL;
}

static Misfit *find_misfit(const Relmap *relmap, uint32_t oid)
{
    for (size_t i = 0; i < relmap->misfits.count; i++) {
        if (relmap->misfits.items[i].oid == oid)
            return &relmap->misfits.items[i];
    }
    return NULL;
}

void relmap_put_off(Relmap *relmap, uint32_t oid, Err *error)
{
    LeafState *state = relmap_find(relmap, oid);
    Misfit *misfit = find_misfit(relmap, oid);
    if (state != NULL)
        state->known = false;
    if (misfit == NULL) {
        misfit = vec_push(&relmap->arena, &relmap->misfits);
        *misfit = (Misfit){.oid = oid};
    }
    err_release(&misfit->error);
    err_move(&misfit->error, error);
}

bool relmap_ready(const Relmap *relmap, uint32_t oid, Err *err)
{
    const LeafState *state = relmap_find(relmap, oid);
    const Misfit *misfit = find_misfit(relmap, oid);
    if (state != NULL && state->known)
        return true;
    if (misfit != NULL) {
        const Err *told = &misfit->error;
        err_set(err, told->code, "%s", told->message);
        if (told->detail != NULL)
            err_detail(err, "%s", told->detail);
        return err_hint(err, "%s", told->hint);
    }
    if (state != NULL)
        return err_set(err, ERR_PROTOCOL,
                       "a change of relation %u came before its relation message", oid);
    err_set(err, ERR_DRIFT, "the source sent a change of a relation that is not selected (oid %u)",
            oid);
    return err_hint(err, "Somebody changed the publication; set it back to the relations of the "
                         "plan.");
}

LeafState *relmap_leaf(Relmap *relmap, uint32_t oid, Err *err)
{
    return relmap_ready(relmap, oid, err) ? relmap_find(relmap, oid) : NULL;
}

#define NOT_THERE (-1)

/* Where a column stands in Relation.columns; COLUMN_LEFT_OUT, NOT_THERE. */
static int column_index(const Relation *relation, const char *name)
{
    for (size_t i = 0; i < relation->column_count; i++) {
        if (strcmp(relation->columns[i].name, name) == 0)
            return (int)i;
    }
    for (size_t i = 0; i < relation->left_out_count; i++) {
        if (strcmp(relation->left_out[i].name, name) == 0)
            return COLUMN_LEFT_OUT;
    }
    for (size_t i = 0; i < relation->generated_count; i++) {
        if (strcmp(relation->generated[i], name) == 0)
            return COLUMN_LEFT_OUT;
    }
    return NOT_THERE;
}

static bool key_has(const Relation *relation, int column)
{
    for (size_t k = 0; relation->key != NULL && k < relation->key->count; k++) {
        if (relation->key->columns[k] == column)
            return true;
    }
    return false;
}

static void check_column(const Relation *relation, const PgoRelation *message,
                         const PgoColumn *column, Str *differences)
{
    int index = column_index(relation, column->name);
    if (index == COLUMN_LEFT_OUT)
        return;
    if (index == NOT_THERE) {
        str_appendf(differences, "Column %s was added.\n", column->name);
        return;
    }
    if (column->type_oid == 0)
        str_appendf(differences, "Column %s was %s, it has another type now.\n", column->name,
                    relation->columns[index].type_text);
    else if (relation->columns[index].type_oid != column->type_oid)
        str_appendf(differences, "Column %s was %s (type oid %u), it now has type oid %u.\n",
                    column->name, relation->columns[index].type_text,
                    relation->columns[index].type_oid, column->type_oid);
    if (key_has(relation, index) && !column->in_key && message->replica_identity != 'f' &&
        message->replica_identity != 'n')
        str_appendf(differences, "Column %s is not part of the replica identity any more.\n",
                    column->name);
}

static void find_dropped(const Relation *relation, const PgoRelation *message, Str *differences)
{
    for (size_t i = 0; i < relation->column_count; i++) {
        const uint8_t *at = message->columns;
        bool found = false;
        for (uint16_t c = 0; c < message->column_count && !found; c++) {
            PgoColumn column;
            at = pgo_relation_column(at, &column);
            found = strcmp(column.name, relation->columns[i].name) == 0;
        }
        if (!found)
            str_appendf(differences, "Column %s was dropped or renamed.\n",
                        relation->columns[i].name);
    }
}

static bool drift(const PgoRelation *message, const Str *differences, Err *err)
{
    Name name = {message->schema, message->name};
    err_set(err, ERR_DRIFT, "%s was changed on the source while it is being replicated",
            name_text(&err->arena, &name));
    err_detail(err, "%.*s", (int)differences->length - 1, differences->data);
    return err_hint(err,
                    "Undo the change on the source and apply again. If rows were written in "
                    "between, the stream holds them in their other shape: then \"godwit resync "
                    "PLAN TABLE\" copies the relation as it is now.");
}

bool relmap_differs(Relmap *relmap, const PgoRelation *message)
{
    LeafState *state = relmap_find(relmap, message->oid);
    if (state == NULL || !state->known)
        return false;
    if (message->column_count != state->map_count)
        return true;
    const uint8_t *at = message->columns;
    for (uint16_t i = 0; i < message->column_count; i++) {
        PgoColumn column;
        at = pgo_relation_column(at, &column);
        if (column_index(state->rel->relation, column.name) != state->map[i])
            return true;
    }
    return state->identity != message->replica_identity;
}

bool relmap_take(Relmap *relmap, const PgoRelation *message, Err *err)
{
    LeafState *state = relmap_find(relmap, message->oid);
    if (state == NULL) {
        Name name = {message->schema, message->name};
        err_set(err, ERR_DRIFT, "the source sends %s, which is not selected",
                name_text(&err->arena, &name));
        return err_hint(
            err, "Somebody changed the publication; set it back to the relations of the plan.");
    }
    const Relation *relation = state->rel->relation;
    AUTO_STR Str differences = {0};
    if (state->leaf->oid == message->oid &&
        !name_equal(&state->leaf->source, &(Name){message->schema, message->name}))
        str_append(&differences, "The relation was renamed.\n");
    if (state->map == NULL)
        state->map = arena_array(&relmap->arena, uint16_t, most_columns(relation));
    const uint8_t *at = message->columns;
    state->same_order = true;
    for (uint16_t i = 0; i < message->column_count; i++) {
        PgoColumn column;
        at = pgo_relation_column(at, &column);
        check_column(relation, message, &column, &differences);
        int index = column_index(relation, column.name);
        if (index != NOT_THERE && i < most_columns(relation))
            state->map[i] = (uint16_t)index;
        state->same_order = state->same_order && index == i;
    }
    find_dropped(relation, message, &differences);
    if (differences.length > 0)
        return drift(message, &differences, err);
    state->map_count = message->column_count;
    state->identity = message->replica_identity;
    state->known = true;
    return true;
}
