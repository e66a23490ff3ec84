/*
 * godwit explain CODE: the page of a code (docs/codes), embedded at build time; and of a key of
 * the plan language, from its tables.
 */
#include "cmd/command.h"
#include "pages_text.h"
#include "plan/reference.h"

#include <strings.h>

static const PageText *find_page(const char *code)
{
    for (const PageText *page = PAGES_TEXT; page->code != NULL; page++) {
        if (strcasecmp(page->code, code) == 0)
            return page;
    }
    return NULL;
}

static bool run(const Options *options, Err *err)
{
    if (options->argument_count == 0) {
        for (const PageText *page = PAGES_TEXT; page->code != NULL; page++)
            printf("%s  %.*s\n", page->code, (int)strcspn(page->text, "\n"), page->text);
        return true;
    }
    AUTO_ARENA Arena arena = {0};
    const PageText *page = find_page(options->arguments[0]);
    const char *text = page != NULL ? page->text : reference_page(&arena, options->arguments[0]);
    if (text == NULL) {
        err_set(err, ERR_USAGE, "there is no code and no key \"%s\"", options->arguments[0]);
        return err_hint(err, "\"godwit explain\" without a code lists them all; keys are written "
                             "like select.tables.");
    }
    fputs(text, stdout);
    return true;
}

extern const Command COMMAND_EXPLAIN;
const Command COMMAND_EXPLAIN = {
    .name = "explain",
    .arguments = "[CODE|KEY]",
    .summary = "explains a code that a message named, or a key of a plan",
    .touches = "nothing",
    .max_arguments = 1,
    .run = run,
};
