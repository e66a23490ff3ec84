/*
 * godwit resync PLAN --all: everything is copied anew under a new slot, when the old one is lost.
 */
#include "cmd/command.h"
#include "cmd/resync_all.h"

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    if (!options->all) {
        err_set(err, ERR_USAGE, "say what is to be copied anew");
        return err_hint(err, "--all is for everything, as when the slot is lost.");
    }
    return session_plan(&session, options->arguments[0], err) && resync_all(&session, options, err);
}

extern const Command COMMAND_RESYNC;
const Command COMMAND_RESYNC = {
    .name = "resync",
    .arguments = "PLAN",
    .summary = "empties what was copied, to copy it anew under a new slot; asks",
    .touches = "writes to both servers",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_ALL, OPTION_YES, OPTION_NONE},
    .run = run,
};
