/*
 * The pages in docs/keys are the ones that the tables give: one for each key of the plan, and one
 * that lists them all. GODWIT_GOLDEN=write rewrites them.
 */
#include "plan/reference.h"

#include "base/str.h"
#include "lib/golden.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGES "docs/keys/"

static void compare(Arena *arena, const char *path, const char *text)
{
    golden_write(path, text);
    if (strcmp(file_text(arena, path), text) != 0)
        fail_msg("%s is not what the tables give: run this test with GODWIT_GOLDEN=write", path);
}

static void the_pages_are_the_generated_ones(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    size_t keys = 0;
    for (; reference_top(keys) != NULL; keys++) {
        const char *key = reference_top(keys);
        compare(&arena, arena_printf(&arena, PAGES "%s.md", key), reference_page(&arena, key));
    }
    compare(&arena, PAGES "README.md", reference_index(&arena));
    size_t files = 0;
    DIR *directory = opendir(PAGES);
    assert_non_null(directory);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
        files += entry->d_name[0] != '.';
    closedir(directory);
    assert_int_equal(files, keys + 1);
}

static void a_key_is_found_by_its_path(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    const char *where = reference_page(&arena, "select.rows[].where");
    assert_string_equal(where, reference_page(&arena, "select.rows.where"));
    assert_non_null(strstr(where, "\n## `select.rows[].where`\n"));
    assert_non_null(strstr(where, "- needed: yes\n"));
    const char *slot = reference_page(&arena, "replication.slot");
    assert_non_null(strstr(slot, "\n## `replication.slot.max_retained_wal`\n"));
    assert_non_null(strstr(slot, "- range: at least 16 MB\n"));
    assert_non_null(strstr(reference_page(&arena, "source.service"),
                           "- needed: exactly one of `service`, `conninfo_env`, `conninfo`\n"));
    static const char *const NONE[] = {"", "slect", "select.row", "name.x", "select..x", "."};
    for (size_t i = 0; i < sizeof(NONE) / sizeof(*NONE); i++)
        assert_null(reference_page(&arena, NONE[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pages_are_the_generated_ones),
        cmocka_unit_test(a_key_is_found_by_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
