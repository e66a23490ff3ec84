/*
 * ParseTree: what a condition is made of, read from the text of a server's parse tree. Pure.
 */
#ifndef GODWIT_BLUEPRINT_PARSE_TREE_H
#define GODWIT_BLUEPRINT_PARSE_TREE_H

#include "base/arena.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

/* One thing in the condition. */
typedef struct TreeItem {
    uint32_t oid;     /* of a function; number of a column */
    int location;     /* bytes into the statement, -1 unknown */
    const char *what; /* of a fault: in words */
} TreeItem;

typedef VEC(TreeItem) TreeItems;

typedef struct ParseTree {
    TreeItems columns;
    TreeItems functions; /* of operators too */
    TreeItems faults;    /* what a publication's row filter may not hold */
} ParseTree;

/** Reads the condition (`quals`) of a statement with one table.
 * \return false when the text has no such part, or another form.
 * \note Source: PostgreSQL 15 to 18, outfuncs.c: {NODE :field value ...}; what is allowed:
 *       publicationcmds.c, check_simple_rowfilter_expr_walker(). */
bool parse_tree_read(Arena *arena, const char *text, ParseTree *tree);

#endif
