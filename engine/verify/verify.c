/*
 * Verify's entry points: how a relation is read, counting, and what becomes of a difference.
 */
#include "verify/verify.h"

#include "sql_text.h"
#include "verify/verify_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#define PROBE_KEYS 2000 /* fewer keys than these: asking costs more than it saves */

static const RangeType RANGE_TYPES[] = {
    {20, "pg_catalog.int8", "-9223372036854775808", "9223372036854775807", true},
    {21, "pg_catalog.int8", "-9223372036854775808", "9223372036854775807", true},
    {23, "pg_catalog.int8", "-9223372036854775808", "9223372036854775807", true},
    {1082, "pg_catalog.date", "-infinity", "infinity", false},
    {1114, "pg_catalog.timestamp", "-infinity", "infinity", false},
    {1184, "pg_catalog.timestamptz", "-infinity", "infinity", false},
    {2950, "pg_catalog.uuid", "00000000-0000-0000-0000-000000000000",
     "ffffffff-ffff-ffff-ffff-ffffffffffff", false},
};

static const RangeType *range_type(const Relation *relation)
{
    if (relation->key == NULL)
        return NULL;
    uint32_t type_oid = relation->columns[relation->key->columns[0]].type_oid;
    for (size_t i = 0; i < sizeof(RANGE_TYPES) / sizeof(RANGE_TYPES[0]); i++) {
        if (RANGE_TYPES[i].type_oid == type_oid)
            return &RANGE_TYPES[i];
    }
    return NULL;
}

void reading_range_by_text(Reading *reading)
{
    bool text = reading->key != NULL && reading->way == HASH_FAST;
    reading->ranged = text ? BY_TEXT : BY_HASH;
}

static void set_orders(Reading *reading)
{
    reading->range_type = range_type(reading->spec->relation);
    reading_range_by_text(reading);
    reading->listed = reading->ranged;
    if (reading->range_type == NULL)
        return;
    reading->ranged = BY_COLUMN;
    if (reading->range_type->integer && reading->key->count == 1)
        reading->listed = BY_COLUMN;
}

void reading_init(Reading *reading, const VerifySpec *spec, Arena *arena, VerifyResult *result)
{
    *result = (VerifyResult){0};
    *reading = (Reading){
        .spec = spec,
        .key = spec->relation->key,
        .arena = arena,
        .live = spec->stream != NULL || spec->run_id != 0,
        .result = result,
    };
    bool modern = conn_version(spec->source) >= 110000 && conn_version(spec->target) >= 110000;
    reading->way = modern ? HASH_SHA256 : HASH_MD5;
    set_orders(reading);
}

bool reading_probe(Reading *reading, Err *err)
{
    if (reading->way == HASH_MD5)
        return true;
    AUTO_PAIR Pair pair = {0};
    if (!pair_rows(reading->spec, (Statement){SQL_VERIFY_PROBE, SQL_VERIFY_PROBE}, NO_PARAMS, &pair,
                   err))
        return false;
    const char *source = rows_text(pair.source, 0, 1);
    const char *target = rows_text(pair.target, 0, 1);
    if (source != NULL && text_equal(source, target))
        reading->way = HASH_FAST;
    set_orders(reading);
    return true;
}

/* "(a, b)=(1, 2)", as PostgreSQL names keys. */
static const char *key_shown(Arena *arena, const Reading *reading, const Suspect *suspect)
{
    AUTO_STR Str text = {0};
    const Relation *relation = reading->spec->relation;
    for (size_t i = 0; i < reading->key->count; i++)
        str_appendf(&text, "%s%s", i > 0 ? ", " : "(",
                    relation->columns[reading->key->columns[i]].name);
    str_append(&text, ")=(");
    for (size_t i = 0; i < reading->key->count; i++)
        str_appendf(&text, "%s%s", i > 0 ? ", " : "", suspect->values[i]);
    str_append_char(&text, ')');
    return str_dup(arena, &text);
}

/* " of billing.invoice_2025": which of the merged relations has the row. */
static const char *origin_shown(const Reading *reading, const Seen *source)
{
    const char *mark = strchr(source->version, '/');
    const Relation *one = reading->spec->relation->merge;
    if (one == NULL || mark == NULL)
        return "";
    for (long number = strtol(mark + 1, NULL, 10); number > 0 && one->merge_next != NULL; number--)
        one = one->merge_next;
    return arena_printf(reading->arena, " of %s", name_text(reading->arena, &one->source));
}

static void result_name(Reading *reading, DifferenceKind kind, const char *shown, int64_t copies)
{
    VerifyResult *result = reading->result;
    if (result->difference_count == VERIFY_MAX_NAMED)
        return;
    if (result->differences == NULL)
        result->differences = arena_array(reading->arena, Difference, VERIFY_MAX_NAMED);
    result->differences[result->difference_count++] = (Difference){kind, shown, copies};
}

void result_add(Reading *reading, const Suspect *suspect, const Seen *source, const Seen *target)
{
    int64_t apart = source->copies - target->copies;
    if (apart > 0 && reading->spec->partial)
        return;
    DifferenceKind kind = DIFF_CHANGED;
    if (apart != 0)
        kind = apart > 0 ? DIFF_MISSING : DIFF_EXTRA;
    int64_t copies = apart == 0 ? 1 : (apart > 0 ? apart : -apart);
    reading->result->difference_total += copies;
    if (reading->result->difference_count < VERIFY_MAX_NAMED)
        result_name(reading, kind,
                    reading->key == NULL ? arena_strdup(reading->arena, suspect->shown)
                                         : arena_printf(reading->arena, "%s%s",
                                                        key_shown(reading->arena, reading, suspect),
                                                        origin_shown(reading, source)),
                    copies);
}

bool part_rows(Arena *arena, Reading *reading, Ranges *part, Err *err)
{
    return ranges_compare(arena, reading, part, err) && rows_compare(reading, part, err);
}

/* All rows, nothing written down. */
static bool compare_rows(Reading *reading, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Layout layout = {0};
    if (!layout_make(&arena, reading, &layout, err))
        return false;
    for (size_t i = 0; i < layout.count; i++) {
        if (!part_rows(&arena, reading, &layout.parts[i], err))
            return false;
    }
    return true;
}

/* The numbers of rows; under a limit they are counted page by page. */
static bool counts_read(Reading *reading, int64_t *source, int64_t *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_PAIR Pair pair = {0};
    const VerifySpec *spec = reading->spec;
    if (throttle_limits(spec->throttle)) {
        VerifyResult *result = reading->result;
        VerifyResult before = *result;
        Layout layout = layout_whole(&arena);
        reading->counts_only = true;
        bool ok = ranges_read_slowly(&arena, reading, layout.parts, err);
        reading->counts_only = false;
        *source = result->source_rows - before.source_rows;
        *target = result->target_rows - before.target_rows;
        *result = before;
        return ok;
    }
    if (!pair_rows(spec, statement_count(&arena, reading), NO_PARAMS, &pair, err))
        return false;
    *source = rows_int64(pair.source, 0, 0);
    *target = rows_int64(pair.target, 0, 0);
    return true;
}

/* Equal counts are what this method asks for. Unequal ones, live, say little: rows are then
 * compared by key alone, under the live rule. */
static bool compare_counts(Reading *reading, Err *err)
{
    int64_t source = 0;
    int64_t target = 0;
    if (reading->spec->partial) {
        reading->keys_only = true;
        return compare_rows(reading, err);
    }
    if (!counts_read(reading, &source, &target, err))
        return false;
    VerifyResult *result = reading->result;
    if (source != target && reading->live) {
        reading->keys_only = true;
        return compare_rows(reading, err);
    }
    result->source_rows = source;
    result->target_rows = target;
    if (source == target)
        return true;
    result->difference_total = source > target ? source - target : target - source;
    result_name(reading, DIFF_COUNT,
                arena_printf(reading->arena, "source %" PRId64 " rows, target %" PRId64 " rows",
                             source, target),
                result->difference_total);
    return true;
}

/* Looks at one part, unless it was found the same and not touched since. */
static bool part_compare(Arena *arena, Reading *reading, const Noted *noted, size_t number,
                         Ranges *part, Err *err)
{
    VerifyResult *result = reading->result;
    if (part->look != 0) {
        result->source_rows += part->source_rows;
        result->target_rows += part->target_rows;
        return true;
    }
    VerifyResult before = *result;
    int64_t look = 0;
    if (!notes_look(noted, &look, err) ||
        !(reading->spec->method == PLAN_VERIFY_COUNT ? compare_counts(reading, err)
                                                     : part_rows(arena, reading, part, err)))
        return false;
    if (result->difference_total != before.difference_total || result->busy != before.busy)
        return true;
    part->source_rows = result->source_rows - before.source_rows;
    part->target_rows = result->target_rows - before.target_rows;
    return notes_same(reading, noted, number, part, look, err);
}

static void tell_resumed(const Reading *reading, const Layout *layout)
{
    AUTO_ARENA Arena arena = {0};
    size_t done = 0;
    for (size_t i = 0; i < layout->count; i++)
        done += layout->parts[i].look != 0 ? 1 : 0;
    log_info(
        conn_log(reading->spec->source),
        "verify %s: %zu of %zu parts were the same before and were not touched since: they are "
        "not read again",
        name_text(&arena, &reading->spec->relation->source), done, layout->count);
}

/* What an earlier verification left, or all parts anew. */
static bool layout_take(Arena *arena, Reading *reading, Noted *noted, Layout *layout, Err *err)
{
    const VerifySpec *spec = reading->spec;
    if (!notes_read(arena, reading, noted, layout, err))
        return false;
    if (noted->goes_on) {
        tell_resumed(reading, layout);
        return true;
    }
    if (spec->method == PLAN_VERIFY_COUNT)
        *layout = layout_whole(arena);
    else if (!layout_make(arena, reading, layout, err))
        return false;
    if (spec->notes != NULL && spec->notes->anew != NULL &&
        spec->notes->anew(spec->notes->data, spec->relation) && !live_wait(spec, err))
        return false;
    return notes_begin(reading, noted, layout, err);
}

bool verify_relation(Arena *arena, const VerifySpec *spec, VerifyResult *result, Err *err)
{
    AUTO_ARENA Arena own = {0};
    Noted noted = {0};
    Layout layout = {0};
    Reading reading;
    reading_init(&reading, spec, arena, result);
    if (!reading_probe(&reading, err) || !layout_take(&own, &reading, &noted, &layout, err))
        return false;
    for (size_t i = 0; i < layout.count; i++) {
        if (!part_compare(&own, &reading, &noted, i, &layout.parts[i], err))
            return false;
        if (result->more)
            break;
    }
    return true;
}

bool verify_keys(Arena *arena, const VerifySpec *spec, const TouchedKeys *keys,
                 VerifyResult *result, Err *err)
{
    if (keys->overflow || spec->relation->key == NULL)
        return verify_relation(arena, spec, result, err);
    Reading reading;
    reading_init(&reading, spec, arena, result);
    if (keys->count > PROBE_KEYS && !reading_probe(&reading, err))
        return false;
    size_t most = reading.live ? VERIFY_BATCH_LIVE : VERIFY_BATCH_STILL;
    for (size_t done = 0; done < keys->count;) {
        AUTO_ARENA Arena batch = {0};
        SuspectVec suspects = {0};
        for (; suspects.count < most && done < keys->count; done++)
            *vec_push(&batch, &suspects) =
                (Suspect){.values = &keys->values[done * spec->relation->key->count]};
        if (!suspects_look(&reading, &suspects, true, err))
            return false;
    }
    return true;
}

const char *verify_statement(Arena *arena, const VerifySpec *spec, ConnSide side)
{
    bool fast = conn_version(spec->source) >= 110000 && conn_version(spec->target) >= 110000;
    HashWay way = fast ? HASH_FAST : HASH_MD5;
    Reading reading = {.spec = spec, .key = spec->relation->key, .arena = arena, .way = way};
    set_orders(&reading);
    Statement statement = spec->method == PLAN_VERIFY_COUNT
                              ? statement_count(arena, &reading)
                              : statement_ranges(arena, &reading, NULL);
    return side == CONN_SOURCE ? statement.source : statement.target;
}
