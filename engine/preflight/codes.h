/*
 * Codes: every kind of finding that the checks of preflight can make; the rows stand in
 * code_table.c. Part of preflight/ only.
 */
#ifndef GODWIT_PREFLIGHT_CODES_H
#define GODWIT_PREFLIGHT_CODES_H

#include "preflight/preflight.h"

typedef enum Code {
    CODE_WAL_LEVEL,
    CODE_SLOTS,
    CODE_SENDERS,
    CODE_STANDBY,
    CODE_POOLER,
    CODE_VERSION,
    CODE_LOCK_TABLE,
    CODE_WAL_KEEP,
    CODE_OLD_SNAPSHOT,
    CODE_PREPARED,
    CODE_SAME_DATABASE,
    CODE_ENCODING,
    CODE_LARGE_OBJECTS,
    CODE_PROVIDER,
    CODE_IDLE_SLOT,
    CODE_TOOLS,
    CODE_IDENTITY,
    CODE_ROW_SECURITY,
    CODE_UNLOGGED,
    CODE_IDENTITY_KEY,
    CODE_KEYLESS,
    CODE_SELECT,
    CODE_OWNER,
    CODE_REPLICATION_ROLE,
    CODE_CREATE,
    CODE_FENCE,
    CODE_REPLICA_ROLE,
    CODE_SIGNAL,
    CODE_EXTENSION,
    CODE_CONNECTIONS,
    CODE_EXISTS,
    CODE_RESTORING,
    CODE_EXTENSION_VERSION,
    CODE_PROVIDER_SETTING,
    CODE_SLOT_RULE,
    CODE_ACTING,
    CODE_POWER,
    CODE_EXTENSION_CREATE,
    CODE_COUNT
} Code;

extern const PreflightCode preflight_code_table[CODE_COUNT];

#endif
