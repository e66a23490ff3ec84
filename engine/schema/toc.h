/*
 * Toc: the table of contents of a schema archive, and which entries are restored when.
 *
 * An entry is known by the numbers at the head of its line (dump id, catalogue, object) and its
 * kind; names, which may hold blanks and newlines, are never read. Pure functions over text.
 */
#ifndef GODWIT_SCHEMA_TOC_H
#define GODWIT_SCHEMA_TOC_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "schema/toc_table.h"

typedef enum TocFate {
    TOC_UNSELECTED, /* not part of the selection */
    TOC_PRE,        /* restored before the rows come */
    TOC_POST,       /* restored after the rows, indexes and constraints */
    TOC_LATE,       /* made after the drain: it would act on replicated changes */
    TOC_OURS,       /* made by a step of its own */
    TOC_LEFT_OUT,   /* of a kind that is not moved */
    TOC_HEADER,     /* a setting of the archive */
} TocFate;

typedef struct TocEntry {
    int dump_id;
    uint32_t class_oid;
    uint32_t oid;
    const TocKind *kind; /* NULL: a word this version does not know */
    bool post;           /* in the post-data section */
    size_t first_need;   /* in Toc.needs */
    size_t need_count;
    TocFate fate;
} TocEntry;

typedef struct Toc {
    VEC(TocEntry) entries; /* in restore order */
    VEC(int) needs;        /* dump ids */
    size_t *places;        /* by dump id: place in entries + 1, 0 none */
    size_t place_count;
} Toc;

/* What decides: the blueprint and the source's catalogue, or a test's own. */
typedef struct TocJudge {
    void *data;
    /** Whether the object is selected. */
    bool (*keeps)(void *data, uint32_t class_oid, uint32_t oid);
    /** Whether it may only be made after the drain; row security is asked for with class 0. */
    bool (*late)(void *data, uint32_t class_oid, uint32_t oid);
} TocJudge;

/** Reads `pg_restore --list --verbose` and `pg_restore --list --section=post-data`.
 * \return false with ERR_TOOL when a line has another form.
 * \note Source: pg_restore, PrintTOCSummary(): "dumpId; tableoid oid DESC ...", and with --verbose
 * ";\tdepends on: id id" after it. */
MUSTCHECK bool toc_read(Arena *arena, const char *list, const char *post_list, Toc *toc, Err *err);

/** Sets every entry's fate. */
void toc_decide(Toc *toc, const TocJudge *judge);

/** "3 ACL, 1 EVENT TRIGGER": how many entries of each kind have this fate; "" when none. */
char *toc_summary(Arena *arena, const Toc *toc, TocFate fate);

/** The entry with this number, NULL when there is none. */
const TocEntry *toc_entry(const Toc *toc, int dump_id);

/* Whether an entry is restored now. */
typedef bool TocWanted(void *data, const Toc *toc, const TocEntry *entry);

/** A list for pg_restore --use-list: the entries of this fate that `wanted` (NULL: all) accepts. */
void toc_use_list(Str *list, const Toc *toc, TocFate fate, TocWanted *wanted, void *data);

#endif
