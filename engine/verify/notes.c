/*
 * Notes: how far a verification has come, in the journal (godwit.looked), so that the next one
 * of the same id goes on there. Which failure does what (docs/adr/0026 has the reasons):
 *
 *   - Killed before a part's look is written down: the part has no look, the next one reads it.
 *   - Killed after: the part has the number of its look. Every group that an engine applies from
 * the beginning of that look on leaves in godwit.touched, in its own transaction, a number that is
 *     not smaller, with the places of the keys that it touched. So the part is passed over only if
 *     no such row meets it, and a change that was applied wrongly is looked at whoever applied it.
 *   - A look begins while a group commits: it waits until no lane stands between the move of its
 * row (which tells it the newest look) and its commit. A group that moves later knows of the look.
 *   - The target crashes: groups commit without waiting for its disk, and their marks with them, so
 *     both are lost and the source sends the changes again. That a part was the same is written
 *     behind them and waits for the disk.
 *   - A relation is copied anew, the statement or the key's columns are others: its basis is
 * another text, and what was written down does not count.
 *   - The target was the primary meanwhile (failback, then there again): what applications wrote
 *     there left no mark, so nothing of what was written down counts (verify_forget()).
 *   - Two commands at once: each writes what it saw between the keys that it saw; what stands under
 *     other keys is left alone.
 */
#include "base/digest.h"
#include "cdc/span.h"
#include "sql_text.h"
#include "verify/verify_internal.h"

#include <inttypes.h>

/* A chunk gets another file when it is compressed. */
static bool files_read(Arena *arena, const Reading *reading, const char *schemas, const char *rels,
                       const char **facts, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const VerifySpec *spec = reading->spec;
    if (spec->relation->chunked)
        return true;
    if (!pg_one(spec->source, SQL_VERIFY_FILES, PARAMS(schemas, rels), &rows, err))
        return false;
    *facts = arena_printf(arena, "%s files %s", *facts,
                          rows_text(rows, 0, 0) == NULL ? "-" : rows_text(rows, 0, 0));
    return true;
}

static bool facts_read(Arena *arena, const Reading *reading, const VerifyNotes *notes,
                       const char **facts, Err *err)
{
    AUTO_STR Str schemas = {0};
    AUTO_STR Str rels = {0};
    AUTO_ROWS Rows *rows = NULL;
    leaf_names(reading->spec->relation, &schemas, &rels);
    if (!pg_one(notes->book, SQL_VERIFY_FACTS,
                PARAMS(arena_int64(arena, notes->run_id), schemas.data, rels.data), &rows, err))
        return false;
    *facts = arena_strdup(arena, rows_text(rows, 0, 0));
    return *facts == NULL || files_read(arena, reading, schemas.data, rels.data, facts, err);
}

/* What all parts stand on: as long as it is the same, so is what the same key means. */
static const char *basis_of(Arena *arena, const Reading *reading, const char *facts)
{
    AUTO_STR Str text = {0};
    Statement statement = reading->spec->method == PLAN_VERIFY_COUNT
                              ? statement_count(arena, reading)
                              : statement_ranges(arena, reading, NULL);
    str_appendf(&text, "%d %d\n%s\n%s\n%s", (int)reading->spec->partial, (int)reading->way, facts,
                statement.source, statement.target);
    return digest_hex(arena, text.data, text.length);
}

static void relation_names(const Relation *relation, Str *schemas, Str *rels)
{
    for (const Relation *one = relation; one != NULL; one = one->merge_next) {
        array_append(schemas, one->source.schema);
        array_append(rels, one->source.rel);
    }
    array_end(schemas);
    array_end(rels);
}

bool notes_read_touched(Arena *arena, const Reading *reading, Rows **touched, Err *err)
{
    AUTO_STR Str schemas = {0};
    AUTO_STR Str rels = {0};
    const VerifyNotes *notes = reading->spec->notes;
    relation_names(reading->spec->relation, &schemas, &rels);
    return pg_rows(notes->book, SQL_VERIFY_TOUCHED,
                   PARAMS(arena_int64(arena, notes->run_id), schemas.data, rels.data), touched,
                   err);
}

/* The places of a part's keys; an end that has no place is open. */
static Span part_span(const Reading *reading, const Ranges *part)
{
    Span span = {.any = true, .least = INT64_MIN, .greatest = INT64_MAX};
    uint32_t type_oid = reading->range_type == NULL ? 0 : reading_key_column(reading, 0)->type_oid;
    if (part->from != NULL && !span_order(type_oid, part->from, strlen(part->from), &span.least))
        span.least = INT64_MIN;
    if (part->to != NULL && !span_order(type_oid, part->to, strlen(part->to), &span.greatest))
        span.greatest = INT64_MAX;
    return span;
}

bool notes_touched(const Reading *reading, const Ranges *part, const Rows *touched)
{
    Span own = part_span(reading, part);
    for (size_t r = 0; r < rows_count(touched); r++) {
        Span span = {.any = true,
                     .whole = rows_text(touched, r, 1) == NULL,
                     .least = rows_int64(touched, r, 1),
                     .greatest = rows_int64(touched, r, 2)};
        if (rows_int64(touched, r, 0) >= part->look && span_meets(&own, &span))
            return true;
    }
    return false;
}

static const char *end_of(Arena *arena, const char *text)
{
    return text[0] == '\0' ? NULL : arena_strdup(arena, text);
}

static void take_parts(Arena *arena, Reading *reading, const Rows *rows, const Rows *touched,
                       Layout *layout)
{
    *layout = (Layout){arena_array(arena, Ranges, rows_count(rows)), rows_count(rows)};
    for (size_t r = 0; r < rows_count(rows); r++) {
        Ranges *part = &layout->parts[r];
        reading->ranged = (OrderKind)(rows_char(rows, r, 0) - 'a');
        part->from = end_of(arena, rows_text(rows, r, 1));
        part->to = end_of(arena, rows_text(rows, r, 2));
        ranges_take_ends(arena, part, rows_text(rows, r, 3));
        part->look = rows_int64(rows, r, 4);
        part->source_rows = rows_int64(rows, r, 5);
        part->target_rows = rows_int64(rows, r, 6);
        if (part->look != 0 && notes_touched(reading, part, touched))
            part->look = 0;
    }
}

static bool any_looked_at(const Layout *layout)
{
    for (size_t i = 0; i < layout->count; i++) {
        if (layout->parts[i].look != 0)
            return true;
    }
    return false;
}

bool notes_read(Arena *arena, Reading *reading, Noted *noted, Layout *layout, Err *err)
{
    const VerifyNotes *notes = reading->spec->notes;
    const Name *name = &reading->spec->relation->source;
    const char *facts = NULL;
    *noted = (Noted){0};
    *layout = (Layout){0};
    if (notes == NULL || !reading->live)
        return true;
    if (!facts_read(arena, reading, notes, &facts, err))
        return false;
    if (facts == NULL)
        return true;
    *noted = (Noted){.notes = notes, .basis = basis_of(arena, reading, facts)};
    AUTO_ROWS Rows *rows = NULL;
    AUTO_ROWS Rows *touched = NULL;
    if (!pg_rows(notes->book, SQL_VERIFY_LOOKED,
                 PARAMS(arena_int64(arena, notes->run_id), notes->id, name->schema, name->rel,
                        noted->basis),
                 &rows, err) ||
        !notes_read_touched(arena, reading, &touched, err))
        return false;
    OrderKind ranged = reading->ranged;
    take_parts(arena, reading, rows, touched, layout);
    noted->goes_on = any_looked_at(layout);
    if (noted->goes_on)
        return true;
    *layout = (Layout){0};
    reading->ranged = ranged;
    return true;
}

static bool begin_write(const Reading *reading, const Noted *noted, const Layout *layout, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str froms = {0};
    AUTO_STR Str tos = {0};
    AUTO_STR Str ends = {0};
    AUTO_STR Str schemas = {0};
    AUTO_STR Str rels = {0};
    const Name *name = &reading->spec->relation->source;
    const char ranged[] = {(char)('a' + (int)reading->ranged), '\0'};
    for (size_t i = 0; i < layout->count; i++) {
        const Ranges *part = &layout->parts[i];
        array_append(&froms, part->from == NULL ? "" : part->from);
        array_append(&tos, part->to == NULL ? "" : part->to);
        array_append(&ends, part->ends_array);
    }
    array_end(&froms);
    array_end(&tos);
    array_end(&ends);
    relation_names(reading->spec->relation, &schemas, &rels);
    return pg_none(noted->notes->book, SQL_VERIFY_BEGIN,
                   PARAMS(arena_int64(&arena, noted->notes->run_id), noted->notes->id, name->schema,
                          name->rel, noted->basis, ranged, froms.data, tos.data, ends.data,
                          schemas.data, rels.data),
                   err);
}

/* Begins a transaction in which no lane stands between the move of its row and its commit. */
static bool lanes_lock(Conn *book, Err *err)
{
    return pg_begin(book, NULL, err) && pg_none(book, SQL_VERIFY_LOCK_LANES, NO_PARAMS, err);
}

bool notes_begin(const Reading *reading, const Noted *noted, const Layout *layout, Err *err)
{
    if (noted->notes == NULL)
        return true;
    Conn *book = noted->notes->book;
    if (lanes_lock(book, err) && begin_write(reading, noted, layout, err) && pg_commit(book, err))
        return true;
    pg_rollback(book);
    return false;
}

static bool look_number(const Noted *noted, int64_t *look, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(noted->notes->book, SQL_VERIFY_LOOK,
                 PARAMS(arena_int64(&arena, noted->notes->run_id)), &rows, err))
        return false;
    *look = rows_count(rows) == 0 ? 0 : rows_int64(rows, 0, 0);
    return true;
}

bool notes_look(const Noted *noted, int64_t *look, Err *err)
{
    *look = 0;
    if (noted->notes == NULL)
        return true;
    Conn *book = noted->notes->book;
    if (lanes_lock(book, err) && look_number(noted, look, err) && pg_commit(book, err))
        return true;
    pg_rollback(book);
    return false;
}

bool notes_same(const Reading *reading, const Noted *noted, size_t number, const Ranges *part,
                int64_t look, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const Name *name = &reading->spec->relation->source;
    if (look == 0)
        return true;
    return pg_none(noted->notes->book, SQL_VERIFY_SAME,
                   PARAMS(arena_int64(&arena, noted->notes->run_id), noted->notes->id, name->schema,
                          name->rel, arena_int64(&arena, (int64_t)number),
                          arena_int64(&arena, look), arena_int64(&arena, part->source_rows),
                          arena_int64(&arena, part->target_rows), noted->basis,
                          part->from == NULL ? "" : part->from, part->to == NULL ? "" : part->to),
                   err);
}

bool verify_over(const VerifyNotes *notes, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(notes->book, SQL_VERIFY_OVER,
                   PARAMS(arena_int64(&arena, notes->run_id), notes->id), err);
}

bool verify_forget(Conn *book, int64_t run_id, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(book, SQL_VERIFY_FORGET, PARAMS(arena_int64(&arena, run_id)), err);
}

bool verify_may_note(Conn *book, bool *may, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(book, SQL_VERIFY_MAY_NOTE, NO_PARAMS, &rows, err))
        return false;
    *may = rows_bool(rows, 0, 0);
    return true;
}
