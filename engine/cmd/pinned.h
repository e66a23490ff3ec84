/*
 * Pinned plan: what `plan --out` writes, what reviewers read with `show`, and what `apply` holds
 * itself to: the plan's text and fingerprint, the engine's version, both databases, the selection's
 * definitions on the source, what stands in its way on the target, the journal's state, the steps.
 * One JSON object, suffix .pinned, sealed by a hash of its own; no secret is in it.
 */
#ifndef GODWIT_CMD_PINNED_H
#define GODWIT_CMD_PINNED_H

#include "base/facts.h"
#include "report/dry_run.h"

/* What is compared fact by fact, so that a refusal can say what moved. */
typedef struct PinnedFacts {
    FactVec source;  /* definitions of what is selected */
    FactVec target;  /* what stands in the schemas that the run fills */
    FactVec journal; /* run, state, epoch, recorded steps */
    FactVec steps;   /* ids of the graph */
    FactVec files;   /* hashes of the files that the plan names */
} PinnedFacts;

typedef struct Pinned {
    const char *engine; /* version */
    const char *written_at;
    const char *name;
    const char *fingerprint;
    const char *canonical;
    const char *plan_path; /* from the pinned plan's own directory */
    const char *plan_text;
    const char *source_system; /* "<system identifier>/<database>" */
    const char *target_system;
    PinnedFacts facts;
    DryRun dry;
    const char *plan_file; /* read: plan_path as seen from here */
    const char *digest;    /* read: SHA-256 over everything; what the journal remembers */
} Pinned;

/** Whether a path names a pinned plan. */
bool pinned_is(const char *path);

/** Reads and checks the seal. \return false with ERR_PLAN (no pinned plan, or of another format),
 * ERR_STALE (changed after it was written). */
MUSTCHECK bool pinned_read(Arena *arena, const char *path, Pinned *pinned, Err *err);

/** Writes it; plan_path, plan_file and digest are found by themselves.
 * \param plan_file path of the plan as this process sees it */
MUSTCHECK bool pinned_write(const char *path, const Pinned *pinned, const char *plan_file,
                            Err *err);

/* The facts of a Pinned with their names in the file, in the order in which moves are told. */
typedef struct PinnedGroup {
    const char *key;  /* in the file: "source_catalog" */
    const char *word; /* in messages: "source" */
    size_t offset;    /* of the FactVec in PinnedFacts */
} PinnedGroup;

/** The groups; ends with a NULL key. */
extern const PinnedGroup PINNED_GROUPS[];

/** The facts of one group. */
FactVec *pinned_group(PinnedFacts *facts, const PinnedGroup *group);

#endif
