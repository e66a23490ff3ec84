/*
 * Texts of verification: array literals for keys, differences in words, what a plan's entry
 * selects.
 */
#include "verify/verify_internal.h"

#include <inttypes.h>

void array_append(Str *array, const char *element)
{
    str_append(array, array->length == 0 ? "{\"" : ",\"");
    for (const char *c = element; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            str_append_char(array, '\\');
        str_append_char(array, *c);
    }
    str_append_char(array, '"');
}

void array_end(Str *array)
{
    if (array->length == 0)
        str_append_char(array, '{');
    str_append_char(array, '}');
}

const char *difference_text(Arena *arena, const Difference *difference)
{
    static const char *const WORDS[] = {
        [DIFF_MISSING] = "missing on the target",
        [DIFF_EXTRA] = "only on the target",
        [DIFF_CHANGED] = "not the same",
        [DIFF_COUNT] = "unequal counts",
    };
    const char *text = arena_printf(arena, "%s: %s", WORDS[difference->kind], difference->key);
    if (difference->copies == 1 || difference->kind == DIFF_COUNT)
        return text;
    return arena_printf(arena, "%s (%" PRId64 " times)", text, difference->copies);
}

const char *verify_busy_text(Arena *arena, int64_t busy)
{
    return arena_printf(arena,
                        "%" PRId64 " rows were written at every look; the cutover compares them "
                        "after the drain",
                        busy);
}

const char *verify_method_text(PlanVerifyMethod method)
{
    return method == PLAN_VERIFY_COUNT ? "count" : "checksum";
}

bool verify_selects(const PlanVerify *entry, const Relation *relation, bool live)
{
    if ((live && relation->unlogged) || relation->schema_only ||
        (relation->merge != NULL && relation->merge != relation))
        return false;
    for (const Relation *one = relation->merge_next; one != NULL; one = one->merge_next)
        for (size_t i = 0; i < entry->tables.count; i++)
            if (selector_matches(&entry->tables.items[i].selector, &one->source))
                return true;
    for (size_t i = 0; i < entry->tables.count; i++) {
        if (selector_matches(&entry->tables.items[i].selector, &relation->source))
            return true;
    }
    return entry->tables.count == 0;
}
