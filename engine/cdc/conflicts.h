/*
 * Conflicts: what was decided in a target transaction, counted by relation, kind and outcome. The
 * counts are written to the journal by that transaction, so that they are as true as its changes.
 */
#ifndef GODWIT_CDC_CONFLICTS_H
#define GODWIT_CDC_CONFLICTS_H

#include "base/vec.h"
#include "blueprint/blueprint.h"
#include "cdc/emit.h"

/* By their names in PostgreSQL's own statistics (pg_stat_subscription_stats). */
typedef enum ConflictKind {
    CONFLICT_INSERT_EXISTS,
    CONFLICT_UPDATE_EXISTS, /* its new values are another row's */
    CONFLICT_UPDATE_MISSING,
    CONFLICT_DELETE_MISSING,
} ConflictKind;

typedef enum ConflictOutcome {
    CONFLICT_SKIPPED,
    CONFLICT_OVERWRITTEN, /* the row that was there is the source's now */
    CONFLICT_INSERTED,    /* the row that was missing */
} ConflictOutcome;

typedef struct Conflict {
    const Relation *relation;
    ConflictKind kind;
    ConflictOutcome outcome;
    uint64_t count;
    const char *last_key;
    Lsn last_lsn; /* end of the source's commit, or its begin while that is not known */
} Conflict;

typedef struct Conflicts {
    VEC(Conflict) items;
    Arena arena;
    uint64_t count;
} Conflicts;

/** "insert_exists", "skipped": for logs and the journal. */
const char *conflict_kind_name(ConflictKind kind);
const char *conflict_outcome_name(ConflictOutcome outcome);

/** Counts one. \param key copied */
void conflicts_add(Conflicts *conflicts, const Conflict *one, const char *key);

/** Emits the rows of the journal. \return false as emit_sql() */
MUSTCHECK bool conflicts_emit(const Conflicts *conflicts, Emit *emit, int64_t run, unsigned lane,
                              Err *err);
void conflicts_clear(Conflicts *conflicts);

#endif
