/*
 * Again: see the header. Killed before the commit, the target has the rows of the first copy, and
 * the next cutover begins anew; killed behind it, it does the same once more.
 */
#include "copy/again.h"

#include "copy/part.h"
#include "pg/copy.h"
#include "pg/ddl.h"

#include <inttypes.h>

bool again_takes(const Blueprint *blueprint, const Leaf *leaf)
{
    return leaf->unlogged && relation_is_copied(blueprint, leaf->root);
}

AgainTotals again_expected(const Blueprint *blueprint)
{
    AgainTotals totals = {0};
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (!again_takes(blueprint, leaf))
            continue;
        totals.leaves++;
        totals.rows += leaf->rows_estimate > 0 ? (int64_t)leaf->rows_estimate : 0;
        totals.bytes += (int64_t)leaf->bytes;
    }
    return totals;
}

/* One statement: only unlogged tables can have a foreign key to an unlogged one, and PostgreSQL
 * empties such tables only together. */
static bool empty_all(const Blueprint *blueprint, Conn *target, Err *err)
{
    AUTO_STR Str sql = {0};
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (!again_takes(blueprint, leaf))
            continue;
        str_append(&sql, sql.length == 0 ? "TRUNCATE ONLY " : ", ONLY ");
        ddl_qname(&sql, target, &leaf->target_share);
    }
    return sql.length == 0 || pg_none(target, sql.data, NO_PARAMS, err);
}

static bool pass_rows(Conn *source, Conn *target, char *piece, int64_t *bytes, Err *err)
{
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

static bool end_copies(const Leaf *leaf, Conn *source, Conn *target, AgainTotals *totals, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    int64_t read = 0;
    int64_t wrote = 0;
    if (!copy_out_end(source, &read, err)) {
        copy_in_abort(target, "the source's rows could not be read to their end", err);
        return false;
    }
    if (!copy_in_end(target, &wrote, err))
        return false;
    totals->leaves++;
    totals->rows += wrote;
    return read == wrote || err_set(err, ERR_ROW_COUNT,
                                    "%s: %" PRId64 " rows were read from the source, %" PRId64
                                    " written to the target",
                                    name_text(&arena, &leaf->source), read, wrote);
}

static bool copy_leaf(const Leaf *leaf, Conn *source, Conn *target, char *piece,
                      AgainTotals *totals, Err *err)
{
    AUTO_STR Str from = {0};
    AUTO_STR Str into = {0};
    const PartRange all = {.by = PART_BY_NONE};
    part_source_sql(&from, source, leaf, &all);
    part_target_sql(&into, target, leaf, false);
    if (!copy_out_begin(source, from.data, err))
        return false;
    if (!copy_in_begin(target, into.data, err)) {
        copy_out_abort(source);
        return false;
    }
    if (!pass_rows(source, target, piece, &totals->bytes, err)) {
        copy_in_abort(target, "the source's rows could not be read to their end", err);
        copy_out_abort(source);
        return false;
    }
    return end_copies(leaf, source, target, totals, err);
}

static bool copy_all(const Blueprint *blueprint, Conn *source, Conn *target, AgainTotals *totals,
                     Err *err)
{
    AUTO_ARENA Arena arena = {0};
    char *piece = arena_alloc(&arena, COPY_PIECE_BYTES);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (again_takes(blueprint, leaf) && !copy_leaf(leaf, source, target, piece, totals, err))
            return err_context(err, "could not copy %s", name_text(&arena, &leaf->source));
    }
    return true;
}

bool again_copy(const Blueprint *blueprint, Conn *source, Conn *target, AgainTotals *totals,
                Err *err)
{
    *totals = (AgainTotals){0};
    if (!pg_begin(target, NULL, err))
        return false;
    bool ok = empty_all(blueprint, target, err) &&
              copy_all(blueprint, source, target, totals, err) && pg_commit(target, err);
    if (!ok)
        pg_rollback(target);
    return ok;
}
