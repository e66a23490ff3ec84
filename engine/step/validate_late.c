/*
 * Step validate_late:C proves one foreign key where the target had to be kept quiet until the drain
 * (docs/adr/0007): behind the cutover, while the target takes writes, so that it costs no downtime.
 * The key has checked every new row since it was added.
 */
#include "step/foreign_key.h"

extern const StepKind STEP_VALIDATE_LATE;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < blueprint->foreign_key_count; i++) {
        const ForeignKey *key = &blueprint->foreign_keys[i];
        if (!blueprint_keeps_quiet(blueprint) || !key->validated ||
            !foreign_key_is_two_steps(blueprint, key))
            continue;
        Step *step = step_add(builder, &STEP_VALIDATE_LATE,
                              constraint_text(&arena, &key->table, key->name), key, 0);
        step_needs_kind(builder, step, "cutover.unfence");
    }
    return true;
}

const StepKind STEP_VALIDATE_LATE = {
    .name = "validate_late",
    .phase = PHASE_FINISH,
    .flags = STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Validates one foreign key behind the cutover; orphans are reported.",
    .per_object = true,
    .expand = expand,
    .describe = validate_describe,
    .observe = validate_observe,
    .apply = validate_apply,
    .verify = verify_in_apply,
};
