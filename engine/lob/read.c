/*
 * Reading large objects: attributes, hashes, the journal's record.
 */
#include "base/digest.h"
#include "copy/leaves.h"
#include "lob/lob_internal.h"
#include "sql_text.h"

#include <inttypes.h>

#define HASHES_FROM 110000 /* sha256() is there from here on */

char *lob_oids(Arena *arena, const uint32_t *oids, size_t count)
{
    AUTO_STR Str text = {0};
    str_append_char(&text, '{');
    for (size_t i = 0; i < count; i++)
        str_appendf(&text, "%s%" PRIu32, i == 0 ? "" : ",", oids[i]);
    str_append_char(&text, '}');
    return str_dup(arena, &text);
}

static int by_oid(const void *a, const void *b)
{
    uint32_t left = ((const LobObject *)a)->oid, right = ((const LobObject *)b)->oid;
    return left < right ? -1 : left > right;
}

LobObject *lob_find(const LobObjectVec *objects, uint32_t oid)
{
    LobObject key = {.oid = oid};
    return objects->count == 0
               ? NULL
               : bsearch(&key, objects->items, objects->count, sizeof(LobObject), by_oid);
}

bool lob_powers(Conn *conn, LobPowers *powers, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(conn, SQL_LOB_POWERS, NO_PARAMS, &rows, err))
        return err_context(err, "could not ask the %s for its large objects",
                           conn_side_name(conn_side(conn)));
    *powers = (LobPowers){
        .count = rows_int64(rows, 0, 0),
        .unreadable = rows_int64(rows, 0, 1),
        .bytes = rows_int64(rows, 0, 2),
        .reads_pages = rows_bool(rows, 0, 3),
        .locks = rows_bool(rows, 0, 4),
        .lock_room = rows_int64(rows, 0, 5),
    };
    return true;
}

/* NULL is not the same as nothing. */
static void attribute_append(Str *text, const char *value)
{
    str_appendf(text, "%c%zu:", value == NULL ? 'n' : 'v', value == NULL ? 0 : strlen(value));
    str_append(text, value == NULL ? "" : value);
}

bool lob_attributes(Arena *arena, Conn *source, const char *oids, LobObjectVec *objects, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(source, SQL_LOB_ATTRIBUTES, PARAMS(oids), &rows, err))
        return err_context(err, "could not look at large objects");
    for (size_t r = 0; r < rows_count(rows); r++) {
        AUTO_STR Str access = {0};
        for (size_t c = 1; c <= 3; c++)
            attribute_append(&access, rows_text(rows, r, c));
        const char *comment = rows_text(rows, r, 3);
        *vec_push(arena, objects) = (LobObject){
            .oid = rows_oid(rows, r, 0),
            .size = rows_int64(rows, r, 4),
            .access = digest_hex(arena, access.data, access.length),
            .horizon = arena_strdup(arena, rows_text(rows, r, 5)),
            .owner = arena_strdup(arena, rows_text(rows, r, 1)),
            .comment = comment == NULL ? NULL : arena_strdup(arena, comment),
        };
    }
    return true;
}

bool lob_hashes(Arena *arena, Conn *conn, const char *oids, LobObjectVec *objects, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (conn_version(conn) < HASHES_FROM)
        return lob_pieces(arena, conn, oids, objects, NULL, NULL, err) ||
               err_context(err, "could not hash large objects of the %s",
                           conn_side_name(conn_side(conn)));
    if (!pg_rows(conn, SQL_LOB_HASH, PARAMS(oids, LOB_PIECE_TEXT), &rows, err))
        return err_context(err, "could not hash large objects of the %s",
                           conn_side_name(conn_side(conn)));
    for (size_t r = 0; r < rows_count(rows); r++) {
        LobObject *object = lob_find(objects, rows_oid(rows, r, 0));
        if (object == NULL)
            continue;
        object->size = rows_int64(rows, r, 1);
        object->hash = arena_strdup(arena, rows_text(rows, r, 2));
    }
    return true;
}

bool lob_record(Arena *arena, const Lob *lob, Conn *target, const LobObjectVec *objects, Err *err)
{
    Str lists[5] = {{0}};
    for (size_t i = 0; i < objects->count; i++) {
        const LobObject *object = &objects->items[i];
        list_append(&lists[0], arena_printf(arena, "%" PRIu32, object->oid));
        list_append(&lists[1], arena_int64(arena, object->size));
        list_append(&lists[2], object->hash);
        list_append(&lists[3], object->access);
        list_append(&lists[4], object->horizon);
    }
    for (size_t i = 0; i < 5; i++)
        list_end(&lists[i]);
    bool ok = pg_none(target, SQL_LOB_RECORD,
                      PARAMS(arena_int64(arena, lob->run->journal.id), lists[0].data, lists[1].data,
                             lists[2].data, lists[3].data, lists[4].data),
                      err);
    for (size_t i = 0; i < 5; i++)
        str_release(&lists[i]);
    return ok;
}
