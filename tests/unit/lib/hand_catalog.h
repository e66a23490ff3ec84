/*
 * Catalogs made by hand, for what is decided over one without a server. The test sets the lists to
 * arrays of its own, long enough, before it adds to them.
 */
#ifndef GODWIT_TESTS_HAND_CATALOG_H
#define GODWIT_TESTS_HAND_CATALOG_H

#include "catalog/catalog.h"

#define INT4        23
#define INT8        20
#define TEXT        25
#define TIMESTAMPTZ 1184

/** A table, view, ... of ordinary persistence; `parent` is the partitioned table above, 0 none. */
CatRelation *hand_relation(Catalog *catalog, uint32_t oid, const char *schema, const char *name,
                           char kind, uint32_t parent);

/** A column of one of the types above. */
CatColumn *hand_column(Catalog *catalog, uint32_t relation, int number, const char *name,
                       uint32_t type, bool not_null);

/** A valid unique index. \param numbers of the columns, outlives the catalog */
CatIndex *hand_index(Catalog *catalog, uint32_t oid, uint32_t relation, Name name,
                     const int *numbers, int count, bool primary);

void hand_object(Catalog *catalog, uint32_t class_oid, uint32_t oid, const char *schema,
                 const char *name, const char *kind);

#endif
