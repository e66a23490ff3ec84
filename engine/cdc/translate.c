/*
 * Translate: lines in, messages out. Columns are found by their names; as they nearly always come
 * in the same order, the place where the last row had one is tried first.
 */
#include "cdc/translate.h"

#include "base/clock.h"
#include "cdc/chunk_question.h"
#include "cdc/mark.h"
#include "cdc/test_decoding.h"

#include <stdlib.h>

#define NOT_KNOWN (-1) /* a column that the Blueprint does not have */
#define NOT_SENT  (-2) /* generated, or left out by a column list */

struct TranslateLeaf {
    const Leaf *leaf;
    bool told;    /* its relation message came in this session, and told the Blueprint's columns */
    int *columns; /* of the last row, by position: index in Relation.columns, or one of the above */
    size_t column_count;
    TdColumn *row; /* the row at hand, by index in Relation.columns; name.data NULL: not there */
};

typedef struct Output {
    Translate *translate;
    BatchPool *pool;
    Batch *batch;
    TdLine line;
    Str message;
    Err *err;
} Output;

static int by_name(const void *a, const void *b)
{
    return name_compare(&((const TranslateLeaf *)a)->leaf->source,
                        &((const TranslateLeaf *)b)->leaf->source);
}

void translate_release(Translate *translate)
{
    str_release(&translate->name);
    arena_release(&translate->arena);
}

void translate_reset(Translate *translate)
{
    for (size_t i = 0; i < translate->leaf_count; i++)
        translate->leaves[i].told = false;
    translate->open = false;
    translate->told = false;
}

/* --- relations of hypertables --- */

/* Where the name stands, or would. */
static size_t name_place(const Translate *translate, const Name *name)
{
    size_t low = 0;
    for (size_t high = translate->names.count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (name_compare(&translate->names.items[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_name(Translate *translate, const Name *name, TranslateLeaf *leaf)
{
    size_t at = name_place(translate, name);
    Arena *arena = &translate->arena;
    *vec_push(arena, &translate->names) = (TranslateName){0};
    TranslateName *items = translate->names.items;
    memmove(&items[at + 1], &items[at], (translate->names.count - 1 - at) * sizeof(TranslateName));
    items[at] = (TranslateName){
        .name = {arena_strdup(arena, name->schema), arena_strdup(arena, name->rel)},
        .leaf = leaf,
    };
}

static TranslateLeaf *state_of(Translate *translate, const Leaf *leaf)
{
    TranslateLeaf key = {.leaf = leaf};
    return bsearch(&key, translate->leaves, translate->leaf_count, sizeof(TranslateLeaf), by_name);
}

/* What the catalog showed need not be asked. */
static void add_chunks(Translate *translate, const Blueprint *blueprint)
{
    for (size_t i = 0; blueprint->has_chunked && i < blueprint->source->relations_count; i++) {
        const CatRelation *relation = &blueprint->source->relations[i];
        const Leaf *leaf = blueprint_chunked(blueprint, relation->hypertable);
        if (blueprint_leaf(blueprint, relation->oid) == NULL)
            add_name(translate, &relation->name, leaf == NULL ? NULL : state_of(translate, leaf));
    }
}

void translate_init(Translate *translate, const Blueprint *blueprint)
{
    *translate = (Translate){.blueprint = blueprint, .leaf_count = blueprint->leaf_count};
    translate->leaves = arena_array(&translate->arena, TranslateLeaf, blueprint->leaf_count);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        TdColumn *row = arena_array(&translate->arena, TdColumn, leaf->root->column_count);
        translate->leaves[i] = (TranslateLeaf){.leaf = leaf, .row = row};
    }
    qsort(translate->leaves, translate->leaf_count, sizeof(TranslateLeaf), by_name);
    add_chunks(translate, blueprint);
}

/* A relation that the blueprint lacks. \param leaf receives NULL when it is not selected */
static bool find_stranger(Output *output, const Name *name, TranslateLeaf **leaf)
{
    Translate *translate = output->translate;
    const Leaf *found = NULL;
    *leaf = NULL;
    if (translate->resolve == NULL)
        return true;
    size_t at = name_place(translate, name);
    if (at < translate->names.count && name_equal(&translate->names.items[at].name, name)) {
        *leaf = translate->names.items[at].leaf;
        return true;
    }
    if (!translate->resolve(translate->resolve_data, name, translate->xid, &found, output->err))
        return false;
    *leaf = found == NULL ? NULL : state_of(translate, found);
    add_name(translate, name, *leaf);
    return true;
}

static bool find_leaf(Output *output, TdText schema, TdText name, TranslateLeaf **leaf)
{
    Translate *translate = output->translate;
    str_reset(&translate->name);
    char *at = str_reserve(&translate->name, schema.bytes + name.bytes + 2);
    char *schema_end = at + td_unquote_name(schema, at);
    *schema_end = '\0';
    *(schema_end + 1 + td_unquote_name(name, schema_end + 1)) = '\0';
    Leaf wanted = {.source = {at, schema_end + 1}};
    TranslateLeaf key = {.leaf = &wanted};
    *leaf = bsearch(&key, translate->leaves, translate->leaf_count, sizeof(TranslateLeaf), by_name);
    return *leaf != NULL || find_stranger(output, &wanted.source, leaf);
}

/* --- writing messages --- */

static void put_number(Output *output, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--)
        str_append_char(&output->message, (char)(value >> (8 * (i - 1)) & 0xff));
}

static void begin_message(Output *output, char kind)
{
    str_reset(&output->message);
    str_append_char(&output->message, kind);
}

static void end_message(Output *output, Lsn wal_end)
{
    BatchRecord record = {.wal_end = wal_end, .bytes = (uint32_t)output->message.length};
    batch_make_room(output->pool, output->batch, record.bytes);
    batch_append(output->batch, &record, output->message.data);
}

/* A message of the open transaction's block, which begins with the first. */
static void begin_block_message(Output *output, char kind)
{
    Translate *translate = output->translate;
    if (!translate->told) {
        begin_message(output, PGO_STREAM_START);
        put_number(output, translate->xid, 4);
        put_number(output, 1, 1);
        end_message(output, 0);
        translate->told = true;
    }
    begin_message(output, kind);
    put_number(output, translate->xid, 4);
}

static void put_text(Output *output, const char *text)
{
    str_append_bytes(&output->message, text, strlen(text) + 1);
}

static void begin_relation(Output *output, const Leaf *leaf, size_t columns)
{
    begin_block_message(output, PGO_RELATION);
    put_number(output, leaf->oid, 4);
    put_text(output, leaf->source.schema);
    put_text(output, leaf->source.rel);
    put_number(output, (uint8_t)leaf->replica_identity, 1);
    put_number(output, columns, 2);
}

static void put_column(Output *output, bool in_key, const char *name, uint32_t type)
{
    put_number(output, in_key ? 1 : 0, 1);
    put_text(output, name);
    put_number(output, type, 4);
    put_number(output, UINT32_MAX, 4);
}

static bool in_key(const Relation *relation, size_t column)
{
    for (size_t k = 0; relation->key != NULL && k < relation->key->count; k++) {
        if (relation->key->columns[k] == column)
            return true;
    }
    return false;
}

static void tell_relation(Output *output, TranslateLeaf *leaf)
{
    const Relation *relation = leaf->leaf->root;
    if (leaf->told)
        return;
    begin_relation(output, leaf->leaf, relation->column_count);
    for (size_t i = 0; i < relation->column_count; i++)
        put_column(output, in_key(relation, i), relation->columns[i].name,
                   relation->columns[i].type_oid);
    end_message(output, 0);
    leaf->told = true;
}

/* --- columns --- */

static int find_column(const Relation *relation, TdText name)
{
    for (size_t i = 0; i < relation->column_count; i++) {
        if (td_name_is(name, relation->columns[i].name))
            return (int)i;
    }
    for (size_t i = 0; i < relation->generated_count; i++) {
        if (td_name_is(name, relation->generated[i]))
            return NOT_SENT;
    }
    for (size_t i = 0; i < relation->left_out_count; i++) {
        if (td_name_is(name, relation->left_out[i].name))
            return NOT_SENT;
    }
    return NOT_KNOWN;
}

/* A table WITH OIDS (before 12) shows its oid in front of the columns. */
static bool is_hidden_oid(size_t position, const TdColumn *column)
{
    return position == 0 && td_name_is(column->name, "oid") && column->type.bytes == 3 &&
           memcmp(column->type.data, "oid", 3) == 0;
}

static int column_at(Output *output, TranslateLeaf *leaf, size_t position, const TdColumn *column)
{
    const Relation *relation = leaf->leaf->root;
    if (position == leaf->column_count) { /* the widest row so far */
        int *wider = arena_array(&output->translate->arena, int, position * 2 + 8);
        for (size_t i = 0; i < position; i++)
            wider[i] = leaf->columns[i];
        for (size_t i = position; i < position * 2 + 8; i++)
            wider[i] = NOT_KNOWN;
        leaf->columns = wider;
        leaf->column_count = position * 2 + 8;
    }
    int guess = leaf->columns[position];
    if (guess >= 0 && td_name_is(column->name, relation->columns[guess].name))
        return guess;
    int found = find_column(relation, column->name);
    if (found == NOT_KNOWN && is_hidden_oid(position, column))
        found = NOT_SENT;
    return leaf->columns[position] = found;
}

/* Sorts a row's columns into leaf->row. \return false: it has one that the Blueprint does not */
static bool sort_row(Output *output, TranslateLeaf *leaf, const TdTuple *tuple, size_t *found)
{
    size_t position = 0;
    bool known = true;
    TdColumn column;
    *found = 0;
    for (size_t i = 0; i < leaf->leaf->root->column_count; i++)
        leaf->row[i] = (TdColumn){.kind = TD_NULL};
    for (TdCursor at = td_columns(tuple); td_column(&at, &column); position++) {
        int index = column_at(output, leaf, position, &column);
        known = known && index != NOT_KNOWN;
        if (index < 0)
            continue;
        leaf->row[index] = column;
        (*found)++;
    }
    return known;
}

static void put_value(Output *output, const TdColumn *column)
{
    Str *out = &output->message;
    if (column->kind == TD_NULL || column->kind == TD_UNCHANGED) {
        str_append_char(out, column->kind == TD_NULL ? PGO_NULL : PGO_UNCHANGED);
        return;
    }
    str_append_char(out, PGO_TEXT);
    size_t length_at = out->length;
    put_number(output, 0, 4);
    size_t bytes = td_value(column, str_reserve(out, column->value.bytes + 1));
    out->length += bytes;
    for (size_t i = 0; i < 4; i++)
        out->data[length_at + i] = (char)(bytes >> (8 * (3 - i)) & 0xff);
}

static void put_row(Output *output, TranslateLeaf *leaf, char kind)
{
    size_t columns = leaf->leaf->root->column_count;
    str_append_char(&output->message, kind);
    put_number(output, columns, 2);
    for (size_t i = 0; i < columns; i++)
        put_value(output, &leaf->row[i]);
}

/* The row in its own columns, as pgoutput would send it behind such a relation message: the change
 * that needs what does not fit. */
static void put_other_row(Output *output, const TranslateLeaf *leaf, const TdTuple *tuple,
                          size_t count)
{
    TdColumn column;
    begin_block_message(output, PGO_INSERT);
    put_number(output, leaf->leaf->oid, 4);
    str_append_char(&output->message, 'N');
    put_number(output, count, 2);
    for (TdCursor at = td_columns(tuple); td_column(&at, &column);) {
        if (find_column(leaf->leaf->root, column.name) != NOT_SENT)
            put_value(output, &column);
    }
    end_message(output, 0);
}

/* A column that a key does not tell, and that is as it was as far as one can see. */
static bool is_not_told(const Relation *relation, size_t index, const TdTuple *tuple)
{
    TdColumn column;
    for (TdCursor at = td_columns(tuple); td_column(&at, &column);) {
        if (td_name_is(column.name, relation->columns[index].name))
            return false;
    }
    return !in_key(relation, index);
}

/* The relation as this row has it, so that what differs is told by name, and the row.
 * \param whole the row has all columns; a key has its own only */
static void tell_other_columns(Output *output, TranslateLeaf *leaf, const TdTuple *tuple,
                               bool whole)
{
    const Relation *relation = leaf->leaf->root;
    TdColumn column;
    size_t count = 0;
    size_t rest = 0;
    AUTO_STR Str name = {0};
    for (TdCursor at = td_columns(tuple); td_column(&at, &column);)
        count += find_column(relation, column.name) != NOT_SENT ? 1 : 0;
    for (size_t i = 0; i < relation->column_count && !whole; i++)
        rest += is_not_told(relation, i, tuple) ? 1 : 0;
    begin_relation(output, leaf->leaf, count + rest);
    for (TdCursor at = td_columns(tuple); td_column(&at, &column);) {
        int index = find_column(relation, column.name);
        if (index == NOT_SENT)
            continue;
        str_reset(&name);
        str_reserve(&name, column.name.bytes + 1);
        name.data[td_unquote_name(column.name, name.data)] = '\0';
        bool same = index >= 0 && td_type_is(column.type, relation->columns[index].type_text);
        put_column(output, index >= 0 && in_key(relation, (size_t)index), name.data,
                   same ? relation->columns[index].type_oid : 0);
    }
    for (size_t i = 0; i < relation->column_count && rest > 0; i++) {
        if (is_not_told(relation, i, tuple))
            put_column(output, false, relation->columns[i].name, relation->columns[i].type_oid);
    }
    end_message(output, 0);
    leaf->told = false;
    put_other_row(output, leaf, tuple, count);
}

static bool same_types(const TranslateLeaf *leaf)
{
    const Relation *relation = leaf->leaf->root;
    for (size_t i = 0; i < relation->column_count; i++) {
        if (!td_type_is(leaf->row[i].type, relation->columns[i].type_text))
            return false;
    }
    return true;
}

/* A new row has all columns: another set of them is another table. */
static bool same_columns(Output *output, TranslateLeaf *leaf, const TdTuple *tuple)
{
    size_t found = 0;
    if (sort_row(output, leaf, tuple, &found) && found == leaf->leaf->root->column_count &&
        same_types(leaf))
        return true;
    tell_other_columns(output, leaf, tuple, true);
    return false;
}

/* --- lines --- */

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

static bool take_row(Output *output, TranslateLeaf *leaf)
{
    const TdLine *line = &output->line;
    if (line->kind != TD_DELETE && !same_columns(output, leaf, &line->new_tuple))
        return true;
    size_t found = 0;
    if (line->old_tuple.present && !sort_row(output, leaf, &line->old_tuple, &found)) {
        tell_other_columns(output, leaf, &line->old_tuple, false);
        return true;
    }
    tell_relation(output, leaf);
    static const char KINDS[] = {
        [TD_INSERT] = PGO_INSERT, [TD_UPDATE] = PGO_UPDATE, [TD_DELETE] = PGO_DELETE};
    begin_block_message(output, KINDS[line->kind]);
    put_number(output, leaf->leaf->oid, 4);
    /* Columns that are not told are NULL, or not part of the identity. */
    if (line->old_tuple.present)
        put_row(output, leaf, leaf->leaf->replica_identity == 'f' ? 'O' : 'K');
    if (line->kind != TD_DELETE) {
        if (line->old_tuple.present && !sort_row(output, leaf, &line->new_tuple, &found))
            BUG("a row's columns were known a moment ago");
        put_row(output, leaf, 'N');
    }
    end_message(output, 0);
    return true;
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
    if (!find_leaf(output, schema, name, &leaf))
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
    return take_row(output, leaf);
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
        if (!find_leaf(output, schema, name, &leaf))
            return false;
        if (leaf == NULL)
            continue;
        if (!is_itself(leaf, schema, name)) {
            if (leaf != whole && !is_truncated_whole(output, leaf))
                return false;
            whole = leaf;
            continue;
        }
        tell_relation(output, leaf);
        for (int shift = 24; shift >= 0; shift -= 8)
            str_append_char(&oids, (char)(leaf->leaf->oid >> shift & 0xff));
        count++;
    }
    if (count == 0)
        return true;
    begin_block_message(output, PGO_TRUNCATE);
    put_number(output, count, 4);
    put_number(output, (output->line.cascade ? 1 : 0) | (output->line.restart_identity ? 2 : 0), 1);
    str_append_bytes(&output->message, oids.data, oids.length);
    end_message(output, 0);
    return true;
}

static bool text_is(TdText text, const char *what)
{
    return text.bytes == strlen(what) && memcmp(text.data, what, text.bytes) == 0;
}

static void put_mark(Output *output, Lsn wal_end, TdText prefix, TdText content)
{
    begin_block_message(output, PGO_MESSAGE);
    put_number(output, 1, 1);
    put_number(output, wal_end, 8);
    str_append_bytes(&output->message, prefix.data, prefix.bytes);
    str_append_char(&output->message, '\0');
    put_number(output, content.bytes, 4);
    str_append_bytes(&output->message, content.data, content.bytes);
    end_message(output, 0);
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
    begin_message(output, PGO_STREAM_STOP);
    end_message(output, 0);
    begin_message(output, PGO_STREAM_COMMIT);
    put_number(output, translate->xid, 4);
    put_number(output, 0, 1);
    put_number(output, end_lsn - 1, 8);
    put_number(output, end_lsn, 8);
    put_number(output, (uint64_t)(output->line.commit_unix_us - CLOCK_PG_EPOCH_US), 8);
    end_message(output, end_lsn);
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

static bool take_line(Output *output, const char *data, const BatchRecord *record)
{
    const TdLine *line = &output->line;
    if (!td_decode(data, record->bytes, &output->line, output->err))
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
