/*
 * Conflicts: a few rows, found by looking at all of them.
 */
#include "cdc/conflicts.h"

#include "sql_text.h"

const char *conflict_kind_name(ConflictKind kind)
{
    static const char *const NAMES[] = {
        [CONFLICT_INSERT_EXISTS] = "insert_exists",
        [CONFLICT_UPDATE_EXISTS] = "update_exists",
        [CONFLICT_UPDATE_MISSING] = "update_missing",
        [CONFLICT_DELETE_MISSING] = "delete_missing",
    };
    return NAMES[kind];
}

const char *conflict_outcome_name(ConflictOutcome outcome)
{
    static const char *const NAMES[] = {
        [CONFLICT_SKIPPED] = "skipped",
        [CONFLICT_OVERWRITTEN] = "overwritten",
        [CONFLICT_INSERTED] = "inserted",
    };
    return NAMES[outcome];
}

static Conflict *find(Conflicts *conflicts, const Conflict *one)
{
    for (size_t i = 0; i < conflicts->items.count; i++) {
        Conflict *item = &conflicts->items.items[i];
        if (item->relation == one->relation && item->kind == one->kind &&
            item->outcome == one->outcome)
            return item;
    }
    Conflict *item = vec_push(&conflicts->arena, &conflicts->items);
    *item = *one;
    item->count = 0;
    return item;
}

void conflicts_add(Conflicts *conflicts, const Conflict *one, const char *key)
{
    Conflict *item = find(conflicts, one);
    if (item->count++ == 0 || strcmp(item->last_key, key) != 0)
        item->last_key = arena_strdup(&conflicts->arena, key);
    item->last_lsn = one->last_lsn;
    conflicts->count++;
}

bool conflicts_emit(const Conflicts *conflicts, Emit *emit, int64_t run, unsigned lane, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < conflicts->items.count; i++) {
        const Conflict *one = &conflicts->items.items[i];
        const Name *name = &one->relation->source;
        if (!emit_sql(emit, SQL_JOURNAL_CONFLICT,
                      PARAMS(arena_int64(&arena, run), arena_int64(&arena, lane), name->schema,
                             name->rel, conflict_kind_name(one->kind),
                             conflict_outcome_name(one->outcome),
                             arena_int64(&arena, (int64_t)one->count), one->last_key,
                             arena_strdup(&arena, lsn_text(one->last_lsn).text)),
                      EMIT_ANY_COUNT, err))
            return false;
    }
    return true;
}

void conflicts_clear(Conflicts *conflicts)
{
    arena_release(&conflicts->arena);
    *conflicts = (Conflicts){0};
}
