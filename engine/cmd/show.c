/*
 * godwit show FILE: what a pinned plan pins and would do. Asks no server.
 */
#include "base/jsontext.h"
#include "cmd/command.h"
#include "cmd/pinned.h"

static void print_pins(Str *out, Arena *arena, Pinned *pinned)
{
    str_appendf(out,
                "pinned      %s by godwit %s\n"
                "plan        %s (%s)\n"
                "fingerprint %s\n"
                "digest      %s\n"
                "source      %s\n"
                "target      %s\n",
                pinned->written_at, pinned->engine, pinned->name, pinned->plan_path,
                pinned->fingerprint, pinned->digest, pinned->source_system, pinned->target_system);
    for (const PinnedGroup *group = PINNED_GROUPS; group->key != NULL; group++) {
        const FactVec *facts = pinned_group(&pinned->facts, group);
        str_appendf(out, "%-11s %zu fact%s, hash %.12s\n", group->word, facts->count,
                    facts->count == 1 ? "" : "s", facts_digest(arena, facts));
    }
    str_append_char(out, '\n');
}

static void print_json(Str *out, Arena *arena, Pinned *pinned)
{
    json_t *hashes = json_object();
    for (const PinnedGroup *group = PINNED_GROUPS; group->key != NULL; group++) {
        const FactVec *facts = pinned_group(&pinned->facts, group);
        json_object_set_new(hashes, group->key,
                            json_pack("{s:I, s:s}", "facts", (json_int_t)facts->count, "sha256",
                                      facts_digest(arena, facts)));
    }
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o}", "v", 1,
                             "name", pinned->name, "fingerprint", pinned->fingerprint, "digest",
                             pinned->digest, "engine", pinned->engine, "written_at",
                             pinned->written_at, "source", pinned->source_system, "target",
                             pinned->target_system, "plan_path", pinned->plan_path, "pins", hashes,
                             "plan", pinned->plan_text, "dry_run", dry_run_json(&pinned->dry));
    str_append(out, jsontext_pretty(arena, root));
}

static bool run(const Options *options, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str out = {0};
    Pinned pinned = {0};
    if (!pinned_read(&arena, options->arguments[0], &pinned, err))
        return false;
    if (text_equal(options->format, "json")) {
        print_json(&out, &arena, &pinned);
    } else if (text_equal(options->format, "sql")) {
        dry_run_print(&out, &pinned.dry, "sql");
    } else {
        print_pins(&out, &arena, &pinned);
        dry_run_print(&out, &pinned.dry, "text");
        str_appendf(&out, "\nplan text\n%s", pinned.plan_text);
    }
    fputs(str_text(&out), stdout);
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
    .formats = "text|sql|json",
    .run = run,
};
