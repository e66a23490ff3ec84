/*
 * Catalog: what is really there, of one server, read by set-based queries (never one per relation)
 * into plain structs. Owned by its arena; read only once filled.
 */
#ifndef GODWIT_CATALOG_CATALOG_H
#define GODWIT_CATALOG_CATALOG_H

#include "base/name.h"
#include "pg/conn.h"

typedef struct CatServer {
    int version;                   /* 150018 */
    const char *version_text;      /* server_version */
    const char *system_identifier; /* pg_control_system(); NULL where not permitted */
    const char *database;
    uint32_t database_oid;
    const char *encoding;
    const char *collate;
    const char *user;
    bool is_superuser;
    bool in_recovery;
    const char *timescaledb_version; /* NULL: extension not created */
    const char *timescaledb_license; /* NULL: not loaded */
    const char *replica_sql; /* target: how session_replication_role is set, NULL: it cannot be */
} CatServer;

typedef struct CatSetting {
    const char *name;
    const char *value; /* in the setting's base unit, as pg_settings.setting */
    const char *unit;  /* NULL: none */
} CatSetting;

/* pg_class row of a table, partitioned table, view, materialized view, sequence, foreign table. */
typedef struct CatRelation {
    uint32_t oid;
    Name name;
    char kind;        /* relkind */
    char persistence; /* relpersistence */
    char replica_identity;
    uint32_t replica_identity_index; /* oid, 0 none */
    uint32_t parent;                 /* partition parent's oid, 0 none */
    uint32_t root;                   /* topmost partition root, itself when none */
    bool is_partition;
    bool inherits;     /* plain inheritance child or parent */
    bool row_security; /* enabled */
    bool force_row_security;
    bool of_extension;
    bool populated;
    bool is_heap;
    bool is_hypertable; /* TimescaleDB */
    bool is_chunk;
    uint32_t hypertable; /* of a chunk: its oid */
    bool is_compressed;  /* a chunk in the columnstore */
    const char *owner;
    bool can_select; /* has_table_privilege(current user) */
    bool owns;       /* member of the owner role */
    uint32_t pages;
    double tuples;
    uint64_t bytes;                     /* heap and TOAST */
    const char *partition_strategy_key; /* pg_get_partkeydef, NULL none */
    const char *bounds;                 /* of a leaf: pg_get_partition_constraintdef, NULL none */
    const char *attached; /* of a partition: the transaction that attached it; it is another one
                             once it was detached and attached again */
    bool can_lock;        /* may LOCK it against writers */
    uint32_t storage;     /* of a table: pg_class.relfilenode, else 0 */
    const char *places;   /* of a table: which columns are where, a sum; NULL: it has none */
    const char *written;  /* the same of the transactions that wrote its columns' rows last */
    const char *named;    /* the transactions that wrote its own row, and its schema's, last */
} CatRelation;

typedef struct CatColumn {
    uint32_t relation;
    int attnum;
    const char *name;
    uint32_t type_oid;
    const char *type_text;
    uint32_t base_type_oid; /* under domains */
    uint32_t element_oid;   /* of a one-dimensional array type, 0 none */
    bool type_builtin;      /* base (or element) type is one of pg_catalog's own */
    char type_kind;         /* pg_type.typtype of the base (or element) type */
    bool not_null;
    char identity;
    bool generated;
    const char *equality; /* the type's operator, as OPERATOR(schema.=) wants it */
    bool is_virtual;      /* generated when it is read */
} CatColumn;

typedef struct CatIndex {
    uint32_t oid;
    uint32_t relation;
    Name name;
    bool unique;
    bool primary;
    bool valid;
    bool immediate; /* not deferrable */
    bool partial;
    bool has_expressions;
    bool exclusion;
    bool clustered;
    int key_count;
    const int *attnums;  /* key_count of them, 0 is an expression */
    const char *sql;     /* pg_get_indexdef */
    uint32_t constraint; /* oid, 0 none */
    uint64_t bytes;
    uint32_t parent; /* partitioned index it is attached to, 0 none */
} CatIndex;

typedef struct CatConstraint {
    uint32_t oid;
    uint32_t relation;
    const char *name;
    char type; /* contype */
    const char *sql;
    bool validated;
    bool deferrable;
    uint32_t referenced; /* relation oid for foreign keys */
    uint32_t parent;     /* inherited from this constraint, 0 none */
} CatConstraint;

typedef struct CatSequence {
    uint32_t oid;
    Name name;
    uint32_t owner_relation;
    const char *owner_column;
    char dependency; /* 'a' serial, 'i' identity, '\0' free-standing */
    int64_t increment;
    int64_t min_value;
    int64_t max_value;
    bool of_extension;
} CatSequence;

typedef struct CatTrigger {
    uint32_t oid;
    uint32_t relation;
    const char *name;
    char enabled; /* 'O' 'D' 'R' 'A' */
} CatTrigger;

typedef struct CatExtension {
    uint32_t oid;
    const char *name;
    const char *version;
    const char *schema;
    bool relocatable;
} CatExtension;

typedef struct CatAvailable {
    const char *name;
    const char *default_version;
} CatAvailable;

/* The system catalogs whose rows are objects (fixed oids, the same in every version). */
#define CAT_CLASS_TYPE          1247u
#define CAT_CLASS_PROC          1255u
#define CAT_CLASS_RELATION      1259u
#define CAT_CLASS_DEFAULT       2604u
#define CAT_CLASS_CAST          2605u
#define CAT_CLASS_CONSTRAINT    2606u
#define CAT_CLASS_NAMESPACE     2615u
#define CAT_CLASS_RULE          2618u
#define CAT_CLASS_TRIGGER       2620u
#define CAT_CLASS_EXTENSION     3079u
#define CAT_CLASS_POLICY        3256u
#define CAT_CLASS_EVENT_TRIGGER 3466u
#define CAT_CLASS_TRANSFORM     3576u

/* One row of pg_depend between objects of the user's. */
typedef struct CatDependency {
    uint32_t class_oid;
    uint32_t oid;
    uint32_t ref_class_oid;
    uint32_t ref_oid;
    char type; /* 'n' normal, 'a' automatic, 'i' internal, 'P' 'S' partition, 'e' extension */
} CatDependency;

/* What uses one column of a table. */
typedef struct CatColumnUse {
    uint32_t relation;
    int attnum;
    uint32_t class_oid;
    uint32_t oid;
    char type;     /* as in CatDependency; 'p': the partition key of the table itself */
    int generated; /* number of the generated column whose expression this is, 0 none */
} CatColumnUse;

/* Whatever a schema archive can hold. */
typedef struct CatObject {
    uint32_t class_oid;
    uint32_t oid;
    const char *schema; /* NULL: in none */
    const char *name;
    uint32_t extension; /* member of the extension with this oid, 0 none */
    const char *kind;   /* "function": for messages */
} CatObject;

typedef struct CatPublication {
    uint32_t oid;
    const char *name;
    const char *comment; /* "" none */
    bool all_tables;
    uint32_t publish; /* PlanPublish bits */
    bool via_root;
    bool filtered;          /* a row filter or a column list is in it */
    const uint32_t *tables; /* sorted; leaves, unless via_root */
    size_t table_count;
} CatPublication;

typedef struct CatHypertable {
    Name name;
    const char *column_name;
    const char *interval; /* text as TimescaleDB shows it */
    int dimension_count;
    int64_t chunk_count;
    const char *chunk_schema; /* chunks are made in; NULL: TimescaleDB's own, here and below */
    const char *chunk_prefix; /* their names begin so */
    const char **tablespaces; /* attached to it */
    size_t tablespace_count;
    bool is_distributed; /* over several servers, up to 2.13 */
} CatHypertable;

/* A dimension of a hypertable, in the order in which they were made. */
typedef struct CatDimension {
    Name table;
    const char *column_name;
    const char *interval; /* "7 days", or a number of the column's unit; NULL: by hash */
    bool interval_is_integer;
    uint32_t number_partitions; /* 0: by range */
    Name partition_func;        /* of the user's own; rel NULL: none */
    Name integer_now_func;      /* rel NULL: none */
} CatDimension;

/* The columnstore of a hypertable that has it on. */
typedef struct CatColumnstore {
    Name table;
    const char **segmentby; /* raw */
    size_t segmentby_count;
    const char **orderby; /* as ORDER BY takes them */
    size_t orderby_count;
    const char *chunk_interval; /* chunks are merged up to it; NULL: they are not */
} CatColumnstore;

/* A job of the user's: a policy of TimescaleDB, or a procedure of their own. */
typedef struct CatJob {
    int64_t id;
    Name table; /* a continuous aggregate's is its view; rel NULL: of none */
    Name procedure;
    const char *schedule_interval;
    const char *initial_start; /* NULL: none; here and below */
    const char *timezone;
    const char *max_runtime;
    int64_t max_retries; /* -1: without end */
    const char *retry_period;
    bool scheduled;
    const char *config;
    const char *age; /* compress_after, drop_after */
    bool age_is_integer;
    const char *created_before; /* compress_created_before, drop_created_before */
    const char *index_name;     /* of a reorder policy */
    const char *further;        /* keys of its configuration beside those, with commas */
    const char *more;           /* they, as a JSON object; NULL: none */
    const char *owner;
    bool may_alter;           /* who asks is the owner, or a member of it */
    bool is_fixed;            /* keeps to a fixed schedule */
    Name check;               /* looks at the configuration; rel NULL: none */
    const char *start_offset; /* of a refresh; NULL: unbounded */
    bool start_is_integer;
    const char *end_offset;
    bool end_is_integer;
} CatJob;

/* A continuous aggregate. */
typedef struct CatAggregate {
    Name view;
    Name materialization; /* its hypertable */
    const char *query;
    bool materialized_only;
    bool is_finalized; /* of the form that every version knows */
    Name reads;        /* a hypertable, or another aggregate */
} CatAggregate;

#define CAT_LIST(type, name)                                                                       \
    type *name;                                                                                    \
    size_t name##_count

typedef struct Catalog {
    Arena arena;
    ConnSide side;
    CatServer server;
    CAT_LIST(CatSetting, settings);         /* sorted by name: the ones that godwit looks at */
    CAT_LIST(CatRelation, relations);       /* sorted by oid; no system schemas */
    CAT_LIST(CatColumn, columns);           /* sorted by relation, attnum */
    CAT_LIST(CatIndex, indexes);            /* sorted by relation, oid */
    CAT_LIST(CatConstraint, constraints);   /* sorted by relation, oid */
    CAT_LIST(CatSequence, sequences);       /* sorted by oid */
    CAT_LIST(CatTrigger, triggers);         /* not internal; sorted by relation, oid */
    CAT_LIST(CatPublication, publications); /* sorted by name, byte by byte */
    CAT_LIST(CatExtension, extensions);     /* sorted by name */
    CAT_LIST(CatAvailable, available);      /* sorted by name */
    CAT_LIST(CatObject, objects);           /* sorted by class, oid */
    CAT_LIST(CatDependency, dependencies);  /* sorted by class, oid */
    CAT_LIST(CatColumnUse, column_uses);    /* sorted by relation, attnum, class, oid */
    CAT_LIST(CatHypertable, hypertables);   /* sorted by name */
    CAT_LIST(CatDimension, dimensions);     /* sorted by table, then as they were made */
    CAT_LIST(CatColumnstore, columnstores); /* sorted by table */
    CAT_LIST(CatJob, jobs);                 /* sorted by id */
    CAT_LIST(CatAggregate, aggregates);     /* sorted by view */
    const CatRelation **by_name;            /* the relations, sorted by name */
} Catalog;

/** Reads one server in a single read-only, repeatable-read transaction; inside a transaction that
 * the connection has already open (an imported snapshot) it reads there and leaves it open.
 * \param catalog zeroed; released by catalog_release() whatever the outcome
 * \return false with ERR_SQL, ERR_LOST or the stop's error. */
MUSTCHECK bool catalog_inspect(Catalog *catalog, Conn *conn, Err *err);

/** Reads only what the server and its database are; of the same use and errors as
 * catalog_inspect(). */
MUSTCHECK bool catalog_identify(Catalog *catalog, Conn *conn, Err *err);

/** Fills in server.replica_sql, which catalog_inspect() asks of a target only: for a source that
 * changes are applied to on the way back. Outside a transaction. */
MUSTCHECK bool catalog_replica_way(Catalog *catalog, Conn *conn, Err *err);
void catalog_release(Catalog *catalog);

/** Fills in what follows from the rest (roots, the order by name); for catalogs made by hand. */
void catalog_complete(Catalog *catalog);

/** Look-ups by binary search; NULL when absent. */
const CatRelation *catalog_relation(const Catalog *catalog, uint32_t oid);
const CatRelation *catalog_relation_named(const Catalog *catalog, const Name *name);
const CatSetting *catalog_setting(const Catalog *catalog, const char *name);
const CatExtension *catalog_extension(const Catalog *catalog, const char *name);
const CatAvailable *catalog_available(const Catalog *catalog, const char *name);
const CatObject *catalog_object(const Catalog *catalog, uint32_t class_oid, uint32_t oid);
const CatPublication *catalog_publication(const Catalog *catalog, const char *name);
const CatHypertable *catalog_hypertable(const Catalog *catalog, const Name *name);
const CatColumnstore *catalog_columnstore(const Catalog *catalog, const Name *name);

/** A setting's value as a number; `missing` when this version does not have it. */
int64_t catalog_setting_int(const Catalog *catalog, const char *name, int64_t missing);

/** The column of this number; NULL: none, as of an index's expression, whose number is 0. */
const CatColumn *catalog_column(const Catalog *catalog, uint32_t relation, int attnum);

/** The columns, indexes, constraints, triggers of one relation: first item and count. */
const CatColumn *catalog_columns(const Catalog *catalog, uint32_t relation, size_t *count);
const CatIndex *catalog_indexes(const Catalog *catalog, uint32_t relation, size_t *count);
const CatConstraint *catalog_constraints(const Catalog *catalog, uint32_t relation, size_t *count);
const CatColumnUse *catalog_column_uses(const Catalog *catalog, uint32_t relation, size_t *count);
const CatTrigger *catalog_triggers(const Catalog *catalog, uint32_t relation, size_t *count);
const CatDimension *catalog_dimensions(const Catalog *catalog, const Name *table, size_t *count);

#endif
