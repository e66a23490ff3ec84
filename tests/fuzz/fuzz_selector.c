/*
 * libFuzzer entry: any text as a selector of relations, of schemas, as a name. Nothing crashes; a
 * fault lies within the text; an exact name that is taken prints as itself and matches itself.
 */
#include "match/selector.h"

#include "base/str.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_exact(Arena *arena, const Selector *selector)
{
    Name again = {0};
    const char *shown = name_text(arena, &selector->name);
    if (!name_parse(arena, shown, &again) || !name_equal(&again, &selector->name))
        BUG("%s does not print as itself: %s", selector->text, shown);
    if (!selector_matches(selector, &again))
        BUG("%s does not match itself", selector->text);
    again.rel = "another";
    if (selector_matches(selector, &again) != text_equal(selector->name.rel, "another"))
        BUG("%s matches another name", selector->text);
}

static void try_selector(Arena *arena, const char *text, bool schema)
{
    static const Name NAMES[] = {{"public", "orders"}, {"app", "evt_2024"}, {"a", "b"}};
    AUTO_ERR Err err = {0};
    Selector selector = {0};
    size_t column = 0;
    bool ok = schema ? selector_schema(arena, text, &selector, &column, &err)
                     : selector_relation(arena, text, &selector, &column, &err);
    if (ok == err_is_set(&err) || column > strlen(text))
        BUG("selector \"%s\": ok %d, column %zu", text, ok, column);
    for (size_t i = 0; ok && selector.pattern != NULL && i < 3; i++)
        (void)selector_matches(&selector, &NAMES[i]);
    if (ok && selector.pattern == NULL && !schema)
        check_exact(arena, &selector);
    selector_release(&selector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA Arena arena = {0};
    const char *text = arena_memdup(&arena, data, size);
    Name name = {0};
    try_selector(&arena, text, false);
    try_selector(&arena, text, true);
    (void)name_parse(&arena, text, &name);
    return 0;
}
