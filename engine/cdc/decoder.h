/*
 * Decoder: from what an output plugin sends to ordinary transactions in pgoutput's messages. One
 * row for each plugin; what is common (unfinished transactions, one after the other in the order of
 * their commits) is the assembler's.
 *
 *     decoding_begin(&decoding, blueprint, &pool);
 *     decoding_reset(&decoding);                    // a new session
 *     if (!decoding_take(&decoding, raw, err)) ...  // it owns the batch from here
 *     while (decoding_next(&decoding, &batch, err) && batch != NULL) ...
 */
#ifndef GODWIT_CDC_DECODER_H
#define GODWIT_CDC_DECODER_H

#include "cdc/assemble.h"
#include "cdc/translate.h"
#include "pg/repl.h"

typedef struct Decoding Decoding;

typedef struct Decoder {
    const char *plugin;
    /* What START_REPLICATION asks for, beside slot and position. */
    void (*ask)(const Decoding *decoding, int server_version, ReplStart *start);
    void (*reset)(Decoding *decoding);
    /* Raw messages to pgoutput's. NULL with the error. */
    Batch *(*messages)(Decoding *decoding, Batch *raw, Err *err);
    bool by_name;       /* it tells relations by their names only */
    int oldest_version; /* of a source that is read by it */
} Decoder;

struct Decoding {
    const Decoder *decoder;
    BatchPool *pool;
    Assembly assembly;
    Translate translate; /* of test_decoding */
    bool no_streaming;   /* there was no room for unfinished transactions: the source keeps them */
};

/** \param pool its budget says how much of unfinished transactions is kept in memory */
void decoding_begin(Decoding *decoding, const Blueprint *blueprint, BatchPool *pool);
void decoding_end(Decoding *decoding);

/** A new session: everything unfinished comes again. */
void decoding_reset(Decoding *decoding);

/** Fills in what START_REPLICATION asks the plugin for. */
void decoding_ask(const Decoding *decoding, int server_version, ReplStart *start);

/** The oldest version of a source (90500) that a plugin of the plan's is read from: pgoutput's
 * logical messages, which markers are, come with 14; before 9.5 too much of the catalog differs. */
int decoder_oldest(PlanPlugin plugin);
int decoding_oldest(const Decoding *decoding);

/** Whether relations are told by their names only. */
bool decoding_by_name(const Decoding *decoding);

/** Whether a session without streaming could go on after this error; then the next one is so. */
bool decoding_can_do_without_room(Decoding *decoding, const Err *err);

/** Takes a batch as it was received. \return false with the errors of translate_batch(). */
MUSTCHECK bool decoding_take(Decoding *decoding, Batch *raw, Err *err);

/** \param batch of ordinary transactions, the caller's; NULL: take more
 * \return false with the errors of assemble_next(). */
MUSTCHECK bool decoding_next(Decoding *decoding, Batch **batch, Err *err);

#endif
