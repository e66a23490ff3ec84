/*
 * Plan: what the user wrote, bound, with every default filled in. Plain data; owned by its arena.
 *
 * Filled by plan/load.c (locate -> walk -> bind -> check). Knows no server: names are raw, and
 * selectors are compiled patterns or names, matched later against a Catalog (blueprint/).
 */
#ifndef GODWIT_PLAN_PLAN_H
#define GODWIT_PLAN_PLAN_H

#include "base/budget.h"
#include "base/color.h"
#include "base/err.h"
#include "base/name.h"
#include "base/vec.h"
#include "match/selector.h"

/* Where in the plan file something stands; line 0: it is a default. */
typedef struct PlanPos {
    uint32_t line;
    uint32_t column;
} PlanPos;

typedef struct PlanExpect {
    const char *host; /* NULL: not given */
    const char *dbname;
    uint32_t port; /* 0: not given */
} PlanExpect;

typedef struct PlanEndpoint {
    const char *kind;    /* self_hosted, rds, aurora, neon, supabase, azure, mst, tiger_cloud */
    const char *service; /* exactly one of these three is not NULL */
    const char *conninfo_env; /* name of the environment variable */
    const char *conninfo;     /* no password in it */
    const char *passfile;     /* NULL: libpq's own way */
    PlanExpect expect;
    uint32_t max_connections; /* hard cap for this run */
    bool pause_jobs;          /* of the source: TimescaleDB's jobs rest during the run */
    PlanPos pos;
} PlanEndpoint;

typedef struct PlanSelector {
    Selector selector; /* of schema names under select.schemas, of schema.name elsewhere */
    bool optional;     /* matching nothing is no error */
    PlanPos pos;
} PlanSelector;

typedef struct PlanSelectors {
    PlanSelector *items;
    size_t count;
} PlanSelectors;

typedef struct PlanRowFilter {
    PlanSelector table;
    const char *where;
    PlanPos pos; /* of the condition */
} PlanRowFilter;

typedef struct PlanColumnList {
    PlanSelector table;
    const char **include; /* raw names */
    size_t include_count;
    PlanPos pos; /* of the list */
} PlanColumnList;

typedef struct PlanMap {
    PlanSelector source;
    const char *target; /* as written: schema.name, ${n} for the pattern's groups */
    bool merge;         /* several relations may get this target */
    PlanPos pos;        /* of the target */
} PlanMap;

typedef struct PlanSelect {
    PlanSelectors schemas;
    PlanSelectors tables;
    PlanSelectors exclude;
    PlanSelectors schema_only;
    PlanRowFilter *rows;
    size_t rows_count;
    PlanColumnList *columns;
    size_t columns_count;
    PlanMap *map; /* the first that matches counts */
    size_t map_count;
} PlanSelect;

typedef enum PlanPasswords {
    PLAN_PASSWORDS_IF_READABLE,
    PLAN_PASSWORDS_OMIT,
    PLAN_PASSWORDS_REQUIRED
} PlanPasswords;

typedef struct PlanRoleMap {
    const char *source;
    const char *target;
    PlanPos pos;
} PlanRoleMap;

typedef struct PlanRoles {
    bool copy;
    PlanPasswords passwords;
    PlanSelectors exclude; /* selectors of role names, matched as schema names are */
    bool settings;
    bool grant_to_target_user;
    PlanRoleMap *map;
    size_t map_count;
    PlanPos pos;
} PlanRoles;

typedef struct PlanExtensions {
    bool create_missing;
    bool same_version; /* else the target's default */
    const char **exclude;
    size_t exclude_count;
    PlanPos pos;
} PlanExtensions;

typedef enum PlanExisting {
    PLAN_EXISTING_FAIL,
    PLAN_EXISTING_ADOPT,
    PLAN_EXISTING_REPLACE
} PlanExisting;

typedef struct PlanSchema {
    PlanExisting existing;
    bool owner_is_target_user;   /* else owners are kept */
    bool privileges;             /* copied */
    bool foreign_keys_validated; /* added validated, not NOT VALID first */
    bool database_settings;      /* copied */
    bool comments;               /* copied */
    PlanPos pos;
} PlanSchema;

/* What every policy and job of TimescaleDB takes. */
typedef struct PlanPolicy {
    const char *schedule_interval; /* NULL: TimescaleDB's, here and below */
    const char *initial_start;
    const char *timezone;
    const char *max_runtime;
    const uint32_t *max_retries;
    const char *retry_period;
    bool scheduled;
    const char *more; /* of a mirrored one: what else its configuration says, a JSON object; NULL:
                         nothing */
    PlanPos pos;
} PlanPolicy;

/* A dimension of a hypertable behind the first: by range, or by hash. */
typedef struct PlanDimension {
    const char *column_name;
    const char *partition_interval; /* by range: as of the first dimension */
    bool interval_is_integer;
    uint32_t number_partitions; /* 0: by range */
    const char *partition_func; /* as written, NULL: none */
    PlanPos pos;
} PlanDimension;

typedef struct PlanColumnstore {
    const char **segmentby; /* raw names */
    size_t segmentby_count;
    const char **orderby; /* as ORDER BY takes them */
    size_t orderby_count;
    const char
        *chunk_interval; /* of a mirrored one: chunks are merged up to it; NULL: they are not */
    const char *after;   /* neither of the two: there is no policy */
    bool after_is_integer;
    const char *created_before;
    PlanPolicy policy;
} PlanColumnstore;

typedef struct PlanRetention {
    const char *drop_after; /* exactly one of the two */
    bool drop_after_is_integer;
    const char *drop_created_before;
    PlanPolicy policy;
} PlanRetention;

typedef struct PlanReorder {
    const char *index; /* raw, in the table's schema; NULL: no policy */
    PlanPolicy policy;
} PlanReorder;

typedef struct PlanHypertable {
    Name target_table;
    const char *column_name;
    const char *partition_interval; /* an interval as written ("7 days") or an integer; NULL:
                                       TimescaleDB's */
    bool interval_is_integer;
    const char *partition_func; /* NULL: none */
    bool create_default_indexes;
    PlanDimension *dimensions; /* the further ones */
    size_t dimension_count;
    const char *integer_now_func;       /* as written, NULL: none */
    bool from_partitioned;              /* the source is declaratively partitioned */
    const PlanColumnstore *columnstore; /* NULL: none, here and below */
    const PlanRetention *retention;
    const PlanReorder *reorder;
    bool is_aggregate; /* stands for the rows of an aggregate, by its name */
    PlanPos pos;
} PlanHypertable;

/* The policy that refreshes a continuous aggregate. */
typedef struct PlanRefresh {
    const char *start_offset; /* NULL: unbounded, here and below */
    bool start_is_integer;
    const char *end_offset;
    bool end_is_integer;
    const uint32_t *buckets_per_batch; /* NULL: as the target does by itself, here and below */
    const uint32_t *max_batches_per_execution;
    const bool *refresh_newest_first;
    const bool *include_tiered_data;
    PlanPolicy policy; /* these four are in its `more`, too */
} PlanRefresh;

typedef struct PlanAggregate {
    Name target_view;
    const char *query;
    bool materialized_only;
    bool carry; /* what outlived the raw rows is brought along; else it is computed anew */
    const PlanRefresh *refresh;         /* NULL: no policy */
    const PlanColumnstore *columnstore; /* of its rows; NULL: none */
    const PlanRetention *retention;     /* of its rows; NULL: none */
    bool mirrored;        /* as it is on the source, with these indexes and no others */
    const char **indexes; /* CREATE INDEX up to, and what follows the table, in pairs */
    size_t index_count;   /* pairs */
    PlanPos pos;
} PlanAggregate;

/* A job of the user's own that TimescaleDB runs. */
typedef struct PlanJob {
    Name procedure;
    const char *config; /* a JSON object, NULL: none */
    PlanPolicy policy;
    bool mirrored;     /* as it is on the source: what follows is of such a one */
    bool drifts;       /* begins again that long after it ended, not on a fixed schedule */
    Name check;        /* looks at the configuration; rel NULL: nothing does */
    const char *owner; /* taken where the role is there and may run it */
} PlanJob;

typedef enum PlanPublish {
    PLAN_PUBLISH_INSERT = 1,
    PLAN_PUBLISH_UPDATE = 2,
    PLAN_PUBLISH_DELETE = 4,
    PLAN_PUBLISH_TRUNCATE = 8,
    PLAN_PUBLISH_ALL = 15,
} PlanPublish;

typedef enum PlanWalLimitAction { PLAN_ON_LIMIT_ALARM, PLAN_ON_LIMIT_DROP_SLOT } PlanWalLimitAction;

typedef struct PlanPublication {
    const char *name;
    bool adopt;           /* may be there already; never dropped then */
    PlanSelectors tables; /* none: the selected relations that no other entry names */
    PlanPos pos;
} PlanPublication;

typedef struct PlanIdentity {
    PlanSelector table;
    const char *using_index; /* raw; NULL: full, or columns */
    const char **columns;    /* a unique index over them is made; none: using_index or full */
    size_t column_count;
    PlanPos pos;
} PlanIdentity;

typedef enum PlanPlugin { PLAN_PLUGIN_PGOUTPUT, PLAN_PLUGIN_TEST_DECODING } PlanPlugin;
/* Sessions beside those of the workers. On the source: of the engine, of what watches the slot,
 * three of a wave (later the fence and the dump), three of the stream or of what fills the spool.
 * On the target, beside one for each lane: of the engine, of the lock, of pg_restore, and what
 * looks for a moment. A mirror may have new chunks watched: two on the source, one on the target.
 */
#define PLAN_BESIDE_SOURCE 8
#define PLAN_BESIDE_TARGET 7
#define PLAN_WATCH_SOURCE  2
#define PLAN_WATCH_TARGET  1

typedef struct PlanReplication {
    PlanPlugin plugin;
    uint32_t publish;                /* PlanPublish bits */
    int64_t heartbeat_us;            /* default 10 s */
    uint64_t max_retained_wal_bytes; /* 0: no limit given */
    PlanWalLimitAction on_limit;
    bool slot_failover;            /* the slot is synchronized to standbys (17+) */
    PlanPublication *publications; /* none: one of exactly the selected relations */
    size_t publication_count;
    const char *spool_directory; /* NULL: no spool */
    uint64_t spool_limit_bytes;  /* 0: none */
    bool identity_set;           /* replica_identity.when_missing: set */
    PlanIdentity *identities;
    size_t identity_count;
    PlanPos pos;
} PlanReplication;

typedef enum PlanCopyFormat {
    PLAN_FORMAT_AUTO,
    PLAN_FORMAT_BINARY,
    PLAN_FORMAT_TEXT
} PlanCopyFormat;

typedef struct PlanCopy {
    uint32_t table_jobs;
    uint32_t index_jobs;
    uint64_t split_bytes; /* split_tables_larger_than */
    PlanCopyFormat format;
    bool vacuum;
    bool refresh_materialized_views;
    bool data;                   /* false: nothing is copied, only what changes is replicated */
    int64_t max_snapshot_age_us; /* 0: no limit */
    PlanPos pos;
} PlanCopy;

typedef enum PlanConflict {
    PLAN_CONFLICT_STOP,
    PLAN_CONFLICT_SKIP,
    PLAN_CONFLICT_UPSERT
} PlanConflict;

typedef struct PlanApply {
    uint32_t lanes;
    PlanConflict on_conflict;
} PlanApply;

/* What to do when the source's tables change while the run lasts. */
typedef struct PlanDdl {
    bool add;            /* take in what the selection would take; else it is reported */
    bool pause_relation; /* go on without a table that was altered; else the run stops */
} PlanDdl;

typedef enum PlanVerifyMethod { PLAN_VERIFY_COUNT, PLAN_VERIFY_CHECKSUM } PlanVerifyMethod;

typedef struct PlanVerify {
    const char *id;
    PlanVerifyMethod method;
    PlanSelectors tables; /* none: every relation */
    const char *where;    /* NULL: all rows */
    PlanPos pos;
} PlanVerify;

typedef enum PlanStopWrites {
    PLAN_STOP_LOCK,
    PLAN_STOP_READ_ONLY,
    PLAN_STOP_MANUAL,
    PLAN_STOP_COMMAND
} PlanStopWrites;

/* A program that is run without a shell, in the plan's directory, with a cleaned environment. */
typedef struct PlanCommand {
    const char **argv; /* NULL-terminated */
    size_t argc;       /* 0: no command */
    int64_t timeout_us;
    const char **env; /* names of the variables it gets beside PATH, NULL-terminated */
    size_t env_count;
} PlanCommand;

typedef enum PlanServer { PLAN_ON_SOURCE, PLAN_ON_TARGET } PlanServer;

typedef enum PlanStepAction { PLAN_STEP_SQL, PLAN_STEP_COMMAND, PLAN_STEP_VERIFY } PlanStepAction;

/* A step of the user, or a hook of the cutover. */
typedef struct PlanStep {
    const char *id;
    const char **needs; /* ids, kinds or phases; of a hook none */
    size_t needs_count;
    const char **before;
    size_t before_count;
    PlanStepAction action;
    PlanServer sql_server;
    const char *sql_file;      /* as written; NULL: sql_statement */
    const char *sql_statement; /* NULL: sql_file */
    PlanCommand command;
    const char **verify; /* ids of verifications */
    size_t verify_count;
    PlanServer done_if_server;
    const char *done_if_sql; /* NULL: it is run once */
    PlanPos pos;             /* of the id */
} PlanStep;

typedef struct PlanSteps {
    PlanStep *items;
    size_t count;
} PlanSteps;

typedef struct PlanWaiver {
    const char *code;
    const char *object; /* as findings name it, or ~pattern; NULL: any */
    const char *reason;
    const char *until; /* YYYY-MM-DD, the last day on which it counts */
    PlanPos pos;       /* of the code */
    PlanPos until_pos;
} PlanWaiver;

typedef struct PlanCutover {
    uint64_t max_lag_bytes; /* gates.max_lag_bytes, default 16 MB */
    int64_t max_lag_us;     /* gates.max_lag_time, default 5 s */
    int64_t stable_us;      /* gates.stable_for, default 2 s */
    const char **require;   /* gates.require: ids of verify entries */
    size_t require_count;
    bool approval_required;    /* default true */
    int64_t approval_valid_us; /* default 4 h */
    const char **approvers;    /* role names; none: anybody who may write the journal */
    size_t approvers_count;
    bool not_runner;        /* the approver must not be the role that runs apply */
    PlanStopWrites method;  /* default lock */
    int64_t grace_us;       /* default 30 s */
    const char **terminate; /* roles whose sessions are ended after the grace */
    size_t terminate_count;
    PlanCommand run;         /* method command: stops the writers */
    PlanCommand undo;        /* and lets them go on */
    int64_t max_downtime_us; /* default 5 min */
    PlanSteps before_fence;
    PlanSteps after_drain;
    PlanSteps on_switch;
    PlanSteps on_rollback;
    uint64_t sequence_margin;
    PlanPos pos;
} PlanCutover;

typedef struct PlanFailback {
    bool prepare;        /* default false */
    int64_t keep_for_us; /* default 7 days */
    bool goes_without;   /* if_unavailable: continue */
    PlanPos pos;
} PlanFailback;

/* A file that the plan names: SQL, a hook. */
typedef struct PlanNamedFile {
    const char *path;   /* as written */
    const char *digest; /* SHA-256, or "absent" */
} PlanNamedFile;

typedef struct Plan {
    Arena arena;
    const char *path;      /* as given on the command line */
    const char *directory; /* relative paths in the plan start here */
    const char *text;      /* the file, for snippets in later findings */
    size_t text_bytes;
    const char *name;
    const char *fingerprint; /* 64 hex digits */
    const char *canonical;   /* the canonical JSON that was hashed; kept in the journal for diffs */
    PlanEndpoint source;
    PlanEndpoint target;
    const char *pg_bin; /* tools.pg_bin, NULL: found by itself */
    PlanSelect select;
    PlanRoles roles;
    PlanExtensions extensions;
    PlanSchema schema;
    bool mirror; /* the source's hypertables become hypertables with the same settings */
    PlanPos mirror_pos;
    PlanHypertable *hypertables;
    size_t hypertable_count;
    PlanAggregate *aggregates; /* in the order of the plan */
    size_t aggregate_count;
    PlanJob *jobs;
    size_t job_count;
    PlanReplication replication;
    PlanCopy copy;
    PlanApply apply;
    PlanDdl ddl;
    uint64_t memory_bytes;           /* limits.memory, default 512 MB */
    uint32_t verify_rows_per_second; /* limits.verify_rows_per_second, 0: no limit */
    PlanVerify
        *verifies; /* never empty: the default is one checksum entry "all" over every relation */
    size_t verify_count;
    PlanCutover cutover;
    PlanFailback failback;
    PlanSteps steps;
    PlanCommand notify;
    PlanWaiver *waivers;
    size_t waiver_count;
    PlanWaiver *attests;
    size_t attest_count;
    VEC(PlanNamedFile) files; /* hashed into the fingerprint */
    VEC(Selector) compiled;   /* every selector, to be released */
} Plan;

/** Sessions that this plan's run has on the source, or the target, beside those of its workers. */
static inline uint32_t plan_beside_source(const Plan *plan)
{
    return PLAN_BESIDE_SOURCE + (plan->mirror ? PLAN_WATCH_SOURCE : 0);
}

static inline uint32_t plan_beside_target(const Plan *plan)
{
    return PLAN_BESIDE_TARGET + (plan->mirror ? PLAN_WATCH_TARGET : 0);
}

/* One finding of plan validation: code as in plan/diag_table.c, severity, position, text. */
typedef struct PlanFinding {
    const char *code; /* "P101" */
    bool is_error;    /* else a warning */
    PlanPos pos;
    uint32_t span;       /* columns the caret underlines, at least 1 */
    const char *message; /* primary */
    const char *hint;    /* NULL: none; "did you mean" goes here */
} PlanFinding;

typedef struct PlanFindings {
    PlanFinding *items;
    size_t count;
    size_t errors;
} PlanFindings;

/** The output plugin as servers call it. */
static inline const char *plan_plugin_name(PlanPlugin plugin)
{
    return plugin == PLAN_PLUGIN_TEST_DECODING ? "test_decoding" : "pgoutput";
}

/** Reads, validates and binds a plan file. Every fault is reported in one run.
 * \param plan     zeroed; released by plan_release() whatever the outcome
 * \param findings all faults and warnings, memory owned by the plan's arena
 * \return false with ERR_PLAN when there is any error finding, ERR_IO when the file cannot be read,
 *         ERR_BUG when libcyaml refuses what the walker accepted. */
MUSTCHECK bool plan_load(Plan *plan, const char *path, PlanFindings *findings, Err *err);

/** As plan_load(), of a text that is not read: as if it stood at `path`. */
MUSTCHECK bool plan_load_from(Plan *plan, const char *path, const char *text,
                              PlanFindings *findings, Err *err);
void plan_release(Plan *plan);

/** The characters in the first `bytes` bytes of a text; an invalid byte counts as one. */
uint32_t plan_characters(const char *text, size_t bytes);

/** Where a byte of a scalar's value stands in the plan. \param pos in: the scalar's own place; out:
 * the byte's \return false when the value stands there in another form (escapes, several lines);
 * `pos` is left alone then. */
bool plan_place(const Plan *plan, const char *value, size_t offset, PlanPos *pos);

/** A file that the plan names and that is not what it was when the plan was read; NULL if there is
 * none. What runs is what was reviewed: whoever runs one of them asks first. */
const char *plan_changed_file(const Plan *plan);

/** What the plan has the engine do at the same time. \param relations leaves; 0: not known yet */
BudgetNeeds plan_budget_needs(const Plan *plan, size_t relations);

/** A path in the plan, as it is opened: relative ones start at the plan's directory. */
const char *plan_file_path(Arena *arena, const Plan *plan, const char *path);

/** Renders one finding as text: file:line:column, severity, code, message, snippet, caret, hint.
 * \param fd the stream it is for (color_append()) */
char *plan_finding_text(Arena *arena, const Plan *plan, const PlanFinding *finding, int fd);

/** The plan language as JSON Schema (draft-07), from the tables that bind it. */
char *plan_schema_json(Arena *arena);

/** What differs between two canonical JSON texts, one "key: old -> new" a line; "" when nothing
 * does. */
char *plan_diff(Arena *arena, const char *old_canonical, const char *new_canonical);

#endif
