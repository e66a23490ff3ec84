/*
 * Muster: opening and closing the lanes of a crew.
 */
#ifndef GODWIT_CDC_MUSTER_H
#define GODWIT_CDC_MUSTER_H

#include "cdc/crew.h"

/** Thread body of a lane beside lane 0. */
void *crew_lane_main(void *lane);

#endif
