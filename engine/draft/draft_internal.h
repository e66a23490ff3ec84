/*
 * What the parts of a draft share. Part of draft/ only.
 */
#ifndef GODWIT_DRAFT_DRAFT_INTERNAL_H
#define GODWIT_DRAFT_DRAFT_INTERNAL_H

#include "base/vec.h"
#include "draft/draft.h"

typedef VEC(const char *) Texts;

/* A table that may become a hypertable. */
typedef struct Candidate {
    const CatRelation *table;
    const char *column;
    const char *interval; /* "7 days" */
    const char *reason;   /* one line */
    Texts obstacles; /* statements of the source, or "-- " and a sentence, that must come first */
} Candidate;

typedef VEC(Candidate) Candidates;

/** Finds tables that grow along time. \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool draft_candidates(Arena *arena, const Catalog *source, Conn *conn, Candidates *found,
                                Err *err);

/** A text as YAML writes it on one line, quoted where it must be. */
char *draft_scalar(Arena *arena, const char *text);

/** A relation as a plan names it, the same way. */
char *draft_relation(Arena *arena, const Name *name);

/** Appends, as comments below an entry, columnstore and policies of a hypertable or of an
 * aggregate's rows. */
void draft_policies(Arena *arena, Str *out, const Catalog *source, const Name *table);

/** Appends a continuous aggregate as an entry, in comments. */
void draft_aggregate(Arena *arena, Str *out, const Catalog *source, const CatAggregate *aggregate);

/** Appends a job of the user's as an entry, in comments. */
void draft_job(Arena *arena, Str *out, const CatJob *job);

/** Whether a table of the user's is to be moved: not an extension's, not TimescaleDB's own. */
bool draft_is_users(const CatRelation *relation);

#endif
