/*
 * Quiet: what acts on replicated changes on a target whose session_replication_role cannot be set.
 * Nothing may, from the first change to the marker that ends the stream (docs/adr/0007).
 */
#ifndef GODWIT_CDC_QUIET_H
#define GODWIT_CDC_QUIET_H

#include "blueprint/blueprint.h"
#include "pg/query.h"

/** Lists enabled triggers, rules and foreign keys of the tables that apply writes to: kind, name,
 * schema, table; no row when there are none. */
MUSTCHECK bool quiet_acting(const Blueprint *blueprint, Conn *target, Rows **rows, Err *err);

/** Lists what acts even on what a session under replication role replica writes: triggers, rules,
 * foreign keys of the selected tables of the source that are ENABLE ALWAYS or REPLICA: kind, name,
 * schema, table, 'A' or 'R'. */
MUSTCHECK bool quiet_unsilenced(const Blueprint *blueprint, Conn *source, Rows **rows, Err *err);

/** Refuses with ERR_RUN, naming the first, when anything acts. */
MUSTCHECK bool quiet_check(const Blueprint *blueprint, Conn *target, Err *err);

#endif
