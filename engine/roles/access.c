/*
 * Reading who owns what and who may do what: three queries a side.
 */
#include "roles/access.h"

#include "base/str.h"
#include "pg/query.h"
#include "roles/read.h"
#include "sql_text.h"

#include <stdlib.h>
#include <string.h>

static int by_key(const void *a, const void *b)
{
    return strcmp(((const AccessObject *)a)->key, ((const AccessObject *)b)->key);
}

/* A relation has the name that it gets on the target. */
static Name target_name(const Blueprint *blueprint, uint32_t oid, Name name)
{
    return blueprint == NULL ? name : blueprint_target_name(blueprint, oid, &name);
}

static const char *key_of(Arena *arena, const AccessObject *object)
{
    if (object->name.schema != NULL)
        return arena_printf(arena, "%u %s", object->class_oid, name_text(arena, &object->name));
    return arena_printf(arena, "%u %s", object->class_oid, object->identity);
}

static void read_objects(Arena *arena, const Rows *rows, const Blueprint *blueprint,
                         AccessSide *side)
{
    for (size_t r = 0; r < rows_count(rows); r++) {
        AccessObject *object = vec_push(arena, &side->objects);
        *object = (AccessObject){
            .class_oid = rows_oid(rows, r, 0),
            .oid = rows_oid(rows, r, 1),
            .word = arena_strdup(arena, rows_text(rows, r, 2)),
            .name = {arena_strdup(arena, rows_text(rows, r, 3)),
                     arena_strdup(arena, rows_text(rows, r, 4))},
            .identity = arena_strdup(arena, rows_text(rows, r, 5)),
            .owner = arena_strdup(arena, rows_text(rows, r, 6)),
            .may_act = rows_bool(rows, r, 7),
            .follows = rows_bool(rows, r, 8),
            .definer = rows_bool(rows, r, 9),
            .schema = arena_strdup(arena, rows_text(rows, r, 10)),
        };
        if (object->name.schema != NULL) {
            object->name = target_name(blueprint, object->oid, object->name);
            object->schema = object->name.schema;
        }
        object->key = key_of(arena, object);
    }
}

/* Both lists are in the order of class and oid. */
static void read_rights(Arena *arena, const Rows *rows, const Blueprint *blueprint,
                        AccessSide *side)
{
    size_t r = 0;
    size_t count = rows_count(rows);
    for (size_t i = 0; i < side->objects.count; i++) {
        AccessObject *object = &side->objects.items[i];
        VEC(AccessRight) rights = {0};
        while (r < count &&
               (rows_oid(rows, r, 0) < object->class_oid ||
                (rows_oid(rows, r, 0) == object->class_oid && rows_oid(rows, r, 1) < object->oid)))
            r++;
        for (; r < count && rows_oid(rows, r, 0) == object->class_oid &&
               rows_oid(rows, r, 1) == object->oid;
             r++) {
            const char *column = rows_text(rows, r, 2);
            if (blueprint != NULL && column != NULL &&
                blueprint_leaves_out(blueprint, object->oid, column))
                continue;
            *vec_push(arena, &rights) = (AccessRight){
                .column = arena_strdup(arena, rows_text(rows, r, 2)),
                .grantee = arena_strdup(arena, rows_text(rows, r, 3)),
                .privilege = arena_strdup(arena, rows_text(rows, r, 4)),
                .grantable = rows_bool(rows, r, 5),
                .state = rows_char(rows, r, 6),
                .of_owner = rows_bool(rows, r, 7),
            };
        }
        object->rights = rights.items;
        object->right_count = rights.count;
    }
}

static void read_defaults(Arena *arena, const Rows *rows, AccessSide *side)
{
    for (size_t r = 0; r < rows_count(rows); r++)
        *vec_push(arena, &side->defaults) = (DefaultRight){
            .role = arena_strdup(arena, rows_text(rows, r, 0)),
            .schema = arena_strdup(arena, rows_text(rows, r, 1)),
            .kind = rows_char(rows, r, 2),
            .grantee = arena_strdup(arena, rows_text(rows, r, 3)),
            .privilege = arena_strdup(arena, rows_text(rows, r, 4)),
            .grantable = rows_bool(rows, r, 5),
        };
}

static bool read_side(Arena *arena, Conn *conn, const Blueprint *blueprint, AccessSide *side,
                      Err *err)
{
    AUTO_ROWS Rows *objects = NULL;
    AUTO_ROWS Rows *rights = NULL;
    AUTO_ROWS Rows *defaults = NULL;
    const char *classes = NULL;
    const char *oids = NULL;
    if (blueprint != NULL)
        object_arrays(arena, blueprint, &classes, &oids);
    if (!pg_rows(conn, SQL_ACCESS_OBJECTS, PARAMS(classes, oids), &objects, err) ||
        !pg_rows(conn, SQL_ACCESS_RIGHTS, PARAMS(classes, oids), &rights, err) ||
        !pg_rows(conn, SQL_ACCESS_DEFAULTS, NO_PARAMS, &defaults, err))
        return err_context(err, "could not read the privileges of the %s",
                           conn_side_name(conn_side(conn)));
    read_objects(arena, objects, blueprint, side);
    read_rights(arena, rights, blueprint, side);
    read_defaults(arena, defaults, side);
    if (side->objects.count > 1)
        qsort(side->objects.items, side->objects.count, sizeof(AccessObject), by_key);
    return true;
}

bool access_read(Arena *arena, const Blueprint *blueprint, Conn *source, Conn *target,
                 Access *access, Err *err)
{
    access->blueprint = blueprint;
    return roles_read(arena, blueprint, source, target, &access->roles, err) &&
           read_side(arena, source, blueprint, &access->source, err) &&
           read_side(arena, target, NULL, &access->target, err);
}
