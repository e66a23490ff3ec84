/*
 * godwit graph PLAN: steps and needs. Without --connect no server is read, and steps that stand for
 * an object (a copy per relation, an index each) cannot be known: their kinds are listed instead.
 */
#include "cmd/command.h"
#include "cmd/session.h"
#include "report/graph_text.h"

static bool print(const Options *options, const Blueprint *blueprint, Err *err)
{
    AUTO_STR Str out = {0};
    Graph graph = {0};
    bool ok = graph_build(&graph, STEP_KINDS, blueprint, err);
    if (ok) {
        graph_print(&out, &graph, options->format);
        fputs(str_text(&out), stdout);
    }
    graph_release(&graph);
    return ok;
}

static void print_kinds(void)
{
    printf("\nkinds with a step for each object (--connect reads the servers and lists them):\n");
    for (const StepKind *const *kind = STEP_KINDS; *kind != NULL; kind++) {
        if ((*kind)->per_object)
            printf("%-9s  %s:*  %s\n", phase_name((*kind)->phase), (*kind)->name, (*kind)->summary);
    }
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    if (!session_plan(&session, options->arguments[0], err))
        return false;
    if (options->connect)
        return session_connect(&session, true, true, true, err) && session_inspect(&session, err) &&
               print(options, &session.blueprint, err);
    Blueprint nothing = {.plan = &session.plan};
    if (!print(options, &nothing, err))
        return false;
    if (text_equal(options->format, "text"))
        print_kinds();
    return true;
}

extern const Command COMMAND_GRAPH;
const Command COMMAND_GRAPH = {
    .name = "graph",
    .arguments = "PLAN",
    .summary = "prints the steps and what each needs",
    .touches = "nothing; with --connect it reads both servers",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_CONNECT, OPTION_NONE},
    .formats = "text|dot|mermaid|json",
    .run = run,
};
