/*
 * Preflight: everything that would make a run fail later, found before anything is written. A table
 * of checks over both catalogs, the Blueprint and live, read-only probes; every finding says why
 * and what to do in the provider's own way.
 *
 *     PreflightReport report = {0};
 *     if (!preflight_run(&input, &report, err))     // only when a probe could not be made
 *         return false;
 *     for (size_t i = 0; i < report.count; i++)
 *         puts(preflight_finding_text(arena, &report.items[i]));
 *     preflight_release(&report);
 */
#ifndef GODWIT_PREFLIGHT_PREFLIGHT_H
#define GODWIT_PREFLIGHT_PREFLIGHT_H

#include "blueprint/blueprint.h"
#include "pg/conn.h"

typedef struct PreflightInput {
    const Plan *plan;
    const Catalog *source;
    const Catalog *target;
    const Blueprint *blueprint;
    Conn *source_conn; /* outside a transaction; only read-only transactions are made */
    Conn *target_conn;
    const Endpoint *source_endpoint;
    const Endpoint *target_endpoint;
    bool resuming; /* the run's journal exists: the target holds this run's objects, the source its
                      slot */
} PreflightInput;

typedef enum PreflightSeverity {
    PREFLIGHT_ERROR,
    PREFLIGHT_WARNING,
    PREFLIGHT_INFO
} PreflightSeverity;

typedef struct PreflightFinding {
    const char *code; /* "G101" */
    PreflightSeverity severity;
    const char *side;   /* "source", "target", "both" */
    const char *object; /* what it is about: a relation, a setting, a role; NULL: the server */
    const char *why;    /* lower case, no full stop */
    const char *remedy; /* the exact command, or a sentence; never NULL */
} PreflightFinding;

typedef struct PreflightReport {
    Arena arena; /* owns all text */
    PreflightFinding *items;
    size_t count;
    size_t errors;
    size_t warnings;
    size_t infos;
} PreflightReport;

/* One kind of finding; sorted by code, each has its page. */
typedef struct PreflightCode {
    const char *code;
    const char *title;
} PreflightCode;

/** Makes every check. Findings are no failure: the caller decides by report->errors.
 * \param report zeroed; released by preflight_release() whatever the outcome
 * \return false when a probe could not be made: ERR_SQL, ERR_LOST, the stop's error; ERR_STALE when
 *         an endpoint is not the one that the plan expects. */
MUSTCHECK bool preflight_run(const PreflightInput *input, PreflightReport *report, Err *err);
void preflight_release(PreflightReport *report);

/** "error G101 source wal_level: why", and a line "  fix: ..."; ends with a newline. */
char *preflight_finding_text(Arena *arena, const PreflightFinding *finding);

const char *preflight_severity_name(PreflightSeverity severity);

/** Every kind of finding, for explain and the documentation. */
const PreflightCode *preflight_codes(size_t *count);

#endif
