/*
 * What the steps schema_pre and schema_post share: the selected objects of the source, what of them
 * stands on the target, and a restore in one transaction.
 */
#ifndef GODWIT_STEP_SCHEMA_ARCHIVE_H
#define GODWIT_STEP_SCHEMA_ARCHIVE_H

#include "schema/archive.h"
#include "step/common.h"

typedef struct SchemaSides {
    SchemaObjects source;
    SchemaObjects target;
} SchemaSides;

MUSTCHECK bool schema_sides_read(StepCtx *ctx, SchemaSides *sides, Err *err);

/** The object of the target that an object of the source has become; NULL: none yet. */
const SchemaObject *schema_twin(const SchemaSides *sides, const SchemaObject *object);

/** Dumps the source anew and restores the entries of one fate that `wanted` accepts, in one
 * transaction on the target. \param after more statements, run at its end; "" none */
MUSTCHECK bool schema_restore(StepCtx *ctx, const SchemaSides *sides, TocFate fate,
                              TocWanted *wanted, void *data, const char *after, Err *err);

/* Kinds of objects that carry a mark, and that `reset` drops: whatever stands for itself. */
extern const char SCHEMA_MARKED_KINDS[];

/** The objects of the target that this plan made, by its marks.
 * \param earlier only those of runs before this one */
MUSTCHECK bool schema_marked(StepCtx *ctx, const SchemaObjects *target, bool earlier,
                             const SchemaObject ***marked, size_t *count, Err *err);

/** Describes the commands and the objects of these kinds (a string of ObjectKind letters). */
void schema_describe(StepCtx *ctx, const SchemaSides *sides, const char *kinds, const char *section,
                     Description *description);

#endif
