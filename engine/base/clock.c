/*
 * Clocks, by clock_gettime().
 */
#include "base/clock.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_ms(void)
{
    return clock_us() / 1000;
}

int64_t clock_unix_us(void)
{
    return read_us(CLOCK_REALTIME);
}

char *clock_rfc3339(Arena *arena, int64_t unix_us)
{
    time_t seconds = (time_t)(unix_us / 1000000);
    int millis = (int)(unix_us % 1000000 / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                        utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, millis);
}

bool clock_is_date(const char *text)
{
    struct tm day = {0};
    char again[16];
    const char *end = strptime(text, "%Y-%m-%d", &day);
    if (end == NULL || *end != '\0' || end - text != (ptrdiff_t)strlen("2026-12-31"))
        return false; /* strptime takes the year 26, and strftime gives it back */
    day.tm_isdst = 0;
    timegm(&day); /* the 31st of a short month becomes the 1st of the next */
    return strftime(again, sizeof(again), "%Y-%m-%d", &day) > 0 && strcmp(again, text) == 0;
}
