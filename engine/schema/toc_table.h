/*
 * The kinds of archive entries (the DESC word of pg_restore --list) and what becomes of each.
 */
#ifndef GODWIT_SCHEMA_TOC_TABLE_H
#define GODWIT_SCHEMA_TOC_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum TocRule {
    TOC_RULE_OBJECT,  /* kept when it is selected */
    TOC_RULE_FOLLOWS, /* kept when everything it depends on is kept: comments, attachments */
    TOC_RULE_SWITCH,  /* row security: kept with the relation its second number names */
    TOC_RULE_INDEX,   /* ours (step index), on materialized views the archive's */
    TOC_RULE_OURS,    /* made by steps of their own */
    TOC_RULE_DROP,    /* never moved by the archive */
    TOC_RULE_HEADER,  /* settings of the archive itself */
} TocRule;

typedef struct TocKind {
    const char *desc;
    bool numbered; /* its first number is a catalogue's; otherwise it is 0 */
    TocRule rule;
    const char *why; /* for dropped kinds: the reason, for logs and docs */
} TocKind;

/** Sorted so that a longer word stands before its prefix; ends with a NULL desc. */
extern const TocKind TOC_KINDS[];

#endif
