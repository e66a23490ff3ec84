/*
 * Secret: finds passwords in connection strings, and hides what looks like one in text that is
 * shown. A plan must hold none; one that does is refused without repeating it.
 */
#ifndef GODWIT_PLAN_SECRET_H
#define GODWIT_PLAN_SECRET_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct SecretSpan {
    size_t start; /* bytes into the text */
    size_t bytes;
} SecretSpan;

/** Reads a libpq connection string (keywords or URI).
 * \param fault on a malformed one: why, in libpq's words; else NULL
 * \return whether it gives a password, and where.
 * \note Source: PostgreSQL, "Connection Strings"; libpq marks password, sslpassword and
 * oauth_client_secret with dispchar "*". */
bool secret_in_conninfo(const char *conninfo, SecretSpan *span, const char **fault);

/** The user that a connection string names; NULL if it names none, or is malformed. */
const char *conninfo_user(Arena *arena, const char *conninfo);

/** Whether a key's name says that its value is a secret. */
bool secret_key(const char *key);

/** Overwrites, in place, with `*` what follows `password=`, `password:` or `://user:`. */
void secret_mask(char *text, size_t bytes);

/** Overwrites every character but blanks. */
void secret_hide(char *text, size_t bytes);

/** Overwrites, in place, the value of `ALTER ... SET name TO 'value'` where the name of the setting
 * says that it is a secret ("app"."jwt_secret"). */
void secret_mask_setting(char *sql);

#endif
