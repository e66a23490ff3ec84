/*
 * Validation: what `godwit validate` says of plans, for people and for machines.
 *
 * json and sarif are one object each; github is one workflow command a finding. In all of them
 * columns count characters, from 1.
 */
#ifndef GODWIT_REPORT_VALIDATION_H
#define GODWIT_REPORT_VALIDATION_H

#include "base/str.h"
#include "plan/set.h"

/** Appends it in a machine's format: "json", "github" or "sarif". */
void validation_print(Str *out, const PlanFile *files, size_t count, const char *format);

#endif
