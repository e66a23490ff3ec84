/*
 * How both sides order text: what the source's indexes were built with, what the target will build
 * them with, and which of them it concerns.
 */
#include "preflight/check.h"

#include "sql_text.h"

#include <ctype.h>

#define DEFAULT_COLLATION 100u
#define HAS_DB_VERSION    150000

/* Columns of preflight_collated.sql. */
enum {
    COL_RELATION,
    COL_PLACE,
    COL_SCHEMA,
    COL_NAME,
    COL_COLUMN,
    COL_OID,
    COL_COLLATION_SCHEMA,
    COL_COLLATION,
    COL_PROVIDER,
    COL_LOCALE,
    COL_VERSION,
    COL_ACTUAL
};

typedef struct Locale {
    char provider;
    const char *collate;
    const char *ctype;
    const char *locale; /* of ICU or the built-in provider, NULL with libc */
    const char *made_with;
    const char *libc;
    const char *icu;
    const char *actual; /* NULL: not known */
} Locale;

static bool read_locale(Check *check, const Side *side, Locale *locale, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_ROWS Rows *version = NULL;
    if (!pg_one(side->conn, SQL_PREFLIGHT_LOCALE, NO_PARAMS, &rows, err))
        return false;
    locale->provider = rows_char(rows, 0, 0);
    locale->collate = arena_strdup(check->arena, rows_text(rows, 0, 1));
    locale->ctype = arena_strdup(check->arena, rows_text(rows, 0, 2));
    locale->locale = arena_strdup(check->arena, rows_text(rows, 0, 3));
    locale->made_with = arena_strdup(check->arena, rows_text(rows, 0, 4));
    locale->libc = arena_strdup(check->arena, rows_text(rows, 0, 5));
    locale->icu = arena_strdup(check->arena, rows_text(rows, 0, 6));
    if (side->catalog->server.version < HAS_DB_VERSION)
        return true;
    if (!pg_one(side->conn, SQL_PREFLIGHT_LOCALE_VERSION, NO_PARAMS, &version, err))
        return false;
    locale->actual = arena_strdup(check->arena, rows_text(version, 0, 0));
    return true;
}

static const char *provider_name(char provider)
{
    return provider == 'i' ? "icu" : provider == 'b' ? "builtin" : "libc";
}

static const char *locale_name(const Locale *locale)
{
    return locale->provider == 'c' || locale->locale == NULL ? locale->collate : locale->locale;
}

/* Byte order, or that of code points, which is the same in UTF-8. */
static bool is_bytewise(const Locale *locale)
{
    const char *name = locale_name(locale);
    return locale->provider != 'i' &&
           (text_equal(name, "C") || text_equal(name, "POSIX") || text_starts_with(name, "C."));
}

static const char *skip_marks(const char *at)
{
    return at + strspn(at, "-_");
}

/* "en_US.UTF-8" and "en_US.utf8" are one, and so are ICU's "en_US" and "en-US". */
static bool same_locale_name(const char *a, const char *b)
{
    for (a = skip_marks(a), b = skip_marks(b); *a != '\0' && *b != '\0';
         a = skip_marks(a + 1), b = skip_marks(b + 1)) {
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
    }
    return *a == *b;
}

/* The selected indexes and partition keys that a collation orders. */
static size_t list_places(Check *check, const Rows *rows, uint32_t collation, const char **list)
{
    NameList names = {0};
    for (size_t r = 0; r < rows_count(rows); r++) {
        const char *place = rows_text(rows, r, COL_PLACE);
        if (rows_oid(rows, r, COL_OID) != collation || text_equal(place, "column") ||
            check_selected(check, rows_oid(rows, r, COL_RELATION)) == NULL)
            continue;
        Name name = {rows_text(rows, r, COL_SCHEMA), rows_text(rows, r, COL_NAME)};
        names_add(&names, check_text(check, "%s %s", place, check_name(check, &name)));
    }
    size_t count = names.count;
    *list = names_text(check, &names);
    return count;
}

static void rebuild_statements(Check *check, const Rows *rows, uint32_t collation, Str *remedy)
{
    for (size_t r = 0; r < rows_count(rows); r++) {
        Name name = {rows_text(rows, r, COL_SCHEMA), rows_text(rows, r, COL_NAME)};
        if (rows_oid(rows, r, COL_OID) == collation &&
            text_equal(rows_text(rows, r, COL_PLACE), "index"))
            str_appendf(remedy, "REINDEX INDEX CONCURRENTLY %s;\n",
                        check_sql(check, &check->source, &name));
    }
}

static void found_old_version(Check *check, const Rows *rows, uint32_t collation,
                              const char *object, const char *made_with, const char *actual,
                              const char *refresh)
{
    const char *places = NULL;
    if (made_with == NULL || actual == NULL || text_equal(made_with, actual) ||
        list_places(check, rows, collation, &places) == 0)
        return;
    AUTO_STR Str remedy = {0};
    rebuild_statements(check, rows, collation, &remedy);
    str_append(&remedy, refresh);
    check_add(check, CODE_COLLATION_VERSION, FINDING_WARNING, &check->source, object,
              check_text(check, "was made with version %s, the server now has %s: %s", made_with,
                         actual, places),
              "These may be in the wrong order: look-ups miss rows, unique indexes hold "
              "duplicates, and building them on the target then fails.",
              str_dup(check->arena, &remedy));
}

static bool first_of_collation(const Rows *rows, size_t row)
{
    return row == 0 || rows_oid(rows, row - 1, COL_OID) != rows_oid(rows, row, COL_OID);
}

static void check_versions_of(Check *check, const Rows *rows, const Locale *here)
{
    for (size_t r = 0; r < rows_count(rows); r++) {
        uint32_t oid = rows_oid(rows, r, COL_OID);
        if (!first_of_collation(rows, r) || oid == DEFAULT_COLLATION)
            continue;
        Name name = {rows_text(rows, r, COL_COLLATION_SCHEMA), rows_text(rows, r, COL_COLLATION)};
        found_old_version(check, rows, oid, check_name(check, &name),
                          arena_strdup(check->arena, rows_text(rows, r, COL_VERSION)),
                          arena_strdup(check->arena, rows_text(rows, r, COL_ACTUAL)),
                          check_text(check, "ALTER COLLATION %s REFRESH VERSION;",
                                     check_sql(check, &check->source, &name)));
    }
    if (is_bytewise(here))
        return;
    const char *database = check->source.catalog->server.database;
    found_old_version(check, rows, DEFAULT_COLLATION, check_part(check, database), here->made_with,
                      here->actual,
                      check_text(check, "ALTER DATABASE %s REFRESH COLLATION VERSION;",
                                 check_sql_part(check, &check->source, database)));
}

static const char *create_database(Check *check, const Locale *source)
{
    if (source->provider == 'i')
        return check_text(check,
                          "-- CREATE DATABASE ... LOCALE_PROVIDER icu ICU_LOCALE '%s' LC_COLLATE "
                          "'%s' LC_CTYPE '%s' TEMPLATE template0; and use that as the target",
                          locale_name(source), source->collate, source->ctype);
    return check_text(check,
                      "-- CREATE DATABASE ... %sLC_COLLATE '%s' LC_CTYPE '%s' TEMPLATE template0; "
                      "and use that as the target",
                      source->provider == 'b' ? "LOCALE_PROVIDER builtin " : "", source->collate,
                      source->ctype);
}

static void check_default(Check *check, const Rows *rows, const Locale *source,
                          const Locale *target)
{
    bool bytewise = is_bytewise(source) && is_bytewise(target);
    if (bytewise || (source->provider == target->provider &&
                     same_locale_name(locale_name(source), locale_name(target))))
        return;
    const char *places = NULL;
    size_t count = list_places(check, rows, DEFAULT_COLLATION, &places);
    check_add(check, CODE_COLLATION_DEFAULT, count > 0 ? FINDING_WARNING : FINDING_INFO,
              &check->target, check_part(check, check->target.catalog->server.database),
              check_text(check, "orders text by %s (%s), the source by %s (%s)%s%s",
                         locale_name(target), provider_name(target->provider), locale_name(source),
                         provider_name(source->provider), count > 0 ? "; it concerns " : "",
                         places),
              "ORDER BY, comparisons and LIKE with an index answer differently after the switch, "
              "and ranges of partitions over text may hold other rows.",
              create_database(check, source));
}

static bool target_has(const Rows *collations, const char *name, char provider, const char *locale)
{
    for (size_t r = 0; r < rows_count(collations); r++) {
        const char *there = rows_text(collations, r, 2);
        if (name != NULL ? text_equal(rows_text(collations, r, 0), name)
                         : rows_char(collations, r, 1) == provider &&
                               (provider == 'i' || there == NULL || locale == NULL ||
                                same_locale_name(there, locale)))
            return true;
    }
    return false;
}

/* One of the system's by its name; one of the user's by what it is made of. */
static void check_there(Check *check, const Rows *rows, size_t row, const Rows *there)
{
    bool system = text_equal(rows_text(rows, row, COL_COLLATION_SCHEMA), "pg_catalog");
    char provider = rows_char(rows, row, COL_PROVIDER);
    const char *locale = rows_text(rows, row, COL_LOCALE);
    Name name = {rows_text(rows, row, COL_COLLATION_SCHEMA), rows_text(rows, row, COL_COLLATION)};
    if (target_has(there, system ? name.rel : NULL, provider, locale))
        return;
    Name place = {rows_text(rows, row, COL_SCHEMA), rows_text(rows, row, COL_NAME)};
    check_add(check, CODE_COLLATION_MISSING, system ? FINDING_ERROR : FINDING_WARNING,
              &check->target, check_name(check, &name),
              check_text(check, "%s %s, which %s %s of the source uses",
                         system ? "is not here: the locale" : "may not be makable here: the locale",
                         locale == NULL ? "(none)" : locale, rows_text(rows, row, COL_PLACE),
                         check_name(check, &place)),
              "Creating what uses it fails.",
              "SELECT pg_import_system_collations('pg_catalog');\n-- as a superuser, once the "
              "locale is on the target's host; a server that was built without ICU has none of it");
}

static bool check_names(Check *check, const Rows *rows, Err *err)
{
    AUTO_ROWS Rows *there = NULL;
    if (!pg_rows(check->target.conn, SQL_PREFLIGHT_COLLATIONS, NO_PARAMS, &there, err))
        return false;
    uint32_t told = DEFAULT_COLLATION;
    for (size_t r = 0; r < rows_count(rows); r++) {
        uint32_t oid = rows_oid(rows, r, COL_OID);
        if (oid == told || oid == DEFAULT_COLLATION ||
            check_selected(check, rows_oid(rows, r, COL_RELATION)) == NULL)
            continue;
        told = oid;
        check_there(check, rows, r, there);
    }
    return true;
}

static void check_library(Check *check, const Rows *rows, char provider, const char *source,
                          const char *target, const Locale *here)
{
    NameList names = {0};
    if (source == NULL || target == NULL || text_equal(source, target))
        return;
    for (size_t r = 0; r < rows_count(rows); r++) {
        bool is_default = rows_oid(rows, r, COL_OID) == DEFAULT_COLLATION;
        char by = is_default ? here->provider : rows_char(rows, r, COL_PROVIDER);
        if (by != provider || (is_default && is_bytewise(here)) ||
            text_equal(rows_text(rows, r, COL_PLACE), "column") ||
            check_selected(check, rows_oid(rows, r, COL_RELATION)) == NULL)
            continue;
        Name name = {rows_text(rows, r, COL_SCHEMA), rows_text(rows, r, COL_NAME)};
        names_add(&names, check_name(check, &name));
    }
    if (names.count == 0)
        return;
    check_add(check, CODE_COLLATION_LIBRARY, FINDING_INFO, &check->target,
              provider == 'i' ? "ICU" : "C library",
              check_text(check, "has version %s, the source %s; it concerns %s", target, source,
                         names_text(check, &names)),
              "The indexes are built anew here and are right; the order of some texts may differ "
              "from the source's.",
              "-- nothing to do, unless an application relies on the exact order");
}

bool probe_collations(Check *check, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    Locale source = {0};
    Locale target = {0};
    if (!read_locale(check, &check->source, &source, err) ||
        !read_locale(check, &check->target, &target, err) ||
        !pg_rows(check->source.conn, SQL_PREFLIGHT_COLLATED, NO_PARAMS, &rows, err) ||
        !check_names(check, rows, err))
        return err_context(err, "comparing how both servers order text");
    check_versions_of(check, rows, &source);
    check_default(check, rows, &source, &target);
    check_library(check, rows, 'i', source.icu, target.icu, &source);
    check_library(check, rows, 'c', source.libc, target.libc, &source);
    return true;
}
