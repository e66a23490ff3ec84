/*
 * Units: exact integer arithmetic in 128 bits; a value that does not fit is refused, never cut.
 */
#include "base/units.h"

#include <inttypes.h>
#include <string.h>

typedef struct UnitRow {
    const char *name;
    uint64_t factor;
} UnitRow;

static const UnitRow SIZE_UNITS[] = {
    {"B", 1},
    {"kB", UINT64_C(1) << 10},
    {"KB", UINT64_C(1) << 10},
    {"MB", UINT64_C(1) << 20},
    {"GB", UINT64_C(1) << 30},
    {"TB", UINT64_C(1) << 40},
};

#define US_PER_S   UINT64_C(1000000)
#define US_PER_MIN (60 * US_PER_S)
#define US_PER_H   (60 * US_PER_MIN)
#define US_PER_DAY (24 * US_PER_H)

static const UnitRow TIME_UNITS[] = {
    {"us", 1},
    {"microsecond", 1},
    {"microseconds", 1},
    {"ms", 1000},
    {"millisecond", 1000},
    {"milliseconds", 1000},
    {"s", US_PER_S},
    {"sec", US_PER_S},
    {"secs", US_PER_S},
    {"second", US_PER_S},
    {"seconds", US_PER_S},
    {"min", US_PER_MIN},
    {"mins", US_PER_MIN},
    {"minute", US_PER_MIN},
    {"minutes", US_PER_MIN},
    {"h", US_PER_H},
    {"hr", US_PER_H},
    {"hrs", US_PER_H},
    {"hour", US_PER_H},
    {"hours", US_PER_H},
    {"d", US_PER_DAY},
    {"day", US_PER_DAY},
    {"days", US_PER_DAY},
    {"w", 7 * US_PER_DAY},
    {"week", 7 * US_PER_DAY},
    {"weeks", 7 * US_PER_DAY},
};

/* Digits of a fraction that are read; more would not change a whole byte or microsecond. */
#define MAX_FRACTION_DIGITS 12

typedef struct Decimal {
    uint64_t whole;
    uint64_t fraction; /* over scale */
    uint64_t scale;
} Decimal;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits, with an optional fraction; returns where they end, NULL if there are none or too many. */
static const char *read_decimal(const char *at, Decimal *out)
{
    *out = (Decimal){.scale = 1};
    if (!is_digit(*at))
        return NULL;
    for (; is_digit(*at); at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (out->whole > (UINT64_MAX - digit) / 10)
            return NULL;
        out->whole = out->whole * 10 + digit;
    }
    if (*at != '.')
        return at;
    if (!is_digit(*++at))
        return NULL;
    for (int digits = 0; is_digit(*at); at++, digits++) {
        if (digits == MAX_FRACTION_DIGITS)
            return NULL;
        out->fraction = out->fraction * 10 + (uint64_t)(*at - '0');
        out->scale *= 10;
    }
    return at;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " ");
}

/* Finds the unit that is the whole word at `at`; NULL if the word is none. */
static const UnitRow *find_unit(const UnitRow *rows, size_t count, const char *at, size_t *length)
{
    *length = 0;
    while ((at[*length] >= 'a' && at[*length] <= 'z') || (at[*length] >= 'A' && at[*length] <= 'Z'))
        (*length)++;
    for (size_t i = 0; i < count; i++) {
        if (strlen(rows[i].name) == *length && strncmp(rows[i].name, at, *length) == 0)
            return &rows[i];
    }
    return NULL;
}

/* number x factor, half rounded up as PostgreSQL does; false beyond 2^63-1. */
static bool multiply(const Decimal *number, uint64_t factor, uint64_t *out)
{
    __extension__ typedef unsigned __int128 Wide;
    Wide total = (Wide)number->whole * factor;
    total += ((Wide)number->fraction * factor * 2 + number->scale) / ((Wide)number->scale * 2);
    if (total > INT64_MAX)
        return false;
    *out = (uint64_t)total;
    return true;
}

bool units_size_parse(const char *text, uint64_t *bytes)
{
    Decimal number;
    const char *at = read_decimal(text, &number);
    if (at == NULL)
        return false;
    if (*at == '\0')
        return number.scale == 1 && multiply(&number, 1, bytes);
    at = skip_blanks(at);
    size_t length = 0;
    const UnitRow *unit =
        find_unit(SIZE_UNITS, sizeof(SIZE_UNITS) / sizeof(*SIZE_UNITS), at, &length);
    return unit != NULL && at[length] == '\0' && multiply(&number, unit->factor, bytes);
}

bool units_interval_parse(const char *text, int64_t *us)
{
    uint64_t total = 0;
    const char *at = text;
    do {
        Decimal number;
        uint64_t part = 0;
        size_t length = 0;
        at = read_decimal(at, &number);
        if (at == NULL)
            return false;
        at = skip_blanks(at);
        const UnitRow *unit =
            find_unit(TIME_UNITS, sizeof(TIME_UNITS) / sizeof(*TIME_UNITS), at, &length);
        if (unit == NULL || !multiply(&number, unit->factor, &part) || part > INT64_MAX - total)
            return false;
        total += part;
        at += length;
        if (*at == ' ' && *(at = skip_blanks(at)) == '\0')
            return false;
    } while (*at != '\0');
    *us = (int64_t)total;
    return true;
}

bool units_uint64_parse(const char *text, uint64_t *value)
{
    if (!is_digit(*text) || (*text == '0' && text[1] != '\0'))
        return false;
    uint64_t total = 0;
    for (; is_digit(*text); text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (total > (UINT64_MAX - digit) / 10)
            return false;
        total = total * 10 + digit;
    }
    if (*text != '\0')
        return false;
    *value = total;
    return true;
}

bool units_uint32_parse(const char *text, uint32_t *value)
{
    uint64_t wide = 0;
    if (!units_uint64_parse(text, &wide) || wide > UINT32_MAX)
        return false;
    *value = (uint32_t)wide;
    return true;
}

char *units_size_text(Arena *arena, uint64_t bytes)
{
    static const char *const NAMES[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1024)
        return arena_printf(arena, "%" PRIu64 " %s", bytes, bytes == 1 ? "byte" : "bytes");
    size_t unit = 0;
    double value = (double)bytes / 1024;
    while (value >= 1023.5 && unit + 1 < sizeof(NAMES) / sizeof(*NAMES)) {
        value /= 1024;
        unit++;
    }
    return arena_printf(arena, value < 9.95 ? "%.1f %s" : "%.0f %s", value, NAMES[unit]);
}

static char *two_parts(Arena *arena, uint64_t value, uint64_t per, char big, char small)
{
    return arena_printf(arena, "%" PRIu64 "%c %02" PRIu64 "%c", value / per, big, value % per,
                        small);
}

char *units_interval_text(Arena *arena, int64_t us)
{
    if (us < 0)
        return arena_printf(arena, "-%s",
                            units_interval_text(arena, us == INT64_MIN ? INT64_MAX : -us));
    uint64_t value = (uint64_t)us;
    if (value > 0 && value < 1000)
        return arena_printf(arena, "%" PRIu64 "us", value);
    if (value < US_PER_S)
        return arena_printf(arena, "%" PRIu64 "ms", value / 1000);
    uint64_t tenths = (value + 50000) / 100000;
    if (tenths < 600)
        return arena_printf(arena, "%" PRIu64 ".%" PRIu64 "s", tenths / 10, tenths % 10);
    uint64_t seconds = (value + US_PER_S / 2) / US_PER_S;
    if (seconds < 3600)
        return two_parts(arena, seconds, 60, 'm', 's');
    if (seconds < 24 * 3600)
        return two_parts(arena, seconds / 60, 60, 'h', 'm');
    return two_parts(arena, seconds / 3600, 24, 'd', 'h');
}
