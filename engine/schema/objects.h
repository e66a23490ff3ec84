/*
 * SchemaObjects: what a database holds, named in words that mean the same on every server, so that
 * source and target can be compared object by object. One query a side, whatever the size.
 */
#ifndef GODWIT_SCHEMA_OBJECTS_H
#define GODWIT_SCHEMA_OBJECTS_H

#include "blueprint/blueprint.h"
#include "schema/toc.h"

typedef enum ObjectKind {
    OBJECT_TABLE = 't',
    OBJECT_VIEW = 'v',
    OBJECT_MATVIEW = 'm',
    OBJECT_SEQUENCE = 'S',
    OBJECT_COMPOSITE = 'c',
    OBJECT_INDEX = 'i',
    OBJECT_FUNCTION = 'f',
    OBJECT_TYPE = 'y',
    OBJECT_TRIGGER = 'T',
    OBJECT_RULE = 'R',
    OBJECT_POLICY = 'P',
    OBJECT_STATISTICS = 's',
    OBJECT_CHECK = 'k',
    OBJECT_OTHER = 'O', /* collations, conversions, operators, text search */
    OBJECT_ROW_SECURITY = 'Z',
    OBJECT_DEFAULT = 'D', /* has no key: only its owner matters */
} ObjectKind;

typedef struct SchemaObject {
    uint32_t class_oid; /* 0: row security, the oid is the relation's */
    uint32_t oid;
    uint32_t owner; /* relation it stands on, 0 none */
    ObjectKind kind;
    const char *key;   /* type, names and arguments: the same on every server */
    const char *state; /* compared beside the key: a trigger's enabled letter, ... */
    bool late;         /* may only be made after the drain */
} SchemaObject;

typedef struct SchemaObjects {
    SchemaObject *items; /* sorted by kind and key */
    size_t count;
    SchemaObject **by_id; /* sorted by class and oid */
} SchemaObjects;

/** Reads one server.
 * \param blueprint for the source: its keys then have the names of the target; NULL for the target
 * \param quiet whatever acts on rows is late (blueprint_keeps_quiet()), not only what acts under
 * replica role too
 * \return false with ERR_SQL/ERR_LOST */
MUSTCHECK bool schema_objects_read(Arena *arena, Conn *conn, const Blueprint *blueprint, bool quiet,
                                   SchemaObjects *objects, Err *err);

/** By kind and key, NULL when there is none. */
const SchemaObject *schema_object_named(const SchemaObjects *objects, ObjectKind kind,
                                        const char *key);

/** By numbers, NULL when there is none. */
const SchemaObject *schema_object(const SchemaObjects *objects, uint32_t class_oid, uint32_t oid);

/** Whether an object of the source is selected (row security: whether its relation is). */
bool schema_object_kept(const Blueprint *blueprint, const SchemaObject *object);

/** Whether a relation of the source becomes a hypertable, which cannot switch triggers: one that is
 * disabled or for replicas only is left out there, one that is ENABLE ALWAYS becomes a plain one.
 * \note Source: TimescaleDB 2.19: "hypertables do not support enabling or disabling triggers". */
bool schema_on_hypertable(const Blueprint *blueprint, uint32_t relation);

#endif
