/*
 * World: a source and a target database on the unit server, the same tables on both, a plan, its
 * blueprint and a run in the target's journal; for tests of the rooms that move rows.
 *
 * The engine's statements go through the fault hook (pg/fault.h), those of the world's own two
 * connections do not.
 */
#ifndef GODWIT_UNIT_WORLD_H
#define GODWIT_UNIT_WORLD_H

#include "lib/server.h"
#include "step/run.h"

typedef struct World {
    Plan plan;
    Catalog source_catalog, target_catalog;
    Blueprint blueprint;
    Conn *source, *target; /* the test's own; names without a schema are of public */
    Stop stop;
    Run run;
    char turns[64]; /* the sweep's file */
    char plan_path[64];
    Arena texts;
} World;

/** Group set-up. \param sweep rule of GODWIT_SWEEP without its file \param keys of the plan, in
 * YAML \param tables DDL for both sides \param rows what is then done on the source */
int world_setup(World *world, const char *sweep, const char *keys, const char *tables,
                const char *rows);
int world_teardown(World *world);

/** Fails the test with the error unless ok. */
void world_must(bool ok, const Err *err);

/** How many faults there were. */
size_t world_faults(const World *world);

/** Whether a table (as SQL writes it) holds the same rows on both sides. */
bool world_is_same(World *world, const char *table);

#endif
