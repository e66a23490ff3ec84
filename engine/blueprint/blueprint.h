/*
 * Blueprint: the one selection. Plan x source Catalog x target Catalog, resolved: which relations,
 * how each is mapped, copied, published, converted, verified. Publication, copy list, apply map and
 * verification are derived from it and never computed again elsewhere.
 *
 * Built by blueprint_build() on one thread; afterwards read only and shared by all threads.
 */
#ifndef GODWIT_BLUEPRINT_BLUEPRINT_H
#define GODWIT_BLUEPRINT_BLUEPRINT_H

#include "base/name.h"
#include "catalog/catalog.h"
#include "plan/plan.h"

typedef struct Relation Relation;
typedef struct IdentityDef IdentityDef;

/* A column that travels: generated columns are left out here and kept in Relation.generated. */
typedef struct Column {
    const char *name;
    const char *type_text; /* format_type() of the source, schema-qualified where not built in */
    uint32_t type_oid;     /* on the source */
    const char *equality;  /* for OPERATOR(...): "pg_catalog.=", or where the type's own lies */
    bool not_null;
    char identity;     /* 'a' always, 'd' by default, '\0' none */
    bool binary_safe;  /* binary COPY and binary parameters mean the same on both servers */
    bool generated;    /* only among those that are left out */
    bool holds_floats; /* or arrays, or is made of them: one NaN has many binary forms */
    bool text_differs_by_major; /* float4/float8 with a side before 12: verify by send bytes */
} Column;

/* A set of columns that names one row: primary key, or a unique, non-partial, non-deferrable index
 * over NOT NULL columns. */
typedef struct Key {
    const char *index_name; /* raw, on the source, in the relation's schema */
    bool is_primary;
    size_t count;
    const uint16_t *columns; /* indexes into Relation.columns */
} Key;

/* Where rows live on the source: a plain table, or one partition leaf. A leaf is its root's part.
 */
typedef struct Leaf {
    uint32_t oid; /* on the source */
    Name source;
    Name target_share;  /* the target table that holds exactly this leaf's rows when one_to_one */
    const char *bounds; /* of a partition whose root becomes one table: the condition over the
                           columns that its rows and no others meet; NULL: it cannot be told */
    bool one_to_one; /* TRUNCATE is allowed on target_share; FREEZE too unless it is a hypertable */
    Relation *root;
    size_t index;   /* in Blueprint.leaves */
    uint64_t bytes; /* heap and TOAST, from the source; an estimate for scheduling and progress */
    uint32_t pages;
    double rows_estimate; /* reltuples; -1 unknown */
    bool is_heap;         /* ctid ranges are possible (14+) */
    bool unlogged;
    char replica_identity; /* 'd' 'i' 'f' 'n' as in pg_class.relreplident */
    bool has_identity;     /* UPDATE and DELETE can be published */
    const IdentityDef
        *identity; /* what the run sets; the two above are as it will be. NULL: kept */
} Leaf;

/* A replica identity that the run sets on the source and takes back at its end. */
struct IdentityDef {
    const Leaf *leaf;
    const char *index_name; /* raw, in the leaf's schema; NULL: FULL */
    const char **columns;   /* raw: the run makes the index over them; NULL: it is there */
    size_t column_count;
};

/* A publication on the source; the stream reads them all. */
typedef struct PublicationDef {
    const char *name; /* NULL: godwit_<plan>_<run> */
    bool adopted;     /* it was there before the run, and is not the run's to change or drop */
    const Relation **relations;
    size_t relation_count;
    PlanPos pos; /* of the plan's entry; line 0: the default */
} PublicationDef;

/* A selected table: a plain one or a partitioned root. Changes of all leaves are applied to
 * `target`. */
struct Relation {
    uint32_t oid; /* on the source */
    Name source;
    Name target;
    bool partitioned; /* declaratively, on the source */
    bool chunked;     /* a hypertable on the source: its rows are in chunks, which come and go; it
                         is one leaf nevertheless */
    bool family;  /* plain inheritance, as parent or child: its own rows are only part of what its
                     name reads, ONLY tells them apart */
    size_t index; /* in Blueprint.relations */
    PlanPos pos;  /* the selector that took it */
    Column *columns;
    size_t column_count;
    const char **generated; /* generated columns */
    size_t generated_count;
    Column *left_out; /* columns of the source that a column list leaves out, generated ones too */
    size_t left_out_count;
    const PlanColumnList *list; /* what gave it its columns; NULL: all of them */
    const char *filter; /* a whole condition in parentheses over unqualified columns of the source;
                           NULL: every row */
    const PlanRowFilter *filter_from;
    bool schema_only; /* structure without rows: it has no leaves */
    bool unlogged;    /* so is one of its leaves: no stream carries those rows' changes */
    const Key *key; /* for apply and verify on the target: replica identity index, else primary key,
                       else a suitable unique index; NULL: keyless */
    bool further_unique; /* unique or exclusion constraints beside `key`: folding must keep source
                            order */
    bool binary;         /* every column is binary safe (and the plan does not say text) */
    const PlanHypertable *hypertable; /* NULL: not converted */
    Relation *merge; /* the first of the relations that become one on the target, whose structure
                        that has: itself for this one. NULL: not merged */
    Relation *merge_next; /* the next of them, by name; NULL: the last */
    Relation *pool; /* the first of those whose rows share a table of the target and cannot be told
                       apart there, so that they are copied together or not at all; NULL: none */
    Leaf **leaves;
    size_t leaf_count;
};

/* Indexes of materialized views are not here: the schema archive holds them. A partition's index
 * that its root's index will make by itself (below a partition that is partitioned again) is left
 * out. Indexes of leaves come before their root's. */
typedef struct IndexDef {
    Name name; /* raw; schema is the table's on the target */
    Relation *relation;
    Name table;                  /* root or leaf it stands on, on the target */
    uint32_t table_oid;          /* on the source */
    const char *sql;             /* pg_get_indexdef() of the source, ONLY removed, qualified; where
                                    the table is renamed it names the source's */
    const char *constraint_sql;  /* NULL: plain index; else pg_get_constraintdef() of the constraint
                                    it backs */
    const char *constraint_name; /* raw */
    char constraint_type;        /* 'p' 'u' 'x', '\0' none */
    bool on_leaf;                /* stands on a partition leaf; its root's counterpart adopts it */
    bool is_key; /* apply needs it: must exist before replication starts on the relation */
    bool is_replica_identity;
    bool clustered;
    uint64_t bytes; /* size on the source, for scheduling */
} IndexDef;

typedef struct ForeignKey {
    const char *name;
    Relation *relation; /* referencing; its root when partitioned */
    Name table;         /* what it stands on, on the target: the root, or a leaf's own */
    uint32_t table_oid; /* on the source */
    Name referenced;    /* on the target */
    uint32_t referenced_oid;
    const char *sql; /* pg_get_constraintdef(): FOREIGN KEY ...; where what it references is renamed
                        it names the source's */
    bool validated;  /* on the source */
} ForeignKey;

typedef struct SequenceDef {
    uint32_t oid;
    Name name;          /* on the source */
    Name target;        /* on the target */
    const Name *merged; /* sequences of the source that become this one too: it continues behind
                           all of them */
    size_t merged_count;
    Relation *owner; /* owned by this selected relation's column; NULL: free-standing */
    const char *owner_column;
    char kind; /* 's' serial or free-standing, 'i' identity */
    int64_t increment;
} SequenceDef;

typedef struct MatviewDef {
    uint32_t oid;
    Name name;
    size_t order;   /* refresh order by dependency */
    bool populated; /* on the source */
} MatviewDef;

/* A relation of the source (table, partition, index, owned sequence) that bears another name or
 * stands in another schema on the target. */
typedef struct Rename {
    uint32_t oid;
    Name source;
    Name target;
    bool follows; /* an index or sequence: it follows its table */
} Rename;

/* In the order in which they can be created. */
typedef struct ExtensionDef {
    const char *name;
    const char *schema;
    const char *version; /* on the source; of TimescaleDB for hypertables: the target's default */
    bool on_target;      /* already there */
    bool relocatable;
} ExtensionDef;

/* An object of the source that the schema archive keeps: pg_restore's list names both numbers. */
typedef struct ObjectId {
    uint32_t class_oid;
    uint32_t oid;
} ObjectId;

/* Where TimescaleDB makes chunks unless it was told otherwise. */
#define CHUNK_SCHEMA "_timescaledb_internal"

/* How changes of chunks that are made later come into the stream. See docs/adr/0030. */
typedef enum ChunkWay {
    CHUNKS_NONE,      /* no hypertable of the source is selected */
    CHUNKS_BY_SCHEMA, /* the publication names the schema that chunks are made in */
    CHUNKS_BY_PLUGIN, /* the plugin knows no publications */
    CHUNKS_BY_WATCH,  /* the stream's watcher publishes and copies them; see docs/adr/0034 */
} ChunkWay;

typedef struct Blueprint {
    Arena arena;
    const Plan *plan;
    const Catalog *source;
    const Catalog *target;
    Relation *relations;
    size_t relation_count;
    Leaf *leaves; /* of all relations */
    size_t leaf_count;
    IndexDef *indexes;
    size_t index_count;
    ForeignKey *foreign_keys;
    size_t foreign_key_count;
    SequenceDef *sequences;
    size_t sequence_count;
    MatviewDef *matviews;
    size_t matview_count;
    IdentityDef *identities; /* in the order of the leaves */
    size_t identity_count;
    PublicationDef *publications; /* at least one; with test_decoding none */
    size_t publication_count;
    ExtensionDef *extensions;
    size_t extension_count;
    const char **schemas; /* every schema that must exist on the target */
    size_t schema_count;
    const ObjectId
        *objects; /* sorted by (class, oid): everything selected, and what that depends on */
    size_t object_count;
    const Rename *renames; /* by select.map, sorted by oid */
    size_t rename_count;
    bool replicating;   /* the run replicates already (the engine says so): its stream goes on from
                           the start of the graph, and leaves that are not streaming join it */
    uint32_t *left_out; /* relations of the source whose changes are none of the run's (the engine
                           says so): partitions that went, tables that are paused */
    size_t left_out_count;
    const Name *paused; /* tables of the source that were altered and go their own way until they
                           are copied anew (the session says so): none of the relations */
    size_t paused_count;
    const Name *resumed; /* those that are copied anew by request; they may be gone altogether */
    size_t resumed_count;
    const PlanHypertable *const *hypertables; /* the plan's, and those that are mirrored */
    size_t hypertable_count;
    const PlanAggregate *const *aggregates; /* the same */
    size_t aggregate_count;
    const PlanJob *const *jobs; /* the same */
    size_t job_count;
    bool has_chunked; /* a selected relation is a hypertable on the source */
    ChunkWay chunk_way;
    const char *chunk_why;      /* a clause: why that way, and not one before it; NULL: none */
    const CatJob **paused_jobs; /* the source's, that rest during the run; sorted by id */
    size_t paused_job_count;
    bool source_has_timescaledb;
    bool target_has_timescaledb;
    Relation **by_oid; /* the relations by their own oid */
    Leaf **leaf_by_oid;
} Blueprint;

/* A kind of finding that blueprint_build() makes; sorted by code, each has its page. */
typedef struct BlueprintDiag {
    const char *code; /* "P301" */
    bool is_error;
    const char *title;
} BlueprintDiag;

/** Resolves the plan against both catalogs. Every selector that matches nothing (and is not
 * optional), every hypertable that names no selected relation, every key that lacks the partition
 * column is a finding. \param findings all of them at once, memory owned by the blueprint's arena;
 * positions are the plan's \return false with ERR_PLAN when there is an error finding. */
MUSTCHECK bool blueprint_build(Blueprint *blueprint, const Plan *plan, const Catalog *source,
                               const Catalog *target, PlanFindings *findings, Err *err);
/** Puts the row filters to the source's parser: each must be one immutable condition that the
 * stream can evaluate. Reads only. \param findings those of blueprint_build(), which more are added
 * to \return false with ERR_PLAN when there is any error finding, ERR_SQL, ERR_LOST. */
MUSTCHECK bool blueprint_probe(Blueprint *blueprint, Conn *source, PlanFindings *findings,
                               Err *err);
void blueprint_release(Blueprint *blueprint);

/** Every kind of finding, for explain and the documentation. */
const BlueprintDiag *blueprint_diags(size_t *count);

/** The leaf with this source oid, NULL if it is not selected. */
const Leaf *blueprint_leaf(const Blueprint *blueprint, uint32_t source_oid);

/** The one leaf of the selected hypertable with this source oid, NULL if it is none. */
const Leaf *blueprint_chunked(const Blueprint *blueprint, uint32_t source_oid);

/** The relation with this source name, NULL if it is not selected. */
Relation *blueprint_relation(const Blueprint *blueprint, const Name *source);

/** Whether the relation's rows are copied: not where its structure alone is wanted, and nothing is
 * with copy.data false. */
bool relation_is_copied(const Blueprint *blueprint, const Relation *relation);

/** Whether a column list leaves a column of this table of the source out; a partition's, too. */
bool blueprint_leaves_out(const Blueprint *blueprint, uint32_t table, const char *column);

/** Whether it is partitioned on the source and one table, a hypertable, on the target. */
bool relation_is_gathered(const Relation *relation);

/** Whether the publication must name its leaves one by one: PostgreSQL lets neither a row filter
 * nor a column list stand on a partitioned table that does not publish as its root. */
bool relation_is_published_by_leaf(const Relation *relation);

/** What select.map does to a relation of the source (of any kind), NULL if it keeps its name. */
const Rename *blueprint_rename(const Blueprint *blueprint, uint32_t source_oid);

/** The name on the target of a relation of the source. */
Name blueprint_target_name(const Blueprint *blueprint, uint32_t source_oid, const Name *source);

/** Whether an object of the source is kept in the schema archive. */
bool blueprint_keeps_object(const Blueprint *blueprint, uint32_t class_oid, uint32_t oid);

/** A schema that belongs to TimescaleDB itself. */
bool schema_is_timescaledb(const char *schema);

/** Whether the target must be kept quiet: its user cannot set session_replication_role, so nothing
 * that acts on replicated changes (triggers, rules, foreign keys) may stand there before the drain.
 * False without a target. See docs/adr/0007. */
bool blueprint_keeps_quiet(const Blueprint *blueprint);

#endif
