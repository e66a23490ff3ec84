/*
 * Pinned plan: what `plan --out` writes and `apply` can be held to: the plan's text and
 * fingerprint, both endpoints, the catalogs' fingerprint and the steps that were reviewed. One JSON
 * object, suffix .pinned.
 */
#ifndef GODWIT_CMD_PINNED_H
#define GODWIT_CMD_PINNED_H

#include "graph/build.h"

typedef struct Pinned {
    const char *name;
    const char *fingerprint;
    const char *plan_text;
    const char *source_system;
    const char *target_system;
    const char *catalog; /* fingerprint of what was selected on the source */
    const char **steps;  /* ids */
    size_t step_count;
    const char *written_at;
} Pinned;

/** Whether a path names a pinned plan. */
bool pinned_is(const char *path);

/** A path under which the plan inside a pinned plan can be read by this process. */
MUSTCHECK bool pinned_plan_file(Arena *arena, const char *path, const char **file, Err *err);

MUSTCHECK bool pinned_read(Arena *arena, const char *path, Pinned *pinned, Err *err);
MUSTCHECK bool pinned_write(const char *path, const Pinned *pinned, Err *err);

/** A fingerprint of the selection: relations, columns, types, keys, as the blueprint has them. */
const char *pinned_catalog(Arena *arena, const Blueprint *blueprint);

/** Refuses with ERR_STALE when endpoints or catalog moved since the plan was pinned. */
MUSTCHECK bool pinned_check(const Pinned *pinned, const char *source_system,
                            const char *target_system, const char *catalog, Err *err);

#endif
