/*
 * Encode: rows as COPY wants them, text or binary, into a buffer that the caller reuses.
 */
#ifndef GODWIT_CDC_ENCODE_H
#define GODWIT_CDC_ENCODE_H

#include "base/str.h"
#include "cdc/pgoutput.h"

/* Rows, not SQL: larger than a Str usually may be. */
#define ENCODE_CEILING_BYTES ((size_t)3 * 1024 * 1024 * 1024)

/** A number of four bytes, as the binary forms have it. */
void encode_be32(Str *out, uint32_t value);

/** What stands before the first and after the last row of a binary COPY. */
void encode_binary_header(Str *out);
void encode_binary_trailer(Str *out);

/** One row; encode_fits() must hold. */
void encode_binary_row(Str *out, const PgoValue *values, size_t count);
void encode_text_row(Str *out, const PgoValue *values, size_t count);

/** Whether each value is NULL or of this form, so that the row can go through a COPY of it. */
bool encode_fits(const PgoValue *values, size_t count, PgoValueKind form);

#endif
