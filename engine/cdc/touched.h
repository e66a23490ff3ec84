/*
 * Touched: keys of rows that the lane changed since somebody last took them, for "verify what
 * moved". Bounded: beyond TOUCHED_MAX_KEYS of a relation only the overflow is remembered.
 */
#ifndef GODWIT_CDC_TOUCHED_H
#define GODWIT_CDC_TOUCHED_H

#include "cdc/stream.h"
#include "cdc/pgoutput.h"

#include <pthread.h>

#define TOUCHED_MAX_KEYS 20000

typedef struct TouchedRelation TouchedRelation;

typedef struct Touched {
    pthread_mutex_t mutex;
    const Blueprint *blueprint;
    TouchedRelation *relations; /* by Relation.index */
    size_t bytes;               /* of all relations together */
    Budget *budget;
} Touched;

/** \param budget its share of BUDGET_TOUCHED is what may be kept */
void touched_init(Touched *touched, const Blueprint *blueprint, Budget *budget);
void touched_release(Touched *touched);

/** Notes one key (Key.count values, as key_text() tells them; others are an overflow). */
void touched_add(Touched *touched, const Relation *relation, const PgoValue *key);

/** The whole relation must be looked at. */
void touched_overflow(Touched *touched, const Relation *relation);

/** Copies into the arena, and forgets. */
void touched_take(Arena *arena, Touched *touched, const Relation *relation, TouchedKeys *keys);

#endif
