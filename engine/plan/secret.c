/*
 * Secret: a reader of libpq's two connection string forms, and a blunt mask.
 */
#include "plan/secret.h"

#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

static const char *const SECRET_KEYS[] = {"password", "sslpassword", "oauth_client_secret",
                                          "passwd",   "pgpassword",  NULL};

static bool is_secret_word(const char *word, size_t length)
{
    for (const char *const *key = SECRET_KEYS; *key != NULL; key++) {
        if (strlen(*key) == length && strncasecmp(*key, word, length) == 0)
            return true;
    }
    return false;
}

bool secret_key(const char *key)
{
    return is_secret_word(key, strlen(key));
}

static size_t uri_prefix(const char *text)
{
    static const char *const PREFIXES[] = {"postgresql://", "postgres://"};
    for (size_t i = 0; i < 2; i++) {
        if (text_starts_with(text, PREFIXES[i]))
            return strlen(PREFIXES[i]);
    }
    return 0;
}

static bool secret_in_uri(const char *text, size_t at, SecretSpan *span)
{
    size_t authority = strcspn(text + at, "/?");
    const char *sign = memchr(text + at, '@', authority);
    const char *colon = sign == NULL ? NULL : memchr(text + at, ':', (size_t)(sign - text) - at);
    if (colon != NULL) {
        *span = (SecretSpan){(size_t)(colon + 1 - text), (size_t)(sign - colon - 1)};
        return true;
    }
    const char *query = strchr(text + at, '?');
    while (query != NULL) {
        const char *key = query + 1;
        size_t length = strcspn(key, "=&");
        if (is_secret_word(key, length)) {
            const char *value = key + length + (key[length] == '=');
            *span = (SecretSpan){(size_t)(value - text), strcspn(value, "&")};
            return true;
        }
        query = strchr(key, '&');
    }
    return false;
}

/* The end of a keyword's value, quoted or not; NULL if a quote is not closed. */
static const char *value_end(const char *at)
{
    bool quoted = *at == '\'';
    for (at += quoted; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        else if (quoted ? *at == '\'' : isspace((unsigned char)*at))
            return quoted ? at + 1 : at;
    }
    return quoted ? NULL : at;
}

static const char *skip_space(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

bool secret_in_conninfo(const char *conninfo, SecretSpan *span, const char **fault)
{
    *fault = NULL;
    size_t prefix = uri_prefix(conninfo);
    if (prefix > 0)
        return secret_in_uri(conninfo, prefix, span);
    for (const char *at = skip_space(conninfo); *at != '\0'; at = skip_space(at)) {
        size_t length = 0;
        while (at[length] != '\0' && at[length] != '=' && !isspace((unsigned char)at[length]))
            length++;
        const char *value = skip_space(at + length);
        if (*value != '=') {
            *fault = "missing \"=\" after a keyword in the connection string";
            return false;
        }
        value = skip_space(value + 1);
        const char *end = value_end(value);
        *span = (SecretSpan){(size_t)(value - conninfo),
                             end == NULL ? strlen(value) : (size_t)(end - value)};
        if (is_secret_word(at, length))
            return true;
        if (end == NULL) {
            *fault = "unterminated quoted string in the connection string";
            return false;
        }
        prefix = length == 6 && strncmp(at, "dbname", 6) == 0 ? uri_prefix(value) : 0;
        if (prefix > 0 && secret_in_uri(conninfo, (size_t)(value - conninfo) + prefix, span))
            return true;
        at = end;
    }
    return false;
}

/* A value of a URI: %XX is a byte. */
static const char *uri_text(Arena *arena, const char *text, size_t bytes)
{
    AUTO_STR Str out = {0};
    for (size_t i = 0; i < bytes; i++) {
        char byte[3] = {0};
        bool escaped = text[i] == '%' && bytes - i > 2 && isxdigit((unsigned char)text[i + 1]) &&
                       isxdigit((unsigned char)text[i + 2]);
        if (escaped)
            memcpy(byte, text + i + 1, 2);
        str_append_char(&out, escaped ? (char)strtoul(byte, NULL, 16) : text[i]);
        i += escaped ? 2 : 0;
    }
    return str_dup(arena, &out);
}

static const char *user_of_uri(Arena *arena, const char *text)
{
    size_t authority = strcspn(text, "/?");
    const char *sign = memchr(text, '@', authority);
    if (sign != NULL && sign > text && *text != ':')
        return uri_text(arena, text, strcspn(text, ":@"));
    for (const char *key = strchr(text, '?'); key != NULL; key = strchr(key, '&')) {
        key++;
        if (text_starts_with(key, "user="))
            return uri_text(arena, key + 5, strcspn(key + 5, "&"));
    }
    return NULL;
}

/* A keyword's value without its quotes and backslashes. */
static const char *plain_value(Arena *arena, const char *value, const char *end)
{
    AUTO_STR Str out = {0};
    bool quoted = *value == '\'';
    for (value += quoted; value < end - quoted; value++) {
        if (*value == '\\' && value + 1 < end - quoted)
            value++;
        str_append_char(&out, *value);
    }
    return str_dup(arena, &out);
}

const char *conninfo_user(Arena *arena, const char *conninfo)
{
    size_t prefix = uri_prefix(conninfo);
    if (prefix > 0)
        return user_of_uri(arena, conninfo + prefix);
    const char *user = NULL;
    for (const char *at = skip_space(conninfo); *at != '\0'; at = skip_space(at)) {
        size_t length = strcspn(at, "= \t\r\n\f\v");
        const char *value = skip_space(at + length);
        if (*value != '=')
            return NULL;
        value = skip_space(value + 1);
        const char *end = value_end(value);
        if (end == NULL)
            return NULL;
        if (length == 4 && strncmp(at, "user", 4) == 0)
            user = plain_value(arena, value, end);
        at = end;
    }
    return user;
}

/* Overwrites one character with another of as many bytes, so that columns stay what they are. */
static size_t mask_character(char *text, size_t bytes)
{
    static const char *const MASKS[] = {"*", "*", "\u00b7", "\u2022", "\U0001d7ce"};
    unsigned char first = (unsigned char)text[0];
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    if (length > bytes)
        length = 1;
    memcpy(text, MASKS[length], length);
    return length;
}

static size_t mask_until(char *text, size_t bytes, size_t at, const char *stops)
{
    while (at < bytes && (text[at] == '\0' || strchr(stops, text[at]) == NULL))
        at += mask_character(text + at, bytes - at);
    return at;
}

/* Masks the value after a secret word that ends at `at`. */
static void mask_value(char *text, size_t bytes, size_t at)
{
    while (at < bytes && strchr(" \t\"'", text[at]) != NULL && text[at] != '\0')
        at++;
    if (at >= bytes || (text[at] != '=' && text[at] != ':'))
        return;
    for (at++; at < bytes && (text[at] == ' ' || text[at] == '\t');)
        at++;
    if (at < bytes && (text[at] == '\'' || text[at] == '"')) {
        const char quote[] = {text[at], '\n', '\0'};
        mask_until(text, bytes, at + 1, quote);
    } else {
        mask_until(text, bytes, at, " \t\r\n,}]&\"'");
    }
}

static void mask_uri(char *text, size_t bytes, size_t at)
{
    size_t end = at;
    while (end < bytes && strchr("/? \t\r\n\"'", text[end]) == NULL)
        end++;
    char *sign = memrchr(text + at, '@', end - at);
    char *colon = sign == NULL ? NULL : memchr(text + at, ':', (size_t)(sign - text) - at);
    if (colon != NULL)
        mask_until(text, (size_t)(sign - text), (size_t)(colon + 1 - text), "");
}

void secret_mask(char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (bytes - i > 3 && memcmp(text + i, "://", 3) == 0)
            mask_uri(text, bytes, i + 3);
        bool begins = i == 0 || (!isalnum((unsigned char)text[i - 1]) && text[i - 1] != '_');
        if (!begins)
            continue;
        size_t length = 0;
        while (i + length < bytes &&
               (isalnum((unsigned char)text[i + length]) || text[i + length] == '_'))
            length++;
        if (length > 0 && is_secret_word(text + i, length))
            mask_value(text, bytes, i + length);
    }
}
