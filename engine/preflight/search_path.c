/*
 * Check of functions that rely on the search path: the engine's sessions and pg_restore have
 * pg_catalog alone in it, so that no name means something else than on the source. A function that
 * finds what it names by the path of its caller fails there.
 */
#include "preflight/check.h"

#include "plan/report.h"
#include "sql_text.h"

/* Columns of preflight_search_path.sql. */
enum { PATH_OID, PATH_FUNCTION, PATH_RELATION, PATH_PLACE, PATH_NAMES, PATH_FOUND };

/* A domain's constraint is looked at wherever it is; a materialized view is no table. */
static bool takes_part(const Check *check, uint32_t relation)
{
    return relation == 0 || check_selected(check, relation) != NULL ||
           blueprint_keeps_object(check->blueprint, CAT_CLASS_RELATION, relation);
}

static const char *place_text(Check *check, const Rows *rows, size_t row)
{
    const CatRelation *of =
        catalog_relation(check->source.catalog, rows_oid(rows, row, PATH_RELATION));
    const char *place = rows_text(rows, row, PATH_PLACE);
    place = text_printable(check->arena, place, strlen(place), NULL);
    return of == NULL ? place : check_text(check, "%s of %s", place, check_name(check, &of->name));
}

static void found(Check *check, const Rows *rows, size_t row, NameList *places)
{
    const char *function = check_text(check, "%s", rows_text(rows, row, PATH_FUNCTION));
    check_add(
        check, CODE_SEARCH_PATH, FINDING_WARNING, &check->source, function,
        check_text(check, "may find %s by the search path alone; it is used by %s",
                   rows_text(rows, row, PATH_NAMES), names_text(check, places)),
        "Where rows come in and indexes are built, the path is pg_catalog alone: the function "
        "then fails, and the copy with it.",
        check_text(check, "ALTER FUNCTION %s SET search_path = %s, pg_temp;", function,
                   rows_text(rows, row, PATH_FOUND)));
}

bool probe_search_path(Check *check, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    NameList places = {0};
    if (check->input->resuming)
        return true; /* what is restored by now is restored */
    if (!pg_rows(check->source.conn, SQL_PREFLIGHT_SEARCH_PATH, NO_PARAMS, &rows, err))
        return err_context(err, "looking for functions that rely on the search path");
    for (size_t r = 0; r < rows_count(rows); r++) {
        if (takes_part(check, rows_oid(rows, r, PATH_RELATION)))
            names_add(&places, place_text(check, rows, r));
        bool last = r + 1 == rows_count(rows) ||
                    rows_oid(rows, r + 1, PATH_OID) != rows_oid(rows, r, PATH_OID);
        if (last && places.count > 0)
            found(check, rows, r, &places);
    }
    return true;
}
