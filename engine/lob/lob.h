/*
 * Lob: the large objects of the source's database, brought to the target under the same oids. No
 * stream carries them, so they are copied beside the tables, and what changed since is found and
 * copied again behind the source's fence. What is known of each stands in the journal
 * (godwit.large_object), written in the transaction that wrote the object.
 *
 *     lob_begin(&run->lob, run, LOB_COPY, source, target, &ranges, err);
 *     for (i < ranges) lob_range(run->lob, i, arena, source, target, err);     // any thread
 *
 * What fails where: killed in the middle, finished objects are in the journal with their bytes, the
 * others are not there at all; the next engine copies those. An object that is written while it is
 * copied is read in one snapshot, and may be old; behind the fence it is found by the transaction
 * that wrote it (pg_largeobject's xmin against the horizon of that snapshot) or, where
 * pg_largeobject may not be read, by hashing every object.
 */
#ifndef GODWIT_LOB_LOB_H
#define GODWIT_LOB_LOB_H

#include "step/run.h"

typedef enum LobPass {
    LOB_COPY,  /* brings what is not there */
    LOB_AGAIN, /* also what has changed since, and takes away what is gone */
    LOB_COMPARE,
} LobPass;

typedef struct LobTotals {
    int64_t copied;
    int64_t bytes;
    int64_t deleted;
    int64_t compared;
    int64_t behind; /* compare, live: changed on the source since; copied again behind the fence */
    int64_t differences;
} LobTotals;

/* What a session may do with large objects. */
typedef struct LobPowers {
    int64_t count;
    int64_t unreadable;
    int64_t bytes;    /* of pg_largeobject, on disk */
    bool reads_pages; /* xmin of pg_largeobject: changes are found without reading everything */
    bool locks;       /* may lock the catalogs against writers */
    int64_t lock_room;
} LobPowers;

/** Asks one server. */
MUSTCHECK bool lob_powers(Conn *conn, LobPowers *powers, Err *err);

/** Begins a pass: reads roles and powers, divides the objects into ranges.
 * \param lob replaces an earlier pass \param still the source does not change any more. Compare: it
 * is measured against the target itself, not against what the journal has seen. Again: the source's
 * connection of lob_all() is the one that holds the fence, in a transaction that stays open: every
 * other would wait for it, as lo_get() takes the lock of a writer
 * \return false with ERR_SQL, ERR_LOST or the stop's error */
MUSTCHECK bool lob_begin(Lob **lob, Run *run, LobPass pass, bool still, Conn *source, Conn *target,
                         size_t *ranges, Err *err);

/** One range of the pass; any number of threads, each with connections of its own.
 * \return false with ERR_RUN (what was written does not read back), ERR_SQL, ERR_LOST */
MUSTCHECK bool lob_range(Lob *lob, size_t range, Arena *arena, Conn *source, Conn *target,
                         Err *err);

/** Every range, one after the other. Errors as lob_range(). */
MUSTCHECK bool lob_all(Lob *lob, Conn *source, Conn *target, Err *err);

LobTotals lob_totals(const Lob *lob);

/** What a pass of LOB_COMPARE found, one text an object: "large object 4711: not the same"; the
 * first LOB_MAX_NAMED. Once every range is done. */
const char *const *lob_differences(const Lob *lob, size_t *count);
#define LOB_MAX_NAMED 100

/** Takes what the run brought from the target, a batch at a time (`reset`). */
MUSTCHECK bool lob_remove_all(Conn *target, int64_t run, Err *err);

void lob_free(Lob *lob);

/** Compares the large objects of both sides, range by range, for `godwit verify`.
 * \param lob receives the pass, with what it found */
MUSTCHECK bool lob_compare_all(Lob **lob, Run *run, bool still, Conn *source, Conn *target,
                               Err *err);

#endif
