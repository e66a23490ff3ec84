/*
 * What several step kinds share: observing the run's place relative to the switch, and adding
 * single steps.
 */
#ifndef GODWIT_STEP_COMMON_H
#define GODWIT_STEP_COMMON_H

#include "step/step.h"

/** Whether the run has passed its switch (this engine or an earlier one). */
bool run_is_switched(const Run *run);

/** Whether a step of this kind is history: the run is switched, the source is no measure any more,
 * and nothing of what came before the cutover is looked at or done again. */
bool run_is_past(const Run *run, const StepKind *kind);

/** observe() of a cutover step: satisfied once the run is switched, else needed. */
MUSTCHECK bool observe_until_switch(StepCtx *ctx, Observation *observation, Err *err);

/** verify() for kinds whose apply() proves its own effect. */
MUSTCHECK bool verify_in_apply(StepCtx *ctx, Err *err);

/** Refuses a cutover while tables are paused (ddl.altered: pause_relation): their changes are left
 * out since they were altered. \return false with ERR_STALE naming them */
MUSTCHECK bool none_is_paused(const Blueprint *blueprint, Err *err);

/** The size of a relation's leaves on the source. */
uint64_t relation_bytes(const Relation *relation);

/** Adds a relation's rows and bytes to the estimate. */
void description_measure(Description *description, const Relation *relation);

/** Adds the one step of a kind that waits for all steps of another kind. */
Step *step_add_after(StepBuilder *builder, const StepKind *kind, const char *after_kind);

#endif
