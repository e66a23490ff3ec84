/*
 * Endpoints: taking a connection string apart, without ever printing it, and the environment in
 * which pg_dump reaches the same place.
 */
#include "pg/endpoint.h"

#include "base/str.h"
#include "base/vec.h"
#include "pg/conn_internal.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const char *conn_side_name(ConnSide side)
{
    return side == CONN_SOURCE ? "source" : "target";
}

bool endpoint_parse(const Endpoint *endpoint, PQconninfoOption **options, Err *err)
{
    char *message = NULL;
    *options = PQconninfoParse(endpoint->conninfo, &message);
    PQfreemem(message); /* may quote the string, password included: never printed */
    if (*options == NULL) {
        err_set(err, ERR_CONNECT, "the connection string of the %s cannot be parsed",
                conn_side_name(endpoint->side));
        return err_hint(err,
                        "Use host=... port=... dbname=... user=..., or postgresql://user@host/db; "
                        "the text is not shown because it may hold a password.");
    }
    return true;
}

bool endpoint_describe(Arena *arena, const Endpoint *endpoint, const char **host, const char **port,
                       const char **dbname, Err *err)
{
    AUTO_CONNINFO PQconninfoOption *options = NULL;
    if (!endpoint_parse(endpoint, &options, err))
        return false;
    AUTO_CONNINFO PQconninfoOption *defaults = PQconndefaults();
    *host = *port = *dbname = "";
    for (PQconninfoOption *from = defaults; from != NULL;
         from = from == defaults ? options : NULL) {
        for (PQconninfoOption *o = from; o->keyword != NULL; o++) {
            if (o->val == NULL)
                continue;
            if (strcmp(o->keyword, "host") == 0)
                *host = arena_strdup(arena, o->val);
            else if (strcmp(o->keyword, "port") == 0)
                *port = arena_strdup(arena, o->val);
            else if (strcmp(o->keyword, "dbname") == 0)
                *dbname = arena_strdup(arena, o->val);
        }
    }
    return true;
}

const char *endpoint_password(Arena *arena, const Endpoint *endpoint)
{
    AUTO_ERR Err ignored = {0};
    const char *password = NULL;
    AUTO_CONNINFO PQconninfoOption *options = NULL;
    if (!endpoint_parse(endpoint, &options, &ignored))
        return NULL;
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (strcmp(o->keyword, "password") == 0)
            password = arena_strdup(arena, o->val);
    }
    return password;
}

typedef VEC(const char *) TextVec;

/* A line of a password file that fits every server.
 * \note Source: PostgreSQL documentation, "The Password File": \ and : are escaped. */
static bool write_password(const char *password, int *fd, Err *err)
{
    AUTO_STR Str line = {0};
    str_append(&line, "*:*:*:*:");
    for (const char *c = password; *c != '\0'; c++) {
        if (*c == ':' || *c == '\\')
            str_append_char(&line, '\\');
        str_append_char(&line, *c);
    }
    str_append_char(&line, '\n');
    *fd = memfd_create("godwit_passfile", MFD_CLOEXEC);
    /* libpq takes no file that others can read. */
    if (*fd >= 0 && fchmod(*fd, S_IRUSR | S_IWUSR) == 0 &&
        write(*fd, line.data, line.length) == (ssize_t)line.length)
        return true;
    return err_set(err, ERR_IO, "could not keep a password for pg_dump: %s", strerror(errno));
}

static void keep_variables(Arena *arena, TextVec *env)
{
    static const char *const KEPT[] = {"PATH",          "HOME",          "TMPDIR",      "LANG",
                                       "SSL_CERT_FILE", "PGSERVICEFILE", "PGSYSCONFDIR"};
    for (size_t i = 0; i < sizeof(KEPT) / sizeof(KEPT[0]); i++) {
        const char *value = getenv(KEPT[i]);
        if (value != NULL)
            *vec_push(arena, env) = arena_printf(arena, "%s=%s", KEPT[i], value);
    }
}

const char *const *tool_env(Arena *arena)
{
    TextVec env = {0};
    keep_variables(arena, &env);
    *vec_push(arena, &env) = NULL;
    return env.items;
}

const char *const *endpoint_tool_env(Arena *arena, const Endpoint *endpoint, int *passfile,
                                     Err *err)
{
    AUTO_CONNINFO PQconninfoOption *options = NULL;
    const char *password = getenv("PGPASSWORD");
    const char *file = endpoint->passfile != NULL ? endpoint->passfile : getenv("PGPASSFILE");
    const char *given = NULL;
    TextVec env = {0};
    *passfile = -1;
    if (!endpoint_parse(endpoint, &options, err))
        return NULL;
    keep_variables(arena, &env);
    for (PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (o->val == NULL)
            continue;
        if (strcmp(o->keyword, "password") == 0)
            password = o->val;
        else if (strcmp(o->keyword, "passfile") == 0)
            file = endpoint->passfile != NULL ? file : o->val;
        else if (strcmp(o->keyword, "service") == 0)
            *vec_push(arena, &env) = arena_printf(arena, "PGSERVICE=%s", o->val);
        else if (strcmp(o->keyword, "options") == 0)
            given = o->val;
        else if (o->envvar != NULL)
            *vec_push(arena, &env) = arena_printf(arena, "%s=%s", o->envvar, o->val);
    }
    *vec_push(arena, &env) = arena_printf(arena, "PGOPTIONS=%s", pinned_options(arena, given));
    if (password != NULL && *password != '\0') {
        if (!write_password(password, passfile, err))
            return NULL;
        file = arena_printf(arena, "/proc/%d/fd/%d", (int)getpid(), *passfile);
    }
    if (file != NULL)
        *vec_push(arena, &env) = arena_printf(arena, "PGPASSFILE=%s", file);
    *vec_push(arena, &env) = NULL;
    return env.items;
}
