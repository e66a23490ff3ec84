/*
 * Look-ups in a Catalog: every list is sorted, so each is a binary search; nothing here asks the
 * server.
 */
#include "catalog/catalog.h"

#include "base/str.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

static int order_oid(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int by_oid(const void *key, const void *item)
{
    return order_oid(*(const uint32_t *)key, ((const CatRelation *)item)->oid);
}

const CatRelation *catalog_relation(const Catalog *catalog, uint32_t oid)
{
    if (catalog->relations_count == 0)
        return NULL;
    return bsearch(&oid, catalog->relations, catalog->relations_count, sizeof(CatRelation), by_oid);
}

static int by_relation_name(const void *key, const void *item)
{
    return name_compare(key, &(*(const CatRelation *const *)item)->name);
}

const CatRelation *catalog_relation_named(const Catalog *catalog, const Name *name)
{
    if (catalog->by_name == NULL)
        return NULL;
    const CatRelation *const *found = bsearch(name, catalog->by_name, catalog->relations_count,
                                              sizeof(*catalog->by_name), by_relation_name);
    return found == NULL ? NULL : *found;
}

static int by_setting_name(const void *key, const void *item)
{
    return strcmp(key, ((const CatSetting *)item)->name);
}

const CatSetting *catalog_setting(const Catalog *catalog, const char *name)
{
    if (catalog->settings_count == 0)
        return NULL;
    return bsearch(name, catalog->settings, catalog->settings_count, sizeof(CatSetting),
                   by_setting_name);
}

int64_t catalog_setting_int(const Catalog *catalog, const char *name, int64_t missing)
{
    const CatSetting *setting = catalog_setting(catalog, name);
    return setting == NULL ? missing : strtoll(setting->value, NULL, 10);
}

static int by_extension_name(const void *key, const void *item)
{
    return strcmp(key, ((const CatExtension *)item)->name);
}

const CatExtension *catalog_extension(const Catalog *catalog, const char *name)
{
    if (catalog->extensions_count == 0)
        return NULL;
    return bsearch(name, catalog->extensions, catalog->extensions_count, sizeof(CatExtension),
                   by_extension_name);
}

static int by_available_name(const void *key, const void *item)
{
    return strcmp(key, ((const CatAvailable *)item)->name);
}

const CatAvailable *catalog_available(const Catalog *catalog, const char *name)
{
    if (catalog->available_count == 0)
        return NULL;
    return bsearch(name, catalog->available, catalog->available_count, sizeof(CatAvailable),
                   by_available_name);
}

static int by_object(const void *key, const void *item)
{
    const CatObject *a = key;
    const CatObject *b = item;
    int order = order_oid(a->class_oid, b->class_oid);
    return order != 0 ? order : order_oid(a->oid, b->oid);
}

const CatObject *catalog_object(const Catalog *catalog, uint32_t class_oid, uint32_t oid)
{
    CatObject key = {.class_oid = class_oid, .oid = oid};
    if (catalog->objects_count == 0)
        return NULL;
    return bsearch(&key, catalog->objects, catalog->objects_count, sizeof(CatObject), by_object);
}

static int by_publication_name(const void *key, const void *item)
{
    return strcmp(key, ((const CatPublication *)item)->name);
}

const CatPublication *catalog_publication(const Catalog *catalog, const char *name)
{
    if (catalog->publications_count == 0)
        return NULL;
    return bsearch(name, catalog->publications, catalog->publications_count, sizeof(CatPublication),
                   by_publication_name);
}

static int by_hypertable_name(const void *key, const void *item)
{
    return name_compare(key, &((const CatHypertable *)item)->name);
}

const CatHypertable *catalog_hypertable(const Catalog *catalog, const Name *name)
{
    if (catalog->hypertables_count == 0)
        return NULL;
    return bsearch(name, catalog->hypertables, catalog->hypertables_count, sizeof(CatHypertable),
                   by_hypertable_name);
}

static int by_columnstore_name(const void *key, const void *item)
{
    return name_compare(key, &((const CatColumnstore *)item)->table);
}

const CatColumnstore *catalog_columnstore(const Catalog *catalog, const Name *name)
{
    if (catalog->columnstores_count == 0)
        return NULL;
    return bsearch(name, catalog->columnstores, catalog->columnstores_count, sizeof(CatColumnstore),
                   by_columnstore_name);
}

/* Few, and asked for once a hypertable. */
const CatDimension *catalog_dimensions(const Catalog *catalog, const Name *table, size_t *count)
{
    const CatDimension *first = NULL;
    *count = 0;
    for (size_t i = 0; i < catalog->dimensions_count; i++) {
        if (!name_equal(&catalog->dimensions[i].table, table))
            continue;
        first = first == NULL ? &catalog->dimensions[i] : first;
        (*count)++;
    }
    return first;
}

static uint32_t relation_at(const void *items, size_t size, size_t offset, size_t index)
{
    uint32_t relation;
    memcpy(&relation, (const char *)items + index * size + offset, sizeof(relation));
    return relation;
}

/* The first item of `relation` and how many there are, in a list sorted by relation. */
static const void *range(const void *items, size_t count, size_t size, size_t offset,
                         uint32_t relation, size_t *found)
{
    size_t low = vec_place_of(items, count, size, offset, relation);
    size_t end = low;
    while (end < count && relation_at(items, size, offset, end) == relation)
        end++;
    *found = end - low;
    return end == low ? NULL : (const char *)items + low * size;
}

#define RANGE(type, list, oid, found)                                                              \
    range((list), list##_count, sizeof(type), offsetof(type, relation), (oid), (found))

const CatColumn *catalog_columns(const Catalog *catalog, uint32_t relation, size_t *count)
{
    return RANGE(CatColumn, catalog->columns, relation, count);
}

const CatColumn *catalog_column(const Catalog *catalog, uint32_t relation, int attnum)
{
    size_t count = 0;
    const CatColumn *columns = catalog_columns(catalog, relation, &count);
    for (size_t i = 0; i < count; i++)
        if (columns[i].attnum == attnum)
            return &columns[i];
    return NULL;
}

const CatIndex *catalog_indexes(const Catalog *catalog, uint32_t relation, size_t *count)
{
    return RANGE(CatIndex, catalog->indexes, relation, count);
}

const CatConstraint *catalog_constraints(const Catalog *catalog, uint32_t relation, size_t *count)
{
    return RANGE(CatConstraint, catalog->constraints, relation, count);
}

const CatColumnUse *catalog_column_uses(const Catalog *catalog, uint32_t relation, size_t *count)
{
    return RANGE(CatColumnUse, catalog->column_uses, relation, count);
}

const CatTrigger *catalog_triggers(const Catalog *catalog, uint32_t relation, size_t *count)
{
    return RANGE(CatTrigger, catalog->triggers, relation, count);
}
