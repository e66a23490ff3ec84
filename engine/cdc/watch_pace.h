/*
 * Pace: whether chunks come faster than they are taken in.
 */
#ifndef GODWIT_CDC_WATCH_PACE_H
#define GODWIT_CDC_WATCH_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: nothing was looked at yet. */
typedef struct WatchPace {
    bool begun;
    int64_t since_ms;
    size_t waited; /* at the beginning of the time that is looked at */
    size_t come;   /* since */
} WatchPace;

typedef struct WatchRates {
    double seconds;
    double come; /* a second */
    double taken;
} WatchRates;

/** A look. \param waiting chunks that are not taken in \param news of them: that came since the
 * look before \return whether it is to be told that more comes than is taken in, with `rates` */
bool watch_pace(WatchPace *pace, int64_t now_ms, size_t waiting, size_t news, WatchRates *rates);

#endif
