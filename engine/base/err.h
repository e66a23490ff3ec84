/*
 * Err: what went wrong, for the one place that prints (cmd/).
 *
 *     MUSTCHECK bool thing_do(Thing *thing, Err *err);
 *
 * True: `err` untouched. False: `err` set exactly once, by
 * `return err_set(err, ERR_X, "could not ...", ...)`. Callers add err_context() and return.
 * A zeroed Err is valid; it owns its text through its arena.
 */
#ifndef GODWIT_BASE_ERR_H
#define GODWIT_BASE_ERR_H

#include "base/arena.h"
#include "base/err_codes.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum ErrCode {
    ERR_NONE = 0,
#define ERR_ENUM(symbol, code, status, text) symbol,
    ERR_CODES(ERR_ENUM)
#undef ERR_ENUM
        ERR_CODE_COUNT
} ErrCode;

typedef struct Err {
    ErrCode code;
    char sqlstate[6];    /* empty unless a server said it */
    const char *message; /* primary, lower case, one line, no full stop */
    const char *detail;  /* sentences, or NULL */
    const char *hint;    /* sentences, or NULL */
    const char *file;    /* plan file, or NULL */
    uint32_t line;       /* 1-based, 0 unknown */
    uint32_t column;     /* 1-based, in characters */
    uint32_t position;   /* 1-based character of the statement that a server means, 0 unknown */
    const char *step;    /* step id, or NULL */
    Arena arena;         /* owns all of the above text */
} Err;

#define AUTO_ERR __attribute__((cleanup(err_release)))

/** Sets the error; must be unset. \return false, always, so that it can be returned. */
bool err_set(Err *err, ErrCode code, const char *format, ...) PRINTF(3, 4);

/** Adds what surrounds the error: "CONTEXT: message". \return false. */
bool err_context(Err *err, const char *format, ...) PRINTF(2, 3);

/** Detail and hint, full sentences; a second call adds a line. \return false. */
bool err_detail(Err *err, const char *format, ...) PRINTF(2, 3);
bool err_hint(Err *err, const char *format, ...) PRINTF(2, 3);

/** Changes the code of a set error (an unreachable server during cutover is a rollback). */
bool err_recode(Err *err, ErrCode code);

/** Notes the step the error arose in, once. */
void err_step(Err *err, const char *step_id);

/** Moves an error; `to` must be unset, `from` is unset afterwards. \return false. */
bool err_move(Err *to, Err *from);

/** Copies an error, text and all; `to` must be unset. */
void err_copy(Err *to, const Err *from);

/** Whether an error is set. */
static inline bool err_is_set(const Err *err)
{
    return err->code != ERR_NONE;
}

/** Unsets and gives back its text. */
void err_release(Err *err);

/** Stable code ("E050"), exit status and meaning of a code. */
const char *err_code_name(ErrCode code);
int err_exit_status(ErrCode code);
const char *err_code_text(ErrCode code);

/** Finds a code by its stable name; ERR_NONE if there is none. */
ErrCode err_code_find(const char *name);

/** A programmer's error: prints where and ends with exit 70. */
#define BUG(...) err_bug(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void err_bug(const char *file, int line, const char *format, ...) PRINTF(3, 4);

/** Memory is out: prints and ends with exit 1; the run is resumable. */
_Noreturn void err_out_of_memory(size_t size_bytes);

#endif
