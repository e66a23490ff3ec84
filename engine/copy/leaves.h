/*
 * Leaves: what the journal says about the blueprint's leaves, and lists of them as SQL parameters.
 */
#ifndef GODWIT_COPY_LEAVES_H
#define GODWIT_COPY_LEAVES_H

#include "base/str.h"
#include "step/run.h"

/** The journal's row of every leaf, by Leaf.index; NULL where it has none. */
MUSTCHECK bool leaves_states(Arena *arena, const Run *run, Conn *target,
                             const JournalLeaf ***states, Err *err);

/** Whether a leaf with this row is copied. */
bool leaf_is_copied(const JournalLeaf *state);

/** How many of these leaves are not copied, by the journal; all of them for a run without a row. */
MUSTCHECK bool leaves_left(const Run *run, Conn *target, Leaf *const *leaves, size_t count,
                           size_t *left, Err *err);

/** Appends texts as the literal of a text array: {"a","b"}. */
void list_append(Str *array, const char *text);
void list_end(Str *array);

#endif
