/*
 * Published: one query for all leaves.
 */
#include "copy/published.h"

#include "copy/leaves.h"
#include "sql_text.h"

#include <inttypes.h>

static void names_list(Str *names, const Run *run)
{
    const Blueprint *blueprint = run->blueprint;
    for (size_t i = 0; i < blueprint->publication_count; i++) {
        const char *name = blueprint->publications[i].name;
        list_append(names, name != NULL ? name : run->publication_name);
    }
    list_end(names);
}

bool published_read(Arena *arena, const Run *run, Conn *source, Leaf *const *leaves, size_t count,
                    const char ***published, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str oids = {0};
    AUTO_STR Str names = {0};
    *published = arena_array(arena, const char *, count + 1);
    if (run->blueprint->publication_count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        str_appendf(&oids, "%c%" PRIu32, i == 0 ? '{' : ',', leaves[i]->oid);
    list_end(&oids);
    names_list(&names, run);
    if (!pg_rows(source, SQL_COPY_PUBLISHED,
                 PARAMS(oids.data, names.data, arena_int64(arena, run->plan->replication.publish)),
                 &rows, err))
        return err_context(err, "could not read what the publications publish");
    for (size_t i = 0; i < count; i++) {
        size_t at = rows_place(rows, 0, leaves[i]->oid);
        if (!leaves[i]->unlogged && at < rows_count(rows))
            (*published)[i] = arena_strdup(arena, rows_text(rows, at, 1));
    }
    return true;
}

bool published_note(const Run *run, Conn *source, Conn *target, Leaf *const *leaves, size_t count,
                    Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Name *names = arena_array(&arena, Name, count + 1);
    const char **published = NULL;
    for (size_t i = 0; i < count; i++)
        names[i] = leaves[i]->source;
    return published_read(&arena, run, source, leaves, count, &published, err) &&
           journal_leaves_published(target, run->journal.id, names, published, count, err);
}

static bool not_published(const Leaf *leaf, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *root = name_text(&arena, &leaf->root->source);
    err_set(err, ERR_STALE, "%s is not published as planned any more",
            name_text(&arena, &leaf->source));
    err_detail(err, "Somebody altered the publication. What is written to the table meanwhile is "
                    "in no stream.");
    return err_hint(err,
                    "\"godwit resync PLAN %s\" puts it in again if it was taken out, and copies it "
                    "anew. What else was altered of the publication is to be put back by hand.",
                    root);
}

bool published_still(Arena *arena, const Run *run, Conn *source, Conn *target,
                     const char *const *then, const char ***now, bool *moved, Err *err)
{
    const Blueprint *blueprint = run->blueprint;
    const JournalLeaf **states = NULL;
    Leaf **leaves = arena_array(arena, Leaf *, blueprint->leaf_count + 1);
    for (size_t i = 0; i < blueprint->leaf_count; i++)
        leaves[i] = &blueprint->leaves[i];
    if (!published_read(arena, run, source, leaves, blueprint->leaf_count, now, err) ||
        !leaves_states(arena, run, target, &states, err))
        return false;
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const char *before = then != NULL        ? then[i]
                             : states[i] != NULL ? states[i]->published
                                                 : NULL;
        const char *is = (*now)[i];
        if (before == NULL || is == NULL || !leaf_is_copied(states[i]) || strcmp(before, is) == 0)
            continue;
        if (*is == '\0')
            return not_published(leaves[i], err);
        if (moved != NULL)
            moved[leaves[i]->root->index] = true;
    }
    return true;
}
