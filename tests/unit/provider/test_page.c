/*
 * docs/providers.md says what the tables say: the page is made from them and compared, byte by
 * byte. GODWIT_WRITE_PAGES=1 writes it anew.
 */
#include "base/str.h"
#include "provider/grants.h"
#include "provider/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE "docs/providers.md"

static const char head[] =
    "# Providers\n\n"
    "What godwit knows of each provider: how it is recognised, which settings a migration needs "
    "and how they are changed\n"
    "there, which addresses lead to no plain server, when slots are lost, what stays behind, and "
    "which rights a role needs.\n"
    "`godwit check` looks at all of it and prints the remedies; `godwit grants PLAN` prints the "
    "SQL of the roles. This page is\n"
    "made from the engine's tables (`engine/provider`), see `tests/unit/provider/test_page.c`.\n\n"
    "Functions, settings and schemas tell a provider for sure; the name of a role is a guess, "
    "since it may be left over from\n"
    "a migration. Another kind than the plan's is finding G114. Timeouts that a provider or a role "
    "sets on sessions are unset\n"
    "in all of ours, and read back. What the target's user may do is tried in transactions that "
    "are rolled back (G504, G505).\n";

/* One line of a table's cell: no newline, no bar. */
static void cell(Str *out, const char *text)
{
    str_append(out, "| ");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\n')
            str_append(out, " ");
        else if (*c == '|')
            str_append(out, "\\|");
        else
            str_append_char(out, *c);
    }
    str_append_char(out, ' ');
}

static void code_block(Str *out, const char *text)
{
    str_appendf(out, "```\n%s\n```\n", text);
}

static const char *wanted_text(Arena *arena, const ProviderSetting *setting)
{
    switch (setting->rule) {
    case RULE_AT_LEAST:
        return arena_printf(arena, "%s or more", setting->wanted);
    case RULE_OFF_OR_MIN:
        return arena_printf(arena, "0, or %s or more", setting->wanted);
    case RULE_IS:
    case RULE_UNLIMITED:
        break;
    }
    return setting->wanted;
}

static void settings(Str *out, Arena *arena, const char *kind)
{
    size_t count = 0;
    const ProviderSetting *rows = provider_settings(&count);
    str_append(out,
               "\n### Settings\n\n| side | setting | wanted | | changing it | why | finding |\n"
               "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        const ProviderSetting *row = &rows[i];
        if (strcmp(row->kind, kind) != 0)
            continue;
        cell(out, conn_side_name(row->side));
        cell(out, arena_printf(arena, "`%s`", row->name));
        cell(out, wanted_text(arena, row));
        cell(out, row->required ? "required" : "best");
        cell(out, row->restart ? "restarts" : "at once");
        cell(out, row->why);
        cell(out, row->code);
        str_append(out, "|\n");
    }
    static const struct {
        ProviderTopic topic;
        const char *title;
    } topics[] = {{TOPIC_WAL_LEVEL, "Logical decoding is switched on so:"},
                  {TOPIC_SETTING_RESTART, "A setting that restarts is changed so:"},
                  {TOPIC_SETTING_RELOAD, "Any other setting so:"},
                  {TOPIC_EXTENSION, "An extension is had so:"},
                  {TOPIC_REPLICATION_ROLE, "The right to replicate is given so:"},
                  {TOPIC_REPLICA_ROLE, "The right to set `session_replication_role` so:"}};
    for (size_t t = 0; t < sizeof(topics) / sizeof(topics[0]); t++) {
        str_appendf(out, "\n%s\n\n", topics[t].title);
        code_block(
            out, provider_remedy(arena, kind, topics[t].topic, "NAME", "VALUE", "migration_user"));
    }
}

static void endpoints(Str *out, const char *kind)
{
    size_t count = 0;
    const ProviderEndpoint *rows = provider_endpoints(&count);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const ProviderEndpoint *row = &rows[i];
        if (strcmp(row->kind, kind) != 0)
            continue;
        if (!any)
            str_append(out, "\n### Addresses to avoid\n\n");
        any = true;
        str_appendf(out, "- `%s*%s%s%s%s%s%s%s`: %s. %s\n",
                    row->first_prefix == NULL ? "" : row->first_prefix,
                    row->first_suffix == NULL ? "" : row->first_suffix,
                    row->first_suffix == NULL ? "" : ".*",
                    row->host_part == NULL ? "" : row->host_part, row->host_part == NULL ? "" : "*",
                    row->domain, row->port == NULL ? "" : ":", row->port == NULL ? "" : row->port,
                    row->what, row->advice);
    }
}

static void slot_rules(Str *out, const char *kind)
{
    size_t count = 0;
    const ProviderSlotRule *rows = provider_slot_rules(&count);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const ProviderSlotRule *row = &rows[i];
        if (strcmp(row->kind, kind) != 0)
            continue;
        if (!any)
            str_append(out, "\n### When a slot is lost (G502)\n\n");
        any = true;
        if (row->max_version < 990000)
            str_appendf(out, "- Up to PostgreSQL %d: ", row->max_version / 10000);
        else if (row->min_version > 0)
            str_appendf(out, "- From PostgreSQL %d: ", row->min_version / 10000);
        else
            str_append(out, "- ");
        str_appendf(out, "%s. %s\n", row->rule, row->advice);
    }
}

static void reserved(Str *out, const char *kind)
{
    static const char *const titles[] = {
        "Roles",        "Schemas",   "Extensions",          "Event triggers",
        "Publications", "Databases", "What these roles own"};
    size_t count = 0;
    const ProviderReserved *rows = provider_reserved_rows(&count);
    bool any = false;
    for (size_t object = 0; object < sizeof(titles) / sizeof(titles[0]); object++) {
        bool first = true;
        for (size_t i = 0; i < count; i++) {
            if (strcmp(rows[i].kind, kind) != 0 || (size_t)rows[i].object != object)
                continue;
            if (!any)
                str_append(out, "\n### What stays behind\n\n");
            any = true;
            if (first)
                str_appendf(out, "- %s:", titles[object]);
            str_appendf(out, "%s `%s`%s", first ? "" : ",", rows[i].name,
                        rows[i].ask ? " (taken when named exactly)" : "");
            first = false;
        }
        if (!first)
            str_append(out, "\n");
    }
}

static void roles(Str *out, const char *kind)
{
    static const struct {
        ProviderAttribute bit;
        const char *name;
    } bits[] = {{ATTRIBUTE_SUPERUSER, "SUPERUSER"},
                {ATTRIBUTE_REPLICATION, "REPLICATION"},
                {ATTRIBUTE_BYPASSRLS, "BYPASSRLS"},
                {ATTRIBUTE_CREATEROLE, "CREATEROLE"},
                {ATTRIBUTE_CREATEDB, "CREATEDB"}};
    size_t count = 0;
    const ProviderRoleRule *rows = provider_role_rules(&count);
    str_append(out, "\n### Roles on a target\n\n");
    for (size_t i = 0; i < count; i++) {
        const ProviderRoleRule *row = &rows[i];
        if (strcmp(row->kind, kind) != 0)
            continue;
        if (row->max_version < 990000)
            str_appendf(out, "- Before PostgreSQL %d: ", row->max_version / 10000 + 1);
        else if (row->min_version > 0)
            str_appendf(out, "- From PostgreSQL %d: ", row->min_version / 10000);
        else
            str_append(out, "- ");
        bool any = false;
        for (size_t b = 0; b < sizeof(bits) / sizeof(bits[0]); b++) {
            if ((row->refused & bits[b].bit) == 0)
                continue;
            str_appendf(out, "%s%s", any ? ", " : "refuses ", bits[b].name);
            any = true;
        }
        str_appendf(out, "%s; passwords %s be read as a source and %s hashed.\n",
                    any ? "" : "refuses no attribute", row->reads_passwords ? "can" : "cannot",
                    row->takes_hashes ? "are taken" : "are not taken");
    }
}

static void grant_rows(Str *out, const char *kind)
{
    size_t count = 0;
    const ProviderGrant *rows = provider_grant_rows(&count);
    str_append(
        out, "\n### The migration's roles\n\n`godwit grants` adds what the objects need.\n\n```\n");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].kind, kind) == 0)
            str_appendf(out, "%s%s%s\n", rows[i].text,
                        rows[i].side == CONN_SOURCE ? "   -- source" : "   -- target",
                        rows[i].part == GRANT_MAKE ? "" : ", afterwards");
    }
    str_append(out, "```\n");
    str_append(out, "\nWith `failback.prepare: true`, besides:\n\n```\n");
    rows = provider_grant_back_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].kind, kind) == 0)
            str_appendf(out, "%s%s\n", rows[i].text,
                        rows[i].side == CONN_SOURCE ? "   -- source" : "   -- target");
    }
    str_append(out, "```\n");
}

static char *page(Arena *arena)
{
    AUTO_STR Str out = {0};
    size_t count = 0;
    const ProviderKind *kinds = provider_kinds(&count);
    str_append(&out, head);
    for (size_t k = 0; k < count; k++) {
        str_appendf(&out, "\n## `%s`: %s\n\n%s\n\nRecognised by: %s.\n\n", kinds[k].kind,
                    kinds[k].title, kinds[k].note, kinds[k].found_by);
        if (kinds[k].console != NULL)
            str_appendf(&out, "Settings in the console: %s.\n", kinds[k].console);
        settings(&out, arena, kinds[k].kind);
        endpoints(&out, kinds[k].kind);
        slot_rules(&out, kinds[k].kind);
        reserved(&out, kinds[k].kind);
        roles(&out, kinds[k].kind);
        grant_rows(&out, kinds[k].kind);
    }
    return str_dup(arena, &out);
}

static char *read_page(Arena *arena)
{
    AUTO_STR Str text = {0};
    char part[4096];
    FILE *file = fopen(PAGE, "r");
    for (size_t got; file != NULL && (got = fread(part, 1, sizeof(part), file)) > 0;)
        str_append_bytes(&text, part, got);
    if (file != NULL)
        fclose(file);
    return str_dup(arena, &text);
}

static void write_page(const char *text)
{
    FILE *file = fopen(PAGE, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void the_page_says_what_the_tables_say(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    const char *wanted = page(&arena);
    if (getenv("GODWIT_WRITE_PAGES") != NULL)
        write_page(wanted);
    if (strcmp(read_page(&arena), wanted) != 0)
        fail_msg(PAGE " is not what the tables say: GODWIT_WRITE_PAGES=1 writes it anew");
}

static void every_kind_of_a_row_is_a_kind(void **state)
{
    (void)state;
    size_t kind_count = 0;
    size_t count = 0;
    const ProviderKind *kinds = provider_kinds(&kind_count);
    const ProviderSetting *rows = provider_settings(&count);
    for (size_t k = 1; k < kind_count; k++)
        assert_true(strcmp(kinds[k - 1].kind, kinds[k].kind) < 0);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < kind_count; k++)
            found = found || strcmp(kinds[k].kind, rows[i].kind) == 0;
        if (!found)
            fail_msg("setting %s is of an unknown kind %s", rows[i].name, rows[i].kind);
    }
}

static void settings_are_judged_by_their_rule(void **state)
{
    (void)state;
    static const struct {
        ProviderRule rule;
        const char *wanted, *value;
        bool fits;
    } cases[] = {
        {RULE_IS, "off", "off", true},          {RULE_IS, "off", "on", false},
        {RULE_AT_LEAST, "16", "16", true},      {RULE_AT_LEAST, "16", "8", false},
        {RULE_UNLIMITED, "-1", "-1", true},     {RULE_UNLIMITED, "-1", "4096", false},
        {RULE_OFF_OR_MIN, "10000", "0", true},  {RULE_OFF_OR_MIN, "10000", "60000", true},
        {RULE_OFF_OR_MIN, "10000", "5", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const ProviderSetting setting = {.rule = cases[i].rule, .wanted = cases[i].wanted};
        if (provider_setting_fits(&setting, cases[i].value) != cases[i].fits)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_says_what_the_tables_say),
        cmocka_unit_test(every_kind_of_a_row_is_a_kind),
        cmocka_unit_test(settings_are_judged_by_their_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
