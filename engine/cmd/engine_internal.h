/*
 * What the engine's parts share: prepare.c readies a run, engine.c goes there, engine_failback.c
 * goes back.
 */
#ifndef GODWIT_CMD_ENGINE_INTERNAL_H
#define GODWIT_CMD_ENGINE_INTERNAL_H

#include "cmd/again.h"
#include "cmd/engine.h"

/** Reads what the journal has of this plan.
 * \param done set, and told, when there is nothing to do: the run is finished */
MUSTCHECK bool engine_find_run(Session *session, const EngineOptions *options, bool *done,
                               Err *err);

/** Readies a run, new or resumed. What is written first is the journal, and only when preflight
 * passed. The lock is held. \return false with what is in the way; nothing is begun then */
MUSTCHECK bool engine_prepare(Session *session, const EngineOptions *options, Run *run, Err *err);

/** Builds the graph of these kinds over the run's blueprint, and executes it. */
MUSTCHECK bool engine_execute(Session *session, EngineOptions *options, Run *run,
                              const StepKind *const *kinds, Err *err);

/** First and last event of a run of the engine. \param failure not set: it came to its end
 * \param goes_on the same process begins anew: nothing is over */
void engine_tell_start(Run *run);
void engine_tell_end(Run *run, const Err *failure, bool goes_on);

/** Behind the stream's end: tells what a slot's watch has decided, and does it; frees the watches.
 */
void engine_answer_slots(Run *run, Conn *target, Err *failure);

/** Whether the engine goes on with another graph: who asked for something waits for that. */
bool engine_begins_anew(const Session *session);

/** Answers everybody who asked this engine for something. */
void engine_finish_requests(Session *session, const Run *run, const Err *failure);

/** Goes back to the source, or finishes what an earlier engine left of it. The lock is held. */
MUSTCHECK bool engine_failback(Session *session, EngineOptions *options, Again *again, Err *err);

/** Behind a failback: finishes what an earlier engine left of it; the run's state is `running`
 * then, and what its cutover did is to be done again. The session is inspected. */
MUSTCHECK bool engine_go_there_again(Session *session, Err *err);

#endif
