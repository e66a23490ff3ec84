/*
 * The kept objects that get a step of their own beside tables: sequences, materialized views in
 * the order of their dependencies, extensions in the order of their creation.
 */
#include "blueprint/build.h"

#include <stdlib.h>
#include <string.h>

typedef VEC(SequenceDef) SequenceDefs;
typedef VEC(MatviewDef) MatviewDefs;
typedef VEC(ExtensionDef) ExtensionDefs;

/* Which sequences of merged tables, owned by the column of the same name, become this one. */
static void add_merged(Build *build, SequenceDef *def)
{
    if (def->owner == NULL || def->owner->merge == NULL)
        return;
    Name *merged = arena_array(build->arena, Name, build->source->sequences_count);
    for (size_t i = 0; i < build->source->sequences_count; i++) {
        const CatSequence *sequence = &build->source->sequences[i];
        const Relation *owner = build_relation(build, sequence->owner_relation);
        if (owner != NULL && owner != def->owner && owner->merge == def->owner->merge &&
            strcmp(sequence->owner_column, def->owner_column) == 0)
            merged[def->merged_count++] = sequence->name;
    }
    def->merged = merged;
}

void build_sequences(Build *build)
{
    SequenceDefs defs = {0};
    for (size_t i = 0; i < build->source->sequences_count; i++) {
        const CatSequence *sequence = &build->source->sequences[i];
        const CatRelation *owner = sequence->owner_relation == 0
                                       ? NULL
                                       : catalog_relation(build->source, sequence->owner_relation);
        bool goes = owner != NULL && build_is_left_out(build, owner, sequence->owner_column);
        if (goes || !blueprint_keeps_object(build->blueprint, CAT_CLASS_RELATION, sequence->oid))
            continue;
        *vec_push(build->arena, &defs) = (SequenceDef){
            .oid = sequence->oid,
            .name = sequence->name,
            .target = blueprint_target_name(build->blueprint, sequence->oid, &sequence->name),
            .owner = owner == NULL ? NULL : build_relation(build, owner->root),
            .owner_column = sequence->owner_column,
            .kind = sequence->dependency == 'i' ? 'i' : 's',
            .increment = sequence->increment,
        };
        add_merged(build, &defs.items[defs.count - 1]);
    }
    build->blueprint->sequences = defs.items;
    build->blueprint->sequence_count = defs.count;
}

/* A relation reads others through its rules: pg_rewrite depends on what it reads. */
typedef struct Reading {
    uint32_t reader;
    uint32_t read;
} Reading;

typedef struct Readings {
    Reading *items;
    size_t count;
    bool *seen; /* one for each source->relations */
} Readings;

static int by_reader(const void *a, const void *b)
{
    const Reading *left = a;
    const Reading *right = b;
    return (left->reader > right->reader) - (left->reader < right->reader);
}

/* The relation a rule belongs to: the one it depends on internally. Dependencies are sorted by
 * object, so that a rule's stand together. */
static Readings readings_of(Arena *arena, const Catalog *source)
{
    Readings readings = {arena_array(arena, Reading, source->dependencies_count), 0,
                         arena_array(arena, bool, source->relations_count)};
    const CatDependency *all = source->dependencies;
    for (size_t begin = 0, end = 0; begin < source->dependencies_count; begin = end) {
        uint32_t owner = 0;
        for (end = begin;
             end < source->dependencies_count && all[end].class_oid == all[begin].class_oid &&
             all[end].oid == all[begin].oid;
             end++)
            if (all[end].type == 'i' && all[end].ref_class_oid == CAT_CLASS_RELATION)
                owner = all[end].ref_oid;
        if (all[begin].class_oid != CAT_CLASS_RULE || owner == 0)
            continue;
        for (size_t i = begin; i < end; i++)
            if (all[i].ref_class_oid == CAT_CLASS_RELATION && all[i].ref_oid != owner)
                readings.items[readings.count++] = (Reading){owner, all[i].ref_oid};
    }
    if (readings.count > 1)
        qsort(readings.items, readings.count, sizeof(Reading), by_reader);
    return readings;
}

/* Depth first, what is read before who reads it. Views can be nested no deeper than the server
 * itself can expand them. */
static void visit(Build *build, Readings *readings, const CatRelation *relation, MatviewDefs *defs)
{
    bool *seen = &readings->seen[relation - build->source->relations];
    if (*seen)
        return;
    *seen = true;
    size_t at = vec_place(readings, reader, relation->oid);
    for (; at < readings->count && readings->items[at].reader == relation->oid; at++) {
        const CatRelation *read = catalog_relation(build->source, readings->items[at].read);
        if (read != NULL)
            visit(build, readings, read, defs);
    }
    if (relation->kind != 'm' ||
        !blueprint_keeps_object(build->blueprint, CAT_CLASS_RELATION, relation->oid))
        return;
    size_t order = defs->count;
    *vec_push(build->arena, defs) = (MatviewDef){
        .oid = relation->oid,
        .name = relation->name,
        .order = order,
        .populated = relation->populated && !build_mark(build, relation)->schema_only,
    };
}

void build_matviews(Build *build)
{
    AUTO_ARENA Arena scratch = {0};
    Readings readings = readings_of(&scratch, build->source);
    MatviewDefs defs = {0};
    for (size_t i = 0; i < build->source->relations_count; i++)
        if (build->source->by_name[i]->kind == 'm')
            visit(build, &readings, build->source->by_name[i], &defs);
    build->blueprint->matviews = defs.items;
    build->blueprint->matview_count = defs.count;
}

void build_need_schema(Build *build, const char *schema)
{
    Blueprint *blueprint = build->blueprint;
    for (size_t i = 0; i < blueprint->schema_count; i++)
        if (strcmp(blueprint->schemas[i], schema) == 0)
            return;
    const char **schemas = arena_array(build->arena, const char *, blueprint->schema_count + 1);
    if (blueprint->schema_count > 0)
        memcpy(schemas, blueprint->schemas, blueprint->schema_count * sizeof(*schemas));
    schemas[blueprint->schema_count++] = schema;
    blueprint->schemas = schemas;
}

static void add_extension(Build *build, ExtensionDefs *defs, const CatExtension *extension,
                          bool needed)
{
    bool on_target = catalog_extension(build->target, extension->name) != NULL;
    bool available = on_target || catalog_available(build->target, extension->name) != NULL;
    if (!needed && build_extension_reserved(build, extension->name))
        return;
    if (!available && !needed) {
        build_find_at(build, DIAG_EXTENSION_LEFT_OUT, NULL,
                      "extension %s is left out: nothing selected is known to need it, and the "
                      "target does not offer it",
                      name_part_text(build->arena, extension->name));
        return;
    }
    if (!on_target)
        build_need_schema(build, extension->schema);
    *vec_push(build->arena, defs) = (ExtensionDef){
        .name = extension->name,
        .schema = extension->schema,
        .version = extension->version,
        .on_target = on_target,
        .relocatable = extension->relocatable,
    };
}

/* TimescaleDB, when hypertables are wanted and the target has it at hand but not created. */
static void add_timescaledb(Build *build, ExtensionDefs *defs)
{
    if (build->hypertables.count + build->aggregates.count + build->jobs.count == 0 ||
        build->blueprint->target_has_timescaledb)
        return;
    for (size_t i = 0; i < defs->count; i++)
        if (strcmp(defs->items[i].name, "timescaledb") == 0)
            return;
    const CatAvailable *available = catalog_available(build->target, "timescaledb");
    if (available != NULL)
        *vec_push(build->arena, defs) = (ExtensionDef){
            .name = "timescaledb",
            .schema = "public",
            .version = available->default_version,
        };
}

static int by_oid(const void *a, const void *b)
{
    uint32_t left = (*(const CatExtension *const *)a)->oid;
    uint32_t right = (*(const CatExtension *const *)b)->oid;
    return (left > right) - (left < right);
}

static bool is_excluded(const Build *build, const char *name)
{
    const PlanExtensions *plan = &build->plan->extensions;
    for (size_t i = 0; i < plan->exclude_count; i++)
        if (strcmp(plan->exclude[i], name) == 0)
            return true;
    return false;
}

/* Which kept object needs a member of the extension; NULL: none. */
static const CatObject *first_in_need(const Build *build, uint32_t extension, size_t *count)
{
    const Catalog *source = build->source;
    const CatObject *first = NULL;
    *count = 0;
    for (size_t i = 0; i < source->dependencies_count; i++) {
        const CatDependency *edge = &source->dependencies[i];
        const CatObject *member = catalog_object(source, edge->ref_class_oid, edge->ref_oid);
        if (member == NULL ||
            (member->extension != extension &&
             (member->class_oid != CAT_CLASS_EXTENSION || member->oid != extension)) ||
            !blueprint_keeps_object(build->blueprint, edge->class_oid, edge->oid))
            continue;
        if (first == NULL)
            first = catalog_object(source, edge->class_oid, edge->oid);
        *count += 1;
    }
    return first;
}

/* The plan takes its word for the target: an extension that is there may be used. */
static void exclude_extension(Build *build, const CatExtension *extension)
{
    size_t count = 0;
    const CatObject *first = first_in_need(build, extension->oid, &count);
    if (first == NULL || catalog_extension(build->target, extension->name) != NULL)
        return;
    const char *name = first->schema == NULL
                           ? name_part_text(build->arena, first->name)
                           : build_name(build, &(Name){first->schema, first->name});
    build_find(build, DIAG_EXTENSION_EXCLUDED, build->plan->extensions.pos, 1,
               "extension %s is excluded, but %zu selected objects need it, the first is %s %s",
               name_part_text(build->arena, extension->name), count, first->kind, name);
    build_hint(build, "Exclude what needs it too, or create the extension on the target.");
}

/* An extension is created after those that it requires, so its oid is higher than theirs. */
void build_extensions(Build *build)
{
    AUTO_ARENA Arena scratch = {0};
    const Catalog *source = build->source;
    const CatExtension **wanted =
        arena_array(&scratch, const CatExtension *, source->extensions_count);
    size_t count = 0;
    for (size_t i = 0; i < source->extensions_count; i++) {
        const CatExtension *extension = &source->extensions[i];
        bool system = strcmp(extension->schema, "pg_catalog") == 0;
        if (build->extension_needed[i] ||
            (!system && build_schema_selected(build, extension->schema, NULL)))
            wanted[count++] = extension;
    }
    if (count > 1)
        qsort(wanted, count, sizeof(*wanted), by_oid);
    ExtensionDefs defs = {0};
    for (size_t i = 0; i < count; i++) {
        const CatExtension *extension = wanted[i];
        if (is_excluded(build, extension->name)) {
            exclude_extension(build, extension);
            continue;
        }
        bool needed = build->extension_needed[extension - source->extensions];
        add_extension(build, &defs, extension, needed);
    }
    add_timescaledb(build, &defs);
    build->blueprint->extensions = defs.items;
    build->blueprint->extension_count = defs.count;
}
