/*
 * Renaming: the archive's text knows the selected tables by their names on the source; select.map
 * gives them others on the target. So such text runs between renaming_begin() and renaming_end(),
 * inside one transaction: in between the tables bear the names of the source, whatever else bears
 * them on the target is put aside, and afterwards nothing of it is to be seen.
 *
 *     Renaming renaming = {.conn = target, .blueprint = blueprint, .arena = arena};
 *     if (!renaming_begin(&renaming, err) || !archive_run(target, script, err) ||
 *         !renaming_end(&renaming, err))
 *         return false;
 */
#ifndef GODWIT_SCHEMA_RENAME_H
#define GODWIT_SCHEMA_RENAME_H

#include "base/vec.h"
#include "blueprint/blueprint.h"
#include "pg/conn.h"

typedef struct Renaming {
    Arena *arena;
    Conn *conn;
    const Blueprint *blueprint;
    VEC(const char *) back;    /* statements that end it */
    VEC(const char *) schemas; /* made for the time being */
} Renaming;

/** Gives the tables the names of the source. Nothing to do without select.map.
 * \return false with ERR_SQL, ERR_LOST; the transaction must then be rolled back. */
MUSTCHECK bool renaming_begin(Renaming *renaming, Err *err);

/** Gives the tables the names of the target, makes the schemas that these need, and takes away what
 * was there for the time being only. */
MUSTCHECK bool renaming_end(Renaming *renaming, Err *err);

#endif
