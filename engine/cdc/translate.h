/*
 * Translate: test_decoding's lines become the messages that pgoutput would have sent for the same
 * changes, each transaction as one streamed block and its commit: test_decoding tells where a
 * transaction ends, which decides what is skipped, only at its commit, so the assembler keeps it
 * until then (cdc/assemble.h).
 *
 * What is not selected is skipped by its name. There are no relation messages to translate: they
 * are made from the Blueprint; a row whose columns are others gets one of what it has, and the
 * difference is reported behind here as for pgoutput.
 */
#ifndef GODWIT_CDC_TRANSLATE_H
#define GODWIT_CDC_TRANSLATE_H

#include "base/str.h"
#include "base/vec.h"
#include "blueprint/blueprint.h"
#include "cdc/batch.h"

typedef struct TranslateLeaf TranslateLeaf;

typedef struct TranslateName {
    Name name;
    TranslateLeaf *leaf; /* of the hypertable; NULL: not selected */
} TranslateName;

typedef struct Translate {
    const Blueprint *blueprint;
    TranslateLeaf *leaves; /* by name */
    size_t leaf_count;
    bool open; /* a transaction is */
    bool told; /* something of it was: its block is open */
    uint32_t xid;
    bool latin1;              /* the lines are: a walsender does not convert this plugin's text */
    Str utf8;                 /* such a line in UTF-8 */
    uint64_t skipped;         /* changes of what is not selected */
    Str name;                 /* of a relation, unquoted */
    VEC(TranslateName) names; /* of chunks, and of what came along with them; sorted */
    /* Says what a relation is that the blueprint lacks. NULL: there are no hypertables.
     * \param leaf receives its hypertable's, NULL: it is not selected \return false with what ends
     * the session */
    bool (*resolve)(void *data, const Name *name, uint32_t xid, const Leaf **leaf, Err *err);
    void *resolve_data;
    Arena arena;
} Translate;

void translate_init(Translate *translate, const Blueprint *blueprint);
void translate_release(Translate *translate);

/** A new session: transactions come again from their beginning. */
void translate_reset(Translate *translate);

/** A batch of lines becomes a batch of messages; the lines' batch is given back to the pool.
 * \return NULL with ERR_PROTOCOL (a line that is malformed or misplaced), ERR_DRIFT (a change that
 * does not say which row it changed). */
Batch *translate_batch(Translate *translate, BatchPool *pool, Batch *lines, Err *err);

#endif
