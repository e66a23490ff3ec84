/*
 * Columns of both sides by name. Types are compared where both are built in: others have other
 * numbers on each side, and another name where the plan renames their schema.
 */
#include "cmd/verify_columns.h"

#define FIRST_USER_OID 16384

/* Text by any of these names is the same text. */
static bool is_text(uint32_t type_oid)
{
    return type_oid == 25 || type_oid == 1042 || type_oid == 1043;
}

static const CatColumn *named(const CatColumn *columns, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(columns[i].name, name) == 0)
            return &columns[i];
    return NULL;
}

static bool types_differ(const CatColumn *there, const Column *wanted)
{
    return there->type_oid != wanted->type_oid && there->type_oid < FIRST_USER_OID &&
           wanted->type_oid < FIRST_USER_OID &&
           !(is_text(there->type_oid) && is_text(wanted->type_oid));
}

const char *verify_columns_apart(Arena *arena, const Session *session, const Relation *relation)
{
    const CatRelation *table = catalog_relation_named(&session->target_catalog, &relation->target);
    size_t count = 0;
    const CatColumn *columns =
        table == NULL ? NULL : catalog_columns(&session->target_catalog, table->oid, &count);
    for (size_t i = 0; i < relation->column_count; i++) {
        const Column *wanted = &relation->columns[i];
        const CatColumn *there = named(columns, count, wanted->name);
        if (there == NULL)
            return arena_printf(arena, "column %s is missing on the target", wanted->name);
        if (types_differ(there, wanted))
            return arena_printf(arena, "column %s is %s on the source, %s on the target",
                                wanted->name, wanted->type_text, there->type_text);
    }
    for (size_t i = 0; i < relation->generated_count; i++)
        if (named(columns, count, relation->generated[i]) == NULL)
            return arena_printf(arena, "column %s is missing on the target",
                                relation->generated[i]);
    return NULL;
}
