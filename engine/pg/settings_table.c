/*
 * The pinned settings. Values are as pg_settings.setting shows them, so that they can be compared.
 */
#include "pg/settings_table.h"

#include <stddef.h>

const PinnedSetting PINNED_SETTINGS[] = {
    /* first: with it, a search_path that is set later reads back in quotes */
    {"quote_all_identifiers", "off", 0},
    {"standard_conforming_strings", "on", 0},
    {"client_encoding", "UTF8", 0},
    {"DateStyle", "ISO, YMD", 0},
    {"IntervalStyle", "postgres", 0},
    {"TimeZone", "UTC", 0},
    {"extra_float_digits", "3", 0},
    {"bytea_output", "hex", 0},
    {"array_nulls", "on", 0}, /* off: the element NULL of an array arrives as a text */
    {"lc_monetary", "C", 0},
    {"search_path", "pg_catalog", 0},
    {"xmloption", "content", 0},
    {"row_security", "off", 0},
    {"statement_timeout", "0", 0},
    {"idle_in_transaction_session_timeout", "0", 90600},
    {"idle_session_timeout", "0", 140000},
    {"transaction_timeout", "0", 170000},
    {"default_transaction_isolation", "read committed", 0},
    {NULL, NULL, 0},
};
