/*
 * Arena, Vec and Str: alignment, zeroing, growth, reuse; and what a Str's ceiling does.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void arena_memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    unsigned char *before = NULL;
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *memory = arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xEE, size);
        if (before != NULL && size > 7)
            assert_int_equal(before[size - 8], 0xEE);
        before = memory;
    }
    unsigned char *large = arena_alloc(&arena, 3 * 1024 * 1024);
    assert_int_equal(large[3 * 1024 * 1024 - 1], 0);
    assert_true(arena.total_bytes >= 3 * 1024 * 1024);
}

static void arena_reset_keeps_one_block(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    arena_reset(&arena);
    for (int i = 0; i < 1000; i++)
        arena_alloc(&arena, 100);
    arena_reset(&arena);
    size_t kept = arena.total_bytes;
    assert_true(kept >= 4096);
    for (int round = 0; round < 100; round++) {
        char *memory = arena_alloc(&arena, 64);
        assert_int_equal(memory[0], 0);
        memory[0] = 'x';
        arena_reset(&arena);
    }
    assert_int_equal(arena.total_bytes, kept);
    arena_release(&arena);
    assert_int_equal(arena.total_bytes, 0);
    assert_string_equal(arena_strdup(&arena, "again"), "again");
}

static void arena_copies_are_terminated(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    assert_null(arena_strdup(&arena, NULL));
    char *bytes = arena_memdup(&arena, "a\0b", 3);
    assert_memory_equal(bytes, "a\0b\0", 4);
    assert_string_equal(arena_memdup(&arena, NULL, 0), "");
    assert_string_equal(arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
}

static void a_vec_grows_without_losing_items(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    VEC(int) numbers = {0};
    for (int i = 0; i < 1000; i++) {
        int *item = vec_push(&arena, &numbers);
        assert_int_equal(*item, 0);
        *item = i;
    }
    assert_int_equal(numbers.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers.items[i], i);
}

static void a_str_is_terminated_at_every_step(void **state)
{
    (void)state;
    AUTO_STR Str text = {0};
    assert_string_equal(str_text(&text), "");
    for (int i = 0; i < 500; i++) {
        str_append_char(&text, 'a');
        assert_int_equal(strlen(text.data), (size_t)i + 1);
    }
    str_reset(&text);
    assert_string_equal(str_text(&text), "");
    str_append(&text, "x=");
    str_appendf(&text, "%d", 12);
    str_append_bytes(&text, "\0y", 2);
    assert_int_equal(text.length, 6);
    assert_memory_equal(text.data, "x=12\0y", 7);
    char *room = str_reserve(&text, 10);
    assert_ptr_equal(room, text.data + 6);
    AUTO_ARENA Arena arena = {0};
    assert_memory_equal(str_dup(&arena, &text), "x=12\0y", 7);
    str_release(&text);
    assert_string_equal(str_text(&text), "");
}

/* Runs a function that must end the process with a status. */
static void must_exit(void (*function)(void), int status)
{
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(99);
        function();
        _exit(0);
    }
    int result = 0;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), status);
}

static void grow_beyond_the_ceiling(void)
{
    Str text = {.ceiling_bytes = 8};
    str_append(&text, "12345678");
    str_append_char(&text, '9');
}

static void stay_at_the_ceiling(void)
{
    Str text = {.ceiling_bytes = 8};
    str_append(&text, "12345678");
    str_release(&text);
}

static void want_too_much(void)
{
    Arena arena = {0};
    arena_alloc(&arena, SIZE_MAX - 100);
}

static void limits_end_the_process(void **state)
{
    (void)state;
    must_exit(stay_at_the_ceiling, 0);
    must_exit(grow_beyond_the_ceiling, 70);
    must_exit(want_too_much, 1);
}

static void texts_compare(void **state)
{
    (void)state;
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("a", "A"));
    assert_true(text_equal("a", "a"));
    assert_true(text_starts_with("abc", "ab"));
    assert_true(text_starts_with("abc", ""));
    assert_false(text_starts_with("a", "ab"));
}

typedef struct Numbered {
    char tag;
    uint32_t number;
} Numbered;

/* Put in where vec_place() says, whatever the order they come in, they stand sorted. */
static void vectors_stay_sorted(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    VEC(Numbered) sorted = {0};
    assert_int_equal(vec_place(&sorted, number, 5), 0);
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t number = i * 37 % 100 * 2;
        size_t at = vec_place(&sorted, number, number);
        *vec_insert(&arena, &sorted, at) = (Numbered){'x', number};
    }
    assert_int_equal(sorted.count, 100);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(sorted.items[i].number, i * 2);
        assert_int_equal(vec_place(&sorted, number, i * 2), i);
        assert_int_equal(vec_place(&sorted, number, i * 2 + 1), i + 1);
    }
    assert_int_equal(vec_place(&sorted, number, UINT32_MAX), 100);
    assert_int_equal(vec_insert(&arena, &sorted, 3)->number, 0);
    assert_int_equal(sorted.items[4].number, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(arena_reset_keeps_one_block),
        cmocka_unit_test(arena_copies_are_terminated),
        cmocka_unit_test(a_vec_grows_without_losing_items),
        cmocka_unit_test(vectors_stay_sorted),
        cmocka_unit_test(a_str_is_terminated_at_every_step),
        cmocka_unit_test(limits_end_the_process),
        cmocka_unit_test(texts_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
