/*
 * A decoded line of test_decoding in words, for comparing: "insert public/t new
 * id[integer]=bare:1".
 */
#ifndef GODWIT_UNIT_SHOW_LINE_H
#define GODWIT_UNIT_SHOW_LINE_H

#include "base/str.h"
#include "cdc/test_decoding.h"

void show_line(Str *out, const TdLine *line);

#endif
