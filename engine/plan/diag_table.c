/*
 * The table of plan diagnostics. A new one is added at the end of its hundred.
 */
#include "plan/diag.h"

#include "base/str.h"

static const PlanDiagRow ROWS[DIAG_COUNT] = {
    [DIAG_TOO_LARGE] = {"P001", true, "The plan file is too large"},
    [DIAG_ENCODING] = {"P002", true, "The plan is not valid UTF-8"},
    [DIAG_CONTROL] = {"P003", true, "The plan holds a control character"},
    [DIAG_SYNTAX] = {"P004", true, "The plan is not valid YAML"},
    [DIAG_DEPTH] = {"P005", true, "The plan is nested too deeply"},
    [DIAG_NODES] = {"P006", true, "The plan has too many nodes"},
    [DIAG_ALIAS] = {"P007", true, "Anchors, aliases and merge keys are not used in a plan"},
    [DIAG_TAG] = {"P008", true, "Tags are not used in a plan"},
    [DIAG_DOCUMENTS] = {"P009", true, "A plan is one document"},
    [DIAG_KEY_SHAPE] = {"P010", true, "A key must be a plain text"},
    [DIAG_EMPTY] = {"P011", true, "The plan is empty, or is not a mapping"},
    [DIAG_TOO_MANY] = {"P012", true, "The plan has more faults than are shown"},
    [DIAG_UNREADABLE] = {"P013", true, "The plan file cannot be read"},
    [DIAG_TAB] = {"P014", true, "A tab stands where blanks must"},
    [DIAG_UNKNOWN_KEY] = {"P101", true, "A key is not known"},
    [DIAG_LATER] = {"P102", true, "A key or value is not in this version"},
    [DIAG_DUPLICATE_KEY] = {"P103", true, "A key is given twice"},
    [DIAG_MISSING_KEY] = {"P104", true, "A key is missing"},
    [DIAG_TYPE] = {"P105", true, "A value has the wrong type"},
    [DIAG_NULL] = {"P106", true, "A key has no value"},
    [DIAG_INTEGER] = {"P107", true, "A value is not a whole decimal number"},
    [DIAG_RANGE] = {"P108", true, "A value is out of range"},
    [DIAG_BOOLEAN] = {"P109", true, "A value is neither true nor false"},
    [DIAG_ENUM] = {"P110", true, "A value is not one of those allowed"},
    [DIAG_FORMAT] = {"P111", true, "A text does not have the form it needs"},
    [DIAG_PATTERN] = {"P112", true, "A pattern cannot be compiled"},
    [DIAG_ONE_OF] = {"P113", true, "A choice between keys is not made, or made twice"},
    [DIAG_QUOTES] = {"P114", true, "A text needs quotes"},
    [DIAG_LENGTH] = {"P115", true, "A list has too few or too many entries"},
    [DIAG_DUPLICATE_ENTRY] = {"P116", true, "A list has an entry twice"},
    [DIAG_PATTERNS] = {"P117", true, "The plan has too many patterns"},
    [DIAG_PASSWORD] = {"P201", true, "A password stands in the plan"},
    [DIAG_SAME_ENDPOINT] = {"P202", true, "Source and target are the same"},
    [DIAG_EXCLUDED] = {"P203", true, "A relation is excluded and used"},
    [DIAG_NOT_SELECTED] = {"P204", true, "A relation is used but not selected"},
    [DIAG_DUPLICATE_ID] = {"P205", true, "A name is given twice"},
    [DIAG_UNKNOWN_ID] = {"P206", true, "A verification is named that is not there"},
    [DIAG_NO_LIMIT] = {"P207", true, "An action on a limit, without a limit"},
    [DIAG_GRACE] = {"P208", true, "The grace is longer than the downtime"},
    [DIAG_CONNECTIONS] = {"P209", true, "The connection cap is below what the jobs need"},
    [DIAG_NOTHING_COPIED] = {"P210", true,
                             "Changes of rows that are not copied would stop the run"},
    [DIAG_NAME_CLASH] = {"P230", true, "Two plans have the same name"},
    [DIAG_CYCLE] = {"P231", true, "Steps wait for each other"},
    [DIAG_UNKNOWN_STEP] = {"P232", true, "A step is named that is not there"},
    [DIAG_RESERVED_ID] = {"P233", true, "An id is the name of a phase or kind of step"},
    [DIAG_EDITION] = {"P234", true, "The kind of target cannot have it"},
    [DIAG_RETENTION] = {"P235", true, "Retention drops chunks before they are converted"},
    [DIAG_WINDOW] = {"P236", true, "A refresh window is empty, or was emptied by retention"},
    [DIAG_AGE_KIND] = {"P237", true, "An interval and a number are mixed"},
    [DIAG_MERGE] = {"P238", true, "Several relations would become one"},
    [DIAG_COLUMN_NEEDED] = {"P239", true, "A column list leaves out a column that is needed"},
    [DIAG_PUBLISH_UNPROVED] = {"P240", true, "A gate requires what is not replicated"},
    [DIAG_RUNNER] = {"P241", true, "The runner cannot approve"},
    [DIAG_FILE] = {"P242", true, "A file that the plan names cannot be read"},
    [DIAG_NOT_EXECUTABLE] = {"P243", true, "A program that the plan names cannot be executed"},
    [DIAG_NO_COMMAND] = {"P244", true, "The method command needs its commands"},
    [DIAG_REHEARSAL] = {"P245", true, "A rehearsal names a production endpoint"},
    [DIAG_NO_WAY_BACK] = {"P246", true, "What the plan does cannot be reversed"},
    [DIAG_NEEDS_PGOUTPUT] = {"P250", true, "A key needs pgoutput"},
    [DIAG_PUBLISHES_LESS] = {"P251", false, "Not every kind of change is replicated"},
    [DIAG_NO_APPROVAL] = {"P252", false, "Approval settings without an approval"},
    [DIAG_NO_EFFECT] = {"P253", false, "A setting has no effect"},
    [DIAG_SAME_PLAN] = {"P260", false, "A plan is given twice"},
    [DIAG_WINDOW_LOSES] = {"P262", false, "A refresh drops what retention has dropped"},
    [DIAG_MEMORY] = {"P280", true, "limits.memory is too small for the plan's jobs"},
    [DIAG_CONVERTS_STALE] = {"P282", true,
                             "An aggregate's columnstore policy needs a refresh policy"},
    [DIAG_AGGREGATE_NAME] = {"P293", true, "A continuous aggregate has the name of a table"},
    [DIAG_AGGREGATE_CYCLE] = {"P294", true, "Continuous aggregates read each other"},
    [DIAG_CARRY] = {"P295", true, "There is no aggregate whose rows could be carried over"},
};

const PlanDiagRow *plan_diag_row(PlanDiag diag)
{
    return &ROWS[diag];
}

const PlanDiagRow *plan_diag_find(const char *code)
{
    for (size_t i = 0; i < DIAG_COUNT; i++) {
        if (text_equal(ROWS[i].code, code))
            return &ROWS[i];
    }
    return NULL;
}
