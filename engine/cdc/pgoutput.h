/*
 * pgoutput: PostgreSQL's logical replication messages, decoded. Pure functions over bytes: no
 * connection, no allocation; what a message holds points into the bytes that were given.
 *
 *     PgoMessage message;
 *     if (!pgo_decode(data, size, &message, err))
 *         return false;                             // ERR_PROTOCOL, with the offset
 *     if (message.kind == PGO_INSERT)
 *         pgo_tuple_values(&message.change.new_tuple, values);
 *
 * Every message of protocol versions 1 to 4. Between Stream Start and Stream Stop changes carry the
 * id of the (sub)transaction that made them: such a block's messages are for pgo_decode_streamed().
 */
#ifndef GODWIT_CDC_PGOUTPUT_H
#define GODWIT_CDC_PGOUTPUT_H

#include "base/lsn.h"

typedef enum PgoKind {
    PGO_BEGIN = 'B',
    PGO_MESSAGE = 'M',
    PGO_COMMIT = 'C',
    PGO_ORIGIN = 'O',
    PGO_RELATION = 'R',
    PGO_TYPE = 'Y',
    PGO_INSERT = 'I',
    PGO_UPDATE = 'U',
    PGO_DELETE = 'D',
    PGO_TRUNCATE = 'T',
    PGO_STREAM_START = 'S',
    PGO_STREAM_STOP = 'E',
    PGO_STREAM_COMMIT = 'c',
    PGO_STREAM_ABORT = 'A',
    PGO_BEGIN_PREPARE = 'b',
    PGO_PREPARE = 'P',
    PGO_COMMIT_PREPARED = 'K',
    PGO_ROLLBACK_PREPARED = 'r',
    PGO_STREAM_PREPARE = 'p',
} PgoKind;

/* Text that is terminated inside the message. */
typedef const char *PgoText;

typedef struct PgoBegin {
    Lsn final_lsn; /* start of the commit record */
    int64_t commit_unix_us;
    uint32_t xid;
} PgoBegin;

typedef struct PgoCommit {
    Lsn commit_lsn; /* equal to the begin's final_lsn */
    Lsn end_lsn;    /* the one that counts */
    int64_t commit_unix_us;
} PgoCommit;

typedef struct PgoLogicalMessage {
    bool transactional;
    Lsn lsn;
    PgoText prefix;
    const uint8_t *content;
    uint32_t content_bytes;
} PgoLogicalMessage;

typedef struct PgoOrigin {
    Lsn lsn;
    PgoText name;
} PgoOrigin;

typedef struct PgoRelation {
    uint32_t oid;
    PgoText schema; /* "" is sent for pg_catalog */
    PgoText name;
    char replica_identity;
    uint16_t column_count;
    const uint8_t *columns; /* see pgo_relation_column() */
} PgoRelation;

typedef struct PgoColumn {
    bool in_key;
    PgoText name;
    uint32_t type_oid;
    int32_t type_modifier;
} PgoColumn;

typedef struct PgoType {
    uint32_t oid;
    PgoText schema;
    PgoText name;
} PgoType;

typedef enum PgoValueKind {
    PGO_NULL = 'n',
    PGO_UNCHANGED = 'u', /* a TOAST value that the update did not touch: not a value at all */
    PGO_TEXT = 't',
    PGO_BINARY = 'b',
} PgoValueKind;

typedef struct PgoValue {
    const char *data; /* not terminated; NULL for PGO_NULL and PGO_UNCHANGED */
    uint32_t length;
    PgoValueKind kind;
} PgoValue;

/* A row's values as they stand in the message; data NULL: there is no such tuple. */
typedef struct PgoTuple {
    const uint8_t *data;
    uint32_t bytes;
    uint16_t column_count;
    char kind; /* 'N' new, 'K' the key's columns of the old row, 'O' the whole old row */
} PgoTuple;

typedef struct PgoChange {
    uint32_t relation_oid;
    PgoTuple old_tuple;
    PgoTuple new_tuple;
} PgoChange;

typedef struct PgoTruncate {
    bool cascade;
    bool restart_identity;
    uint32_t relation_count;
    const uint8_t *relations; /* see pgo_truncate_relation() */
} PgoTruncate;

typedef struct PgoStreamStart {
    uint32_t xid; /* of the transaction at the top */
    bool first;   /* nothing of it was sent before */
} PgoStreamStart;

typedef struct PgoStreamCommit {
    uint32_t xid;
    PgoCommit commit;
} PgoStreamCommit;

typedef struct PgoStreamAbort {
    uint32_t xid;
    uint32_t subxid; /* equal to xid: all of it */
    bool told;       /* version 4 under streaming 'parallel': the two below came with it */
    Lsn abort_lsn;   /* end of the abort record */
    int64_t abort_unix_us;
} PgoStreamAbort;

/* Begin Prepare, Prepare, Stream Prepare, Commit Prepared. */
typedef struct PgoPrepare {
    Lsn lsn;     /* where the record of PREPARE, or of COMMIT PREPARED, begins */
    Lsn end_lsn; /* where it ends */
    int64_t unix_us;
    uint32_t xid;
    PgoText gid;
} PgoPrepare;

typedef struct PgoRollbackPrepared {
    Lsn prepare_end_lsn;
    Lsn rollback_end_lsn;
    int64_t prepare_unix_us;
    int64_t rollback_unix_us;
    uint32_t xid;
    PgoText gid;
} PgoRollbackPrepared;

typedef struct PgoMessage {
    PgoKind kind;
    uint32_t xid; /* what a message of a streamed block carries first; 0 elsewhere */
    union {
        PgoBegin begin;
        PgoCommit commit;
        PgoLogicalMessage message;
        PgoOrigin origin;
        PgoRelation relation;
        PgoType type;
        PgoChange change; /* insert, update, delete */
        PgoTruncate truncate;
        PgoStreamStart stream_start;
        PgoStreamCommit stream_commit;
        PgoStreamAbort stream_abort;
        PgoPrepare prepare; /* begin prepare, prepare, stream prepare, commit prepared */
        PgoRollbackPrepared rollback_prepared;
    };
} PgoMessage;

/** Decodes one message and checks all of it: nothing inside can run over its end afterwards.
 * For messages outside of streamed blocks, Stream Start included.
 * \param data must stay as it is while the message is used
 * \return false with ERR_PROTOCOL: message kind, what is wrong, the offset of it.
 * \note Source: PostgreSQL, "Logical Replication Message Formats". */
MUSTCHECK bool pgo_decode(const void *data, size_t size_bytes, PgoMessage *message, Err *err);

/** The same for messages between Stream Start and Stream Stop, Stream Stop included. Changes,
 * relations, types and logical messages carry an xid there; an origin does not. */
MUSTCHECK bool pgo_decode_streamed(const void *data, size_t size_bytes, PgoMessage *message,
                                   Err *err);

/* Bytes of the xid that stands behind the kind of a streamed message: without them the rest is the
 * same message as it would come in an ordinary transaction. */
#define PGO_XID_BYTES 4

/** The values of a tuple of a decoded message. \param values room for tuple->column_count */
void pgo_tuple_values(const PgoTuple *tuple, PgoValue *values);

/** Reads column after column: `at` begins as relation->columns. \return where the next begins. */
const uint8_t *pgo_relation_column(const uint8_t *at, PgoColumn *column);

/** One relation of a TRUNCATE. */
uint32_t pgo_truncate_relation(const PgoTruncate *truncate, uint32_t index);

/** Whether two values are the same bytes in the same form; NULL equals NULL. */
bool pgo_value_equal(const PgoValue *a, const PgoValue *b);

/** "insert", "relation": for messages; NULL for a kind that is not known. */
const char *pgo_kind_name(uint8_t kind);

#endif
