/*
 * Totals: one query, and its text form.
 */
#include "report/totals.h"

#include "base/str.h"
#include "base/units.h"
#include "sql_text.h"

#include <inttypes.h>

bool totals_read(Arena *arena, Conn *target, int64_t run, Totals *totals, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_REPORT_TOTALS, PARAMS(arena_int64(arena, run)), &rows, err))
        return false;
    *totals = (Totals){
        .leaves = rows_int64(rows, 0, 0),
        .leaves_copied = rows_int64(rows, 0, 1),
        .rows = rows_int64(rows, 0, 2),
        .bytes = rows_int64(rows, 0, 3),
        .transactions = rows_int64(rows, 0, 4),
        .changes = rows_int64(rows, 0, 5),
        .applied = rows_lsn(rows, 0, 6),
        .relations_verified = rows_int64(rows, 0, 7),
        .differences = rows_int64(rows, 0, 8),
        .switched = rows_text(rows, 0, 9) != NULL,
        .downtime_ms = rows_int64(rows, 0, 9),
        .state = arena_strdup(arena, rows_text(rows, 0, 10)),
        .started_at = arena_strdup(arena, rows_text(rows, 0, 11)),
        .ended_at = arena_strdup(arena, rows_text(rows, 0, 12)),
        .sample = arena_strdup(arena, rows_text(rows, 0, 13)),
        .sample_age_s = rows_double(rows, 0, 14),
        .conflicts = rows_int64(rows, 0, 15),
        .sample_at = arena_strdup(arena, rows_text(rows, 0, 16)),
        .switched_at = arena_strdup(arena, rows_text(rows, 0, 17)),
    };
    return true;
}

char *totals_text(Arena *arena, const Totals *totals, int64_t lag_bytes)
{
    AUTO_STR Str text = {0};
    str_appendf(&text,
                "copied             %" PRId64 " rows, %s, %" PRId64 " of %" PRId64 " relations\n",
                totals->rows, units_size_text(arena, (uint64_t)totals->bytes),
                totals->leaves_copied, totals->leaves);
    str_appendf(&text, "changes applied    %" PRId64 " in %" PRId64 " transactions\n",
                totals->changes, totals->transactions);
    if (lag_bytes >= 0)
        str_appendf(&text, "lag at cutover     %s\n", units_size_text(arena, (uint64_t)lag_bytes));
    if (totals->switched)
        str_appendf(&text, "downtime           %" PRId64 " ms\n", totals->downtime_ms);
    str_appendf(&text, "relations verified %" PRId64 ", %" PRId64 " differences\n",
                totals->relations_verified, totals->differences);
    if (totals->conflicts > 0)
        str_appendf(&text, "conflicts          %" PRId64 ", passed over as the plan says\n",
                    totals->conflicts);
    return str_dup(arena, &text);
}
