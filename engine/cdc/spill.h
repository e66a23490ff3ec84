/*
 * Spill: the one file for what does not fit in memory. It has no name (it is unlinked at once, so
 * that no way of ending leaves it behind) and consists of slots of one size, which are used again
 * when they are free; with the last slot the file becomes empty. What a slot does not use is a hole
 * that takes no place on disk.
 *
 * One file with slots, not a file each: thousands of transactions must not need thousands of
 * descriptors, and a slot costs four bytes of memory for up to 64 KiB.
 */
#ifndef GODWIT_CDC_SPILL_H
#define GODWIT_CDC_SPILL_H

#include "base/err.h"

#include <stddef.h>

#define SPILL_SLOT_BYTES ((size_t)64 * 1024)

typedef struct Spill {
    const char *directory; /* NULL: TMPDIR, else /tmp */
    int fd;                /* -1: nothing was spilled yet */
    uint32_t *free_slots;
    size_t free_count;
    size_t free_capacity;
    uint32_t slot_count; /* free ones too */
} Spill;

/** Opens nothing. \param directory outlives the spill; NULL for TMPDIR, else /tmp */
void spill_init(Spill *spill, const char *directory);
void spill_release(Spill *spill);

/** Writes into a free slot. \param bytes at most SPILL_SLOT_BYTES
 * \return false with ERR_IO: the directory and the reason; no slot is taken then. */
MUSTCHECK bool spill_write(Spill *spill, const void *data, size_t bytes, uint32_t *slot, Err *err);

/** Reads what was written. \return false with ERR_IO. */
MUSTCHECK bool spill_read(const Spill *spill, uint32_t slot, void *data, size_t bytes, Err *err);

void spill_free(Spill *spill, uint32_t slot);

/** Slots in use. */
size_t spill_used(const Spill *spill);

#endif
