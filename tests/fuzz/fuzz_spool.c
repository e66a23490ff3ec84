/*
 * libFuzzer entry point for the spool's reader: a segment of any bytes is refused or read within
 * itself; records that were written are read back the same, and with one byte changed refused.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iengine \
 *         tests/fuzz/fuzz_spool.c engine/cdc/{spool_format,track,batch}.c \
 *         engine/base/{err,arena,str,lsn}.c -lzstd
 */
#include "cdc/spool_format.h"

#include "cdc/batch.h"
#include "cdc/track.h"

#include <string.h>

#define RAW_MAX ((size_t)1024 * 1024) /* of one frame; the rest is the same with more memory */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

static void touch(const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sink = (uint8_t)(sink + ((const uint8_t *)data)[i]);
}

/* What a reader does with records that were found whole. */
static void follow(const void *records, size_t size)
{
    Track track = {0};
    size_t at = 0;
    while (at < size) {
        BatchRecord record;
        memcpy(&record, (const char *)records + at, sizeof(record));
        const char *payload = (const char *)records + at + sizeof(record);
        touch(payload, record.bytes);
        if (record.keepalive)
            (void)track_keepalive(&track, record.wal_end);
        else
            (void)track_message(&track, payload, record.bytes);
        at += batch_record_bytes(record.bytes);
    }
    track_release(&track);
}

/* A segment file as it is. */
static void read_segment(SpoolPacker *packer, const uint8_t *data, size_t size)
{
    SpoolHead head;
    SpoolFrame frame;
    if (spool_head_decode(data, size, &head) != NULL)
        return;
    for (size_t at = SPOOL_HEAD_BYTES; spool_frame_decode(data + at, size - at, &frame) == NULL;) {
        at += SPOOL_FRAME_BYTES;
        if (frame.stored > size - at || frame.raw > RAW_MAX)
            return;
        void *raw = mem_resize(NULL, frame.raw);
        if (spool_unpack(packer, &frame, data + at, raw) == NULL)
            follow(raw, frame.raw);
        mem_free(raw);
        at += frame.stored;
    }
}

/* A payload under a head whose checksum is right: what stands behind the checksum. */
static void read_payload(SpoolPacker *packer, const uint8_t *data, size_t size)
{
    uint8_t bytes[SPOOL_FRAME_BYTES];
    uint16_t raw_bytes = 0;
    if (size <= sizeof(raw_bytes))
        return;
    memcpy(&raw_bytes, data, sizeof(raw_bytes));
    SpoolFrame frame = {.raw = raw_bytes, .stored = (uint32_t)(size - sizeof(raw_bytes))};
    spool_frame_encode(&frame, bytes);
    if (spool_frame_decode(bytes, sizeof(bytes), &frame) != NULL)
        return;
    void *raw = mem_resize(NULL, frame.raw);
    if (spool_unpack(packer, &frame, data + sizeof(raw_bytes), raw) == NULL)
        follow(raw, frame.raw);
    mem_free(raw);
}

/* Records of any kind, there and back; the last byte of the input says what is damaged. */
static void there_and_back(SpoolPacker *packer, const uint8_t *data, size_t size)
{
    if (size == 0)
        return;
    size_t most = spool_packed_max(size);
    uint8_t *stored = mem_resize(NULL, most);
    uint8_t *raw = mem_resize(NULL, size);
    SpoolFrame frame = {.raw = (uint32_t)size};
    frame.stored = (uint32_t)spool_pack(packer, data, size, stored, most);
    const char *problem = spool_unpack(packer, &frame, stored, raw);
    bool whole = spool_records_whole(data, size);
    if (whole != (problem == NULL) || memcmp(raw, data, size) != 0)
        BUG("%zu bytes do not come back: %s", size, problem);
    if (whole)
        follow(raw, size);
    size_t at = data[size - 1] % frame.stored;
    stored[at] ^= 0x10;
    if (spool_unpack(packer, &frame, stored, raw) == NULL && memcmp(raw, data, size) != 0)
        BUG("byte %zu was changed, and other records came back", at);
    mem_free(raw);
    mem_free(stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SpoolPacker *packer;
    if (packer == NULL)
        packer = spool_packer_new();
    if (size == 0)
        return 0;
    if (data[0] % 3 == 0)
        read_segment(packer, data + 1, size - 1);
    else if (data[0] % 3 == 1)
        read_payload(packer, data + 1, size - 1);
    else
        there_and_back(packer, data + 1, size - 1);
    return 0;
}
