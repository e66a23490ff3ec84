/*
 * The live rule as a function: its cases one by one, then ten thousand random histories of one row,
 * whose commits are decoded long before the source's sessions see them, and applied late: a right
 * target must never be called different, and a wrong one always is.
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
        0, "", "", false                                                                           \
    }
#define ROW(sum, version)                                                                          \
    {                                                                                              \
        1, sum, version, false                                                                     \
    }
#define HELD(sum, version)                                                                         \
    {                                                                                              \
        1, sum, version, true                                                                      \
    }
#define HISTORIES            10000
#define MOMENTS              96
#define LOOKS_UNTIL_DECISION 5

typedef struct VerdictRow {
    const char *what;
    Seen first, target, second, earlier;
    bool has_earlier, settled;
    Verdict want;
} VerdictRow;

static const VerdictRow ROWS[] = {
    {"equal", ROW("5", "10"), ROW("5", "90"), ROW("5", "10"), NONE, false, false, VERDICT_SAME},
    {"equal to what it was before", ROW("5", "10"), ROW("5", "90"), ROW("6", "11"), NONE, false,
     false, VERDICT_SAME},
    {"equal to what it became", ROW("5", "10"), ROW("6", "90"), ROW("6", "11"), NONE, false, false,
     VERDICT_SAME},
    {"nobody's on the source, other on the target", ROW("5", "10"), ROW("7", "90"), ROW("5", "10"),
     NONE, false, false, VERDICT_DIFFERENT},
    {"nobody's on the source, absent on the target", ROW("5", "10"), NONE, ROW("5", "10"), NONE,
     false, false, VERDICT_DIFFERENT},
    {"held on the source, other on the target", HELD("5", "10"), ROW("7", "90"), HELD("5", "10"),
     NONE, false, false, VERDICT_APART},
    {"held on the source, absent on the target", HELD("5", "10"), NONE, HELD("5", "10"), NONE,
     false, false, VERDICT_APART},
    {"held, still there", HELD("5", "10"), ROW("7", "90"), HELD("5", "10"), ROW("7", "90"), true,
     false, VERDICT_STANDS},
    {"held, still there, settled", HELD("5", "10"), ROW("7", "90"), HELD("5", "10"), ROW("7", "90"),
     true, true, VERDICT_DIFFERENT},
    {"held since the first read", ROW("5", "10"), ROW("7", "90"), HELD("5", "10"), NONE, false,
     false, VERDICT_APART},
    {"the target gets on while the source stands", HELD("5", "10"), ROW("7", "91"), HELD("5", "10"),
     ROW("6", "90"), true, true, VERDICT_APART},
    {"written in between", ROW("5", "10"), ROW("7", "90"), ROW("6", "11"), NONE, false, false,
     VERDICT_LOOK_AGAIN},
    {"written in between, settled before", ROW("5", "10"), ROW("7", "90"), ROW("6", "11"),
     ROW("7", "90"), true, true, VERDICT_LOOK_AGAIN},
    {"written in between, with the value it had", ROW("5", "10"), ROW("7", "90"), ROW("5", "12"),
     NONE, false, false, VERDICT_LOOK_AGAIN},
    {"absent on both", NONE, NONE, NONE, NONE, false, false, VERDICT_SAME},
    {"only on the target, seen once", NONE, ROW("7", "90"), NONE, NONE, false, false,
     VERDICT_APART},
    {"only on the target, the same version twice", NONE, ROW("7", "90"), NONE, ROW("7", "90"), true,
     false, VERDICT_STANDS},
    {"only on the target, settled", NONE, ROW("7", "90"), NONE, ROW("7", "90"), true, true,
     VERDICT_DIFFERENT},
    {"only on the target, another version", NONE, ROW("7", "91"), NONE, ROW("7", "90"), true, true,
     VERDICT_APART},
    {"a copy too many, seen once",
     ROW("5", "10"),
     {2, "10", "90,90", false},
     ROW("5", "10"),
     NONE,
     false,
     false,
     VERDICT_APART},
    {"a copy too many, settled",
     ROW("5", "10"),
     {2, "10", "90,90", false},
     ROW("5", "10"),
     {2, "10", "90,90", false},
     true,
     true,
     VERDICT_DIFFERENT},
    {"a copy too few",
     {2, "10", "10,11", false},
     ROW("5", "90"),
     {2, "10", "10,11", false},
     NONE,
     false,
     false,
     VERDICT_DIFFERENT},
    {"a copy too few, one of them held",
     {2, "10", "10,11", true},
     ROW("5", "90"),
     {2, "10", "10,11", true},
     NONE,
     false,
     false,
     VERDICT_APART},
    {"as many, others",
     {2, "10", "10,11", false},
     {2, "11", "90,90", false},
     {2, "10", "10,11", false},
     NONE,
     false,
     false,
     VERDICT_APART},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        const VerdictRow *row = &ROWS[i];
        Verdict got = verdict_of(&row->first, &row->target, &row->second,
                                 row->has_earlier ? &row->earlier : NULL, row->settled);
        if (got != row->want)
            fail_msg("%s: %d, not %d", row->what, (int)got, (int)row->want);
    }
}

/* One write of the row: from `begun` on it holds its locks, from `flushed` on it may be applied,
 * from `seen` on the source's other sessions see it. The next begins when this one is seen. */
typedef struct Write {
    int begun, flushed, seen;
    Seen source, target;
    bool locked; /* somebody locked the row afterwards: its xmax stays */
} Write;

typedef struct History {
    Write writes[MOMENTS + 1]; /* the first is there from the beginning */
    int count;
} History;

static char numbers[MOMENTS * 2][8];

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int random_below(uint64_t *seed, int limit)
{
    return (int)(random_next(seed) % (unsigned)limit);
}

static void history_make(History *history, uint64_t *seed)
{
    int writes_until = random_below(seed, MOMENTS);
    history->count = 0;
    for (int t = 0; history->count == 0 || t < writes_until;) {
        Write *write = &history->writes[history->count];
        bool there = random_next(seed) % 3 != 0;
        char *value = numbers[random_next(seed) % 3];
        bool hangs = random_next(seed) % 4 == 0;
        write->begun = t + random_below(seed, 4);
        write->flushed = write->begun + random_below(seed, 3);
        write->seen = write->flushed + random_below(seed, hangs ? 30 : 2);
        if (history->count == 0)
            write->begun = write->flushed = write->seen = 0;
        write->source = (Seen){there, there ? value : "", there ? numbers[history->count] : "", 0};
        write->target =
            (Seen){there, there ? value : "", there ? numbers[MOMENTS + history->count] : "", 0};
        write->locked = random_next(seed) % 3 == 0;
        t = write->seen + (history->count == 0 ? 0 : random_below(seed, 2));
        history->count++;
    }
}

static Seen source_at(const History *history, int t)
{
    int last = history->count - 1;
    while (history->writes[last].seen > t)
        last--;
    Seen seen = history->writes[last].source;
    bool in_flight = last + 1 < history->count && history->writes[last + 1].begun <= t;
    seen.held = seen.copies > 0 && (in_flight || history->writes[last].locked);
    return seen;
}

/* The newest write that may be applied. */
static int flushed_at(const History *history, int t)
{
    int last = history->count - 1;
    while (history->writes[last].flushed > t)
        last--;
    return last;
}

static int seen_at(const History *history, int t)
{
    int last = history->count - 1;
    while (history->writes[last].seen > t)
        last--;
    return last;
}

/* Who writes the relation: the one of this row, -1 for none. One that has not committed may be
 * idle. */
static int writer_at(const History *history, int t, uint64_t *seed)
{
    for (int i = 0; i < history->count; i++) {
        const Write *write = &history->writes[i];
        bool idle = t < write->flushed && random_next(seed) % 2 == 0;
        if (write->begun <= t && t < write->seen && !idle)
            return i;
    }
    return -1;
}

/* Looks as suspects.c does; apply lags at random but never behind what was waited for.
 * \param wrong NULL: the target is right; else what it holds instead
 * \return how it ended; VERDICT_LOOK_AGAIN: the moments ran out. */
static Verdict looks(const History *history, const Seen *wrong, uint64_t *seed)
{
    int t = 0;
    int applied = 0;
    int writer = -1;
    bool stood = false;
    bool settled = false;
    Seen first = source_at(history, 0);
    Seen earlier = {0};
    for (int look = 0; t + 5 < MOMENTS; look++) {
        int waited_for = seen_at(history, t);
        t += 1 + random_below(seed, 2);
        if (applied < waited_for)
            applied = waited_for;
        if (applied < flushed_at(history, t))
            applied += random_below(seed, flushed_at(history, t) - applied + 1);
        Seen target = wrong != NULL ? *wrong : history->writes[applied].target;
        t += random_below(seed, 2);
        int writer_before = writer;
        writer = writer_at(history, t, seed);
        bool gone = look > 0 && (writer_before < 0 || writer_before != writer);
        t += random_below(seed, 2);
        Seen second = source_at(history, t);
        Verdict verdict = verdict_of(&first, &target, &second, stood ? &earlier : NULL, settled);
        if (verdict == VERDICT_SAME || verdict == VERDICT_DIFFERENT)
            return verdict;
        settled = verdict == VERDICT_STANDS && (settled || gone);
        stood = verdict == VERDICT_APART || verdict == VERDICT_STANDS;
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
        for (int w = 0; w < history.count; w++)
            ever_absent |= history.writes[w].source.copies == 0;
        if (wrong == &absent && ever_absent)
            continue; /* the target was right at times */
        Verdict verdict = looks(&history, wrong, &seed);
        if (verdict == VERDICT_SAME)
            fail_msg("history %d: a wrong target was called the same", i);
        bool time_enough =
            history.writes[history.count - 1].seen + 4 * LOOKS_UNTIL_DECISION + 5 < MOMENTS;
        if (time_enough && verdict != VERDICT_DIFFERENT)
            fail_msg("history %d: a wrong target was not found", i);
        decided += verdict == VERDICT_DIFFERENT;
    }
    assert_true(decided > HISTORIES / 4);
}

/* A row that is written all the time ends the looks at once where it is compared later, and only
 * there; one that stands and differs does not. */
static void test_patience(void **state)
{
    (void)state;
    static const struct {
        Looked looked;
        bool enough;
    } CASES[] = {
        {{.count = 4, .for_ms = 9000, .written = 4, .compared = true}, false},
        {{.count = 5, .for_ms = 1000, .written = 5, .compared = true}, false},
        {{.count = 5, .for_ms = 2000, .written = 5, .compared = true}, true},
        {{.count = 90, .for_ms = 50000, .written = 90, .compared = false}, false},
        {{.count = 90, .for_ms = 50000, .written = 4, .compared = true}, false},
        {{.count = 90, .for_ms = 60001, .written = 0, .compared = true}, true},
        {{.count = 19, .for_ms = 60001, .written = 0, .compared = true}, false},
        {{.count = 3, .for_ms = 180000, .written = 0, .compared = false}, true},
        {{.count = 20, .for_ms = 0, .written = 0, .hurried = true}, true},
        {{.count = 19, .for_ms = 0, .written = 0, .hurried = true}, false},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++)
        if (looked_enough(&CASES[i].looked) != CASES[i].enough)
            fail_msg("case %zu", i);
}

int main(void)
{
    for (int i = 0; i < MOMENTS * 2; i++)
        snprintf(numbers[i], sizeof(numbers[i]), "%d", i);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_false_alarm),
        cmocka_unit_test(test_no_miss),
        cmocka_unit_test(test_patience),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
