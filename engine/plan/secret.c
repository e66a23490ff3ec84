/*
 * Secret: a reader of libpq's two connection string forms, and a blunt mask.
 */
#include "plan/secret.h"

#include "base/str.h"
#include "plan/report.h"

#include <ctype.h>
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

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* A part of a URI: %XX is a byte. */
static void decode_uri(Str *out, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        bool escaped = text[i] == '%' && bytes - i > 2 && isxdigit((unsigned char)text[i + 1]) &&
                       isxdigit((unsigned char)text[i + 2]);
        str_append_char(out, escaped ? (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]))
                                     : text[i]);
        i += escaped ? 2 : 0;
    }
}

static bool is_secret_key(const char *key, size_t length)
{
    AUTO_STR Str plain = {0};
    decode_uri(&plain, key, length);
    return is_secret_word(str_text(&plain), plain.length);
}

static bool secret_in_uri(const char *text, size_t at, SecretSpan *span)
{
    /* As libpq does: whatever stands before the first @ or / may be credentials. */
    size_t authority = strcspn(text + at, "/");
    const char *sign = memchr(text + at, '@', authority);
    const char *colon = sign == NULL ? NULL : memchr(text + at, ':', (size_t)(sign - text) - at);
    if (colon != NULL) {
        *span = (SecretSpan){(size_t)(colon + 1 - text), (size_t)(sign - colon - 1)};
        return true;
    }
    const char *query = strchr(sign != NULL ? sign : text + at, '?');
    while (query != NULL) {
        const char *key = query + 1;
        size_t length = strcspn(key, "=&");
        if (is_secret_key(key, length)) {
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

static const char *uri_text(Arena *arena, const char *text, size_t bytes)
{
    AUTO_STR Str out = {0};
    decode_uri(&out, text, bytes);
    return str_dup(arena, &out);
}

static const char *user_of_uri(Arena *arena, const char *text)
{
    size_t authority = strcspn(text, "/");
    const char *sign = memchr(text, '@', authority);
    const char *user = NULL;
    if (sign != NULL && sign > text && *text != ':')
        user = uri_text(arena, text, strcspn(text, ":@"));
    const char *query = strchr(sign != NULL ? sign : text, '?');
    for (; query != NULL; query = strchr(query + 1, '&')) {
        const char *key = query + 1;
        size_t length = strcspn(key, "=&");
        if (key[length] == '=' && text_equal(uri_text(arena, key, length), "user"))
            user = uri_text(arena, key + length + 1, strcspn(key + length + 1, "&"));
    }
    return user;
}

/* A keyword's value without its quotes and backslashes. */
static const char *plain_value(Arena *arena, const char *value, const char *end)
{
    AUTO_STR Str out = {0};
    bool quoted = *value == '\'';
    for (value += quoted; value < end - quoted; value++) {
        if (*value == '\\' && ++value >= end - quoted)
            break; /* nothing follows it: libpq leaves it out */
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
    uint32_t code = 0;
    size_t length = text_character(text, bytes, &code);
    memcpy(text, MASKS[length], length);
    return length;
}

static size_t mask_until(char *text, size_t bytes, size_t at, const char *stops)
{
    while (at < bytes && (text[at] == '\0' || strchr(stops, text[at]) == NULL))
        at += mask_character(text + at, bytes - at);
    return at;
}

/* Masks a quoted value to its end or that of the line. In a YAML text in single quotes each quote
 * is doubled, and so is the one that ends the value. */
static void mask_quoted(char *text, size_t bytes, size_t at)
{
    char quote = text[at];
    size_t quotes = at + 1 < bytes && text[at + 1] == quote ? 2 : 1;
    at += quotes;
    while (at < bytes && text[at] != '\n') {
        bool ends = text[at] == quote && (quotes == 1 || (at + 1 < bytes && text[at + 1] == quote));
        if (ends)
            return;
        if (text[at] == '\\' && at + 1 < bytes && text[at + 1] != '\n')
            at += mask_character(text + at, bytes - at);
        at += mask_character(text + at, bytes - at);
    }
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
        mask_quoted(text, bytes, at);
    } else {
        mask_until(text, bytes, at, " \t\r\n,}]&\"'");
    }
}

static void mask_uri(char *text, size_t bytes, size_t at)
{
    size_t end = at;
    while (end < bytes && strchr("/ \t\r\n\"'", text[end]) == NULL)
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

void secret_hide(char *text, size_t bytes)
{
    for (size_t at = 0; at < bytes;)
        at += text[at] == ' ' ? 1 : mask_character(text + at, bytes - at);
}

void secret_mask_setting(char *sql)
{
    static const char *const WORDS[] = {"secret",     "password", "passwd", "token",
                                        "credential", "key",      "jwt"};
    bool sets = text_starts_with(sql, "ALTER DATABASE ") || text_starts_with(sql, "ALTER ROLE ");
    char *set = sets ? strstr(sql, " SET ") : NULL;
    char *to = set == NULL ? NULL : strstr(set, " TO ");
    if (to == NULL)
        return;
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        const char *word = strcasestr(set, WORDS[i]);
        if (word == NULL || word >= to)
            continue;
        for (char *c = to + strlen(" TO "); *c != '\0'; c++)
            *c = strchr("'\n;", *c) != NULL ? *c : '*';
        return;
    }
}
