/* Through: see the header. */
#include "pg/copy_through.h"

#include "base/arena.h"
#include "pg/copy.h"

#include <inttypes.h>

#define UNREADABLE "the source's rows could not be read to their end"

static bool pass(Conn *source, Conn *target, int64_t *bytes, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    char *piece = arena_alloc(&arena, COPY_PIECE_BYTES);
    for (;;) {
        size_t size = 0;
        if (!copy_out_read(source, piece, COPY_PIECE_BYTES, &size, err))
            return false;
        if (size == 0)
            return true;
        if (!copy_in_write(target, piece, size, err))
            return false;
        *bytes += (int64_t)size;
    }
}

static bool end_both(Conn *source, Conn *target, int64_t *rows, Err *err)
{
    int64_t read = 0;
    if (!copy_out_end(source, &read, err)) {
        copy_in_abort(target, UNREADABLE, err);
        return false;
    }
    if (!copy_in_end(target, rows, err))
        return false;
    return read == *rows ||
           err_set(err, ERR_ROW_COUNT,
                   "%" PRId64 " rows were read from the source, %" PRId64 " written to the target",
                   read, *rows);
}

bool copy_through(Conn *source, const char *from, Conn *target, const char *into,
                  CopyThrough *through, Err *err)
{
    CopyThrough passed = {0};
    if (!copy_out_begin(source, from, err))
        return false;
    if (!copy_in_begin(target, into, err)) {
        copy_out_abort(source);
        return false;
    }
    if (!pass(source, target, &passed.bytes, err)) {
        copy_in_abort(target, UNREADABLE, err);
        copy_out_abort(source);
        return false;
    }
    if (!end_both(source, target, &passed.rows, err))
        return false;
    *through = passed;
    return true;
}
