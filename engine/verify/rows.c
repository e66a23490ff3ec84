/*
 * The rows of ranges that differ: both sides list them in one order, and the lists are merged. What
 * is not on both sides alike is a difference when the servers are still, and suspicious when they
 * are not. Memory is bounded by a few fetched pages and one batch of suspects.
 */
#include "verify/verify_internal.h"

/* All rows of one side with the same place in the order: one row, unless keys collide. */
typedef struct Group {
    bool any;
    const char *order;
    int64_t number; /* the order as a number, unless it is text */
    int64_t copies;
    uint64_t sum;
    const char *const *values; /* as Suspect */
    const char *shown;
    Arena arena;
} Group;

typedef struct Walk {
    Conn *conn;
    Rows *rows;
    size_t at;
    Group group;
} Walk;

typedef struct Merge {
    Reading *reading;
    Walk source;
    Walk target;
    SuspectVec suspects;
    Arena arena; /* of the suspects */
} Merge;

static bool walk_fetch(Walk *walk, Err *err)
{
    AUTO_STR Str sql = {0};
    str_appendf(&sql, "FETCH %d FROM godwit_verify", VERIFY_FETCH_ROWS);
    rows_free(walk->rows);
    walk->rows = NULL;
    walk->at = 0;
    return pg_rows(walk->conn, sql.data, NO_PARAMS, &walk->rows, err);
}

/* Whether a row is left, after fetching more if need be. */
static bool walk_peek(Walk *walk, bool *any, Err *err)
{
    if (walk->at == rows_count(walk->rows) && rows_count(walk->rows) == VERIFY_FETCH_ROWS &&
        !walk_fetch(walk, err))
        return false;
    *any = walk->at < rows_count(walk->rows);
    return true;
}

static void group_first(Group *group, const Reading *reading, const Rows *rows, size_t at)
{
    arena_reset(&group->arena);
    group->any = true;
    group->order = arena_strdup(&group->arena, rows_text(rows, at, 0));
    group->number = reading->listed == BY_TEXT ? 0 : rows_int64(rows, at, 0);
    group->copies = 0;
    group->sum = 0;
    size_t count = reading->key == NULL ? 1 : reading->key->count;
    const char **values = arena_array(&group->arena, const char *, count);
    if (reading->key == NULL) {
        values[0] = group->order;
        group->shown = arena_strdup(&group->arena, rows_text(rows, at, 2));
    } else {
        for (size_t i = 0; i < count; i++)
            values[i] = arena_strdup(&group->arena, rows_text(rows, at, 2 + i));
    }
    group->values = values;
}

static bool walk_next(Walk *walk, const Reading *reading, Err *err)
{
    Group *group = &walk->group;
    group->any = false;
    for (;;) {
        bool any = false;
        if (!walk_peek(walk, &any, err))
            return false;
        if (!any || (group->any && strcmp(group->order, rows_text(walk->rows, walk->at, 0)) != 0))
            return true;
        if (!group->any)
            group_first(group, reading, walk->rows, walk->at);
        group->copies++;
        group->sum += (uint64_t)rows_int64(walk->rows, walk->at, 1);
        walk->at++;
    }
}

static void walk_release(Walk *walk)
{
    rows_free(walk->rows);
    arena_release(&walk->group.arena);
}

static int groups_order(const Reading *reading, const Group *a, const Group *b)
{
    if (!a->any || !b->any)
        return a->any ? -1 : 1;
    if (reading->listed == BY_TEXT)
        return strcmp(a->order, b->order);
    return (a->number > b->number) - (a->number < b->number);
}

static bool merge_flush(Merge *merge, Err *err)
{
    bool ok =
        merge->suspects.count == 0 || suspects_look(merge->reading, &merge->suspects, false, err);
    merge->suspects = (SuspectVec){0};
    arena_reset(&merge->arena);
    return ok;
}

static bool merge_suspect(Merge *merge, const Group *group, int64_t source, int64_t target,
                          Err *err)
{
    Reading *reading = merge->reading;
    /* Of merged relations only a look at the row tells which has it. */
    if (!reading->live && reading->spec->relation->merge == NULL) {
        result_add(reading, &(Suspect){.values = group->values, .shown = group->shown},
                   &(Seen){source, "", "", false}, &(Seen){target, "", "", false});
        return true;
    }
    size_t count = reading->key == NULL ? 1 : reading->key->count;
    const char **values = arena_array(&merge->arena, const char *, count);
    for (size_t i = 0; i < count; i++)
        values[i] = arena_strdup(&merge->arena, group->values[i]);
    *vec_push(&merge->arena, &merge->suspects) =
        (Suspect){.values = values, .shown = arena_strdup(&merge->arena, group->shown)};
    return merge->suspects.count < VERIFY_BATCH_LIVE || merge_flush(merge, err);
}

static bool merge_step(Merge *merge, Err *err)
{
    Reading *reading = merge->reading;
    Group *source = &merge->source.group;
    Group *target = &merge->target.group;
    int order = groups_order(reading, source, target);
    int64_t source_copies = order <= 0 ? source->copies : 0;
    int64_t target_copies = order >= 0 ? target->copies : 0;
    bool lacking = reading->spec->partial && target_copies == 0;
    bool same = order == 0 && source_copies == target_copies && source->sum == target->sum;
    if (!same && !lacking &&
        !merge_suspect(merge, order <= 0 ? source : target, source_copies, target_copies, err))
        return false;
    return (order > 0 || walk_next(&merge->source, reading, err)) &&
           (order < 0 || walk_next(&merge->target, reading, err));
}

static bool merge_run(Merge *merge, Err *err)
{
    Reading *reading = merge->reading;
    if (!walk_next(&merge->source, reading, err) || !walk_next(&merge->target, reading, err))
        return false;
    while (merge->source.group.any || merge->target.group.any) {
        if (!merge_step(merge, err))
            return false;
        if (reading->live && reading->result->difference_total >= VERIFY_GIVE_UP) {
            reading->result->more = true;
            return true;
        }
    }
    return merge_flush(merge, err);
}

static const char *int_array(Arena *arena, const RangeVec *ranges)
{
    AUTO_STR Str array = {0};
    str_append_char(&array, '{');
    for (size_t i = 0; i < ranges->count; i++)
        str_appendf(&array, "%s%d", i > 0 ? "," : "", ranges->items[i]);
    str_append_char(&array, '}');
    return str_dup(arena, &array);
}

/* Live, the lists outlive their transactions: a look waits for the stream, and the stream may have
 * to TRUNCATE the very table, which an open transaction of ours would keep it from doing for ever.
 */
static bool lists_hold(const VerifySpec *spec, Err *err)
{
    return pair_none(spec, (Statement){"COMMIT", "COMMIT"}, NO_PARAMS, err);
}

static void list_close(Conn *conn)
{
    AUTO_ERR Err err = {0};
    pg_rollback(conn);
    if (conn_is_ok(conn) && !pg_none(conn, "CLOSE ALL", NO_PARAMS, &err))
        log_debug(conn_log(conn), "close: %s", err.message);
}

/* Opens the cursors and fetches their first pages, both sides at once: that is where the work is.
 */
static bool merge_open(Merge *merge, const Ranges *ranges, Err *err)
{
    const VerifySpec *spec = merge->reading->spec;
    AUTO_ARENA Arena arena = {0};
    const RangeType *type = merge->reading->range_type;
    bool by_column = merge->reading->ranged == BY_COLUMN;
    size_t first = (size_t)ranges->differing.items[0];
    size_t last = (size_t)ranges->differing.items[ranges->differing.count - 1];
    const char *values[] = {ranges->ends_array, int_array(&arena, &ranges->differing), NULL, NULL};
    if (by_column) {
        const char *least = ranges->from != NULL ? ranges->from : type->least;
        const char *greatest = ranges->to != NULL ? ranges->to : type->greatest;
        values[2] = first > 0 ? ranges->ends[first - 1] : least;
        values[3] = last + 1 < ranges->count ? ranges->ends[last] : greatest;
    }
    Params params = {by_column ? 4 : 2, values};
    const char *begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";
    if (!pair_none(spec, (Statement){begin, begin}, NO_PARAMS, err) ||
        !pair_none(spec, statement_list(&arena, merge->reading), params, err) ||
        (merge->reading->live && !lists_hold(spec, err)))
        return false;
    const char *fetch = arena_printf(&arena, "FETCH %d FROM godwit_verify", VERIFY_FETCH_ROWS);
    AUTO_PAIR Pair pair = {0};
    if (!pair_rows(spec, (Statement){fetch, fetch}, NO_PARAMS, &pair, err))
        return false;
    merge->source.rows = pair.source;
    merge->target.rows = pair.target;
    pair = (Pair){0};
    return true;
}

/* The rows of the ranges that differ are read once more. */
static bool rows_throttle(const Reading *reading, const Ranges *ranges, Err *err)
{
    const Stop *stop = conn_stop(reading->spec->source);
    return throttle_wait(reading->spec->throttle, stop,
                         (int64_t)ranges->differing.count * VERIFY_RANGE_ROWS) ||
           stop_error(stop, err);
}

bool rows_compare(Reading *reading, const Ranges *ranges, Err *err)
{
    if (ranges->differing.count == 0)
        return true;
    if (!rows_throttle(reading, ranges, err))
        return false;
    Merge merge = {.reading = reading,
                   .source.conn = reading->spec->source,
                   .target.conn = reading->spec->target};
    bool ok = merge_open(&merge, ranges, err) && merge_run(&merge, err);
    list_close(reading->spec->source);
    list_close(reading->spec->target);
    walk_release(&merge.source);
    walk_release(&merge.target);
    arena_release(&merge.arena);
    return ok;
}
