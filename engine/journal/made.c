/*
 * Made: one table of the journal.
 */
#include "journal/made.h"

#include "base/str.h"
#include "sql_text.h"

bool journal_made(Conn *target, const char *plan, Rows **rows, Err *err)
{
    AUTO_ROWS Rows *known = NULL;
    *rows = NULL;
    return pg_one(target, "SELECT pg_catalog.to_regclass('godwit.made') IS NOT NULL", NO_PARAMS,
                  &known, err) &&
           (!rows_bool(known, 0, 0) || pg_rows(target, SQL_JOURNAL_MADE, PARAMS(plan), rows, err));
}

bool made_has(const Rows *rows, uint32_t class_oid, uint32_t oid, const char *mark)
{
    for (size_t r = 0; rows != NULL && r < rows_count(rows); r++)
        if (rows_oid(rows, r, 0) == class_oid && rows_oid(rows, r, 1) == oid)
            return mark == NULL || text_equal(rows_text(rows, r, 2), mark);
    return false;
}

bool journal_made_add(Conn *target, const char *plan, const char *mark, const char *classes,
                      const char *oids, Err *err)
{
    return pg_none(target, SQL_JOURNAL_MADE_ADD, PARAMS(plan, mark, classes, oids), err);
}
