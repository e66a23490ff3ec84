/*
 * Layers: how a plan is read. locate -> walk -> bind -> fill -> check, each in its own file.
 *
 * The first two report faults and go on; bind and fill run only over what the walker accepted.
 */
#ifndef GODWIT_PLAN_LAYERS_H
#define GODWIT_PLAN_LAYERS_H

#include "base/str.h"
#include "plan/bound.h"
#include "plan/report.h"

#define LOCATE_MAX_BYTES ((size_t)1024 * 1024)
#define LOCATE_MAX_DEPTH 32
#define LOCATE_MAX_NODES 500000

/** plan_load() of a text that was read already; path and directory of the plan are set. */
MUSTCHECK bool plan_load_text(Plan *plan, const char *text, size_t bytes, PlanFindings *findings,
                              Err *err);

/** Reads a plan's file: at most one byte more than a plan may have, so that locate can refuse it.
 * Only a regular file is read: nothing else stays what was reviewed, and a pipe could wait forever.
 * \return false when that is reported. */
MUSTCHECK bool plan_read(Report *report, const char *path, Str *text);

/** Why a path cannot be read as a regular file: "it is a directory", the system's words; NULL when
 * it can. */
const char *plan_file_fault(const char *path);

/** Text to tree. \return the root, or NULL when a fault (reported) leaves nothing to go on with. */
Node *plan_locate(Report *report, const char *text, size_t bytes);

/** Compares the tree with the tables, reporting every fault. */
void plan_walk(Report *report, const Node *root, const char *text, size_t bytes);

/** Loads an accepted tree with libcyaml.
 * \param bound give it to plan_unbind() \return false with ERR_BUG when libcyaml refuses. */
MUSTCHECK bool plan_bind(const Node *root, BoundPlan **bound, Err *err);
void plan_unbind(BoundPlan *bound);

/** libcyaml over a document; plan_bind() without the tree. */
MUSTCHECK bool plan_bind_text(const char *yaml, size_t bytes, BoundPlan **bound, Err *err);

/** Copies what was bound into the plan, defaults filled in, positions from the tree. */
void plan_fill(Plan *plan, const BoundPlan *bound, const Node *root);

/** Reports faults of meaning. */
void plan_check(Report *report, const Plan *plan, const Node *root);

/** The plan as canonical JSON: sorted keys, defaults filled in, one way to write each value. */
char *plan_canonical(Arena *arena, const Plan *plan);

#endif
