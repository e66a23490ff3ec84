/*
 * Log: formats a line in a buffer of its own, then hands it to the sink under one mutex.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/color.h"
#include "base/str.h"

#include <jansson.h>
#include <pthread.h>
#include <unistd.h>

static const char *const LEVEL_NAMES[] = {"debug", "info", "warn", "error"};
static const Color LEVEL_COLORS[] = {COLOR_OF_DEBUG, COLOR_OF_INFO, COLOR_OF_WARNING,
                                     COLOR_OF_ERROR};
#define LEVEL_COLUMNS 5

static void sink_stderr(void *data, const char *line, size_t length)
{
    (void)data;
    while (length > 0) {
        ssize_t wrote = write(STDERR_FILENO, line, length);
        if (wrote <= 0)
            return;
        line += wrote;
        length -= (size_t)wrote;
    }
}

static struct {
    LogLevel level;
    bool json;
    LogSink *sink;
    void *sink_data;
    pthread_mutex_t mutex;
} logger = {.level = LOG_INFO, .sink = sink_stderr, .mutex = PTHREAD_MUTEX_INITIALIZER};

void log_init(LogLevel level, bool json)
{
    logger.level = level;
    logger.json = json;
}

void log_set_sink(LogSink *sink, void *data)
{
    pthread_mutex_lock(&logger.mutex);
    logger.sink = sink != NULL ? sink : sink_stderr;
    logger.sink_data = data;
    pthread_mutex_unlock(&logger.mutex);
}

void log_lock(void)
{
    pthread_mutex_lock(&logger.mutex);
}

void log_unlock(void)
{
    pthread_mutex_unlock(&logger.mutex);
}

bool log_level_parse(const char *text, LogLevel *level)
{
    for (LogLevel i = LOG_DEBUG; i <= LOG_ERROR; i++) {
        if (strcmp(LEVEL_NAMES[i], text) == 0) {
            *level = i;
            return true;
        }
    }
    return false;
}

bool log_enabled(LogLevel level)
{
    return level >= logger.level;
}

static void line_json(Str *line, const LogCtx *ctx, LogLevel level, const char *time,
                      const char *message)
{
    json_t *event = json_pack("{s:i, s:s, s:s, s:s*, s:s*, s:s*, s:s}", "v", 1, "time", time,
                              "level", LEVEL_NAMES[level], "run", ctx->run, "step", ctx->step,
                              "conn", ctx->conn, "message", message);
    if (event == NULL) /* bytes that are not UTF-8: say so rather than lose the line */
        event = json_pack("{s:i, s:s, s:s, s:s}", "v", 1, "time", time, "level", LEVEL_NAMES[level],
                          "message", "(a message that is not valid UTF-8)");
    char *text = json_dumps(event, JSON_COMPACT | JSON_PRESERVE_ORDER);
    str_append(line, text);
    mem_free(text);
    json_decref(event);
}

/* One line stays one line: names may hold newlines, and a terminal must not be steered by data. */
static void append_plain(Str *line, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\n')
            str_append(line, "\\n");
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            str_appendf(line, "\\x%02x", (unsigned char)*c);
        else
            str_append_char(line, *c);
    }
}

static void line_text(Str *line, const LogCtx *ctx, LogLevel level, const char *time,
                      const char *message)
{
    str_appendf(line, "%s ", time);
    color_append(line, STDERR_FILENO, LEVEL_COLORS[level], LEVEL_NAMES[level]);
    str_appendf(line, "%*s", (int)(LEVEL_COLUMNS + 1 - strlen(LEVEL_NAMES[level])), "");
    if (ctx->step != NULL) {
        str_append_char(line, '[');
        append_plain(line, ctx->step);
        str_append(line, "] ");
    }
    if (ctx->conn != NULL)
        str_appendf(line, "(%s) ", ctx->conn);
    append_plain(line, message);
}

void log_message(const LogCtx *ctx, LogLevel level, const char *format, ...)
{
    if (!log_enabled(level))
        return;
    static const LogCtx NO_CTX = {0};
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str line = {0};
    va_list args;
    va_start(args, format);
    const char *message = arena_vprintf(&arena, format, args);
    va_end(args);
    const char *time = clock_rfc3339(&arena, clock_unix_us());
    if (logger.json)
        line_json(&line, ctx != NULL ? ctx : &NO_CTX, level, time, message);
    else
        line_text(&line, ctx != NULL ? ctx : &NO_CTX, level, time, message);
    str_append_char(&line, '\n');
    pthread_mutex_lock(&logger.mutex);
    logger.sink(logger.sink_data, line.data, line.length);
    pthread_mutex_unlock(&logger.mutex);
}

void log_err(const LogCtx *ctx, LogLevel level, const Err *err)
{
    log_message(ctx, level, "%s: %s", err_code_name(err->code), err->message);
    if (err->detail != NULL)
        log_message(ctx, level, "DETAIL: %s", err->detail);
    if (err->hint != NULL)
        log_message(ctx, level, "HINT: %s", err->hint);
}
