/*
 * Pace: half a minute is looked at as a whole, since chunks come in bursts.
 */
#include "cdc/watch_pace.h"

#define PACE_MS 30000
#define FEW     16 /* that wait: nobody has to know */

bool watch_pace(WatchPace *pace, int64_t now_ms, size_t waiting, size_t news, WatchRates *rates)
{
    *rates = (WatchRates){0};
    pace->come += news;
    if (pace->begun && now_ms - pace->since_ms < PACE_MS)
        return false;
    bool grows = pace->begun && waiting > pace->waited && waiting >= FEW;
    size_t there = pace->waited + pace->come;
    double seconds = (double)(now_ms - pace->since_ms) / 1000;
    if (grows)
        *rates = (WatchRates){.seconds = seconds,
                              .come = (double)pace->come / seconds,
                              .taken = (double)(there > waiting ? there - waiting : 0) / seconds};
    *pace = (WatchPace){.begun = true, .since_ms = now_ms, .waited = waiting};
    return grows;
}
