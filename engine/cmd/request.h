/*
 * Request: asking the engine that holds the run's lock, and following it until it has answered.
 */
#ifndef GODWIT_CMD_REQUEST_H
#define GODWIT_CMD_REQUEST_H

#include "cmd/session.h"

/** Reads the plan, connects to the target, finds the run, and whether an engine holds its lock. */
MUSTCHECK bool request_begin(Session *session, const char *path, bool *lives, Err *err);

/** Whether an engine holds the run's lock. */
MUSTCHECK bool request_engine_lives(Session *session, bool *lives, Err *err);

/** Asks, and waits for the answer. \param argument may be NULL \param answered false: the engine
 * ended without one */
MUSTCHECK bool request_follow(Session *session, const char *kind, const char *argument,
                              JournalRequest *request, bool *answered, Err *err);

/** Asks, and waits until it is done. \param unanswered what is said when the engine ended without
 * an answer \return false with ERR_RUN then, with the answer's error, or as request_follow() */
MUSTCHECK bool request_done(Session *session, const char *kind, const char *argument,
                            const char *unanswered, Err *err);

/** The error that an answer tells. \return false. */
bool request_error(const JournalRequest *request, Err *err);

#endif
