/*
 * The edges of a run's life. Docs print their diagram from this table.
 */
#include "journal/run_state_table.h"

#include <stddef.h>

const RunStateEdge RUN_STATE_EDGES[] = {
    {RUN_RUNNING, RUN_CUTOVER, "the first fence is about to go up"},
    {RUN_CUTOVER, RUN_RUNNING, "rolled back: both sides are unfenced, the source is primary"},
    {RUN_CUTOVER, RUN_SWITCHED, "the point of no return: the target is primary"},
    {RUN_SWITCHED, RUN_FINISHED, "slot and publication are gone"},
    {RUN_SWITCHED, RUN_FAILBACK, "failback: the first fence is about to go up"},
    {RUN_FAILBACK, RUN_SWITCHED, "rolled back: the target is still the primary"},
    {RUN_FAILBACK, RUN_FAILED_BACK, "the source is the primary again"},
    {RUN_FAILED_BACK, RUN_RUNNING, "the target is replicated to again"},
    {NULL, NULL, NULL},
};
