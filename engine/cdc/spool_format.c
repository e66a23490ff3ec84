/*
 * Spool format: heads by hand, payload by zstd.
 * Source: RFC 8878, "Zstandard Compression", 3.1.2 (skippable frames).
 */
#include "cdc/spool_format.h"

#include "base/err.h"
#include "cdc/batch.h"

#include <string.h>
#include <zstd.h>

#define SEGMENT_MAGIC 0x184D2A5Du
#define FRAME_MAGIC   0x184D2A5Eu
#define VERSION       1u
#define SKIP_BYTES    8 /* magic and size of a skippable frame */
#define CRC_AT        12
#define LEVEL         1

#define FLAG_CLEAN    1u
#define FLAG_RESTART  1u
#define FLAG_RELATION 2u

struct SpoolPacker {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
};

uint32_t spool_crc(const void *data, size_t size_bytes)
{
    static const uint32_t TABLE[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                       0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                       0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                       0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    const uint8_t *bytes = data;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size_bytes; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ TABLE[crc & 15];
        crc = crc >> 4 ^ TABLE[crc & 15];
    }
    return ~crc;
}

static void put(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static void begin(uint8_t *bytes, uint32_t magic, size_t size_bytes)
{
    memset(bytes, 0, size_bytes);
    put(bytes, magic, 4);
    put(bytes + 4, size_bytes - SKIP_BYTES, 4);
    put(bytes + 8, VERSION, 4);
}

static void finish(uint8_t *bytes, size_t size_bytes)
{
    put(bytes + CRC_AT, spool_crc(bytes, size_bytes), 4);
}

static const char *check(const uint8_t *bytes, size_t size_bytes, uint32_t magic, size_t whole)
{
    if (size_bytes < whole)
        return "it ends within a head";
    if (get(bytes, 4) != magic || get(bytes + 4, 4) != whole - SKIP_BYTES)
        return "no head stands where one should";
    if (get(bytes + 8, 4) != VERSION)
        return "its version is unknown";
    uint8_t copy[SPOOL_HEAD_BYTES];
    memcpy(copy, bytes, whole);
    put(copy + CRC_AT, 0, 4);
    return get(bytes + CRC_AT, 4) == spool_crc(copy, whole) ? NULL
                                                            : "the checksum of a head differs";
}

void spool_head_encode(const SpoolHead *head, uint8_t bytes[SPOOL_HEAD_BYTES])
{
    begin(bytes, SEGMENT_MAGIC, SPOOL_HEAD_BYTES);
    put(bytes + 16, head->number, 8);
    put(bytes + 24, head->start, 8);
    put(bytes + 32, head->previous_bytes, 8);
    put(bytes + 40, head->owner, 4);
    put(bytes + 44, head->clean ? FLAG_CLEAN : 0, 4);
    finish(bytes, SPOOL_HEAD_BYTES);
}

const char *spool_head_decode(const uint8_t *bytes, size_t size_bytes, SpoolHead *head)
{
    const char *problem = check(bytes, size_bytes, SEGMENT_MAGIC, SPOOL_HEAD_BYTES);
    if (problem != NULL)
        return problem;
    *head = (SpoolHead){.number = get(bytes + 16, 8),
                        .start = get(bytes + 24, 8),
                        .previous_bytes = get(bytes + 32, 8),
                        .owner = (uint32_t)get(bytes + 40, 4),
                        .clean = (get(bytes + 44, 4) & FLAG_CLEAN) != 0};
    return NULL;
}

void spool_frame_encode(const SpoolFrame *frame, uint8_t bytes[SPOOL_FRAME_BYTES])
{
    begin(bytes, FRAME_MAGIC, SPOOL_FRAME_BYTES);
    put(bytes + 16, frame->offset, 8);
    put(bytes + 24, frame->restart, 8);
    put(bytes + 32, frame->raw, 4);
    put(bytes + 36, frame->stored, 4);
    put(bytes + 40,
        (frame->is_restart ? FLAG_RESTART : 0) | (frame->is_relation ? FLAG_RELATION : 0), 4);
    finish(bytes, SPOOL_FRAME_BYTES);
}

const char *spool_frame_decode(const uint8_t *bytes, size_t size_bytes, SpoolFrame *frame)
{
    const char *problem = check(bytes, size_bytes, FRAME_MAGIC, SPOOL_FRAME_BYTES);
    if (problem != NULL)
        return problem;
    uint64_t flags = get(bytes + 40, 4);
    *frame = (SpoolFrame){.offset = get(bytes + 16, 8),
                          .restart = get(bytes + 24, 8),
                          .raw = (uint32_t)get(bytes + 32, 4),
                          .stored = (uint32_t)get(bytes + 36, 4),
                          .is_restart = (flags & FLAG_RESTART) != 0,
                          .is_relation = (flags & FLAG_RELATION) != 0};
    if (frame->raw == 0 || frame->raw > SPOOL_RAW_MAX ||
        frame->stored > spool_packed_max(frame->raw))
        return "a frame has an impossible size";
    return NULL;
}

bool spool_records_whole(const void *data, size_t size_bytes)
{
    const char *bytes = data;
    size_t at = 0;
    while (at < size_bytes) {
        uint8_t kind = 0;
        uint32_t payload = 0;
        if (size_bytes - at < sizeof(BatchRecord))
            return false;
        memcpy(&payload, bytes + at + offsetof(BatchRecord, bytes), sizeof(payload));
        memcpy(&kind, bytes + at + offsetof(BatchRecord, keepalive), sizeof(kind));
        size_t record = batch_record_bytes(payload);
        if (kind > 1 || record > size_bytes - at)
            return false;
        at += record;
    }
    return true;
}

SpoolPacker *spool_packer_new(void)
{
    SpoolPacker *packer = mem_resize(NULL, sizeof(SpoolPacker));
    *packer = (SpoolPacker){.pack = ZSTD_createCCtx(), .unpack = ZSTD_createDCtx()};
    if (packer->pack == NULL || packer->unpack == NULL)
        err_out_of_memory(0);
    ZSTD_CCtx_setParameter(packer->pack, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(packer->pack, ZSTD_c_checksumFlag, 1);
    return packer;
}

void spool_packer_free(SpoolPacker *packer)
{
    if (packer == NULL)
        return;
    ZSTD_freeCCtx(packer->pack);
    ZSTD_freeDCtx(packer->unpack);
    mem_free(packer);
}

size_t spool_packed_max(size_t raw_bytes)
{
    return ZSTD_compressBound(raw_bytes) + 16;
}

size_t spool_pack(SpoolPacker *packer, const void *raw, size_t raw_bytes, void *stored,
                  size_t capacity)
{
    size_t bytes = ZSTD_compress2(packer->pack, stored, capacity, raw, raw_bytes);
    if (ZSTD_isError(bytes))
        BUG("zstd could not pack %zu bytes: %s", raw_bytes, ZSTD_getErrorName(bytes));
    return bytes;
}

const char *spool_unpack(SpoolPacker *packer, const SpoolFrame *frame, const void *stored,
                         void *raw)
{
    if (ZSTD_getFrameContentSize(stored, frame->stored) != frame->raw)
        return "a frame's size is not what its head says";
    size_t bytes = ZSTD_decompressDCtx(packer->unpack, raw, frame->raw, stored, frame->stored);
    if (ZSTD_isError(bytes) || bytes != frame->raw)
        return "the checksum of a frame differs";
    return spool_records_whole(raw, frame->raw) ? NULL : "a frame does not hold whole records";
}
