/*
 * Job: the copy of one relation in a wave: its leaves that the wave includes, divided into parts,
 * and what is left of them. Parts are copied by any number of threads at once.
 */
#ifndef GODWIT_COPY_JOB_H
#define GODWIT_COPY_JOB_H

#include "copy/part.h"

/** Divides the relation's leaves into parts, largest leaf first, and empties the shares of divided
 * leaves that an earlier wave had begun. Again after a failure.
 * \param job where the wave keeps it; freed with the wave
 * \return false with ERR_SQL, ERR_LOST or the stop's error. */
MUSTCHECK bool job_plan(CopyJob **job, Run *run, Wave *wave, const Relation *relation, Conn *source,
                        const PartTarget *target, Err *err);

size_t job_part_count(const CopyJob *job);

/** Copies one part, unless it is done already; the last part of a leaf moves the leaf's state.
 * Errors as part_copy(). */
MUSTCHECK bool job_part(CopyJob *job, size_t part, Arena *arena, Conn *source,
                        const PartTarget *target, Err *err);

/** Whether every leaf of the job is copied, by what was committed. */
bool job_is_done(CopyJob *job);

void job_free(CopyJob *job);

#endif
