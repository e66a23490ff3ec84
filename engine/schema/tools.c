/*
 * Looks through the places where PostgreSQL's client programs live and asks each pg_dump for its
 * version.
 */
#include "schema/tools.h"

#include "base/process.h"
#include "base/str.h"
#include "pg/conn.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBIAN_DIRECTORY   "/usr/lib/postgresql"
#define VERSION_TIMEOUT_MS 10000

typedef struct Search {
    Arena *arena;
    int source_major;
    int target_major;
    PgTools best; /* version 0: none yet */
    Str unfit;    /* what was found but is too old, or does not answer */
} Search;

/* "pg_dump (PostgreSQL) 17.5 (Debian ...)" gives 17 and 5, "... 19beta2" 19 and 0; 0 when it is no
 * such line. */
static void parse_version(const char *output, PgTools *tools)
{
    const char *mark = strstr(output, "(PostgreSQL) ");
    char *end = NULL;
    if (mark == NULL)
        return;
    tools->version = (int)strtol(mark + strlen("(PostgreSQL) "), &end, 10);
    tools->minor = *end == '.' ? (int)strtol(end + 1, NULL, 10) : 0;
}

/* A pg_dump that cannot be asked is none; what kept it from answering is told when there is no
 * other. */
static void ask_version(Search *search, PgTools *tools)
{
    AUTO_ERR Err err = {0};
    const char *const argv[] = {tools->pg_dump, "--version", NULL};
    ProcessSpec spec = {
        .argv = argv, .env = tool_env(search->arena), .timeout_ms = VERSION_TIMEOUT_MS};
    ProcessResult result = {0};
    if (!process_run(search->arena, &spec, NULL, &result, &err))
        str_appendf(&search->unfit, "%s%s cannot be asked: %s",
                    search->unfit.length > 0 ? ", " : "", tools->pg_dump, err.message);
    else if (result.exit_status == 0)
        parse_version(result.output, tools);
}

bool tools_is_better(const PgTools *one, const PgTools *best, int target_major)
{
    if (best->version == 0)
        return true;
    bool fits = one->version <= target_major;
    bool best_fits = best->version <= target_major;
    if (fits != best_fits)
        return fits;
    if (one->version == best->version)
        return one->minor > best->minor;
    return fits == (one->version > best->version);
}

static void try_directory(Search *search, const char *directory)
{
    const char *dump = arena_printf(search->arena, "%s/pg_dump", directory);
    const char *restore = arena_printf(search->arena, "%s/pg_restore", directory);
    if (access(dump, X_OK) != 0 || access(restore, X_OK) != 0)
        return;
    PgTools found = {.pg_dump = dump, .pg_restore = restore};
    ask_version(search, &found);
    if (found.version == 0)
        return;
    if (found.version < search->source_major)
        str_appendf(&search->unfit, "%s%s is of version %d", search->unfit.length > 0 ? ", " : "",
                    dump, found.version);
    else if (tools_is_better(&found, &search->best, search->target_major))
        search->best = found;
}

static void try_debian(Search *search)
{
    DIR *directory = opendir(DEBIAN_DIRECTORY);
    if (directory == NULL) {
        if (errno != ENOENT)
            str_appendf(&search->unfit, "%s cannot be read: %s", DEBIAN_DIRECTORY, strerror(errno));
        return;
    }
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
    const char *unfit = str_dup(arena, &search.unfit);
    str_release(&search.unfit);
    if (search.best.version != 0) {
        *tools = search.best;
        return true;
    }
    const char *where = plan->pg_bin != NULL ? plan->pg_bin : DEBIAN_DIRECTORY " and PATH";
    err_set(err, ERR_TOOL, "no pg_dump and pg_restore of version %d or later in %s",
            search.source_major, where);
    if (*unfit != '\0')
        err_detail(err, "%s.", unfit);
    return err_hint(err, "Install postgresql-client-%d, or set tools.pg_bin in the plan.",
                    search.source_major > search.target_major ? search.source_major
                                                              : search.target_major);
}
