/*
 * Sequences: batches of UNION ALL, so that ten thousand sequences cost a few round trips.
 */
#include "cutover/sequences.h"

#include "base/jsontext.h"
#include "base/str.h"
#include "base/units.h"
#include "pg/ddl.h"
#include "sql_text.h"

#include <inttypes.h>

/* Each SELECT of a batch opens one sequence; the server's parser and lock table set the bound. */
#define BATCH 200

typedef struct SequenceState {
    int64_t last_value;
    bool is_called;
} SequenceState;

static void select_state(Str *sql, const Conn *conn, size_t index, const Name *name)
{
    str_appendf(sql, "%sSELECT %zu AS n, last_value, is_called FROM ",
                sql->length > 0 ? " UNION ALL " : "", index);
    ddl_qname(sql, conn, name);
}

/* Of several sequences that become one the state of the farthest counts. */
static bool is_behind(const SequenceDef *sequence, const SequenceState *state,
                      const SequenceState *other)
{
    if (state->last_value == other->last_value)
        return !state->is_called && other->is_called;
    return (sequence->increment > 0) == (state->last_value < other->last_value);
}

static bool read_batch(const Run *run, Conn *conn, bool source, size_t from, size_t to,
                       SequenceState *states, Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rows = NULL;
    AUTO_ARENA Arena arena = {0};
    bool *known = arena_array(&arena, bool, run->blueprint->sequence_count);
    for (size_t i = from; i < to; i++) {
        const SequenceDef *sequence = &run->blueprint->sequences[i];
        select_state(&sql, conn, i, source ? &sequence->name : &sequence->target);
        for (size_t m = 0; source && m < sequence->merged_count; m++)
            select_state(&sql, conn, i, &sequence->merged[m]);
    }
    if (!pg_rows(conn, sql.data, NO_PARAMS, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        size_t i = (size_t)rows_int64(rows, r, 0);
        SequenceState state = {rows_int64(rows, r, 1), rows_bool(rows, r, 2)};
        if (!known[i] || is_behind(&run->blueprint->sequences[i], &states[i], &state))
            states[i] = state;
        known[i] = true;
    }
    return true;
}

static bool read_all(const Run *run, Conn *conn, bool source, SequenceState *states, Err *err)
{
    size_t count = run->blueprint->sequence_count;
    for (size_t from = 0; from < count; from += BATCH) {
        size_t to = from + BATCH < count ? from + BATCH : count;
        if (!read_batch(run, conn, source, from, to, states, err))
            return false;
    }
    return true;
}

/* The margin is counted in steps of the increment, so that it also holds for descending sequences.
 */
static void add_margin(const Run *run, SequenceState *states)
{
    uint64_t margin = run->plan->cutover.sequence_margin;
    for (size_t i = 0; margin > 0 && i < run->blueprint->sequence_count; i++)
        states[i].last_value += (int64_t)margin * run->blueprint->sequences[i].increment;
}

static bool set_batch(const Run *run, Conn *target, size_t from, size_t to,
                      const SequenceState *states, Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_STR Str name = {0};
    AUTO_ROWS Rows *rows = NULL;
    str_append(&sql, "SELECT ");
    for (size_t i = from; i < to; i++) {
        str_reset(&name);
        ddl_qname(&name, target, &run->blueprint->sequences[i].target);
        str_appendf(&sql, "%spg_catalog.setval(", i > from ? ", " : "");
        ddl_literal(&sql, target, name.data);
        str_appendf(&sql, "::pg_catalog.regclass, %" PRId64 ", %s)", states[i].last_value,
                    states[i].is_called ? "true" : "false");
    }
    return pg_one(target, sql.data, NO_PARAMS, &rows, err);
}

static bool journal_all(const Run *run, Conn *target, const SequenceState *states, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    json_t *array = json_array();
    for (size_t i = 0; i < run->blueprint->sequence_count; i++) {
        const Name *name = &run->blueprint->sequences[i].target;
        json_array_append_new(array,
                              json_pack("{s:s, s:s, s:I, s:b}", "schema", name->schema, "rel",
                                        name->rel, "last_value", (json_int_t)states[i].last_value,
                                        "is_called", (int)states[i].is_called));
    }
    const char *text = jsontext_compact(&arena, array);
    return pg_none(target, SQL_JOURNAL_SEQUENCE, PARAMS(arena_int64(&arena, run->journal.id), text),
                   err);
}

static bool compare(const Run *run, const SequenceState *want, const SequenceState *is, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < run->blueprint->sequence_count; i++) {
        if (want[i].last_value == is[i].last_value && want[i].is_called == is[i].is_called)
            continue;
        return err_set(err, ERR_RUN,
                       "sequence %s reads back %" PRId64 " (is_called %d), not %" PRId64
                       " (is_called %d)",
                       name_text(&arena, &run->blueprint->sequences[i].target), is[i].last_value,
                       is[i].is_called, want[i].last_value, want[i].is_called);
    }
    return true;
}

/* Whether an index lets max() answer at once: the column leads the relation's key. */
static bool max_is_cheap(const SequenceDef *sequence)
{
    const Relation *relation = sequence->owner;
    if (relation == NULL || relation->key == NULL)
        return false;
    return strcmp(relation->columns[relation->key->columns[0]].name, sequence->owner_column) == 0;
}

static void max_select(Str *sql, const Conn *conn, const SequenceDef *sequence, size_t index)
{
    const char *extreme = sequence->increment > 0 ? "max" : "min";
    str_appendf(sql, "%sSELECT %zu, pg_catalog.%s(", sql->length > 0 ? " UNION ALL " : "", index,
                extreme);
    ddl_ident(sql, conn, sequence->owner_column);
    str_append(sql, ")::bigint FROM ");
    ddl_qname(sql, conn, &sequence->owner->target);
}

static bool check_owners(const Run *run, Conn *target, const SequenceState *states, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rows = NULL;
    const Blueprint *blueprint = run->blueprint;
    for (size_t i = 0; i < blueprint->sequence_count; i++) {
        if (max_is_cheap(&blueprint->sequences[i]))
            max_select(&sql, target, &blueprint->sequences[i], i);
    }
    if (sql.length == 0)
        return true;
    if (!pg_rows(target, sql.data, NO_PARAMS, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        size_t i = (size_t)rows_int64(rows, r, 0);
        const SequenceDef *sequence = &blueprint->sequences[i];
        int64_t extreme = rows_int64(rows, r, 1);
        bool up = sequence->increment > 0;
        if (rows_text(rows, r, 1) == NULL ||
            (up ? states[i].last_value >= extreme : states[i].last_value <= extreme))
            continue;
        err_set(err, ERR_RUN, "sequence %s is behind its column: %" PRId64 " against %" PRId64,
                name_text(&arena, &sequence->target), states[i].last_value, extreme);
        return err_hint(err, "Set it on the source with setval(), then cut over again.");
    }
    return true;
}

static bool move(Arena *arena, const Run *run, Conn *source, Conn *target, bool set, Err *err)
{
    size_t count = run->blueprint->sequence_count;
    SequenceState *want = arena_array(arena, SequenceState, count);
    SequenceState *is = arena_array(arena, SequenceState, count);
    if (count == 0)
        return true;
    if (!read_all(run, source, true, want, err))
        return false;
    add_margin(run, want);
    for (size_t from = 0; set && from < count; from += BATCH) {
        if (!set_batch(run, target, from, from + BATCH < count ? from + BATCH : count, want, err))
            return false;
    }
    return read_all(run, target, false, is, err) && compare(run, want, is, err) &&
           check_owners(run, target, want, err) && (!set || journal_all(run, target, want, err));
}

bool sequences_move(const Run *run, Conn *source, Conn *target, size_t *set, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    *set = run->blueprint->sequence_count;
    return move(&arena, run, source, target, true, err);
}

bool sequences_check(const Run *run, Conn *source, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return move(&arena, run, source, target, false, err);
}

static const char *place_text(Arena *arena, const SequenceState *state)
{
    return arena_printf(arena, "%" PRId64 "%s", state->last_value,
                        state->is_called ? "" : " (not given yet)");
}

bool sequences_behind(Arena *arena, const Run *run, Conn *source, Conn *target, const char ***named,
                      size_t *count, Err *err)
{
    size_t all = run->blueprint->sequence_count;
    SequenceState *want = arena_array(arena, SequenceState, all);
    SequenceState *is = arena_array(arena, SequenceState, all);
    *named = arena_array(arena, const char *, all);
    *count = 0;
    if (all > 0 &&
        (!read_all(run, source, true, want, err) || !read_all(run, target, false, is, err)))
        return false;
    for (size_t i = 0; i < all; i++) {
        const SequenceDef *sequence = &run->blueprint->sequences[i];
        if (is_behind(sequence, &is[i], &want[i]))
            (*named)[(*count)++] =
                arena_printf(arena, "sequence %s is behind: %s on the source, %s on the target",
                             name_text(arena, &sequence->target), place_text(arena, &want[i]),
                             place_text(arena, &is[i]));
    }
    return true;
}
