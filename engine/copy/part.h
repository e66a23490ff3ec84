/*
 * Part: one piece of a leaf, copied in one transaction of the target together with its journal row.
 * Rows pass through unparsed; the servers' command tags are the counts.
 */
#ifndef GODWIT_COPY_PART_H
#define GODWIT_COPY_PART_H

#include "copy/parts.h"
#include "copy/wave.h"

/* What a part is copied with. */
typedef struct PartSpec {
    Run *run;
    Wave *wave;
    const Leaf *leaf;
    int number; /* in its leaf, from 0 */
    PartRange range;
    bool only; /* the leaf is a single part: its share is emptied and filled in one transaction, and
                  the leaf is done with it */
} PartSpec;

/** Appends the COPY ... TO STDOUT of a part. */
void part_source_sql(Str *sql, const Conn *source, const Leaf *leaf, const PartRange *range);

/** The same of chunks of a hypertable, all their rows together. \param count one at least */
void part_chunks_sql(Str *sql, const Conn *source, const Leaf *leaf, const Name *const *chunks,
                     size_t count);

/** Appends the COPY ... FROM STDIN. \param freeze the share is emptied in the same transaction */
void part_target_sql(Str *sql, const Conn *target, const Leaf *leaf, bool freeze);

/** The table on the target that holds the leaf's rows. */
const Name *part_target(const Leaf *leaf);

/** Appends what empties the leaf's share of the target.
 * \param referenced by foreign keys of other tables: row by row, since TRUNCATE would be refused;
 *        under replication role replica their actions do not fire */
void part_empty_sql(Str *sql, const Conn *target, const Leaf *leaf, bool referenced);

/* A worker's sessions on the target; it closes both. */
typedef struct PartTarget {
    Conn *conn;
    Conn **quiet; /* under replication role replica: the other goes on to steps that must not be */
} PartTarget;

/** Whether rows are written frozen: only into a plain table that holds this leaf's rows alone,
 * emptied in the same transaction; and only where it pays.
 * \note Source: PostgreSQL docs, COPY, "FREEZE". */
bool part_may_freeze(const Leaf *leaf);

/** Copies one part and commits it with its journal row. Counts into the run's counters.
 * \param arena for this call
 * \return false with ERR_ROW_COUNT, ERR_SQL, ERR_LOST, ERR_RUN (the wave is lost) or the stop's
 *         error; neither connection is inside a transaction then, if it is still usable. */
MUSTCHECK bool part_copy(const PartSpec *spec, Arena *arena, Conn *source, const PartTarget *target,
                         Err *err);

/** Which session writes: triggers and foreign keys that stand there must not fire, as those of a
 * table that is copied anew beside the stream. \param conn receives the quiet one, opened if need
 * be, or the worker's where that is not needed, or not to be had (then nothing that acts stands
 * there, docs/adr/0007) */
MUSTCHECK bool part_session(const PartSpec *spec, const PartTarget *target, Conn **conn, Err *err);

/** Whether the journal has the part: asked before it is tried again, since the answer to a commit
 * can get lost. */
MUSTCHECK bool part_is_done(const PartSpec *spec, Conn *target, bool *done, Err *err);

#endif
