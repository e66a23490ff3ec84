/*
 * The graph: needs by kind and by id, order, a cycle printed whole, ids that clash.
 */
#include "graph/build.h"
#include "report/graph_text.h"
#include "step/builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

extern const StepKind KIND_COPY, KIND_INDEX, KIND_FINISH, KIND_LOOP_A, KIND_LOOP_B, KIND_TWICE,
    KIND_ODD;

static bool expand_copy(StepBuilder *b, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_at(step_add(b, &KIND_COPY, "a", NULL, 1), (PlanPos){.line = 8, .column = 5});
    step_add(b, &KIND_COPY, "b", NULL, 2);
    return true;
}

static bool expand_index(StepBuilder *b, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_needs_id(b, step_add(b, &KIND_INDEX, "a_key", NULL, 1), "copy:a");
    return true;
}

static bool expand_finish(StepBuilder *b, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    Step *step = step_add(b, &KIND_FINISH, NULL, NULL, 0);
    step_needs_kind(b, step, "copy");
    step_needs_kind(b, step, "index");
    step_needs_kind(b, step, "foreign_key"); /* a kind without steps holds nobody up */
    return true;
}

static bool expand_loop_a(StepBuilder *b, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_needs_id(b, step_add(b, &KIND_LOOP_A, NULL, NULL, 0), "loop_b");
    return true;
}

static bool expand_loop_b(StepBuilder *b, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_needs_kind(b, step_add(b, &KIND_LOOP_B, NULL, NULL, 0), "loop_a");
    return true;
}

static bool expand_twice(StepBuilder *b, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_add(b, &KIND_TWICE, "same", NULL, 0);
    step_add(b, &KIND_TWICE, "same", NULL, 0);
    return true;
}

const StepKind KIND_COPY = {.name = "copy",
                            .phase = PHASE_COPY,
                            .summary = "Copies.",
                            .per_object = true,
                            .expand = expand_copy};
const StepKind KIND_INDEX = {
    .name = "index", .phase = PHASE_COPY, .per_object = true, .expand = expand_index};
const StepKind KIND_FINISH = {.name = "finish", .phase = PHASE_FINISH, .expand = expand_finish};
const StepKind KIND_LOOP_A = {.name = "loop_a", .expand = expand_loop_a};
const StepKind KIND_LOOP_B = {.name = "loop_b", .expand = expand_loop_b};
const StepKind KIND_TWICE = {.name = "twice", .expand = expand_twice};

static size_t place(const Graph *graph, const char *id)
{
    const Step *step = graph_find(graph, id);
    assert_non_null(step);
    return step->index;
}

static void orders_by_needs(void **state)
{
    (void)state;
    const StepKind *const kinds[] = {&KIND_FINISH, &KIND_INDEX, &KIND_COPY, NULL};
    Graph graph;
    AUTO_ERR Err err = {0};
    assert_true(graph_build(&graph, kinds, NULL, &err));
    assert_true(place(&graph, "copy:a") < place(&graph, "index:a_key"));
    assert_true(place(&graph, "index:a_key") < place(&graph, "finish"));
    assert_true(place(&graph, "copy:b") < place(&graph, "finish"));
    assert_null(graph_find(&graph, "foreign_key"));
    graph_release(&graph);
}

/* Steps copy:a, copy:b, index:a_key and finish in a format. */
static void assert_printed(const char *format, const char *expected)
{
    const StepKind *const kinds[] = {&KIND_COPY, &KIND_INDEX, &KIND_FINISH, NULL};
    Graph graph;
    AUTO_ERR Err err = {0};
    AUTO_STR Str out = {0};
    assert_true(graph_build(&graph, kinds, NULL, &err));
    graph_print(&out, &graph, "m.yaml", format);
    assert_string_equal(str_text(&out), expected);
    graph_release(&graph);
}

static void prints_text(void **state)
{
    (void)state;
    assert_printed("text", "copy       copy:a\n"
                           "copy       copy:b\n"
                           "copy       index:a_key  <- copy:a\n"
                           "finish     finish  <- copy:*, index:a_key\n");
}

static void prints_dot(void **state)
{
    (void)state;
    assert_printed("dot", "digraph godwit {\n"
                          "  node [shape=box];\n"
                          "  subgraph cluster_copy {\n"
                          "    label=\"copy\";\n"
                          "    \"copy:a\";\n"
                          "    \"copy:b\";\n"
                          "    \"index:a_key\";\n"
                          "    \"all copy\";\n"
                          "  }\n"
                          "  subgraph cluster_finish {\n"
                          "    label=\"finish\";\n"
                          "    \"finish\";\n"
                          "  }\n"
                          "  \"copy:a\" -> \"index:a_key\";\n"
                          "  \"copy:a\" -> \"all copy\";\n"
                          "  \"copy:b\" -> \"all copy\";\n"
                          "  \"all copy\" -> \"finish\";\n"
                          "  \"index:a_key\" -> \"finish\";\n"
                          "}\n");
}

static void prints_mermaid(void **state)
{
    (void)state;
    assert_printed("mermaid", "graph TD\n"
                              "  subgraph phase_copy[\"copy\"]\n"
                              "    s0[\"copy:a\"]\n"
                              "    s1[\"copy:b\"]\n"
                              "    s2[\"index:a_key\"]\n"
                              "    s3[\"all copy\"]\n"
                              "  end\n"
                              "  subgraph phase_finish[\"finish\"]\n"
                              "    s6[\"finish\"]\n"
                              "  end\n"
                              "  s0 --> s2\n"
                              "  s0 --> s3\n"
                              "  s1 --> s3\n"
                              "  s3 --> s6\n"
                              "  s2 --> s6\n");
}

static const char JSON[] = "{\n"
                           "  \"v\": 1,\n"
                           "  \"phases\": [\n"
                           "    \"preflight\",\n"
                           "    \"schema\",\n"
                           "    \"copy\",\n"
                           "    \"catchup\",\n"
                           "    \"cutover\",\n"
                           "    \"finish\"\n"
                           "  ],\n"
                           "  \"steps\": [\n"
                           "    {\n"
                           "      \"id\": \"copy:a\",\n"
                           "      \"kind\": \"copy\",\n"
                           "      \"phase\": \"copy\",\n"
                           "      \"per_object\": true,\n"
                           "      \"summary\": \"Copies.\",\n"
                           "      \"position\": {\n"
                           "        \"file\": \"m.yaml\",\n"
                           "        \"line\": 8,\n"
                           "        \"column\": 5\n"
                           "      },\n"
                           "      \"needs\": []\n"
                           "    },\n"
                           "    {\n"
                           "      \"id\": \"copy:b\",\n"
                           "      \"kind\": \"copy\",\n"
                           "      \"phase\": \"copy\",\n"
                           "      \"per_object\": true,\n"
                           "      \"summary\": \"Copies.\",\n"
                           "      \"needs\": []\n"
                           "    },\n"
                           "    {\n"
                           "      \"id\": \"index:a_key\",\n"
                           "      \"kind\": \"index\",\n"
                           "      \"phase\": \"copy\",\n"
                           "      \"per_object\": true,\n"
                           "      \"needs\": [\n"
                           "        \"copy:a\"\n"
                           "      ]\n"
                           "    },\n"
                           "    {\n"
                           "      \"id\": \"finish\",\n"
                           "      \"kind\": \"finish\",\n"
                           "      \"phase\": \"finish\",\n"
                           "      \"per_object\": false,\n"
                           "      \"needs\": [\n"
                           "        \"copy:*\",\n"
                           "        \"index:a_key\"\n"
                           "      ]\n"
                           "    }\n"
                           "  ]\n"
                           "}\n";

static void prints_json(void **state)
{
    (void)state;
    assert_printed("json", JSON);
}

static bool expand_odd(StepBuilder *b, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_add(b, &KIND_ODD, "\"a\\b\n#<\"", NULL, 0);
    return true;
}

const StepKind KIND_ODD = {.name = "odd", .phase = PHASE_SCHEMA, .expand = expand_odd};

/* A name can hold what means something in a drawing. */
static void escapes_names_in_drawings(void **state)
{
    (void)state;
    const StepKind *const kinds[] = {&KIND_ODD, NULL};
    Graph graph;
    AUTO_ERR Err err = {0};
    AUTO_STR Str dot = {0};
    AUTO_STR Str mermaid = {0};
    assert_true(graph_build(&graph, kinds, NULL, &err));
    graph_print(&dot, &graph, "m.yaml", "dot");
    graph_print(&mermaid, &graph, "m.yaml", "mermaid");
    assert_non_null(strstr(str_text(&dot), "    \"odd:\\\"a\\\\b #<\\\"\";\n"));
    assert_non_null(strstr(str_text(&mermaid), "s0[\"odd:#quot;a\\b #35;#lt;#quot;\"]\n"));
    graph_release(&graph);
}

static void prints_a_cycle_whole(void **state)
{
    (void)state;
    const StepKind *const kinds[] = {&KIND_LOOP_A, &KIND_LOOP_B, NULL};
    Graph graph;
    AUTO_ERR Err err = {0};
    assert_false(graph_build(&graph, kinds, NULL, &err));
    assert_int_equal(err.code, ERR_PLAN);
    assert_string_equal(err.message,
                        "steps need each other in a circle: loop_a -> loop_b -> loop_a");
    graph_release(&graph);
}

static void refuses_two_of_one_id(void **state)
{
    (void)state;
    const StepKind *const kinds[] = {&KIND_TWICE, NULL};
    Graph graph;
    AUTO_ERR Err err = {0};
    assert_false(graph_build(&graph, kinds, NULL, &err));
    assert_string_equal(err.message, "two steps have the id \"twice:same\"");
    graph_release(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_by_needs),      cmocka_unit_test(prints_text),
        cmocka_unit_test(prints_dot),           cmocka_unit_test(prints_mermaid),
        cmocka_unit_test(prints_json),          cmocka_unit_test(escapes_names_in_drawings),
        cmocka_unit_test(prints_a_cycle_whole), cmocka_unit_test(refuses_two_of_one_id),
    };
    return cmocka_run_group_tests_name("graph/build", tests, NULL, NULL);
}
