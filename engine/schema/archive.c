/*
 * Archive: pg_dump into a private file, pg_restore from it as SQL text.
 */
#include "schema/archive.h"

#include "base/process.h"
#include "pg/query.h"
#include "schema/attver.h"
#include "schema/script.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define LOCK_WAIT_MS "60000" /* for pg_dump's ACCESS SHARE locks */

/* --- tools --- */

/* The reason is in the first line that says so; the rest is detail. */
static bool tool_error(const char *tool, const ProcessResult *result, Err *err)
{
    const char *reason = strstr(result->errors, "error: ");
    reason = reason == NULL ? result->errors : reason + strlen("error: ");
    int length = (int)strcspn(reason, "\n");
    err_set(err, ERR_TOOL, "%s failed with status %d: %.*s", tool, result->exit_status, length,
            reason);
    return err_detail(err, "It said: %s", result->errors);
}

static bool run_tool(Archive *archive, const char *name, const ProcessSpec *spec,
                     ProcessResult *result, Err *err)
{
    if (!process_run(&archive->arena, spec, archive->tools.stop, result, err))
        return false;
    return result->exit_status == 0 || tool_error(name, result, err);
}

/* The file has no name from the beginning, so that an engine that is killed leaves none behind; the
 * tools open it through our descriptor. */
static bool make_file(Archive *archive, Err *err)
{
    const char *directory = getenv("TMPDIR");
    char *path = arena_printf(&archive->arena, "%s/godwit_schema_XXXXXX",
                              directory != NULL && *directory != '\0' ? directory : "/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_IO, "could not create a file like \"%s\": %s", path,
                       strerror(errno));
    unlink(path);
    archive->fd = fd;
    archive->path = arena_printf(&archive->arena, "/proc/%d/fd/%d", (int)getpid(), fd);
    return true;
}

/* Schemas without a selected object are not dumped at all: their tables are then not locked, and
 * need not be readable. */
typedef VEC(const char *) TextVec;

static const char *pattern_of(Arena *arena, const char *schema)
{
    AUTO_STR Str text = {0};
    str_append(&text, "--exclude-schema=\"");
    for (const char *c = schema; *c != '\0'; c++) {
        if (*c == '"')
            str_append_char(&text, '"');
        str_append_char(&text, *c);
    }
    str_append_char(&text, '"');
    return str_dup(arena, &text);
}

static bool holds_selected(const Blueprint *blueprint, const char *schema)
{
    for (size_t i = 0; i < blueprint->schema_count; i++) {
        if (strcmp(blueprint->schemas[i], schema) == 0)
            return true;
    }
    const Catalog *source = blueprint->source;
    for (size_t i = 0; i < source->objects_count; i++) {
        const CatObject *object = &source->objects[i];
        if (text_equal(object->schema, schema) &&
            blueprint_keeps_object(blueprint, object->class_oid, object->oid))
            return true;
    }
    return false;
}

static bool contains(const TextVec *texts, const char *text)
{
    for (size_t i = texts->count; i > 0; i--) {
        if (strcmp(texts->items[i - 1], text) == 0)
            return true;
    }
    return false;
}

static void exclude_schemas(Arena *arena, const Blueprint *blueprint, TextVec *argv)
{
    const Catalog *source = blueprint->source;
    TextVec seen = {0};
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *relation = &source->relations[i];
        if (relation->of_extension || contains(&seen, relation->name.schema))
            continue;
        *vec_push(arena, &seen) = relation->name.schema;
        if (!holds_selected(blueprint, relation->name.schema))
            *vec_push(arena, argv) = pattern_of(arena, relation->name.schema);
    }
}

static bool dump(Archive *archive, const Blueprint *blueprint, Err *err)
{
    Arena *arena = &archive->arena;
    const char *const fixed[] = {archive->tools.pg_dump, "--format=custom", "--schema-only",
                                 "--encoding=UTF8", "--no-password",
                                 /* Both are left out anyway, and providers hide pg_subscription:
                                  * asking for it would fail. */
                                 "--no-publications", "--no-subscriptions",
                                 "--lock-wait-timeout=" LOCK_WAIT_MS,
                                 arena_printf(arena, "--file=%s", archive->path)};
    TextVec argv = {0};
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        *vec_push(arena, &argv) = fixed[i];
    exclude_schemas(arena, blueprint, &argv);
    *vec_push(arena, &argv) = NULL;
    int passfile = -1;
    const char *const *env = endpoint_tool_env(arena, archive->tools.source, &passfile, err);
    const ProcessSpec spec = {.argv = argv.items, .env = env, .timeout_ms = -1};
    ProcessResult result;
    bool done = env != NULL && run_tool(archive, "pg_dump", &spec, &result, err);
    if (passfile >= 0)
        close(passfile);
    return done;
}

/* --- the list --- */

static bool list(Archive *archive, const char *option, const char **text, Err *err)
{
    const char *const argv[] = {archive->tools.pg_restore, "--list", option, archive->path, NULL};
    const ProcessSpec spec = {.argv = argv, .env = tool_env(&archive->arena), .timeout_ms = -1};
    ProcessResult result;
    if (!run_tool(archive, "pg_restore", &spec, &result, err))
        return false;
    *text = result.output;
    return true;
}

typedef struct Judging {
    const Blueprint *blueprint;
    const SchemaObjects *objects;
} Judging;

static bool judge_keeps(void *data, uint32_t class_oid, uint32_t oid)
{
    const Judging *judging = data;
    return blueprint_keeps_object(judging->blueprint, class_oid, oid);
}

static bool judge_late(void *data, uint32_t class_oid, uint32_t oid)
{
    const Judging *judging = data;
    const SchemaObject *object = schema_object(judging->objects, class_oid, oid);
    return object != NULL && object->late;
}

bool archive_make(Archive *archive, const ArchiveTools *tools, const Blueprint *blueprint,
                  const SchemaObjects *objects, Err *err)
{
    archive->tools = *tools;
    archive->comments = blueprint->plan->schema.comments;
    const char *all = NULL;
    const char *post = NULL;
    if (!make_file(archive, err) || !dump(archive, blueprint, err) ||
        !list(archive, "--verbose", &all, err) ||
        !list(archive, "--section=post-data", &post, err) ||
        !toc_read(&archive->arena, all, post, &archive->toc, err))
        return err_context(err, "could not archive the schema of the source");
    Judging judging = {.blueprint = blueprint, .objects = objects};
    const TocJudge judge = {.data = &judging, .keeps = judge_keeps, .late = judge_late};
    toc_decide(&archive->toc, &judge);
    return true;
}

void archive_release(Archive *archive)
{
    if (archive->path != NULL)
        close(archive->fd);
    arena_release(&archive->arena);
    *archive = (Archive){0};
}

void archive_log(const Archive *archive)
{
    static const struct {
        TocFate fate;
        const char *text;
    } PARTS[] = {
        {TOC_PRE, "restored before the rows"},
        {TOC_POST, "restored after the rows"},
        {TOC_LATE, "made after the drain"},
        {TOC_OURS, "made by steps of their own"},
        {TOC_LEFT_OUT, "left out"},
        {TOC_UNSELECTED, "not selected"},
    };
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < sizeof(PARTS) / sizeof(PARTS[0]); i++) {
        const char *summary = toc_summary(&arena, &archive->toc, PARTS[i].fate);
        if (*summary != '\0')
            log_info(archive->tools.log, "schema archive, %s: %s", PARTS[i].text, summary);
    }
}

/* --- the SQL --- */

bool archive_script(Archive *archive, TocFate fate, TocWanted *wanted, void *data,
                    const char **script, Err *err)
{
    AUTO_STR Str chosen = {0};
    toc_use_list(&chosen, &archive->toc, fate, wanted, data);
    const char *const argv[] = {archive->tools.pg_restore,
                                "--file=-",
                                "--use-list=/dev/stdin",
                                "--no-owner",
                                "--no-privileges",
                                "--no-publications",
                                "--no-subscriptions",
                                "--no-security-labels",
                                "--no-tablespaces",
                                "--no-table-access-method",
                                archive->path,
                                archive->comments ? NULL : "--no-comments",
                                NULL};
    const ProcessSpec spec = {
        .argv = argv,
        .env = tool_env(&archive->arena),
        .input = str_text(&chosen),
        .input_bytes = chosen.length,
        .timeout_ms = -1,
    };
    ProcessResult result;
    if (!run_tool(archive, "pg_restore", &spec, &result, err))
        return false;
    char *text = arena_memdup(&archive->arena, result.output, result.output_bytes);
    if (!script_trim(text, script, err))
        return false;
    *script = attver_drop(&archive->arena, *script);
    return true;
}

bool archive_run(Conn *target, const char *script, Err *err)
{
    static const char SETTINGS[] = "SET LOCAL search_path = '';"
                                   "SET LOCAL check_function_bodies = off;"
                                   "SET LOCAL standard_conforming_strings = on;"
                                   "SET LOCAL default_tablespace = '';"
                                   "SET LOCAL client_min_messages = warning;";
    static const char RESETS[] = "RESET default_tablespace; RESET default_table_access_method;"
                                 "SET LOCAL search_path = pg_catalog;";
    return pg_script(target, SETTINGS, err) && pg_script(target, script, err) &&
           pg_script(target, RESETS, err);
}
