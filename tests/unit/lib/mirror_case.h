/*
 * A mirror over catalogs made by hand: app.m (10) is a hypertable by time and hash with chunk
 * _timescaledb_internal.c1 (11), app.t (20) a plain table; the plan selects schema app. A case
 * changes what it is about, then builds the blueprint.
 */
#ifndef GODWIT_TESTS_MIRROR_CASE_H
#define GODWIT_TESTS_MIRROR_CASE_H

#include "base/vec.h"
#include "blueprint/blueprint.h"
#include "lib/hand_catalog.h"

typedef struct MirrorCase {
    Arena arena;
    Catalog source;
    Catalog target;
    Plan plan;
    Blueprint blueprint;
    PlanFindings findings;
    Err err;
    VEC(PlanSelector) schemas;
    CatRelation relations[12];
    CatColumn columns[16];
    CatIndex indexes[12];
    CatObject objects[16];
    CatObject there[1];
    CatHypertable hypertables[1];
    CatDimension dimensions[2];
    CatJob jobs[6];
    CatExtension extensions[1];
    CatColumnstore columnstores[1];
    CatAggregate aggregates[2];
    CatSetting settings[1];
    PlanHypertable over;
} MirrorCase;

/* The hypertable's name, and its two columns, of which its key is. */
#define MIRROR_TABLE ((Name){"app", "m"})
extern const int mirror_case_both[2];

/** Of one test. */
int mirror_case_setup(void **state);
int mirror_case_teardown(void **state);

/** As blueprint_build(); findings are added to those that there are. */
bool mirror_case_build(MirrorCase *made);

/** A finding as "code message | hint". */
const char *mirror_case_finding(MirrorCase *made, size_t index);

/** What app.m became. */
const Relation *mirror_case_hypertable(MirrorCase *made);

#endif
