/*
 * The table of preflight, in the order in which findings are printed. Codes are never renumbered or
 * reused.
 */
#include "preflight/check.h"

const Check PREFLIGHT_CHECKS[] = {
    {"G101", FINDING_ERROR, "wal_level of the source is logical", check_wal_level},
    {"G102", FINDING_ERROR, "two replication slots are free on the source", check_slots},
    {"G103", FINDING_ERROR, "two WAL senders are free on the source", check_senders},
    {"G104", FINDING_ERROR, "both servers are primaries", check_primary},
    {"G105", FINDING_ERROR, "no connection pooler stands in between", check_pooler},
    {"G106", FINDING_ERROR, "the versions of both servers are supported", check_versions},
    {"G107", FINDING_ERROR, "the lock tables hold the selection", check_lock_table},
    {"G108", FINDING_WARNING, "max_slot_wal_keep_size does not cut the slot off",
     check_slot_wal_keep},
    {"G109", FINDING_ERROR, "old_snapshot_threshold is off (before PostgreSQL 17)",
     check_old_snapshot},
    {"G110", FINDING_ERROR, "no prepared transaction is open on the source", check_prepared},
    {"G111", FINDING_ERROR, "source and target are two databases", check_same_database},
    {"G112", FINDING_ERROR, "the encodings fit", check_encoding},
    {"G113", FINDING_ERROR, "there are no large objects (not in this version)",
     check_large_objects},
    {"G201", FINDING_ERROR, "every published table has a replica identity", check_identity},
    {"G202", FINDING_ERROR, "row security hides no rows from the copy", check_row_security},
    {"G203", FINDING_ERROR, "no selected table is unlogged (not in this version)", check_unlogged},
    {"G301", FINDING_ERROR, "the source's user may read every selected table", check_select},
    {"G302", FINDING_ERROR, "the source's user owns what it publishes", check_ownership},
    {"G303", FINDING_ERROR, "the source's user may replicate", check_replication_right},
    {"G304", FINDING_ERROR, "both users may create in their databases", check_create},
    {"G305", FINDING_ERROR, "the fences can be put up", check_fence_right},
    {"G306", FINDING_ERROR, "session_replication_role can be set on the target",
     check_replica_role},
    {"G401", FINDING_ERROR, "the source's extensions are available on the target",
     check_extensions},
    {"G402", FINDING_ERROR, "the target has connections to spare", check_target_connections},
    {"G403", FINDING_ERROR, "the target has nothing of the same names", check_target_empty},
    {"G404", FINDING_ERROR, "TimescaleDB on the target is not in restoring mode", check_restoring},
    {NULL, FINDING_INFO, NULL, NULL},
};
