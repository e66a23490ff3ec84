/*
 * Server: runs the cluster script on two pipes; closing its input ends it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "server.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLUSTER_SCRIPT "tests/unit/lib/cluster"

extern char **environ;

static pid_t script_pid;
static int script_input = -1;
static int server_port;
static Arena texts;

static int read_port(int fd)
{
    char text[16] = "";
    size_t length = 0;
    ssize_t came;
    while (length < sizeof(text) - 1 && (came = read(fd, text + length, 1)) == 1 &&
           text[length] != '\n')
        length++;
    text[length] = '\0';
    return (int)strtol(text, NULL, 10);
}

int server_setup(const char *setting)
{
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        return -1;
    char *argv[] = {(char *)CLUSTER_SCRIPT, (char *)setting, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    int failed = posix_spawn(&script_pid, CLUSTER_SCRIPT, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    script_input = to[1];
    if (failed != 0) {
        print_error("%s cannot be run: %s\n", CLUSTER_SCRIPT, strerror(failed));
        return -1;
    }
    server_port = read_port(from[0]);
    close(from[0]);
    if (server_port != 0)
        return 0;
    int status = 0;
    waitpid(script_pid, &status, 0);
    script_pid = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 77 ? 0 : -1;
}

int server_teardown(void **state)
{
    (void)state;
    close(script_input);
    if (script_pid != 0)
        waitpid(script_pid, NULL, 0);
    arena_release(&texts);
    return 0;
}

bool server_is_there(void)
{
    return server_port != 0;
}

Endpoint server_endpoint(ConnSide side, const char *dbname)
{
    return (Endpoint){
        .side = side,
        .conninfo = arena_printf(&texts, "host=127.0.0.1 port=%d dbname=%s user=postgres",
                                 server_port, dbname),
        .run = "unit",
    };
}

static void must(bool ok, const Err *err)
{
    if (!ok)
        fail_msg("%s (%s)", err->message, err->detail != NULL ? err->detail : "no detail");
}

Conn *server_open(ConnSide side, const char *dbname)
{
    Endpoint endpoint = server_endpoint(side, dbname);
    Conn *conn = NULL;
    AUTO_ERR Err err = {0};
    must(conn_open(&conn, &endpoint, &(ConnOptions){.purpose = "unit"}, &err), &err);
    return conn;
}

void server_script(Conn *conn, const char *sql)
{
    AUTO_ERR Err err = {0};
    must(pg_script(conn, sql, &err), &err);
}

const char *server_value(Arena *arena, Conn *conn, const char *sql)
{
    AUTO_ERR Err err = {0};
    AUTO_ROWS Rows *rows = NULL;
    must(pg_one(conn, sql, NO_PARAMS, &rows, &err), &err);
    const char *text = rows_text(rows, 0, 0);
    return text == NULL ? "" : arena_strdup(arena, text);
}
