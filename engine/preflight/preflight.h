/*
 * Preflight: every check of `godwit check`, one table. Reads both servers, writes nothing; reports
 * every finding in one run, each with what, why and the exact remedy in the provider's own way.
 */
#ifndef GODWIT_PREFLIGHT_PREFLIGHT_H
#define GODWIT_PREFLIGHT_PREFLIGHT_H

#include "base/vec.h"
#include "blueprint/blueprint.h"
#include "journal/journal.h"
#include "preflight/workload.h"

/* In the order of weight. A finding that the plan waives, or attests, is listed as such. */
typedef enum FindingSeverity {
    FINDING_ATTESTED,
    FINDING_WAIVED,
    FINDING_INFO,
    FINDING_WARNING,
    FINDING_ERROR
} FindingSeverity;

typedef struct Finding {
    const char *code; /* "G101"; its page is docs/codes/G101.md */
    FindingSeverity severity;
    ConnSide side;
    const char *object;  /* "public.orders", a setting, a role */
    const char *message; /* what is found, one line */
    const char *why;     /* what it would do to the run */
    const char
        *remedy;      /* SQL, one statement a line; what is no SQL begins with "-- "; never NULL */
    bool fixable;     /* the remedy is SQL that changes nothing an application would notice */
    bool waivable;    /* an entry of `waive` answers it */
    bool attestable;  /* SQL cannot see it: an entry of `attest` answers it */
    const char *note; /* who waived or attested it: reason and end; NULL none */
    const char *at;   /* "plan.yaml:31:9": it is about the plan, not a server; NULL else */
} Finding;

typedef struct PreflightInput {
    const Plan *plan;
    const Catalog *source;
    const Catalog *target;
    const Blueprint *blueprint;
    Conn *source_conn; /* outside a transaction; only read-only transactions are made */
    Conn *target_conn;
    const Endpoint *source_endpoint; /* NULL: the address is not looked at */
    const Endpoint *target_endpoint;
    bool resuming;         /* the run exists: its own slot and objects are no findings */
    const JournalRun *run; /* when resuming */
    bool tries;            /* powers are tried, in transactions that write and are rolled back */
    int64_t sample_us;     /* how long the source's workload is watched, 0: not now */
} PreflightInput;

typedef struct PreflightReport {
    Arena arena;
    VEC(Finding) findings;
    size_t errors;
    size_t warnings;
    Workload workload;
    Forecast forecast; /* when workload.known */
} PreflightReport;

/** Runs every check. Findings are a result, not an error.
 * \param report zeroed; released by preflight_release() whatever the outcome
 * \return false with ERR_SQL, ERR_LOST or the stop's error when a server cannot be read, ERR_STALE
 * when a database is not the one that the plan expects. */
MUSTCHECK bool preflight_run(const PreflightInput *input, PreflightReport *report, Err *err);
void preflight_release(PreflightReport *report);

/** Judges the entries of waive and attest by themselves, without a server: codes that there are not
 * or that take none, ends that are past. What is found is added to the findings.
 * \param today "2026-11-21", in UTC */
void preflight_judge_plan(Arena *arena, const Plan *plan, const char *today,
                          PlanFindings *findings);
const char *preflight_today(Arena *arena);

/** "source", "target", or "plan" for what is about the plan. */
const char *finding_side_name(const Finding *finding);

/** One finding as text: severity, code, side, object, message; why and remedy on lines of their
 * own.
 * \param fd the stream it is for (color_append()) */
char *preflight_finding_text(Arena *arena, const Finding *finding, int fd);

/* What may be done about a kind of finding. */
typedef enum CodeFlag {
    CODE_WAIVABLE = 1, /* an entry of `waive` may let it pass: no row is lost with it */
    CODE_FIXABLE = 2,  /* `check --fix` runs the SQL of its remedy */
    CODE_ATTEST = 4,   /* SQL cannot see it; an entry of `attest` answers it */
    CODE_PASSING = 8, /* it comes and goes with the load, or is not looked at in every run: an entry
                         that answers none at the moment is no finding */
} CodeFlag;

/* One kind of finding; sorted by code, each has its page. */
typedef struct PreflightCode {
    const char *code;
    const char *title; /* what a server without the finding has */
    unsigned flags;    /* CodeFlag */
} PreflightCode;

/** Every kind of finding, for the documentation and its tests. */
const PreflightCode *preflight_codes(size_t *count);

/** "error", "warning", "info", "waived", "attested". */
const char *finding_severity_name(FindingSeverity severity);

#endif
