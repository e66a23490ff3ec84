/*
 * Slot: a temporary logical slot made over the replication protocol, for the snapshot it exports.
 *
 * The main slot is made by SQL (step/slot.c); only this way of making one exports a snapshot.
 */
#ifndef GODWIT_PG_SLOT_H
#define GODWIT_PG_SLOT_H

#include "pg/conn.h"

typedef struct SlotSnapshot {
    Lsn consistent_point; /* every commit that ends at or below it is in the snapshot */
    const char *snapshot; /* for SET TRANSACTION SNAPSHOT while this connection is idle */
} SlotSnapshot;

/** Whether the server has temporary slots (10 and later). An earlier one keeps a slot until it is
 * dropped: whoever makes one there gives it a name by which it is found again. */
bool slot_may_be_temporary(const Conn *conn);

/** Makes a temporary slot (see above) on a replication connection, and exports its snapshot. Waits
 * for running and prepared transactions, as long as the connection's lock_timeout allows. \param
 * name raw; lower-case letters, digits, underscores \param plugin its output plugin \return false
 * with ERR_SQL (sqlstate 55P03: a transaction did not end in time), ERR_LOST. \note Source:
 * PostgreSQL docs, "Streaming Replication Protocol", CREATE_REPLICATION_SLOT; the form without
 * parentheses is taken by 10 and later; 9.4 to 9.6 export always. */
MUSTCHECK bool slot_export_snapshot(Arena *arena, Conn *replication, const char *name,
                                    const char *plugin, SlotSnapshot *snapshot, Err *err);

/** Drops the slot when it is no temporary one; its snapshot must be kept elsewhere by then.
 * \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool slot_release(Arena *arena, Conn *replication, const char *name, Err *err);

#endif
