/*
 * The top of the command line: what is asked for without a command, and help behind one.
 */
#include "base/str.h"
#include "cmd/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define OUTPUT_BYTES 16384

/* What the command line prints to standard output; it must end with `status`. */
static void printed(char *output, int status, const char *first, const char *second)
{
    char *argv[] = {strdup("godwit"), strdup(first), second == NULL ? NULL : strdup(second), NULL};
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    int stdout_fd = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    int got = command_main(second == NULL ? 2 : 3, argv);
    fflush(stdout);
    dup2(stdout_fd, STDOUT_FILENO);
    close(stdout_fd);
    rewind(file);
    output[fread(output, 1, OUTPUT_BYTES - 1, file)] = '\0';
    fclose(file);
    for (size_t i = 0; i < 3; i++)
        free(argv[i]);
    assert_int_equal(got, status);
}

static void same(const char *word, const char *command)
{
    char one[OUTPUT_BYTES];
    char other[OUTPUT_BYTES];
    printed(one, 0, word, NULL);
    printed(other, 0, command, NULL);
    assert_string_equal(one, other);
    assert_true(strlen(one) > 0);
}

static void answers_without_a_command(void **state)
{
    (void)state;
    same("--help", "help");
    same("-h", "help");
    same("--version", "version");
}

static void helps_behind_a_command(void **state)
{
    char one[OUTPUT_BYTES];
    char other[OUTPUT_BYTES];
    (void)state;
    for (const Command *const *command = COMMANDS; *command != NULL; command++) {
        printed(other, 0, "help", (*command)->name);
        printed(one, 0, (*command)->name, "-h");
        assert_string_equal(one, other);
        printed(one, 0, (*command)->name, "--help");
        assert_string_equal(one, other);
    }
}

static void refuses_what_is_no_option(void **state)
{
    char none[OUTPUT_BYTES];
    (void)state;
    printed(none, 64, "plan", "-x");
    assert_string_equal(none, "");
    printed(none, 64, "-x", NULL);
    assert_string_equal(none, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_without_a_command),
        cmocka_unit_test(helps_behind_a_command),
        cmocka_unit_test(refuses_what_is_no_option),
    };
    return cmocka_run_group_tests_name("cmd/command", tests, NULL, NULL);
}
