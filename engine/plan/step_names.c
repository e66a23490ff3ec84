/*
 * The table of phases and kinds. A new kind of step is a row here, too.
 */
#include "plan/step_names.h"

#include "base/str.h"

enum { PREFLIGHT, SCHEMA, COPY, CATCHUP, CUTOVER, FINISH };

const StepName STEP_PHASE_NAMES[] = {
    {"preflight", PREFLIGHT}, {"schema", SCHEMA}, {"copy", COPY}, {"catchup", CATCHUP},
    {"cutover", CUTOVER},     {"finish", FINISH}, {NULL, 0},
};

const StepName STEP_KIND_NAMES[] = {
    {"aggregate", SCHEMA},
    {"aggregate.carry", FINISH},
    {"aggregate.policy", FINISH},
    {"aggregate.refresh", FINISH},
    {"analyze", COPY},
    {"approval", CUTOVER},
    {"catchup", CATCHUP},
    {"columnstore", SCHEMA},
    {"constraint", COPY},
    {"control_schema", SCHEMA},
    {"copy", COPY},
    {"cutover.chunks", CUTOVER},
    {"cutover.drain", CUTOVER},
    {"cutover.large_objects", CUTOVER},
    {"cutover.prepare", CUTOVER},
    {"cutover.sequences", CUTOVER},
    {"cutover.source_fence", CUTOVER},
    {"cutover.switch", CUTOVER},
    {"cutover.target_fence", CUTOVER},
    {"cutover.unfence", CUTOVER},
    {"cutover.unlogged", CUTOVER},
    {"cutover.verify", CUTOVER},
    {"end", FINISH},
    {"extensions", SCHEMA},
    {"failback.arm", CUTOVER},
    {"failback.end", FINISH},
    {"failback.keep", FINISH},
    {"failback.prepare", CUTOVER},
    {"finish", FINISH},
    {"foreign_key", COPY},
    {"foreign_keys_late", CUTOVER},
    {"gates", CATCHUP},
    {"hook", CUTOVER},
    {"hypertable", SCHEMA},
    {"index", COPY},
    {"job", FINISH},
    {"join", CATCHUP},
    {"large_objects", COPY},
    {"large_objects.refresh", CUTOVER},
    {"large_objects.verify", CATCHUP},
    {"matview", CATCHUP},
    {"on_rollback", CUTOVER},
    {"policy", FINISH},
    {"preflight", PREFLIGHT},
    {"privileges", CUTOVER},
    {"privileges.rehearse", CATCHUP},
    {"publication", COPY},
    {"replica_identity", COPY},
    {"replicate", CATCHUP},
    {"roles", SCHEMA},
    {"schema_post", COPY},
    {"schema_pre", SCHEMA},
    {"settings", COPY},
    {"slot", COPY},
    {"source_jobs", COPY},
    {"spool", COPY},
    {"step", FINISH},
    {"triggers_late", CUTOVER},
    {"validate", CATCHUP},
    {"validate_late", FINISH},
    {"verify", CATCHUP},
    {"wave", COPY},
    {"wave_end", COPY},
    {NULL, 0},
};

static const StepName *find(const StepName *names, const char *name)
{
    for (; names->name != NULL; names++) {
        if (text_equal(names->name, name))
            return names;
    }
    return NULL;
}

const StepName *step_name_find(const char *name)
{
    const StepName *phase = find(STEP_PHASE_NAMES, name);
    return phase != NULL ? phase : find(STEP_KIND_NAMES, name);
}
