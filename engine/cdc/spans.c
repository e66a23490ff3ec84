/*
 * Spans: a few numbers for each relation. What is written down is rounded outwards, so that a table
 * that grows at its end costs one small statement for each 4,096 keys and not one for each group.
 */
#include "cdc/spans.h"

#include "sql_text.h"

struct SpanItem {
    Span open;     /* of the open transaction */
    Span sent;     /* written down in it, and before it if `look` is still that */
    Span recorded; /* written down and committed, at `look` */
    int64_t sent_look;
    int64_t look;
};

void spans_init(Spans *spans, const Blueprint *blueprint)
{
    *spans = (Spans){.blueprint = blueprint};
    size_t count = blueprint->relation_count + 1;
    spans->items = mem_resize(NULL, count * sizeof(SpanItem));
    spans->open = mem_resize(NULL, count * sizeof(uint32_t));
    spans_forget(spans);
}

void spans_release(Spans *spans)
{
    mem_free(spans->items);
    mem_free(spans->open);
    *spans = (Spans){0};
}

void spans_forget(Spans *spans)
{
    memset(spans->items, 0, (spans->blueprint->relation_count + 1) * sizeof(SpanItem));
    spans->open_count = 0;
}

static Span span_of(const Relation *relation, const PgoValue *key)
{
    Span span = {.any = true, .whole = true};
    int64_t order = 0;
    if (key == NULL || key[0].kind != PGO_TEXT)
        return span;
    uint32_t type_oid = relation->columns[relation->key->columns[0]].type_oid;
    if (span_order(type_oid, key[0].data, key[0].length, &order))
        span = (Span){.any = true, .least = order, .greatest = order};
    return span;
}

void spans_touch(Spans *spans, const Relation *relation, const PgoValue *key)
{
    SpanItem *item = &spans->items[relation->index];
    if (item->open.whole)
        return;
    if (!item->open.any)
        spans->open[spans->open_count++] = (uint32_t)relation->index;
    Span span = span_of(relation, key);
    span_add(&item->open, &span);
}

static bool item_emit(const SpanItem *item, const Name *name, Emit *emit, int64_t run,
                      unsigned lane, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const Span *span = &item->sent;
    return emit_sql(emit, SQL_JOURNAL_TOUCHED,
                    PARAMS(arena_int64(&arena, run), arena_int64(&arena, lane), name->schema,
                           name->rel, span->whole ? NULL : arena_int64(&arena, span->least),
                           span->whole ? NULL : arena_int64(&arena, span->greatest)),
                    EMIT_ANY_COUNT, err);
}

bool spans_emit(Spans *spans, Emit *emit, int64_t run, unsigned lane, int64_t look, bool *emitted,
                Err *err)
{
    *emitted = false;
    for (size_t i = 0; look != 0 && i < spans->open_count; i++) {
        SpanItem *item = &spans->items[spans->open[i]];
        bool known = item->look == look && span_holds(&item->recorded, &item->open);
        if (known)
            continue;
        item->sent = item->look == look ? item->recorded : (Span){0};
        Span open = span_rounded(item->open);
        span_add(&item->sent, &open);
        item->sent_look = look;
        *emitted = true;
        if (!item_emit(item, &spans->blueprint->relations[spans->open[i]].source, emit, run, lane,
                       err))
            return false;
    }
    return true;
}

void spans_end(Spans *spans, bool committed)
{
    for (size_t i = 0; i < spans->open_count; i++) {
        SpanItem *item = &spans->items[spans->open[i]];
        if (committed && item->sent.any) {
            item->recorded = item->sent;
            item->look = item->sent_look;
        }
        item->open = (Span){0};
        item->sent = (Span){0};
    }
    spans->open_count = 0;
}
