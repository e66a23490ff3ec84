/*
 * Color: emphasis in what people read on a terminal; the words stand there without it, too.
 *
 *     color_append(&line, STDERR_FILENO, COLOR_OF_ERROR, "error");
 *
 * Set once, before threads start. Machines' formats never ask; what is no stream of ours (a text
 * for a file, a test's golden text) names COLOR_NOWHERE.
 */
#ifndef GODWIT_BASE_COLOR_H
#define GODWIT_BASE_COLOR_H

#include "base/str.h"

#define COLOR_NOWHERE (-1)

typedef enum ColorWhen { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } ColorWhen;

/* What is emphasised, not how. */
typedef enum Color {
    COLOR_OF_NOTHING,
    COLOR_OF_ERROR,
    COLOR_OF_WARNING,
    COLOR_OF_INFO,
    COLOR_OF_DEBUG,
    COLOR_OF_CODE
} Color;

/** Parses auto|always|never. */
bool color_parse(const char *text, ColorWhen *when);

/** Whether a stream is coloured.
 * \param no_color of the environment; NULL or "": not set
 * \param term of the environment, may be NULL
 * \note Source: https://no-color.org (present and not an empty string). */
bool color_decide(ColorWhen when, bool is_terminal, const char *no_color, const char *term);

/** Decides for standard output and standard error, each by itself. Until then nothing is coloured.
 */
void color_init(ColorWhen when);

/** Appends a text, coloured where that stream is.
 * \param fd STDOUT_FILENO, STDERR_FILENO or COLOR_NOWHERE: where it will be printed */
void color_append(Str *out, int fd, Color color, const char *text);

#endif
