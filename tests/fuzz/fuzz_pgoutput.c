/*
 * libFuzzer entry point for the pgoutput decoder: whatever the bytes, it either refuses them or
 * everything that the accepted message points to lies inside them.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iengine \
 *         tests/fuzz/fuzz_pgoutput.c engine/cdc/pgoutput.c engine/base/{err,arena,str,lsn}.c
 */
#include "cdc/pgoutput.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

static void touch(const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sink = (uint8_t)(sink + ((const uint8_t *)data)[i]);
}

static void touch_tuple(const PgoTuple *tuple)
{
    if (tuple->data == NULL)
        return;
    PgoValue *values = mem_resize(NULL, sizeof(PgoValue) * tuple->column_count);
    pgo_tuple_values(tuple, values);
    for (uint16_t i = 0; i < tuple->column_count; i++)
        touch(values[i].data, values[i].length);
    mem_free(values);
}

static void touch_relation(const PgoRelation *relation)
{
    const uint8_t *at = relation->columns;
    touch(relation->schema, strlen(relation->schema));
    touch(relation->name, strlen(relation->name));
    for (uint16_t i = 0; i < relation->column_count; i++) {
        PgoColumn column;
        at = pgo_relation_column(at, &column);
        touch(column.name, strlen(column.name));
    }
}

static void touch_prepared(const PgoMessage *message)
{
    if (message->kind == PGO_BEGIN_PREPARE || message->kind == PGO_PREPARE ||
        message->kind == PGO_COMMIT_PREPARED || message->kind == PGO_STREAM_PREPARE)
        touch(message->prepare.gid, strlen(message->prepare.gid));
    if (message->kind == PGO_ROLLBACK_PREPARED)
        touch(message->rollback_prepared.gid, strlen(message->rollback_prepared.gid));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ERR Err err = {0};
    PgoMessage message;
    if (size == 0)
        return 0;
    bool streamed = (data[0] & 1) != 0; /* the first byte: where the message stands */
    data++;
    size--;
    if (!(streamed ? pgo_decode_streamed(data, size, &message, &err)
                   : pgo_decode(data, size, &message, &err)))
        return 0;
    touch_prepared(&message);
    if (message.kind == PGO_RELATION)
        touch_relation(&message.relation);
    if (message.kind == PGO_MESSAGE)
        touch(message.message.content, message.message.content_bytes);
    if (message.kind == PGO_INSERT || message.kind == PGO_UPDATE || message.kind == PGO_DELETE) {
        touch_tuple(&message.change.old_tuple);
        touch_tuple(&message.change.new_tuple);
    }
    for (uint32_t i = 0; message.kind == PGO_TRUNCATE && i < message.truncate.relation_count; i++)
        sink = (uint8_t)(sink + pgo_truncate_relation(&message.truncate, i));
    return 0;
}
