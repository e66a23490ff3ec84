/*
 * blueprint_build(): runs its parts in order, sorts the findings, and says whether the plan can be
 * carried out on these two servers. Look-ups of the finished Blueprint.
 */
#include "blueprint/build.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static uint32_t characters(const char *text)
{
    uint32_t count = 0;
    for (; *text != '\0'; text++)
        count += (*text & 0xC0) != 0x80;
    return count;
}

static void add_finding(Build *build, Diag diag, PlanPos pos, uint32_t span, const char *format,
                        va_list args)
{
    PlanFinding *finding = vec_push(build->arena, &build->findings);
    *finding = (PlanFinding){
        .code = blueprint_diag_table[diag].code,
        .is_error = blueprint_diag_table[diag].is_error,
        .pos = pos,
        .span = span > 0 ? span : 1,
        .message = arena_vprintf(build->arena, format, args),
    };
}

void build_find(Build *build, Diag diag, PlanPos pos, uint32_t span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_finding(build, diag, pos, span, format, args);
    va_end(args);
}

void build_find_at(Build *build, Diag diag, const PlanSelector *cause, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (cause == NULL)
        add_finding(build, diag, (PlanPos){0}, 1, format, args);
    else
        add_finding(build, diag, cause->pos, characters(cause->selector.text), format, args);
    va_end(args);
}

void build_hint(Build *build, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    build->findings.items[build->findings.count - 1].hint =
        arena_vprintf(build->arena, format, args);
    va_end(args);
}

const char *build_name(Build *build, const Name *name)
{
    return name_text(build->arena, name);
}

Mark *build_mark(Build *build, const CatRelation *relation)
{
    return &build->marks[relation - build->source->relations];
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool build_schema_selected(const Build *build, const char *schema, const PlanSelector **cause)
{
    if (build->schema_count == 0 || schema == NULL)
        return false;
    const char *const *found =
        bsearch(&schema, build->schemas, build->schema_count, sizeof(char *), compare_text);
    if (found != NULL && cause != NULL)
        *cause = build->schema_causes[found - (const char *const *)build->schemas];
    return found != NULL;
}

bool schema_is_timescaledb(const char *schema)
{
    return text_starts_with(schema, "_timescaledb_") ||
           text_equal(schema, "timescaledb_information") ||
           text_equal(schema, "timescaledb_experimental");
}

static int compare_findings(const void *left, const void *right)
{
    const PlanFinding *a = left;
    const PlanFinding *b = right;
    if (a->pos.line != b->pos.line)
        return a->pos.line < b->pos.line ? -1 : 1;
    if (a->pos.column != b->pos.column)
        return a->pos.column < b->pos.column ? -1 : 1;
    int order = strcmp(a->code, b->code);
    return order != 0 ? order : strcmp(a->message, b->message);
}

bool build_conclude(Build *build, PlanFindings *findings, Err *err)
{
    size_t count = build->findings.count;
    if (count > 1)
        qsort(build->findings.items, count, sizeof(PlanFinding), compare_findings);
    *findings = (PlanFindings){.items = build->findings.items, .count = count};
    for (size_t i = 0; i < count; i++)
        findings->errors += build->findings.items[i].is_error;
    if (findings->errors == 0)
        return true;
    return err_set(err, ERR_PLAN, "the plan does not fit the servers: %zu error%s",
                   findings->errors, findings->errors == 1 ? "" : "s");
}

bool blueprint_build(Blueprint *blueprint, const Plan *plan, const Catalog *source,
                     const Catalog *target, PlanFindings *findings, Err *err)
{
    blueprint->plan = plan;
    blueprint->source = source;
    blueprint->target = target;
    blueprint->source_has_timescaledb = source->server.timescaledb_version != NULL;
    blueprint->target_has_timescaledb = target->server.timescaledb_version != NULL;
    Arena *arena = &blueprint->arena;
    Build build = {
        .blueprint = blueprint,
        .plan = plan,
        .source = source,
        .target = target,
        .arena = arena,
        .marks = arena_array(arena, Mark, source->relations_count),
        .kept = arena_array(arena, bool, source->objects_count),
        .extension_needed = arena_array(arena, bool, source->extensions_count),
    };
    build_select(&build);
    build_filters(&build);
    build_map(&build);
    build_mirror(&build);
    build_mirror_community(&build);
    build_mirror_source(&build);
    build_relations(&build);
    build_identities(&build);
    build_publications(&build);
    build_column_lists(&build);
    build_merges(&build);
    build_objects(&build);
    build_indexes(&build);
    build_foreign_keys(&build);
    build_sequences(&build);
    build_matviews(&build);
    build_extensions(&build);
    build_hypertables(&build);
    build_aggregates(&build);
    build_jobs(&build);
    build_chunk_way(&build);
    build_paused_jobs(&build);
    return build_conclude(&build, findings, err);
}

void blueprint_release(Blueprint *blueprint)
{
    arena_release(&blueprint->arena);
    *blueprint = (Blueprint){0};
}

static int leaf_by_oid(const void *key, const void *item)
{
    uint32_t a = *(const uint32_t *)key;
    uint32_t b = (*(Leaf *const *)item)->oid;
    return (a > b) - (a < b);
}

const Leaf *blueprint_leaf(const Blueprint *blueprint, uint32_t source_oid)
{
    if (blueprint->leaf_count == 0)
        return NULL;
    Leaf *const *found = bsearch(&source_oid, blueprint->leaf_by_oid, blueprint->leaf_count,
                                 sizeof(Leaf *), leaf_by_oid);
    return found == NULL ? NULL : *found;
}

const Leaf *blueprint_chunked(const Blueprint *blueprint, uint32_t source_oid)
{
    const Leaf *leaf = source_oid == 0 ? NULL : blueprint_leaf(blueprint, source_oid);
    return leaf != NULL && leaf->root->chunked ? leaf : NULL;
}

static int relation_by_name(const void *key, const void *item)
{
    return name_compare(key, &((const Relation *)item)->source);
}

Relation *blueprint_relation(const Blueprint *blueprint, const Name *source)
{
    if (blueprint->relation_count == 0)
        return NULL;
    return bsearch(source, blueprint->relations, blueprint->relation_count, sizeof(Relation),
                   relation_by_name);
}

bool relation_is_copied(const Blueprint *blueprint, const Relation *relation)
{
    return blueprint->plan->copy.data && !relation->schema_only;
}

bool blueprint_leaves_out(const Blueprint *blueprint, uint32_t table, const char *column)
{
    const CatRelation *from = catalog_relation(blueprint->source, table);
    const CatRelation *root = from == NULL ? NULL : catalog_relation(blueprint->source, from->root);
    const Relation *relation = root == NULL ? NULL : blueprint_relation(blueprint, &root->name);
    for (size_t i = 0; relation != NULL && i < relation->left_out_count; i++)
        if (strcmp(relation->left_out[i].name, column) == 0)
            return true;
    return false;
}

bool relation_is_gathered(const Relation *relation)
{
    return relation->partitioned && relation->hypertable != NULL &&
           relation->hypertable->from_partitioned;
}

bool relation_is_published_by_leaf(const Relation *relation)
{
    return relation->partitioned && (relation->filter != NULL || relation->list != NULL);
}

static int compare_objects(const void *key, const void *item)
{
    const ObjectId *a = key;
    const ObjectId *b = item;
    if (a->class_oid != b->class_oid)
        return a->class_oid < b->class_oid ? -1 : 1;
    return (a->oid > b->oid) - (a->oid < b->oid);
}

bool blueprint_keeps_object(const Blueprint *blueprint, uint32_t class_oid, uint32_t oid)
{
    ObjectId key = {class_oid, oid};
    return blueprint->object_count > 0 && bsearch(&key, blueprint->objects, blueprint->object_count,
                                                  sizeof(ObjectId), compare_objects) != NULL;
}

bool blueprint_keeps_quiet(const Blueprint *blueprint)
{
    return blueprint->target != NULL && blueprint->target->server.replica_sql == NULL;
}
