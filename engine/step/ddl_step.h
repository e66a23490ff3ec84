/*
 * What the steps that make indexes and constraints share: how their steps are called, what stands
 * on the target, and statements that give up their place in the lock queue and try again.
 */
#ifndef GODWIT_STEP_DDL_STEP_H
#define GODWIT_STEP_DDL_STEP_H

#include "pg/ddl.h"
#include "pg/query.h"
#include "step/common.h"

/* A lock that does not come within this time is given up, so that writers behind us go on and the
 * server's deadlock check (1 s) never has to choose between us and them. */
#define DDL_LOCK_TIMEOUT_MS 900

/* An index or constraint as it stands on the target; zeroed when it does not. */
typedef struct TargetIndex {
    bool exists;
    bool valid;
    bool replica_identity;
    bool clustered;
    char type;      /* of a constraint */
    bool validated; /* of a constraint */
    Name table;     /* of an index */
} TargetIndex;

MUSTCHECK bool target_index(StepCtx *ctx, const Name *index, TargetIndex *found, Err *err);
MUSTCHECK bool target_constraint(StepCtx *ctx, const Name *table, const char *constraint,
                                 TargetIndex *found, Err *err);

typedef VEC(const char *) SqlVec;

/** Runs the statements in one transaction under a short lock_timeout, again and again while a lock
 * is not to be had or a deadlock is broken. \param build gives the transaction memory to sort */
MUSTCHECK bool ddl_apply(StepCtx *ctx, const SqlVec *statements, bool build, Err *err);

/** The same for statements that know the tables by their names on the source (schema/rename.h). */
MUSTCHECK bool ddl_apply_source_names(StepCtx *ctx, const SqlVec *statements, Err *err);

/** The statement runs without waiting limits (a long build whose lock nobody contends for). */
MUSTCHECK bool ddl_build(StepCtx *ctx, const char *statement, Err *err);

/** Describes statements that run on the target. */
void ddl_describe(StepCtx *ctx, Description *description, const SqlVec *statements);

/** "schema.table.constraint", as after the colon of a step's id. */
const char *constraint_text(Arena *arena, const Name *table, const char *constraint);

/** Whether the constraint cannot be made from a finished index: its one statement builds it. */
bool index_is_direct(const Blueprint *blueprint, const IndexDef *def);

/** Whether the table of the index is partitioned on the source. */
bool index_on_partitioned(const Blueprint *blueprint, const IndexDef *def);

/** The step waits for the rows of its relation, and of those that are merged with it. */
void step_needs_rows(StepBuilder *builder, Step *step, const Blueprint *blueprint,
                     const Relation *relation);

/** The step waits for what is built on the partitions below its table: the index of a partitioned
 * table adopts theirs. */
void step_needs_below(StepBuilder *builder, Step *step, const Blueprint *blueprint,
                      const IndexDef *def);

/** ALTER TABLE ... REPLICA IDENTITY USING INDEX and CLUSTER ON, as on the source, unless set. */
void index_marks(StepCtx *ctx, const IndexDef *def, const TargetIndex *found, SqlVec *statements);

/** Whether the marks are as on the source. */
bool index_marks_set(const IndexDef *def, const TargetIndex *found);

#endif
