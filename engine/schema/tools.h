/*
 * Tools: where pg_dump and pg_restore are, and which version they have. The newest suitable pair
 * wins.
 */
#ifndef GODWIT_SCHEMA_TOOLS_H
#define GODWIT_SCHEMA_TOOLS_H

#include "plan/plan.h"

typedef struct PgTools {
    const char *pg_dump; /* full paths; NULL when none was found */
    const char *pg_restore;
    int major; /* 17; 0 when none was found */
} PgTools;

/** Looks in tools.pg_bin alone when the plan names it, else in /usr/lib/postgresql/N/bin and PATH.
 * Suitable: both tools, one version, not older than the source, and not newer than the target where
 * an equal one exists. \param source_version, target_version as PostgreSQL numbers them (150018)
 * \return false with ERR_PREFLIGHT: what was found, what is needed, how to get it. */
MUSTCHECK bool tools_find(Arena *arena, const Plan *plan, int source_version, int target_version,
                          PgTools *tools, Err *err);

#endif
