/*
 * Build: what the parts of blueprint_build() share while it runs. Part of blueprint/ only.
 *
 * Order: select (which tables), map (their names on the target), relation (their columns, keys,
 * leaves), objects (what the archive keeps), index (indexes, foreign keys, sequences, materialized
 * views), hypertable (can each be converted). Findings are collected; only bad memory ends a part
 * early.
 */
#ifndef GODWIT_BLUEPRINT_BUILD_H
#define GODWIT_BLUEPRINT_BUILD_H

#include "base/vec.h"
#include "blueprint/blueprint.h"

typedef enum Diag {
    DIAG_HYPERTABLE_FUNCTION,
    DIAG_PARTITION_NEEDED,
    DIAG_PARTITION_LEFT_OUT,
    DIAG_COMMUNITY,
    DIAG_COMMUNITY_UNKNOWN,
    DIAG_POLICY_NAME,
    DIAG_RETENTION_CREATED,
    DIAG_AGGREGATE_TAKEN,
    DIAG_AGGREGATE_READS,
    DIAG_JOB_PROCEDURE,
    DIAG_NO_MATCH,
    DIAG_NOTHING_SELECTED,
    DIAG_PARTITION_ALONE,
    DIAG_LEFT_OUT,
    DIAG_FOREIGN_KEY_LEFT_OUT,
    DIAG_NEEDS_UNSELECTED,
    DIAG_INHERITANCE,
    DIAG_SOURCE_HYPERTABLE,
    DIAG_FOREIGN_TABLE,
    DIAG_MIRROR_LEFT_OUT,
    DIAG_EXTENSION_LEFT_OUT,
    DIAG_EVENT_TRIGGER,
    DIAG_NOT_BINARY,
    DIAG_INVALID_INDEX,
    DIAG_EXTENSION_EXCLUDED,
    DIAG_RESERVED,
    DIAG_MIRROR,
    DIAG_NEW_CHUNKS,
    DIAG_TARGET_RELEASE,
    DIAG_HYPERTABLE_UNSELECTED,
    DIAG_HYPERTABLE_COLUMN,
    DIAG_HYPERTABLE_TYPE,
    DIAG_HYPERTABLE_KEY,
    DIAG_HYPERTABLE_FOREIGN_KEY,
    DIAG_NO_TIMESCALEDB,
    DIAG_HYPERTABLE_PARTITIONED,
    DIAG_HYPERTABLE_FEATURE,
    DIAG_HYPERTABLE_NULLABLE,
    DIAG_FILTER_UNSELECTED,
    DIAG_FILTER_TWICE,
    DIAG_FILTER_SQL,
    DIAG_FILTER_FORBIDDEN,
    DIAG_FILTER_IDENTITY,
    DIAG_FILTER_VERSION,
    DIAG_LIST_COLUMN,
    DIAG_LIST_LEAVES_OUT,
    DIAG_LIST_NEEDED,
    DIAG_FILTER_EFFECT,
    DIAG_IDENTITY_INDEX,
    DIAG_IDENTITY_COLUMNS,
    DIAG_IDENTITY_UNUSED,
    DIAG_PUBLICATION_EXISTS,
    DIAG_PUBLICATION_SELECTION,
    DIAG_PUBLICATION_KINDS,
    DIAG_PUBLICATION_EMPTY,
    DIAG_MAP_NAME,
    DIAG_MAP_CLASH,
    DIAG_MAP_UNUSED,
    DIAG_MAP_KIND,
    DIAG_MERGE_COLUMNS,
    DIAG_MERGE_KEY,
    DIAG_MERGE_KIND,
    DIAG_MERGE_NEEDED,
    DIAG_MERGE_LEFT_OUT,
    DIAG_COUNT
} Diag;

extern const BlueprintDiag blueprint_diag_table[DIAG_COUNT];

/* What the selection says of one relation of the source. */
typedef struct Mark {
    bool selected;    /* its rows (or, for a view, its definition) are wanted */
    bool schema_only; /* of what is selected: the definition alone */
    const PlanRowFilter *filter;
    const PlanColumnList *list;
    bool excluded;             /* by name */
    const PlanSelector *cause; /* what selected (or excluded) it */
} Mark;

/* Where a table of the source comes to. */
typedef struct Place {
    Name target;
    const PlanMap *map;       /* NULL: it keeps its name, or follows its root */
    const CatRelation *merge; /* the first of the tables that become one, or the root of a partition
                                 that becomes a part of it; NULL: neither */
} Place;

typedef VEC(Rename) Renames;

typedef struct Build {
    Blueprint *blueprint;
    const Plan *plan;
    const Catalog *source;
    const Catalog *target;
    Arena *arena; /* the blueprint's */
    VEC(PlanFinding) findings;
    Mark *marks;          /* one for each source->relations */
    Place *places;        /* the same, from build_map() on */
    bool has_merges;      /* some place has a `merge` */
    const char **schemas; /* wholly selected, sorted */
    size_t schema_count;
    const PlanSelector **schema_causes;      /* which selector took schemas[i] */
    VEC(const PlanHypertable *) hypertables; /* the plan's, and those that are mirrored */
    VEC(const PlanAggregate *) aggregates;   /* the same */
    VEC(const PlanJob *) jobs;               /* the same */
    bool *kept;                              /* one for each source->objects */
    bool *extension_needed;                  /* one for each source->extensions */
} Build;

/** Adds a finding at a selector (or another place). */
void build_find(Build *build, Diag diag, PlanPos pos, uint32_t span, const char *format, ...)
    PRINTF(5, 6);

/** Gives the finding added last its hint. */
void build_hint(Build *build, const char *format, ...) PRINTF(2, 3);

/** Adds a finding at the selector that took the relation. */
void build_find_at(Build *build, Diag diag, const PlanSelector *cause, const char *format, ...)
    PRINTF(4, 5);

/** Sorts the findings. \return false with ERR_PLAN when there is an error among them. */
MUSTCHECK bool build_conclude(Build *build, PlanFindings *findings, Err *err);

/** A relation's or object's name for messages. */
const char *build_name(Build *build, const Name *name);

Mark *build_mark(Build *build, const CatRelation *relation);

/** Whether a schema is selected as a whole; `cause` tells by what (may be NULL). */
bool build_schema_selected(const Build *build, const char *schema, const PlanSelector **cause);

/** Walks every relation that a selector matches and that may be selected at all; partitions too.
 * \return whether there was any. */
bool build_each_match(Build *build, const PlanSelector *selector,
                      void (*take)(Build *build, const CatRelation *relation, const void *data),
                      const void *data);

/** Says that a selector matches no relation, with what was meant perhaps. */
void build_no_match(Build *build, const PlanSelector *selector, const char *where);

/** Whether a column list leaves a column out; of partitions too. */
bool build_is_left_out(const Build *build, const CatRelation *table, const char *column);

/** Whether an index of a selected table goes with a column that is left out; `column` (may be NULL)
 * tells which. */
bool build_index_goes(const Build *build, const CatIndex *index, const char **column);

/** Whether an old row that travels has this column: it is of the leaf's replica identity. */
bool build_in_identity(const Build *build, const Leaf *leaf, const char *column);

/** Whether UPDATE or DELETE is published: only then do old rows travel. */
bool build_publishes_old_rows(const Plan *plan);

/** Walks every use of a column that a column list leaves out, by an object that stays. */
void build_each_lost_use(Build *build,
                         void (*take)(Build *build, const CatRelation *table, const char *column,
                                      const CatColumnUse *use, void *data),
                         void *data);

/** The selected relation with this oid of its own (a root's), NULL if there is none. */
Relation *build_relation(const Build *build, uint32_t oid);

/** Whether a schema that `cause` takes belongs to the provider and is left out; says so. Without a
 * cause it only tells. */
bool build_schema_reserved(Build *build, const char *schema, const PlanSelector *cause);

/** Whether nothing of this schema (may be NULL) is made on the target, needed or not. */
bool build_schema_blocked(const Build *build, const char *schema);

/** Whether a relation that its schema brings belongs to the provider's own role; says so. */
bool build_relation_reserved(Build *build, const CatRelation *relation, const PlanSelector *cause);

/** Whether an extension that nothing needs works with this provider only; says so. */
bool build_extension_reserved(Build *build, const char *extension);

bool build_event_trigger_reserved(const Build *build, const char *trigger);
/** Where a table comes to. */
Place *build_place(const Build *build, const CatRelation *relation);

/** The hypertable of this name that a partitioned table becomes; NULL: none does. */
const PlanHypertable *build_gathering(const Build *build, const Name *target);

/** Adds a finding at the target of an entry of select.map. */
void build_find_map(Build *build, Diag diag, const PlanMap *map, const char *format, ...)
    PRINTF(4, 5);

/** Whether a table's structure does not come to the target: another one's, into which it is merged,
 * does. */
bool build_is_merged_away(const Build *build, const CatRelation *relation);

/** A table merged with `first` that has no foreign key like this one of its; NULL: all have. */
const Relation *build_lacks_foreign_key(const Build *build, const Relation *first,
                                        const CatConstraint *key);

/** Schemas that tables are moved into; adds one unless it is there. */
void build_need_schema(Build *build, const char *schema);

void build_select(Build *build);
void build_filters(Build *build);      /* marks: filter, list, schema_only of each table */
void build_column_lists(Build *build); /* what goes with columns that are left out */
void build_map(Build *build);
void build_relations(Build *build);
void build_merges(Build *build);
void build_objects(Build *build);

/** Which replica identities the run sets, and which publications there are; behind the relations.
 */
void build_identities(Build *build);
void build_publications(Build *build);

/** The index as a key of the relation; NULL when it does not name exactly one row. */
const Key *build_key(Build *build, const Relation *relation, const CatIndex *index);

void build_indexes(Build *build);
void build_foreign_keys(Build *build);
void build_sequences(Build *build);
void build_matviews(Build *build);
void build_extensions(Build *build);
void build_hypertables(Build *build);

/** Which hypertables there are to be: the plan's, and the source's where it is mirrored, with what
 * the plan says of them put over what is there. Behind the map. */
void build_mirror(Build *build);

/** Chooses how changes of new chunks come into the stream; behind publications and lists. */
void build_chunk_way(Build *build);

/** Whether rows of this continuous aggregate of the source are carried over. */
bool build_is_carried(const Build *build, const Name *view);

/** Whether the run pauses this job of the source: it is scheduled, the plan says so, and it is a
 * policy of a selected hypertable, of an aggregate whose rows are carried over, or the user's own.
 */
bool build_job_rests(Build *build, const CatJob *job);

/** Whether it is a policy of the source that fails whenever it runs, and does nothing so. */
bool build_job_fails(const Build *build, const CatJob *job);

/** Which jobs of the source rest during the run. See docs/adr/0032. */
void build_paused_jobs(Build *build);

/** Continuous aggregates and jobs, the plan's and the source's; behind the hypertables. */
void build_mirror_community(Build *build);

/** What the source's TimescaleDB does to rows that the run could not follow. */
void build_mirror_source(Build *build);

/** Warns of keys of a policy's configuration that the target's TimescaleDB is too old to know.
 * \param what has them, for people \param keys a text that names them; NULL: none */
void build_config_keys(Build *build, PlanPos pos, const char *what, const char *keys);

/** The version of the target's TimescaleDB, created or at hand; NULL: there is none. */
const char *build_target_version(const Build *build);

/** 219 for its version 2.19; 0: there is none. */
int build_target_release(const Build *build);

/** Whether a retention by creation time works where the partition column has a now. Until then such
 * a policy looked for drop_after, in each run of its job and in each alter_job() of it.
 * \note Source: TimescaleDB's issue 9446, mended in 2.26.3 and 2.27. */
bool timescaledb_drops_created(const char *version);

/** 219 for "2.19.3"; 0 for NULL. */
int timescaledb_release(const char *version);

/** Where the first of all wishes for a hypertable stands in the plan; NULL: there is none. */
const PlanPos *build_first_hypertable(const Build *build);

/** Columnstore and policies of one hypertable. */
void build_community(Build *build, const PlanHypertable *table, const Relation *relation);

/** Whether a retention policy by the time of making works on the target.
 * \param has_now the partition column has a now: a time, or a number with a function for it */
void build_retention(Build *build, const Name *table, const PlanRetention *retention, bool has_now);

/** What only TimescaleDB's community edition has. \param what it is, and of what */
void build_edition(Build *build, PlanPos pos, const char *what);

/** The function of this name, in one of the servers' catalogs; NULL: there is none. */
const CatObject *build_function(const Catalog *catalog, const Name *name);

void build_aggregates(Build *build);
void build_jobs(Build *build);

#endif
