/*
 * Check: what the checks of preflight share. Part of preflight/ only.
 */
#ifndef GODWIT_PREFLIGHT_CHECK_H
#define GODWIT_PREFLIGHT_CHECK_H

#include "base/str.h"
#include "base/vec.h"
#include "pg/query.h"
#include "preflight/codes.h"
#include "provider/provider.h"

/* What one session of one server told beside its catalog. */
typedef struct Facts {
    bool may_replicate;
    bool sees_every_row; /* superuser or BYPASSRLS */
    int64_t slots_used;
    int64_t senders_used;
    int64_t connections_used;
    int64_t prepared;
    const char *prepared_names;
    bool may_create;
    bool owns_database;
    int64_t role_limit;     /* -1 none */
    int64_t database_limit; /* -1 none */
    bool may_signal;
    Rows *schemas; /* name, usage, create; sorted by name */
} Facts;

typedef struct Side {
    ConnSide side;
    const Catalog *catalog;
    const PlanEndpoint *endpoint;
    const Endpoint *address; /* NULL: not given */
    Conn *conn;
    Facts facts;
} Side;

/* What the run moves, and what is there. */
typedef struct CheckSizes {
    uint64_t tables; /* selected, on the source: heap and TOAST */
    uint64_t indexes;
    uint64_t source_database;
    uint64_t target_database;
    const char *tablespaces; /* of the source beside the default, with their sizes; NULL none */
} CheckSizes;

typedef struct Check {
    const PreflightInput *input;
    const Plan *plan;
    const Blueprint *blueprint;
    Side source;
    Side target;
    CheckSizes sizes;
    Rows *activity; /* relation, rows inserted, updated, deleted; sorted by relation */
    PreflightReport *report;
    Arena *arena; /* the report's */
} Check;

/** Adds a finding; message, why and remedy must live as long as the report. */
void check_add(Check *check, Code code, FindingSeverity severity, const Side *side,
               const char *object, const char *message, const char *why, const char *remedy);

/** Text that the report owns. */
#define check_text(check, ...) arena_printf((check)->arena, __VA_ARGS__)

/** The provider's own way on one side. */
const char *check_remedy(Check *check, const Side *side, ProviderTopic topic, const char *name,
                         const char *value);

/** A name or part quoted for SQL, for remedies. */
const char *check_sql(Check *check, const Side *side, const Name *name);
const char *check_sql_part(Check *check, const Side *side, const char *part);

/** A name or part as messages show it. */
const char *check_name(Check *check, const Name *name);
const char *check_part(Check *check, const char *part);

/** The relation that this table of the source is, or is a part of; NULL: not selected. */
const Relation *check_selected(const Check *check, uint32_t oid);

/** "public.a, public.b and 3 more": at most so many names of a growing list. */
typedef struct NameList {
    Str text;
    size_t count;
} NameList;

/** Adds a name; those beyond NAMES_MAX are only counted. */
void names_add(NameList *list, const char *name);

/** The list as text of the report's; empties it. */
const char *names_text(Check *check, NameList *list);

/** Reads how much every table of the source was written to. */
MUSTCHECK bool activity_read(Check *check, Err *err);

/** "so far: 12 MB, 340 updates, 12 deletes": what these tables hold, and what was done to them.
 */
const char *activity_text(Check *check, const Leaf *const *leaves, size_t count);

/** Reads the facts of one side. \return false with the connection's error. */
MUSTCHECK bool facts_read(Check *check, Side *side, Err *err);
void facts_release(Facts *facts);

/** The schema's row in facts->schemas: column 1 usage, 2 create; \return false when there is no
 * such schema. */
bool facts_schema(const Facts *facts, const char *schema, bool *usage, bool *create);

/* The checks; each looks at one concern on whichever side it concerns. */
void check_wal_level(Check *check);
void check_plugin(Check *check);
void check_plugin_of(Check *check, const Side *side, PlanPlugin plugin, FindingSeverity severity);
void check_slots(Check *check);
void check_standby(Check *check);
void check_versions(Check *check);
void check_same_database(Check *check);
void check_encoding(Check *check);
void check_retention(Check *check);
void check_prepared(Check *check);
void check_lock_table(Check *check);
void check_connections(Check *check);
void check_tools(Check *check);
void check_source_role(Check *check);
void check_tables_readable(Check *check);
void check_publication(Check *check);
void check_fence(Check *check);
void check_row_security(Check *check);
void check_target_role(Check *check);
void check_identity(Check *check);
void check_replica_role(Check *check);
void check_attestations(Check *check);
void check_analyzed(Check *check);
void check_way_back(Check *check);
void check_spool(Check *check);

/** limits.memory has room for the catalogs that were read. */
void check_memory(Check *check);

/** Lets the plan's waivers and attestations answer what has been found; entries that are past, of
 * no use or of no code become findings. */
void waivers_apply(Check *check);

/** What index builds at the same time take at most. \param indexes their sizes; sorted by it
 * \param each most that one may take */
uint64_t capacity_builds(uint64_t *indexes, size_t count, uint32_t jobs, uint64_t each);

/* Live probes; false with the connection's error. */
MUSTCHECK bool probe_endpoint(Check *check, Side *side, Err *err);
MUSTCHECK bool probe_provider(Check *check, Side *side, Err *err);
MUSTCHECK bool probe_expect(Check *check, Side *side, Err *err);
MUSTCHECK bool probe_existing(Check *check, Err *err);
MUSTCHECK bool probe_versions(Check *check, Err *err);
MUSTCHECK bool probe_roles(Check *check, Err *err);
MUSTCHECK bool probe_storage(Check *check, Err *err);
MUSTCHECK bool probe_quiet(Check *check, Err *err);
MUSTCHECK bool probe_powers(Check *check, Err *err);
MUSTCHECK bool probe_sessions(Check *check, Err *err);
MUSTCHECK bool probe_transactions(Check *check, Err *err);
MUSTCHECK bool probe_capacity(Check *check, Err *err);
MUSTCHECK bool probe_collations(Check *check, Err *err);
MUSTCHECK bool probe_types(Check *check, Err *err);
MUSTCHECK bool probe_parameters(Check *check, Err *err);
MUSTCHECK bool probe_workload(Check *check, Err *err);
MUSTCHECK bool probe_large_objects(Check *check, Err *err);
MUSTCHECK bool probe_way_back(Check *check, Err *err);
MUSTCHECK bool probe_map(Check *check, Err *err);
MUSTCHECK bool probe_search_path(Check *check, Err *err);
MUSTCHECK bool probe_own_settings(Check *check, Err *err);
MUSTCHECK bool probe_aggregates(Check *check, Err *err);

/* Role, user. */
#define GRANT_OWNER                                                                                \
    "GRANT %s TO %s;\n-- the user may then do all that this role may, of a superuser everything: " \
    "if "                                                                                          \
    "it is one, give its tables to another role first (ALTER TABLE ... OWNER TO)"

#endif
