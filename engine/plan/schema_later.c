/*
 * Schema of what surrounds a migration: changes of structure meanwhile, the way back, rehearsals.
 */
#include "plan/schema_parts.h"

static const cyaml_strval_t DDL_ADDED[] = {{"report", 0}, {"add", 1}};
static const cyaml_strval_t DDL_ALTERED[] = {{"stop", 0}, {"pause_relation", 1}};
static const cyaml_strval_t IF_UNAVAILABLE[] = {{"stop", 0}, {"continue", 1}};

const cyaml_schema_field_t DDL_FIELDS[] = {
    IS_WORD("added", BoundDdl, added, DDL_ADDED),
    IS_WORD("altered", BoundDdl, altered, DDL_ALTERED),
    CYAML_FIELD_END,
};

const PlanKey DDL_KEYS[] = {
    {.key = "added",
     .doc = "What to do about a new table that the selection would take: report it and go on "
            "without, which the cutover then refuses, or take it in as refresh does.",
     .fallback = "report"},
    {.key = "altered",
     .doc = "What to do when a selected table is altered, renamed or dropped: stop the run, or "
            "leave the table out until resync copies it anew, while the rest replicates.",
     .fallback = "stop"},
    {.key = NULL},
};

const cyaml_schema_field_t FAILBACK_FIELDS[] = {
    CYAML_FIELD_BOOL_PTR("prepare", OPTIONAL, BoundFailback, prepare),
    IS_STRING("keep_for", OPTIONAL, BoundFailback, keep_for),
    IS_WORD("if_unavailable", BoundFailback, if_unavailable, IF_UNAVAILABLE),
    CYAML_FIELD_END,
};

const PlanKey FAILBACK_KEYS[] = {
    {.key = "prepare",
     .doc = "Replicate the target's changes back to the source after the cutover.",
     .fallback = "false"},
    {.key = "keep_for",
     .doc = "How long the way back is kept open.",
     .format = FORMAT_INTERVAL,
     .fallback = "7 days",
     .min = 1 * SECOND},
    {.key = "if_unavailable",
     .doc = "What the cutover does when there is no way back: stop, or go on without.",
     .fallback = "stop"},
    {.key = NULL},
};

const cyaml_schema_field_t REHEARSAL_FIELDS[] = {
    CYAML_FIELD_MAPPING("source", REQUIRED, BoundRehearsal, source, SOURCE_FIELDS),
    CYAML_FIELD_MAPPING("target", REQUIRED, BoundRehearsal, target, TARGET_FIELDS),
    IS_LIST("hooks", BoundRehearsal, hooks, &TEXT_VALUE, 0),
    CYAML_FIELD_BOOL_PTR("drop_target_after", OPTIONAL, BoundRehearsal, drop_target_after),
    CYAML_FIELD_END,
};

const PlanKey REHEARSAL_KEYS[] = {
    {.key = "source", .doc = "A throw-away server that is read."},
    {.key = "target", .doc = "A throw-away server that is written."},
    {.key = "hooks",
     .doc = "Ids of the user's steps and hooks that run; no others do.",
     .format = FORMAT_ID},
    {.key = "drop_target_after",
     .doc = "Drop what the rehearsal made on its target.",
     .fallback = "false"},
    {.key = NULL},
};
