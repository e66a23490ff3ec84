/*
 * godwit validate PLAN...: the four layers of the plan language, over one plan or many; touches no
 * server. Machines get findings on stdout; people get them on stderr, and on stdout what is valid.
 */
#include "cmd/command.h"
#include "cmd/pinned.h"
#include "plan/set.h"
#include "preflight/preflight.h"
#include "report/validation.h"

#include <unistd.h>

typedef struct Validation {
    Arena arena;
    PlanFile *files;
    size_t count;
} Validation;

#define AUTO_VALIDATION __attribute__((cleanup(release)))

static void release(Validation *validation)
{
    plan_set_release(validation->files, validation->count);
    arena_release(&validation->arena);
}

static bool load(Validation *validation, const Options *options, Err *err)
{
    validation->files = arena_array(&validation->arena, PlanFile, options->argument_count);
    validation->count = (size_t)options->argument_count;
    for (size_t i = 0; i < validation->count; i++) {
        PlanFile *file = &validation->files[i];
        file->path = options->arguments[i];
        Pinned pinned = {0};
        if (!pinned_is(file->path))
            continue;
        if (!pinned_read(&validation->arena, file->path, &pinned, err))
            return false;
        file->file = pinned.plan_file;
        file->text = pinned.plan_text;
    }
    return plan_set_load(validation->files, validation->count, err);
}

/* What preflight would say of the plan alone, whatever the servers hold. */
static void judge(Validation *validation)
{
    const char *today = preflight_today(&validation->arena);
    for (size_t i = 0; i < validation->count; i++) {
        PlanFile *file = &validation->files[i];
        preflight_judge_plan(&validation->arena, &file->plan, today, &file->findings);
        file->is_valid = file->is_valid && file->findings.errors == 0;
    }
}

static void print_text(Validation *validation)
{
    for (size_t i = 0; i < validation->count; i++) {
        const PlanFile *file = &validation->files[i];
        for (size_t j = 0; j < file->findings.count; j++)
            fprintf(stderr, "%s\n",
                    plan_finding_text(&validation->arena, &file->plan, &file->findings.items[j],
                                      STDERR_FILENO));
        if (file->is_valid)
            printf("%s: plan \"%s\" is valid, fingerprint %.12s\n", file->path, file->plan.name,
                   file->plan.fingerprint);
    }
}

static bool verdict(const Validation *validation, Err *err)
{
    size_t invalid = 0;
    const PlanFile *last = NULL;
    for (size_t i = 0; i < validation->count; i++) {
        if (!validation->files[i].is_valid) {
            invalid++;
            last = &validation->files[i];
        }
    }
    if (last == NULL)
        return true;
    if (invalid > 1)
        return err_set(err, ERR_PLAN, "%zu of %zu plans have errors", invalid, validation->count);
    return err_set(err, ERR_PLAN, "the plan \"%s\" has %zu error%s", last->path,
                   last->findings.errors, last->findings.errors == 1 ? "" : "s");
}

static bool run(const Options *options, Err *err)
{
    AUTO_VALIDATION Validation validation = {0};
    if (!load(&validation, options, err))
        return false;
    judge(&validation);
    if (strcmp(options->format, "text") == 0) {
        print_text(&validation);
    } else {
        AUTO_STR Str out = {0};
        validation_print(&out, validation.files, validation.count, options->format);
        fputs(str_text(&out), stdout);
    }
    return verdict(&validation, err);
}

extern const Command COMMAND_VALIDATE;
const Command COMMAND_VALIDATE = {
    .name = "validate",
    .arguments = "PLAN...",
    .summary = "checks plans without touching a server: every fault, with its place",
    .touches = "nothing",
    .min_arguments = 1,
    .max_arguments = 64,
    .formats = "text|json|github|sarif",
    .run = run,
};
