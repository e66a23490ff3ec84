/*
 * Suspicious rows. Still servers: read both sides, compare. Live servers: look again and again, and
 * let verdict.c judge what was seen.
 */
#include "base/clock.h"
#include "pg/fault.h"
#include "sql_text.h"
#include "verify/verify_internal.h"

#include <inttypes.h>

#define LOOK_PAUSE_MOST_MS 250
#define TELL_AT_LOOK       20
#define WAIT_APPLIED_MS    600000
#define WAIT_LANE_MS       120000
#define LANE_POLL_MS       100

/* One look at all pending suspects. */
typedef struct Look {
    Rows *rows;
    Seen *seen;
    Arena arena;
} Look;

static void look_release(Look *look)
{
    rows_free(look->rows);
    arena_release(&look->arena);
    *look = (Look){0};
}

static Params suspects_params(Arena *arena, const Reading *reading, const SuspectVec *suspects)
{
    size_t count = reading->key == NULL ? 1 : reading->key->count;
    const char **values = arena_array(arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        AUTO_STR Str array = {0};
        for (size_t s = 0; s < suspects->count; s++)
            array_append(&array, suspects->items[s].values[i]);
        array_end(&array);
        values[i] = str_dup(arena, &array);
    }
    return (Params){(int)count, values};
}

/* Keyless answers name the hash, others the position. */
static size_t seen_index(const Reading *reading, const SuspectVec *suspects, const Rows *rows,
                         size_t r)
{
    if (reading->key != NULL)
        return (size_t)rows_int64(rows, r, 0) - 1;
    for (size_t i = 0; i < suspects->count; i++) {
        if (strcmp(suspects->items[i].values[0], rows_text(rows, r, 0)) == 0)
            return i;
    }
    BUG("a hash came back that was not asked for");
}

/* Takes the rows over. */
static void look_fill(Look *look, const Reading *reading, const SuspectVec *suspects, Rows *rows)
{
    look_release(look);
    look->rows = rows;
    look->seen = arena_array(&look->arena, Seen, suspects->count);
    for (size_t i = 0; i < suspects->count; i++)
        look->seen[i] = (Seen){0, "", "", false};
    for (size_t r = 0; r < rows_count(rows); r++)
        look->seen[seen_index(reading, suspects, rows, r)] =
            (Seen){rows_int64(rows, r, 1), rows_text(rows, r, 2), rows_text(rows, r, 3),
                   rows_bool(rows, r, 4)};
}

static bool look_take(Look *look, const Reading *reading, ConnSide side, const SuspectVec *suspects,
                      Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Statement statement = statement_suspects(&arena, reading);
    Params params = suspects_params(&arena, reading, suspects);
    bool is_source = side == CONN_SOURCE;
    Rows *rows = NULL;
    if (!pg_rows(is_source ? reading->spec->source : reading->spec->target,
                 is_source ? statement.source : statement.target, params, &rows, err))
        return false;
    look_fill(look, reading, suspects, rows);
    return true;
}

static bool suspects_still(Reading *reading, const SuspectVec *suspects, bool count_rows, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_PAIR Pair pair = {0};
    if (!pair_rows(reading->spec, statement_suspects(&arena, reading),
                   suspects_params(&arena, reading, suspects), &pair, err))
        return false;
    Look source = {0};
    Look target = {0};
    look_fill(&source, reading, suspects, pair.source);
    look_fill(&target, reading, suspects, pair.target);
    pair = (Pair){0};
    for (size_t i = 0; i < suspects->count; i++) {
        if (count_rows) {
            reading->result->source_rows += source.seen[i].copies;
            reading->result->target_rows += target.seen[i].copies;
        }
        if (!seen_alike(&source.seen[i], &target.seen[i]))
            result_add(reading, &suspects->items[i], &source.seen[i], &target.seen[i]);
    }
    look_release(&source);
    look_release(&target);
    return true;
}

/* Rows of one source transaction may lie in several lanes: the one that is least far tells. */
static bool lanes_applied(const VerifySpec *spec, Lsn *applied, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    JournalLane *lanes = NULL;
    size_t count = 0;
    const char *ignored = NULL;
    if (!journal_lanes_read(&arena, spec->target, spec->run_id, &lanes, &count, &ignored, err))
        return false;
    if (count == 0)
        return err_set(err, ERR_RUN, "the run has no applied position");
    *applied = lanes[0].applied;
    for (size_t i = 1; i < count; i++)
        *applied = lanes[i].applied < *applied ? lanes[i].applied : *applied;
    return true;
}

static bool lane_wait(const VerifySpec *spec, Lsn lsn, Err *err)
{
    int64_t deadline = clock_ms() + WAIT_LANE_MS;
    for (;;) {
        Lsn applied = 0;
        if (!lanes_applied(spec, &applied, err))
            return false;
        if (applied >= lsn)
            return true;
        if (clock_ms() > deadline) {
            err_set(err, ERR_GATE, "the %s has applied up to %s, not yet %s",
                    conn_side_name(conn_side(spec->target)), lsn_text(applied).text,
                    lsn_text(lsn).text);
            return err_hint(err, "Live verification needs an engine that replicates. Is \"godwit "
                                 "apply\" running?");
        }
        if (!stop_sleep(conn_stop(spec->target), LANE_POLL_MS))
            return stop_error(conn_stop(spec->target), err);
    }
}

static bool lists_oid(const Rows *rows, size_t column, uint32_t oid)
{
    size_t place = rows_place(rows, column, oid);
    return place < rows_count(rows) && rows_oid(rows, place, column) == oid;
}

static bool read_chunks(const VerifySpec *spec, Rows **chunks, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *table = arena_printf(&arena, "{%" PRIu32 "}", spec->relation->oid);
    return pg_rows(spec->source, SQL_COPY_CHUNKS, PARAMS(table, "{}"), chunks, err);
}

/* Where the other engine takes new chunks in one by one: whether it has those, but for what was
 * dropped meanwhile. Those that only are written down have no position. */
static bool chunks_are_in(const VerifySpec *spec, const Rows *wanted, bool *in, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *there = NULL;
    AUTO_ROWS Rows *copied = NULL;
    if (!pg_rows(spec->target, SQL_JOURNAL_CHUNKS, PARAMS(arena_int64(&arena, spec->run_id)),
                 &copied, err) ||
        !read_chunks(spec, &there, err))
        return false;
    *in = true;
    bool one_by_one = rows_count(copied) > 0 && rows_lsn(copied, 0, 1) > 0;
    for (size_t r = 0; *in && one_by_one && r < rows_count(wanted); r++) {
        uint32_t oid = rows_oid(wanted, r, 1);
        *in = lists_oid(copied, 0, oid) || !lists_oid(there, 1, oid);
    }
    return true;
}

/* For the chunks that are there now: of a busy source others come all the time. */
static bool chunks_wait(const VerifySpec *spec, Err *err)
{
    AUTO_ROWS Rows *wanted = NULL;
    int64_t deadline = clock_ms() + WAIT_LANE_MS;
    if (spec->relation->chunked && !read_chunks(spec, &wanted, err))
        return false;
    for (bool in = !spec->relation->chunked; !in;) {
        if (!chunks_are_in(spec, wanted, &in, err))
            return false;
        if (!in && clock_ms() > deadline)
            return err_set(err, ERR_GATE, "new chunks of the source are not copied yet");
        if (!in && !stop_sleep(conn_stop(spec->target), LANE_POLL_MS))
            return stop_error(conn_stop(spec->target), err);
    }
    return true;
}

static bool has_chunks(const Relation *relation)
{
    while (relation != NULL && !relation->chunked)
        relation = relation->merge_next;
    return relation != NULL;
}

bool live_wait(const VerifySpec *spec, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(spec->source, SQL_VERIFY_INSERT_LSN, NO_PARAMS, &rows, err))
        return false;
    Lsn lsn = rows_lsn(rows, 0, 0);
    if (spec->stream != NULL)
        return stream_wait_applied(spec->stream, lsn, WAIT_APPLIED_MS, err) &&
               (!has_chunks(spec->relation) ||
                stream_wait_chunks(spec->stream, WAIT_APPLIED_MS, err));
    return lane_wait(spec, lsn, err) && chunks_wait(spec, err);
}

typedef struct Looks {
    Look first;    /* source before */
    Look target;   /* target between */
    Look second;   /* source after */
    Look earlier;  /* target at the look before, of the same suspects; no rows at the first look */
    Rows *writers; /* of the source between target and second; NULL before the first look */
    bool gone;     /* none of those at the look before is left */
} Looks;

/* Who writes the relation on the source. */
static bool writers_take(const Reading *reading, Looks *looks, Err *err)
{
    AUTO_STR Str oids = {0};
    const Relation *one = reading->spec->relation;
    Rows *now = NULL;
    for (; one != NULL; one = one->merge_next) {
        str_appendf(&oids, "%s%" PRIu32, oids.length == 0 ? "{" : ",", one->oid);
        for (size_t i = 0; i < one->leaf_count; i++)
            str_appendf(&oids, ",%" PRIu32, one->leaves[i]->oid);
    }
    str_append_char(&oids, '}');
    if (!pg_rows(reading->spec->source, SQL_VERIFY_WRITERS, PARAMS(oids.data), &now, err))
        return false;
    looks->gone = looks->writers != NULL && writers_gone(looks->writers, now);
    rows_free(looks->writers);
    looks->writers = now;
    return true;
}

/* Takes a look's verdict. \return whether that was the last look at it */
static bool judge(Reading *reading, const Looks *looks, Suspect *suspect, size_t i)
{
    Verdict verdict =
        verdict_of(&looks->first.seen[i], &looks->target.seen[i], &looks->second.seen[i],
                   suspect->stood ? &looks->earlier.seen[i] : NULL, suspect->settled);
    suspect->written = verdict == VERDICT_LOOK_AGAIN ? suspect->written + 1 : 0;
    suspect->settled = verdict == VERDICT_STANDS && (suspect->settled || looks->gone);
    suspect->stood = verdict == VERDICT_APART || verdict == VERDICT_STANDS;
    if (verdict == VERDICT_DIFFERENT)
        result_add(reading, suspect, &looks->second.seen[i], &looks->target.seen[i]);
    return verdict == VERDICT_DIFFERENT || verdict == VERDICT_SAME;
}

/* One look at all pending; those that need another are kept, in order. */
static bool look_once(Reading *reading, Looks *looks, SuspectVec *pending, Err *err)
{
    look_release(&looks->target);
    if (!live_wait(reading->spec, err) ||
        !look_take(&looks->target, reading, CONN_TARGET, pending, err) ||
        !writers_take(reading, looks, err) ||
        !look_take(&looks->second, reading, CONN_SOURCE, pending, err))
        return false;
    size_t kept = 0;
    for (size_t i = 0; i < pending->count; i++) {
        if (judge(reading, looks, &pending->items[i], i))
            continue;
        pending->items[kept] = pending->items[i];
        looks->second.seen[kept] = looks->second.seen[i];
        looks->target.seen[kept] = looks->target.seen[i];
        kept++;
    }
    pending->count = kept;
    return true;
}

/* What was seen last is what comes first at the next look. */
static void looks_turn(Looks *looks)
{
    look_release(&looks->first);
    look_release(&looks->earlier);
    looks->first = looks->second;
    looks->earlier = looks->target;
    looks->second = (Look){0};
    looks->target = (Look){0};
}

/* Says once why it takes so long. */
static void tell_waiting(const Reading *reading, size_t count)
{
    AUTO_ARENA Arena arena = {0};
    log_info(
        conn_log(reading->spec->source),
        "verify %s: %zu rows are written again and again, or not to be seen on the source yet; "
        "looking again",
        name_text(&arena, &reading->spec->relation->source), count);
}

/* Without keys, or with too many, the whole relation is compared again. */
static bool overflows(const Reading *reading, size_t more)
{
    const VerifyResult *result = reading->result;
    return result->busy_keys.overflow || reading->key == NULL ||
           reading->spec->relation->merge != NULL || result->busy + (int64_t)more > VERIFY_MAX_BUSY;
}

/* Nothing can be said of these; they are kept by key, as many as are touched at most. */
static void result_busy(Reading *reading, const SuspectVec *pending)
{
    VerifyResult *result = reading->result;
    TouchedKeys *keys = &result->busy_keys;
    keys->overflow = overflows(reading, pending->count);
    result->busy += (int64_t)pending->count;
    for (size_t s = 0; !keys->overflow && s < pending->count; s++) {
        for (size_t k = 0; k < reading->key->count; k++)
            *vec_push(reading->arena, &reading->busy) =
                arena_strdup(reading->arena, pending->items[s].values[k]);
        keys->count++;
    }
    keys->values = reading->busy.items;
    if (keys->overflow)
        keys->count = 0;
}

/* \param looked receives what the looks up to now say of how long to go on */
static void look_back(const Reading *reading, const SuspectVec *pending, int64_t began_ms,
                      Looked *looked)
{
    looked->for_ms = clock_ms() - began_ms;
    looked->hurried = fault_hurries();
    looked->compared = reading->spec->stream != NULL && !overflows(reading, pending->count);
    looked->written = looked->count;
    for (size_t i = 0; i < pending->count; i++)
        if (pending->items[i].written < looked->written)
            looked->written = pending->items[i].written;
}

static bool suspects_live(Reading *reading, SuspectVec *pending, Looks *looks, Err *err)
{
    const Stop *stop = conn_stop(reading->spec->source);
    int64_t began_ms = clock_ms();
    if (!look_take(&looks->first, reading, CONN_SOURCE, pending, err))
        return false;
    for (Looked looked = {0}; pending->count > 0; looked.count++) {
        look_back(reading, pending, began_ms, &looked);
        if (looked_enough(&looked)) {
            result_busy(reading, pending);
            return true;
        }
        if (looked.count == TELL_AT_LOOK)
            tell_waiting(reading, pending->count);
        int pause_ms = looked.count * 10;
        if (!stop_sleep(stop, pause_ms < LOOK_PAUSE_MOST_MS ? pause_ms : LOOK_PAUSE_MOST_MS))
            return stop_error(stop, err);
        if (!look_once(reading, looks, pending, err))
            return false;
        looks_turn(looks);
    }
    return true;
}

bool suspects_look(Reading *reading, const SuspectVec *suspects, bool count_rows, Err *err)
{
    if (!reading->live)
        return suspects_still(reading, suspects, count_rows, err);
    AUTO_ARENA Arena arena = {0};
    SuspectVec pending = {0};
    for (size_t i = 0; i < suspects->count; i++)
        *vec_push(&arena, &pending) = suspects->items[i];
    Looks looks = {0};
    bool ok = suspects_live(reading, &pending, &looks, err);
    look_release(&looks.first);
    look_release(&looks.target);
    look_release(&looks.second);
    look_release(&looks.earlier);
    rows_free(looks.writers);
    return ok;
}
