/*
 * The commands, in the order in which `help` shows them.
 */
#include "cmd/command.h"

extern const Command COMMAND_INIT;
extern const Command COMMAND_GRANTS;
extern const Command COMMAND_VALIDATE;
extern const Command COMMAND_GRAPH;
extern const Command COMMAND_CHECK;
extern const Command COMMAND_PLAN;
extern const Command COMMAND_SHOW;
extern const Command COMMAND_APPLY;
extern const Command COMMAND_STATUS;
extern const Command COMMAND_APPROVE;
extern const Command COMMAND_CUTOVER;
extern const Command COMMAND_FAILBACK;
extern const Command COMMAND_PAUSE;
extern const Command COMMAND_REFRESH;
extern const Command COMMAND_RESYNC;
extern const Command COMMAND_VERIFY;
extern const Command COMMAND_RESET;
extern const Command COMMAND_CLEANUP;
extern const Command COMMAND_UNLOCK;
extern const Command COMMAND_SCHEMA;
extern const Command COMMAND_EXPLAIN;
extern const Command COMMAND_VERSION;
extern const Command COMMAND_HELP;

const Command *const COMMANDS[] = {
    &COMMAND_INIT,    &COMMAND_GRANTS,  &COMMAND_VALIDATE, &COMMAND_GRAPH,
    &COMMAND_CHECK,   &COMMAND_PLAN,    &COMMAND_SHOW,     &COMMAND_APPLY,
    &COMMAND_STATUS,  &COMMAND_APPROVE, &COMMAND_CUTOVER,  &COMMAND_FAILBACK,
    &COMMAND_PAUSE,   &COMMAND_REFRESH, &COMMAND_RESYNC,   &COMMAND_VERIFY,
    &COMMAND_RESET,   &COMMAND_CLEANUP, &COMMAND_UNLOCK,   &COMMAND_SCHEMA,
    &COMMAND_EXPLAIN, &COMMAND_VERSION, &COMMAND_HELP,     NULL,
};
