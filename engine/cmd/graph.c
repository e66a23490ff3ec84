/*
 * godwit graph PLAN: steps and needs. Without --connect no server is read: a step for each object
 * that only a server knows (a copy per relation, an index each) is then one kind:*.
 */
#include "cmd/command.h"
#include "cmd/hold.h"
#include "graph/offline.h"
#include "report/graph_text.h"

static void print(const Session *session, const Graph *graph, const char *format)
{
    AUTO_STR Str out = {0};
    graph_print(&out, graph, session->plan.path, format);
    fputs(str_text(&out), stdout);
}

static bool build(Session *session, const Options *options, Graph *graph, Err *err)
{
    if (!options->connect)
        return graph_build_offline(graph, &session->arena, STEP_KINDS, &session->plan, err);
    return session_connect(session, true, true, true, err) && session_journal(session, err) &&
           session_inspect(session, err) && session_hold(session, err) &&
           graph_build(graph, STEP_KINDS, &session->blueprint, err);
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    Graph graph = {0};
    if (!session_plan(&session, options->arguments[0], err))
        return false;
    bool ok = build(&session, options, &graph, err);
    if (ok)
        print(&session, &graph, options->format);
    if (ok && !options->connect && text_equal(options->format, "text"))
        printf("\nkind:* stands for a step for each object; --connect reads the servers and lists "
               "them\n");
    graph_release(&graph);
    return ok;
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
