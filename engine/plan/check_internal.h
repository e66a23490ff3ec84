/*
 * Check, inside: what the files of the check share. Each check_<part>.c judges one part of a plan
 * that is bound; the tree only says where things stand. Part of plan/ only.
 */
#ifndef GODWIT_PLAN_CHECK_INTERNAL_H
#define GODWIT_PLAN_CHECK_INTERNAL_H

#include "plan/layers.h"
#include "plan/texts.h"

typedef struct Check {
    Report *report;
    Arena *arena;
    const Plan *plan;
    const Node *root;
    Texts relations; /* what select.tables names exactly, as schema.name */
    Texts schemas;   /* what select.schemas names exactly */
    Texts excluded;
    Texts mapped;     /* targets of select.map without groups, as schema.name -> PlanMap */
    bool maps_groups; /* an entry of select.map has a group in its target */
    size_t tries;     /* names tried on patterns and the like so far */
} Check;

/** Counts one try; false when so many were made that a hostile plan would take long: what is left
 * is judged on a server. */
bool check_may_try(Check *check);

/** Endpoints, caps, approval. */
void check_endpoints(Check *check);
void check_rehearsal(Check *check);
void check_approval(Check *check);

/** The selection, and relations that are named elsewhere. */
void check_selection(Check *check);

/** A relation that the plan names and uses must be in the selection.
 * \param use "verified" */
void check_used(Check *check, const Name *name, PlanPos pos, uint32_t span, const char *use);

/** Texts of a list that stand in it twice. \param path of the list, for the message */
void check_twice(Check *check, const Node *list, const char *path);

/** Selectors: duplicates, and exact names that are not selected. \param use NULL: any name will do
 */
void check_selectors(Check *check, const PlanSelectors *selectors, const Node *list,
                     const char *use);

/** The target's name of a relation may be the work of select.map: true when nothing can be said.
 * \param source set to the relation that gets this name, when one entry names it exactly */
bool check_is_mapped(Check *check, const Name *target, const Name **source);

/** Steps and hooks: ids, needs, cycles, verifications they run. */
void check_steps(Check *check);

/** Files and programs that the plan names; what is accepted twice. */
void check_files(Check *check);
void check_waivers(Check *check);

/** What cannot be reversed where the way back is to be prepared. */
void check_failback(Check *check);

/** Hypertables, policies, aggregates, jobs. */
void check_timescale(Check *check);

/** Continuous aggregates: names that tables have, cycles, what is carried over, what a policy
 * needs. */
void check_aggregate_names(Check *check);
void check_aggregate_order(Check *check);
void check_aggregate_data(Check *check);

/** Jobs of the user's own. */
void check_jobs(Check *check);

/** An id of a verification that is not there, with the one that was probably meant.
 * \param path of the list that names it */
void check_verify_id(Check *check, const Node *entry, const char *path);

#endif
