/*
 * Json: writes JSON into a Str; a small writer, so that the same plan gives the same bytes
 * everywhere and always.
 *
 *     Json json = {.out = &str};
 *     json_open(&json, NULL, '{');
 *     json_text(&json, "name", "metrics");
 *     json_close(&json, '}');
 */
#ifndef GODWIT_PLAN_JSON_H
#define GODWIT_PLAN_JSON_H

#include "base/str.h"

#include <stdint.h>

typedef struct Json {
    Str *out;
    bool pretty;  /* two blanks a level, one value a line */
    bool follows; /* a value stands before the next one */
    int depth;
} Json;

/** Each takes the key, NULL in a list. Text values may be NULL: JSON's null. */
void json_open(Json *json, const char *key, char bracket);
void json_close(Json *json, char bracket);
void json_text(Json *json, const char *key, const char *text);
void json_number(Json *json, const char *key, uint64_t number);
void json_bool(Json *json, const char *key, bool value);

/** A value that is JSON already, as it is; NULL: JSON's null. */
void json_raw(Json *json, const char *key, const char *value);

/** A JSON string; also a double-quoted YAML scalar. */
void json_write_text(Str *out, const char *text);

#endif
