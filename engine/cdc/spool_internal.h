/*
 * What the files of the spool share. Everything below `mutex` is read and written under it; the
 * rest belongs to the thread that its comment names, or is read only.
 */
#ifndef GODWIT_CDC_SPOOL_INTERNAL_H
#define GODWIT_CDC_SPOOL_INTERNAL_H

#include "cdc/spool.h"
#include "cdc/spool_format.h"
#include "cdc/track.h"

#define SPOOL_LOCK_FILE  "lock"
#define SPOOL_OWNER_FILE "run"
#define SPOOL_DOUBT_FILE "doubt" /* an fsync of the last segment failed */
#define SPOOL_RENEW_FILE "anew"  /* that segment, being written once more */

typedef struct Segment {
    uint64_t number;
    Lsn start;
    bool clean;
    uint64_t bytes;      /* that may be read */
    uint64_t head_bytes; /* of them, before the first message */
} Segment;

/* The last place in the batch being filled behind which the stream may be had anew. */
typedef struct SpoolMark {
    size_t at; /* 0: none */
    Lsn restart;
} SpoolMark;

struct Spool {
    SpoolSpec spec;
    Arena arena;
    const char *directory;
    int directory_fd;
    int lock_fd;
    uint32_t owner_crc;
    uint64_t segment_bytes; /* a segment of that size ends where the next may begin */
    SpoolNames strays;      /* files behind the last whole segment */

    /* the writer's */
    Track track;
    SpoolMark mark;
    SpoolPacker *packer;
    uint8_t *buffer;
    size_t buffer_bytes;
    int fd;                  /* of the last segment, -1 none */
    uint64_t restart_offset; /* in it: the end of the last frame that ends at a restart */
    uint64_t unsynced_bytes;
    bool doubted; /* an fsync failed: the last segment is written anew before it is trusted */

    /* the reader's */
    SpoolPacker *unpacker;
    int read_fd;
    uint64_t read_fd_number;
    uint8_t *stored;
    size_t stored_bytes;
    Lsn skip_to;         /* transactions up to here are left out */
    bool skips;          /* none beyond was met yet */
    bool skips_this;     /* inside one that is left out */
    uint64_t read_first; /* the segment reading began with */

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    Segment *segments; /* oldest first, numbers without a gap */
    size_t count;
    size_t capacity;
    uint64_t total_bytes;
    uint64_t next_number;
    Lsn restart;
    Lsn durable;
    SpoolPressure pressure;
    uint64_t read_number; /* the reader has delivered up to here */
    uint64_t read_offset;
};

/** File names are sixteen hex digits and this. */
#define SPOOL_SUFFIX ".zst"

/** The path of a segment, owned by the arena. */
const char *spool_segment_path(Arena *arena, const Spool *spool, uint64_t number);

/** \return false, ERR_IO: "could not DO PATH: errno's text". */
bool spool_io_error(const char *verb, const char *path, Err *err);

/** \return false, ERR_IO: an fsync of that file failed (errno), and what to do. */
bool spool_sync_error(const char *path, Err *err);

/** \return false with what fits a damaged file that cannot be had anew. */
bool spool_damaged(const Spool *spool, uint64_t number, uint64_t offset, const char *problem,
                   Err *err);

/** Notes that an fsync of the last segment failed (errno): what it holds is not trusted any more,
 * by the next engine neither. \return false, ERR_IO. */
bool spool_doubt(Spool *spool, const char *path, Err *err);

/** Writes the last segment once more, up to the last restart that is whole, and trusts that one;
 * sets the spool's restart by what is there. Neither writing nor reading goes on meanwhile.
 * \return false with ERR_IO, ERR_CANNOT_RESUME (its head is damaged); the doubt stays then. */
MUSTCHECK bool spool_renew(Spool *spool, Err *err);

/** The doubt concerns a segment that is not there any more. */
void spool_trust(Spool *spool);

/** Reads the last segment's frames up to the first that is not whole: sets restart and
 * restart_offset by them. */
void spool_walk(Spool *spool, int fd, const char *path);

/** \param fd stays open \return NULL, or what is wrong with the head: a static text */
const char *spool_read_head(const Spool *spool, int fd, uint64_t number, SpoolHead *head);

/** Writes at an offset, all or nothing. \param room false: no room on the device, nothing was
 * written \return false with ERR_IO. */
MUSTCHECK bool spool_write_all(const Spool *spool, int fd, uint64_t offset, const void *data,
                               size_t size_bytes, bool *room, Err *err);

/** Reads exactly so many bytes at an offset. \return 1, 0 at the end of the file, -1 errno */
int spool_read_at(int fd, void *data, size_t size_bytes, uint64_t offset);

/** Reads what is in the directory: called once, before any thread. */
MUSTCHECK bool spool_scan(Spool *spool, Err *err);

/** Begins a segment at the track's position. \param room false: no room on the device, none begun
 */
MUSTCHECK bool spool_segment_begin(Spool *spool, bool clean, bool *room, Err *err);

/** Deletes every segment and begins with a clean one at `start`. */
MUSTCHECK bool spool_begin_anew(Spool *spool, Lsn start, Err *err);

/** The last clean segment that starts at or below; under the mutex. \return count when none. */
size_t spool_segment_for(const Spool *spool, Lsn applied);

/** Deletes all segments before this index; under the mutex. */
void spool_drop_before(Spool *spool, size_t index);

#endif
