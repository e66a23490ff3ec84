/*
 * Schema of select: what is taken, how much of it, and under which names.
 */
#include "plan/schema_parts.h"

/* A plain text stands for {match: text}. */
const cyaml_schema_field_t SCHEMA_SELECTOR_FIELDS[] = {
    IS_STRING("match", REQUIRED, BoundSelector, match),
    CYAML_FIELD_BOOL_PTR("optional", OPTIONAL, BoundSelector, optional),
    CYAML_FIELD_END,
};

const PlanKey SCHEMA_SELECTOR_KEYS[] = {
    {.key = "match",
     .doc = "A schema, or a pattern (after ~) over schema names.",
     .format = FORMAT_SCHEMA},
    {.key = "optional", .doc = "Matching nothing is then no error.", .fallback = "false"},
    {.key = NULL},
};

const cyaml_schema_value_t SCHEMA_SELECTOR_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundSelector, SCHEMA_SELECTOR_FIELDS)};

const cyaml_schema_field_t TABLE_SELECTOR_FIELDS[] = {
    IS_STRING("match", REQUIRED, BoundSelector, match),
    CYAML_FIELD_BOOL_PTR("optional", OPTIONAL, BoundSelector, optional),
    CYAML_FIELD_END,
};

const PlanKey TABLE_SELECTOR_KEYS[] = {
    {.key = "match",
     .doc = "A relation, or a pattern (after ~) over schema.name.",
     .format = FORMAT_SELECTOR},
    {.key = "optional", .doc = "Matching nothing is then no error.", .fallback = "false"},
    {.key = NULL},
};

const cyaml_schema_value_t TABLE_SELECTOR_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundSelector, TABLE_SELECTOR_FIELDS)};

const cyaml_schema_field_t ROW_FILTER_FIELDS[] = {
    IS_STRING("table", REQUIRED, BoundRowFilter, table),
    IS_STRING("where", REQUIRED, BoundRowFilter, where),
    CYAML_FIELD_END,
};

const PlanKey ROW_FILTER_KEYS[] = {
    {.key = "table",
     .doc = "A relation, or a pattern (after ~) over schema.name.",
     .format = FORMAT_SELECTOR},
    {.key = "where", .doc = "An immutable SQL condition over the row's own columns."},
    {.key = NULL},
};

static const cyaml_schema_value_t ROW_FILTER_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundRowFilter, ROW_FILTER_FIELDS)};

const cyaml_schema_field_t COLUMN_LIST_FIELDS[] = {
    IS_STRING("table", REQUIRED, BoundColumnList, table),
    CYAML_FIELD_SEQUENCE("include", CYAML_FLAG_POINTER, BoundColumnList, include, &TEXT_VALUE, 1,
                         1600),
    CYAML_FIELD_END,
};

const PlanKey COLUMN_LIST_KEYS[] = {
    {.key = "table",
     .doc = "A relation, or a pattern (after ~) over schema.name.",
     .format = FORMAT_SELECTOR},
    {.key = "include", .doc = "The columns that are taken, as they are called; no others."},
    {.key = NULL},
};

static const cyaml_schema_value_t COLUMN_LIST_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundColumnList, COLUMN_LIST_FIELDS)};

const cyaml_schema_field_t MAP_FIELDS[] = {
    IS_STRING("source", REQUIRED, BoundMap, source),
    IS_STRING("target", REQUIRED, BoundMap, target),
    CYAML_FIELD_BOOL_PTR("merge", OPTIONAL, BoundMap, merge),
    CYAML_FIELD_END,
};

const PlanKey MAP_KEYS[] = {
    {.key = "source",
     .doc = "A relation of the source, or a pattern (after ~) over schema.name.",
     .format = FORMAT_SELECTOR},
    {.key = "target",
     .doc = "Its name on the target, schema.name; ${1} stands for the pattern's first group.",
     .format = FORMAT_MAP_TARGET},
    {.key = "merge", .doc = "Many relations become this one.", .fallback = "false"},
    {.key = NULL},
};

static const cyaml_schema_value_t MAP_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundMap, MAP_FIELDS)};

const cyaml_schema_field_t SELECT_FIELDS[] = {
    IS_LIST("schemas", BoundSelect, schemas, &SCHEMA_SELECTOR_VALUE, 1),
    IS_LIST("tables", BoundSelect, tables, &TABLE_SELECTOR_VALUE, 1),
    IS_LIST("exclude", BoundSelect, exclude, &TABLE_SELECTOR_VALUE, 1),
    IS_LIST("schema_only", BoundSelect, schema_only, &TABLE_SELECTOR_VALUE, 1),
    IS_LIST("rows", BoundSelect, rows, &ROW_FILTER_VALUE, 1),
    IS_LIST("columns", BoundSelect, columns, &COLUMN_LIST_VALUE, 1),
    IS_LIST("map", BoundSelect, map, &MAP_VALUE, 1),
    CYAML_FIELD_END,
};

const PlanKey SELECT_KEYS[] = {
    {.key = "schemas", .doc = "Schemas whose relations are all taken.", .in_choice = true},
    {.key = "tables", .doc = "Relations that are taken.", .in_choice = true},
    {.key = "exclude", .doc = "Relations that are left out, whatever took them."},
    {.key = "schema_only", .doc = "Relations whose structure is taken without rows."},
    {.key = "rows",
     .doc = "Row filters: copy, stream and verification take only rows that meet them."},
    {.key = "columns", .doc = "Column lists: only these columns come to the target."},
    {.key = "map", .doc = "Other names on the target; the first entry that matches counts."},
    {.key = NULL},
};
