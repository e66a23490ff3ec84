/*
 * The plan language, version 1, in sections (plan/schema_<section>.c): per mapping its fields (for
 * libcyaml) and its keys (all else), row by row in the same order. A new key is one row in each; a
 * key of the language that this version does not carry out is marked is_later. Part of plan/ only.
 */
#ifndef GODWIT_PLAN_SCHEMA_PARTS_H
#define GODWIT_PLAN_SCHEMA_PARTS_H

#include "plan/bound.h"
#include "plan/plan.h"
#include "plan/schema.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

#define REQUIRED CYAML_FLAG_DEFAULT
#define OPTIONAL CYAML_FLAG_OPTIONAL

#define IS_STRING(key, flags, type, member)                                                        \
    CYAML_FIELD_STRING_PTR(key, flags, type, member, 1, CYAML_UNLIMITED)
#define IS_WORD(key, type, member, words)                                                          \
    CYAML_FIELD_ENUM_PTR(key, OPTIONAL | CYAML_FLAG_STRICT, type, member, words, COUNT(words))
#define IS_LIST(key, type, member, entry, least)                                                   \
    CYAML_FIELD_SEQUENCE(key, OPTIONAL | CYAML_FLAG_POINTER, type, member, entry, least, 100000)

#define MEBIBYTE (UINT64_C(1) << 20)
#define SECOND   UINT64_C(1000000)

/* An entry that is any text. */
extern const cyaml_schema_value_t TEXT_VALUE;

/* Entries of lists. */
extern const cyaml_schema_value_t SCHEMA_SELECTOR_VALUE, TABLE_SELECTOR_VALUE, HYPERTABLE_VALUE,
    VERIFY_VALUE, WAIVER_VALUE, ATTEST_VALUE, STEP_VALUE, HOOK_VALUE, AGGREGATE_VALUE, JOB_VALUE;

/* The mappings, each ending in CYAML_FIELD_END and in a row without a key. */
#define MAPPING(name)                                                                              \
    extern const cyaml_schema_field_t name##_FIELDS[];                                             \
    extern const PlanKey name##_KEYS[]

MAPPING(EXPECT);
MAPPING(SOURCE);
MAPPING(TARGET);
MAPPING(TOOLS);
MAPPING(SCHEMA_SELECTOR);
MAPPING(TABLE_SELECTOR);
MAPPING(ROW_FILTER);
MAPPING(COLUMN_LIST);
MAPPING(MAP);
MAPPING(SELECT);
MAPPING(ROLE_MAP);
MAPPING(ROLES);
MAPPING(EXTENSIONS);
MAPPING(SCHEMA);
MAPPING(BY_RANGE);
MAPPING(BY_HASH);
MAPPING(DIMENSION);
MAPPING(COLUMNSTORE);
MAPPING(RETENTION);
MAPPING(REORDER);
MAPPING(HYPERTABLE);
MAPPING(TIMESCALEDB);
MAPPING(REFRESH);
MAPPING(AGGREGATE);
MAPPING(JOB);
MAPPING(SLOT);
MAPPING(SPOOL);
MAPPING(PUBLICATION);
MAPPING(IDENTITY);
MAPPING(REPLICA_IDENTITY);
MAPPING(REPLICATION);
MAPPING(COPY);
MAPPING(APPLY);
MAPPING(LIMITS);
MAPPING(WAIVER);
MAPPING(ATTEST);
MAPPING(VERIFY);
MAPPING(STEP_SQL);
MAPPING(STEP_COMMAND);
MAPPING(STEP_DONE_IF);
MAPPING(STEP);
MAPPING(HOOK);
MAPPING(NOTIFY);
MAPPING(GATES);
MAPPING(APPROVAL);
MAPPING(STOP_WRITES);
MAPPING(SEQUENCES);
MAPPING(CUTOVER);
MAPPING(DDL);
MAPPING(FAILBACK);
MAPPING(REHEARSAL);

#endif
