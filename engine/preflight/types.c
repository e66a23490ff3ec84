/*
 * Columns whose values cannot be written on another server, or mean nothing there.
 */
#include "preflight/check.h"

#include "sql_text.h"

typedef struct Matter {
    const char *name; /* as preflight_types.sql says it */
    Code code;
    FindingSeverity severity;
    const char *message;
    const char *why;
    const char *remedy;
} Matter;

static const Matter matters[] = {
    {"refused", CODE_TYPE_REFUSED, FINDING_ERROR, "cannot be read in again",
     "The input function of the type takes no value: the copy fails at the first row.",
     "-- leave the table out (select.exclude), or change the column to text: ALTER TABLE %s ALTER "
     "COLUMN %s TYPE text;"},
    {"gone", CODE_TYPE_REFUSED, FINDING_ERROR, "does not exist on the target",
     "abstime, reltime and tinterval ended with PostgreSQL 11, columns of type unknown with 9.6: "
     "the table cannot be made there.",
     "-- leave the table out (select.exclude), or change the column's type: ALTER TABLE %s ALTER "
     "COLUMN %s TYPE text (or timestamptz, interval, tstzrange);"},
    {"library", CODE_TYPE_LIBRARY, FINDING_ERROR, "has its functions in a C library of its own",
     "The library must be on the target's host, and only a superuser may create such functions; "
     "without them the schema cannot be restored.",
     "-- install the library on the target and create the type there as an extension, or change "
     "the type of %s column %s"},
    {"local", CODE_TYPE_LOCAL, FINDING_WARNING, "refers to what only this server has",
     "Numbers of objects and transactions, and positions in the WAL, mean something else on the "
     "target; names of objects must exist there when the rows arrive.",
     "-- keep a name instead (%s, column %s), or waive this where nobody reads the column any "
     "more"},
};

static const Matter *find_matter(const char *name)
{
    for (size_t i = 0; i < sizeof(matters) / sizeof(matters[0]); i++)
        if (text_equal(matters[i].name, name))
            return &matters[i];
    return NULL;
}

/* The remedies of the table have two places: table and column. */
static const char *fill_remedy(Check *check, const char *remedy, const Name *table,
                               const char *column)
{
    const char *first = strstr(remedy, "%s");
    const char *second = strstr(first + 2, "%s");
    return check_text(check, "%.*s%s%.*s%s%s", (int)(first - remedy), remedy,
                      check_sql(check, &check->source, table), (int)(second - first - 2), first + 2,
                      check_sql_part(check, &check->source, column), second + 2);
}

/* The leaves of a relation have its columns; they are told once. */
static bool is_told(Check *check, const CatRelation *relation)
{
    return relation->parent != 0 && check_selected(check, relation->parent) != NULL;
}

bool probe_types(Check *check, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(check->source.conn, SQL_PREFLIGHT_TYPES, NO_PARAMS, &rows, err))
        return err_context(err, "looking for columns that cannot travel");
    for (size_t r = 0; r < rows_count(rows); r++) {
        uint32_t oid = rows_oid(rows, r, 0);
        const CatRelation *relation = catalog_relation(check->source.catalog, oid);
        const Matter *matter = find_matter(rows_text(rows, r, 4));
        if (relation == NULL || matter == NULL || check_selected(check, oid) == NULL ||
            is_told(check, relation))
            continue;
        const char *type = rows_text(rows, r, 2);
        const char *cause = rows_text(rows, r, 3);
        const char *column = rows_text(rows, r, 1);
        const char *inside =
            text_equal(type, cause) ? "" : check_text(check, " (inside it %s)", cause);
        check_add(check, matter->code, matter->severity, &check->source,
                  check_name(check, &relation->name),
                  check_text(check, "column %s of type %s%s %s", check_part(check, column), type,
                             inside, matter->message),
                  matter->why, fill_remedy(check, matter->remedy, &relation->name, column));
    }
    return true;
}
