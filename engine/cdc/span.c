/*
 * Span: places of keys. A value that is not understood has no place, and is then everywhere.
 */
#include "cdc/span.h"

#define ROUND_MASK INT64_C(0xfff)

#define OID_INT8        20
#define OID_INT2        21
#define OID_INT4        23
#define OID_DATE        1082
#define OID_TIMESTAMP   1114
#define OID_TIMESTAMPTZ 1184

static bool digits(const char *text, size_t count, int64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *number = *number * 10 + (text[i] - '0');
    }
    return true;
}

static bool integer_order(const char *text, size_t length, int64_t *order)
{
    bool negative = length > 0 && text[0] == '-';
    size_t at = negative ? 1 : 0;
    if (length - at == 0 || length - at > 18) /* 19 figures may be too many: nobody has them */
        return false;
    if (!digits(text + at, length - at, order))
        return false;
    *order = negative ? -*order : *order;
    return true;
}

/* "2026-11-21...", as DateStyle ISO writes it; not another era, not a year of five figures. */
static bool day_order(const char *text, size_t length, int64_t *order)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    if (length < 10 || text[4] != '-' || text[7] != '-' || !digits(text, 4, &year) ||
        !digits(text + 5, 2, &month) || !digits(text + 8, 2, &day) ||
        (length > 10 && text[10] != ' ') || text[length - 1] == 'C')
        return false;
    *order = (year * 100 + month) * 100 + day;
    return true;
}

bool span_order(uint32_t type_oid, const char *text, size_t length, int64_t *order)
{
    switch (type_oid) {
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return integer_order(text, length, order);
    case OID_DATE:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return day_order(text, length, order);
    default:
        return false;
    }
}

bool span_meets(const Span *a, const Span *b)
{
    if (!a->any || !b->any)
        return false;
    return a->whole || b->whole || (a->least <= b->greatest && b->least <= a->greatest);
}

void span_add(Span *span, const Span *more)
{
    if (!more->any)
        return;
    if (!span->any) {
        *span = *more;
        return;
    }
    span->whole = span->whole || more->whole;
    span->least = more->least < span->least ? more->least : span->least;
    span->greatest = more->greatest > span->greatest ? more->greatest : span->greatest;
}

bool span_holds(const Span *span, const Span *part)
{
    return span->any && (span->whole || (!part->whole && span->least <= part->least &&
                                         part->greatest <= span->greatest));
}

Span span_rounded(Span span)
{
    span.least &= ~ROUND_MASK;
    span.greatest |= ROUND_MASK;
    return span;
}
