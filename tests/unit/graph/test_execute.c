/*
 * The executor and its workers on a real server: what a step says decides what is done, what is
 * done is recorded, and a failure ends only what needs it. The steps are played by Act.
 */
#include "cutover/cutover.h"
#include "graph/execute.h"
#include "lib/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct Act {
    const char *id;
    const StepKind *kind;
    const char *needs; /* an id, or NULL */
    Observed found;    /* before it was applied */
    Observed after;
    const char *reason;
    size_t fails; /* so many of its calls fail */
    const char *sqlstate;
    size_t parts;
    bool drops_session; /* ends the worker's own session while it runs, and succeeds */
    StopReason stops;
    bool leaves;
    double cost;
    atomic_size_t applied;
    atomic_size_t observed;
    StepState state; /* at the end */
} Act;

static Conn *conn;
static Stop stop;
static Run run;
static Plan plan = {
    .name = "acts",
    .copy = {.table_jobs = 2, .index_jobs = 1},
    .apply = {.lanes = 1},
    .source = {.max_connections = 20},
    .target = {.max_connections = 20},
};
static Act *acts; /* of the test that runs */
static size_t act_count;

/* --- the kinds: each asks its act --- */

static const Act *act_of(const StepCtx *ctx)
{
    return ctx->step->object;
}

static bool act_observe(StepCtx *ctx, Observation *seen, Err *err)
{
    (void)err;
    Act *act = (Act *)(uintptr_t)act_of(ctx);
    atomic_fetch_add(&act->observed, 1);
    seen->state = atomic_load(&act->applied) <= act->fails ? act->found : act->after;
    seen->reason = act->reason;
    return true;
}

static bool act_apply(StepCtx *ctx, Err *err)
{
    Act *act = (Act *)(uintptr_t)act_of(ctx);
    size_t call = atomic_fetch_add(&act->applied, 1);
    if (call < act->fails) {
        err_set(err, ERR_SQL, "%s fails", act->id);
        if (act->sqlstate != NULL)
            memcpy(err->sqlstate, act->sqlstate, sizeof(err->sqlstate));
        return false;
    }
    if (act->drops_session) {
        AUTO_ERR Err gone = {0};
        assert_false(pg_none(ctx->source, "SELECT pg_terminate_backend(pg_backend_pid())",
                             NO_PARAMS, &gone));
    }
    if (act->stops != STOP_NONE)
        stop_request(ctx->run->stop, act->stops);
    if (act->leaves)
        atomic_store(&ctx->run->leaves, true);
    return true;
}

static bool act_verify(StepCtx *ctx, Err *err)
{
    const Act *act = act_of(ctx);
    return act->reason == NULL || err_set(err, ERR_DIFFERENCE, "%s", act->reason);
}

static bool act_part_count(StepCtx *ctx, size_t *count, Err *err)
{
    (void)err;
    *count = act_of(ctx)->parts;
    return true;
}

static bool act_part(StepCtx *ctx, size_t part, Err *err)
{
    (void)part;
    return act_apply(ctx, err);
}

#define EXPANDS(name)                                                                              \
    static bool expand_##name(StepBuilder *b, const Blueprint *blueprint, Err *err);               \
    static const StepKind name

static bool expand_acts(StepBuilder *b, const StepKind *kind)
{
    for (size_t i = 0; i < act_count; i++) {
        if (acts[i].kind != kind)
            continue;
        Step *step = step_add(b, kind, acts[i].id, &acts[i], acts[i].cost);
        if (acts[i].needs != NULL)
            step_needs_id(b, step, acts[i].needs);
    }
    return true;
}

EXPANDS(PLAIN) = {.name = "plain",
                  .phase = PHASE_SCHEMA,
                  .flags = STEP_NEEDS_SOURCE | STEP_INDEX_JOB,
                  .expand = expand_PLAIN,
                  .observe = act_observe,
                  .apply = act_apply};
EXPANDS(PROVEN) = {.name = "proven",
                   .phase = PHASE_SCHEMA,
                   .expand = expand_PROVEN,
                   .observe = act_observe,
                   .apply = act_apply,
                   .verify = act_verify};
EXPANDS(PARTED) = {.name = "parted",
                   .phase = PHASE_COPY,
                   .flags = STEP_COPY_JOB,
                   .expand = expand_PARTED,
                   .observe = act_observe,
                   .part_count = act_part_count,
                   .part_apply = act_part,
                   .verify = act_verify};
EXPANDS(ALONE) = {.name = "alone",
                  .phase = PHASE_COPY,
                  .flags = STEP_ALONE,
                  .expand = expand_ALONE,
                  .observe = act_observe,
                  .apply = act_apply};
EXPANDS(USER) = {.name = "user",
                 .phase = PHASE_COPY,
                 .flags = STEP_USER,
                 .expand = expand_USER,
                 .observe = act_observe,
                 .apply = act_apply};

#define EXPAND(name)                                                                               \
    static bool expand_##name(StepBuilder *b, const Blueprint *blueprint, Err *err)                \
    {                                                                                              \
        (void)blueprint;                                                                           \
        (void)err;                                                                                 \
        return expand_acts(b, &name);                                                              \
    }

EXPAND(PLAIN)
EXPAND(PROVEN)
EXPAND(PARTED)
EXPAND(ALONE)
EXPAND(USER)

/* --- one execution --- */

static int setup(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    if (server_setup(NULL) != 0)
        return -1;
    if (!server_is_there())
        return 0;
    conn = server_open(CONN_TARGET, "postgres");
    run = (Run){.plan = &plan,
                .source = server_endpoint(CONN_SOURCE, "postgres"),
                .target = server_endpoint(CONN_TARGET, "postgres"),
                .stop = &stop,
                .cutover = cutover_new(),
                .journal = {.name = "acts",
                            .mark = "0123abcd",
                            .fingerprint = "f",
                            .canonical = "{}",
                            .source_system = "s",
                            .target_system = "t"}};
    return journal_create(conn, &err) && journal_create_run(conn, &run.journal, "1", &err) ? 0 : -1;
}

static int teardown(void **state)
{
    cutover_free(run.cutover);
    conn_close(conn);
    return server_teardown(state);
}

static void look(void *data, const ExecuteView *view)
{
    size_t *ticks = data;
    ++*ticks;
    for (size_t i = 0; i < view->graph->count; i++) {
        if (!view->graph->steps[i]->barrier)
            ((Act *)(uintptr_t)view->graph->steps[i]->object)->state = view->states[i];
    }
}

static bool play(Act *of, size_t count, const char *until, Err *err)
{
    const StepKind *const kinds[] = {&PLAIN, &PROVEN, &PARTED, &ALONE, &USER, NULL};
    Graph graph;
    size_t ticks = 0;
    if (!server_is_there())
        skip();
    acts = of;
    act_count = count;
    server_script(conn, "DELETE FROM godwit.step");
    atomic_store(&run.leaves, false);
    assert_true(stop_init(&stop, err));
    assert_true(graph_build(&graph, kinds, NULL, err));
    bool ok = graph_execute(
        &graph, &run, &(ExecuteOptions){.until = until, .tick = look, .tick_data = &ticks}, err);
    graph_release(&graph);
    stop_release(&stop);
    return ok;
}

#define PLAY(list, until, err) play(list, sizeof(list) / sizeof((list)[0]), until, err)

static const char *recorded(Arena *arena)
{
    return server_value(arena, conn,
                        "SELECT string_agg(step || ' ' || state || coalesce(' ' || detail, ''), "
                        "', ' ORDER BY step) FROM godwit.step");
}

static void what_is_needed_is_done_and_recorded(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    Act list[] = {
        {.id = "a", .kind = &PLAIN, .found = OBSERVED_NEEDED, .cost = 1, .drops_session = true},
        {.id = "b", .kind = &PLAIN, .needs = "plain:a"},
        {.id = "c", .kind = &PLAIN, .found = OBSERVED_NEEDED, .cost = 5},
        {.id = "d", .kind = &PARTED, .found = OBSERVED_NEEDED, .parts = 3, .needs = "plain:c"},
        {.id = "e", .kind = &PARTED, .found = OBSERVED_NEEDED},
        {.id = "f", .kind = &ALONE, .found = OBSERVED_NEEDED, .needs = "parted:d"},
        {.id = "g", .kind = &USER, .found = OBSERVED_NEEDED},
    };
    assert_true(PLAY(list, NULL, &err));
    const size_t applied[] = {1, 0, 1, 3, 0, 1, 1};
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        assert_int_equal(list[i].applied, applied[i]);
    assert_string_equal(recorded(&arena), "alone:f done, parted:d done, parted:e done, "
                                          "plain:a done, plain:b done was there, plain:c done");
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        Act act;
        ErrCode code;
        const char *message, *detail;
    } CASES[] = {
        {{.id = "x", .kind = &PLAIN, .found = OBSERVED_DRIFTED, .reason = "it is another"},
         ERR_DRIFT,
         "it is another",
         NULL},
        {{.id = "x", .kind = &PLAIN, .found = OBSERVED_DRIFTED},
         ERR_DRIFT,
         "what is there is not what the plan wants",
         NULL},
        {{.id = "x", .kind = &PLAIN, .found = OBSERVED_IMPOSSIBLE, .reason = "no such server"},
         ERR_RUN,
         "no such server",
         NULL},
        {{.id = "x", .kind = &PLAIN, .found = OBSERVED_NEEDED, .after = OBSERVED_NEEDED},
         ERR_RUN,
         "the step ran, but its effect cannot be seen",
         NULL},
        {{.id = "x",
          .kind = &PLAIN,
          .found = OBSERVED_NEEDED,
          .after = OBSERVED_NEEDED,
          .reason = "still away"},
         ERR_RUN,
         "the step ran, but its effect cannot be seen",
         "still away"},
        {{.id = "x", .kind = &PROVEN, .found = OBSERVED_NEEDED, .reason = "one row too many"},
         ERR_DIFFERENCE,
         "one row too many",
         NULL},
        {{.id = "x", .kind = &PARTED, .found = OBSERVED_NEEDED, .parts = 1, .reason = "a hole"},
         ERR_DIFFERENCE,
         "a hole",
         NULL},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        AUTO_ARENA Arena arena = {0};
        AUTO_ERR Err err = {0};
        Act list[] = {CASES[i].act, {.id = "y", .kind = &PLAIN, .needs = NULL}};
        list[1].needs = arena_printf(&arena, "%s:x", list[0].kind->name);
        assert_false(PLAY(list, NULL, &err));
        assert_int_equal(err.code, CASES[i].code);
        assert_string_equal(err.message, CASES[i].message);
        if (CASES[i].detail != NULL)
            assert_string_equal(err.detail, CASES[i].detail);
        assert_string_equal(err.step, list[1].needs);
        assert_int_equal(list[0].state, STEP_FAILED);
        assert_int_equal(list[1].observed, 0);
        assert_non_null(strstr(recorded(&arena), arena_printf(&arena, "x failed %s", err.message)));
    }
}

/* What passes is tried again by itself, as a whole or one part; what does not is not. */
static void passing_faults_are_tried_again(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    Act list[] = {
        {.id = "a", .kind = &PLAIN, .found = OBSERVED_NEEDED, .fails = 1, .sqlstate = "40001"},
        {.id = "b",
         .kind = &PARTED,
         .found = OBSERVED_NEEDED,
         .parts = 2,
         .fails = 1,
         .sqlstate = "57P01"},
    };
    assert_true(PLAY(list, NULL, &err));
    assert_int_equal(list[0].applied, 2);
    assert_int_equal(list[1].applied, 3);
}

static void a_failure_ends_what_needs_it(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    Act list[] = {
        {.id = "a", .kind = &PARTED, .found = OBSERVED_NEEDED, .parts = 6, .fails = 6, .cost = 9},
        {.id = "b", .kind = &PLAIN, .needs = "parted:a"},
        {.id = "u", .kind = &USER, .found = OBSERVED_NEEDED, .fails = 1},
    };
    assert_false(PLAY(list, NULL, &err));
    assert_int_equal(err.code, ERR_SQL);
    assert_non_null(strstr(err.message, " fails"));
    assert_in_range(list[0].applied, 0, 2); /* two copy jobs; none begins behind a failure */
    assert_int_equal(list[1].observed, 0);
    assert_null(strstr(recorded(&arena), "user:u"));
}

static void a_part_of_the_graph(void **state)
{
    (void)state;
    Act list[] = {
        {.id = "a", .kind = &PLAIN, .found = OBSERVED_NEEDED},
        {.id = "b", .kind = &PROVEN, .found = OBSERVED_NEEDED, .needs = "plain:a"},
        {.id = "c", .kind = &PROVEN, .found = OBSERVED_NEEDED},
    };
    static const struct {
        const char *until;
        size_t applied[3];
    } CASES[] = {{"proven:b", {1, 1, 0}}, {"proven", {1, 1, 1}}, {"plain:a", {1, 0, 0}}};
    for (size_t i = 0; i < 3; i++) {
        AUTO_ERR Err err = {0};
        for (size_t n = 0; n < 3; n++)
            atomic_store(&list[n].applied, 0);
        assert_true(PLAY(list, CASES[i].until, &err));
        for (size_t n = 0; n < 3; n++)
            assert_int_equal(list[n].applied, CASES[i].applied[n]);
    }
    AUTO_ERR Err err = {0};
    assert_false(PLAY(list, "none such", &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_string_equal(err.message, "no step is called \"none such\"");
    assert_non_null(err.hint);
}

/* A stop is an error of its own; an engine that leaves has none. Neither begins another step. */
static void stops_begin_nothing_more(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    Act stopping[] = {
        {.id = "a", .kind = &PLAIN, .found = OBSERVED_NEEDED, .stops = STOP_TERMINATE},
        {.id = "b", .kind = &PLAIN, .found = OBSERVED_NEEDED, .needs = "plain:a"},
    };
    assert_false(PLAY(stopping, NULL, &err));
    assert_int_equal(err.code, ERR_TERMINATED);
    assert_int_equal(stopping[1].applied, 0);
    err_release(&err);
    Act leaving[] = {
        {.id = "a", .kind = &PLAIN, .found = OBSERVED_NEEDED, .leaves = true},
        {.id = "b", .kind = &PLAIN, .found = OBSERVED_NEEDED, .needs = "plain:a"},
    };
    assert_true(PLAY(leaving, NULL, &err));
    assert_int_equal(leaving[1].applied, 0);
}

/* However few connections the plan leaves, there is a worker for each sort of step. */
static void few_connections_are_enough(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    const Plan before = plan;
    Act list[] = {
        {.id = "a", .kind = &PARTED, .found = OBSERVED_NEEDED, .parts = 3},
        {.id = "u", .kind = &USER, .found = OBSERVED_NEEDED},
        {.id = "b", .kind = &PLAIN, .found = OBSERVED_NEEDED, .needs = "user:u"},
    };
    plan.source.max_connections = plan.target.max_connections = 1;
    assert_true(PLAY(list, NULL, &err));
    assert_int_equal(list[0].applied, 3);
    assert_int_equal(list[2].applied, 1);
    plan = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed_is_done_and_recorded),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(passing_faults_are_tried_again),
        cmocka_unit_test(a_failure_ends_what_needs_it),
        cmocka_unit_test(a_part_of_the_graph),
        cmocka_unit_test(stops_begin_nothing_more),
        cmocka_unit_test(few_connections_are_enough),
    };
    return cmocka_run_group_tests_name("graph/execute", tests, setup, teardown);
}
