/*
 * Color: when a stream is coloured, what is coloured in a log's line, and that a machine's is not.
 */
#include "base/color.h"

#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void knows_its_words(void **state)
{
    static const struct {
        const char *text;
        bool known;
        ColorWhen when;
    } ROWS[] = {{"auto", true, COLOR_AUTO},    {"always", true, COLOR_ALWAYS},
                {"never", true, COLOR_NEVER},  {"", false, COLOR_AUTO},
                {"alway", false, COLOR_AUTO},  {"always ", false, COLOR_AUTO},
                {"Always", false, COLOR_AUTO}, {"1", false, COLOR_AUTO}};
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        ColorWhen when = COLOR_AUTO;
        assert_int_equal(color_parse(ROWS[i].text, &when), ROWS[i].known);
        assert_int_equal(when, ROWS[i].when);
    }
}

static void decides(void **state)
{
    static const struct {
        ColorWhen when;
        bool is_terminal;
        const char *no_color;
        const char *term;
        bool colored;
    } ROWS[] = {
        {COLOR_AUTO, true, NULL, "xterm", true},   {COLOR_AUTO, true, NULL, NULL, true},
        {COLOR_AUTO, true, "", "xterm", true},     {COLOR_AUTO, true, "1", "xterm", false},
        {COLOR_AUTO, true, "0", "xterm", false},   {COLOR_AUTO, true, NULL, "dumb", false},
        {COLOR_AUTO, false, NULL, "xterm", false}, {COLOR_ALWAYS, false, "1", "dumb", true},
        {COLOR_NEVER, true, NULL, "xterm", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        assert_int_equal(
            color_decide(ROWS[i].when, ROWS[i].is_terminal, ROWS[i].no_color, ROWS[i].term),
            ROWS[i].colored);
}

static void appends(ColorWhen when, int fd, Color color, const char *expected)
{
    AUTO_STR Str out = {0};
    color_init(when);
    color_append(&out, fd, color, "E020");
    assert_string_equal(str_text(&out), expected);
}

static void colors_its_streams(void **state)
{
    (void)state;
    appends(COLOR_ALWAYS, STDERR_FILENO, COLOR_OF_ERROR, "\033[1;31mE020\033[0m");
    appends(COLOR_ALWAYS, STDOUT_FILENO, COLOR_OF_CODE, "\033[1mE020\033[0m");
    appends(COLOR_ALWAYS, STDOUT_FILENO, COLOR_OF_NOTHING, "E020");
    appends(COLOR_ALWAYS, COLOR_NOWHERE, COLOR_OF_ERROR, "E020");
    appends(COLOR_NEVER, STDERR_FILENO, COLOR_OF_ERROR, "E020");
}

/* Each stream by itself: a terminal and a file. */
static void asks_that_very_stream(void **state)
{
    int leader = posix_openpt(O_RDWR | O_NOCTTY);
    (void)state;
    assert_true(leader >= 0 && grantpt(leader) == 0 && unlockpt(leader) == 0);
    int terminal = open(ptsname(leader), O_RDWR | O_NOCTTY);
    int file = open("/dev/null", O_WRONLY);
    int out = dup(STDOUT_FILENO);
    int error = dup(STDERR_FILENO);
    assert_true(terminal >= 0 && file >= 0 && out >= 0 && error >= 0);
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    fflush(NULL);
    dup2(file, STDOUT_FILENO);
    dup2(terminal, STDERR_FILENO);
    AUTO_STR Str one = {0};
    AUTO_STR Str other = {0};
    color_init(COLOR_AUTO);
    color_append(&one, STDOUT_FILENO, COLOR_OF_CODE, "x");
    color_append(&other, STDERR_FILENO, COLOR_OF_CODE, "x");
    dup2(out, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    for (const int *fd = (const int[]){leader, terminal, file, out, error, -1}; *fd >= 0; fd++)
        close(*fd);
    assert_string_equal(one.data, "x");
    assert_string_equal(other.data, "\033[1mx\033[0m");
}

static void keep(void *data, const char *line, size_t length)
{
    str_append_bytes(data, line, length);
}

static void lines(bool json, LogLevel level, const char *expected)
{
    AUTO_STR Str got = {0};
    log_init(LOG_DEBUG, json);
    log_set_sink(keep, &got);
    log_message(&(LogCtx){.step = "copy", .conn = "source"}, level, "a \033[31m word");
    log_set_sink(NULL, NULL);
    assert_non_null(strstr(str_text(&got), expected));
    if (json)
        assert_null(strchr(str_text(&got), '\033'));
}

static void colors_the_level_of_a_line(void **state)
{
    (void)state;
    color_init(COLOR_ALWAYS);
    lines(false, LOG_ERROR, "Z \033[1;31merror\033[0m [copy] (source) a \\x1b[31m word\n");
    lines(false, LOG_WARN, "Z \033[33mwarn\033[0m  [copy] (source) a");
    lines(true, LOG_WARN, "\"level\":\"warn\",\"step\":\"copy\"");
    color_init(COLOR_NEVER);
    lines(false, LOG_INFO, "Z info  [copy] (source) a");
    lines(false, LOG_ERROR, "Z error [copy] (source) a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_words),
        cmocka_unit_test(decides),
        cmocka_unit_test(colors_its_streams),
        cmocka_unit_test(asks_that_very_stream),
        cmocka_unit_test(colors_the_level_of_a_line),
    };
    return cmocka_run_group_tests_name("base/color", tests, NULL, NULL);
}
