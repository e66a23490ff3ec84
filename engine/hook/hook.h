/*
 * Hook: what people add to a run: their steps, the hooks of the cutover, the commands that stop
 * writers. A command is run without a shell, in the plan's directory, with a cleaned environment
 * and facts as JSON on its standard input; SQL in one transaction, in a session of its own.
 *
 * When each is run, and what its failure means, is decided by the steps (step/user_step.c) and by
 * the cutover; see docs/adr.
 */
#ifndef GODWIT_HOOK_HOOK_H
#define GODWIT_HOOK_HOOK_H

#include "step/run.h"

/* One call of an action. */
typedef struct HookCall {
    Run *run;
    const char *step;    /* its id */
    const char *phase;   /* "cutover" */
    const char *place;   /* "steps", "before_fence", ..., "stop_writes", "undo" */
    const Stop *stop;    /* NULL: nothing stops it but its timeout */
    int64_t downtime_ms; /* so far; 0 before the fence */
    bool once;           /* a step, not a hook: its SQL is journalled with its effect */
    bool behind_drain;   /* source and target stand still: a verification compares as they are */
    bool is_patient;     /* on the way back: a changed file is told, not refused */
    Conn *source;        /* outside a transaction; for verifications; may be NULL otherwise */
    Conn *target;        /* outside a transaction; the journal's, too; may be NULL for hooks */
    const char *input;   /* of a command; NULL: hook_facts() */
    bool is_quiet;       /* the lines of a command are for debugging */
    LogCtx log;
} HookCall;

/** Runs the action of a step or hook. \return false with ERR_TOOL (a command), ERR_SQL, ERR_LOST,
 * ERR_DIFFERENCE (a verification), ERR_STALE (a file changed), or the stop's error. */
MUSTCHECK bool hook_run(const HookCall *call, const PlanStep *step, Err *err);

/** Runs a command. \return false with ERR_TOOL: it could not start, ended with another status than
 * 0, or took too long. */
MUSTCHECK bool hook_command(const HookCall *call, const PlanCommand *command, Err *err);

/** Runs the SQL of a step. */
MUSTCHECK bool hook_sql(const HookCall *call, const PlanStep *step, Err *err);

/** Runs the verifications that a step names. */
MUSTCHECK bool hook_verify(const HookCall *call, const PlanStep *step, Err *err);

/** Asks done_if. \param done false when the step has none. */
MUSTCHECK bool hook_done_if(const HookCall *call, const PlanStep *step, bool *done, Err *err);

/** Whether every variable that a command of the plan names is set here. \return false with
 * ERR_PREFLIGHT naming those that are not. */
MUSTCHECK bool hook_variables(const Plan *plan, Err *err);

/** What a command is told on its standard input: one JSON object in a line. */
const char *hook_facts(Arena *arena, const HookCall *call);

/** The whole environment of a command, NULL-terminated. \return NULL with ERR_TOOL set when a
 * variable that it names is not set. */
const char *const *hook_environment(Arena *arena, const HookCall *call, const PlanCommand *command,
                                    Err *err);

/** One line for `plan`: "run ./hooks/scale.sh 0" of an action; for SQL its text in `sql`, which is
 * NULL for other actions. */
MUSTCHECK bool hook_describe(Arena *arena, const Plan *plan, const PlanStep *step,
                             const char **sentence, const char **sql, Err *err);

/** The text of a step's SQL, from its file or the plan. \return false with ERR_IO. */
MUSTCHECK bool hook_sql_text(Arena *arena, const Plan *plan, const PlanStep *step,
                             const char **text, Err *err);

#endif
