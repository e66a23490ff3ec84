/*
 * select.map over catalogs made by hand: names, what follows, clashes, what may be merged; the
 * exact words of the findings.
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

/* app.a (10), app.b (20) with sequence app.b_id_seq (21), app.event (30) with partitions
 * app.event_1 (31) and far.event_2 (32), view app.v (40) over app.a; shards bill.i_1 (50), bill.i_2
 * (60). */
typedef struct Made {
    Arena arena;
    Catalog source;
    Catalog target;
    Plan plan;
    Blueprint blueprint;
    PlanFindings findings;
    Err err;
    PlanSelector schemas[3];
    PlanMap map[8];
    CatRelation relations[16];
    CatColumn columns[24];
    CatIndex indexes[8];
    CatSequence sequences[2];
    CatConstraint constraints[4];
    CatObject objects[24];
    CatDependency dependencies[8];
} Made;

static const int FIRST[] = {1}, SECOND[] = {2};

static void add_relation(Made *made, uint32_t oid, const char *schema, const char *name, char kind,
                         uint32_t parent)
{
    hand_relation(&made->source, oid, schema, name, kind, parent);
    hand_object(&made->source, CAT_CLASS_RELATION, oid, schema, name,
                kind == 'v' ? "view" : "table");
}

static void depend(Made *made, uint32_t class_oid, uint32_t oid, uint32_t to, char type)
{
    made->dependencies[made->source.dependencies_count++] =
        (CatDependency){class_oid, oid, CAT_CLASS_RELATION, to, type};
}

static void select_schema(Made *made, size_t at, const char *name)
{
    size_t column = 0;
    made->schemas[at].pos = (PlanPos){2, 3};
    assert_true(
        selector_schema(&made->arena, name, &made->schemas[at].selector, &column, &made->err));
}

static void set_catalog(Made *made)
{
    Catalog *source = &made->source;
    source->relations = made->relations;
    source->columns = made->columns;
    source->indexes = made->indexes;
    source->sequences = made->sequences;
    source->constraints = made->constraints;
    source->objects = made->objects;
    source->dependencies = made->dependencies;
    source->server = (CatServer){.version = 150018, .database = "shop"};
    made->target.server = (CatServer){.version = 170005, .database = "tgt"};
}

static int setup(void **state)
{
    Made *made = calloc(1, sizeof(*made));
    set_catalog(made);
    add_relation(made, 10, "app", "a", 'r', 0);
    add_relation(made, 20, "app", "b", 'r', 0);
    add_relation(made, 21, "app", "b_id_seq", 'S', 0);
    add_relation(made, 30, "app", "event", 'p', 0);
    add_relation(made, 31, "app", "event_1", 'r', 30);
    add_relation(made, 32, "far", "event_2", 'r', 30);
    add_relation(made, 40, "app", "v", 'v', 0);
    add_relation(made, 50, "bill", "i_1", 'r', 0);
    add_relation(made, 60, "bill", "i_2", 'r', 0);
    for (uint32_t table = 10; table <= 60; table += 10) {
        if (table == 40)
            continue;
        hand_column(&made->source, table, 1, "id", INT4, true);
        hand_column(&made->source, table, 2, "t", TEXT, false);
    }
    hand_index(&made->source, 100, 10, (Name){"app", "a_pkey"}, FIRST, 1, true);
    hand_index(&made->source, 200, 20, (Name){"app", "b_pkey"}, FIRST, 1, true);
    hand_index(&made->source, 500, 50, (Name){"bill", "i_1_pkey"}, FIRST, 1, true);
    hand_index(&made->source, 600, 60, (Name){"bill", "i_2_pkey"}, FIRST, 1, true);
    made->sequences[made->source.sequences_count++] = (CatSequence){.oid = 21,
                                                                    .name = {"app", "b_id_seq"},
                                                                    .owner_relation = 20,
                                                                    .owner_column = "id",
                                                                    .dependency = 'a',
                                                                    .increment = 1};
    hand_object(&made->source, CAT_CLASS_NAMESPACE, 1000, NULL, "app", "schema");
    hand_object(&made->source, CAT_CLASS_NAMESPACE, 1001, NULL, "bill", "schema");
    hand_object(&made->source, CAT_CLASS_NAMESPACE, 1002, NULL, "far", "schema");
    hand_object(&made->source, CAT_CLASS_RULE, 41, NULL, "_RETURN", "rule");
    depend(made, CAT_CLASS_RELATION, 21, 20, 'a');
    depend(made, CAT_CLASS_RULE, 41, 10, 'n');
    depend(made, CAT_CLASS_RULE, 41, 40, 'i');
    select_schema(made, 0, "app");
    select_schema(made, 1, "bill");
    *state = made;
    return 0;
}

static int teardown(void **state)
{
    Made *made = *state;
    for (size_t i = 0; i < 3; i++)
        selector_release(&made->schemas[i].selector);
    for (size_t i = 0; i < made->plan.select.map_count; i++)
        selector_release(&made->map[i].source.selector);
    blueprint_release(&made->blueprint);
    catalog_release(&made->source);
    catalog_release(&made->target);
    err_release(&made->err);
    arena_release(&made->arena);
    free(made);
    return 0;
}

static void map(Made *made, const char *source, const char *target, bool merge)
{
    PlanMap *entry = &made->map[made->plan.select.map_count++];
    size_t column = 0;
    uint32_t line = 10 + (uint32_t)made->plan.select.map_count;
    *entry = (PlanMap){.target = target, .merge = merge, .pos = {line, 30}};
    entry->source.pos = (PlanPos){line, 10};
    assert_true(
        selector_relation(&made->arena, source, &entry->source.selector, &column, &made->err));
}

static bool build(Made *made)
{
    made->plan.select.schemas = (PlanSelectors){made->schemas, 2};
    made->plan.select.map = made->map;
    catalog_complete(&made->source);
    catalog_complete(&made->target);
    return blueprint_build(&made->blueprint, &made->plan, &made->source, &made->target,
                           &made->findings, &made->err);
}

static const char *finding(Made *made, size_t i)
{
    if (i >= made->findings.count)
        fail_msg("there are only %zu findings", made->findings.count);
    const PlanFinding *f = &made->findings.items[i];
    return arena_printf(&made->arena, "%u:%u %s %s%s%s", f->pos.line, f->pos.column, f->code,
                        f->message, f->hint == NULL ? "" : " | ", f->hint == NULL ? "" : f->hint);
}

static const char *target_of(Made *made, uint32_t oid, const char *schema, const char *rel)
{
    Name name = blueprint_target_name(&made->blueprint, oid, &(Name){schema, rel});
    return name_text(&made->arena, &name);
}

static bool has_schema(const Made *made, const char *schema)
{
    for (size_t i = 0; i < made->blueprint.schema_count; i++)
        if (strcmp(made->blueprint.schemas[i], schema) == 0)
            return true;
    return false;
}

static void names_and_what_follows_them(void **state)
{
    Made *made = *state;
    map(made, "app.a", "app.b", false);
    map(made, "app.b", "crm.a", false);
    map(made, "~app\\.(ev)ent", "tsdb.\"${1} ${1}\"", false);
    map(made, "~bill\\.(.*)", "app.${1}", false);
    assert_true(build(made));
    assert_int_equal(made->findings.count, 0);
    assert_string_equal(target_of(made, 10, "app", "a"), "app.b");
    assert_string_equal(target_of(made, 20, "app", "b"), "crm.a");
    assert_string_equal(target_of(made, 21, "app", "b_id_seq"), "crm.b_id_seq");
    assert_string_equal(target_of(made, 200, "app", "b_pkey"), "crm.b_pkey");
    assert_string_equal(target_of(made, 100, "app", "a_pkey"), "app.a_pkey");
    assert_string_equal(target_of(made, 30, "app", "event"), "tsdb.\"ev ev\"");
    assert_string_equal(target_of(made, 31, "app", "event_1"), "tsdb.event_1");
    assert_string_equal(target_of(made, 32, "far", "event_2"), "far.event_2");
    assert_string_equal(target_of(made, 40, "app", "v"), "app.v");
    assert_true(has_schema(made, "crm") && has_schema(made, "tsdb") && has_schema(made, "app"));
    assert_false(has_schema(made, "bill"));
    assert_false(blueprint_keeps_object(&made->blueprint, CAT_CLASS_NAMESPACE, 1001));
    assert_true(blueprint_keeps_object(&made->blueprint, CAT_CLASS_RELATION, 50));
    const Leaf *leaf = blueprint_leaf(&made->blueprint, 50);
    assert_string_equal(name_text(&made->arena, &leaf->target_share), "app.i_1");
    assert_true(leaf->one_to_one);
    assert_string_equal(name_text(&made->arena, &made->blueprint.sequences[0].target),
                        "crm.b_id_seq");
    assert_null(blueprint_rename(&made->blueprint, 40));
}

static void the_first_entry_that_matches_counts(void **state)
{
    Made *made = *state;
    map(made, "~app\\.a", "x.first", false);
    map(made, "app.a", "x.second", false);
    assert_true(build(made));
    assert_string_equal(target_of(made, 10, "app", "a"), "x.first");
}

static void bad_names_are_found_at_the_target(void **state)
{
    Made *made = *state;
    map(made, "app.a", "app.${1}", false);
    map(made, "~app\\.(b)(x)?", "app.${2}", false);
    map(made, "~bill\\.(i_1)", "app.${1}_${7}", false);
    map(made, "bill.i_2", "app.n234567890123456789012345678901234567890123456789012345678901234",
        false);
    assert_false(build(made));
    assert_string_equal(finding(made, 0),
                        "11:30 P351 select.map: app.a gets no name from app.${1}: a name has no "
                        "groups, only a pattern has");
    assert_string_equal(finding(made, 1),
                        "12:30 P351 select.map: app.b gets no name from app.${2}: group 2 of the "
                        "pattern takes no part in matching app.b");
    assert_string_equal(finding(made, 2),
                        "13:30 P351 select.map: bill.i_1 gets no name from app.${1}_${7}: the "
                        "pattern has no group 7");
    assert_string_equal(
        finding(made, 3),
        "14:30 P351 select.map: bill.i_2 gets no name from "
        "app.n234567890123456789012345678901234567890123456789012345678901234: the name would be "
        "longer than 63 bytes: n234567890123456789012345678901234567890123456789012345678901234");
}

static void an_entry_must_match_a_table(void **state)
{
    Made *made = *state;
    map(made, "app.aa", "x.a", false);
    map(made, "app.v", "x.v", false);
    map(made, "~other\\..*", "x.y", false);
    assert_false(build(made));
    assert_int_equal(made->findings.count, 3);
    assert_string_equal(finding(made, 0), "11:10 P353 select.map: no selected table is called "
                                          "app.aa | did you mean \"app.a\"?");
    assert_string_equal(finding(made, 1),
                        "12:10 P354 select.map: app.v is no table, and only tables get another "
                        "name | Exclude it, and create it on the target under its other name.");
    assert_string_equal(finding(made, 2),
                        "13:10 P353 select.map: no selected table matches ~other\\..*");
}

static void two_of_one_name_are_found(void **state)
{
    Made *made = *state;
    map(made, "app.a", "app.v", false);
    map(made, "app.b", "bill.i_1", false);
    map(made, "~bill\\.i_(2)", "app.b_pkey", false);
    assert_false(build(made));
    assert_int_equal(made->findings.count, 2);
    assert_string_equal(finding(made, 0), "11:30 P352 select.map: table app.a and view app.v would "
                                          "both be app.v on the target");
    assert_string_equal(finding(made, 1),
                        "12:30 P352 select.map: table app.b and table bill.i_1 would both be "
                        "bill.i_1 on the target | Give them different names, or write merge: true "
                        "to make them one.");
}

static void indexes_may_clash_in_the_new_schema(void **state)
{
    Made *made = *state;
    made->indexes[2].name.rel = "a_pkey";
    map(made, "bill.i_1", "app.i_1", false);
    assert_false(build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(finding(made, 0),
                        "11:30 P352 select.map: index app.a_pkey and index bill.a_pkey would both "
                        "be app.a_pkey on the target | Rename one on the source (ALTER INDEX ... "
                        "RENAME TO locks it for a moment only), or map to another schema.");
}

static void many_become_one(void **state)
{
    Made *made = *state;
    map(made, "~bill\\.i_(\\d)", "bill.i", true);
    assert_true(build(made));
    assert_int_equal(made->findings.count, 0);
    Relation *one = blueprint_relation(&made->blueprint, &(Name){"bill", "i_1"});
    Relation *two = blueprint_relation(&made->blueprint, &(Name){"bill", "i_2"});
    assert_ptr_equal(one->merge, one);
    assert_ptr_equal(two->merge, one);
    assert_ptr_equal(one->merge_next, two);
    assert_null(two->merge_next);
    assert_false(one->leaves[0]->one_to_one || two->leaves[0]->one_to_one);
    assert_true(blueprint_keeps_object(&made->blueprint, CAT_CLASS_RELATION, 50));
    assert_false(blueprint_keeps_object(&made->blueprint, CAT_CLASS_RELATION, 60));
    size_t indexes = 0;
    for (size_t i = 0; i < made->blueprint.index_count; i++)
        indexes += made->blueprint.indexes[i].relation == one ||
                   made->blueprint.indexes[i].relation == two;
    assert_int_equal(indexes, 1);
    assert_true(has_schema(made, "bill"));
}

static void what_differs_is_said(void **state)
{
    Made *made = *state;
    made->columns[9].type_text = "character varying";
    made->indexes[3].attnums = SECOND;
    made->columns[9].not_null = true;
    made->constraints[0] = (CatConstraint){
        .oid = 700, .relation = 50, .name = "c", .type = 'c', .sql = "CHECK ((id < 5))"};
    made->source.constraints_count = 1;
    made->plan.apply.on_conflict = PLAN_CONFLICT_UPSERT;
    map(made, "~bill\\.i_(\\d)", "bill.i", true);
    assert_false(build(made));
    assert_int_equal(made->findings.count, 5);
    assert_string_equal(finding(made, 0),
                        "11:30 P355 select.map: bill.i_1 has the check c, which rows of bill.i_2 "
                        "may not meet | Drop it on the source, or add the same check to every "
                        "table that is merged.");
    assert_string_equal(finding(made, 1), "11:30 P355 select.map: column t is of type text in "
                                          "bill.i_1, of type character varying in bill.i_2");
    assert_string_equal(finding(made, 2),
                        "11:30 P356 select.map: tables are merged into bill.i only with "
                        "apply.on_conflict: stop | Otherwise two rows of different tables with one "
                        "key would become one without a word.");
    assert_string_equal(finding(made, 3), "11:30 P356 select.map: the key of bill.i_1 is (id), "
                                          "that of bill.i_2 is (t)");
    assert_string_equal(finding(made, 4),
                        "11:30 P359 select.map: index bill.i_2_pkey is left out: bill.i_1, whose "
                        "structure the target gets, has none like it");
}

static void what_reads_one_of_them_is_refused(void **state)
{
    Made *made = *state;
    made->dependencies[1].ref_oid = 60;
    map(made, "~bill\\.i_(\\d)", "bill.i", true);
    assert_false(build(made));
    assert_int_equal(made->findings.count, 1);
    assert_string_equal(finding(made, 0),
                        "11:30 P358 select.map: view app.v reads bill.i_2, which becomes a part of "
                        "bill.i | Exclude it, and create it on the target over the merged table.");
}

static void partitioned_and_keyless_tables_stay_apart(void **state)
{
    Made *made = *state;
    made->indexes[0].unique = false;
    map(made, "app.a", "x.one", true);
    map(made, "app.event", "x.one", true);
    assert_false(build(made));
    assert_int_equal(made->findings.count, 4);
    assert_string_equal(finding(made, 0),
                        "11:30 P356 select.map: app.a has no key that names one row, so its rows "
                        "could not be told from those it is merged with | Add a primary key to "
                        "every table that is merged.");
    assert_string_equal(finding(made, 3), "12:30 P357 select.map: app.event is partitioned and "
                                          "cannot be merged in this version");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_and_what_follows_them, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_entry_that_matches_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_names_are_found_at_the_target, setup, teardown),
        cmocka_unit_test_setup_teardown(an_entry_must_match_a_table, setup, teardown),
        cmocka_unit_test_setup_teardown(two_of_one_name_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(indexes_may_clash_in_the_new_schema, setup, teardown),
        cmocka_unit_test_setup_teardown(many_become_one, setup, teardown),
        cmocka_unit_test_setup_teardown(what_differs_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(what_reads_one_of_them_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(partitioned_and_keyless_tables_stay_apart, setup, teardown),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
