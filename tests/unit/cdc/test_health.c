/*
 * Health of a slot: rates, predictions, levels with their distance back, and how often it is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cdc/health.h"

#define SECOND ((int64_t)1000000)
#define MB     ((uint64_t)1024 * 1024)

static SlotLook slot(uint64_t retained_mb, int64_t safe_mb)
{
    return (SlotLook){.head = (Lsn)(1000 + retained_mb) * MB,
                      .exists = true,
                      .active = true,
                      .wal_status = "reserved",
                      .reason = "",
                      .retained_bytes = retained_mb * MB,
                      .safe_bytes = safe_mb < 0 ? INT64_MAX : safe_mb * (int64_t)MB,
                      .keep_bytes = -1};
}

static void test_rate_and_time_to_loss(void **state)
{
    (void)state;
    HealthMeter meter = {.max_retained_bytes = 40000 * MB};
    SlotHealth health;
    for (int64_t s = 0; s <= 100; s++) {
        SlotLook look = slot(10 * (uint64_t)s, 20000 - 10 * s);
        health_measure(&meter, &look, s * SECOND, &health);
        assert_int_equal(s >= 5 ? 10 * (int64_t)MB : -1, health.wal_rate);
    }
    assert_int_equal(health.growth, 10 * MB);
    assert_int_equal(health.loss_us, 1900 * SECOND);
    assert_int_equal(health.limit_us, 3900 * SECOND);
    assert_int_equal(health.level, SLOT_WARNING); /* within the hour */
    AUTO_ARENA Arena arena = {0};
    assert_string_equal(health_text(&arena, &health),
                        "retains 1000 MB of WAL, growing by 10 MB/s; its server keeps it for 19 "
                        "GB more; 2% of the plan's limit of 39 GB; at the present rate it is lost "
                        "in 31m 40s; at the present rate the plan's limit is reached in 1h 05m");
}

/* What is held grows by nothing while somebody reads; unread, it grows by what the source writes.
 */
static void test_unread(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    HealthMeter meter = {0};
    SlotHealth health;
    for (int64_t s = 0; s <= 20; s++) {
        SlotLook look = slot(16, 4000);
        look.head = (Lsn)(1000 + 2 * s) * MB;
        health_measure(&meter, &look, s * SECOND, &health);
    }
    assert_int_equal(health.loss_us, -1);
    assert_int_equal(health.unread_us, 2000 * SECOND);
    assert_string_equal(health_unread_text(&arena, &health),
                        "The slot retains 16 MB of WAL, the source writes 2.0 MB/s; at this rate "
                        "it is lost in 33m 20s, unless replication goes on.");
    SlotLook look = slot(16, -1);
    meter = (HealthMeter){0};
    health_measure(&meter, &look, 0, &health);
    assert_int_equal(health.unread_us, -1);
    assert_string_equal(health_unread_text(&arena, &health),
                        "The slot retains 16 MB of WAL; the source keeps what nobody reads without "
                        "a limit, on its disk.");
    look.idle_us = 3600 * SECOND;
    health_measure(&meter, &look, SECOND, &health);
    assert_int_equal(health.unread_us, 3600 * SECOND);
}

/* The window is as long as the ring: what was before it counts no more. */
static void test_rate_forgets(void **state)
{
    (void)state;
    HealthMeter meter = {0};
    SlotHealth health;
    for (int64_t s = 0; s < 2000; s++) {
        SlotLook look = slot(s < 1000 ? (uint64_t)s : 1000, 100000);
        health_measure(&meter, &look, s * SECOND, &health);
    }
    assert_int_equal(health.growth, 0);
    assert_int_equal(health.loss_us, -1);
    assert_int_equal(health.level, SLOT_WELL);
}

static void test_a_slot_that_shrinks_is_not_lost(void **state)
{
    (void)state;
    HealthMeter meter = {.max_retained_bytes = 1000 * MB};
    SlotHealth health;
    for (int64_t s = 0; s < 120; s++) {
        SlotLook look = slot(500 - (uint64_t)s, 500 + s);
        health_measure(&meter, &look, s * SECOND, &health);
    }
    assert_true(health.growth < 0);
    assert_int_equal(health.loss_us, -1);
    assert_int_equal(health.limit_us, -1);
}

typedef struct Turn {
    uint64_t retained_mb;
    SlotLevel level;
    bool told;
} Turn;

static void test_levels_of_the_plans_limit(void **state)
{
    (void)state;
    static const Turn turns[] = {
        {740, SLOT_WELL, false},     {760, SLOT_WARNING, true},   {740, SLOT_WARNING, false},
        {760, SLOT_WARNING, false},  {640, SLOT_WELL, true},      {910, SLOT_CRITICAL, true},
        {890, SLOT_CRITICAL, false}, {1000, SLOT_FULL, true},     {970, SLOT_FULL, false},
        {1200, SLOT_FULL, false},    {940, SLOT_CRITICAL, false}, {700, SLOT_WARNING, false},
        {100, SLOT_WELL, true},      {90, SLOT_WELL, false},
    };
    HealthMeter meter = {.max_retained_bytes = 1000 * MB};
    SlotHealth health;
    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
        SlotLook look = slot(turns[i].retained_mb, -1);
        bool told = health_measure(&meter, &look, (int64_t)i * SECOND / 10, &health);
        assert_int_equal(health.level, turns[i].level);
        assert_int_equal(told, turns[i].told);
    }
}

static void test_a_bad_level_is_repeated_seldom(void **state)
{
    (void)state;
    HealthMeter meter = {.max_retained_bytes = 100 * MB};
    SlotHealth health;
    int told = 0;
    for (int64_t s = 0; s < 3600; s++) {
        SlotLook look = slot(120, -1);
        told += health_measure(&meter, &look, s * SECOND, &health);
    }
    assert_int_equal(told, 6); /* at once, then each ten minutes */
}

static void test_the_servers_limit(void **state)
{
    (void)state;
    SlotHealth health;
    SlotLook look = slot(60, 40);
    assert_false(health_measure(&(HealthMeter){0}, &look, 0, &health));
    look = slot(80, 20);
    assert_true(health_measure(&(HealthMeter){0}, &look, 0, &health));
    assert_int_equal(health.level, SLOT_WARNING);
    look = slot(100, 0);
    look.safe_bytes = -5;
    assert_true(health_measure(&(HealthMeter){0}, &look, 0, &health));
    assert_int_equal(health.level, SLOT_CRITICAL);
    look = slot(10, 1000);
    look.wal_status = "unreserved";
    assert_true(health_measure(&(HealthMeter){0}, &look, 0, &health));
    assert_int_equal(health.level, SLOT_CRITICAL);
}

static void test_idle_timeout(void **state)
{
    (void)state;
    SlotHealth health;
    HealthMeter meter = {0};
    SlotLook look = slot(10, -1);
    look.active = false;
    look.idle_us = 1000 * SECOND;
    for (int64_t s = 1; s <= 70; s++) {
        look.inactive_us = (500 + s) * SECOND;
        health_measure(&meter, &look, s * SECOND, &health);
    }
    assert_int_equal(health.loss_us, 430 * SECOND);
    assert_int_equal(health.level, SLOT_CRITICAL);
    look.active = true;
    health_measure(&meter, &look, 71 * SECOND, &health);
    assert_int_equal(health.level, SLOT_WELL);
}

static void test_lost(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    SlotHealth health;
    SlotLook look = slot(0, -1);
    look.exists = false;
    assert_true(health_measure(&(HealthMeter){0}, &look, 0, &health));
    assert_int_equal(health.level, SLOT_LOST);
    assert_string_equal(health_text(&arena, &health), "is not there any more");
    look = slot(0, -1);
    look.wal_status = "lost";
    look.reason = "wal_removed";
    assert_true(health_measure(&(HealthMeter){0}, &look, 0, &health));
    assert_int_equal(health.level, SLOT_LOST);
    assert_string_equal(health_text(&arena, &health),
                        "was invalidated by its server (wal_removed)");
}

static void test_json(void **state)
{
    (void)state;
    SlotHealth health;
    HealthMeter meter = {0};
    SlotLook look = slot(10, -1);
    health_measure(&meter, &look, 0, &health);
    json_t *json = health_json(&health);
    assert_string_equal(json_string_value(json_object_get(json, "level")), "well");
    assert_true(json_is_null(json_object_get(json, "safe_wal_bytes")));
    assert_true(json_is_null(json_object_get(json, "seconds_to_loss")));
    assert_true(json_is_null(json_object_get(json, "wal_bytes_per_second")));
    assert_int_equal(json_integer_value(json_object_get(json, "retained_bytes")), 10 * MB);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate_and_time_to_loss),
        cmocka_unit_test(test_unread),
        cmocka_unit_test(test_rate_forgets),
        cmocka_unit_test(test_a_slot_that_shrinks_is_not_lost),
        cmocka_unit_test(test_levels_of_the_plans_limit),
        cmocka_unit_test(test_a_bad_level_is_repeated_seldom),
        cmocka_unit_test(test_the_servers_limit),
        cmocka_unit_test(test_idle_timeout),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
