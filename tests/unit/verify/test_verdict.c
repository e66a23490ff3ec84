/*
 * The live rule as a function: its cases one by one, then ten thousand random histories of one row,
 * replicated late, where a right target must never be called different and a wrong one always is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "verify/verify_internal.h"

#define NONE                                                                                       \
    {                                                                                              \
        0, "", ""                                                                                  \
    }
#define ROW(sum, version)                                                                          \
    {                                                                                              \
        1, sum, version                                                                            \
    }
#define HISTORIES            10000
#define MOMENTS              64
#define LOOKS_UNTIL_DECISION 3

typedef struct VerdictRow {
    const char *what;
    Seen first, target, second, earlier;
    bool has_earlier;
    Verdict want;
} VerdictRow;

static const VerdictRow ROWS[] = {
    {"equal", ROW("5", "10"), ROW("5", "90"), ROW("5", "10"), NONE, false, VERDICT_SAME},
    {"equal to what it was before", ROW("5", "10"), ROW("5", "90"), ROW("6", "11"), NONE, false,
     VERDICT_SAME},
    {"equal to what it became", ROW("5", "10"), ROW("6", "90"), ROW("6", "11"), NONE, false,
     VERDICT_SAME},
    {"unchanged on the source, other on the target", ROW("5", "10"), ROW("7", "90"), ROW("5", "10"),
     ROW("7", "90"), true, VERDICT_DIFFERENT},
    {"unchanged on the source, other on the target, seen once", ROW("5", "10"), ROW("7", "90"),
     ROW("5", "10"), NONE, false, VERDICT_LOOK_AGAIN},
    {"the target gets on while the source stands", ROW("5", "10"), ROW("7", "91"), ROW("5", "10"),
     ROW("6", "90"), true, VERDICT_LOOK_AGAIN},
    {"unchanged on the source, absent on the target", ROW("5", "10"), NONE, ROW("5", "10"), NONE,
     true, VERDICT_DIFFERENT},
    {"unchanged on the source, absent on the target, seen once", ROW("5", "10"), NONE,
     ROW("5", "10"), NONE, false, VERDICT_LOOK_AGAIN},
    {"written in between", ROW("5", "10"), ROW("7", "90"), ROW("6", "11"), NONE, false,
     VERDICT_LOOK_AGAIN},
    {"written in between, with the value it had", ROW("5", "10"), ROW("7", "90"), ROW("5", "12"),
     NONE, false, VERDICT_LOOK_AGAIN},
    {"absent on both", NONE, NONE, NONE, NONE, false, VERDICT_SAME},
    {"only on the target, seen once", NONE, ROW("7", "90"), NONE, NONE, false, VERDICT_LOOK_AGAIN},
    {"only on the target, the same version twice", NONE, ROW("7", "90"), NONE, ROW("7", "90"), true,
     VERDICT_DIFFERENT},
    {"only on the target, another version", NONE, ROW("7", "91"), NONE, ROW("7", "90"), true,
     VERDICT_LOOK_AGAIN},
    {"a copy too many, seen once",
     ROW("5", "10"),
     {2, "10", "90,90"},
     ROW("5", "10"),
     NONE,
     false,
     VERDICT_LOOK_AGAIN},
    {"a copy too many, still there",
     ROW("5", "10"),
     {2, "10", "90,90"},
     ROW("5", "10"),
     {2, "10", "90,90"},
     true,
     VERDICT_DIFFERENT},
    {"a copy too few",
     {2, "10", "10,11"},
     ROW("5", "90"),
     {2, "10", "10,11"},
     ROW("5", "90"),
     true,
     VERDICT_DIFFERENT},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        const VerdictRow *row = &ROWS[i];
        Verdict got = verdict_of(&row->first, &row->target, &row->second,
                                 row->has_earlier ? &row->earlier : NULL);
        if (got != row->want)
            fail_msg("%s: %d, not %d", row->what, (int)got, (int)row->want);
    }
}

/* One row through time: what the source holds at each moment, and for the same content the target's
 * own versions. */
typedef struct History {
    Seen source[MOMENTS];
    Seen target[MOMENTS]; /* the target once it has applied the source's moment */
    int last_write;
} History;

static char numbers[MOMENTS * 2][8];

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void history_make(History *history, uint64_t *seed)
{
    bool there = random_next(seed) % 2 == 0;
    unsigned value = 0;
    history->last_write = 0;
    int writes_until = (int)(random_next(seed) % MOMENTS);
    for (int t = 0; t < MOMENTS; t++) {
        bool write = t == 0 || (t < writes_until && random_next(seed) % 3 == 0);
        if (!write) {
            history->source[t] = history->source[t - 1];
            history->target[t] = history->target[t - 1];
            continue;
        }
        history->last_write = t;
        there = random_next(seed) % 3 != 0;
        value = (unsigned)(random_next(seed) % 3);
        history->source[t] = (Seen){there, there ? numbers[value] : "", there ? numbers[t] : ""};
        history->target[t] =
            (Seen){there, there ? numbers[value] : "", there ? numbers[MOMENTS + t] : ""};
    }
}

/* Looks as suspects.c does, at growing moments; apply lags at random but never behind what was
 * waited for. \param wrong NULL: the target is right; else what it holds instead
 * \return how it ended; VERDICT_LOOK_AGAIN: the moments ran out. */
static Verdict looks(const History *history, const Seen *wrong, uint64_t *seed)
{
    int t = 0;
    int applied = 0;
    Seen first = history->source[0];
    Seen earlier = {0};
    for (int look = 0; t + 3 < MOMENTS; look++) {
        int waited_for = t;
        t += 1 + (int)(random_next(seed) % 2);
        if (applied < waited_for)
            applied = waited_for;
        if (applied < t)
            applied += (int)(random_next(seed) % (unsigned)(t - applied + 1));
        Seen target = wrong != NULL ? *wrong : history->target[applied];
        t += (int)(random_next(seed) % 2);
        Seen second = history->source[t];
        Verdict verdict = verdict_of(&first, &target, &second, look == 0 ? NULL : &earlier);
        if (verdict != VERDICT_LOOK_AGAIN)
            return verdict;
        first = second;
        earlier = target;
    }
    return VERDICT_LOOK_AGAIN;
}

static void test_no_false_alarm(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252U;
    int same = 0;
    for (int i = 0; i < HISTORIES; i++) {
        History history;
        history_make(&history, &seed);
        Verdict verdict = looks(&history, NULL, &seed);
        if (verdict == VERDICT_DIFFERENT)
            fail_msg("history %d: a right target was called different", i);
        same += verdict == VERDICT_SAME;
    }
    assert_true(same > HISTORIES * 9 / 10);
}

static void test_no_miss(void **state)
{
    (void)state;
    uint64_t seed = 362436069362436069U;
    const Seen other = ROW("other", "1");
    const Seen absent = NONE;
    int decided = 0;
    for (int i = 0; i < HISTORIES; i++) {
        History history;
        history_make(&history, &seed);
        const Seen *wrong = i % 2 == 0 ? &other : &absent;
        bool ever_absent = false;
        for (int t = 0; t < MOMENTS; t++)
            ever_absent |= history.source[t].copies == 0;
        if (wrong == &absent && ever_absent)
            continue; /* the target was right at times */
        Verdict verdict = looks(&history, wrong, &seed);
        if (verdict == VERDICT_SAME)
            fail_msg("history %d: a wrong target was called the same", i);
        bool time_enough = history.last_write + 5 * LOOKS_UNTIL_DECISION < MOMENTS;
        if (time_enough && verdict != VERDICT_DIFFERENT)
            fail_msg("history %d: a wrong target was not found", i);
        decided += verdict == VERDICT_DIFFERENT;
    }
    assert_true(decided > HISTORIES / 4);
}

int main(void)
{
    for (int i = 0; i < MOMENTS * 2; i++)
        snprintf(numbers[i], sizeof(numbers[i]), "%d", i);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_false_alarm),
        cmocka_unit_test(test_no_miss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
