/*
 * Request: asking the engine that holds the run's lock, and following it until it has answered.
 */
#ifndef GODWIT_CMD_REQUEST_H
#define GODWIT_CMD_REQUEST_H

#include "cmd/again.h"

/* An engine that lost its lock with the target is back within AGAIN_PERIOD_MS or not at all.
 * In builds for tests its waits are shorter, too. */
#ifdef GODWIT_FAULTS
#define REQUEST_FREE_MS 3000
#else
#define REQUEST_FREE_MS ((int)AGAIN_PERIOD_MS + 10000)
#endif

/** Reads the plan, connects to the target, finds the run, and whether an engine holds its lock. */
MUSTCHECK bool request_begin(Session *session, const char *path, bool *lives, Err *err);

/** Whether an engine holds the run's lock. */
MUSTCHECK bool request_engine_lives(Session *session, bool *lives, Err *err);

/** Asks, and waits for the answer, also while an engine that lost a server begins anew.
 * \param argument may be NULL
 * \param answered false: no engine held the run's lock for REQUEST_FREE_MS; the request is
 * withdrawn, no later engine acts on it */
MUSTCHECK bool request_follow(Session *session, const char *kind, const char *argument,
                              JournalRequest *request, bool *answered, Err *err);

/** Asks, and waits until it is done. \param hint what to do when no answer came \param request
 * receives the answer \return false with ERR_RUN when none came, with the answer's error, or as
 * request_follow() */
MUSTCHECK bool request_done(Session *session, const char *kind, const char *argument,
                            const char *hint, JournalRequest *request, Err *err);

/** The error that an answer tells. \return false. */
bool request_error(const JournalRequest *request, Err *err);

#endif
