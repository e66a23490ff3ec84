/*
 * Translate: lines in, messages out. See translate.h, and translate_internal.h for its parts.
 */
#include "cdc/translate_internal.h"

#include "base/clock.h"
#include "cdc/chunk_question.h"
#include "cdc/mark.h"

void translate_release(Translate *translate)
{
    str_release(&translate->name);
    str_release(&translate->utf8);
    arena_release(&translate->arena);
}

void translate_reset(Translate *translate)
{
    for (size_t i = 0; i < translate->leaf_count; i++)
        translate->leaves[i].told = false;
    translate->open = false;
    translate->told = false;
}

static bool without_identity(Output *output, const TranslateLeaf *leaf, const char *what)
{
    err_set(output->err, ERR_DRIFT, "the source %s a row of %s without telling which", what,
            name_text(&output->err->arena, &leaf->leaf->source));
    return err_hint(output->err, "The table has no replica identity (any more), so the change "
                                 "cannot be repeated. Give it one, and begin anew.");
}

static bool is_published(const Output *output, TdKind kind)
{
    static const uint32_t BITS[] = {[TD_INSERT] = PLAN_PUBLISH_INSERT,
                                    [TD_UPDATE] = PLAN_PUBLISH_UPDATE,
                                    [TD_DELETE] = PLAN_PUBLISH_DELETE,
                                    [TD_TRUNCATE] = PLAN_PUBLISH_TRUNCATE};
    return (output->translate->blueprint->plan->replication.publish & BITS[kind]) != 0;
}

static bool take_change(Output *output)
{
    const TdLine *line = &output->line;
    TdText schema;
    TdText name;
    TdCursor at = td_relations(line);
    if (!td_relation(&at, &schema, &name))
        BUG("a change without a relation");
    TranslateLeaf *leaf = NULL;
    if (!translate_find_leaf(output, schema, name, &leaf))
        return false;
    if (leaf == NULL || !is_published(output, line->kind)) {
        output->translate->skipped++;
        return true;
    }
    if (line->kind == TD_DELETE && !line->old_tuple.present)
        return without_identity(output, leaf, "deleted");
    if (line->kind == TD_UPDATE && !line->old_tuple.present && !leaf->leaf->has_identity)
        return without_identity(output, leaf, "updated");
    if (line->kind != TD_DELETE && !line->new_tuple.present)
        return err_set(output->err, ERR_PROTOCOL, "a change of %s came without its row",
                       name_text(&output->err->arena, &leaf->leaf->source));
    translate_row(output, leaf);
    return true;
}

/* Whether a relation bears the leaf's own name: else it is a chunk of it. */
static bool is_itself(const TranslateLeaf *leaf, TdText schema, TdText name)
{
    return td_name_is(schema, leaf->leaf->source.schema) &&
           td_name_is(name, leaf->leaf->source.rel);
}

/* A hypertable's TRUNCATE names it and its chunks; one that names a chunk alone is of a part. */
static bool is_truncated_whole(Output *output, const TranslateLeaf *leaf)
{
    TdText schema;
    TdText name;
    for (TdCursor at = td_relations(&output->line); td_relation(&at, &schema, &name);)
        if (is_itself(leaf, schema, name))
            return true;
    return chunks_truncate_refused(leaf->leaf, output->err);
}

/* Of the selected ones among its relations; a root of partitions is none. */
static bool take_truncate(Output *output)
{
    TdText schema;
    TdText name;
    uint32_t count = 0;
    const TranslateLeaf *whole = NULL; /* the chunks of one hypertable stand together */
    AUTO_STR Str oids = {0};
    if (!is_published(output, TD_TRUNCATE))
        return true;
    for (TdCursor at = td_relations(&output->line); td_relation(&at, &schema, &name);) {
        TranslateLeaf *leaf = NULL;
        if (!translate_find_leaf(output, schema, name, &leaf))
            return false;
        if (leaf == NULL)
            continue;
        if (!is_itself(leaf, schema, name)) {
            if (leaf != whole && !is_truncated_whole(output, leaf))
                return false;
            whole = leaf;
            continue;
        }
        translate_tell_relation(output, leaf);
        for (int shift = 24; shift >= 0; shift -= 8)
            str_append_char(&oids, (char)(leaf->leaf->oid >> shift & 0xff));
        count++;
    }
    if (count == 0)
        return true;
    output_begin_in_block(output, PGO_TRUNCATE);
    output_number(output, count, 4);
    output_number(output, (output->line.cascade ? 1 : 0) | (output->line.restart_identity ? 2 : 0),
                  1);
    str_append_bytes(&output->message, oids.data, oids.length);
    output_end(output, 0);
    return true;
}

static bool text_is(TdText text, const char *what)
{
    return text.bytes == strlen(what) && memcmp(text.data, what, text.bytes) == 0;
}

static void put_mark(Output *output, Lsn wal_end, TdText prefix, TdText content)
{
    output_begin_in_block(output, PGO_MESSAGE);
    output_number(output, 1, 1);
    output_number(output, wal_end, 8);
    str_append_bytes(&output->message, prefix.data, prefix.bytes);
    str_append_char(&output->message, '\0');
    output_number(output, content.bytes, 4);
    str_append_bytes(&output->message, content.data, content.bytes);
    output_end(output, 0);
}

/* Others' messages are of no use behind here, but TimescaleDB's are. */
static bool take_message(Output *output, Lsn wal_end)
{
    const TdLine *line = &output->line;
    if (line->transactional && (text_is(line->prefix, MARK_PREFIX) ||
                                moves_step(line->prefix.data, line->prefix.bytes) != 0))
        put_mark(output, wal_end, line->prefix, line->content);
    return true;
}

/* Whether a row is a message of a source that has none, see mark.h. */
static bool is_mark_row(const TdLine *line)
{
    TdText schema;
    TdText name;
    TdCursor at = td_relations(line);
    return line->kind == TD_INSERT && td_relation(&at, &schema, &name) &&
           text_is(schema, MARK_SCHEMA) && text_is(name, MARK_TABLE);
}

static bool take_mark_row(Output *output, Lsn wal_end)
{
    AUTO_STR Str content = {0};
    TdColumn column;
    bool ours = false;
    for (TdCursor at = td_columns(&output->line.new_tuple); td_column(&at, &column);) {
        if (td_name_is(column.name, "prefix"))
            ours = column.kind == TD_QUOTED && text_is(column.value, MARK_PREFIX);
        if (!td_name_is(column.name, "content") || column.kind != TD_QUOTED)
            continue;
        str_reset(&content);
        content.length = td_value(&column, str_reserve(&content, column.value.bytes + 1));
    }
    if (ours)
        put_mark(output, wal_end, (TdText){MARK_PREFIX, strlen(MARK_PREFIX)},
                 (TdText){str_text(&content), content.length});
    return true;
}

/* The line's position is where the commit ends; it stands for the commit record's beginning too,
 * one byte before: what compares them asks only whether the commit ends at or below a position. */
static bool take_commit(Output *output, Lsn end_lsn)
{
    Translate *translate = output->translate;
    if (output->line.xid != translate->xid)
        return err_set(output->err, ERR_PROTOCOL,
                       "the commit of transaction %u came inside transaction %u", output->line.xid,
                       translate->xid);
    translate->open = false;
    if (!translate->told)
        return true;
    translate->told = false;
    output_begin(output, PGO_STREAM_STOP);
    output_end(output, 0);
    output_begin(output, PGO_STREAM_COMMIT);
    output_number(output, translate->xid, 4);
    output_number(output, 0, 1);
    output_number(output, end_lsn - 1, 8);
    output_number(output, end_lsn, 8);
    output_number(output, (uint64_t)(output->line.commit_unix_us - CLOCK_PG_EPOCH_US), 8);
    output_end(output, end_lsn);
    return true;
}

static bool take_begin(Output *output)
{
    Translate *translate = output->translate;
    if (translate->open)
        return err_set(output->err, ERR_PROTOCOL, "transaction %u begins inside transaction %u",
                       output->line.xid, translate->xid);
    translate->open = true;
    translate->told = false;
    translate->xid = output->line.xid;
    return true;
}

/* Each byte of LATIN1 is the character of its number. Messages are bytes of whoever sent them, and
 * as many as they say. */
static bool is_to_convert(const Translate *translate, TdText line)
{
    static const char CHANGE[] = "table ";
    size_t bytes = sizeof(CHANGE) - 1;
    return translate->latin1 && line.bytes > bytes && memcmp(line.data, CHANGE, bytes) == 0;
}

static TdText in_utf8(Translate *translate, TdText line)
{
    str_reset(&translate->utf8);
    char *begin = str_reserve(&translate->utf8, line.bytes * 2);
    char *out = begin;
    for (size_t i = 0; i < line.bytes; i++) {
        uint8_t byte = (uint8_t)line.data[i];
        if (byte >= 0x80)
            *out++ = (char)(0xc0 | byte >> 6);
        *out++ = (char)(byte >= 0x80 ? 0x80 | (byte & 0x3f) : byte);
    }
    return (TdText){begin, (size_t)(out - begin)};
}

static bool take_line(Output *output, const char *data, const BatchRecord *record)
{
    const TdLine *line = &output->line;
    TdText text = {data, record->bytes};
    if (is_to_convert(output->translate, text))
        text = in_utf8(output->translate, text);
    if (!td_decode(text.data, text.bytes, &output->line, output->err))
        return false;
    if (line->kind == TD_BEGIN)
        return take_begin(output);
    if (line->kind == TD_MESSAGE && !line->transactional)
        return true;
    if (!output->translate->open)
        return err_set(output->err, ERR_PROTOCOL, "a change came outside a transaction");
    if (line->kind == TD_COMMIT)
        return take_commit(output, record->wal_end);
    if (line->kind == TD_MESSAGE)
        return take_message(output, record->wal_end);
    if (is_mark_row(line))
        return take_mark_row(output, record->wal_end);
    return line->kind == TD_TRUNCATE ? take_truncate(output) : take_change(output);
}

Batch *translate_batch(Translate *translate, BatchPool *pool, Batch *lines, Err *err)
{
    Output output = {.translate = translate, .pool = pool, .batch = batch_new(pool, 0), .err = err};
    output.message.ceiling_bytes = UINT32_MAX;
    size_t at = 0;
    const char *payload = NULL;
    const BatchRecord *record = NULL;
    bool ok = true;
    while (ok && (record = batch_next(lines, &at, &payload)) != NULL) {
        if (!record->keepalive) {
            ok = take_line(&output, payload, record);
        } else if (!translate->open) { /* a position rises only between transactions */
            batch_make_room(pool, output.batch, 0);
            batch_append(output.batch, record, NULL);
        }
    }
    str_release(&output.message);
    batch_free(pool, lines);
    if (ok)
        return output.batch;
    batch_free(pool, output.batch);
    return NULL;
}
