/*
 * Log: lines on stderr, for people (text) or machines (json, one object a line, "v":1 first).
 *
 *     log_info(&ctx, "copied %s", name_text(&arena, &leaf->name));
 *
 * PostgreSQL's message style: lower case, one line, no full stop. The context prints run, step and
 * connection; connection strings reach a log only through conn_label() (pg/conn.h).
 */
#ifndef GODWIT_BASE_LOG_H
#define GODWIT_BASE_LOG_H

#include "base/err.h"

typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } LogLevel;

/* Who speaks. Members may be NULL. Passed by pointer, copied nowhere. */
typedef struct LogCtx {
    const char *run;
    const char *step;
    const char *conn;
} LogCtx;

/* Takes each finished line (with its newline); default writes to stderr. The live view sets its own
 * so that lines and bars do not mix. Called under the log's mutex. */
typedef void LogSink(void *data, const char *line, size_t length);

/** Sets level and format once, before threads start. */
void log_init(LogLevel level, bool json);
void log_set_sink(LogSink *sink, void *data);

/** Holds log lines back while the sink's owner draws. */
void log_lock(void);
void log_unlock(void);

/** Parses debug|info|warn|error. */
MUSTCHECK bool log_level_parse(const char *text, LogLevel *level);

bool log_enabled(LogLevel level);
void log_message(const LogCtx *ctx, LogLevel level, const char *format, ...) PRINTF(3, 4);

#define log_debug(ctx, ...)                                                                        \
    do {                                                                                           \
        if (log_enabled(LOG_DEBUG))                                                                \
            log_message((ctx), LOG_DEBUG, __VA_ARGS__);                                            \
    } while (0)
#define log_info(ctx, ...)  log_message((ctx), LOG_INFO, __VA_ARGS__)
#define log_warn(ctx, ...)  log_message((ctx), LOG_WARN, __VA_ARGS__)
#define log_error(ctx, ...) log_message((ctx), LOG_ERROR, __VA_ARGS__)

/** Logs an error with detail and hint, as a warning (a retry follows) or an error. */
void log_err(const LogCtx *ctx, LogLevel level, const Err *err);

#endif
