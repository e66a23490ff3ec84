/*
 * What a plan asks of TimescaleDB, compared with what the target has.
 */
#ifndef GODWIT_CMD_VERIFY_TIMESCALE_H
#define GODWIT_CMD_VERIFY_TIMESCALE_H

#include "base/vec.h"
#include "cmd/session.h"

typedef struct TimescaleResult {
    size_t compared;
    VEC(const char *) differences; /* "missing on the target: aggregate:app.hourly" */
} TimescaleResult;

/** Looks for every hypertable, columnstore, continuous aggregate, policy and job of the plan, by
 * what its step says is there. A step that the journal does not have as done is not compared.
 * \param result texts live as long as the session \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool verify_timescale(Session *session, TimescaleResult *result, Err *err);

#endif
