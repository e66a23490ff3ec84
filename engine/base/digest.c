/*
 * Digest: one-shot SHA-256 by libcrypto's EVP interface.
 */
#include "base/digest.h"

#include "base/err.h"

#include <openssl/evp.h>

char *digest_hex(Arena *arena, const void *data, size_t size_bytes)
{
    static const char HEX[] = "0123456789abcdef";
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned int raw_bytes = 0;
    if (EVP_Digest(data, size_bytes, raw, &raw_bytes, EVP_sha256(), NULL) != 1)
        BUG("libcrypto has no SHA-256");
    char *hex = arena_alloc(arena, (size_t)raw_bytes * 2 + 1);
    for (unsigned int i = 0; i < raw_bytes; i++) {
        hex[2 * i] = HEX[raw[i] >> 4];
        hex[2 * i + 1] = HEX[raw[i] & 15];
    }
    return hex;
}
