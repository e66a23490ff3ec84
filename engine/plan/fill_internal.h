/*
 * Fill, inside: what the files of the fill share. Part of plan/ only.
 */
#ifndef GODWIT_PLAN_FILL_INTERNAL_H
#define GODWIT_PLAN_FILL_INTERNAL_H

#include "plan/layers.h"

/** What was given, else the default of the table. \param path of the mapping the key stands in */
bool bool_or_default(const bool *given, const char *path, const char *key);
uint32_t word_or_default(const uint32_t *given, const char *path, const char *key);

/** Hypertables with their policies. */
void fill_timescale(Plan *plan, const BoundPlan *bound, const Node *root);

#endif
