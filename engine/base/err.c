/*
 * Err: set once, given context on the way up, printed by cmd/. The two _Noreturn functions here are
 * the only ones outside main.c that end the process.
 */
#include "base/err.h"

#include <unistd.h>

typedef struct CodeRow {
    const char *name;
    int status;
    const char *text;
} CodeRow;

static const CodeRow CODE_ROWS[ERR_CODE_COUNT] = {[ERR_NONE] = {"E000", 0, "no error"},
#define ERR_ROW(symbol, code, exit_status, meaning) [symbol] = {code, exit_status, meaning},
                                                  ERR_CODES(ERR_ROW)
#undef ERR_ROW
};

bool err_set(Err *err, ErrCode code, const char *format, ...)
{
    if (err->code != ERR_NONE)
        BUG("an error is set twice: first \"%s\"", err->message);
    va_list args;
    va_start(args, format);
    err->code = code;
    err->message = arena_vprintf(&err->arena, format, args);
    va_end(args);
    return false;
}

bool err_context(Err *err, const char *format, ...)
{
    if (err->code == ERR_NONE)
        BUG("context for an error that is not set");
    va_list args;
    va_start(args, format);
    const char *context = arena_vprintf(&err->arena, format, args);
    va_end(args);
    err->message = arena_printf(&err->arena, "%s: %s", context, err->message);
    return false;
}

static const char *add_line(Err *err, const char *old, const char *format, va_list args)
{
    const char *text = arena_vprintf(&err->arena, format, args);
    return old == NULL ? text : arena_printf(&err->arena, "%s\n%s", old, text);
}

bool err_detail(Err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->detail = add_line(err, err->detail, format, args);
    va_end(args);
    return false;
}

bool err_hint(Err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->hint = add_line(err, err->hint, format, args);
    va_end(args);
    return false;
}

bool err_recode(Err *err, ErrCode code)
{
    if (err->code == ERR_NONE)
        BUG("a new code for an error that is not set");
    err->code = code;
    return false;
}

void err_step(Err *err, const char *step_id)
{
    if (err->step == NULL)
        err->step = arena_strdup(&err->arena, step_id);
}

bool err_move(Err *to, Err *from)
{
    if (to->code != ERR_NONE || from->code == ERR_NONE)
        BUG("an error is moved onto a set one, or from an unset one");
    *to = *from;
    *from = (Err){0};
    return false;
}

static const char *copied(Err *err, const char *text)
{
    return text == NULL ? NULL : arena_strdup(&err->arena, text);
}

void err_copy(Err *to, const Err *from)
{
    if (to->code != ERR_NONE || from->code == ERR_NONE)
        BUG("an error is copied onto a set one, or from an unset one");
    *to = *from;
    to->arena = (Arena){0};
    to->message = copied(to, from->message);
    to->detail = copied(to, from->detail);
    to->hint = copied(to, from->hint);
    to->file = copied(to, from->file);
    to->step = copied(to, from->step);
}

void err_release(Err *err)
{
    arena_release(&err->arena);
    *err = (Err){0};
}

const char *err_code_name(ErrCode code)
{
    return CODE_ROWS[code].name;
}

int err_exit_status(ErrCode code)
{
    return CODE_ROWS[code].status;
}

const char *err_code_text(ErrCode code)
{
    return CODE_ROWS[code].text;
}

ErrCode err_code_find(const char *name)
{
    for (ErrCode code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
        if (strcmp(CODE_ROWS[code].name, name) == 0)
            return code;
    }
    return ERR_NONE;
}

void err_bug(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "godwit: BUG at %s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nThis is a defect of godwit (E700). Nothing is lost: apply again resumes.\n");
    va_end(args);
    _exit(70);
}

void err_out_of_memory(size_t size_bytes)
{
    fprintf(stderr, "godwit: out of memory (%zu bytes wanted); apply again resumes\n", size_bytes);
    _exit(1);
}
