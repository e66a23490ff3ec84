/*
 * The graph of a plan alone: every kind is in it, in the order and with the needs that it has over
 * a real catalog; what the plan names has its own name.
 */
#include "graph/offline.h"
#include "report/graph_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* Kinds that every such plan has; the others come by keys of the plan, or by what a server is. */
static const char *const ALWAYS[] = {
    "preflight",
    "control_schema",
    "extensions",
    "schema_pre",
    "hypertable",
    "publication",
    "slot",
    "wave",
    "copy",
    "wave_end",
    "index",
    "constraint",
    "foreign_key",
    "schema_post",
    "analyze",
    "replicate",
    "catchup",
    "validate",
    "matview",
    "verify",
    "gates",
    "approval",
    "cutover.prepare",
    "cutover.target_fence",
    "cutover.drain",
    "cutover.sequences",
    "cutover.source_fence",
    "triggers_late",
    "cutover.verify",
    "cutover.switch",
    "cutover.unfence",
    "finish",
};

static const char PLAN[] = "version: 1\n"
                           "name: m\n"
                           "source: {kind: self_hosted, conninfo_env: S}\n"
                           "target: {kind: self_hosted, conninfo_env: T}\n"
                           "select: {schemas: [public]}\n"
                           "hypertables:\n"
                           "  - target_table: public.metrics\n"
                           "    by_range: {column_name: time}\n"
                           "verify:\n"
                           "  - {id: counts, method: count}\n";

typedef struct Trial {
    Arena arena;
    Plan plan;
    Graph graph;
} Trial;

static int begin(void **state)
{
    static Trial trial;
    PlanFindings findings;
    AUTO_ERR Err err = {0};
    trial = (Trial){0};
    if (!plan_load_from(&trial.plan, "m.yaml", PLAN, &findings, &err) ||
        !graph_build_offline(&trial.graph, &trial.arena, STEP_KINDS, &trial.plan, &err))
        fail_msg("%s", err.message);
    *state = &trial;
    return 0;
}

static int end(void **state)
{
    Trial *trial = *state;
    graph_release(&trial->graph);
    plan_release(&trial->plan);
    arena_release(&trial->arena);
    return 0;
}

static void every_kind_is_there(void **state)
{
    const Trial *trial = *state;
    for (size_t k = 0; k < sizeof(ALWAYS) / sizeof(ALWAYS[0]); k++) {
        bool there = false;
        for (size_t i = 0; i < trial->graph.count; i++) {
            const Step *step = trial->graph.steps[i];
            there = there || (!step->barrier && text_equal(step->kind->name, ALWAYS[k]));
        }
        if (!there)
            fail_msg("there is no step of kind %s", ALWAYS[k]);
    }
}

static void ids_of_objects_have_a_colon(void **state)
{
    const Trial *trial = *state;
    for (size_t i = 0; i < trial->graph.count; i++) {
        const Step *step = trial->graph.steps[i];
        if (!step->barrier && strchr(step->id, ':') != NULL && !step->kind->per_object)
            fail_msg("%s: its kind is not per_object", step->id);
    }
}

static void assert_line(const char *text, const char *line)
{
    if (strstr(text, line) == NULL)
        fail_msg("no line \"%s\" in\n%s", line, text);
}

static void objects_are_stars(void **state)
{
    const Trial *trial = *state;
    AUTO_STR Str out = {0};
    graph_print(&out, &trial->graph, "m.yaml", "text");
    const char *text = str_text(&out);
    assert_line(text, "\ncopy       copy:*  <- wave\n");
    assert_line(text, "\ncopy       copy:public.metrics  <- wave\n");
    assert_line(text, "\ncopy       index:*  <- copy:*\n");
    assert_line(text, "\ncopy       constraint:*  <- copy:*, index:*\n");
    assert_line(text, "\ncatchup    verify:counts  <- catchup\n");
    assert_null(strstr(text, "\"*\""));
}

static void positions_are_the_plans(void **state)
{
    const Trial *trial = *state;
    const Step *hypertable = graph_find(&trial->graph, "hypertable:public.metrics");
    const Step *verify = graph_find(&trial->graph, "verify:counts");
    const Step *gates = graph_find(&trial->graph, "gates");
    assert_non_null(hypertable);
    assert_int_equal(hypertable->pos.line, 7);
    assert_int_equal(verify->pos.line, 10);
    assert_int_equal(gates->pos.line, 0); /* the plan says nothing of the cutover */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_there),
        cmocka_unit_test(ids_of_objects_have_a_colon),
        cmocka_unit_test(objects_are_stars),
        cmocka_unit_test(positions_are_the_plans),
    };
    return cmocka_run_group_tests_name("graph/offline", tests, begin, end);
}
