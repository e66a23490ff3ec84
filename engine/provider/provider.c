/*
 * Looks things up in the providers' tables, and asks a server which provider runs it.
 */
#include "provider/provider_table.h"

#include "base/str.h"
#include "pg/query.h"
#include "sql_text.h"

#include <string.h>
#include <strings.h>

const ProviderRemedy *provider_remedies(size_t *count)
{
    *count = provider_remedy_count;
    return provider_remedy_table;
}

static const char *remedy_text(const char *kind, ProviderTopic topic)
{
    const char *fallback = NULL;
    for (size_t i = 0; i < provider_remedy_count; i++) {
        const ProviderRemedy *row = &provider_remedy_table[i];
        if (row->topic != topic)
            continue;
        if (strcmp(row->kind, kind) == 0)
            return row->text;
        if (strcmp(row->kind, "self_hosted") == 0)
            fallback = row->text;
    }
    return fallback;
}

char *provider_remedy(Arena *arena, const char *kind, ProviderTopic topic, const char *name,
                      const char *value, const char *user)
{
    const struct {
        const char *variable;
        const char *value;
    } variables[] = {{"$name", name}, {"$value", value}, {"$user", user}};
    AUTO_STR Str out = {0};
    for (const char *at = remedy_text(kind, topic); *at != '\0';) {
        size_t taken = 0;
        for (size_t v = 0; v < 3 && taken == 0; v++) {
            if (!text_starts_with(at, variables[v].variable) || variables[v].value == NULL)
                continue;
            str_append(&out, variables[v].value);
            taken = strlen(variables[v].variable);
        }
        if (taken == 0)
            str_append_char(&out, *at);
        at += taken == 0 ? 1 : taken;
    }
    return str_dup(arena, &out);
}

const ProviderEndpoint *provider_endpoints(size_t *count)
{
    *count = provider_endpoint_count;
    return provider_endpoint_table;
}

static bool first_label_ends(const char *host, const char *suffix)
{
    size_t label = strcspn(host, ".");
    size_t length = strlen(suffix);
    return label > length && strncasecmp(host + label - length, suffix, length) == 0;
}

static bool endpoint_fits(const ProviderEndpoint *row, const char *host, const char *port)
{
    return strcasestr(host, row->domain) != NULL &&
           (row->host_part == NULL || strcasestr(host, row->host_part) != NULL) &&
           (row->first_prefix == NULL ||
            strncasecmp(host, row->first_prefix, strlen(row->first_prefix)) == 0) &&
           (row->first_suffix == NULL || first_label_ends(host, row->first_suffix)) &&
           (row->port == NULL || text_equal(port, row->port));
}

const ProviderEndpoint *provider_endpoint(const char *host, const char *port)
{
    for (size_t i = 0; host != NULL && i < provider_endpoint_count; i++) {
        if (endpoint_fits(&provider_endpoint_table[i], host, port))
            return &provider_endpoint_table[i];
    }
    return NULL;
}

static bool points_to(const Rows *rows, const char *kind)
{
    for (size_t r = 0; r < rows_count(rows); r++) {
        if (strcmp(rows_text(rows, r, 0), kind) == 0)
            return true;
    }
    return false;
}

/* Sure evidence decides, the first of it; else any that fits what was declared will do. */
bool provider_detect(Arena *arena, Conn *conn, const char *declared, ProviderGuess *guess, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *guess = (ProviderGuess){0};
    if (!pg_rows(conn, SQL_PROVIDER_DETECT, NO_PARAMS, &rows, err))
        return err_context(err, "asking which provider runs the %s",
                           conn_side_name(conn_side(conn)));
    if (rows_count(rows) == 0) {
        guess->agrees = strcmp(declared, "self_hosted") == 0;
        return true;
    }
    guess->kind = arena_strdup(arena, rows_text(rows, 0, 0));
    guess->sure = rows_bool(rows, 0, 1);
    guess->evidence = arena_strdup(arena, rows_text(rows, 0, 2));
    guess->agrees =
        strcmp(guess->kind, declared) == 0 || (!guess->sure && points_to(rows, declared));
    return true;
}
