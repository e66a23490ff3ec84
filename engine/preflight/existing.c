/*
 * What is on the target already under a selected name: refused, taken as it is, or replaced, as the
 * plan's schema.existing says.
 */
#include "preflight/existing.h"

#include "journal/made.h"
#include "pg/ddl.h"
#include "sql_text.h"

#include <stdlib.h>
#include <string.h>

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

static void find_pairs(Check *check, ExistingPairs *pairs)
{
    AUTO_ARENA Arena scratch = {0};
    const Catalog *target = check->target.catalog;
    const CatObject **there = arena_array(&scratch, const CatObject *, target->objects_count);
    size_t count = 0;
    for (size_t i = 0; i < target->objects_count; i++)
        if (is_own_object(&target->objects[i]))
            there[count++] = &target->objects[i];
    if (count > 1)
        qsort(there, count, sizeof(*there), compare_objects);
    for (size_t i = 0; count > 0 && i < check->blueprint->object_count; i++) {
        const ObjectId *id = &check->blueprint->objects[i];
        const CatObject *named = catalog_object(check->source.catalog, id->class_oid, id->oid);
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
        if (found != NULL)
            *vec_push(check->arena, pairs) = (ExistingPair){named, *found};
    }
}

static const char *pair_name(Check *check, const ExistingPair *pair)
{
    return check_name(check, &(Name){pair->target->schema, pair->target->name});
}

static const char *by_plan(const Check *check)
{
    if (check->plan->schema.existing != PLAN_EXISTING_FAIL)
        return "";
    return "; or say what is to become of it: schema.existing: adopt (it is empty and alike), "
           "replace "
           "(an abandoned run of this plan made it)";
}

static void refuse(Check *check, const ExistingPair *pair, const char *why)
{
    const char *name = pair_name(check, pair);
    check_add(check, CODE_EXISTS, FINDING_ERROR, &check->target, name,
              check_text(check, "%s %s of this name exists",
                         strchr("aeiou", *pair->target->kind) != NULL ? "an" : "a",
                         pair->target->kind),
              why,
              check_text(check, "-- drop or rename it on the target, or exclude %s%s", name,
                         by_plan(check)));
}

/* --- replace --- */

static bool replace_pairs(Check *check, const ExistingPairs *pairs, Err *err)
{
    AUTO_ROWS Rows *marks = NULL;
    if (!journal_made(check->target.conn, check->plan->name, &marks, err))
        return err_context(err, "reading what earlier runs of this plan made");
    for (size_t i = 0; i < pairs->count; i++) {
        if (made_has(marks, pairs->items[i].target->class_oid, pairs->items[i].target->oid, NULL))
            check_add(check, CODE_EXISTS, FINDING_INFO, &check->target,
                      pair_name(check, &pairs->items[i]),
                      "is dropped and made anew: an earlier run of this plan made it",
                      "schema.existing is replace.", "-- nothing, if that is what is wanted");
        else
            refuse(check, &pairs->items[i],
                   "schema.existing is replace, but no earlier run of this plan made it: only what "
                   "bears the plan's mark is dropped.");
    }
    return true;
}

/* --- adopt --- */

/* The rows of one object among the shapes of a server: first and count. */
static size_t shape_of(const Rows *shapes, const CatObject *object, size_t *count)
{
    size_t low = 0;
    size_t high = rows_count(shapes);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t class_oid = rows_oid(shapes, middle, 0);
        bool before = class_oid < object->class_oid ||
                      (class_oid == object->class_oid && rows_oid(shapes, middle, 1) < object->oid);
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    *count = 0;
    while (low + *count < rows_count(shapes) &&
           rows_oid(shapes, low + *count, 0) == object->class_oid &&
           rows_oid(shapes, low + *count, 1) == object->oid)
        ++*count;
    return low;
}

static const char *part_there(const Rows *shapes, size_t first, size_t count, const char *part)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows_text(shapes, first + i, 2), part) == 0)
            return rows_text(shapes, first + i, 3);
    return NULL;
}

/* A column that the plan's list leaves out is not on the target. */
static bool is_left_out(Check *check, const CatObject *table, const char *part)
{
    const Relation *relation =
        blueprint_relation(check->blueprint, &(Name){table->schema, table->name});
    for (size_t i = 0; relation != NULL && i < relation->left_out_count; i++) {
        AUTO_STR Str column = {0};
        str_append(&column, "column ");
        str_append(&column, name_part_text(check->arena, relation->left_out[i].name));
        if (strcmp(column.data, part) == 0)
            return true;
    }
    return false;
}

/* The first part that differs; NULL: none. */
static const char *difference(Check *check, const ExistingPair *pair, const Rows *source,
                              const Rows *target)
{
    size_t left_count = 0;
    size_t right_count = 0;
    size_t left = shape_of(source, pair->source, &left_count);
    size_t right = shape_of(target, pair->target, &right_count);
    if (strcmp(pair->source->kind, pair->target->kind) != 0)
        return check_text(check, "it is a %s here, a %s on the source", pair->target->kind,
                          pair->source->kind);
    for (size_t i = 0; i < left_count; i++) {
        const char *part = rows_text(source, left + i, 2);
        const char *wanted = rows_text(source, left + i, 3);
        const char *there = part_there(target, right, right_count, part);
        if (there == NULL &&
            (strcmp(part, "primary key") == 0 || is_left_out(check, pair->source, part)))
            continue; /* step constraint adds the key */
        if (there == NULL)
            return check_text(check, "%s is missing here, %s on the source", part, wanted);
        if (strcmp(there, wanted) != 0)
            return check_text(check, "%s is %s here, %s on the source", part, there, wanted);
    }
    for (size_t i = 0; i < right_count; i++) {
        const char *part = rows_text(target, right + i, 2);
        if (part_there(source, left, left_count, part) == NULL ||
            is_left_out(check, pair->source, part))
            return check_text(check, "%s is not on the source", part);
    }
    return NULL;
}

bool existing_is_table(const CatObject *object)
{
    return strcmp(object->kind, "table") == 0 || strcmp(object->kind, "partitioned table") == 0;
}

#define TABLES_PER_QUERY 500

/* From one place on, as many as one statement takes. */
static bool look_for_rows(Check *check, const ExistingPairs *pairs, size_t from, bool *has_rows,
                          Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str sql = {0};
    for (size_t i = from; i < pairs->count && i < from + TABLES_PER_QUERY; i++) {
        const CatObject *table = pairs->items[i].target;
        if (!existing_is_table(table))
            continue;
        str_appendf(&sql, "%sSELECT %zu WHERE EXISTS (SELECT FROM ",
                    sql.length > 0 ? " UNION ALL " : "", i);
        ddl_qname(&sql, check->target.conn, &(Name){table->schema, table->name});
        str_append_char(&sql, ')');
    }
    if (sql.length == 0)
        return true;
    if (!pg_rows(check->target.conn, sql.data, NO_PARAMS, &rows, err))
        return err_context(err, "looking for rows in tables that are there already");
    for (size_t r = 0; r < rows_count(rows); r++)
        has_rows[rows_int64(rows, r, 0)] = true;
    return true;
}

bool existing_have_rows(Check *check, const ExistingPairs *pairs, bool *has_rows, Err *err)
{
    for (size_t from = 0; from < pairs->count; from += TABLES_PER_QUERY)
        if (!look_for_rows(check, pairs, from, has_rows, err))
            return false;
    return true;
}

static bool check_rows(Check *check, const ExistingPairs *pairs, bool *has_rows, Err *err)
{
    if (!existing_have_rows(check, pairs, has_rows, err))
        return false;
    for (size_t i = 0; i < pairs->count; i++) {
        const ExistingPair *pair = &pairs->items[i];
        if (has_rows[i])
            check_add(check, CODE_EXISTS, FINDING_ERROR, &check->target, pair_name(check, pair),
                      "cannot be adopted: it has rows",
                      "The copy brings every row; what is there would be lost or stand twice.",
                      check_text(check, "TRUNCATE %s;",
                                 check_sql(check, &check->target,
                                           &(Name){pair->target->schema, pair->target->name})));
    }
    return true;
}

static bool adopt_pairs(Check *check, const ExistingPairs *pairs, Err *err)
{
    AUTO_ROWS Rows *source = NULL;
    AUTO_ROWS Rows *target = NULL;
    bool *has_rows = arena_array(check->arena, bool, pairs->count);
    if (check->plan->copy.data && !check_rows(check, pairs, has_rows, err))
        return false;
    if (!pg_rows(check->source.conn, SQL_PREFLIGHT_SHAPES, NO_PARAMS, &source, err) ||
        !pg_rows(check->target.conn, SQL_PREFLIGHT_SHAPES, NO_PARAMS, &target, err))
        return err_context(err, "comparing what is there already");
    for (size_t i = 0; i < pairs->count; i++) {
        const ExistingPair *pair = &pairs->items[i];
        const char *differs = difference(check, pair, source, target);
        if (differs != NULL)
            check_add(check, CODE_EXISTS, FINDING_ERROR, &check->target, pair_name(check, pair),
                      check_text(check, "cannot be adopted: %s", differs),
                      "schema.existing is adopt: what is there must be what the source has.",
                      check_text(check, "-- make it alike, drop it, or exclude %s",
                                 pair_name(check, pair)));
        else if (!has_rows[i])
            check_add(check, CODE_EXISTS, FINDING_INFO, &check->target, pair_name(check, pair),
                      "is adopted as it is", "schema.existing is adopt.",
                      "-- nothing, if that is what is wanted");
    }
    return true;
}

bool probe_existing(Check *check, Err *err)
{
    ExistingPairs pairs = {0};
    find_pairs(check, &pairs);
    if (check->input->resuming && !existing_added(check, &pairs, err))
        return false;
    if (pairs.count == 0)
        return true;
    if (check->plan->schema.existing == PLAN_EXISTING_ADOPT)
        return adopt_pairs(check, &pairs, err);
    if (check->plan->schema.existing == PLAN_EXISTING_REPLACE)
        return replace_pairs(check, &pairs, err);
    for (size_t i = 0; i < pairs.count; i++)
        refuse(check, &pairs.items[i],
               "schema.existing is fail: the run creates what it selects and touches nothing that "
               "it finds.");
    return true;
}
