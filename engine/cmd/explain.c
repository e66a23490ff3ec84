/*
 * godwit explain CODE: the page of a code (docs/codes), embedded at build time.
 */
#include "cmd/command.h"
#include "pages_text.h"

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
    const PageText *page = find_page(options->arguments[0]);
    if (page == NULL) {
        err_set(err, ERR_USAGE, "there is no code \"%s\"", options->arguments[0]);
        return err_hint(err, "\"godwit explain\" without a code lists them all.");
    }
    fputs(page->text, stdout);
    return true;
}

extern const Command COMMAND_EXPLAIN;
const Command COMMAND_EXPLAIN = {
    .name = "explain",
    .arguments = "[CODE]",
    .summary = "explains a code that a message named",
    .touches = "nothing",
    .max_arguments = 1,
    .run = run,
};
