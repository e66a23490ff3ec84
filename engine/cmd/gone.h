/*
 * Gone: partitions that the source has detached or dropped. No WAL tells of their rows, and the
 * engine drops none of the target unasked: it says where they are and how to empty them, and goes
 * on when they are not there any more.
 */
#ifndef GODWIT_CMD_GONE_H
#define GODWIT_CMD_GONE_H

#include "blueprint/structure.h"
#include "cmd/session.h"

typedef struct GoneCtx {
    const Blueprint *blueprint;
    Conn *target;
    int64_t run;
    const NameVec *anew; /* leaves that are copied anew by request, with all that they share */
} GoneCtx;

/** Remembers, for every partition, where its rows are on the target. \return false with ERR_SQL,
 * ERR_LOST. */
MUSTCHECK bool gone_remember(const Blueprint *blueprint, Conn *target, int64_t run, Err *err);

/** Whether nothing of partitions that went, or became other tables, is on the target. Tables whose
 * rows cannot be told apart are marked for their new copy. \return false with ERR_STALE that names
 * the first whose rows are there, ERR_SQL, ERR_LOST. */
MUSTCHECK bool gone_settled(const GoneCtx *ctx, const StructurePartitions *partitions, Err *err);

/** Marks partitions that take other rows than when they were remembered: the default one, when
 * another came or went beside it. Rows that moved between it and the other are changes of both in
 * the stream, so both are copied under one snapshot; and what one that went had lies on the target
 * where its own rows are. Their own tables are emptied at once: the other could not be attached on
 * the target. Before gone_remember(). \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool gone_rebound(const Run *run, Conn *target, Err *err);

/** Relations of the source whose changes are left out of the stream from now on.
 * \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool gone_oids(Arena *arena, const Blueprint *blueprint, Conn *target, int64_t run,
                         uint32_t **oids, size_t *count, Err *err);

#endif
