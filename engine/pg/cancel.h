/*
 * Cancel: asks the server to give up the statement that runs, within a limit of time.
 */
#ifndef GODWIT_PG_CANCEL_H
#define GODWIT_PG_CANCEL_H

#include <libpq-fe.h>
#include <stdbool.h>

/** Sends the request and waits for its end, at most so long.
 * \return false when it is still under way: the PGcancel then belongs to that thread, which frees
 * it. */
bool cancel_send(PGcancel *how, int timeout_ms);

#endif
