/*
 * Retry table: the class-of-error table.
 * Source: PostgreSQL, Appendix A, "PostgreSQL Error Codes".
 */
#include "cdc/retry_table.h"

#include "pg/fault.h"

const RetryRow RETRY_ROWS[] = {
    {"08", RETRY_SESSION, "connection failures"},
    {"25P03", RETRY_SESSION, "idle in transaction for too long"},
    {"40001", RETRY_GROUP, "serialization failure"},
    {"40P01", RETRY_GROUP, "deadlock"},
    {"53100", RETRY_SESSION, "disk full: somebody may make room"},
    {"53200", RETRY_SESSION, "out of memory on the server"},
    {"53300", RETRY_SESSION, "too many connections"},
    {"55006", RETRY_SESSION, "the slot is still active for the session that was lost"},
    {"55P03", RETRY_GROUP, "lock not available in time"},
    {"57014", RETRY_GROUP, "cancelled: a statement timeout or a person"},
    {"57P01", RETRY_SESSION, "the session was terminated"},
    {"57P02", RETRY_SESSION, "the server crashed"},
    {"57P03", RETRY_SESSION, "the server is starting up or shutting down"},
    {"57P05", RETRY_SESSION, "idle for too long"},
    {NULL, RETRY_NEVER, NULL},
};

RetryClass retry_class(const Err *err)
{
    for (const RetryRow *row = RETRY_ROWS; row->sqlstate != NULL; row++) {
        if (strncmp(err->sqlstate, row->sqlstate, strlen(row->sqlstate)) == 0)
            return row->retry;
    }
    bool connection = err->code == ERR_LOST || err->code == ERR_CONNECT;
    return connection ? RETRY_SESSION : RETRY_NEVER;
}

bool retry_may(RetryBudget *budget, uint64_t progress, int64_t waited_ms, int64_t now_ms)
{
    if (progress != budget->progress) {
        budget->progress = progress;
        budget->attempt = 0;
        budget->since_ms = now_ms;
    }
    if (waited_ms > budget->since_ms)
        budget->since_ms = waited_ms;
    return now_ms - budget->since_ms <= RETRY_PERIOD_MS;
}

int retry_wait_ms(unsigned attempt, unsigned random)
{
    int wait = RETRY_FIRST_WAIT_MS;
    if (fault_hurries())
        return 1;
    for (unsigned i = 0; i < attempt && wait < RETRY_MAX_WAIT_MS; i++)
        wait *= 2;
    wait = wait < RETRY_MAX_WAIT_MS ? wait : RETRY_MAX_WAIT_MS;
    return wait / 2 + (int)(random % (unsigned)(wait / 2 + 1));
}
