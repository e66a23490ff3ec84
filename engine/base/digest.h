/*
 * Digest: SHA-256, for fingerprints of plans, files and catalogs (libcrypto).
 */
#ifndef GODWIT_BASE_DIGEST_H
#define GODWIT_BASE_DIGEST_H

#include "base/arena.h"

#include <stdio.h>

#define DIGEST_HEX_CHARS 64

/** The lower-case hex SHA-256 of bytes. */
char *digest_hex(Arena *arena, const void *data, size_t size_bytes);

/** The same of all that a file still holds; NULL when it cannot be read. */
char *digest_file_hex(Arena *arena, FILE *file);

#endif
