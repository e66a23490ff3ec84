/*
 * What belongs to the source's provider and is not the user's to move: schemas, extensions, event
 * triggers, relations of the provider's own roles. Left out with a finding. Schemas that user
 * tables often need (the table says which) are taken when the plan names them exactly.
 */
#include "blueprint/build.h"

#include "provider/provider.h"

static const char *kind_of(const Build *build)
{
    const char *kind = build->plan->source.kind;
    return kind == NULL ? "self_hosted" : kind;
}

bool build_schema_reserved(Build *build, const char *schema, const PlanSelector *cause)
{
    const ProviderReserved *row = provider_reserves(kind_of(build), PROVIDER_SCHEMA, schema);
    bool exact = cause != NULL && cause->selector.pattern == NULL;
    if (row == NULL || (row->ask && exact))
        return false;
    if (cause != NULL) {
        build_find_at(build, DIAG_RESERVED, cause, "schema %s is left out: %s",
                      name_part_text(build->arena, schema), row->note);
        if (row->ask)
            build_hint(build, "Name it exactly, without a pattern, to take it all the same.");
    }
    return true;
}

bool build_schema_blocked(const Build *build, const char *schema)
{
    const ProviderReserved *row =
        schema == NULL ? NULL : provider_reserves(kind_of(build), PROVIDER_SCHEMA, schema);
    return row != NULL && !row->ask;
}

bool build_relation_reserved(Build *build, const CatRelation *relation, const PlanSelector *cause)
{
    const char *owner = relation->owner;
    if (owner == NULL || provider_reserves(kind_of(build), PROVIDER_OWNER, owner) == NULL)
        return false;
    build_find_at(build, DIAG_RESERVED, cause,
                  "%s is left out: it belongs to %s, a role of the "
                  "provider's",
                  build_name(build, &relation->name), name_part_text(build->arena, owner));
    build_hint(build, "Name it in select.tables to take it all the same.");
    return true;
}

bool build_extension_reserved(Build *build, const char *extension)
{
    const ProviderReserved *row = provider_reserves(kind_of(build), PROVIDER_EXTENSION, extension);
    if (row == NULL)
        return false;
    build_find_at(build, DIAG_RESERVED, NULL, "extension %s is left out: %s",
                  name_part_text(build->arena, extension), row->note);
    return true;
}

bool build_event_trigger_reserved(const Build *build, const char *trigger)
{
    return provider_reserves(kind_of(build), PROVIDER_EVENT_TRIGGER, trigger) != NULL;
}
