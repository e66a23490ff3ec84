/*
 * Tools: asks each candidate for its version.
 */
#include "schema/tools.h"

#include "base/process.h"
#include "base/str.h"

#include <glob.h>
#include <unistd.h>

#define ASK_TIMEOUT_MS 10000

/* "pg_dump (PostgreSQL) 17.6 (Debian ...)": 17; 0 for anything else. */
static int ask_major(Arena *arena, const char *path)
{
    const char *const argv[] = {path, "--version", NULL};
    ProcessSpec spec = {.argv = argv, .timeout_ms = ASK_TIMEOUT_MS};
    ProcessResult result = {0};
    AUTO_ERR Err err = {0};
    if (access(path, X_OK) != 0 || !process_run(arena, &spec, NULL, &result, &err) ||
        result.exit_status != 0)
        return 0;
    const char *at = strstr(result.output, "(PostgreSQL) ");
    return at == NULL ? 0 : (int)strtol(at + strlen("(PostgreSQL) "), NULL, 10);
}

static bool is_better(int major, int best, int source_major, int target_major)
{
    if (major < source_major)
        return false;
    if (best == 0)
        return true;
    /* An archive of a tool newer than the target may set parameters that the target does not know.
     */
    bool fits = major <= target_major;
    bool best_fits = best <= target_major;
    return fits != best_fits ? fits : fits ? major > best : major < best;
}

static void consider(Arena *arena, const char *directory, int source_major, int target_major,
                     PgTools *tools)
{
    const char *pg_dump = arena_printf(arena, "%s/pg_dump", directory);
    const char *pg_restore = arena_printf(arena, "%s/pg_restore", directory);
    int major = ask_major(arena, pg_dump);
    if (major == 0 || ask_major(arena, pg_restore) != major ||
        !is_better(major, tools->major, source_major, target_major))
        return;
    *tools = (PgTools){.pg_dump = pg_dump, .pg_restore = pg_restore, .major = major};
}

static void consider_known_places(Arena *arena, int source_major, int target_major, PgTools *tools)
{
    glob_t found;
    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            consider(arena, found.gl_pathv[i], source_major, target_major, tools);
        globfree(&found);
    }
    char *save = NULL;
    char *path = arena_strdup(arena, getenv("PATH"));
    for (char *dir = path == NULL ? NULL : strtok_r(path, ":", &save); dir != NULL;
         dir = strtok_r(NULL, ":", &save))
        consider(arena, dir, source_major, target_major, tools);
}

bool tools_find(Arena *arena, const Plan *plan, int source_version, int target_version,
                PgTools *tools, Err *err)
{
    int source_major = source_version / 10000;
    int target_major = target_version / 10000;
    *tools = (PgTools){0};
    if (plan->pg_bin != NULL)
        consider(arena, plan->pg_bin, source_major, target_major, tools);
    else
        consider_known_places(arena, source_major, target_major, tools);
    if (tools->major != 0)
        return true;
    err_set(err, ERR_PREFLIGHT, "no pg_dump and pg_restore of version %d or newer were found%s%s",
            source_major, plan->pg_bin != NULL ? " in " : "",
            plan->pg_bin != NULL ? plan->pg_bin : "");
    return err_hint(err,
                    "Install postgresql-client-%d, or name the directory of both in tools.pg_bin.",
                    target_major);
}
