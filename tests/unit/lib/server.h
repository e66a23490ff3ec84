/*
 * Server: a real throw-away PostgreSQL for a unit test binary, started by tests/unit/lib/cluster.
 * It ends with the process, whatever way that goes.
 *
 *     static int setup(void **state) { return server_setup(NULL); }
 *     ... { if (!server_is_there()) skip(); Conn *conn = server_open(CONN_SOURCE, "test"); ... }
 */
#ifndef GODWIT_UNIT_SERVER_H
#define GODWIT_UNIT_SERVER_H

#include "pg/query.h"

/** Group set-up for cmocka: starts the server. \param setting a line for postgresql.conf, or NULL
 */
int server_setup(const char *setting);

/** Group tear-down for cmocka: stops it and waits until it is gone. */
int server_teardown(void **state);

/** False where the machine has no PostgreSQL programs: tests then skip. */
bool server_is_there(void);

/** How to reach a database of the server. */
Endpoint server_endpoint(ConnSide side, const char *dbname);

/** Opens a connection to database postgres; fails the test if that cannot be done. */
Conn *server_open(ConnSide side, const char *dbname);

/** Runs a script; fails the test with the server's message if it does not run. */
void server_script(Conn *conn, const char *sql);

/** One value as text, "" for NULL; owned by the arena. */
const char *server_value(Arena *arena, Conn *conn, const char *sql);

#endif
