/*
 * Process: external tools (pg_dump, pg_restore, hooks). posix_spawn, argv arrays, no shell, every
 * descriptor close-on-exec; secrets go through the environment, never through argv.
 */
#ifndef GODWIT_BASE_PROCESS_H
#define GODWIT_BASE_PROCESS_H

#include "base/stop.h"

/* Takes one line of what a child writes, without its end; a very long line comes in pieces. */
typedef void ProcessLine(void *data, const char *line, size_t length);

typedef struct ProcessSpec {
    const char *const *argv; /* NULL-terminated; argv[0] is a path or found in PATH */
    const char *const
        *env;          /* NULL-terminated NAME=value list: the whole environment; NULL: inherit */
    const char *input; /* sent to standard input, NULL: /dev/null */
    size_t input_bytes;
    const char *directory; /* working directory, NULL: this one */
    int timeout_ms;        /* -1: none */
    ProcessLine *line;     /* gets output and errors as they come, instead of the result; NULL */
    void *line_data;
} ProcessSpec;

typedef struct ProcessResult {
    int exit_status;    /* 0..255; 128+n when a signal ended it */
    const char *output; /* all of standard output, owned by the arena */
    size_t output_bytes;
    const char *errors; /* standard error, its last 64 kB, owned by the arena */
} ProcessResult;

/** Runs to the end, or ends the child on stop or timeout: its process group gets SIGTERM, and
 * SIGKILL when it does not heed that.
 * \return false with ERR_TOOL (cannot start, timeout) or the stop's error; a non-zero exit status
 * is not an error here. */
MUSTCHECK bool process_run(Arena *arena, const ProcessSpec *spec, const Stop *stop,
                           ProcessResult *result, Err *err);

#endif
