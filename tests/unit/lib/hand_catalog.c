/*
 * Rows of a catalog, with what most tests want filled in.
 */
#include "hand_catalog.h"

CatRelation *hand_relation(Catalog *catalog, uint32_t oid, const char *schema, const char *name,
                           char kind, uint32_t parent)
{
    CatRelation *relation = &catalog->relations[catalog->relations_count++];
    *relation = (CatRelation){
        .oid = oid,
        .name = {schema, name},
        .kind = kind,
        .persistence = 'p',
        .replica_identity = 'd',
        .parent = parent,
        .is_partition = parent != 0,
        .is_heap = kind == 'r',
        .bytes = oid * 8192,
    };
    return relation;
}

CatColumn *hand_column(Catalog *catalog, uint32_t relation, int number, const char *name,
                       uint32_t type, bool not_null)
{
    CatColumn *column = &catalog->columns[catalog->columns_count++];
    *column = (CatColumn){
        .relation = relation,
        .attnum = number,
        .name = name,
        .type_oid = type,
        .type_text = type == INT4   ? "integer"
                     : type == TEXT ? "text"
                                    : "timestamp with time zone",
        .base_type_oid = type,
        .type_builtin = true,
        .type_kind = 'b',
        .not_null = not_null,
    };
    return column;
}

CatIndex *hand_index(Catalog *catalog, uint32_t oid, uint32_t relation, Name name,
                     const int *numbers, int count, bool primary)
{
    CatIndex *index = &catalog->indexes[catalog->indexes_count++];
    *index = (CatIndex){
        .oid = oid,
        .relation = relation,
        .name = name,
        .unique = true,
        .primary = primary,
        .valid = true,
        .immediate = true,
        .key_count = count,
        .attnums = numbers,
        .sql = "CREATE UNIQUE INDEX ...",
    };
    return index;
}

void hand_object(Catalog *catalog, uint32_t class_oid, uint32_t oid, const char *schema,
                 const char *name, const char *kind)
{
    catalog->objects[catalog->objects_count++] = (CatObject){
        .class_oid = class_oid, .oid = oid, .schema = schema, .name = name, .kind = kind};
}
