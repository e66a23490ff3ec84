/*
 * Parts: by pages of the heap where the server scans such ranges, by an integer key otherwise,
 * whole where neither helps.
 */
#include "copy/parts.h"

#include "base/units.h"

#include <inttypes.h>

#define TID_RANGE_SCAN_VERSION 140000
#define MAX_PARTS              4096

#define INT8_OID 20
#define INT2_OID 21
#define INT4_OID 23

/* The leading column of the key if ranges of it are cheap and complete. */
static const char *range_column(const Relation *relation)
{
    if (relation->key == NULL || relation->key->count == 0)
        return NULL;
    const Column *column = &relation->columns[relation->key->columns[0]];
    bool integer = column->type_oid == INT2_OID || column->type_oid == INT4_OID ||
                   column->type_oid == INT8_OID;
    return integer && column->not_null ? column->name : NULL;
}

/* Enough parts for every job to have one, none larger than the plan's limit. */
static size_t part_count(uint64_t bytes, const PlanCopy *copy)
{
    uint64_t limit = copy->split_bytes > 0 ? copy->split_bytes : 1;
    uint64_t count = (bytes + limit - 1) / limit;
    if (count < copy->table_jobs)
        count = copy->table_jobs;
    return count > MAX_PARTS ? MAX_PARTS : (size_t)count;
}

PartPlan parts_plan(Arena *arena, const Leaf *leaf, uint32_t pages, int source_version,
                    const PlanCopy *copy)
{
    PartPlan plan = {.by = PART_BY_NONE, .count = 1};
    const char *size = units_size_text(arena, leaf->bytes);
    const char *limit = units_size_text(arena, copy->split_bytes);
    if (leaf->bytes <= copy->split_bytes || copy->table_jobs < 2) {
        plan.reason = copy->table_jobs < 2
                          ? arena_printf(arena, "%s, one table job", size)
                          : arena_printf(arena, "%s, not larger than %s", size, limit);
        return plan;
    }
    size_t count = part_count(leaf->bytes, copy);
    if (leaf->is_heap && source_version >= TID_RANGE_SCAN_VERSION && pages >= count) {
        plan.by = PART_BY_CTID;
        plan.count = count;
        plan.reason = arena_printf(arena, "%s, larger than %s: by page", size, limit);
        return plan;
    }
    plan.column = range_column(leaf->root);
    if (plan.column != NULL) {
        plan.by = PART_BY_KEY;
        plan.count = count;
        plan.reason = arena_printf(arena, "%s, larger than %s: by %s", size, limit, plan.column);
        return plan;
    }
    plan.reason =
        arena_printf(arena, "%s, larger than %s, but it has neither page ranges nor an integer key",
                     size, limit);
    return plan;
}

PartPlan parts_by_chunk(Arena *arena, size_t chunks)
{
    if (chunks == 0)
        return (PartPlan){.by = PART_BY_CHUNK, .count = 1, .reason = "a hypertable without chunks"};
    return (PartPlan){
        .by = PART_BY_CHUNK,
        .count = chunks,
        .reason = arena_printf(arena, "a hypertable of %zu chunk%s: chunk by chunk", chunks,
                               chunks == 1 ? "" : "s"),
    };
}

/* The index-th of count cuts between low and high, without overflow for any int64 span. */
static int64_t cut(int64_t low, int64_t high, size_t index, size_t count)
{
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t whole = span / count, rest = span % count;
    return (int64_t)((uint64_t)low + whole * index + rest * index / count);
}

PartRange parts_range(const PartPlan *plan, size_t index, int64_t low, int64_t high)
{
    PartRange range = {.by = plan->by, .column = plan->column};
    if (plan->by == PART_BY_NONE || plan->by == PART_BY_CHUNK)
        return range;
    range.has_from = index > 0;
    range.has_to = index + 1 < plan->count;
    range.from = range.has_from ? cut(low, high, index, plan->count) : 0;
    range.to = range.has_to ? cut(low, high, index + 1, plan->count) : 0;
    return range;
}

char *parts_range_text(Arena *arena, const PartRange *range)
{
    if (range->by == PART_BY_CHUNK)
        return range->chunk == NULL
                   ? arena_strdup(arena, "no chunk")
                   : arena_printf(arena, "chunk %s", name_text(arena, range->chunk));
    const char *what = range->by == PART_BY_CTID ? "pages" : range->column;
    if (range->has_from && range->has_to)
        return arena_printf(arena, "%s from %" PRId64 " to below %" PRId64, what, range->from,
                            range->to);
    if (range->has_from)
        return arena_printf(arena, "%s from %" PRId64, what, range->from);
    if (range->has_to)
        return arena_printf(arena, "%s below %" PRId64, what, range->to);
    return arena_strdup(arena, "all rows");
}

static void bound(Str *sql, const PartRange *range, const char *column, const char *operator,
                  int64_t value)
{
    if (range->by == PART_BY_CTID)
        str_appendf(sql, "ctid %s '(%" PRId64 ",0)'::pg_catalog.tid", operator, value);
    else
        str_appendf(sql, "%s %s %" PRId64, column, operator, value);
}

void parts_condition(Str *sql, const PartRange *range, const char *quoted_column,
                     const char *filter)
{
    bool ranged = range->has_from || range->has_to;
    if (!ranged && filter == NULL)
        return;
    str_append(sql, " WHERE ");
    if (filter != NULL)
        str_appendf(sql, "%s%s", filter, ranged ? " AND " : "");
    if (range->has_from)
        bound(sql, range, quoted_column, ">=", range->from);
    if (range->has_from && range->has_to)
        str_append(sql, " AND ");
    if (range->has_to)
        bound(sql, range, quoted_column, "<", range->to);
}
