/*
 * What the steps foreign_key and validate share.
 */
#ifndef GODWIT_STEP_FOREIGN_KEY_H
#define GODWIT_STEP_FOREIGN_KEY_H

#include "step/ddl_step.h"

/** Whether the key can be added NOT VALID and validated later. Where the referencing table is
 * partitioned, PostgreSQL before 18 cannot, and a hypertable with a columnstore refuses VALIDATE
 * CONSTRAINT: the whole key is then added in the catch-up phase, when relations of different
 * snapshots agree.
 * \note Source: PostgreSQL 18 release notes, "Allow NOT VALID foreign key constraints on
 * partitioned tables"; TimescaleDB, "operation not supported on hypertables that have columnstore
 * enabled" (2.19.3 to 2.29.2). */
bool foreign_key_is_two_steps(const Blueprint *blueprint, const ForeignKey *key);

/** Whether its table is a hypertable with a columnstore: it takes the key NOT VALID, and that is
 * how one stays whose rows lack their parent. */
bool foreign_key_is_of_columnstore(const ForeignKey *key);

/** ALTER TABLE ... ADD CONSTRAINT ... FOREIGN KEY, NOT VALID or not. */
const char *foreign_key_sql(StepCtx *ctx, const ForeignKey *key, bool not_valid);

/** Takes the keys of step foreign_keys_late off the target again, before changes are replicated: a
 * cutover that had added them was rolled back. */
MUSTCHECK bool foreign_keys_late_hold(StepCtx *ctx, Err *err);

/* Bodies of step validate, for step validate_late too; the step's object is the ForeignKey. */
MUSTCHECK bool validate_describe(StepCtx *ctx, Description *description, Err *err);
MUSTCHECK bool validate_observe(StepCtx *ctx, Observation *observation, Err *err);
MUSTCHECK bool validate_apply(StepCtx *ctx, Err *err);

/** Tells and journals that rows lack their parent, as `found` says; the run goes on. A key that was
 * refused as a whole is added NOT VALID where its table takes it so. */
MUSTCHECK bool validate_orphans(StepCtx *ctx, const ForeignKey *key, const Err *found, Err *err);

#endif
