/*
 * Draft: a plan that a user starts from, written from what a live source holds. Reads statistics
 * and catalogs only; every proposal says why.
 */
#ifndef GODWIT_DRAFT_DRAFT_H
#define GODWIT_DRAFT_DRAFT_H

#include "base/str.h"
#include "catalog/catalog.h"

typedef struct DraftInput {
    const char *name;       /* of the plan */
    const char *source_env; /* variables that hold the connection strings */
    const char *target_env;
    const char *source_kind;     /* kinds of the plan */
    const char *source_evidence; /* why it is of this kind; NULL: nothing points elsewhere */
    const char *target_kind;
    const Catalog *source;
    const Catalog *target; /* NULL: not looked at */
} DraftInput;

/** Writes the plan. \param source outside a transaction or in one that reads only
 * \return false with ERR_SQL, ERR_LOST. */
MUSTCHECK bool draft_write(Str *out, const DraftInput *input, Conn *source, Err *err);

/** A name for a plan from a database's: lower case, other characters as "_". */
char *draft_name(Arena *arena, const char *database);

#endif
