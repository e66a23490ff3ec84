/*
 * Judges settings by the table.
 */
#include "provider/provider_table.h"

#include "base/str.h"

#include <stdlib.h>

const ProviderSetting *provider_settings(size_t *count)
{
    *count = provider_setting_count;
    return provider_setting_table;
}

const ProviderSlotRule *provider_slot_rules(size_t *count)
{
    *count = provider_slot_count;
    return provider_slot_table;
}

bool provider_setting_fits(const ProviderSetting *setting, const char *value)
{
    long long is = strtoll(value, NULL, 10);
    long long wanted = strtoll(setting->wanted, NULL, 10);
    switch (setting->rule) {
    case RULE_IS:
        return text_equal(value, setting->wanted);
    case RULE_AT_LEAST:
        return is >= wanted;
    case RULE_UNLIMITED:
        return is < 0;
    case RULE_OFF_OR_MIN:
        return is == 0 || is >= wanted;
    }
    return true;
}
