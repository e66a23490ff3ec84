/*
 * Load: reads the file and runs the layers over it, one after the other.
 */
#include "plan/layers.h"

#include "base/digest.h"
#include "base/str.h"
#include "plan/secret.h"

/* A text with a password in it that the mask may not know for one: escapes, encoded keys. Such a
 * text is shown not at all. */
static void mask_secrets(Plan *plan, char *text, const Report *report)
{
    for (size_t i = 0; i < report->secrets.count; i++) {
        const Node *node = report->secrets.items[i];
        for (uint32_t number = node->pos.line; number <= node->end.line; number++) {
            size_t bytes = 0;
            const char *line = text_line(text, plan->text_bytes, number, &bytes);
            size_t from = line == NULL ? 0 : (size_t)(line - text);
            bool plain = line != NULL && node->end.line == node->pos.line &&
                         memchr(line, '\\', bytes) == NULL && memchr(line, '%', bytes) == NULL;
            if (line != NULL && !plain)
                secret_hide(text + from, bytes);
        }
    }
}

/* Also forgets a byte order mark; keeps a copy without secrets for snippets. */
static char *keep_text(Plan *plan, const char **text, size_t *bytes)
{
    if (*bytes >= 3 && memcmp(*text, "\xEF\xBB\xBF", 3) == 0) {
        *text += 3;
        *bytes -= 3;
    }
    char *copy = arena_memdup(&plan->arena, *text, *bytes);
    secret_mask(copy, *bytes);
    plan->text = copy;
    plan->text_bytes = *bytes;
    return copy;
}

const char *plan_file_path(Arena *arena, const Plan *plan, const char *path)
{
    if (path == NULL || *path == '/')
        return path;
    return arena_printf(arena, "%s/%s", plan->directory, path);
}

/* Done after the fingerprint, which must not depend on where the plan lies. */
static const char *resolve(Plan *plan, const char *path)
{
    return plan_file_path(&plan->arena, plan, path);
}

static const char *file_digest(Arena *arena, const Plan *plan, const char *path)
{
    const char *where = plan_file_path(arena, plan, path);
    FILE *file = plan_file_fault(where) == NULL ? fopen(where, "rbe") : NULL;
    const char *hash = file == NULL ? NULL : digest_file_hex(arena, file);
    if (file != NULL)
        fclose(file);
    return hash == NULL ? "absent" : hash;
}

const char *plan_changed_file(const Plan *plan)
{
    for (size_t i = 0; i < plan->files.count; i++) {
        AUTO_ARENA Arena arena = {0};
        const PlanNamedFile *file = &plan->files.items[i];
        if (!text_equal(file_digest(&arena, plan, file->path), file->digest))
            return file->path;
    }
    return NULL;
}

/* What is run is reviewed too: the hash of a file that the plan names goes into the fingerprint. */
static void add_file(Str *hashed, Plan *plan, const char *path)
{
    const char *digest = file_digest(&plan->arena, plan, path);
    str_appendf(hashed, "\n%s %s", path, digest);
    *vec_push(&plan->arena, &plan->files) = (PlanNamedFile){.path = path, .digest = digest};
}

static void add_command(Str *hashed, Plan *plan, const PlanCommand *command)
{
    if (command->argc > 0 && strchr(command->argv[0], '/') != NULL)
        add_file(hashed, plan, command->argv[0]);
}

static void add_steps(Str *hashed, Plan *plan, const PlanSteps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        if (steps->items[i].sql_file != NULL)
            add_file(hashed, plan, steps->items[i].sql_file);
        add_command(hashed, plan, &steps->items[i].command);
    }
}

static void make_fingerprint(Plan *plan)
{
    AUTO_STR Str hashed = {0};
    const PlanCutover *cutover = &plan->cutover;
    plan->canonical = plan_canonical(&plan->arena, plan);
    str_appendf(&hashed, "godwit plan language 1\n%s", plan->canonical);
    add_steps(&hashed, plan, &plan->steps);
    add_steps(&hashed, plan, &cutover->before_fence);
    add_steps(&hashed, plan, &cutover->after_drain);
    add_steps(&hashed, plan, &cutover->on_switch);
    add_steps(&hashed, plan, &cutover->on_rollback);
    add_command(&hashed, plan, &cutover->run);
    add_command(&hashed, plan, &cutover->undo);
    add_command(&hashed, plan, &plan->notify);
    plan->fingerprint = digest_hex(&plan->arena, hashed.data, hashed.length);
}

static bool bind_and_check(Plan *plan, Report *report, const Node *root, Err *err)
{
    BoundPlan *bound = NULL;
    if (!plan_bind(root, &bound, err))
        return false;
    plan_fill(plan, bound, root);
    plan_unbind(bound);
    plan_check(report, plan, root);
    make_fingerprint(plan);
    plan->pg_bin = resolve(plan, plan->pg_bin);
    plan->source.passfile = resolve(plan, plan->source.passfile);
    plan->target.passfile = resolve(plan, plan->target.passfile);
    plan->replication.spool_directory = resolve(plan, plan->replication.spool_directory);
    return true;
}

static const char *directory_of(Arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return ".";
    return slash == path ? "/" : arena_memdup(arena, path, (size_t)(slash - path));
}

static bool refuse(const Plan *plan, const Report *report, Err *err)
{
    return err_set(err, ERR_PLAN, "the plan \"%s\" has %zu error%s", plan->path, report->errors,
                   report->errors == 1 ? "" : "s");
}

bool plan_load_text(Plan *plan, const char *text, size_t bytes, PlanFindings *findings, Err *err)
{
    char *shown = keep_text(plan, &text, &bytes);
    Report report = {.arena = &plan->arena};
    const Node *root = plan_locate(&report, text, bytes);
    if (root != NULL)
        plan_walk(&report, root, text, bytes);
    mask_secrets(plan, shown, &report);
    bool ok = report.errors > report.later || bind_and_check(plan, &report, root, err);
    report_finish(&report, findings);
    return ok && (report.errors == 0 || refuse(plan, &report, err));
}

static void stand_at(Plan *plan, const char *path, PlanFindings *findings)
{
    *findings = (PlanFindings){0};
    plan->path = arena_strdup(&plan->arena, path);
    plan->directory = directory_of(&plan->arena, path);
    plan->text = "";
}

bool plan_load_from(Plan *plan, const char *path, const char *text, PlanFindings *findings,
                    Err *err)
{
    stand_at(plan, path, findings);
    return plan_load_text(plan, text, strlen(text), findings, err);
}

bool plan_load(Plan *plan, const char *path, PlanFindings *findings, Err *err)
{
    AUTO_STR Str file = {0};
    stand_at(plan, path, findings);
    Report report = {.arena = &plan->arena};
    if (plan_read(&report, path, &file))
        return plan_load_text(plan, str_text(&file), file.length, findings, err);
    report_finish(&report, findings);
    return refuse(plan, &report, err);
}

void plan_release(Plan *plan)
{
    for (size_t i = 0; i < plan->compiled.count; i++)
        selector_release(&plan->compiled.items[i]);
    arena_release(&plan->arena);
    *plan = (Plan){0};
}
