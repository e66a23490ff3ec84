/*
 * Checks that follow from the provider: whether it is the one that the plan says, its settings, and
 * when it gives a slot up. What is checked stands in provider's tables.
 */
#include "preflight/check.h"

#include "base/jsontext.h"
#include "base/str.h"
#include "sql_text.h"

#include <string.h>

static void found_other_kind(Check *check, const Side *side, const ProviderGuess *guess)
{
    const char *planned = side->endpoint->kind;
    const char *message =
        guess->kind == NULL
            ? check_text(check, "the plan says %s, but nothing on the server points to it", planned)
            : check_text(check, "the plan says %s, but the server %s %s (%s)", planned,
                         guess->sure ? "looks like" : "may be", guess->kind, guess->evidence);
    check_add(check, CODE_PROVIDER,
              guess->kind == NULL || guess->sure ? FINDING_WARNING : FINDING_INFO, side, planned,
              message, "The kind decides which remedies are shown and which limits are expected.",
              check_text(check, "-- in the plan: %s.kind: %s, if that is what it is%s",
                         conn_side_name(side->side),
                         guess->kind == NULL ? "self_hosted" : guess->kind,
                         guess->sure || guess->kind == NULL
                             ? ""
                             : " (a role may be left over from a migration)"));
}

static bool probe_kind(Check *check, Side *side, Err *err)
{
    ProviderGuess guess = {0};
    if (!provider_detect(check->arena, side->conn, side->endpoint->kind, &guess, err))
        return false;
    if (!guess.agrees)
        found_other_kind(check, side, &guess);
    return true;
}

/* --- settings --- */

static bool is_judged(const ProviderSetting *setting, const Side *side)
{
    return setting->side == side->side && strcmp(setting->code, "G501") == 0 &&
           strcmp(setting->kind, side->endpoint->kind) == 0;
}

static void found_setting(Check *check, const Side *side, const ProviderSetting *setting,
                          const char *value)
{
    ProviderTopic topic = setting->restart ? TOPIC_SETTING_RESTART : TOPIC_SETTING_RELOAD;
    check_add(check, CODE_PROVIDER_SETTING, FINDING_WARNING, side, setting->name,
              check_text(check, "is %s, %s %s%s", value, setting->required ? "must be" : "is best",
                         setting->wanted,
                         setting->rule == RULE_AT_LEAST     ? " or more"
                         : setting->rule == RULE_OFF_OR_MIN ? " or more, or 0"
                                                            : ""),
              check_text(check, "Here %s.", setting->why),
              setting->how != NULL
                  ? setting->how
                  : check_remedy(check, side, topic, setting->name, setting->wanted));
}

static bool probe_settings(Check *check, Side *side, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    size_t count = 0;
    const ProviderSetting *settings = provider_settings(&count);
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++)
        if (is_judged(&settings[i], side))
            json_array_append_new(names, json_string(settings[i].name));
    if (!pg_rows(side->conn, SQL_PREFLIGHT_SETTINGS, PARAMS(jsontext_compact(&arena, names)), &rows,
                 err))
        return false;
    size_t r = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_judged(&settings[i], side))
            continue;
        const char *value = rows_text(rows, r++, 0);
        if (value != NULL && !provider_setting_fits(&settings[i], value))
            found_setting(check, side, &settings[i], arena_strdup(check->arena, value));
    }
    return true;
}

/* --- slots --- */

static void check_slot_rules(Check *check, const Side *source)
{
    size_t count = 0;
    const ProviderSlotRule *rules = provider_slot_rules(&count);
    int version = source->catalog->server.version;
    for (size_t i = 0; i < count; i++) {
        const ProviderSlotRule *rule = &rules[i];
        if (strcmp(rule->kind, source->endpoint->kind) == 0 && version >= rule->min_version &&
            version <= rule->max_version)
            check_add(check, CODE_SLOT_RULE, FINDING_WARNING, source,
                      check_text(check, "%s, rule %zu", rule->kind, i + 1), rule->rule,
                      "A run whose slot is lost must begin anew.",
                      check_text(check, "-- %s", rule->advice));
    }
}

bool probe_provider(Check *check, Side *side, Err *err)
{
    if (!probe_kind(check, side, err) || !probe_settings(check, side, err))
        return false;
    if (side->side == CONN_SOURCE || check->plan->failback.prepare)
        check_slot_rules(check, side);
    return true;
}
