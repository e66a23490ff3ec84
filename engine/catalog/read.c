/*
 * Rows of the catalog's queries into its structs. Columns are taken in the order that the query's
 * header lists.
 */
#include "catalog/read.h"

#include <stdlib.h>

static const char *text(Catalog *catalog, const Rows *rows, size_t row, size_t column)
{
    return arena_strdup(&catalog->arena, rows_text(rows, row, column));
}

static Name name(Catalog *catalog, const Rows *rows, size_t row, size_t column)
{
    return (Name){text(catalog, rows, row, column), text(catalog, rows, row, column + 1)};
}

void read_server_row(Catalog *catalog, const Rows *rows)
{
    CatServer *server = &catalog->server;
    server->version = (int)rows_int64(rows, 0, 0);
    server->version_text = text(catalog, rows, 0, 1);
    server->database = text(catalog, rows, 0, 3);
    server->database_oid = rows_oid(rows, 0, 4);
    server->encoding = text(catalog, rows, 0, 5);
    server->collate = text(catalog, rows, 0, 6);
    server->user = text(catalog, rows, 0, 7);
    server->is_superuser = rows_bool(rows, 0, 8);
    server->in_recovery = rows_bool(rows, 0, 9);
    server->timescaledb_version = text(catalog, rows, 0, 10);
    server->timescaledb_license = text(catalog, rows, 0, 11);
}

void read_settings(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->settings = arena_array(&catalog->arena, CatSetting, count);
    catalog->settings_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->settings[r] = (CatSetting){
            .name = text(catalog, rows, r, 0),
            .value = text(catalog, rows, r, 1),
            .unit = text(catalog, rows, r, 2),
        };
}

void read_relations(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->relations = arena_array(&catalog->arena, CatRelation, count);
    catalog->relations_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->relations[r] = (CatRelation){
            .oid = rows_oid(rows, r, 0),
            .name = name(catalog, rows, r, 1),
            .kind = rows_char(rows, r, 3),
            .persistence = rows_char(rows, r, 4),
            .replica_identity = rows_char(rows, r, 5),
            .replica_identity_index = rows_oid(rows, r, 6),
            .parent = rows_oid(rows, r, 7),
            .is_partition = rows_bool(rows, r, 8),
            .inherits = rows_bool(rows, r, 9),
            .row_security = rows_bool(rows, r, 10),
            .force_row_security = rows_bool(rows, r, 11),
            .of_extension = rows_bool(rows, r, 12),
            .populated = rows_bool(rows, r, 13),
            .is_heap = rows_bool(rows, r, 14),
            .owner = text(catalog, rows, r, 15),
            .can_select = rows_bool(rows, r, 16),
            .owns = rows_bool(rows, r, 17),
            .pages = (uint32_t)rows_int64(rows, r, 18),
            .tuples = rows_double(rows, r, 19),
            .bytes = (uint64_t)rows_int64(rows, r, 20),
            .partition_strategy_key = text(catalog, rows, r, 21),
            .can_lock = rows_bool(rows, r, 22),
            .bounds = text(catalog, rows, r, 23),
            .attached = text(catalog, rows, r, 24),
            .storage = rows_oid(rows, r, 25),
            .places = text(catalog, rows, r, 26),
            .written = text(catalog, rows, r, 27),
            .named = text(catalog, rows, r, 28),
        };
}

void read_columns(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->columns = arena_array(&catalog->arena, CatColumn, count);
    catalog->columns_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->columns[r] = (CatColumn){
            .relation = rows_oid(rows, r, 0),
            .attnum = (int)rows_int64(rows, r, 1),
            .name = text(catalog, rows, r, 2),
            .type_oid = rows_oid(rows, r, 3),
            .type_text = text(catalog, rows, r, 4),
            .base_type_oid = rows_oid(rows, r, 5),
            .element_oid = rows_oid(rows, r, 6),
            .type_builtin = rows_bool(rows, r, 7),
            .type_kind = rows_char(rows, r, 8),
            .not_null = rows_bool(rows, r, 9),
            .identity = rows_char(rows, r, 10),
            .generated = rows_bool(rows, r, 11),
            .equality = text(catalog, rows, r, 12),
            .is_virtual = rows_bool(rows, r, 13),
        };
}

/* Column numbers in text, parted by spaces. */
static const int *attribute_numbers(Catalog *catalog, const char *list, int *count)
{
    int found = *list == '\0' ? 0 : 1;
    for (const char *c = list; *c != '\0'; c++)
        found += *c == ' ';
    int *numbers = arena_array(&catalog->arena, int, found);
    char *next = NULL;
    for (int i = 0; i < found; i++, list = next)
        numbers[i] = (int)strtol(list, &next, 10);
    *count = found;
    return numbers;
}

void read_indexes(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->indexes = arena_array(&catalog->arena, CatIndex, count);
    catalog->indexes_count = count;
    for (size_t r = 0; r < count; r++) {
        CatIndex *index = &catalog->indexes[r];
        *index = (CatIndex){
            .oid = rows_oid(rows, r, 0),
            .relation = rows_oid(rows, r, 1),
            .name = name(catalog, rows, r, 2),
            .unique = rows_bool(rows, r, 4),
            .primary = rows_bool(rows, r, 5),
            .valid = rows_bool(rows, r, 6),
            .immediate = rows_bool(rows, r, 7),
            .partial = rows_bool(rows, r, 8),
            .has_expressions = rows_bool(rows, r, 9),
            .exclusion = rows_bool(rows, r, 10),
            .clustered = rows_bool(rows, r, 11),
            .sql = text(catalog, rows, r, 13),
            .constraint = rows_oid(rows, r, 14),
            .bytes = (uint64_t)rows_int64(rows, r, 15),
            .parent = rows_oid(rows, r, 16),
        };
        index->attnums = attribute_numbers(catalog, rows_text(rows, r, 12), &index->key_count);
    }
}

void read_constraints(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->constraints = arena_array(&catalog->arena, CatConstraint, count);
    catalog->constraints_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->constraints[r] = (CatConstraint){
            .oid = rows_oid(rows, r, 0),
            .relation = rows_oid(rows, r, 1),
            .name = text(catalog, rows, r, 2),
            .type = rows_char(rows, r, 3),
            .sql = text(catalog, rows, r, 4),
            .validated = rows_bool(rows, r, 5),
            .deferrable = rows_bool(rows, r, 6),
            .referenced = rows_oid(rows, r, 7),
            .parent = rows_oid(rows, r, 8),
        };
}

void read_sequences(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->sequences = arena_array(&catalog->arena, CatSequence, count);
    catalog->sequences_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->sequences[r] = (CatSequence){
            .oid = rows_oid(rows, r, 0),
            .name = name(catalog, rows, r, 1),
            .owner_relation = rows_oid(rows, r, 3),
            .owner_column = text(catalog, rows, r, 4),
            .dependency = rows_char(rows, r, 5),
            .increment = rows_int64(rows, r, 6),
            .min_value = rows_int64(rows, r, 7),
            .max_value = rows_int64(rows, r, 8),
            .of_extension = rows_bool(rows, r, 9),
        };
}

void read_triggers(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->triggers = arena_array(&catalog->arena, CatTrigger, count);
    catalog->triggers_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->triggers[r] = (CatTrigger){
            .oid = rows_oid(rows, r, 0),
            .relation = rows_oid(rows, r, 1),
            .name = text(catalog, rows, r, 2),
            .enabled = rows_char(rows, r, 3),
        };
}

void read_publications(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->publications = arena_array(&catalog->arena, CatPublication, count);
    catalog->publications_count = count;
    for (size_t r = 0; r < count; r++) {
        CatPublication *to = &catalog->publications[r];
        *to = (CatPublication){
            .oid = rows_oid(rows, r, 0),
            .name = text(catalog, rows, r, 1),
            .comment = text(catalog, rows, r, 2),
            .all_tables = rows_bool(rows, r, 3),
            .publish = (uint32_t)rows_int64(rows, r, 4),
            .via_root = rows_bool(rows, r, 5),
            .filtered = rows_bool(rows, r, 6),
        };
        const char **oids = NULL;
        to->table_count = rows_list(&catalog->arena, rows, r, 7, &oids);
        uint32_t *tables = arena_array(&catalog->arena, uint32_t, to->table_count);
        for (size_t i = 0; i < to->table_count; i++)
            tables[i] = (uint32_t)strtoul(oids[i], NULL, 10);
        to->tables = tables;
    }
}

void read_extensions(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->extensions = arena_array(&catalog->arena, CatExtension, count);
    catalog->extensions_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->extensions[r] = (CatExtension){
            .oid = rows_oid(rows, r, 0),
            .name = text(catalog, rows, r, 1),
            .version = text(catalog, rows, r, 2),
            .schema = text(catalog, rows, r, 3),
            .relocatable = rows_bool(rows, r, 4),
        };
}

void read_available(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->available = arena_array(&catalog->arena, CatAvailable, count);
    catalog->available_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->available[r] = (CatAvailable){
            .name = text(catalog, rows, r, 0),
            .default_version = text(catalog, rows, r, 1),
        };
}

void read_objects(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->objects = arena_array(&catalog->arena, CatObject, count);
    catalog->objects_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->objects[r] = (CatObject){
            .class_oid = rows_oid(rows, r, 0),
            .oid = rows_oid(rows, r, 1),
            .schema = text(catalog, rows, r, 2),
            .name = text(catalog, rows, r, 3),
            .extension = rows_oid(rows, r, 4),
            .kind = text(catalog, rows, r, 5),
        };
}

void read_dependencies(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->dependencies = arena_array(&catalog->arena, CatDependency, count);
    catalog->dependencies_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->dependencies[r] = (CatDependency){
            .class_oid = rows_oid(rows, r, 0),
            .oid = rows_oid(rows, r, 1),
            .ref_class_oid = rows_oid(rows, r, 2),
            .ref_oid = rows_oid(rows, r, 3),
            .type = rows_char(rows, r, 4),
        };
}

void read_column_uses(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->column_uses = arena_array(&catalog->arena, CatColumnUse, count);
    catalog->column_uses_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->column_uses[r] = (CatColumnUse){
            .relation = rows_oid(rows, r, 0),
            .attnum = (int)rows_int64(rows, r, 1),
            .class_oid = rows_oid(rows, r, 2),
            .oid = rows_oid(rows, r, 3),
            .type = rows_char(rows, r, 4),
            .generated = (int)rows_int64(rows, r, 5),
        };
}
