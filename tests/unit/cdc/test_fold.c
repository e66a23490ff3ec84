/*
 * Folding: the net effect of each sequence of changes, and by random histories that the net effect
 * makes of the old table exactly what the history makes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cdc/fold.h"

#define COLUMNS 3 /* k1, k2: the key; v */

static Column columns[COLUMNS] = {{.name = "k1"}, {.name = "k2"}, {.name = "v"}};
static const uint16_t key_columns[] = {0, 1};
static const Key key = {.index_name = "pk", .is_primary = true, .count = 2, .columns = key_columns};
static const Relation relation = {.columns = columns, .column_count = COLUMNS, .key = &key};

static PgoValue text(const char *value)
{
    if (value == NULL)
        return (PgoValue){.kind = PGO_NULL};
    if (strcmp(value, "(u)") == 0)
        return (PgoValue){.kind = PGO_UNCHANGED};
    return (PgoValue){.data = value, .length = (uint32_t)strlen(value), .kind = PGO_TEXT};
}

#define ROW(a, b, c) ((PgoValue[]){text(a), text(b), text(c)})

static void check_row(const Fold *fold, size_t index, FoldNet net, const char *k2, const char *v)
{
    assert_true(index < fold->row_count);
    const FoldRow *row = &fold->rows[index];
    assert_int_equal(fold_net(row), net);
    assert_memory_equal(fold_key(fold, row)[1].data, k2, strlen(k2));
    if (v == NULL)
        return;
    PgoValue want = text(v);
    assert_true(pgo_value_equal(&fold_values(fold, row)[2], &want));
}

static void test_insert_update_delete(void **state)
{
    (void)state;
    Fold fold;
    fold_init(&fold, &relation);
    assert_int_equal(fold_insert(&fold, ROW("a", "1", "x")), FOLD_DONE);
    assert_int_equal(fold_update(&fold, NULL, false, ROW("a", "1", "y")), FOLD_DONE);
    check_row(&fold, 0, NET_INSERT, "1", "y");
    assert_int_equal(fold_delete(&fold, ROW("a", "1", NULL)), FOLD_DONE);
    check_row(&fold, 0, NET_NOTHING, "1", NULL);
    assert_int_equal(fold_insert(&fold, ROW("a", "1", "z")), FOLD_DONE);
    check_row(&fold, 0, NET_INSERT, "1", "z");
    assert_int_equal(fold.row_count, 1);
    fold_release(&fold);
}

static void test_update_then_delete_then_insert(void **state)
{
    (void)state;
    Fold fold;
    fold_init(&fold, &relation);
    assert_int_equal(fold_update(&fold, NULL, false, ROW("a", "1", "x")), FOLD_DONE);
    check_row(&fold, 0, NET_UPDATE, "1", "x");
    assert_int_equal(fold_delete(&fold, ROW("a", "1", NULL)), FOLD_DONE);
    check_row(&fold, 0, NET_DELETE, "1", NULL);
    assert_int_equal(fold_insert(&fold, ROW("a", "1", "z")), FOLD_DONE);
    check_row(&fold, 0, NET_REPLACE, "1", "z");
    assert_int_equal(fold_update(&fold, NULL, false, ROW("a", "1", "(u)")), FOLD_DONE);
    check_row(&fold, 0, NET_REPLACE, "1", "z");
    fold_release(&fold);
}

static void test_unchanged_values_keep_what_is_known(void **state)
{
    (void)state;
    Fold fold;
    fold_init(&fold, &relation);
    assert_int_equal(fold_update(&fold, NULL, false, ROW("a", "1", "(u)")), FOLD_DONE);
    check_row(&fold, 0, NET_UPDATE, "1", "(u)");
    assert_int_equal(fold_update(&fold, NULL, false, ROW("a", "1", "new")), FOLD_DONE);
    assert_int_equal(fold_update(&fold, NULL, false, ROW("a", "1", "(u)")), FOLD_DONE);
    check_row(&fold, 0, NET_UPDATE, "1", "new");
    fold_release(&fold);
}

static void test_key_change(void **state)
{
    (void)state;
    Fold fold;
    fold_init(&fold, &relation);
    assert_int_equal(fold_update(&fold, ROW("a", "1", NULL), false, ROW("a", "2", "x")), FOLD_DONE);
    check_row(&fold, 0, NET_DELETE, "1", NULL);
    check_row(&fold, 1, NET_INSERT, "2", "x");
    /* and back again: the first row is replaced, the second never was */
    assert_int_equal(fold_update(&fold, ROW("a", "2", NULL), false, ROW("a", "1", "(u)")),
                     FOLD_DONE);
    check_row(&fold, 0, NET_REPLACE, "1", "x");
    check_row(&fold, 1, NET_NOTHING, "2", NULL);
    fold_release(&fold);
}

static void test_key_change_with_unchanged_toast(void **state)
{
    (void)state;
    Fold fold;
    fold_init(&fold, &relation);
    assert_int_equal(fold_update(&fold, ROW("a", "1", NULL), false, ROW("a", "2", "(u)")),
                     FOLD_BARRIER);
    fold_clear(&fold);
    /* the value is known from a full old row, or from the piece */
    assert_int_equal(fold_update(&fold, ROW("a", "1", "old"), true, ROW("a", "2", "(u)")),
                     FOLD_DONE);
    check_row(&fold, 1, NET_INSERT, "2", "old");
    fold_clear(&fold);
    assert_int_equal(fold_update(&fold, NULL, false, ROW("a", "1", "mid")), FOLD_DONE);
    assert_int_equal(fold_update(&fold, ROW("a", "1", NULL), false, ROW("a", "2", "(u)")),
                     FOLD_DONE);
    check_row(&fold, 1, NET_INSERT, "2", "mid");
    fold_release(&fold);
}

static void test_key_that_did_not_travel_is_the_old_one(void **state)
{
    (void)state;
    Fold fold;
    fold_init(&fold, &relation);
    assert_int_equal(fold_update(&fold, ROW("a", "1", NULL), false, ROW("(u)", "1", "x")),
                     FOLD_DONE);
    check_row(&fold, 0, NET_UPDATE, "1", "x");
    assert_int_equal(fold_update(&fold, NULL, false, ROW("(u)", "1", "x")), FOLD_IMPOSSIBLE);
    fold_release(&fold);
}

static void test_impossible_histories(void **state)
{
    (void)state;
    Fold fold;
    fold_init(&fold, &relation);
    assert_int_equal(fold_insert(&fold, ROW("a", "1", "x")), FOLD_DONE);
    assert_int_equal(fold_insert(&fold, ROW("a", "1", "x")), FOLD_IMPOSSIBLE);
    assert_int_equal(fold_delete(&fold, ROW("a", "2", NULL)), FOLD_DONE);
    assert_int_equal(fold_delete(&fold, ROW("a", "2", NULL)), FOLD_IMPOSSIBLE);
    assert_int_equal(fold_update(&fold, NULL, false, ROW("a", "2", "x")), FOLD_IMPOSSIBLE);
    assert_int_equal(fold_insert(&fold, ROW("a", NULL, "x")), FOLD_IMPOSSIBLE);
    assert_int_equal(fold_update(&fold, ROW("a", "3", NULL), false, ROW("a", "1", "x")),
                     FOLD_IMPOSSIBLE);
    fold_release(&fold);
}

static void test_keys_are_bytes_with_borders(void **state)
{
    (void)state;
    Fold fold;
    fold_init(&fold, &relation);
    assert_int_equal(fold_insert(&fold, ROW("ab", "c", "1")), FOLD_DONE);
    assert_int_equal(fold_insert(&fold, ROW("a", "bc", "2")), FOLD_DONE);
    assert_int_equal(fold_insert(&fold, ROW("1", "1.0", "3")), FOLD_DONE);
    assert_int_equal(fold_insert(&fold, ROW("1", "1.00", "4")), FOLD_DONE);
    assert_int_equal(fold.row_count, 4);
    fold_release(&fold);
}

/* --- random histories against a plain table --- */

#define KEYS   12
#define VALUES 8

static const char *const KEY_TEXT[KEYS] = {"0", "1", "2", "3", "4",  "5",
                                           "6", "7", "8", "9", "10", "11"};
static const char *const VALUE_TEXT[VALUES] = {"a", "b", "c", "d", "e", "f", "g", NULL};

/* A table: by key, the index of its value + 1; 0: no row. */
typedef struct Model {
    int rows[KEYS];
} Model;

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

static void net_apply(const Fold *fold, Model *model, const Model *before)
{
    int phase_of[] = {[NET_NOTHING] = 9, [NET_DELETE] = 0, [NET_UPDATE] = 1, [NET_INSERT] = 2};
    for (int phase = 0; phase < 3; phase++) {
        for (size_t i = 0; i < fold->row_count; i++) {
            const FoldRow *row = &fold->rows[i];
            FoldNet net = fold_net(row);
            bool now = net == NET_REPLACE ? phase != 1 : phase_of[net] == phase;
            if (!now)
                continue;
            int k = 0;
            PgoValue k2 = fold_key(fold, row)[1];
            while (strlen(KEY_TEXT[k]) != k2.length || memcmp(KEY_TEXT[k], k2.data, k2.length) != 0)
                k++;
            int *at = &model->rows[k];
            if (phase == 0) {
                assert_int_not_equal(*at, 0);
                *at = 0;
                continue;
            }
            if (phase == 1)
                assert_int_not_equal(*at, 0);
            else
                assert_int_equal(*at, 0);
            PgoValue v = fold_values(fold, row)[2];
            int value = v.kind == PGO_UNCHANGED ? before->rows[k] : VALUES;
            for (int i2 = 0; v.kind == PGO_TEXT && i2 < VALUES - 1; i2++) {
                if (memcmp(VALUE_TEXT[i2], v.data, 1) == 0)
                    value = i2 + 1;
            }
            *at = value;
        }
    }
}

static FoldVerdict random_change(Fold *fold, Model *model, uint64_t *seed)
{
    uint32_t k = next_random(seed) % KEYS;
    uint32_t v = next_random(seed) % VALUES;
    int *at = &model->rows[k];
    if (*at == 0) {
        *at = (int)v + 1;
        return fold_insert(fold, ROW("t", KEY_TEXT[k], VALUE_TEXT[v]));
    }
    uint32_t what = next_random(seed) % 4;
    if (what == 0) {
        *at = 0;
        return fold_delete(fold, ROW("t", KEY_TEXT[k], NULL));
    }
    bool toast = next_random(seed) % 4 == 0; /* the value stays and does not travel */
    const char *value = toast ? "(u)" : VALUE_TEXT[v];
    int stored = toast ? *at : (int)v + 1;
    uint32_t other = next_random(seed) % KEYS;
    if (what == 1 && model->rows[other] == 0) {
        FoldVerdict verdict =
            fold_update(fold, ROW("t", KEY_TEXT[k], NULL), false, ROW("t", KEY_TEXT[other], value));
        if (verdict == FOLD_DONE) {
            *at = 0;
            model->rows[other] = stored;
        }
        return verdict;
    }
    *at = stored;
    return fold_update(fold, NULL, false, ROW("t", KEY_TEXT[k], value));
}

static void test_random_histories(void **state)
{
    (void)state;
    Fold fold;
    fold_init(&fold, &relation);
    uint64_t seed = 20261121;
    size_t barriers = 0;
    for (int round = 0; round < 4000; round++) {
        Model before = {0};
        for (int k = 0; k < KEYS; k++)
            before.rows[k] = (int)(next_random(&seed) % (VALUES + 1));
        Model wanted = before;
        Model folded = before;
        fold_clear(&fold);
        uint32_t changes = next_random(&seed) % 60;
        for (uint32_t i = 0; i < changes; i++) {
            FoldVerdict verdict = random_change(&fold, &wanted, &seed);
            assert_int_not_equal(verdict, FOLD_IMPOSSIBLE);
            barriers += verdict == FOLD_BARRIER ? 1 : 0;
        }
        net_apply(&fold, &folded, &before);
        assert_memory_equal(folded.rows, wanted.rows, sizeof(wanted.rows));
    }
    assert_true(barriers > 0);
    fold_release(&fold);
}

/* Many rows: the table grows, nothing is mixed up. */
static void test_many_rows(void **state)
{
    (void)state;
    enum { ROWS = 50000 };
    AUTO_ARENA Arena arena = {0};
    Fold fold;
    fold_init(&fold, &relation);
    for (int i = 0; i < ROWS; i++) {
        const char *k = arena_printf(&arena, "%d", i);
        assert_int_equal(fold_insert(&fold, ROW("t", k, k)), FOLD_DONE);
    }
    for (int i = 0; i < ROWS; i += 2)
        assert_int_equal(fold_delete(&fold, ROW("t", arena_printf(&arena, "%d", i), NULL)),
                         FOLD_DONE);
    assert_int_equal(fold.row_count, ROWS);
    for (int i = 0; i < ROWS; i++)
        check_row(&fold, (size_t)i, i % 2 == 0 ? NET_NOTHING : NET_INSERT,
                  arena_printf(&arena, "%d", i), NULL);
    fold_release(&fold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_insert_update_delete),
        cmocka_unit_test(test_update_then_delete_then_insert),
        cmocka_unit_test(test_unchanged_values_keep_what_is_known),
        cmocka_unit_test(test_key_change),
        cmocka_unit_test(test_key_change_with_unchanged_toast),
        cmocka_unit_test(test_key_that_did_not_travel_is_the_old_one),
        cmocka_unit_test(test_impossible_histories),
        cmocka_unit_test(test_keys_are_bytes_with_borders),
        cmocka_unit_test(test_random_histories),
        cmocka_unit_test(test_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
