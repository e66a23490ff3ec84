/*
 * Encode: rows as COPY wants them, text or binary, into a buffer that the caller reuses.
 */
#ifndef GODWIT_CDC_ENCODE_H
#define GODWIT_CDC_ENCODE_H

#include "base/str.h"
#include "cdc/pgoutput.h"

/* Rows, not SQL: larger than a Str usually may be. */
#define ENCODE_CEILING_BYTES ((size_t)3 * 1024 * 1024 * 1024)

/** What stands before the first and after the last row of a binary COPY. */
void encode_binary_header(Str *out);
void encode_binary_trailer(Str *out);

/** One row; every value must be NULL or in the format at hand. */
void encode_binary_row(Str *out, const PgoValue *values, size_t count);
void encode_text_row(Str *out, const PgoValue *values, size_t count);

/** Whether each value is NULL or binary; then the row can go through a binary COPY. */
bool encode_is_binary(const PgoValue *values, size_t count);

#endif
