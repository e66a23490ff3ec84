/*
 * Ticker: what the engine sees to between two steps: requests of other commands, samples, the
 * slots, partitions and tables that came, the downtime, its own session.
 */
#ifndef GODWIT_CMD_TICKER_H
#define GODWIT_CMD_TICKER_H

#include "cmd/guard.h"
#include "cmd/session.h"
#include "graph/execute.h"
#include "report/progress.h"

typedef struct Ticker {
    Session *session;
    Run *run;  /* whose graph is executed: there, or the way back */
    Run *main; /* the one that the journal knows */
    Progress *progress;
    int64_t
        refresh; /* a request of that kind, or resync: to be answered, or what the stop is for */
    const char *resync;   /* what that stop is for */
    bool cutover_is_told; /* who asked for the cutover does not wait for the way back's end */
    Guard guard;
    int64_t last_request_ms;
    int64_t last_sample_ms;
    int64_t last_mend_ms;
} Ticker;

/** Once a tick of graph_execute(): nothing here fails the run, but it may be asked to stop.
 * \param data a Ticker */
void ticker_tick(void *data, const ExecuteView *view);

#endif
