/*
 * Values: int2, int4, int8, oid, bool, date, timestamp, timestamptz, uuid; texts are the same bytes
 * in both forms.
 */
#include "cdc/values.h"

#define OID_BOOL        16
#define OID_NAME        19
#define OID_INT8        20
#define OID_INT2        21
#define OID_INT4        23
#define OID_TEXT        25
#define OID_OID         26
#define OID_BPCHAR      1042
#define OID_VARCHAR     1043
#define OID_DATE        1082
#define OID_TIMESTAMP   1114
#define OID_TIMESTAMPTZ 1184
#define OID_UUID        2950

#define DAY_US            INT64_C(86400000000)
#define DAYS_BEFORE_2000  INT64_C(730425) /* since March 1st of the year 0 */
#define DAYS_OF_400_YEARS INT64_C(146097)
#define FIRST_DAY         INT64_C(-2451545) /* Julian day 0: November 24th, 4714 BC */

/* The length that a type's binary values have; 0: text of any length. -1: the type is not told. */
static int told_bytes(uint32_t type_oid)
{
    switch (type_oid) {
    case OID_NAME:
    case OID_TEXT:
    case OID_BPCHAR:
    case OID_VARCHAR:
        return 0;
    case OID_BOOL:
        return 1;
    case OID_INT2:
        return 2;
    case OID_INT4:
    case OID_OID:
    case OID_DATE:
        return 4;
    case OID_INT8:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return 8;
    case OID_UUID:
        return 16;
    default:
        return -1;
    }
}

bool value_is_told(uint32_t type_oid)
{
    return told_bytes(type_oid) >= 0;
}

/* Two's complement, most significant byte first. */
static int64_t read_number(const PgoValue *value, bool is_signed)
{
    uint64_t number = is_signed && (value->data[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < value->length; i++)
        number = number << 8 | (uint8_t)value->data[i];
    return (int64_t)number;
}

/* Figures, at least `least` of them. \return behind the last */
static char *put_figures(char *at, uint64_t number, int least)
{
    char reversed[20];
    int count = 0;
    for (; number > 0 || count < least; number /= 10)
        reversed[count++] = (char)('0' + number % 10);
    while (count > 0)
        *at++ = reversed[--count];
    return at;
}

static char *put_number(char *at, int64_t number)
{
    if (number < 0)
        *at++ = '-';
    return put_figures(at, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 1);
}

static char *put_text(char *at, const char *text)
{
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

/* Floor division: the remainder is never negative. */
static int64_t divide(int64_t number, int64_t by, int64_t *rest)
{
    int64_t result = number / by;
    *rest = number % by;
    if (*rest >= 0)
        return result;
    *rest += by;
    return result - 1;
}

/* Days since 2000-01-01 of the Gregorian calendar, carried on into the past. Years begin in March
 * while it counts: then the odd day is the last of its year, of four, of a hundred, of four
 * hundred. \param is_bc the year has none before 1: what follows the rest of the text says so */
static char *put_day(char *at, int64_t days, bool *is_bc)
{
    int64_t day = 0;
    int64_t cycle = divide(days + DAYS_BEFORE_2000, DAYS_OF_400_YEARS, &day);
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t in_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153;
    int64_t in_month = in_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year += 400 * cycle + (month <= 2 ? 1 : 0);
    *is_bc = year <= 0;
    at = put_figures(at, (uint64_t)(*is_bc ? 1 - year : year), 4);
    *at++ = '-';
    at = put_figures(at, (uint64_t)month, 2);
    *at++ = '-';
    return put_figures(at, (uint64_t)in_month, 2);
}

static char *put_time(char *at, int64_t us)
{
    at = put_figures(at, (uint64_t)(us / INT64_C(3600000000)), 2);
    *at++ = ':';
    at = put_figures(at, (uint64_t)(us / 60000000 % 60), 2);
    *at++ = ':';
    at = put_figures(at, (uint64_t)(us / 1000000 % 60), 2);
    if (us % 1000000 == 0)
        return at;
    *at++ = '.';
    at = put_figures(at, (uint64_t)(us % 1000000), 6);
    while (at[-1] == '0')
        at--;
    return at;
}

/* \return NULL: no day that the server knows */
static char *put_date(char *at, int64_t days)
{
    if (days == INT32_MAX || days == INT32_MIN)
        return put_text(at, days > 0 ? "infinity" : "-infinity");
    if (days < FIRST_DAY)
        return NULL;
    bool is_bc = false;
    at = put_day(at, days, &is_bc);
    return is_bc ? put_text(at, " BC") : at;
}

static char *put_timestamp(char *at, int64_t us, bool with_zone)
{
    if (us == INT64_MAX || us == INT64_MIN)
        return put_text(at, us > 0 ? "infinity" : "-infinity");
    int64_t in_day = 0;
    int64_t days = divide(us, DAY_US, &in_day);
    if (days < FIRST_DAY)
        return NULL;
    bool is_bc = false;
    at = put_day(at, days, &is_bc);
    *at++ = ' ';
    at = put_time(at, in_day);
    if (with_zone)
        at = put_text(at, "+00"); /* TimeZone is pinned to UTC */
    return is_bc ? put_text(at, " BC") : at;
}

static char *put_uuid(char *at, const PgoValue *value)
{
    static const char FIGURES[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = FIGURES[(uint8_t)value->data[i] >> 4];
        *at++ = FIGURES[(uint8_t)value->data[i] & 15];
    }
    return at;
}

static char *put_value(uint32_t type_oid, const PgoValue *value, char *at)
{
    switch (type_oid) {
    case OID_BOOL:
        *at = value->data[0] != 0 ? 't' : 'f';
        return at + 1;
    case OID_OID:
        return put_number(at, read_number(value, false));
    case OID_DATE:
        return put_date(at, read_number(value, true));
    case OID_TIMESTAMP:
        return put_timestamp(at, read_number(value, true), false);
    case OID_TIMESTAMPTZ:
        return put_timestamp(at, read_number(value, true), true);
    case OID_UUID:
        return put_uuid(at, value);
    default:
        return put_number(at, read_number(value, true));
    }
}

bool value_text(uint32_t type_oid, const PgoValue *value, char *room, PgoValue *text)
{
    *text = *value;
    text->kind = PGO_TEXT;
    if (value->kind != PGO_BINARY)
        return value->kind == PGO_TEXT;
    int bytes = told_bytes(type_oid);
    if (bytes <= 0)
        return bytes == 0;
    if (value->length != (uint32_t)bytes)
        return false;
    const char *end = put_value(type_oid, value, room);
    text->data = room;
    text->length = end != NULL ? (uint32_t)(end - room) : 0;
    return end != NULL;
}

const PgoValue *key_text(KeyText *text, const Relation *relation, const PgoValue *key)
{
    size_t count = relation->key->count;
    bool all_text = true;
    for (size_t k = 0; k < count; k++)
        all_text = all_text && key[k].kind == PGO_TEXT;
    if (all_text)
        return key;
    if (text->capacity < count) {
        text->values = mem_resize(text->values, count * sizeof(PgoValue));
        text->room = mem_resize(text->room, count * VALUE_TEXT_BYTES);
        text->capacity = count;
    }
    for (size_t k = 0; k < count; k++) {
        uint32_t type_oid = relation->columns[relation->key->columns[k]].type_oid;
        if (!value_text(type_oid, &key[k], text->room + k * VALUE_TEXT_BYTES, &text->values[k]))
            return NULL;
    }
    return text->values;
}

void key_text_release(KeyText *text)
{
    mem_free(text->values);
    mem_free(text->room);
    *text = (KeyText){0};
}
