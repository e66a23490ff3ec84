/*
 * Checks of the extensions that selected objects need: offered, in which version, by whom made.
 */
#include "preflight/check.h"

#include "sql_text.h"

#include <stdlib.h>
#include <string.h>

/* Compares "1.10" and "1.9" by their numbers. */
static int compare_versions(const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        char *next_a = NULL;
        char *next_b = NULL;
        unsigned long left = strtoul(a, &next_a, 10);
        unsigned long right = strtoul(b, &next_b, 10);
        if (left != right)
            return left < right ? -1 : 1;
        if (next_a == a && next_b == b)
            return 0; /* no numbers any more: tell nothing */
        a = *next_a == '.' ? next_a + 1 : next_a;
        b = *next_b == '.' ? next_b + 1 : next_b;
    }
    return 0;
}

/* Columns of schema_extensions.sql. */
enum { OFFER_NAME, OFFER_CREATED, OFFER_REQUIRES, OFFER_VERSIONS };

static bool offers_version(Check *check, const Rows *offers, const ExtensionDef *extension)
{
    for (size_t r = 0; r < rows_count(offers); r++) {
        const char **versions = NULL;
        if (strcmp(rows_text(offers, r, OFFER_NAME), extension->name) != 0)
            continue;
        size_t count = rows_list(check->arena, offers, r, OFFER_VERSIONS, &versions);
        for (size_t v = 0; v < count; v++)
            if (strcmp(versions[v], extension->version) == 0)
                return true;
    }
    return false;
}

static void check_version(Check *check, const ExtensionDef *extension, const char *version,
                          bool there)
{
    const Side *target = &check->target;
    const char *name = check_part(check, extension->name);
    int order = compare_versions(version, extension->version);
    if (order < 0)
        check_add(check, CODE_EXTENSION_VERSION, FINDING_WARNING, target, name,
                  check_text(check, "is of version %s here, %s on the source", version,
                             extension->version),
                  "What the newer version brought may be missing.",
                  there ? check_text(check, "ALTER EXTENSION %s UPDATE;",
                                     check_sql_part(check, target, extension->name))
                        : check_remedy(check, target, TOPIC_EXTENSION, name, NULL));
    else if (order > 0 && !there && check->plan->extensions.same_version)
        check_add(check, CODE_EXTENSION_VERSION, FINDING_INFO, target, name,
                  check_text(check, "version %s is not offered here: %s is created",
                             extension->version, version),
                  "extensions.version is same; the target's default stands in.",
                  "-- nothing, if the newer version is good enough");
}

static void check_extension(Check *check, const ExtensionDef *extension, const Rows *offers)
{
    const Side *target = &check->target;
    const CatExtension *there = catalog_extension(target->catalog, extension->name);
    const CatAvailable *offered = catalog_available(target->catalog, extension->name);
    const char *name = check_part(check, extension->name);
    if (there == NULL && offered == NULL) {
        check_add(check, CODE_EXTENSION, FINDING_ERROR, target, name, "is not offered here",
                  "Selected objects need it.",
                  check_remedy(check, target, TOPIC_EXTENSION, name, NULL));
        return;
    }
    if (there == NULL && !check->plan->extensions.create_missing) {
        check_add(check, CODE_EXTENSION, FINDING_ERROR, target, name,
                  "is not there, and extensions.create is none", "Selected objects need it.",
                  check_text(check, "CREATE EXTENSION %s SCHEMA %s;",
                             check_sql_part(check, target, extension->name),
                             check_sql_part(check, target, extension->schema)));
        return;
    }
    bool same = there == NULL && check->plan->extensions.same_version &&
                offers_version(check, offers, extension);
    if (!same)
        check_version(check, extension, there != NULL ? there->version : offered->default_version,
                      there != NULL);
}

bool probe_versions(Check *check, Err *err)
{
    AUTO_ROWS Rows *offers = NULL;
    if (!pg_rows(check->target.conn, SQL_SCHEMA_EXTENSIONS, NO_PARAMS, &offers, err))
        return err_context(err, "reading which extensions the target offers");
    for (size_t i = 0; i < check->blueprint->extension_count; i++)
        check_extension(check, &check->blueprint->extensions[i], offers);
    const CatSetting *restoring = catalog_setting(check->target.catalog, "timescaledb.restoring");
    if (restoring != NULL && strcmp(restoring->value, "on") == 0)
        check_add(check, CODE_RESTORING, FINDING_ERROR, &check->target, "timescaledb.restoring",
                  "is on",
                  "A restore was left half way: jobs are stopped and hypertables do not "
                  "work as such.",
                  "SELECT timescaledb_post_restore();");
    return true;
}
