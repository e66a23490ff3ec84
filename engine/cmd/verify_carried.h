/*
 * Rows of continuous aggregates that were carried over, compared by range.
 */
#ifndef GODWIT_CMD_VERIFY_CARRIED_H
#define GODWIT_CMD_VERIFY_CARRIED_H

#include "cmd/verify_timescale.h"
#include "step/step.h"

/** Compares what a step aggregate.carry has brought, up to the bucket that it wrote down; one that
 * brought nothing is not compared.
 * \param result differences name the aggregate and the range \return false with ERR_SQL, ERR_LOST
 */
MUSTCHECK bool verify_carried(Session *session, const Step *step, TimescaleResult *result,
                              Err *err);

#endif
