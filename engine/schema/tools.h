/*
 * Tools: which pg_dump and pg_restore the schema archive is made and read with.
 */
#ifndef GODWIT_SCHEMA_TOOLS_H
#define GODWIT_SCHEMA_TOOLS_H

#include "base/err.h"
#include "plan/plan.h"

typedef struct PgTools {
    const char *pg_dump;    /* paths */
    const char *pg_restore; /* of the same directory */
    int version;            /* major */
    int minor;
} PgTools;

/** Finds a pair that is new enough for the source: in tools.pg_bin when the plan names it, else in
 * /usr/lib/postgresql/<major>/bin and PATH. Among several the newest that is not newer than the
 * target is taken (a newer one may write what an older server does not know), else the oldest; of
 * one major version the newest minor release, which knows most of what servers write.
 * \param source_version, target_version as PostgreSQL numbers them: 150018
 * \return false with ERR_TOOL, saying where was looked.
 * \note Source: pg_dump(1): it refuses servers newer than its own major version. */
MUSTCHECK bool tools_find(Arena *arena, const Plan *plan, int source_version, int target_version,
                          PgTools *tools, Err *err);

/** Whether `one` is to be taken rather than `best` (version 0: none yet). */
bool tools_is_better(const PgTools *one, const PgTools *best, int target_major);

#endif
