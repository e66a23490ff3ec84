/*
 * Schema of the cutover: gates, approval, fence, sequences.
 */
#include "plan/schema_parts.h"

static const cyaml_strval_t STOP_METHOD[] = {
    {"lock", PLAN_STOP_LOCK},
    {"read_only", PLAN_STOP_READ_ONLY},
    {"manual", PLAN_STOP_MANUAL},
    {"command", PLAN_STOP_COMMAND},
};

const cyaml_schema_field_t GATES_FIELDS[] = {
    IS_STRING("max_lag_bytes", OPTIONAL, BoundGates, max_lag_bytes),
    IS_STRING("max_lag_time", OPTIONAL, BoundGates, max_lag_time),
    IS_STRING("stable_for", OPTIONAL, BoundGates, stable_for),
    IS_LIST("require", BoundGates, require, &TEXT_VALUE, 0),
    CYAML_FIELD_END,
};

const PlanKey GATES_KEYS[] = {
    {.key = "max_lag_bytes",
     .doc = "Most WAL between the source and what is applied.",
     .format = FORMAT_SIZE,
     .fallback = "16MB"},
    {.key = "max_lag_time",
     .doc = "Most time between a commit and its apply.",
     .format = FORMAT_INTERVAL,
     .fallback = "5s",
     .min = 1},
    {.key = "stable_for",
     .doc = "How long the gates must hold without a break.",
     .format = FORMAT_INTERVAL,
     .fallback = "2s"},
    {.key = "require", .doc = "Ids of verifications that must have passed.", .format = FORMAT_ID},
    {.key = NULL},
};

const cyaml_schema_field_t APPROVAL_FIELDS[] = {
    CYAML_FIELD_BOOL_PTR("required", OPTIONAL, BoundApproval, required),
    IS_STRING("valid_for", OPTIONAL, BoundApproval, valid_for),
    IS_LIST("approvers", BoundApproval, approvers, &TEXT_VALUE, 0),
    CYAML_FIELD_BOOL_PTR("not_runner", OPTIONAL, BoundApproval, not_runner),
    CYAML_FIELD_END,
};

const PlanKey APPROVAL_KEYS[] = {
    {.key = "required", .doc = "Stop before the cutover until it is approved.", .fallback = "true"},
    {.key = "valid_for",
     .doc = "An approval older than this counts no more.",
     .format = FORMAT_INTERVAL,
     .fallback = "4 hours",
     .min = 60 * SECOND},
    {.key = "approvers",
     .doc = "Roles whose approval counts. Default: any role that can give one."},
    {.key = "not_runner",
     .doc = "The approver must not be the role that runs the migration.",
     .fallback = "false"},
    {.key = NULL},
};

const cyaml_schema_field_t STOP_WRITES_FIELDS[] = {
    IS_WORD("method", BoundStopWrites, method, STOP_METHOD),
    IS_STRING("grace", OPTIONAL, BoundStopWrites, grace),
    IS_LIST("terminate", BoundStopWrites, terminate, &TEXT_VALUE, 0),
    IS_LIST("run", BoundStopWrites, run, &TEXT_VALUE, 1),
    IS_LIST("undo", BoundStopWrites, undo, &TEXT_VALUE, 1),
    IS_LIST("env", BoundStopWrites, env, &TEXT_VALUE, 1),
    CYAML_FIELD_END,
};

const PlanKey STOP_WRITES_KEYS[] = {
    {.key = "method",
     .doc = "Lock the tables, set the database read only, run a command, or wait for people to "
            "stop the writers.",
     .fallback = "lock"},
    {.key = "grace",
     .doc = "How long running transactions may take to end.",
     .format = FORMAT_INTERVAL,
     .fallback = "30s"},
    {.key = "terminate", .doc = "Roles whose sessions are ended after the grace."},
    {.key = "run", .doc = "The command that stops the writers: program and arguments, no shell."},
    {.key = "undo", .doc = "The command that lets the writers go on."},
    {.key = "env",
     .doc = "The only environment variables that these commands get, beside PATH.",
     .format = FORMAT_VARIABLE},
    {.key = NULL},
};

const cyaml_schema_field_t SEQUENCES_FIELDS[] = {
    CYAML_FIELD_UINT_PTR("margin", OPTIONAL, BoundSequences, margin),
    CYAML_FIELD_END,
};

const PlanKey SEQUENCES_KEYS[] = {
    {.key = "margin",
     .doc = "Added to each sequence, in steps of its increment.",
     .fallback = "0",
     .max = 1000 * SECOND},
    {.key = NULL},
};

const cyaml_schema_field_t CUTOVER_FIELDS[] = {
    CYAML_FIELD_MAPPING_PTR("gates", OPTIONAL, BoundCutover, gates, GATES_FIELDS),
    CYAML_FIELD_MAPPING_PTR("approval", OPTIONAL, BoundCutover, approval, APPROVAL_FIELDS),
    CYAML_FIELD_MAPPING_PTR("stop_writes", OPTIONAL, BoundCutover, stop_writes, STOP_WRITES_FIELDS),
    IS_STRING("max_downtime", OPTIONAL, BoundCutover, max_downtime),
    CYAML_FIELD_MAPPING_PTR("sequences", OPTIONAL, BoundCutover, sequences, SEQUENCES_FIELDS),
    IS_LIST("before_fence", BoundCutover, before_fence, &HOOK_VALUE, 1),
    IS_LIST("after_drain", BoundCutover, after_drain, &HOOK_VALUE, 1),
    IS_LIST("switch", BoundCutover, switch_, &HOOK_VALUE, 1),
    IS_LIST("on_rollback", BoundCutover, on_rollback, &HOOK_VALUE, 1),
    CYAML_FIELD_END,
};

const PlanKey CUTOVER_KEYS[] = {
    {.key = "gates", .doc = "What must hold before the cutover begins."},
    {.key = "approval", .doc = "Who lets the cutover begin."},
    {.key = "stop_writes", .doc = "How writes on the source are stopped."},
    {.key = "max_downtime",
     .doc = "Past it the cutover is rolled back to the source.",
     .format = FORMAT_INTERVAL,
     .fallback = "5 minutes",
     .min = 1 * SECOND},
    {.key = "sequences", .doc = "Sequences on the target."},
    {.key = "before_fence", .doc = "Hooks before writes stop."},
    {.key = "after_drain", .doc = "Hooks after the last change is applied."},
    {.key = "switch", .doc = "Hooks that send clients to the target."},
    {.key = "on_rollback", .doc = "Hooks after a rollback."},
    {.key = NULL},
};
