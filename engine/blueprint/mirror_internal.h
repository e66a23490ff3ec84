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

/** Whether rows of the aggregate may have outlived those that it reads: retention drops them. */
bool carry_is_needed(const Build *build, const CatAggregate *from);

/** Whether the aggregates whose rows are carried over can be: each is on the source, in a form that
 * can be, with jobs that rest, and with rows that would be shown. */
void build_carried(Build *build);

/** The policy of a table or aggregate by its procedure, whose schema differs by version; NULL: it
 * has none. */
const CatJob *mirror_job_of(const Build *build, const Name *table, const char *procedure);

#endif
