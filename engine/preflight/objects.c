/*
 * Checks of the selected objects: how the source names a changed row, what the target must offer,
 * and what already stands in the way there.
 */
#include "preflight/check.h"

#include "base/str.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

static const char *identity_remedy(Check *check, const Leaf *leaf)
{
    const Relation *relation = leaf->root;
    const char *table = check_sql(check, &check->source, &leaf->source);
    static const char BY_RUN[] = "\n-- or let the run set it, and take it back at its end: "
                                 "replication.replica_identity.when_missing: set";
    if (relation->key != NULL && relation->key->is_primary)
        return check_text(check, "ALTER TABLE %s REPLICA IDENTITY DEFAULT;%s", table, BY_RUN);
    if (relation->key != NULL && leaf->oid == relation->oid)
        return check_text(check, "ALTER TABLE %s REPLICA IDENTITY USING INDEX %s;%s", table,
                          check_sql_part(check, &check->source, relation->key->index_name), BY_RUN);
    return check_text(check,
                      "ALTER TABLE %s REPLICA IDENTITY FULL;\n-- or better, add a primary key: a "
                      "whole row for each change makes more WAL and a slower apply%s",
                      table, BY_RUN);
}

static bool publishes_old_rows(const Check *check)
{
    return (check->plan->replication.publish & (PLAN_PUBLISH_UPDATE | PLAN_PUBLISH_DELETE)) != 0;
}

static void check_logged(Check *check, const Leaf *leaf)
{
    if (!leaf->unlogged)
        return;
    bool again = leaf->one_to_one && check->plan->copy.data;
    const char *size = units_size_text(check->arena, leaf->bytes);
    check_add(check, CODE_UNLOGGED, again ? FINDING_WARNING : FINDING_ERROR, &check->source,
              check_name(check, &leaf->source), "is unlogged",
              again ? check_text(check,
                                 "Its changes are in no WAL: it is copied again behind the fence, "
                                 "%s of downtime.",
                                 size)
                    : "Its changes are in no WAL, and it cannot be copied again behind the fence "
                      "(it is merged with others, or copy.data is false): they would be lost.",
              check_text(check, "ALTER TABLE %s SET LOGGED;\n-- or name it in select.exclude",
                         check_sql(check, &check->source, &leaf->source)));
}

/* A column that PostgreSQL computes when it is read; NULL: there is none. */
static const char *virtual_column(Check *check, const Leaf *leaf)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(check->source.catalog, leaf->oid, &count);
    for (size_t i = 0; i < count; i++)
        if (columns[i].is_virtual)
            return columns[i].name;
    return NULL;
}

/* The whole old row has columns that no publication can have. */
static void check_whole_row(Check *check, const Leaf *leaf)
{
    const char *column = virtual_column(check, leaf);
    if (check->plan->replication.plugin != PLAN_PLUGIN_PGOUTPUT || leaf->replica_identity != 'f' ||
        column == NULL)
        return;
    const Key *key = leaf->root->key;
    const char *table = check_sql(check, &check->source, &leaf->source);
    check_add(
        check, CODE_IDENTITY, FINDING_ERROR, &check->source, check_name(check, &leaf->source),
        check_text(check, "has replica identity FULL and the virtual generated column %s",
                   check_part(check, column)),
        check_text(check,
                   "A virtual column cannot be published: as soon as the table is, the "
                   "applications' own UPDATE and DELETE on it fail (%s).",
                   activity_text(check, &leaf, 1)),
        key != NULL && key->is_primary
            ? check_text(check, "ALTER TABLE %s REPLICA IDENTITY DEFAULT;", table)
            : "-- give it a primary key and REPLICA IDENTITY DEFAULT, or make the column STORED\n"
              "-- or replication.plugin: test_decoding, which needs no publication");
}

static void check_published(Check *check, const Leaf *leaf)
{
    if (!publishes_old_rows(check) || leaf->unlogged)
        return;
    if (leaf->has_identity) {
        check_whole_row(check, leaf);
        return;
    }
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

/* An index of this partition alone, or one over a generated column: on the target it is no key. */
static void check_no_key(Check *check, const Leaf *leaf, const CatIndex *identity)
{
    check_add(
        check, CODE_IDENTITY_KEY, FINDING_ERROR, &check->source, check_name(check, &leaf->source),
        check_text(check, "its replica identity %s is no key of %s",
                   check_part(check, identity->name.rel), check_name(check, &leaf->root->source)),
        "A deleted or changed row could not be found on the target: a key is an index of the "
        "whole table, over columns that travel, and generated ones do not.",
        check_text(check,
                   "ALTER TABLE %s REPLICA IDENTITY FULL;\n-- or add a key to the whole "
                   "table, and make it the identity",
                   check_sql(check, &check->source, &leaf->source)));
}

/* A deleted row is told by its identity alone, and found on the target by the relation's key. */
static void check_identity_covers(Check *check, const Leaf *leaf)
{
    const Relation *relation = leaf->root;
    if (leaf->identity != NULL &&
        (leaf->identity->index_name == NULL || leaf->oid == relation->oid))
        return; /* the run sets the whole row, or the key itself */
    const CatIndex *identity = identity_index(check, leaf);
    if (identity == NULL || !leaf->has_identity || !publishes_old_rows(check))
        return;
    if (relation->key == NULL)
        check_no_key(check, leaf, identity);
    for (size_t k = 0; relation->key != NULL && k < relation->key->count; k++) {
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
        if (!blueprint->leaves[i].unlogged)
            check_identity_covers(check, &blueprint->leaves[i]);
    }
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (relation->key == NULL && !relation->schema_only && !relation->unlogged)
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
