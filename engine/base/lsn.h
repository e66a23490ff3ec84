/*
 * Lsn: a position in a server's write-ahead log. One kind only: the end LSN of a commit.
 */
#ifndef GODWIT_BASE_LSN_H
#define GODWIT_BASE_LSN_H

#include "base/err.h"

typedef uint64_t Lsn;

/* Room for the longest text form, "FFFFFFFF/FFFFFFFF". */
#define LSN_TEXT_BYTES 18

typedef struct LsnText {
    char text[LSN_TEXT_BYTES];
} LsnText;

/** PostgreSQL's text form, by value: lsn_text(lsn).text. */
LsnText lsn_text(Lsn lsn);

/** Parses "16/B374D848"; \return false with ERR_RUN for anything else. */
MUSTCHECK bool lsn_parse(const char *text, Lsn *lsn, Err *err);

#endif
