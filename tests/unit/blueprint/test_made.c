/*
 * blueprint_build() over catalogs made by hand: selection, partitions, keys, what can become a
 * hypertable; the exact words of the findings.
 */
#include "base/str.h"
#include "base/vec.h"
#include "blueprint/blueprint.h"
#include "lib/hand_catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Tables of app: orders (10), events (20) with partitions events_1 (21) and, in schema parts,
 * events_2 (22); log (30) without a key. Schema empty holds nothing. */
typedef struct Made {
    Arena arena;
    Catalog source;
    Catalog target;
    Plan plan;
    Blueprint blueprint;
    PlanFindings findings;
    Err err;
    VEC(PlanSelector) schemas;
    VEC(PlanSelector) tables;
    VEC(PlanSelector) exclude;
    PlanHypertable hypertable;
    CatRelation relations[8];
    CatColumn columns[16];
    CatIndex indexes[8];
    CatConstraint constraints[4];
    CatObject objects[16];
    CatAvailable available[1];
} Made;

static const int first[] = {1}, second[] = {2}, both[] = {1, 2};

static void make_source(Made *made)
{
    Catalog *source = &made->source;
    source->relations = made->relations;
    source->columns = made->columns;
    source->indexes = made->indexes;
    source->constraints = made->constraints;
    source->objects = made->objects;
    hand_relation(&made->source, 10, "app", "orders", 'r', 0);
    hand_relation(&made->source, 20, "app", "events", 'p', 0);
    hand_relation(&made->source, 21, "app", "events_1", 'r', 20);
    hand_relation(&made->source, 22, "parts", "events_2", 'r', 20);
    hand_relation(&made->source, 30, "app", "log", 'r', 0);
    hand_column(&made->source, 10, 1, "id", INT4, true);
    hand_column(&made->source, 10, 2, "at", TIMESTAMPTZ, true);
    hand_column(&made->source, 10, 3, "note", TEXT, false);
    hand_column(&made->source, 20, 1, "id", INT4, true);
    hand_column(&made->source, 20, 2, "at", TIMESTAMPTZ, true);
    hand_column(&made->source, 30, 1, "line", TEXT, false);
    hand_index(&made->source, 100, 10, (Name){"app", "orders_pkey"}, first, 1, true);
    hand_index(&made->source, 200, 20, (Name){"app", "events_pkey"}, both, 2, true);
    for (size_t i = 0; i < source->relations_count; i++)
        hand_object(&made->source, CAT_CLASS_RELATION, made->relations[i].oid,
                    made->relations[i].name.schema, made->relations[i].name.rel, "object");
    hand_object(&made->source, CAT_CLASS_NAMESPACE, 1000, NULL, "app", "object");
    hand_object(&made->source, CAT_CLASS_NAMESPACE, 1001, NULL, "parts", "object");
    hand_object(&made->source, CAT_CLASS_NAMESPACE, 1002, NULL, "empty", "object");
    source->server = (CatServer){.version = 150018, .database = "shop"};
    made->available[0] = (CatAvailable){"timescaledb", "2.19.3"};
    made->target.available = made->available;
    made->target.available_count = 1;
    made->target.server = (CatServer){.version = 170005, .database = "tgt"};
}

static int setup(void **state)
{
    Made *made = calloc(1, sizeof(*made));
    make_source(made);
    *state = made;
    return 0;
}

static void release_selectors(PlanSelectors *list)
{
    for (size_t i = 0; i < list->count; i++)
        selector_release(&list->items[i].selector);
}

static int teardown(void **state)
{
    Made *made = *state;
    release_selectors(&made->plan.select.schemas);
    release_selectors(&made->plan.select.tables);
    release_selectors(&made->plan.select.exclude);
    blueprint_release(&made->blueprint);
    catalog_release(&made->source);
    catalog_release(&made->target);
    err_release(&made->err);
    arena_release(&made->arena);
    free(made);
    return 0;
}

static uint32_t next_line;

#define SELECT(made, list, compile, name)                                                          \
    do {                                                                                           \
        PlanSelector *item_ = vec_push(&(made)->arena, &(made)->list);                             \
        size_t column_ = 0;                                                                        \
        item_->pos = (PlanPos){++next_line, 3};                                                    \
        assert_true(compile(&(made)->arena, (name), &item_->selector, &column_, &(made)->err));    \
    } while (0)

static void select_schema(Made *made, const char *name)
{
    SELECT(made, schemas, selector_schema, name);
}

static void select_table(Made *made, const char *name)
{
    SELECT(made, tables, selector_relation, name);
}

static void exclude_table(Made *made, const char *name)
{
    SELECT(made, exclude, selector_relation, name);
}

static bool build(Made *made)
{
    made->plan.select.schemas = (PlanSelectors){made->schemas.items, made->schemas.count};
    made->plan.select.tables = (PlanSelectors){made->tables.items, made->tables.count};
    made->plan.select.exclude = (PlanSelectors){made->exclude.items, made->exclude.count};
    catalog_complete(&made->source);
    catalog_complete(&made->target);
    return blueprint_build(&made->blueprint, &made->plan, &made->source, &made->target,
                           &made->findings, &made->err);
}

/* "P301 message | hint" of finding i. */
static const char *finding(Made *made, size_t i)
{
    if (i >= made->findings.count)
        fail_msg("there are only %zu findings", made->findings.count);
    const PlanFinding *f = &made->findings.items[i];
    return arena_printf(&made->arena, "%s %s%s%s", f->code, f->message,
                        f->hint == NULL ? "" : " | ", f->hint == NULL ? "" : f->hint);
}

static void takes_a_schema_with_the_partitions_of_its_tables(void **state)
{
    Made *made = *state;
    select_schema(made, "app");
    assert_true(build(made));
    assert_int_equal(made->findings.count, 0);
    assert_int_equal(made->blueprint.relation_count, 3);
    Relation *events = blueprint_relation(&made->blueprint, &(Name){"app", "events"});
    assert_true(events->partitioned);
    assert_int_equal(events->leaf_count, 2);
    assert_string_equal(events->leaves[1]->source.rel, "events_2");
    assert_ptr_equal(blueprint_leaf(&made->blueprint, 22)->root, events);
    assert_null(blueprint_leaf(&made->blueprint, 20));
    assert_int_equal(made->blueprint.leaf_count, 4);
    for (size_t i = 0; i < made->blueprint.leaf_count; i++)
        assert_int_equal(made->blueprint.leaves[i].index, i);
    assert_true(blueprint_keeps_object(&made->blueprint, CAT_CLASS_RELATION, 22));
    assert_true(blueprint_keeps_object(&made->blueprint, CAT_CLASS_NAMESPACE, 1000));
    assert_false(blueprint_keeps_object(&made->blueprint, CAT_CLASS_NAMESPACE, 1002));
}

static void takes_by_pattern_and_leaves_out_by_name(void **state)
{
    Made *made = *state;
    select_table(made, "~app\\.(orders|log)");
    exclude_table(made, "app.log");
    assert_true(build(made));
    assert_int_equal(made->blueprint.relation_count, 1);
    assert_string_equal(made->blueprint.relations[0].source.rel, "orders");
}

static void says_what_matches_nothing_and_what_was_meant(void **state)
{
    Made *made = *state;
    select_schema(made, "ap");
    select_schema(made, "~x.*");
    select_table(made, "app.order");
    exclude_table(made, "app.lag");
    assert_false(build(made));
    assert_int_equal(made->err.code, ERR_PLAN);
    assert_string_equal(finding(made, 0),
                        "P301 select.schemas: no schema of the source is called ap | did you mean "
                        "\"app\"?");
    assert_string_equal(finding(made, 1), "P302 the selection holds no table of database shop");
    assert_string_equal(finding(made, 2),
                        "P301 select.schemas: no schema of the source matches ~x.*");
    assert_string_equal(finding(made, 3),
                        "P301 select.tables: no relation of the source is called app.order | did "
                        "you mean \"app.orders\"?");
    assert_string_equal(finding(made, 4),
                        "P301 select.exclude: no relation of the source is called app.lag | did "
                        "you mean \"app.log\"?");
    assert_int_equal(made->findings.count, 5);
    assert_int_equal(made->findings.items[0].span, 2);
}

static void optional_may_match_nothing(void **state)
{
    Made *made = *state;
    select_table(made, "app.orders");
    select_table(made, "app.later");
    made->tables.items[1].optional = true;
    assert_true(build(made));
    assert_int_equal(made->findings.count, 0);
}

static void a_schema_without_tables_selects_nothing(void **state)
{
    Made *made = *state;
    select_schema(made, "empty");
    assert_false(build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(finding(made, 0), "P302 the selection holds no table of database shop");
}

static void a_partition_cannot_come_or_stay_alone(void **state)
{
    Made *made = *state;
    select_table(made, "app.orders");
    select_table(made, "app.events_1");
    assert_false(build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(finding(made, 0),
                        "P303 app.events_1 is a partition of app.events and cannot be selected "
                        "alone | Partitions follow their root: name app.events instead.");
}

static void a_partition_cannot_be_excluded_alone(void **state)
{
    Made *made = *state;
    select_schema(made, "app");
    exclude_table(made, "parts.events_2");
    assert_false(build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(finding(made, 0),
                        "P303 parts.events_2 is a partition of app.events and cannot be excluded "
                        "alone | Partitions follow their root: name app.events instead.");
}

static void key_is_identity_then_primary_then_narrowest(void **state)
{
    Made *made = *state;
    hand_index(&made->source, 101, 10, (Name){"app", "orders_at"}, second, 1, false);
    /* Indexes are sorted by relation: move the new one before that of events. */
    CatIndex moved = made->indexes[2];
    made->indexes[2] = made->indexes[1];
    made->indexes[1] = moved;
    made->relations[0].replica_identity = 'i';
    made->relations[0].replica_identity_index = 101;
    select_table(made, "app.orders");
    assert_true(build(made));
    const Relation *orders = &made->blueprint.relations[0];
    assert_string_equal(orders->key->index_name, "orders_at");
    assert_int_equal(orders->key->count, 1);
    assert_string_equal(orders->columns[orders->key->columns[0]].name, "at");
    assert_true(orders->further_unique);
    assert_true(orders->leaves[0]->has_identity);
}

static void what_does_not_name_one_row_is_no_key(void **state)
{
    Made *made = *state;
    static const int note[] = {3};
    CatIndex *index = &made->indexes[0];
    struct {
        const char *what;
        CatIndex change;
    } cases[] = {
        {"not unique", {.valid = true, .immediate = true}},
        {"deferrable", {.unique = true, .valid = true}},
        {"invalid", {.unique = true, .immediate = true}},
        {"partial", {.unique = true, .valid = true, .immediate = true, .partial = true}},
        {"expression", {.unique = true, .valid = true, .immediate = true, .has_expressions = true}},
        {"exclusion", {.unique = true, .valid = true, .immediate = true, .exclusion = true}},
    };
    select_table(made, "app.orders");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CatIndex changed = cases[i].change;
        changed.oid = 100;
        changed.relation = 10;
        changed.name = (Name){"app", "orders_x"};
        changed.key_count = 1;
        changed.attnums = first;
        *index = changed;
        assert_true(build(made));
        if (made->blueprint.relations[0].key != NULL)
            fail_msg("%s: taken as a key", cases[i].what);
        blueprint_release(&made->blueprint);
    }
    *index = (CatIndex){.oid = 100,
                        .relation = 10,
                        .name = {"app", "orders_note"},
                        .unique = true,
                        .valid = true,
                        .immediate = true,
                        .key_count = 1,
                        .attnums = note};
    assert_true(build(made));
    assert_null(made->blueprint.relations[0].key);
    assert_false(made->blueprint.relations[0].leaves[0]->has_identity);
}

static void generated_columns_do_not_travel(void **state)
{
    Made *made = *state;
    made->columns[0].generated = true;
    select_table(made, "app.orders");
    assert_true(build(made));
    const Relation *orders = &made->blueprint.relations[0];
    assert_int_equal(orders->column_count, 2);
    assert_string_equal(orders->columns[0].name, "at");
    assert_int_equal(orders->generated_count, 1);
    assert_null(orders->key); /* its only key is generated */
}

static void binary_only_where_it_means_the_same(void **state)
{
    Made *made = *state;
    select_table(made, "app.orders");
    assert_true(build(made));
    assert_true(made->blueprint.relations[0].binary);
    blueprint_release(&made->blueprint);
    made->columns[2].type_kind = 'e';
    made->columns[2].type_builtin = false;
    assert_true(build(made));
    assert_false(made->blueprint.relations[0].binary);
    blueprint_release(&made->blueprint);
    made->columns[2].type_kind = 'b';
    made->columns[2].type_builtin = true;
    made->columns[2].base_type_oid = 2205; /* regclass: an oid of this server */
    made->columns[2].type_text = "regclass";
    made->plan.copy.format = PLAN_FORMAT_BINARY;
    assert_false(build(made));
    assert_string_equal(finding(made, 0),
                        "P313 copy.format is binary, but app.orders.note of type regclass has no "
                        "binary form that is the same on both servers");
}

static void convert(Made *made, const char *table, const char *column, const char *interval,
                    bool integer)
{
    made->hypertable = (PlanHypertable){
        .target_table = {"app", table},
        .column_name = column,
        .partition_interval = interval,
        .interval_is_integer = integer,
        .pos = {90, 5},
    };
    made->plan.hypertables = &made->hypertable;
    made->plan.hypertable_count = 1;
}

static void a_key_without_the_partition_column_is_named_with_its_cure(void **state)
{
    Made *made = *state;
    made->indexes[0].constraint = 5;
    select_table(made, "app.orders");
    convert(made, "orders", "at", "7 days", false);
    assert_false(build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(finding(made, 0),
                        "P323 hypertables: unique index orders_pkey of app.orders lacks the "
                        "partition column at | On the source: ALTER TABLE app.orders DROP "
                        "CONSTRAINT orders_pkey, ADD PRIMARY KEY (id, at); (foreign keys that "
                        "point to it must go first).");
    assert_int_equal(made->findings.items[0].pos.line, 90);
}

static void a_hypertable_that_fits_brings_timescaledb(void **state)
{
    Made *made = *state;
    made->indexes[0].key_count = 2;
    made->indexes[0].attnums = both;
    select_table(made, "app.orders");
    convert(made, "orders", "at", "7 days", false);
    assert_true(build(made));
    assert_ptr_equal(made->blueprint.relations[0].hypertable, &made->hypertable);
    assert_int_equal(made->blueprint.extension_count, 1);
    assert_string_equal(made->blueprint.extensions[0].name, "timescaledb");
    assert_false(made->blueprint.extensions[0].on_target);
}

static void hypertable_faults(void **state)
{
    Made *made = *state;
    static const struct {
        const char *table, *column, *interval;
        bool integer;
        const char *expected;
    } cases[] = {
        {"order", "at", "7 days", false,
         "P320 hypertables: app.order is no selected table | did you mean \"app.orders\"?"},
        {"orders", "att", "7 days", false,
         "P321 hypertables: app.orders has no column att | did you mean \"at\"?"},
        {"orders", "at", "1000", true,
         "P322 hypertables: column at of app.orders is of type timestamp with time zone, its "
         "partition_interval must be an interval | Write it with a unit, for example "
         "partition_interval: 7 days."},
        {"orders", "id", "7 days", false,
         "P322 hypertables: column id of app.orders is of type integer, its partition_interval "
         "must be a whole number | Write the interval in the column's own unit, for example "
         "partition_interval: 86400000 for a day of milliseconds."},
        {"log", "line", "7 days", false,
         "P322 hypertables: column line of app.log is of type text | A range dimension needs "
         "timestamptz, timestamp, date or an integer, or a partition_func."},
        {"events", "at", "7 days", false,
         "P326 hypertables: app.events is a partitioned table on the source | Write "
         "from_partitioned: true to make one table of its partitions, or leave it partitioned: "
         "remove it from hypertables."},
    };
    made->indexes[0].key_count = 2;
    made->indexes[0].attnums = both;
    select_schema(made, "app");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        convert(made, cases[i].table, cases[i].column, cases[i].interval, cases[i].integer);
        assert_false(build(made));
        assert_int_equal(made->findings.count, 1);
        assert_string_equal(finding(made, 0), cases[i].expected);
        err_release(&made->err);
        blueprint_release(&made->blueprint);
    }
}

static void foreign_keys_to_a_hypertable_need_2_16(void **state)
{
    Made *made = *state;
    made->indexes[0].key_count = 2;
    made->indexes[0].attnums = both;
    made->constraints[0] = (CatConstraint){.oid = 7,
                                           .relation = 30,
                                           .name = "of_order",
                                           .type = 'f',
                                           .sql = "FOREIGN KEY ...",
                                           .validated = true,
                                           .referenced = 10};
    made->source.constraints_count = 1;
    select_schema(made, "app");
    convert(made, "orders", "at", "7 days", false);
    assert_true(build(made));
    assert_int_equal(made->blueprint.foreign_key_count, 1);
    blueprint_release(&made->blueprint);
    made->available[0].default_version = "2.15.3";
    assert_false(build(made));
    assert_string_equal(finding(made, 0),
                        "P324 hypertables: foreign key of_order of app.log points to app.orders, "
                        "which TimescaleDB allows from 2.16 only | Drop the foreign key on the "
                        "source, or update TimescaleDB on the target.");
}

static void without_timescaledb_there_are_no_hypertables(void **state)
{
    Made *made = *state;
    made->indexes[0].key_count = 2;
    made->indexes[0].attnums = both;
    made->target.available_count = 0;
    select_table(made, "app.orders");
    convert(made, "orders", "at", "7 days", false);
    assert_false(build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(made->findings.items[0].code, "P325");
}

static void a_family_is_not_converted(void **state)
{
    Made *made = *state;
    made->relations[0].inherits = true;
    select_table(made, "app.orders");
    convert(made, "orders", "at", "7 days", false);
    assert_false(build(made));
    assert_string_equal(finding(made, 0),
                        "P307 app.orders inherits from another table or is inherited from, and "
                        "cannot be converted to a hypertable | Exclude the whole family, or turn "
                        "it into a partitioned table.");
}

static void what_is_not_mirrored_is_refused(void **state)
{
    Made *made = *state;
    made->relations[4].is_chunk = true;
    select_schema(made, "app");
    assert_false(build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(finding(made, 0),
                        "P308 app.log is a chunk of a hypertable on the source, and the plan does "
                        "not say what it becomes | Write \"timescaledb: {mirror: true}\" to make "
                        "it one on the target, too, with all its settings; or exclude it.");
}

static void a_foreign_key_out_of_the_selection_is_left_out(void **state)
{
    Made *made = *state;
    made->constraints[0] = (CatConstraint){.oid = 7,
                                           .relation = 30,
                                           .name = "of_order",
                                           .type = 'f',
                                           .sql = "FOREIGN KEY ...",
                                           .validated = true,
                                           .referenced = 10};
    made->source.constraints_count = 1;
    select_table(made, "app.log");
    assert_true(build(made));
    assert_int_equal(made->blueprint.foreign_key_count, 0);
    assert_string_equal(finding(made, 0), "P305 foreign key of_order of app.log is left out: "
                                          "app.orders is not selected");
    assert_false(made->findings.items[0].is_error);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_a_schema_with_the_partitions_of_its_tables),
        TEST(takes_by_pattern_and_leaves_out_by_name),
        TEST(says_what_matches_nothing_and_what_was_meant),
        TEST(optional_may_match_nothing),
        TEST(a_schema_without_tables_selects_nothing),
        TEST(a_partition_cannot_come_or_stay_alone),
        TEST(a_partition_cannot_be_excluded_alone),
        TEST(key_is_identity_then_primary_then_narrowest),
        TEST(what_does_not_name_one_row_is_no_key),
        TEST(generated_columns_do_not_travel),
        TEST(binary_only_where_it_means_the_same),
        TEST(a_key_without_the_partition_column_is_named_with_its_cure),
        TEST(a_hypertable_that_fits_brings_timescaledb),
        TEST(hypertable_faults),
        TEST(foreign_keys_to_a_hypertable_need_2_16),
        TEST(without_timescaledb_there_are_no_hypertables),
        TEST(a_family_is_not_converted),
        TEST(what_is_not_mirrored_is_refused),
        TEST(a_foreign_key_out_of_the_selection_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
