/*
 * Units: exact values at the edges, everything else refused; texts for people.
 */
#include "base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

typedef struct SizeCase {
    const char *text;
    uint64_t bytes;
} SizeCase;

static void sizes_are_exact(void **state)
{
    (void)state;
    static const SizeCase CASES[] = {
        {"0", 0},
        {"17", 17},
        {"007", 7},
        {"1B", 1},
        {"1kB", 1024},
        {"1KB", 1024},
        {"16MB", 16777216},
        {"16 MB", 16777216},
        {"1GB", 1073741824},
        {"1.5GB", 1610612736},
        {"0.5kB", 512},
        {"1.1kB", 1126},
        {"0.0009765625kB", 1},
        {"0.3B", 0},
        {"0.5B", 1},
        {"1TB", UINT64_C(1099511627776)},
        {"8388607TB", UINT64_C(9223370937343148032)},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775807B", INT64_MAX},
        {"9007199254740991kB", UINT64_C(9223372036854774784)},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        uint64_t bytes = 99;
        if (!units_size_parse(CASES[i].text, &bytes))
            fail_msg("\"%s\" is refused", CASES[i].text);
        assert_int_equal(bytes, CASES[i].bytes);
    }
}

static void other_sizes_are_refused(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "",
        " ",
        "MB",
        "-1",
        "+1",
        "1 ",
        " 1",
        "1mb",
        "1Mb",
        "1K",
        "1k",
        "1GiB",
        "1.5",
        "1.",
        ".5GB",
        "1,5GB",
        "1e3",
        "0x10",
        "1GB ",
        "1GBx",
        "1 GB 2MB",
        "1\tMB",
        "1PB",
        "8388608TB",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999TB",
        "1.0000000000001GB",
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        uint64_t bytes = 99;
        if (units_size_parse(CASES[i], &bytes))
            fail_msg("\"%s\" is accepted", CASES[i]);
        assert_int_equal(bytes, 99);
    }
}

typedef struct IntervalCase {
    const char *text;
    int64_t us;
} IntervalCase;

static void intervals_are_exact(void **state)
{
    (void)state;
    static const IntervalCase CASES[] = {
        {"0s", 0},
        {"1us", 1},
        {"1 microsecond", 1},
        {"87ms", 87000},
        {"1.5 ms", 1500},
        {"90s", 90000000},
        {"2.4s", 2400000},
        {"1 sec", 1000000},
        {"5min", 300000000},
        {"2 minutes", 120000000},
        {"4 hours", INT64_C(14400000000)},
        {"1h30min", INT64_C(5400000000)},
        {"1h 30min", INT64_C(5400000000)},
        {"1 day 12 hours", INT64_C(129600000000)},
        {"7 days", INT64_C(604800000000)},
        {"1d", INT64_C(86400000000)},
        {"2w", INT64_C(1209600000000)},
        {"1 week", INT64_C(604800000000)},
        {"0.5us", 1},
        {"9223372036854775807us", INT64_MAX},
        {"9223372036854s 775807us", INT64_MAX},
        {"106751991 days", INT64_C(9223372022400000000)},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        int64_t us = -1;
        if (!units_interval_parse(CASES[i].text, &us))
            fail_msg("\"%s\" is refused", CASES[i].text);
        assert_int_equal(us, CASES[i].us);
    }
}

static void other_intervals_are_refused(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "",
        " ",
        "5",
        "0",
        "s",
        "-1s",
        "+1s",
        "1 m",
        "1m",
        "1 month",
        "1 year",
        "1 mon",
        "1S",
        "1 Day",
        "1s ",
        " 1s",
        "1s,2s",
        "1 day 12",
        "12:30:00",
        "1 fortnight",
        "1.s",
        ".5s",
        "1ss",
        "1e3s",
        "infinity",
        "1\ts",
        "9223372036854775808us",
        "9223372036854s 775808us",
        "106751992 days",
        "99999999999999999999s",
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        int64_t us = -7;
        if (units_interval_parse(CASES[i], &us))
            fail_msg("\"%s\" is accepted", CASES[i]);
        assert_int_equal(us, -7);
    }
}

static void integers_are_strict(void **state)
{
    (void)state;
    uint32_t narrow = 0;
    uint64_t wide = 0;
    assert_true(units_uint32_parse("0", &narrow));
    assert_int_equal(narrow, 0);
    assert_true(units_uint32_parse("4294967295", &narrow));
    assert_int_equal(narrow, UINT32_MAX);
    assert_true(units_uint64_parse("18446744073709551615", &wide));
    assert_true(wide == UINT64_MAX);
    static const char *const CASES[] = {"",
                                        "00",
                                        "01",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1x",
                                        "0x10",
                                        "1e3",
                                        "1_0",
                                        "1.0",
                                        "٣",
                                        "18446744073709551616",
                                        "99999999999999999999"};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        if (units_uint64_parse(CASES[i], &wide) || units_uint32_parse(CASES[i], &narrow))
            fail_msg("\"%s\" is accepted", CASES[i]);
    }
    assert_false(units_uint32_parse("4294967296", &narrow));
    assert_int_equal(narrow, UINT32_MAX);
}

static void sizes_read_well(void **state)
{
    (void)state;
    static const SizeCase CASES[] = {
        {"0 bytes", 0},
        {"1 byte", 1},
        {"17 bytes", 17},
        {"1023 bytes", 1023},
        {"1.0 kB", 1024},
        {"1.5 kB", 1536},
        {"812 kB", 831488},
        {"1.0 MB", 1048575},
        {"16 MB", 16777216},
        {"1.3 GB", UINT64_C(1395864371)},
        {"1.0 TB", UINT64_C(1099511627776)},
        {"16 EB", UINT64_MAX},
    };
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_string_equal(units_size_text(&arena, CASES[i].bytes), CASES[i].text);
}

static void intervals_read_well(void **state)
{
    (void)state;
    static const IntervalCase CASES[] = {
        {"0ms", 0},
        {"1us", 1},
        {"999us", 999},
        {"1ms", 1000},
        {"87ms", 87900},
        {"999ms", 999999},
        {"1.0s", 1000000},
        {"2.4s", 2400000},
        {"59.9s", 59949999},
        {"1m 00s", 59950000},
        {"3m 05s", 185000000},
        {"59m 59s", 3599499999},
        {"1h 00m", 3599500000},
        {"1h 02m", 3720000000},
        {"23h 59m", 86399000000},
        {"1d 00h", 86400000000},
        {"2d 03h", 183600000000},
        {"-2.4s", -2400000},
    };
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_string_equal(units_interval_text(&arena, CASES[i].us), CASES[i].text);
    assert_string_equal(units_interval_text(&arena, INT64_MIN), "-106751991d 04h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_exact),     cmocka_unit_test(other_sizes_are_refused),
        cmocka_unit_test(intervals_are_exact), cmocka_unit_test(other_intervals_are_refused),
        cmocka_unit_test(integers_are_strict), cmocka_unit_test(sizes_read_well),
        cmocka_unit_test(intervals_read_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
