/*
 * Looks through the places where PostgreSQL's client programs live and asks each pg_dump for its
 * version.
 */
#include "schema/tools.h"

#include "base/process.h"
#include "base/str.h"
#include "pg/conn.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBIAN_DIRECTORY   "/usr/lib/postgresql"
#define VERSION_TIMEOUT_MS 10000

typedef struct Search {
    Arena *arena;
    int source_major;
    int target_major;
    PgTools best;  /* version 0: none yet */
    Str found_old; /* what was found but is too old */
} Search;

/* "pg_dump (PostgreSQL) 17.5 (Debian ...)" gives 17; 0 when it is no such line. */
static int parse_version(const char *output)
{
    const char *mark = strstr(output, "(PostgreSQL) ");
    return mark == NULL ? 0 : (int)strtol(mark + strlen("(PostgreSQL) "), NULL, 10);
}

static int ask_version(Arena *arena, const char *program)
{
    AUTO_ERR Err ignored = {0};
    const char *const argv[] = {program, "--version", NULL};
    ProcessSpec spec = {.argv = argv, .env = tool_env(arena), .timeout_ms = VERSION_TIMEOUT_MS};
    ProcessResult result = {0};
    if (!process_run(arena, &spec, NULL, &result, &ignored) || result.exit_status != 0)
        return 0;
    return parse_version(result.output);
}

static bool is_better(const Search *search, int version)
{
    int best = search->best.version;
    if (best == 0)
        return true;
    bool fits = version <= search->target_major;
    bool best_fits = best <= search->target_major;
    if (fits != best_fits)
        return fits;
    return fits ? version > best : version < best;
}

static void try_directory(Search *search, const char *directory)
{
    const char *dump = arena_printf(search->arena, "%s/pg_dump", directory);
    const char *restore = arena_printf(search->arena, "%s/pg_restore", directory);
    if (access(dump, X_OK) != 0 || access(restore, X_OK) != 0)
        return;
    int version = ask_version(search->arena, dump);
    if (version == 0)
        return;
    if (version < search->source_major)
        str_appendf(&search->found_old, "%s%s is of version %d",
                    search->found_old.length > 0 ? ", " : "", dump, version);
    else if (is_better(search, version))
        search->best = (PgTools){dump, restore, version};
}

static void try_debian(Search *search)
{
    DIR *directory = opendir(DEBIAN_DIRECTORY);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
            try_directory(search,
                          arena_printf(search->arena, DEBIAN_DIRECTORY "/%s/bin", entry->d_name));
    closedir(directory);
}

static void try_path(Search *search)
{
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        size_t length = strcspn(path, ":");
        if (length > 0)
            try_directory(search, arena_memdup(search->arena, path, length));
        path += length + (path[length] == ':');
    }
}

bool tools_find(Arena *arena, const Plan *plan, int source_version, int target_version,
                PgTools *tools, Err *err)
{
    Search search = {
        .arena = arena,
        .source_major = source_version / 10000,
        .target_major = target_version / 10000,
    };
    if (plan->pg_bin != NULL) {
        try_directory(&search, plan->pg_bin);
    } else {
        try_debian(&search);
        try_path(&search);
    }
    const char *too_old = str_dup(arena, &search.found_old);
    str_release(&search.found_old);
    if (search.best.version != 0) {
        *tools = search.best;
        return true;
    }
    const char *where = plan->pg_bin != NULL ? plan->pg_bin : DEBIAN_DIRECTORY " and PATH";
    err_set(err, ERR_TOOL, "no pg_dump and pg_restore of version %d or later in %s",
            search.source_major, where);
    if (*too_old != '\0')
        err_detail(err, "%s.", too_old);
    return err_hint(err, "Install postgresql-client-%d, or set tools.pg_bin in the plan.",
                    search.source_major > search.target_major ? search.source_major
                                                              : search.target_major);
}
