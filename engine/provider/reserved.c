/*
 * Looks up what belongs to a provider, and what its roles may be given.
 */
#include "provider/provider_table.h"

#include "base/str.h"

#include <string.h>

const ProviderReserved *provider_reserved_rows(size_t *count)
{
    *count = provider_reserved_count;
    return provider_reserved_table;
}

const ProviderRoleRule *provider_role_rules(size_t *count)
{
    *count = provider_role_count;
    return provider_role_table;
}

static bool name_fits(const char *pattern, const char *name)
{
    size_t length = strlen(pattern);
    if (length > 0 && pattern[length - 1] == '*')
        return strncmp(pattern, name, length - 1) == 0;
    return strcmp(pattern, name) == 0;
}

static bool kind_fits(const char *row, const char *kind)
{
    return strcmp(row, kind) == 0 || strcmp(row, "any") == 0 || strcmp(row, "timescaledb") == 0;
}

const ProviderReserved *provider_reserves(const char *kind, ProviderObject object, const char *name)
{
    for (size_t i = 0; i < provider_reserved_count; i++) {
        const ProviderReserved *row = &provider_reserved_table[i];
        if (row->object == object && kind_fits(row->kind, kind) && name_fits(row->name, name))
            return row;
    }
    return NULL;
}

const ProviderRoleRule *provider_role_rule(const char *kind, int version)
{
    for (size_t i = 0; i < provider_role_count; i++) {
        const ProviderRoleRule *row = &provider_role_table[i];
        if (strcmp(row->kind, kind) == 0 && version >= row->min_version &&
            version <= row->max_version)
            return row;
    }
    return NULL;
}

/* A list of names parted by blanks. */
static bool list_has(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == length && strncmp(at, name, length) == 0)
            return true;
        at += word;
    }
    return false;
}

bool provider_grants_predefined(const ProviderRoleRule *rule, const char *role)
{
    if (rule->no_grant != NULL && list_has(rule->no_grant, role))
        return false;
    return rule->may_grant == NULL || list_has(rule->may_grant, role);
}
