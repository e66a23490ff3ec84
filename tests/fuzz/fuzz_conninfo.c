/*
 * libFuzzer entry: any text as a connection string. Where libpq finds a password, so do we; we name
 * the user that libpq would be; the mask keeps lengths and lines, and leaves nothing of a
 * password; what describes an endpoint repeats no password.
 */
#include "plan/secret.h"

#include "base/str.h"
#include "pg/conn.h"

#include <libpq-fe.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *option(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword != NULL; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val;
    }
    return NULL;
}

static void compare_with_libpq(Arena *arena, const char *text)
{
    SecretSpan span = {0};
    const char *fault = NULL;
    bool found = secret_in_conninfo(text, &span, &fault);
    if (found && span.start + span.bytes > strlen(text))
        BUG("the password lies outside of \"%s\"", text);
    PQconninfoOption *options = PQconninfoParse(text, NULL);
    if (options == NULL)
        return;
    if (fault != NULL)
        BUG("libpq takes \"%s\", we do not: %s", text, fault);
    const char *password = option(options, "password");
    const char *ssl = option(options, "sslpassword");
    if (!found && ((password != NULL && *password != '\0') || (ssl != NULL && *ssl != '\0')))
        BUG("the password in \"%s\" is not seen", text);
    const char *user = option(options, "user");
    const char *ours = conninfo_user(arena, text);
    if (!text_equal(user != NULL && *user == '\0' ? NULL : user,
                    ours != NULL && *ours == '\0' ? NULL : ours))
        BUG("the user of \"%s\" is %s, not %s", text, user, ours);
    PQconninfoFree(options);
}

static void check_mask(Arena *arena, const char *text, size_t size)
{
    char *masked = arena_memdup(arena, text, size);
    secret_mask(masked, size);
    if (strlen(masked) != size)
        BUG("\"%s\" is as long no more when it is masked", text);
    for (size_t i = 0; i < size; i++) {
        if ((text[i] == '\n') != (masked[i] == '\n'))
            BUG("the mask moves the lines of \"%s\"", text);
    }
    secret_hide(masked, size);
    if (strlen(masked) != size)
        BUG("\"%s\" is as long no more when it is hidden", text);
}

/* The one text in which nothing else can look like the password. */
static void check_masked(Arena *arena, const uint8_t *data, size_t size)
{
    AUTO_STR Str text = {0};
    str_append(&text, "host=a password='secret_");
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n' || data[i] == '\r' || data[i] == '\0')
            continue;
        if (data[i] == '\'' || data[i] == '\\')
            str_append_char(&text, '\\');
        str_append_char(&text, (char)data[i]);
    }
    str_append(&text, "_hunter2' port=1");
    char *masked = arena_memdup(arena, text.data, text.length);
    secret_mask(masked, text.length);
    if (strstr(masked, "secret_") != NULL || strstr(masked, "hunter2") != NULL)
        BUG("\"%s\" is masked as \"%s\"", text.data, masked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    char *text = arena_memdup(&arena, data, size);
    compare_with_libpq(&arena, text);
    check_mask(&arena, text, strlen(text));
    check_masked(&arena, data, size);
    const Endpoint endpoint = {.conninfo = text};
    const char *host = NULL;
    const char *port = NULL;
    const char *dbname = NULL;
    if (!endpoint_describe(&arena, &endpoint, &host, &port, &dbname, &err) && strlen(text) > 12 &&
        strstr(err.message, text) != NULL)
        BUG("an error repeats the connection string \"%s\"", text);
    return 0;
}
