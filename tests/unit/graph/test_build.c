/*
 * The graph: needs by kind and by id, order, a cycle printed whole, ids that clash.
 */
#include "graph/build.h"
#include "report/graph_text.h"
#include "step/builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

extern const StepKind KIND_COPY, KIND_INDEX, KIND_FINISH, KIND_LOOP_A, KIND_LOOP_B, KIND_TWICE;

static bool expand_copy(StepBuilder *b, const Blueprint *blueprint, Err *err)
{
    (void)blueprint;
    (void)err;
    step_add(b, &KIND_COPY, "a", NULL, 1);
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

const StepKind KIND_COPY = {.name = "copy", .phase = PHASE_COPY, .expand = expand_copy};
const StepKind KIND_INDEX = {.name = "index", .phase = PHASE_COPY, .expand = expand_index};
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
    assert_true(graph_has_kind(&graph, "copy"));
    assert_false(graph_has_kind(&graph, "foreign_key"));
    graph_release(&graph);
}

static void prints_text(void **state)
{
    (void)state;
    const StepKind *const kinds[] = {&KIND_COPY, &KIND_INDEX, &KIND_FINISH, NULL};
    Graph graph;
    AUTO_ERR Err err = {0};
    AUTO_STR Str out = {0};
    assert_true(graph_build(&graph, kinds, NULL, &err));
    graph_print(&out, &graph, "text");
    assert_string_equal(str_text(&out), "copy       copy:a\n"
                                        "copy       copy:b\n"
                                        "copy       index:a_key  <- copy:a\n"
                                        "finish     finish  <- copy:*, index:a_key\n");
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
        cmocka_unit_test(orders_by_needs),
        cmocka_unit_test(prints_text),
        cmocka_unit_test(prints_a_cycle_whole),
        cmocka_unit_test(refuses_two_of_one_id),
    };
    return cmocka_run_group_tests_name("graph/build", tests, NULL, NULL);
}
