/*
 * The step kinds, in their rough order.
 */
#include "step/step.h"

extern const StepKind STEP_PREFLIGHT;
extern const StepKind STEP_CONTROL_SCHEMA;
extern const StepKind STEP_ROLES;
extern const StepKind STEP_EXTENSIONS;
extern const StepKind STEP_SCHEMA_PRE;
extern const StepKind STEP_HYPERTABLE;
extern const StepKind STEP_COLUMNSTORE;
extern const StepKind STEP_AGGREGATE;
extern const StepKind STEP_SOURCE_JOBS;
extern const StepKind STEP_REPLICA_IDENTITY;
extern const StepKind STEP_PUBLICATION;
extern const StepKind STEP_SLOT;
extern const StepKind STEP_SPOOL;
extern const StepKind STEP_WAVE;
extern const StepKind STEP_COPY;
extern const StepKind STEP_WAVE_END;
extern const StepKind STEP_LARGE_OBJECTS;
extern const StepKind STEP_LARGE_OBJECTS_VERIFY;
extern const StepKind STEP_LARGE_OBJECTS_REFRESH;
extern const StepKind STEP_CUTOVER_LARGE_OBJECTS;
extern const StepKind STEP_INDEX;
extern const StepKind STEP_CONSTRAINT;
extern const StepKind STEP_FOREIGN_KEY;
extern const StepKind STEP_SCHEMA_POST;
extern const StepKind STEP_SETTINGS;
extern const StepKind STEP_ANALYZE;
extern const StepKind STEP_REPLICATE;
extern const StepKind STEP_JOIN;
extern const StepKind STEP_CATCHUP;
extern const StepKind STEP_VALIDATE;
extern const StepKind STEP_MATVIEW;
extern const StepKind STEP_PRIVILEGES_REHEARSE;
extern const StepKind STEP_VERIFY;
extern const StepKind STEP_GATES;
extern const StepKind STEP_APPROVAL;
extern const StepKind STEP_FAILBACK_PREPARE;
extern const StepKind STEP_CUTOVER_PREPARE;
extern const StepKind STEP_CUTOVER_TARGET_FENCE;
extern const StepKind STEP_CUTOVER_CHUNKS;
extern const StepKind STEP_CUTOVER_SOURCE_FENCE;
extern const StepKind STEP_CUTOVER_DRAIN;
extern const StepKind STEP_CUTOVER_UNLOGGED;
extern const StepKind STEP_CUTOVER_SEQUENCES;
extern const StepKind STEP_TRIGGERS_LATE;
extern const StepKind STEP_FOREIGN_KEYS_LATE;
extern const StepKind STEP_CUTOVER_VERIFY;
extern const StepKind STEP_PRIVILEGES;
extern const StepKind STEP_FAILBACK_ARM;
extern const StepKind STEP_CUTOVER_SWITCH;
extern const StepKind STEP_CUTOVER_UNFENCE;
extern const StepKind STEP_VALIDATE_LATE;
extern const StepKind STEP_AGGREGATE_REFRESH;
extern const StepKind STEP_AGGREGATE_CARRY;
extern const StepKind STEP_AGGREGATE_POLICY;
extern const StepKind STEP_POLICY;
extern const StepKind STEP_JOB;
extern const StepKind STEP_FINISH;
extern const StepKind STEP_FAILBACK_KEEP;
extern const StepKind STEP_FAILBACK_END;
extern const StepKind STEP_ROLLBACK_HOOK;
extern const StepKind STEP_END;
extern const StepKind STEP_HOOK_STEP;
extern const StepKind STEP_USER_STEP;

const StepKind *const STEP_KINDS[] = {
    &STEP_PREFLIGHT,
    &STEP_CONTROL_SCHEMA,
    &STEP_ROLES,
    &STEP_EXTENSIONS,
    &STEP_SCHEMA_PRE,
    &STEP_HYPERTABLE,
    &STEP_COLUMNSTORE,
    &STEP_AGGREGATE,
    &STEP_SOURCE_JOBS,
    &STEP_REPLICA_IDENTITY,
    &STEP_PUBLICATION,
    &STEP_SLOT,
    &STEP_SPOOL,
    &STEP_WAVE,
    &STEP_COPY,
    &STEP_WAVE_END,
    &STEP_LARGE_OBJECTS,
    &STEP_INDEX,
    &STEP_CONSTRAINT,
    &STEP_FOREIGN_KEY,
    &STEP_SCHEMA_POST,
    &STEP_SETTINGS,
    &STEP_ANALYZE,
    &STEP_REPLICATE,
    &STEP_JOIN,
    &STEP_CATCHUP,
    &STEP_VALIDATE,
    &STEP_MATVIEW,
    &STEP_PRIVILEGES_REHEARSE,
    &STEP_VERIFY,
    &STEP_LARGE_OBJECTS_VERIFY,
    &STEP_GATES,
    &STEP_APPROVAL,
    &STEP_LARGE_OBJECTS_REFRESH,
    &STEP_FAILBACK_PREPARE,
    &STEP_CUTOVER_PREPARE,
    &STEP_CUTOVER_TARGET_FENCE,
    &STEP_CUTOVER_CHUNKS,
    &STEP_CUTOVER_SOURCE_FENCE,
    &STEP_CUTOVER_DRAIN,
    &STEP_CUTOVER_LARGE_OBJECTS,
    &STEP_CUTOVER_UNLOGGED,
    &STEP_CUTOVER_SEQUENCES,
    &STEP_TRIGGERS_LATE,
    &STEP_FOREIGN_KEYS_LATE,
    &STEP_CUTOVER_VERIFY,
    &STEP_PRIVILEGES,
    &STEP_FAILBACK_ARM,
    &STEP_CUTOVER_SWITCH,
    &STEP_CUTOVER_UNFENCE,
    &STEP_ROLLBACK_HOOK,
    &STEP_VALIDATE_LATE,
    &STEP_AGGREGATE_REFRESH,
    &STEP_AGGREGATE_CARRY,
    &STEP_AGGREGATE_POLICY,
    &STEP_POLICY,
    &STEP_JOB,
    &STEP_FINISH,
    &STEP_FAILBACK_KEEP,
    &STEP_FAILBACK_END,
    &STEP_END,
    &STEP_HOOK_STEP,
    &STEP_USER_STEP, /* the last: it places steps among all others */
    NULL,
};
