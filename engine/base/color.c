/*
 * Color: see the header. Only the eight colours that every terminal has, and attributes.
 */
#include "base/color.h"

#include <unistd.h>

static const char *const WHEN_NAMES[] = {
    [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};

/* Source: ECMA-48, 8.3.117 SGR. */
static const char *const SEQUENCES[] = {
    [COLOR_OF_NOTHING] = "",      [COLOR_OF_ERROR] = "\033[1;31m", [COLOR_OF_WARNING] = "\033[33m",
    [COLOR_OF_INFO] = "\033[36m", [COLOR_OF_DEBUG] = "\033[2m",    [COLOR_OF_CODE] = "\033[1m"};

static struct {
    bool on_stdout;
    bool on_stderr;
} colors;

bool color_parse(const char *text, ColorWhen *when)
{
    for (ColorWhen i = COLOR_AUTO; i <= COLOR_NEVER; i++) {
        if (strcmp(WHEN_NAMES[i], text) == 0) {
            *when = i;
            return true;
        }
    }
    return false;
}

bool color_decide(ColorWhen when, bool is_terminal, const char *no_color, const char *term)
{
    if (when != COLOR_AUTO)
        return when == COLOR_ALWAYS;
    return is_terminal && (no_color == NULL || *no_color == '\0') && !text_equal(term, "dumb");
}

void color_init(ColorWhen when)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    colors.on_stdout = color_decide(when, isatty(STDOUT_FILENO) != 0, no_color, term);
    colors.on_stderr = color_decide(when, isatty(STDERR_FILENO) != 0, no_color, term);
}

static bool is_on(int fd)
{
    return (fd == STDOUT_FILENO && colors.on_stdout) || (fd == STDERR_FILENO && colors.on_stderr);
}

void color_append(Str *out, int fd, Color color, const char *text)
{
    bool on = color != COLOR_OF_NOTHING && is_on(fd);
    str_appendf(out, "%s%s%s", on ? SEQUENCES[color] : "", text, on ? "\033[0m" : "");
}
