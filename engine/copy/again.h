/*
 * Again: unlogged tables are in no WAL, so they are copied once more behind the fence, when nothing
 * changes any more: all their rows on the target go, all rows of the source come, in one
 * transaction of the target.
 */
#ifndef GODWIT_COPY_AGAIN_H
#define GODWIT_COPY_AGAIN_H

#include "blueprint/blueprint.h"
#include "pg/conn.h"

typedef struct AgainTotals {
    size_t leaves;
    int64_t rows;
    int64_t bytes;
} AgainTotals;

/** Whether the run copies this leaf again behind the fence. */
bool again_takes(const Blueprint *blueprint, const Leaf *leaf);

/** How much that is; rows are an estimate of the source's. */
AgainTotals again_expected(const Blueprint *blueprint);

/** Before the fence: whether their rows can be taken out behind it. Keys of other tables to them
 * are told. \return false with ERR_RUN naming such a key where nothing keeps it from acting */
MUSTCHECK bool again_check(const Blueprint *blueprint, Conn *target, const LogCtx *log, Err *err);

/** Copies them. The source must be still. \param target a session that nothing acts in (replica
 * role), outside a transaction \param totals what was copied
 * \return false with ERR_SQL, ERR_LOST, ERR_ROW_COUNT or the stop's error; the target is then as
 * before. */
MUSTCHECK bool again_copy(const Blueprint *blueprint, Conn *source, Conn *target,
                          AgainTotals *totals, Err *err);

#endif
