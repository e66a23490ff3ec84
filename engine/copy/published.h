/*
 * Published: whether what was published when a leaf was copied is so still. Who takes a table out
 * of a publication and puts it in again leaves no trace in the stream: what was written to the
 * table meanwhile is missing. The publication's entry tells, it is another one then.
 */
#ifndef GODWIT_COPY_PUBLISHED_H
#define GODWIT_COPY_PUBLISHED_H

#include "step/run.h"

/** What publishes leaves now, in their order: a text, "" when nothing does as the plan says, NULL
 * where nothing has to (unlogged tables, runs without publications). \param source may stand in a
 * snapshot */
MUSTCHECK bool published_read(Arena *arena, const Run *run, Conn *source, Leaf *const *leaves,
                              size_t count, const char ***published, Err *err);

/** Reads and writes it down for leaves whose wave is open. \param source in its snapshot */
MUSTCHECK bool published_note(const Run *run, Conn *source, Conn *target, Leaf *const *leaves,
                              size_t count, Err *err);

/** Compares all copied leaves. \param then by Leaf.index, what published them at an earlier look;
 * NULL: when they were copied \param now receives the same of this look, in `arena` \param moved by
 * Relation.index: set where another entry publishes one; NULL: not asked \return false with
 * ERR_STALE naming a table that is not published as planned any more */
MUSTCHECK bool published_still(Arena *arena, const Run *run, Conn *source, Conn *target,
                               const char *const *then, const char ***now, bool *moved, Err *err);

#endif
