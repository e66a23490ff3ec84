/*
 * Decoder: the rows of the two plugins.
 */
#include "cdc/decoder.h"

static int proto_version(int server_version)
{
    if (server_version >= 160000)
        return 4;
    return server_version >= 150000 ? 3 : 2;
}

static void pgoutput_ask(const Decoding *decoding, int server_version, ReplStart *start)
{
    start->proto_version = proto_version(server_version);
    start->messages = true;
    start->streaming = !decoding->no_streaming;
}

static void pgoutput_reset(Decoding *decoding)
{
    (void)decoding;
}

static Batch *pgoutput_messages(Decoding *decoding, Batch *raw, Err *err)
{
    (void)decoding;
    (void)err;
    return raw;
}

static const Decoder DECODER_PGOUTPUT = {
    .plugin = "pgoutput",
    .ask = pgoutput_ask,
    .reset = pgoutput_reset,
    .messages = pgoutput_messages,
    .oldest_version = 140000,
};

static void test_decoding_ask(const Decoding *decoding, int server_version, ReplStart *start)
{
    (void)decoding;
    (void)server_version;
    start->test_decoding = true;
}

static void test_decoding_reset(Decoding *decoding)
{
    translate_reset(&decoding->translate);
}

static Batch *test_decoding_messages(Decoding *decoding, Batch *raw, Err *err)
{
    return translate_batch(&decoding->translate, decoding->pool, raw, err);
}

static const Decoder DECODER_TEST_DECODING = {
    .plugin = "test_decoding",
    .ask = test_decoding_ask,
    .reset = test_decoding_reset,
    .messages = test_decoding_messages,
    .by_name = true,
    .oldest_version = 90500,
};

static const Decoder *decoder_of(PlanPlugin plugin)
{
    return plugin == PLAN_PLUGIN_TEST_DECODING ? &DECODER_TEST_DECODING : &DECODER_PGOUTPUT;
}

int decoder_oldest(PlanPlugin plugin)
{
    return decoder_of(plugin)->oldest_version;
}

int decoding_oldest(const Decoding *decoding)
{
    return decoding->decoder->oldest_version;
}

void decoding_begin(Decoding *decoding, const Blueprint *blueprint, BatchPool *pool)
{
    *decoding =
        (Decoding){.decoder = decoder_of(blueprint->plan->replication.plugin), .pool = pool};
    uint64_t share = pool->budget->shares[BUDGET_UNFINISHED].limit;
    assemble_init(&decoding->assembly, pool, (size_t)share - UNFINISHED_STEP_BYTES, NULL);
    decoding->assembly.unfinished.budget = pool->budget;
    translate_init(&decoding->translate, blueprint);
}

void decoding_end(Decoding *decoding)
{
    translate_release(&decoding->translate);
    assemble_release(&decoding->assembly);
}

void decoding_reset(Decoding *decoding)
{
    decoding->decoder->reset(decoding);
    assemble_reset(&decoding->assembly);
}

void decoding_ask(const Decoding *decoding, int server_version, ReplStart *start)
{
    decoding->decoder->ask(decoding, server_version, start);
}

bool decoding_by_name(const Decoding *decoding)
{
    return decoding->decoder->by_name;
}

bool decoding_can_do_without_room(Decoding *decoding, const Err *err)
{
    if (err->code != ERR_IO || decoding->no_streaming || decoding->decoder != &DECODER_PGOUTPUT)
        return false;
    decoding->no_streaming = true;
    return true;
}

bool decoding_take(Decoding *decoding, Batch *raw, Err *err)
{
    Batch *messages = decoding->decoder->messages(decoding, raw, err);
    if (messages == NULL)
        return false;
    assemble_give(&decoding->assembly, messages);
    return true;
}

bool decoding_next(Decoding *decoding, Batch **batch, Err *err)
{
    return assemble_next(&decoding->assembly, batch, err);
}
