/*
 * process_run: what goes in and comes out, exit states, environment, directory, stop and timeout,
 * and that no descriptor but the three standard ones reaches a child.
 */
#include "base/process.h"

#include "base/clock.h"
#include "base/str.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool run_sh(Arena *arena, const char *script, const ProcessSpec *like, const Stop *stop,
                   ProcessResult *result, Err *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    ProcessSpec spec = *like;
    spec.argv = argv;
    return process_run(arena, &spec, stop, result, err);
}

static const ProcessSpec PLAIN = {.timeout_ms = -1};

static void output_errors_and_status_come_back(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    ProcessResult result;
    assert_true(run_sh(&arena, "echo out; echo err >&2; exit 7", &PLAIN, NULL, &result, &err));
    assert_int_equal(result.exit_status, 7);
    assert_string_equal(result.output, "out\n");
    assert_int_equal(result.output_bytes, 4);
    assert_string_equal(result.errors, "err\n");
    assert_true(run_sh(&arena, "kill -9 $$", &PLAIN, NULL, &result, &err));
    assert_int_equal(result.exit_status, 128 + SIGKILL);
}

static void much_output_does_not_block(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    ProcessResult result;
    const char *script = "head -c 3000000 /dev/zero; head -c 500000 /dev/zero | tr '\\0' x >&2; "
                         "printf END >&2";
    assert_true(run_sh(&arena, script, &PLAIN, NULL, &result, &err));
    assert_int_equal(result.output_bytes, 3000000);
    assert_int_equal(strlen(result.errors), 64 * 1024);
    assert_string_equal(result.errors + 64 * 1024 - 4, "xEND");
}

static void input_environment_and_directory_arrive(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    ProcessResult result;
    const char *const env[] = {"PATH=/usr/bin:/bin", "SECRET=s3", NULL};
    ProcessSpec spec = {
        .env = env, .input = "a\0b", .input_bytes = 3, .directory = "/", .timeout_ms = -1};
    assert_true(run_sh(&arena, "echo $SECRET $HOME; pwd; wc -c", &spec, NULL, &result, &err));
    assert_string_equal(result.output, "s3\n/\n3\n");
    assert_true(run_sh(&arena, "cat", &PLAIN, NULL, &result, &err));
    assert_int_equal(result.output_bytes, 0);
}

static void no_other_descriptor_is_inherited(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    ProcessResult result;
    int leaked = open("/dev/null", O_RDONLY); /* without close-on-exec, on purpose */
    assert_true(leaked > 2);
    const char *script = "for f in /proc/$$/fd/*; do n=${f##*/}; [ $n -gt 2 ] && [ $n -ne 10 ] && "
                         "readlink $f; done; exit 0";
    assert_true(run_sh(&arena, script, &PLAIN, NULL, &result, &err));
    close(leaked);
    assert_string_equal(result.output, "");
}

static void signals_are_at_their_defaults(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    ProcessResult result;
    sigset_t blocked;
    sigset_t before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    bool done = run_sh(&arena, "sed -n 's/^Sig\\(Blk\\|Ign\\):.//p' /proc/self/status", &PLAIN,
                       NULL, &result, &err);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_true(done);
    char *rest = NULL;
    assert_int_equal(strtoull(result.output, &rest, 16), 0);
    /* The C library's own signals (32, 33) are not a program's business. */
    assert_int_equal(strtoull(rest, NULL, 16) & 0x7fffffff, 0);
}

static void a_missing_program_is_named(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    ProcessResult result;
    const char *const argv[] = {"/nowhere/pg_dump", NULL};
    ProcessSpec spec = {.argv = argv, .timeout_ms = -1};
    assert_false(process_run(&arena, &spec, NULL, &result, &err));
    assert_int_equal(err.code, ERR_TOOL);
    assert_string_equal(err.message,
                        "could not start \"/nowhere/pg_dump\": No such file or directory");
}

static void a_timeout_ends_the_whole_group(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    ProcessResult result;
    char path[] = "/tmp/godwit_process_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    ProcessSpec spec = {.timeout_ms = 200};
    const char *script = arena_printf(&arena, "sleep 30 & echo $! > %s; wait", path);
    int64_t began_ms = clock_ms();
    assert_false(run_sh(&arena, script, &spec, NULL, &result, &err));
    assert_true(clock_ms() - began_ms < 3000);
    assert_int_equal(err.code, ERR_TOOL);
    assert_string_equal(err.message, "\"sh\" did not end within 200 ms");
    char text[32] = {0};
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    unlink(path);
    pid_t grandchild = (pid_t)strtol(text, NULL, 10);
    for (int i = 0; i < 100 && kill(grandchild, 0) == 0; i++) {
        char *stat = arena_printf(&arena, "/proc/%d/stat", grandchild);
        FILE *file = fopen(stat, "r");
        char letter = 'X';
        if (file != NULL && fscanf(file, "%*d %*s %c", &letter) != 1)
            letter = 'X';
        if (file != NULL)
            fclose(file);
        if (letter == 'Z' || letter == 'X')
            return;
        usleep(20000);
    }
    assert_int_not_equal(kill(grandchild, 0), 0);
}

/* A child that ends at SIGTERM leaves one behind that does not. */
static void what_does_not_heed_the_end_is_killed(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    ProcessResult result;
    ProcessSpec spec = {.timeout_ms = 300};
    char path[] = "/tmp/godwit_process_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    const char *script = arena_printf(
        &arena, "sh -c 'trap \"\" TERM; echo $$ > %s; while :; do sleep 1; done' & wait", path);
    assert_false(run_sh(&arena, script, &spec, NULL, &result, &err));
    char text[32] = {0};
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    unlink(path);
    pid_t deaf = (pid_t)strtol(text, NULL, 10);
    const char *stat = arena_printf(&arena, "/proc/%d/stat", deaf);
    for (int i = 0; i < 100; i++) {
        char letter = 'X';
        FILE *file = fopen(stat, "r");
        if (file != NULL && fscanf(file, "%*d %*s %c", &letter) != 1)
            letter = 'X';
        if (file != NULL)
            fclose(file);
        if (letter == 'Z' || letter == 'X')
            return;
        usleep(20000);
    }
    fail_msg("process %d outlives its group", deaf);
}

typedef struct Lines {
    Str text;
    size_t count;
    size_t longest;
} Lines;

static void take_line(void *data, const char *line, size_t length)
{
    Lines *lines = data;
    lines->count++;
    lines->longest = length > lines->longest ? length : lines->longest;
    if (length < 20)
        str_appendf(&lines->text, "[%.*s]", (int)length, line);
}

static void lines_come_one_by_one(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    ProcessResult result;
    Lines lines = {0};
    ProcessSpec spec = {.timeout_ms = -1, .line = take_line, .line_data = &lines};
    assert_true(run_sh(&arena, "printf 'one\\n\\ntwo'", &spec, NULL, &result, &err));
    assert_string_equal(lines.text.data, "[one][][two]");
    assert_string_equal(result.output, "");
    assert_true(run_sh(&arena, "head -c 100000 /dev/zero", &spec, NULL, &result, &err));
    assert_true(lines.count >= 3 + 100000 / 8192);
    assert_true(lines.longest <= 8192);
    ProcessSpec late = spec;
    late.timeout_ms = 200;
    str_reset(&lines.text);
    assert_false(run_sh(&arena, "echo begun; sleep 30", &late, NULL, &result, &err));
    assert_string_equal(lines.text.data, "[begun]");
    str_release(&lines.text);
}

static void *stop_soon(void *data)
{
    usleep(150000);
    stop_request(data, STOP_INTERRUPT);
    return NULL;
}

static void a_stop_is_seen_at_once(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    ProcessResult result;
    Stop stop;
    assert_true(stop_init(&stop, &err));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &stop), 0);
    int64_t began_ms = clock_ms();
    assert_false(run_sh(&arena, "sleep 30", &PLAIN, &stop, &result, &err));
    assert_true(clock_ms() - began_ms < 2000);
    pthread_join(thread, NULL);
    assert_int_equal(err.code, ERR_INTERRUPTED);
    AUTO_ERR Err again = {0};
    assert_false(run_sh(&arena, "true", &PLAIN, &stop, &result, &again));
    assert_int_equal(again.code, ERR_INTERRUPTED);
    stop_release(&stop);
}

static void a_daemon_that_keeps_the_pipe_is_not_waited_for(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    ProcessResult result;
    int64_t began_ms = clock_ms();
    assert_true(run_sh(&arena, "sleep 5 & echo done", &PLAIN, NULL, &result, &err));
    assert_true(clock_ms() - began_ms < 3000);
    assert_string_equal(result.output, "done\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_errors_and_status_come_back),
        cmocka_unit_test(much_output_does_not_block),
        cmocka_unit_test(input_environment_and_directory_arrive),
        cmocka_unit_test(no_other_descriptor_is_inherited),
        cmocka_unit_test(signals_are_at_their_defaults),
        cmocka_unit_test(a_missing_program_is_named),
        cmocka_unit_test(a_timeout_ends_the_whole_group),
        cmocka_unit_test(what_does_not_heed_the_end_is_killed),
        cmocka_unit_test(lines_come_one_by_one),
        cmocka_unit_test(a_stop_is_seen_at_once),
        cmocka_unit_test(a_daemon_that_keeps_the_pipe_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
