/*
 * Request: asking the engine that holds the run's lock, and following it until it has answered.
 */
#ifndef GODWIT_CMD_REQUEST_H
#define GODWIT_CMD_REQUEST_H

#include "cmd/session.h"

/** Whether an engine holds the run's lock. */
MUSTCHECK bool request_engine_lives(Session *session, bool *lives, Err *err);

/** Asks, and waits for the answer. \param argument may be NULL \param answered false: the engine
 * ended without one */
MUSTCHECK bool request_follow(Session *session, const char *kind, const char *argument,
                              JournalRequest *request, bool *answered, Err *err);

/** The error that an answer tells. \return false. */
bool request_error(const JournalRequest *request, Err *err);

#endif
