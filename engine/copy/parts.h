/*
 * Parts: how a leaf is divided for copying. Pure: from sizes and the plan's limits to conditions in
 * SQL; what it decides is what `plan` prints.
 *
 * Parts live only as long as the snapshot they are read under: ctid ranges mean something only
 * inside it, and the last one is open-ended because the number of pages is an estimate.
 */
#ifndef GODWIT_COPY_PARTS_H
#define GODWIT_COPY_PARTS_H

#include "base/str.h"
#include "blueprint/blueprint.h"

typedef enum PartBy { PART_BY_NONE, PART_BY_CTID, PART_BY_KEY, PART_BY_CHUNK } PartBy;

typedef struct PartPlan {
    PartBy by;
    size_t count;       /* at least 1 */
    const char *column; /* PART_BY_KEY: a NOT NULL integer column that leads the key; raw */
    const char *reason; /* for people: why so */
} PartPlan;

/** Decides how a leaf is divided. \param pages of the leaf's main fork, as known now
 * \param source_version ctid ranges are scanned as ranges from 14 on */
PartPlan parts_plan(Arena *arena, const Leaf *leaf, uint32_t pages, int source_version,
                    const PlanCopy *copy);

/* One part: bounds are pages or key values. */
typedef struct PartRange {
    PartBy by;
    const char *column;
    bool has_from;
    bool has_to;
    int64_t from;      /* included */
    int64_t to;        /* excluded */
    const Name *chunk; /* by chunk; NULL: there is none */
} PartRange;

/** How a hypertable is divided: each of its chunks is a part. Without any it is one
 * part that reads none: chunks that are there, and not the wave's, are the watcher's. */
PartPlan parts_by_chunk(Arena *arena, size_t chunks);

/** The range of part `index` of `count`. \param low,high least and greatest key value (by key);
 * pages 0 and the number of pages (by ctid). The first is open below, the last above. */
PartRange parts_range(const PartPlan *plan, size_t index, int64_t low, int64_t high);

/** The range as shown and journalled: "all rows", "pages 0 to 1024", "id from 1000". */
char *parts_range_text(Arena *arena, const PartRange *range);

/** Appends " WHERE ..." unless the range is all rows and there is no filter.
 * \param quoted_column by key: quoted already \param filter a condition in parentheses, or NULL */
void parts_condition(Str *sql, const PartRange *range, const char *quoted_column,
                     const char *filter);

#endif
