/*
 * What the parts of the mirror share. Part of blueprint/ only.
 */
#ifndef GODWIT_BLUEPRINT_MIRROR_INTERNAL_H
#define GODWIT_BLUEPRINT_MIRROR_INTERNAL_H

#include "blueprint/build.h"

/** A job's schedule and limits as the plan would give them. What its configuration says that the
 * target's TimescaleDB does not know yet is a finding. */
PlanPolicy mirror_policy(Build *build, const CatJob *job);

/** The columnstore with its policy, of a table or an aggregate's rows, as the plan would give it;
 * NULL: it has none. */
const PlanColumnstore *mirror_columnstore(Build *build, const Name *table);

/** The same of its retention. */
const PlanRetention *mirror_retention(Build *build, const Name *table);

/** Says what is not mirrored. */
void mirror_not(Build *build, const char *what, const char *hint);

/** The policy of a table or aggregate by its procedure, whose schema differs by version; NULL: it
 * has none. */
const CatJob *mirror_job_of(const Build *build, const Name *table, const char *procedure);

#endif
