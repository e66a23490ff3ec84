/*
 * Checks of the selected objects: how the source names a changed row, what the target must offer,
 * and what already stands in the way there.
 */
#include "preflight/check.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static const char *identity_remedy(Check *check, const Leaf *leaf)
{
    const Relation *relation = leaf->root;
    const char *table = check_sql(check, &check->source, &leaf->source);
    if (relation->key != NULL && relation->key->is_primary)
        return check_text(check, "ALTER TABLE %s REPLICA IDENTITY DEFAULT;", table);
    if (relation->key != NULL && leaf->oid == relation->oid)
        return check_text(check, "ALTER TABLE %s REPLICA IDENTITY USING INDEX %s;", table,
                          check_sql_part(check, &check->source, relation->key->index_name));
    return check_text(check,
                      "ALTER TABLE %s REPLICA IDENTITY FULL;\n-- or better, add a primary key: a "
                      "whole row for each change makes more WAL and a slower apply",
                      table);
}

static void check_logged(Check *check, const Leaf *leaf)
{
    if (leaf->unlogged)
        check_add(check, CODE_UNLOGGED, FINDING_ERROR, &check->source,
                  check_name(check, &leaf->source), "is unlogged",
                  "Its changes are in no WAL and would be lost.",
                  check_text(check, "ALTER TABLE %s SET LOGGED;\n-- or name it in select.exclude",
                             check_sql(check, &check->source, &leaf->source)));
}

static void check_published(Check *check, const Leaf *leaf)
{
    uint32_t needs = check->plan->replication.publish & (PLAN_PUBLISH_UPDATE | PLAN_PUBLISH_DELETE);
    if (needs == 0 || leaf->unlogged || leaf->has_identity)
        return;
    check_add(check, CODE_IDENTITY, FINDING_ERROR, &check->source, check_name(check, &leaf->source),
              "has no replica identity",
              check_text(check,
                         "As soon as it is published the applications' own UPDATE and DELETE on it "
                         "fail (%s).",
                         activity_text(check, &leaf, 1)),
              identity_remedy(check, leaf));
}

/* Which index tells the old row of a leaf; NULL when the whole row does, or none. */
static const CatIndex *identity_index(Check *check, const Leaf *leaf)
{
    const CatRelation *from = catalog_relation(check->source.catalog, leaf->oid);
    size_t count = 0;
    const CatIndex *indexes = catalog_indexes(check->source.catalog, leaf->oid, &count);
    const char *given = leaf->identity == NULL ? NULL : leaf->identity->index_name;
    for (size_t i = 0; given != NULL && i < count; i++)
        if (strcmp(indexes[i].name.rel, given) == 0)
            return &indexes[i];
    for (size_t i = 0; from != NULL && given == NULL && i < count; i++)
        if (leaf->replica_identity == 'i' ? indexes[i].oid == from->replica_identity_index
                                          : leaf->replica_identity == 'd' && indexes[i].primary)
            return &indexes[i];
    return NULL;
}

static bool index_has(Check *check, const CatIndex *index, const char *column)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(check->source.catalog, index->relation, &count);
    for (int k = 0; k < index->key_count; k++)
        for (size_t i = 0; i < count; i++)
            if (columns[i].attnum == index->attnums[k] && strcmp(columns[i].name, column) == 0)
                return true;
    return false;
}

/* A deleted row is told by its identity alone, and found on the target by the relation's key. */
static void check_identity_covers(Check *check, const Leaf *leaf)
{
    const Relation *relation = leaf->root;
    if (leaf->identity != NULL &&
        (leaf->identity->index_name == NULL || leaf->oid == relation->oid))
        return; /* the run sets the whole row, or the key itself */
    const CatIndex *identity = identity_index(check, leaf);
    if (relation->key == NULL || identity == NULL || !leaf->has_identity)
        return;
    for (size_t k = 0; k < relation->key->count; k++) {
        const char *column = relation->columns[relation->key->columns[k]].name;
        if (index_has(check, identity, column))
            continue;
        check_add(
            check, CODE_IDENTITY_KEY, FINDING_ERROR, &check->source,
            check_name(check, &leaf->source),
            check_text(check, "its replica identity %s lacks %s, a column of key %s",
                       check_part(check, identity->name.rel), check_part(check, column),
                       check_part(check, relation->key->index_name)),
            "A deleted or changed row could not be found on the target.",
            check_text(
                check,
                "ALTER TABLE %s REPLICA IDENTITY FULL;\n-- or use the same key on every partition",
                check_sql(check, &check->source, &leaf->source)));
        return;
    }
}

void check_identity(Check *check)
{
    const Blueprint *blueprint = check->blueprint;
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        check_logged(check, &blueprint->leaves[i]);
        check_published(check, &blueprint->leaves[i]);
        check_identity_covers(check, &blueprint->leaves[i]);
    }
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (relation->key == NULL && !relation->schema_only)
            check_add(check, CODE_KEYLESS, FINDING_WARNING, &check->source,
                      check_name(check, &relation->source), "has no key that names one row",
                      check_text(check,
                                 "Each changed row is searched for by its whole contents, and "
                                 "differences cannot be named; fine for tables that are only "
                                 "inserted into (%s).",
                                 activity_text(check, (const Leaf *const *)relation->leaves,
                                               relation->leaf_count)),
                      check_text(check, "-- ALTER TABLE %s ADD PRIMARY KEY (...);",
                                 check_sql(check, &check->source, &relation->source)));
    }
}

static int compare_objects(const void *left, const void *right)
{
    const CatObject *a = *(const CatObject *const *)left;
    const CatObject *b = *(const CatObject *const *)right;
    if (a->class_oid != b->class_oid)
        return a->class_oid < b->class_oid ? -1 : 1;
    int order = strcmp(a->schema, b->schema);
    return order != 0 ? order : strcmp(a->name, b->name);
}

/* Kinds whose names stand for themselves (an index, a constraint or a row type comes with its
 * table). */
static bool is_own_object(const CatObject *object)
{
    if (object->schema == NULL || object->extension != 0)
        return false;
    if (object->class_oid == CAT_CLASS_RELATION)
        return strcmp(object->kind, "index") != 0;
    return object->class_oid == CAT_CLASS_PROC ||
           (object->class_oid == CAT_CLASS_TYPE && strcmp(object->kind, "type") != 0);
}

void check_target_empty(Check *check)
{
    if (check->input->resuming)
        return;
    AUTO_ARENA Arena scratch = {0};
    const Catalog *target = check->target.catalog;
    const Catalog *source = check->source.catalog;
    const CatObject **there = arena_array(&scratch, const CatObject *, target->objects_count);
    size_t count = 0;
    for (size_t i = 0; i < target->objects_count; i++)
        if (is_own_object(&target->objects[i]))
            there[count++] = &target->objects[i];
    if (count == 0)
        return;
    qsort(there, count, sizeof(*there), compare_objects);
    for (size_t i = 0; i < check->blueprint->object_count; i++) {
        const ObjectId *id = &check->blueprint->objects[i];
        const CatObject *named = catalog_object(source, id->class_oid, id->oid);
        if (named == NULL || !is_own_object(named))
            continue;
        CatObject wanted = *named;
        const CatObject *object = &wanted;
        const Rename *rename = id->class_oid == CAT_CLASS_RELATION
                                   ? blueprint_rename(check->blueprint, id->oid)
                                   : NULL;
        if (rename != NULL) {
            wanted.schema = rename->target.schema;
            wanted.name = rename->target.rel;
        }
        const CatObject *const *found =
            bsearch(&object, there, count, sizeof(*there), compare_objects);
        if (found == NULL)
            continue;
        const char *name = check_name(check, &(Name){object->schema, object->name});
        check_add(check, CODE_EXISTS, FINDING_ERROR, &check->target, name,
                  check_text(check, "a %s of this name exists", (*found)->kind),
                  "schema.existing is fail: the run creates what it selects and touches nothing "
                  "that it finds.",
                  check_text(check, "-- drop or rename it on the target, or exclude %s", name));
    }
}
