/*
 * Check report: the findings of preflight, and the source's workload, for people, for machines, and
 * as a script of the remedies.
 */
#ifndef GODWIT_REPORT_CHECK_REPORT_H
#define GODWIT_REPORT_CHECK_REPORT_H

#include "base/str.h"
#include "preflight/preflight.h"

/** Appends every finding, then the workload and what it means. */
void check_print_text(Str *out, const PreflightReport *report);

/** Appends one object: counts, findings, workload, forecast. */
void check_print_json(Str *out, const PreflightReport *report);

/** Appends a JUnit document: a test case for each finding, failed when it is an error, skipped when
 * it is waived or attested; and one for each kind of finding that there is none of. */
void check_print_junit(Str *out, const Plan *plan, const PreflightReport *report);

/** Appends the remedies as one SQL script, side by side; what is no SQL is a comment, and no name
 * can end a comment. */
void check_print_script(Str *out, const Plan *plan, const PreflightReport *report);

#endif
