/*
 * Schema of what people add to a run: steps, hooks, notify, waivers, attestations.
 */
#include "plan/schema_parts.h"

static const cyaml_strval_t SERVERS[] = {{"source", PLAN_ON_SOURCE}, {"target", PLAN_ON_TARGET}};

const cyaml_schema_field_t STEP_SQL_FIELDS[] = {
    CYAML_FIELD_ENUM("server", CYAML_FLAG_STRICT, BoundStepSql, server, SERVERS, COUNT(SERVERS)),
    IS_STRING("file", OPTIONAL, BoundStepSql, file),
    IS_STRING("statement", OPTIONAL, BoundStepSql, statement),
    CYAML_FIELD_END,
};

const PlanKey STEP_SQL_KEYS[] = {
    {.key = "server", .doc = "Where it runs."},
    {.key = "file", .doc = "A file of SQL statements, relative to the plan.", .in_choice = true},
    {.key = "statement", .doc = "SQL statements.", .in_choice = true},
    {.key = NULL},
};

const cyaml_schema_field_t STEP_COMMAND_FIELDS[] = {
    CYAML_FIELD_SEQUENCE("run", CYAML_FLAG_POINTER, BoundCommand, run, &TEXT_VALUE, 1, 1000),
    IS_STRING("timeout", OPTIONAL, BoundCommand, timeout),
    IS_LIST("env", BoundCommand, env, &TEXT_VALUE, 1),
    CYAML_FIELD_END,
};

const PlanKey STEP_COMMAND_KEYS[] = {
    {.key = "run", .doc = "Program and arguments; no shell reads them."},
    {.key = "timeout",
     .doc = "A command that runs longer is ended and has failed.",
     .format = FORMAT_INTERVAL,
     .fallback = "5 minutes",
     .min = SECOND},
    {.key = "env",
     .doc = "The only environment variables that it gets, beside PATH.",
     .format = FORMAT_VARIABLE},
    {.key = NULL},
};

const cyaml_schema_field_t STEP_DONE_IF_FIELDS[] = {
    CYAML_FIELD_ENUM("server", CYAML_FLAG_STRICT, BoundDoneIf, server, SERVERS, COUNT(SERVERS)),
    IS_STRING("sql", REQUIRED, BoundDoneIf, sql),
    CYAML_FIELD_END,
};

const PlanKey STEP_DONE_IF_KEYS[] = {
    {.key = "server", .doc = "Where it is asked."},
    {.key = "sql", .doc = "A query of one row and one boolean column; true: the step is done."},
    {.key = NULL},
};

#define ACTION_FIELDS                                                                              \
    CYAML_FIELD_MAPPING_PTR("sql", OPTIONAL, BoundStep, sql, STEP_SQL_FIELDS),                     \
        CYAML_FIELD_MAPPING_PTR("command", OPTIONAL, BoundStep, command, STEP_COMMAND_FIELDS),     \
        IS_LIST("verify", BoundStep, verify, &TEXT_VALUE, 1),                                      \
        CYAML_FIELD_MAPPING_PTR("done_if", OPTIONAL, BoundStep, done_if, STEP_DONE_IF_FIELDS)

#define ACTION_KEYS                                                                                \
    {.key = "sql", .doc = "SQL on one server.", .in_choice = true},                                \
        {.key = "command", .doc = "A program, run without a shell.", .in_choice = true},           \
        {.key = "verify",                                                                          \
         .doc = "Ids of verifications that are run.",                                              \
         .format = FORMAT_ID,                                                                      \
         .in_choice = true},                                                                       \
    {                                                                                              \
        .key = "done_if", .doc = "Makes it re-runnable: a query that says whether it is done. "    \
                                 "Without it, it is run once."                                     \
    }

const cyaml_schema_field_t STEP_FIELDS[] = {
    IS_STRING("id", REQUIRED, BoundStep, id),
    IS_LIST("needs", BoundStep, needs, &TEXT_VALUE, 1),
    IS_LIST("before", BoundStep, before, &TEXT_VALUE, 1),
    ACTION_FIELDS,
    CYAML_FIELD_END,
};

const PlanKey STEP_KEYS[] = {
    {.key = "id", .doc = "Its name; not a kind of step, not a phase.", .format = FORMAT_ID},
    {.key = "needs", .doc = "Steps, kinds of step or phases that must be done before it."},
    {.key = "before", .doc = "Steps, kinds of step or phases that wait for it."},
    ACTION_KEYS,
    {.key = NULL},
};

const cyaml_schema_value_t STEP_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundStep, STEP_FIELDS)};

const cyaml_schema_field_t HOOK_FIELDS[] = {
    IS_STRING("id", REQUIRED, BoundStep, id),
    ACTION_FIELDS,
    CYAML_FIELD_END,
};

const PlanKey HOOK_KEYS[] = {
    {.key = "id", .doc = "Its name; not a kind of step, not a phase.", .format = FORMAT_ID},
    ACTION_KEYS,
    {.key = NULL},
};

const cyaml_schema_value_t HOOK_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundStep, HOOK_FIELDS)};

const cyaml_schema_field_t NOTIFY_FIELDS[] = {
    CYAML_FIELD_SEQUENCE("command", CYAML_FLAG_POINTER, BoundNotify, command, &TEXT_VALUE, 1, 1000),
    IS_STRING("timeout", OPTIONAL, BoundNotify, timeout),
    IS_LIST("env", BoundNotify, env, &TEXT_VALUE, 1),
    CYAML_FIELD_END,
};

const PlanKey NOTIFY_KEYS[] = {
    {.key = "command", .doc = "Program and arguments; each event comes as JSON on its stdin."},
    {.key = "timeout",
     .doc = "A command that runs longer is ended; the run goes on.",
     .format = FORMAT_INTERVAL,
     .fallback = "10s",
     .min = SECOND},
    {.key = "env",
     .doc = "The only environment variables that it gets, beside PATH.",
     .format = FORMAT_VARIABLE},
    {.key = NULL},
};

const cyaml_schema_field_t WAIVER_FIELDS[] = {
    IS_STRING("code", REQUIRED, BoundWaiver, code),
    IS_STRING("object", OPTIONAL, BoundWaiver, object),
    IS_STRING("reason", REQUIRED, BoundWaiver, reason),
    IS_STRING("until", REQUIRED, BoundWaiver, until),
    CYAML_FIELD_END,
};

const PlanKey WAIVER_KEYS[] = {
    {.key = "code", .doc = "The finding's code.", .format = FORMAT_CODE},
    {.key = "object",
     .doc = "The object, as the finding names it, or a pattern (after ~). Default: any."},
    {.key = "reason", .doc = "Why it is accepted."},
    {.key = "until", .doc = "The last day on which it counts.", .format = FORMAT_DATE},
    {.key = NULL},
};

const cyaml_schema_value_t WAIVER_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundWaiver, WAIVER_FIELDS)};

const cyaml_schema_field_t ATTEST_FIELDS[] = {
    IS_STRING("code", REQUIRED, BoundWaiver, code),
    IS_STRING("reason", REQUIRED, BoundWaiver, reason),
    IS_STRING("until", REQUIRED, BoundWaiver, until),
    CYAML_FIELD_END,
};

const PlanKey ATTEST_KEYS[] = {
    {.key = "code", .doc = "The attestation's code.", .format = FORMAT_CODE},
    {.key = "reason", .doc = "Who saw what, and where that is written."},
    {.key = "until", .doc = "The last day on which it counts.", .format = FORMAT_DATE},
    {.key = NULL},
};

const cyaml_schema_value_t ATTEST_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundWaiver, ATTEST_FIELDS)};
