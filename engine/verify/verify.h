/*
 * Verify: proves that source and target hold the same rows, live or still.
 *
 * count: rows per relation. checksum: order-free sums of row hashes per key range; only ranges that
 * differ are split, down to rows named by key. Live rule: data-path.md, "Verify".
 */
#ifndef GODWIT_VERIFY_VERIFY_H
#define GODWIT_VERIFY_VERIFY_H

#include "base/throttle.h"
#include "blueprint/blueprint.h"
#include "cdc/stream.h"
#include "pg/conn.h"

typedef enum DifferenceKind { DIFF_MISSING, DIFF_EXTRA, DIFF_CHANGED, DIFF_COUNT } DifferenceKind;

typedef struct Difference {
    DifferenceKind kind; /* missing or extra on the target */
    const char *key; /* "(id)=(42)"; for keyless relations the row's text, cut at 200 characters */
    int64_t copies;  /* keyless: how many more on one side; else 1 */
} Difference;

typedef struct VerifyResult {
    int64_t source_rows;
    int64_t target_rows;
    Difference *differences; /* the first VERIFY_MAX_NAMED of them */
    size_t difference_count; /* named ones */
    int64_t difference_total;
    bool more;    /* difference_total is a lower bound: the search was given up */
    int64_t busy; /* live: rows that were written at every look, so that nothing can be said */
    TouchedKeys busy_keys; /* they: somebody must look again; with `overflow` at all rows */
} VerifyResult;

#define VERIFY_MAX_NAMED 100

/* The look that the arming of a leg is (engine/sql/journal_lane_place.sql). */
#define LEG_LOOK 1

/* Where a live verification writes down how far it has come, so that the next one of the same id
 * goes on there (docs/adr/0026). */
typedef struct VerifyNotes {
    Conn *book;     /* the journal's server; outside a transaction */
    int64_t run_id; /* whose lanes apply */
    const char *id;
    /* The relation is about to be looked at as a whole; NULL: nobody wants to know. Tells whether
     * keys were forgotten for that: then what apply has in its hands is waited for, since it was
     * noted before, and is not committed yet. */
    bool (*anew)(void *data, const Relation *relation);
    void *data;
} VerifyNotes;

typedef struct VerifySpec {
    const Relation *relation;
    PlanVerifyMethod method;
    const char *where; /* NULL: all rows */
    bool partial; /* copy.data false: that a row is not on the target is no difference; that one
                     is other there, or only there, is */
    Conn *source; /* read-only sessions of the caller */
    Conn *target;
    Stream *stream; /* live: how far apply is, in this process; NULL */
    int64_t run_id; /* live with another engine replicating: applied is read from the lane row; 0:
                       still */
    const VerifyNotes *notes; /* NULL: nothing is written down */
    Throttle *throttle;       /* NULL: as fast as the servers give */
} VerifySpec;

/** The verification with this id is over: the next one begins from nothing. */
MUSTCHECK bool verify_over(const VerifyNotes *notes, Err *err);

/** What verifications of this run have written down goes: the target was the primary meanwhile. */
MUSTCHECK bool verify_forget(Conn *book, int64_t run_id, Err *err);

/** Whether the session may write notes. */
MUSTCHECK bool verify_may_note(Conn *book, bool *may, Err *err);

/** Compares one relation. Differences are a result, not an error. Both connections must be outside
 * a transaction; the target's is used by a second thread while the call lasts.
 * \param result zeroed by this call; texts are owned by the arena
 * \return false with ERR_SQL, ERR_CONNECT, the stop's error; live also what
 *         stream_wait_applied() gives. */
MUSTCHECK bool verify_relation(Arena *arena, const VerifySpec *spec, VerifyResult *result,
                               Err *err);

/** Compares what was marked as touched since a leg of the way back was armed (spec->notes names the
 * leg's journal; nothing is written down). \param any false: nothing was, and nothing was read
 * \return as verify_relation(). */
MUSTCHECK bool verify_marked(Arena *arena, const VerifySpec *spec, bool *any, VerifyResult *result,
                             Err *err);

/** Compares just these keys (see stream_touched_take); with `overflow`, or without a key, the whole
 * relation. source_rows and target_rows count the rows that these keys name.
 * \return as verify_relation(). */
MUSTCHECK bool verify_keys(Arena *arena, const VerifySpec *spec, const TouchedKeys *keys,
                           VerifyResult *result, Err *err);

/** The statement that reads all of the relation's rows on one side (`plan` prints it). Asks no
 * server: servers from 11 on are taken for ones that hash alike. */
const char *verify_statement(Arena *arena, const VerifySpec *spec, ConnSide side);

/** "missing on the target: (id)=(42)"; with more than one copy the number is added. */
const char *difference_text(Arena *arena, const Difference *difference);

/** What is said of rows of which nothing can be said before the fence. */
const char *verify_busy_text(Arena *arena, int64_t busy);

/** How a method is called in a plan: "count", "checksum". */
const char *verify_method_text(PlanVerifyMethod method);

/** Whether a plan's verify entry looks at this relation: never at one that comes without rows.
 * Merged relations are looked at together, as the first of them.
 * \param live before the fence: an unlogged table's changes are not on the target then */
bool verify_selects(const PlanVerify *entry, const Relation *relation, bool live);

#endif
