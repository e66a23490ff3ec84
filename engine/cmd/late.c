/*
 * Late: names in, leaves out.
 */
#include "cmd/late.h"

#include "base/jsontext.h"
#include "base/vec.h"
#include "plan/suggest.h"

typedef VEC(Name) NameVec;

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

static bool may_resync(const Blueprint *blueprint, const Relation *relation, Err *err)
{
    Arena *arena = &err->arena;
    const char *name = name_text(arena, &relation->source);
    if (relation->merge != NULL) {
        err_set(err, ERR_RUN, "%s cannot be copied anew alone: its rows are merged into %s", name,
                name_text(arena, &relation->target));
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
