/*
 * Inside verify: how one relation is read (Reading), a question put to both servers at once (pair),
 * ranges, the rows of ranges that differ, and suspicious rows.
 *
 * Source and target see the same statements, but for names: a Statement holds both texts.
 */
#ifndef GODWIT_VERIFY_INTERNAL_H
#define GODWIT_VERIFY_INTERNAL_H

#include "base/str.h"
#include "base/vec.h"
#include "pg/query.h"
#include "verify/verify.h"

#define VERIFY_RANGE_ROWS    20000
#define VERIFY_MAX_RANGES    4096
#define VERIFY_FETCH_ROWS    2000
#define VERIFY_BATCH_LIVE    1000
#define VERIFY_BATCH_STILL   4000
#define VERIFY_GIVE_UP       10000 /* live: confirmed differences after which the search ends */
#define VERIFY_MAX_BUSY      20000 /* rows that are kept by key */
#define VERIFY_ORIGIN        "godwit_of" /* a column of merged relations' rows: which of them */
#define VERIFY_KEYLESS_SHOWN 200         /* characters */

/* How rows become hashes that mean the same on both servers. */
typedef enum HashWay {
    HASH_FAST,   /* both UTF8, from 11 on, and the probe agrees: ROW(...)::text, 64-bit hash */
    HASH_SHA256, /* from 11 on: length-prefixed values, converted to UTF8 */
    HASH_MD5,    /* the same for servers before 11 */
} HashWay;

/* An order that both servers agree on: of rows in ranges, and of rows in a list. */
typedef enum OrderKind {
    BY_COLUMN, /* the first key column's own order, with its index; listed only if the key is one
                  integer */
    BY_TEXT,   /* the key's text, COLLATE "C" */
    BY_HASH,   /* a hash: of the key where texts cannot be compared, of the row when keyless */
} OrderKind;

/* A type that ranges may be made of: built in, ordered alike everywhere. */
typedef struct RangeType {
    uint32_t type_oid;
    const char *name;
    const char *least; /* every value lies between these two */
    const char *greatest;
    bool integer;
} RangeType;

typedef struct Statement {
    const char *source;
    const char *target;
} Statement;

/* One relation as verify reads it. */
typedef struct Reading {
    const VerifySpec *spec;
    const Key *key;
    Arena *arena; /* the caller's: results live there */
    HashWay way;
    OrderKind ranged;
    OrderKind listed;
    const RangeType *range_type; /* of the first key column, NULL: none */
    bool keys_only;              /* count: rows are compared by key alone */
    bool counts_only;            /* rows are counted: they have no hash */
    bool live;
    VEC(const char *) busy; /* the texts of VerifyResult.busy_keys */
    VerifyResult *result;
} Reading;

/* The answers of both sides. */
typedef struct Pair {
    Rows *source;
    Rows *target;
} Pair;

void pair_release(Pair *pair);
#define AUTO_PAIR __attribute__((cleanup(pair_release)))

/** Puts one question to both servers at once and waits for both answers. \param pair zeroed */
MUSTCHECK bool pair_rows(const VerifySpec *spec, Statement statement, Params params, Pair *pair,
                         Err *err);

/** The same for a command. */
MUSTCHECK bool pair_none(const VerifySpec *spec, Statement statement, Params params, Err *err);

/** Begins to read a relation in the way that needs no question; zeroes the result. */
void reading_init(Reading *reading, const VerifySpec *spec, Arena *arena, VerifyResult *result);

/** Ranges by the key's whole text from now on: its first column has too few values. */
void reading_range_by_text(Reading *reading);

/** Asks both servers whether the fast way means the same on them, and takes it then. */
MUSTCHECK bool reading_probe(Reading *reading, Err *err);

/* --- how a row becomes text and hash (rowhash.c); all append an expression over the row `t` --- */

/** The side's connection; a key column. */
const Conn *reading_conn(const Reading *reading, ConnSide side);
const Column *reading_key_column(const Reading *reading, size_t i);

/** The row's text: every column, in one order. */
void rowhash_row_text(Str *sql, const Reading *reading, ConnSide side);

/** The row's hash, a bigint; a constant when only keys are compared. */
void rowhash_row(Str *sql, const Reading *reading, ConnSide side);

/** A key column's name; the text of the whole key. */
void rowhash_key_name(Str *sql, const Reading *reading, ConnSide side, size_t i);
void rowhash_key_text(Str *sql, const Reading *reading, ConnSide side);

/** The hash of a text expression. */
void rowhash_of(Str *sql, const Reading *reading, const char *text);

/* --- parts (ranges.c) --- */

typedef VEC(int) RangeVec;

/* A part of a relation, cut into ranges: all of it, or the rows between two keys. */
typedef struct Ranges {
    const char *from;        /* the first key; NULL: from the first one that there is */
    const char *to;          /* the first key behind it; NULL: to the last one that there is */
    const char *ends_array;  /* array literal, for $1 */
    const char *const *ends; /* count - 1 of them: range i is [ends[i-1], ends[i]) */
    size_t count;
    RangeVec differing;  /* ascending */
    int64_t look;        /* an earlier one that found it the same, 0: none */
    int64_t source_rows; /* that it counted then */
    int64_t target_rows;
} Ranges;

typedef struct Layout {
    Ranges *parts; /* in the order of the key */
    size_t count;
} Layout;

/** Lays out parts and ranges; one part only where parts would read more than the whole. */
MUSTCHECK bool layout_make(Arena *arena, Reading *reading, Layout *layout, Err *err);

/** One part, one range: for a count. */
Layout layout_whole(Arena *arena);

/** Reads an array literal of ends, as array_append() writes it. */
void ranges_take_ends(Arena *arena, Ranges *part, const char *ends_array);

/** Computes the part's ranges on both sides, finds those that differ; adds up the rows. */
MUSTCHECK bool ranges_compare(Arena *arena, Reading *reading, Ranges *part, Err *err);

/** Compares one part's rows. */
MUSTCHECK bool part_rows(Arena *arena, Reading *reading, Ranges *part, Err *err);

/** The same, a few rows at a time, as fast as the throttle allows: where the part is more than one
 * range and no index gives them one by one. (slowly.c) */
MUSTCHECK bool ranges_read_slowly(Arena *arena, Reading *reading, Ranges *part, Err *err);

/** Array literals of the schemas and names of all leaves, those of merged relations too. */
void leaf_names(const Relation *relation, Str *schemas, Str *rels);

/** About how many rows the relation has. */
double rows_estimate(const Relation *relation);

/* --- how far it has come (notes.c) --- */

typedef struct Noted {
    const VerifyNotes *notes; /* NULL: nothing is written down */
    const char *basis;
    bool goes_on; /* an earlier verification left parts */
} Noted;

/** What is left of an earlier verification of the relation that still holds: its parts, those that
 * were found the same and not touched since with their look. No parts: there is nothing. */
MUSTCHECK bool notes_read(Arena *arena, Reading *reading, Noted *noted, Layout *layout, Err *err);

/** Where the relation was touched, by what is written down (spec->notes). */
MUSTCHECK bool notes_read_touched(Arena *arena, const Reading *reading, Rows **touched, Err *err);

/** Whether the part was touched in its look (part->look) or behind it. */
bool notes_touched(const Reading *reading, const Ranges *part, const Rows *touched);

/** Writes the parts down, none looked at. */
MUSTCHECK bool notes_begin(const Reading *reading, const Noted *noted, const Layout *layout,
                           Err *err);

/** A look at a part begins. \param look its number, 0: nothing is written down */
MUSTCHECK bool notes_look(const Noted *noted, int64_t *look, Err *err);

/** The look found the part the same. */
MUSTCHECK bool notes_same(const Reading *reading, const Noted *noted, size_t number,
                          const Ranges *part, int64_t look, Err *err);

/* --- statements (statement.c); texts are owned by the given arena --- */

/** Ends of ranges, from a sample of the source's keys: $1 rows per range. Columns: end as text. */
const char *statement_sample(Arena *arena, const Reading *reading, double percent);

/** Count and sum per range: $1 array of range ends, then the part's ends that are not NULL.
 * Columns: range, rows, sum. \param part NULL: all of the relation */
Statement statement_ranges(Arena *arena, const Reading *reading, const Ranges *part);

/** A cursor `godwit_hashes` over all rows, in no order: $1 as above. Columns: range, hash. */
Statement statement_hashes(Arena *arena, const Reading *reading);

/** A cursor `godwit_verify` over the rows of some ranges, in one order: $1 array of range ends, $2
 * array of ranges, $3 and $4 (ranged by column only) least and greatest value.
 * Columns: order, hash, then the key's columns as text, or the row's text when keyless. */
Statement statement_list(Arena *arena, const Reading *reading);

/** The rows that some keys name: $1.. one text array per key column. Columns: position from 1,
 * copies, sum, version, held. Keyless: $1 array of hashes; columns: hash, copies, sum, version,
 * held. */
Statement statement_suspects(Arena *arena, const Reading *reading);

/** All rows. Columns: count. */
Statement statement_count(Arena *arena, const Reading *reading);

/* --- texts (text.c) --- */

/** Appends one element to an array literal that is being built ("{a,b"); NULL is not possible. */
void array_append(Str *array, const char *element);
void array_end(Str *array);

/* --- rows (rows.c) --- */

/** Walks the rows of differing ranges on both sides in one order and looks at every row that is not
 * the same: still, it is a difference; live, it is suspicious. */
MUSTCHECK bool rows_compare(Reading *reading, const Ranges *ranges, Err *err);

/* --- suspicious rows (suspects.c) --- */

/* A row that may differ: its key's values, or the row's hash when keyless. */
typedef struct Suspect {
    const char *const *values; /* key->count texts; keyless: one, the hash */
    const char *shown;         /* keyless: the row's text; else NULL */
    bool stood;   /* at the look before, the source did not change and the target differed */
    bool settled; /* and who may have put it there has ended since */
    int written;  /* looks in a row between which the source wrote it */
} Suspect;

typedef VEC(Suspect) SuspectVec;

/** Reads these rows on both sides. Still: what differs is a difference. Live: the rule of
 * data-path.md. Differences are added to the reading's result.
 * \param count_rows whether the rows are added to source_rows and target_rows */
MUSTCHECK bool suspects_look(Reading *reading, const SuspectVec *suspects, bool count_rows,
                             Err *err);

/** Waits until what the source has committed by now is applied on the target (live only). */
MUSTCHECK bool live_wait(const VerifySpec *spec, Err *err);

/* --- the live rule (verdict.c) --- */

/* What one side holds for one suspect. Texts belong to the rows they were read from. */
typedef struct Seen {
    int64_t copies;
    const char *sum;     /* "" when there is no row */
    const char *version; /* of merged relations "xmin/which", one for each row; "" when there is no
                            row, or the side has no versions */
    bool held; /* source: somebody has deleted, updated or locked it, or tried to: it has an xmax */
} Seen;

typedef enum Verdict {
    VERDICT_SAME,
    VERDICT_LOOK_AGAIN,
    VERDICT_APART,  /* the source did not change and the target differs: it may be ahead */
    VERDICT_STANDS, /* so it was at the look before, and the target did not change since */
    VERDICT_DIFFERENT,
} Verdict;

/** Judges one row. \param first, second the source before and after \param target the target
 * between, everything up to after `first` applied \param earlier the target at the look before,
 * NULL when that look was not VERDICT_APART or more \param settled see Suspect */
Verdict verdict_of(const Seen *first, const Seen *target, const Seen *second, const Seen *earlier,
                   bool settled);

/* Live looks at rows, up to now. */
typedef struct Looked {
    int count;
    int64_t for_ms;
    int written;   /* how many looks in a row each of the rows that are left was written between */
    bool hurried;  /* a test does not wait */
    bool compared; /* somebody compares the rows that are left by key when nobody writes */
} Looked;

/** Whether to look no more at rows of which nothing could be said: they are busy. */
bool looked_enough(const Looked *looked);

/** Whether none of these is left. \param before, now sorted names of transactions */
bool writers_gone(const Rows *before, const Rows *now);

/** Whether two sides hold the same rows. */
bool seen_alike(const Seen *a, const Seen *b);

/* --- results (verify.c) --- */

/** Adds one difference; names it while there is room. \param source, target what each side holds */
void result_add(Reading *reading, const Suspect *suspect, const Seen *source, const Seen *target);

#endif
