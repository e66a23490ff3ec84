/*
 * The mirror's case, see mirror_case.h.
 */
#include "lib/mirror_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const int mirror_case_both[2] = {1, 2};

static void make_tables(MirrorCase *made)
{
    Catalog *source = &made->source;
    CatRelation *table = hand_relation(source, 10, "app", "m", 'r', 0);
    table->inherits = true;
    table->bytes = 0;
    CatRelation *chunk = hand_relation(source, 11, "_timescaledb_internal", "c1", 'r', 0);
    chunk->is_chunk = true;
    chunk->hypertable = 10;
    chunk->bytes = 8192;
    hand_relation(source, 20, "app", "t", 'r', 0);
    hand_column(source, 10, 1, "at", TIMESTAMPTZ, true);
    hand_column(source, 10, 2, "device", INT4, true);
    hand_column(source, 11, 1, "at", TIMESTAMPTZ, true);
    hand_column(source, 11, 2, "device", INT4, true);
    hand_column(source, 20, 1, "id", INT4, true);
    hand_index(source, 100, 10, (Name){"app", "m_pkey"}, mirror_case_both, 2, true);
    hand_index(source, 110, 11, (Name){"_timescaledb_internal", "c1_pkey"}, mirror_case_both, 2,
               true);
    hand_index(source, 200, 20, (Name){"app", "t_pkey"}, mirror_case_both, 1, true);
    for (size_t i = 0; i < source->relations_count; i++)
        hand_object(source, CAT_CLASS_RELATION, made->relations[i].oid,
                    made->relations[i].name.schema, made->relations[i].name.rel, "object");
    hand_object(source, CAT_CLASS_NAMESPACE, 1000, NULL, "app", "object");
}

int mirror_case_setup(void **state)
{
    MirrorCase *made = calloc(1, sizeof(*made));
    Catalog *source = &made->source;
    source->relations = made->relations;
    source->columns = made->columns;
    source->indexes = made->indexes;
    source->objects = made->objects;
    source->hypertables = made->hypertables;
    source->dimensions = made->dimensions;
    source->jobs = made->jobs;
    source->columnstores = made->columnstores;
    source->aggregates = made->aggregates;
    source->settings = made->settings;
    made->hypertables[0] = (CatHypertable){.name = MIRROR_TABLE, .column_name = "at"};
    source->hypertables_count = 1;
    made->dimensions[0] =
        (CatDimension){.table = MIRROR_TABLE, .column_name = "at", .interval = "3 days"};
    made->dimensions[1] =
        (CatDimension){.table = MIRROR_TABLE, .column_name = "device", .number_partitions = 4};
    source->dimensions_count = 2;
    make_tables(made);
    source->server = (CatServer){.version = 170005,
                                 .database = "iot",
                                 .user = "postgres",
                                 .is_superuser = true,
                                 .timescaledb_version = "2.19.3"};
    made->target.server = (CatServer){
        .version = 170005, .timescaledb_version = "2.19.3", .timescaledb_license = "timescale"};
    made->plan.mirror = true;
    made->plan.mirror_pos = (PlanPos){7, 1};
    made->plan.copy.data = true;
    made->plan.replication.publish = PLAN_PUBLISH_ALL;
    *state = made;
    return 0;
}

int mirror_case_teardown(void **state)
{
    MirrorCase *made = *state;
    for (size_t i = 0; i < made->schemas.count; i++)
        selector_release(&made->schemas.items[i].selector);
    blueprint_release(&made->blueprint);
    catalog_release(&made->source);
    catalog_release(&made->target);
    err_release(&made->err);
    arena_release(&made->arena);
    free(made);
    return 0;
}

bool mirror_case_build(MirrorCase *made)
{
    size_t column = 0;
    if (made->schemas.count == 0) {
        PlanSelector *item = vec_push(&made->arena, &made->schemas);
        item->pos = (PlanPos){3, 3};
        assert_true(selector_schema(&made->arena, "app", &item->selector, &column, &made->err));
        catalog_complete(&made->source);
        catalog_complete(&made->target);
    }
    made->plan.select.schemas = (PlanSelectors){made->schemas.items, made->schemas.count};
    err_release(&made->err);
    blueprint_release(&made->blueprint);
    return blueprint_build(&made->blueprint, &made->plan, &made->source, &made->target,
                           &made->findings, &made->err);
}

const char *mirror_case_finding(MirrorCase *made, size_t index)
{
    const PlanFinding *found = &made->findings.items[index];
    return arena_printf(&made->arena, "%s %s | %s", found->code, found->message,
                        found->hint == NULL ? "" : found->hint);
}

const Relation *mirror_case_hypertable(MirrorCase *made)
{
    const Name name = {"app", "m"};
    return blueprint_relation(&made->blueprint, &name);
}
