/*
 * Spool format: the bytes of a segment file, as pure functions.
 *
 * A segment is a head and then frames; a frame is a frame head and one zstd frame with a checksum.
 * Both heads are skippable frames to zstd, so `zstd -dc SEGMENT` prints the records of a segment.
 * Numbers are little-endian; a head ends in nothing that its CRC-32C does not cover. What a frame
 * unpacks to is the records of a batch (cdc/batch.h).
 */
#ifndef GODWIT_CDC_SPOOL_FORMAT_H
#define GODWIT_CDC_SPOOL_FORMAT_H

#include "base/lsn.h"

#include <stdbool.h>

#define SPOOL_HEAD_BYTES  64
#define SPOOL_FRAME_BYTES 48

/* More than one message of a walsender can be (1 GiB, and its head). */
#define SPOOL_RAW_MAX ((size_t)0x7fffffff)

typedef struct SpoolHead {
    uint64_t number;
    Lsn start;               /* whatever commits behind it is in this segment or a later one */
    uint64_t previous_bytes; /* of the segment before it when that was finished */
    uint32_t owner;          /* CRC-32C of the run's text */
    bool clean;              /* begins between transactions: reading may begin here */
} SpoolHead;

typedef struct SpoolFrame {
    uint64_t offset;  /* where it stands in its file */
    Lsn restart;      /* the stream may be had anew from here once this frame is kept */
    uint32_t raw;     /* bytes of records */
    uint32_t stored;  /* bytes of the zstd frame that follows */
    bool is_restart;  /* ends between transactions */
    bool is_relation; /* repeats the relation messages that later frames stand on */
} SpoolFrame;

/** CRC-32C (Castagnoli), as in iSCSI. */
uint32_t spool_crc(const void *data, size_t size_bytes);

void spool_head_encode(const SpoolHead *head, uint8_t bytes[SPOOL_HEAD_BYTES]);
void spool_frame_encode(const SpoolFrame *frame, uint8_t bytes[SPOOL_FRAME_BYTES]);

/** \return NULL, or what is wrong with the head: a static text. */
MUSTCHECK const char *spool_head_decode(const uint8_t *bytes, size_t size_bytes, SpoolHead *head);
MUSTCHECK const char *spool_frame_decode(const uint8_t *bytes, size_t size_bytes,
                                         SpoolFrame *frame);

/** Whether these are whole records of a batch and nothing else. */
bool spool_records_whole(const void *data, size_t size_bytes);

typedef struct SpoolPacker SpoolPacker;

SpoolPacker *spool_packer_new(void);
void spool_packer_free(SpoolPacker *packer);

/** Packs records. \param stored at least spool_packed_max() bytes \return bytes written */
size_t spool_pack(SpoolPacker *packer, const void *raw, size_t raw_bytes, void *stored,
                  size_t capacity);
size_t spool_packed_max(size_t raw_bytes);

/** Unpacks and checks the records of a frame.
 * \param raw frame->raw bytes \return NULL, or what is wrong: a static text. */
MUSTCHECK const char *spool_unpack(SpoolPacker *packer, const SpoolFrame *frame, const void *stored,
                                   void *raw);

#endif
