/*
 * Undone: steps that need the switch, directly or by others, less those that the journal has as
 * done and those that cleanup itself makes needless.
 */
#include "cmd/undone.h"

extern const StepKind STEP_CUTOVER_SWITCH;
extern const StepKind STEP_CUTOVER_UNFENCE;
extern const StepKind STEP_FINISH;
extern const StepKind STEP_FAILBACK_KEEP;
extern const StepKind STEP_FAILBACK_END;
extern const StepKind STEP_END;

/* Steps stand behind what they need. */
static void mark_behind(const Graph *graph, bool *behind)
{
    for (size_t i = 0; i < graph->count; i++) {
        const StepVec *needs = &graph->steps[i]->needs;
        for (size_t n = 0; n < needs->count; n++) {
            const Step *needed = needs->items[n];
            behind[i] = behind[i] || behind[needed->index] || needed->kind == &STEP_CUTOVER_SWITCH;
        }
    }
}

/* The target is opened, slots and the way back are dropped. */
static bool cleanup_does(const StepKind *kind)
{
    static const StepKind *const DOES[] = {&STEP_CUTOVER_UNFENCE, &STEP_FINISH, &STEP_FAILBACK_KEEP,
                                           &STEP_FAILBACK_END, &STEP_END};
    for (size_t i = 0; i < sizeof(DOES) / sizeof(*DOES); i++) {
        if (kind == DOES[i])
            return true;
    }
    return (kind->flags & STEP_ON_ROLLBACK) != 0;
}

static bool is_done(const Rows *recorded, const Step *step)
{
    for (size_t r = 0; r < rows_count(recorded); r++) {
        if (text_equal(rows_text(recorded, r, 0), step->id))
            return text_equal(rows_text(recorded, r, 1), "done");
    }
    return false;
}

static void collect(Session *session, const Graph *graph, const Rows *recorded, UndoneVec *undone)
{
    AUTO_ARENA Arena arena = {0};
    bool *behind = arena_array(&arena, bool, graph->count);
    mark_behind(graph, behind);
    for (size_t i = 0; i < graph->count; i++) {
        const Step *step = graph->steps[i];
        if (step->barrier || cleanup_does(step->kind) || is_done(recorded, step))
            continue;
        if (behind[i] || (step->kind->flags & STEP_USER) != 0)
            *vec_push(&session->arena, undone) = arena_strdup(&session->arena, step->id);
    }
}

bool undone_find(Session *session, UndoneVec *undone, Err *err)
{
    Graph graph = {0};
    AUTO_ROWS Rows *recorded = NULL;
    bool ok = session_inspect(session, err) &&
              graph_build(&graph, STEP_KINDS, &session->blueprint, err) &&
              journal_steps(session->target, session->journal.id, &recorded, err);
    if (ok)
        collect(session, &graph, recorded, undone);
    graph_release(&graph);
    return ok;
}
