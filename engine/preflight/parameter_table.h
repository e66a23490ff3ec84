/*
 * Settings that check compares. Part of preflight/ only.
 */
#ifndef GODWIT_PREFLIGHT_PARAMETER_TABLE_H
#define GODWIT_PREFLIGHT_PARAMETER_TABLE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Parameter {
    const char *name;
    bool changes_results; /* else it is about room and speed */
    const char *why;
} Parameter;

extern const Parameter parameter_table[];
extern const size_t parameter_count;

/** What of a list of names the source has and the target lacks, "a, b". \return NULL: nothing */
const char *parameter_lacking(Arena *arena, const char *source, const char *target);

#endif
