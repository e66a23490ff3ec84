/*
 * Err: set once, context outermost first, hints by line; the code table is whole.
 */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void an_error_gathers_context(void **state)
{
    (void)state;
    AUTO_ERR Err err = {0};
    assert_false(err_is_set(&err));
    assert_false(err_set(&err, ERR_CONNECT, "could not reach \"%s\"", "db"));
    assert_true(err_is_set(&err));
    assert_false(err_context(&err, "source"));
    assert_false(err_context(&err, "step %d", 3));
    assert_false(err_detail(&err, "First."));
    assert_false(err_detail(&err, "Second."));
    assert_false(err_hint(&err, "Try again."));
    err_step(&err, "copy.public.a");
    err_step(&err, "outer");
    assert_string_equal(err.message, "step 3: source: could not reach \"db\"");
    assert_string_equal(err.detail, "First.\nSecond.");
    assert_string_equal(err.hint, "Try again.");
    assert_string_equal(err.step, "copy.public.a");
    assert_false(err_recode(&err, ERR_ROLLED_BACK));
    assert_int_equal(err_exit_status(err.code), 10);
}

static void an_error_moves_with_its_text(void **state)
{
    (void)state;
    AUTO_ERR Err to = {0};
    Err from = {0};
    err_set(&from, ERR_SQL, "no");
    assert_false(err_move(&to, &from));
    assert_false(err_is_set(&from));
    assert_string_equal(to.message, "no");
    err_release(&to);
    assert_false(err_is_set(&to));
    err_set(&to, ERR_IO, "again");
    assert_int_equal(to.code, ERR_IO);
}

/* The statuses are cli.md's contract; a code is never renumbered. */
static void the_code_table_is_whole(void **state)
{
    (void)state;
    static const struct {
        ErrCode code;
        const char *name;
        int status;
    } FIXED[] = {
        {ERR_RUN, "E001", 1},           {ERR_PENDING, "E020", 2},
        {ERR_PLAN, "E030", 3},          {ERR_PREFLIGHT, "E040", 4},
        {ERR_CONNECT, "E050", 5},       {ERR_WAITING, "E060", 6},
        {ERR_LOCKED, "E070", 7},        {ERR_GATE, "E080", 8},
        {ERR_DIFFERENCE, "E090", 9},    {ERR_ROLLED_BACK, "E100", 10},
        {ERR_PAST_SWITCH, "E110", 11},  {ERR_STALE, "E120", 12},
        {ERR_STILL_FENCED, "E130", 13}, {ERR_CANNOT_RESUME, "E140", 14},
        {ERR_USAGE, "E640", 64},        {ERR_BUG, "E700", 70},
        {ERR_INTERRUPTED, "E901", 130}, {ERR_TERMINATED, "E902", 143},
    };
    for (size_t i = 0; i < sizeof(FIXED) / sizeof(*FIXED); i++) {
        assert_string_equal(err_code_name(FIXED[i].code), FIXED[i].name);
        assert_int_equal(err_exit_status(FIXED[i].code), FIXED[i].status);
    }
    const char *before = "E000";
    for (ErrCode code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
        assert_true(strcmp(before, err_code_name(code)) < 0);
        before = err_code_name(code);
        assert_int_equal(err_code_find(before), code);
        assert_true(strlen(err_code_text(code)) > 5);
    }
    assert_int_equal(err_code_find("E999"), ERR_NONE);
}

static void set_twice(Err *err)
{
    err_set(err, ERR_IO, "one");
    err_set(err, ERR_IO, "two");
}

static void context_without_error(Err *err)
{
    err_context(err, "nothing");
}

static void misuse_is_a_bug(void **state)
{
    (void)state;
    void (*const CASES[])(Err *) = {set_twice, context_without_error};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            Err err = {0};
            if (freopen("/dev/null", "w", stderr) == NULL)
                _exit(99);
            CASES[i](&err);
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(WEXITSTATUS(status), 70);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_gathers_context),
        cmocka_unit_test(an_error_moves_with_its_text),
        cmocka_unit_test(the_code_table_is_whole),
        cmocka_unit_test(misuse_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
