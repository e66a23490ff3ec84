/*
 * Check of what stands beside the plan: SQL files and programs that it names; and of
 * waivers and attestations that stand there twice.
 */
#include "plan/check_internal.h"

#include "base/str.h"

#include <errno.h>
#include <unistd.h>

/* ---- files ---------------------------------------------------------------------------------- */

static const char *resolved(Check *check, const char *path)
{
    if (*path == '/')
        return path;
    path += text_starts_with(path, "./") ? 2 : 0;
    return arena_printf(check->arena, "%s/%s", check->plan->directory, path);
}

static bool check_file(Check *check, const Node *node, const char *path)
{
    const char *where = resolved(check, node->text);
    const char *fault = plan_file_fault(where);
    if (fault == NULL)
        return true;
    report_node(check->report, DIAG_FILE, node, "%s: %s cannot be read: %s", path,
                report_quoted(check->report, node->text), fault);
    if (*node->text == '/')
        report_hint(check->report, "It is looked for on the machine that runs godwit.");
    else
        report_hint(check->report, "It is looked for at %s: paths are relative to the plan.",
                    report_quoted(check->report, where));
    return false;
}

/* A program without a slash is looked for in PATH when it is run, perhaps on another machine. */
static void check_program(Check *check, const Node *argv, const char *path)
{
    if (argv == NULL || argv->first == NULL || strchr(argv->first->text, '/') == NULL)
        return;
    const Node *program = argv->first;
    if (!check_file(check, program, path) || access(resolved(check, program->text), X_OK) == 0)
        return;
    report_node(check->report, DIAG_NOT_EXECUTABLE, program, "%s: %s cannot be executed: %s", path,
                report_quoted(check->report, program->text), strerror(errno));
    report_hint(check->report, "chmod +x %s", resolved(check, program->text));
}

static void check_steps_files(Check *check, const char *path)
{
    const Node *list = node_at(check->root, path);
    size_t index = 0;
    for (const Node *step = list == NULL ? NULL : list->first; step != NULL;
         step = step->next, index++) {
        const Node *file = node_at(step, "sql.file");
        const Node *argv = node_at(step, "command.run");
        if (file != NULL)
            check_file(check, file, arena_printf(check->arena, "%s[%zu].sql.file", path, index));
        check_program(check, argv, arena_printf(check->arena, "%s[%zu].command.run", path, index));
    }
}

void check_files(Check *check)
{
    static const char *const STEPS[] = {"steps", "cutover.before_fence", "cutover.after_drain",
                                        "cutover.switch", "cutover.on_rollback"};
    static const char *const COMMANDS[] = {"cutover.stop_writes.run", "cutover.stop_writes.undo",
                                           "notify.command"};
    for (size_t i = 0; i < sizeof(STEPS) / sizeof(*STEPS); i++)
        check_steps_files(check, STEPS[i]);
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(*COMMANDS); i++)
        check_program(check, node_at(check->root, COMMANDS[i]), COMMANDS[i]);
}

/* ---- waivers -------------------------------------------------------------------------------- */

static void check_accepted(Check *check, const char *key)
{
    const Node *list = node_get(check->root, key);
    Texts seen = {.arena = check->arena};
    for (const Node *entry = list == NULL ? NULL : list->first; entry != NULL;
         entry = entry->next) {
        const Node *code = node_get(entry, "code");
        const Node *object = node_get(entry, "object");
        const char *both = object == NULL
                               ? code->text
                               : arena_printf(check->arena, "%s of %s", code->text, object->text);
        const Node *first = texts_add(&seen, both, code);
        if (first != NULL) {
            report_node(check->report, DIAG_DUPLICATE_ENTRY, code, "%s: %s is given twice", key,
                        report_quoted(check->report, both));
            report_hint(check->report, "It is already in line %u.", first->pos.line);
        }
    }
}

void check_waivers(Check *check)
{
    check_accepted(check, "waive");
    check_accepted(check, "attest");
}
