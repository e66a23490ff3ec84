/*
 * Unpartition: the archive's SQL with plain tables where the plan makes hypertables of partitioned
 * ones: their CREATE TABLE loses its PARTITION BY. A pure function over text.
 */
#ifndef GODWIT_SCHEMA_UNPARTITION_H
#define GODWIT_SCHEMA_UNPARTITION_H

#include "blueprint/blueprint.h"

/** Takes PARTITION BY from the statements that create the roots of converted relations. Quotes,
 * dollar quotes and comments are passed over, so that a function's body can hold the same words.
 * \return the script, itself when nothing of it changes */
const char *unpartition(Arena *arena, const Blueprint *blueprint, const char *script);

#endif
