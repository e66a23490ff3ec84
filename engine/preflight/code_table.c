/*
 * The kinds of findings, by code. A code is waivable only when the run loses no row with the
 * finding as it is; its remedy is fixable only when it changes nothing that an application or
 * another user would notice.
 */
#include "preflight/codes.h"

const PreflightCode preflight_code_table[CODE_COUNT] = {
    [CODE_WAL_LEVEL] = {"G101", "wal_level of the source is logical", 0},
    [CODE_SLOTS] = {"G102", "two replication slots are free on the source", 0},
    [CODE_SENDERS] = {"G103", "two WAL senders are free on the source", 0},
    [CODE_STANDBY] = {"G104", "both servers are primaries", 0},
    [CODE_POOLER] = {"G105", "no connection pooler stands in between", 0},
    [CODE_VERSION] = {"G106", "the versions of both servers are supported", 0},
    [CODE_LOCK_TABLE] = {"G107", "the lock tables hold the selection", CODE_WAIVABLE},
    [CODE_WAL_KEEP] = {"G108", "max_slot_wal_keep_size does not cut the slot off", CODE_WAIVABLE},
    [CODE_OLD_SNAPSHOT] = {"G109", "old_snapshot_threshold is off (before PostgreSQL 17)", 0},
    [CODE_PREPARED] = {"G110", "no prepared transaction is open on the source", 0},
    [CODE_SAME_DATABASE] = {"G111", "source and target are two databases", 0},
    [CODE_ENCODING] = {"G112", "the encodings fit", 0},
    [CODE_LARGE_OBJECTS] = {"G113", "there are no large objects (not in this version)", 0},
    [CODE_PROVIDER] = {"G114", "the servers are of the kinds that the plan says", CODE_WAIVABLE},
    [CODE_IDLE_SLOT] = {"G115", "idle replication slots are kept", CODE_WAIVABLE},
    [CODE_TOOLS] = {"G116", "there are a pg_dump and a pg_restore that are new enough", 0},
    [CODE_IDENTITY] = {"G201", "every published table has a replica identity", CODE_FIXABLE},
    [CODE_ROW_SECURITY] = {"G202", "row security hides no rows from the copy", 0},
    [CODE_UNLOGGED] = {"G203", "no selected table is unlogged (not in this version)", 0},
    [CODE_IDENTITY_KEY] = {"G204", "every replica identity holds the key", CODE_FIXABLE},
    [CODE_KEYLESS] = {"G205", "every table has a key that names one row", CODE_WAIVABLE},
    [CODE_SELECT] = {"G301", "the source's user may read every selected relation", 0},
    [CODE_OWNER] = {"G302", "the source's user owns what it publishes", 0},
    [CODE_REPLICATION_ROLE] = {"G303", "the source's user may replicate", 0},
    [CODE_CREATE] = {"G304", "both users may create what the run needs", 0},
    [CODE_FENCE] = {"G305", "the fences can be put up", 0},
    [CODE_REPLICA_ROLE] = {"G306", "session_replication_role can be set on the target", 0},
    [CODE_SIGNAL] = {"G307", "sessions of other roles can be ended", CODE_WAIVABLE},
    [CODE_EXTENSION] = {"G401", "the source's extensions are available on the target", 0},
    [CODE_CONNECTIONS] = {"G402", "both servers have connections to spare", CODE_WAIVABLE},
    [CODE_EXISTS] = {"G403", "the target has nothing of the same names", 0},
    [CODE_RESTORING] = {"G404", "TimescaleDB on the target is not in restoring mode", 0},
    [CODE_EXTENSION_VERSION] = {"G405", "no extension is older on the target", CODE_WAIVABLE},
    [CODE_PROVIDER_SETTING] = {"G501", "settings are as the provider's servers need them",
                               CODE_WAIVABLE},
    [CODE_SLOT_RULE] = {"G502", "the source's provider keeps the run's slot", CODE_WAIVABLE},
    [CODE_ACTING] = {"G503", "nothing on the target acts on replicated changes", 0},
    [CODE_POWER] = {"G504", "the target's user may do what the run can do without", CODE_WAIVABLE},
    [CODE_EXTENSION_CREATE] = {"G505", "missing extensions can be created on the target", 0},
};

const PreflightCode *preflight_codes(size_t *count)
{
    *count = CODE_COUNT;
    return preflight_code_table;
}
