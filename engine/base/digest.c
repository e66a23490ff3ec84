/*
 * Digest: SHA-256 by libcrypto's EVP interface.
 */
#include "base/digest.h"

#include "base/err.h"

#include <openssl/evp.h>

static char *to_hex(Arena *arena, const unsigned char *raw, unsigned int raw_bytes)
{
    static const char HEX[] = "0123456789abcdef";
    char *hex = arena_alloc(arena, (size_t)raw_bytes * 2 + 1);
    for (unsigned int i = 0; i < raw_bytes; i++) {
        hex[2 * i] = HEX[raw[i] >> 4];
        hex[2 * i + 1] = HEX[raw[i] & 15];
    }
    return hex;
}

char *digest_hex(Arena *arena, const void *data, size_t size_bytes)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned int raw_bytes = 0;
    if (EVP_Digest(data, size_bytes, raw, &raw_bytes, EVP_sha256(), NULL) != 1)
        BUG("libcrypto has no SHA-256");
    return to_hex(arena, raw, raw_bytes);
}

char *digest_file_hex(Arena *arena, FILE *file)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned int raw_bytes = 0;
    unsigned char block[8192];
    size_t got = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL)
        err_out_of_memory(0);
    bool ok = EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    while (ok && (got = fread(block, 1, sizeof(block), file)) > 0)
        ok = EVP_DigestUpdate(context, block, got) == 1;
    ok = ok && EVP_DigestFinal_ex(context, raw, &raw_bytes) == 1;
    EVP_MD_CTX_free(context);
    if (!ok)
        BUG("libcrypto has no SHA-256");
    return ferror(file) != 0 ? NULL : to_hex(arena, raw, raw_bytes);
}
