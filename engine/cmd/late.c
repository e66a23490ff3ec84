/*
 * Late: names in, leaves out.
 */
#include "cmd/late.h"

#include "base/jsontext.h"
#include "cmd/gone.h"
#include "plan/suggest.h"

static void json_scope(json_t **json)
{
    json_decref(*json);
}

#define AUTO_JSON __attribute__((cleanup(json_scope))) json_t

static bool not_selected(const Blueprint *blueprint, const char *table, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Suggest suggest = suggest_begin(table);
    for (size_t i = 0; i < blueprint->relation_count; i++)
        suggest_offer(&suggest, name_text(&arena, &blueprint->relations[i].source));
    err_set(err, ERR_USAGE, "no selected table is called \"%s\"", table);
    if (suggest.best != NULL)
        return err_hint(err, "did you mean \"%s\"?", suggest.best);
    return err_hint(err, "Name it as schema.table, as it is called on the source; a partition is "
                         "copied with the table it belongs to.");
}

/* Name of schema public may be left out. */
static Relation *find(Arena *arena, const Blueprint *blueprint, const char *table)
{
    Name name;
    Relation *found = name_parse(arena, table, &name) ? blueprint_relation(blueprint, &name) : NULL;
    if (found == NULL && name_parse(arena, arena_printf(arena, "public.%s", table), &name))
        found = blueprint_relation(blueprint, &name);
    return found;
}

/* Paused tables are none of the relations, and may be gone altogether: cmd/paused.h. */
static bool is_among(const Name *names, size_t count, const char *table)
{
    AUTO_ARENA Arena arena = {0};
    Name name;
    const char *texts[] = {table, arena_printf(&arena, "public.%s", table)};
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
        for (size_t i = 0; name_parse(&arena, texts[t], &name) && i < count; i++) {
            if (name_equal(&names[i], &name))
                return true;
        }
    }
    return false;
}

static bool is_paused(const Blueprint *blueprint, const char *table)
{
    return table != NULL && (is_among(blueprint->paused, blueprint->paused_count, table) ||
                             is_among(blueprint->resumed, blueprint->resumed_count, table));
}

static bool may_resync(const Blueprint *blueprint, const Relation *relation, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *name = name_text(&arena, &relation->source);
    if (relation->merge != NULL) {
        err_set(err, ERR_RUN, "%s cannot be copied anew alone: its rows are merged into %s", name,
                name_text(&arena, &relation->target));
        return err_hint(err, "Nobody can tell on the target which rows came from it, and the other "
                             "tables' rows would go with them. \"godwit reset\" and begin again.");
    }
    if (relation_is_copied(blueprint, relation))
        return true;
    return err_set(err, ERR_RUN, "the rows of %s are not copied by this plan", name);
}

static bool resolve(Arena *arena, const Blueprint *blueprint, const char *argument, NameVec *leaves,
                    Err *err)
{
    AUTO_JSON *array = json_loads(argument == NULL ? "[]" : argument, 0, NULL);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *table = json_string_value(json_array_get(array, i));
        const Relation *relation = table == NULL ? NULL : find(arena, blueprint, table);
        if (relation == NULL && is_paused(blueprint, table))
            continue;
        if (relation == NULL)
            return not_selected(blueprint, table == NULL ? "" : table, err);
        if (!may_resync(blueprint, relation, err))
            return false;
        for (size_t n = 0; n < relation->leaf_count; n++)
            *vec_push(arena, leaves) = relation->leaves[n]->source;
    }
    return true;
}

bool late_check(const Blueprint *blueprint, const char *argument, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    NameVec leaves = {0};
    return resolve(&arena, blueprint, argument, &leaves, err);
}

bool late_note(const Blueprint *blueprint, Conn *target, int64_t run, const char *argument,
               Err *err)
{
    AUTO_ARENA Arena arena = {0};
    NameVec leaves = {0};
    if (argument == NULL)
        return true;
    return resolve(&arena, blueprint, argument, &leaves, err) &&
           journal_leaves_again(target, run, leaves.items, leaves.count, err);
}

/* The chunks of a hypertable are its leaves. */
static void push_rewritten(Arena *arena, const Blueprint *blueprint, const Name *name,
                           NameVec *leaves)
{
    const Relation *relation = blueprint_relation(blueprint, name);
    if (relation == NULL || !relation->chunked)
        *vec_push(arena, leaves) = *name;
    for (size_t i = 0; relation != NULL && relation->chunked && i < relation->leaf_count; i++)
        *vec_push(arena, leaves) = relation->leaves[i]->source;
}

bool late_moves(const Blueprint *blueprint, Conn *target, int64_t run, const LateMoves *late,
                Err *err)
{
    AUTO_ARENA Arena arena = {0};
    NameVec gone = {0};
    NameVec again = {0};
    NameVec anew = {0};
    const char *recorded = late->recorded;
    const char *now = late->now;
    const StructureMoves moves = structure_moves(&arena, recorded, now);
    if (moves.move == STRUCTURE_ALTERED)
        return structure_same(recorded, now, err);
    const GoneCtx ctx = {.blueprint = blueprint, .target = target, .run = run, .anew = &anew};
    if (!resolve(&arena, blueprint, late->resync, &anew, err) ||
        !gone_settled(&ctx, &moves.partitions, err))
        return false;
    for (size_t i = 0; i < moves.partitions.count; i++) {
        const StructurePartition *one = &moves.partitions.items[i];
        *vec_push(&arena, one->is_gone ? &gone : &again) = one->name;
    }
    for (size_t i = 0; i < moves.rewritten.count; i++)
        push_rewritten(&arena, blueprint, &moves.rewritten.items[i], &again);
    if (moves.rewritten.count > 0)
        log_warn(NULL, "truncated or rewritten on the source, copied anew: %s",
                 structure_names(&arena, &moves.rewritten));
    return journal_leaves_gone(target, run, gone.items, gone.count, err) &&
           journal_leaves_again(target, run, again.items, again.count, err) &&
           journal_structure_grow(target, run, structure_keep(&arena, recorded, late->whole), err);
}
