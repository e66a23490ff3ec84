/*
 * What the attempt and the way back share.
 */
#ifndef GODWIT_CUTOVER_CUTOVER_INTERNAL_H
#define GODWIT_CUTOVER_CUTOVER_INTERNAL_H

#include "cutover/cutover.h"
#include "hook/hook.h"

/** The call of a command of cutover.stop_writes. \param place "stop_writes" or "undo" */
HookCall cutover_writers_call(Run *run, const char *place, const Stop *stop);

#endif
