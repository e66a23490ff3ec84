/*
 * Timeline: see the header. Killed before the new one is written down, the next engine compares
 * again; killed behind it, nothing was taken from the new one yet, and the positions are those that
 * were compared.
 */
#include "copy/timeline.h"

#include "pg/repl.h"
#include "sql_text.h"

#include <inttypes.h>

typedef struct Reached {
    uint32_t timeline; /* 0: not known */
    Lsn position;
} Reached;

static bool read_reached(const TimelineOf *of, Reached *reached, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(of->target, SQL_JOURNAL_TIMELINE, PARAMS(arena_int64(&arena, of->run)), &rows, err))
        return false;
    reached->timeline = rows_text(rows, 0, 0) == NULL ? 0 : (uint32_t)rows_int64(rows, 0, 0);
    reached->position = rows_text(rows, 0, 1) == NULL ? 0 : rows_lsn(rows, 0, 1);
    return true;
}

static bool write_down(const TimelineOf *of, uint32_t timeline, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(of->target, SQL_JOURNAL_TIMELINE_SET,
                   PARAMS(arena_int64(&arena, of->run), arena_int64(&arena, timeline)), err);
}

static bool left_before(const TimelineOf *of, const Reached *reached, Lsn left, Err *err)
{
    if (left == 0)
        err_set(err, ERR_CANNOT_RESUME,
                "the server was never on timeline %" PRIu32 ", from which %s is applied",
                reached->timeline, lsn_text(reached->position).text);
    else
        err_set(err, ERR_CANNOT_RESUME,
                "the server left timeline %" PRIu32 " at %s, and %s of it is applied",
                reached->timeline, lsn_text(left).text, lsn_text(reached->position).text);
    err_detail(err, "A standby took over that lacked what was sent already, or a backup was "
                    "restored. The other side holds what this one lost, and this one leaves out "
                    "what it wrote instead.");
    return of->back
               ? err_hint(err, "\"godwit cleanup %s\" drops what is left of the way back.",
                          of->plan)
               : err_hint(err,
                          "\"godwit resync %s --all --yes\", then \"godwit apply %s\", makes the "
                          "target as the source is now.",
                          of->plan, of->plan);
}

/* A server that does not show its history is believed, and that is said. */
static bool compare(const TimelineOf *of, Conn *repl, uint32_t now, const Reached *reached,
                    Err *err)
{
    AUTO_ERR Err refused = {0};
    Lsn left = 0;
    if (!repl_timeline_left(repl, now, reached->timeline, &left, &refused)) {
        if (refused.code != ERR_SQL)
            return err_move(err, &refused);
        log_warn(of->log,
                 "a standby took over (timeline %" PRIu32 " behind %" PRIu32
                 "), and the server does not tell where: %s. Verify before the cutover whether it "
                 "had all that was applied.",
                 now, reached->timeline, refused.message);
        return true;
    }
    if (left < reached->position)
        return left_before(of, reached, left, err);
    log_info(of->log,
             "a standby took over at %s (timeline %" PRIu32 " behind %" PRIu32
             "), behind all that is applied",
             lsn_text(left).text, now, reached->timeline);
    return true;
}

bool timeline_check(const TimelineOf *of, Conn *repl, Lsn kept, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    ReplServer server = {0};
    Reached reached = {0};
    if (!repl_identify(&arena, repl, &server, err) || !read_reached(of, &reached, err))
        return false;
    if (reached.timeline == server.timeline)
        return true;
    reached.position = reached.position > kept ? reached.position : kept;
    if (reached.timeline != 0 && !compare(of, repl, server.timeline, &reached, err))
        return false;
    return write_down(of, server.timeline, err);
}
