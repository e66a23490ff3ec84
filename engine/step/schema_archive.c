/*
 * Shared by schema_pre and schema_post: see the header.
 */
#include "step/schema_archive.h"

#include "journal/made.h"
#include "pg/query.h"
#include "schema/rename.h"
#include "schema/unpartition.h"

#define LOCK_TIMEOUT_MS 900 /* below the server's deadlock check, see ddl_step.h */
#define RETRY_MS        300

bool schema_sides_read(StepCtx *ctx, SchemaSides *sides, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    bool quiet = blueprint_keeps_quiet(blueprint);
    return schema_objects_read(ctx->arena, ctx->source, blueprint, quiet, &sides->source, err) &&
           schema_objects_read(ctx->arena, ctx->target, NULL, quiet, &sides->target, err);
}

const SchemaObject *schema_twin(const SchemaSides *sides, const SchemaObject *object)
{
    return schema_object_named(&sides->target, object->kind, object->key);
}

const char SCHEMA_MARKED_KINDS[] = {OBJECT_TABLE,    OBJECT_SEQUENCE,  OBJECT_VIEW,
                                    OBJECT_MATVIEW,  OBJECT_COMPOSITE, OBJECT_TYPE,
                                    OBJECT_FUNCTION, OBJECT_OTHER,     '\0'};

/* What stands now and did not before is this run's: it is marked in the transaction that made it.
 */
static bool mark_made(StepCtx *ctx, const SchemaObjects *before, Err *err)
{
    AUTO_STR Str classes = {0};
    AUTO_STR Str oids = {0};
    SchemaObjects now = {0};
    if (!schema_objects_read(ctx->arena, ctx->target, NULL, false, &now, err))
        return false;
    str_append_char(&classes, '{');
    str_append_char(&oids, '{');
    for (size_t i = 0; i < now.count; i++) {
        const SchemaObject *object = &now.items[i];
        if (strchr(SCHEMA_MARKED_KINDS, (char)object->kind) == NULL ||
            schema_object(before, object->class_oid, object->oid) != NULL)
            continue;
        const char *comma = classes.length > 1 ? "," : "";
        str_appendf(&classes, "%s%u", comma, object->class_oid);
        str_appendf(&oids, "%s%u", comma, object->oid);
    }
    str_append_char(&classes, '}');
    str_append_char(&oids, '}');
    return journal_made_add(ctx->target, ctx->run->plan->name, ctx->run->journal.mark, classes.data,
                            oids.data, err);
}

bool schema_marked(StepCtx *ctx, const SchemaObjects *target, bool earlier,
                   const SchemaObject ***marked, size_t *count, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *count = 0;
    if (!journal_made(ctx->target, ctx->run->plan->name, &rows, err))
        return false;
    if (rows == NULL)
        return true;
    *marked = arena_array(ctx->arena, const SchemaObject *, rows_count(rows) + 1);
    for (size_t r = 0; r < rows_count(rows); r++) {
        const SchemaObject *object =
            schema_object(target, rows_oid(rows, r, 0), rows_oid(rows, r, 1));
        if (object != NULL &&
            (!earlier || strcmp(rows_text(rows, r, 2), ctx->run->journal.mark) != 0))
            (*marked)[(*count)++] = object;
    }
    return true;
}

/* A server that is killed or an engine that dies before the COMMIT leaves nothing behind. */
static bool restore_once(StepCtx *ctx, const char *script, const SchemaObjects *before, Err *err)
{
    Renaming renaming = {
        .arena = ctx->arena, .conn = ctx->target, .blueprint = ctx->run->blueprint};
    const char *limit = arena_printf(ctx->arena, "SET LOCAL lock_timeout = %d", LOCK_TIMEOUT_MS);
    if (pg_begin(ctx->target, "READ WRITE", err) && pg_none(ctx->target, limit, NO_PARAMS, err) &&
        renaming_begin(&renaming, err) && archive_run(ctx->target, script, err) &&
        renaming_end(&renaming, err) && mark_made(ctx, before, err) && pg_commit(ctx->target, err))
        return true;
    pg_rollback(ctx->target);
    return false;
}

static bool restore_script(StepCtx *ctx, const char *script, const SchemaObjects *before, Err *err)
{
    for (;;) {
        AUTO_ERR Err failed = {0};
        if (restore_once(ctx, script, before, &failed))
            return true;
        if (strcmp(failed.sqlstate, "55P03") != 0 && strcmp(failed.sqlstate, "40P01") != 0)
            return err_move(err, &failed);
        log_warn(&ctx->log, "could not lock a table, trying again: %s", failed.message);
        if (!stop_sleep(ctx->run->stop, RETRY_MS))
            return stop_error(ctx->run->stop, err);
    }
}

bool schema_restore(StepCtx *ctx, const SchemaSides *sides, TocFate fate, TocWanted *wanted,
                    void *data, const char *after, Err *err)
{
    const ArchiveTools tools = {
        .pg_dump = ctx->run->pg_dump,
        .pg_restore = ctx->run->pg_restore,
        .source = &ctx->run->source,
        .stop = ctx->run->stop,
        .log = &ctx->log,
    };
    AUTO_ARCHIVE Archive archive = {0};
    const char *script = NULL;
    if (!archive_make(&archive, &tools, ctx->run->blueprint, &sides->source, err))
        return false;
    if (fate == TOC_PRE)
        archive_log(&archive);
    return archive_script(&archive, fate, wanted, data, &script, err) &&
           restore_script(ctx,
                          arena_printf(ctx->arena, "%s\n%s",
                                       unpartition(ctx->arena, ctx->run->blueprint, script), after),
                          &sides->target, err);
}

/* A name may hold a newline, which would end the comment. */
static void add_object(Str *text, const SchemaObject *object)
{
    str_append(text, "\n--   ");
    str_append(text, object->kind == OBJECT_ROW_SECURITY ? "row security of " : "");
    for (const char *c = object->key; *c != '\0'; c++)
        str_append_char(text, *c == '\n' || *c == '\r' ? ' ' : *c);
}

void schema_describe(StepCtx *ctx, const SchemaSides *sides, const char *kinds, const char *section,
                     Description *description)
{
    description_add(ctx->arena, description, CONN_SOURCE,
                    "-- pg_dump --format=custom --schema-only --encoding=UTF8");
    AUTO_STR Str text = {0};
    str_appendf(&text,
                "-- pg_restore --use-list (selected entries, %s) --no-owner --no-privileges\n"
                "-- --no-publications --no-subscriptions --no-security-labels --no-tablespaces\n"
                "-- --no-table-access-method, run in one transaction:",
                section);
    for (size_t i = 0; i < sides->source.count; i++) {
        const SchemaObject *object = &sides->source.items[i];
        if (strchr(kinds, (char)object->kind) != NULL && !object->late &&
            schema_object_kept(ctx->run->blueprint, object))
            add_object(&text, object);
    }
    description_add(ctx->arena, description, CONN_TARGET, str_text(&text));
}
