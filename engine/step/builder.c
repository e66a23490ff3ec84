/*
 * StepBuilder: adding steps and needs.
 */
#include "step/builder.h"

Step *step_add(StepBuilder *builder, const StepKind *kind, const char *object_text,
               const void *object, double cost)
{
    Step *step = arena_new(builder->arena, Step);
    step->kind = kind;
    step->object = object;
    step->cost = cost;
    step->index = builder->steps.count;
    step->id = object_text == NULL ? kind->name
                                   : arena_printf(builder->arena, "%s:%s", kind->name, object_text);
    *vec_push(builder->arena, &builder->steps) = step;
    return step;
}

Step *step_at(Step *step, PlanPos pos)
{
    step->pos = pos;
    return step;
}

void step_needs_kind(StepBuilder *builder, Step *step, const char *kind_name)
{
    *vec_push(builder->arena, &builder->needs) = (StepNeed){
        .step = step,
        .kind = arena_strdup(builder->arena, kind_name),
    };
}

void step_needs_id(StepBuilder *builder, Step *step, const char *id)
{
    *vec_push(builder->arena, &builder->needs) = (StepNeed){
        .step = step,
        .id = arena_strdup(builder->arena, id),
    };
}

void step_needs_phase(StepBuilder *builder, Step *step, StepPhase phase)
{
    *vec_push(builder->arena, &builder->needs) = (StepNeed){.step = step, .phase = phase};
}

void step_before_phase(StepBuilder *builder, Step *step, StepPhase phase)
{
    *vec_push(builder->arena, &builder->befores) = (StepBefore){.step = step, .phase = phase};
}

void step_needs(StepBuilder *builder, Step *step, Step *needed)
{
    *vec_push(builder->arena, &step->needs) = needed;
}

void description_add_parts(Arena *arena, Description *description, const char *leaf, size_t count,
                           const char *reason)
{
    *vec_push(arena, &description->parts) =
        (StepParts){.leaf = leaf, .count = count, .reason = reason};
}

void description_add(Arena *arena, Description *description, ConnSide side, const char *sql)
{
    *vec_push(arena, &description->sql) = (StepSql){.side = side, .sql = arena_strdup(arena, sql)};
}
