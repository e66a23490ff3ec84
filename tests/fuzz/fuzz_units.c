/*
 * libFuzzer entry: any text as a size, an interval, a number, and in every form that the plan
 * language has. What a form takes its regular expression takes too, so that the JSON Schema refuses
 * nothing that the engine takes; numbers that are read print within their room.
 */
#include "plan/format.h"

#include "base/str.h"
#include "base/units.h"
#include "match/pattern.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool fits_schema(PlanFormat format, const char *text)
{
    static Pattern *patterns[FORMAT_COUNT];
    AUTO_ERR Err err = {0};
    AUTO_STR Str regex = {0};
    size_t column = 0;
    /* ECMA 262 writes \u0080 what PCRE2 writes \x{0080}. */
    for (const char *at = format_row(format)->regex; *at != '\0'; at++) {
        bool unicode = at[0] == '\\' && at[1] == 'u';
        if (unicode)
            str_appendf(&regex, "\\x{%.4s}", at + 2);
        else
            str_append_char(&regex, *at);
        at += unicode ? 5 : 0;
    }
    if (patterns[format] == NULL)
        patterns[format] = pattern_compile(str_text(&regex), &column, &err);
    if (patterns[format] == NULL)
        BUG("%s: %s", format_row(format)->name, err.message);
    return pattern_matches(patterns[format], text);
}

static bool is_utf8(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80)
            return false; /* only what locate lets through comes to the forms; ASCII will do here */
    }
    return true;
}

static void try_formats(Arena *arena, const char *text)
{
    for (PlanFormat format = 0; format < FORMAT_COUNT; format++) {
        AUTO_ERR Err err = {0};
        FormatResult result;
        bool ok = format_check(arena, format, text, &result, &err);
        if (ok == err_is_set(&err))
            BUG("%s: neither right nor wrong: \"%s\"", format_row(format)->name, text);
        if (ok && !fits_schema(format, text))
            BUG("the schema refuses \"%s\" as %s", text, format_row(format)->name);
    }
}

static void try_units(Arena *arena, const char *text)
{
    uint64_t bytes = 0;
    int64_t us = 0;
    uint32_t small = 0;
    uint64_t large = 0;
    uint64_t age = 0;
    if (units_size_parse(text, &bytes) &&
        (bytes > INT64_MAX || *units_size_text(arena, bytes) == 0))
        BUG("size \"%s\"", text);
    if (units_interval_parse(text, &us)) {
        if (us < 0 || *units_interval_text(arena, us) == '\0')
            BUG("interval \"%s\"", text);
        if (!format_is_integer(text) && format_age(text, &age) && age != (uint64_t)us)
            BUG("\"%s\" is %lld us, and as an age %llu", text, (long long)us,
                (unsigned long long)age);
    }
    if (units_uint32_parse(text, &small) && (!units_uint64_parse(text, &large) || large != small))
        BUG("number \"%s\"", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA Arena arena = {0};
    const char *text = arena_memdup(&arena, data, size);
    if (!is_utf8(text))
        return 0;
    try_units(&arena, text);
    try_formats(&arena, text);
    return 0;
}
