/*
 * Set: loading, and what only shows when plans stand side by side.
 */
#include "plan/set.h"

#include "base/str.h"
#include "plan/layers.h"

#include <sys/stat.h>

typedef struct NamePlace {
    const char *text; /* NULL: the plan gives none */
    PlanPos pos;
    uint32_t span;
} NamePlace;

static bool load(PlanFile *file, Err *err)
{
    const char *path = file->file != NULL ? file->file : file->path;
    bool ok = file->text == NULL
                  ? plan_load(&file->plan, path, &file->findings, err)
                  : plan_load_from(&file->plan, path, file->text, &file->findings, err);
    file->plan.path = file->path;
    return ok;
}

static bool is_same_file(const PlanFile *a, const PlanFile *b)
{
    struct stat here;
    struct stat there;
    return stat(a->path, &here) == 0 && stat(b->path, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* The name also of a plan that has errors: a clash is no less one for them. */
static NamePlace name_of(Arena *arena, const PlanFile *file)
{
    Report ignored = {.arena = arena};
    const Node *root = plan_locate(&ignored, file->plan.text, file->plan.text_bytes);
    const Node *node = node_get(root, "name");
    if (node == NULL || node->kind != NODE_SCALAR || *node->text == '\0')
        return (NamePlace){0};
    return (NamePlace){.text = node->text, .pos = node->pos, .span = node_span(node)};
}

/* Adds what a report holds to the findings that a plan has already. */
static void take_over(PlanFile *file, Report *report)
{
    PlanFindings more = {0};
    report_finish(report, &more);
    Report all = {.arena = &file->plan.arena, .errors = file->findings.errors + more.errors};
    for (size_t i = 0; i < file->findings.count; i++)
        *vec_push(all.arena, &all.list) = file->findings.items[i];
    for (size_t i = 0; i < more.count; i++)
        *vec_push(all.arena, &all.list) = more.items[i];
    report_finish(&all, &file->findings);
    file->is_valid = file->findings.errors == 0;
}

static void check_clash(PlanFile *files, const NamePlace *names, size_t later)
{
    Report report = {.arena = &files[later].plan.arena};
    for (size_t i = 0; i < later; i++) {
        if (names[i].text == NULL || !text_equal(names[i].text, names[later].text))
            continue;
        report_at(&report, DIAG_NAME_CLASH, names[later].pos, names[later].span,
                  "the plan %s has the name %s as well", report_quoted(&report, files[i].path),
                  report_quoted(&report, names[i].text));
        report_hint(&report,
                    "It stands there in line %u. Slots, publications and runs are named "
                    "after the plan.",
                    names[i].pos.line);
        take_over(&files[later], &report);
        return;
    }
}

/* A plan that stands earlier in the list under another spelling, or NULL. */
static const PlanFile *find_same(const PlanFile *files, size_t later)
{
    for (size_t i = 0; i < later; i++) {
        if (is_same_file(&files[i], &files[later]))
            return &files[i];
    }
    return NULL;
}

static void note_same(PlanFile *file, const PlanFile *first)
{
    Report report = {.arena = &file->plan.arena};
    report_at(&report, DIAG_SAME_PLAN, (PlanPos){0}, 1, "this plan is given twice");
    report_hint(&report, "It is %s.", report_quoted(&report, first->path));
    take_over(file, &report);
}

bool plan_set_load(PlanFile *files, size_t count, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    NamePlace *names = arena_array(&arena, NamePlace, count);
    for (size_t i = 0; i < count; i++) {
        AUTO_ERR Err one = {0};
        files[i].is_valid = load(&files[i], &one);
        if (!files[i].is_valid && one.code != ERR_PLAN)
            return err_move(err, &one);
        const PlanFile *first = find_same(files, i);
        if (first != NULL) {
            note_same(&files[i], first);
            continue;
        }
        names[i] = name_of(&arena, &files[i]);
        if (names[i].text != NULL)
            check_clash(files, names, i);
    }
    return true;
}

size_t plan_set_errors(const PlanFile *files, size_t count)
{
    size_t errors = 0;
    for (size_t i = 0; i < count; i++)
        errors += files[i].findings.errors;
    return errors;
}

void plan_set_release(PlanFile *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        plan_release(&files[i].plan);
}
