/*
 * godwit show FILE: what a pinned plan pins and would do.
 */
#include "cmd/command.h"
#include "cmd/pinned.h"

static bool run(const Options *options, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Pinned pinned = {0};
    if (!pinned_read(&arena, options->arguments[0], &pinned, err))
        return false;
    printf("plan \"%s\", fingerprint %.12s, pinned at %s\nsource   %s\ntarget   %s\ncatalog  "
           "%.12s\n\nsteps\n",
           pinned.name, pinned.fingerprint, pinned.written_at, pinned.source_system,
           pinned.target_system, pinned.catalog);
    for (size_t i = 0; i < pinned.step_count; i++)
        printf("  %s\n", pinned.steps[i]);
    printf("\nplan text\n%s", pinned.plan_text);
    return true;
}

extern const Command COMMAND_SHOW;
const Command COMMAND_SHOW = {
    .name = "show",
    .arguments = "FILE",
    .summary = "shows what a pinned plan pins and would do",
    .touches = "nothing",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
