/*
 * Lsn: text form as pg_lsn has it.
 */
#include "base/lsn.h"

#include <inttypes.h>

LsnText lsn_text(Lsn lsn)
{
    LsnText out;
    snprintf(out.text, sizeof(out.text), "%" PRIX32 "/%" PRIX32, (uint32_t)(lsn >> 32),
             (uint32_t)lsn);
    return out;
}

/* Up to eight hex digits; returns where they end, NULL if there are none or more. */
static const char *hex_part(const char *at, uint32_t *value)
{
    size_t digits = strspn(at, "0123456789abcdefABCDEF");
    if (digits == 0 || digits > 8)
        return NULL;
    /* strtoul would also take "0x"; the digits alone say where the part ends. */
    *value = (uint32_t)strtoul(at, NULL, 16);
    return at + digits;
}

bool lsn_parse(const char *text, Lsn *lsn, Err *err)
{
    uint32_t high = 0;
    uint32_t low = 0;
    const char *at = hex_part(text, &high);
    if (at != NULL && *at == '/')
        at = hex_part(at + 1, &low);
    else
        at = NULL;
    if (at == NULL || *at != '\0')
        return err_set(err, ERR_RUN, "not a log sequence number: \"%s\"", text);
    *lsn = (Lsn)high << 32 | low;
    return true;
}
