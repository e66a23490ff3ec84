/*
 * Walk: compares the tree with the tables that libcyaml will bind with, and reports every fault.
 *
 * No cascades: below a fault nothing more is said. What passes here libcyaml must accept, and bind
 * to the same meaning; hence numbers, booleans and words are judged more strictly than it would.
 */
#include "plan/layers.h"

#include "base/str.h"
#include "base/units.h"
#include "plan/schema.h"
#include "plan/secret.h"
#include "plan/suggest.h"

/* Each is compiled, and tried on every relation of the source. */
#define PATTERNS_MAX 1000

typedef struct Walk {
    Report *report;
    const char *source;
    size_t bytes;
    size_t patterns; /* so far */
} Walk;

typedef void WalkValue(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                       const Node *node, const char *path);

static void walk_value(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                       const Node *node, const char *path);

static const char *kind_text(const Node *node)
{
    static const char *const KINDS[] = {"a text", "a list", "a mapping"};
    return KINDS[node->kind];
}

static void report_type(Walk *walk, const Node *node, const char *path, const char *wanted)
{
    report_node(walk->report, DIAG_TYPE, node, "%s must be %s, not %s", path, wanted,
                kind_text(node));
}

static const char *join(Walk *walk, const char *path, const char *key)
{
    return *path == '\0' ? key : arena_printf(walk->report->arena, "%s.%s", path, key);
}

/* ---- scalars -------------------------------------------------------------------------------- */

static void report_range(Walk *walk, const PlanKey *key, const Node *node, const char *path)
{
    const char *shown = report_quoted(walk->report, node->text);
    if (key->max == 0)
        report_node(walk->report, DIAG_RANGE, node, "%s: %s is too small", path, shown);
    else
        report_node(walk->report, DIAG_RANGE, node, "%s: %s is out of range", path, shown);
}

static char *range_text(Walk *walk, const PlanKey *key)
{
    Arena *arena = walk->report->arena;
    char *(*text)(Arena *, uint64_t) = units_size_text;
    if (key->format == FORMAT_INTERVAL) {
        const char *least = units_interval_text(arena, (int64_t)key->min);
        return key->max == 0 ? arena_printf(arena, "It must be at least %s.", least)
                             : arena_printf(arena, "It must be from %s to %s.", least,
                                            units_interval_text(arena, (int64_t)key->max));
    }
    return key->max == 0 ? arena_printf(arena, "It must be at least %s.", text(arena, key->min))
                         : arena_printf(arena, "It must be from %s to %s.", text(arena, key->min),
                                        text(arena, key->max));
}

static bool in_range(const PlanKey *key, uint64_t value)
{
    return value >= key->min && (key->max == 0 || value <= key->max);
}

static void walk_integer(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                         const Node *node, const char *path)
{
    (void)schema;
    uint64_t value = 0;
    if (node->kind != NODE_SCALAR) {
        report_type(walk, node, path, "a number");
        return;
    }
    const char *shown = report_quoted(walk->report, node->text);
    if (node->style != STYLE_PLAIN) {
        report_node(walk->report, DIAG_TYPE, node, "%s must be a number, not a quoted text", path);
        if (units_uint64_parse(node->text, &value))
            report_hint(walk->report, "Write it without quotes.");
    } else if (!units_uint64_parse(node->text, &value)) {
        report_node(walk->report, DIAG_INTEGER, node, "%s: %s is not a whole decimal number", path,
                    shown);
        report_hint(walk->report, "Digits only: no sign, no leading zero, no other base.");
    } else if (!in_range(key, value)) {
        report_range(walk, key, node, path);
        if (key->min == key->max)
            report_hint(walk->report, "This engine knows only %llu.", (unsigned long long)key->min);
        else
            report_hint(walk->report, "It must be from %llu to %llu.", (unsigned long long)key->min,
                        (unsigned long long)key->max);
    }
}

static void walk_boolean(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                         const Node *node, const char *path)
{
    (void)schema;
    (void)key;
    if (node->kind != NODE_SCALAR) {
        report_type(walk, node, path, "true or false");
        return;
    }
    if (node->style == STYLE_PLAIN &&
        (text_equal(node->text, "true") || text_equal(node->text, "false")))
        return;
    report_node(walk->report, DIAG_BOOLEAN, node, "%s: %s is neither true nor false", path,
                report_quoted(walk->report, node->text));
    if (node->style != STYLE_PLAIN)
        report_hint(walk->report, "Write it without quotes.");
    else
        report_hint(walk->report, "Only the words true and false are taken, in lower case.");
}

static char *words_text(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key)
{
    AUTO_STR Str words = {0};
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        if (!schema_word_is_later(key, schema->enumeration.strings[i].str))
            str_appendf(&words, "%s%s", words.length == 0 ? "" : ", ",
                        schema->enumeration.strings[i].str);
    }
    return str_dup(walk->report->arena, &words);
}

static void report_unknown_word(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                                const Node *node, const char *path)
{
    if (schema_word_is_later(key, node->text)) {
        report_node(walk->report, DIAG_LATER, node, "%s: %s is not in this version", path,
                    node->text);
        report_hint(walk->report, "This version takes: %s.", words_text(walk, schema, key));
        return;
    }
    report_node(walk->report, DIAG_ENUM, node, "%s: %s is not one of the values allowed", path,
                report_quoted(walk->report, node->text));
    Suggest suggest = suggest_begin(node->text);
    for (uint32_t i = 0; i < schema->enumeration.count; i++)
        suggest_offer(&suggest, schema->enumeration.strings[i].str);
    if (suggest.best != NULL)
        report_hint(walk->report, "did you mean \"%s\"?", suggest.best);
    else
        report_hint(walk->report, "It is one of: %s.", words_text(walk, schema, key));
}

/* The index of a scalar among the words, or -1 and a finding. */
static int walk_word(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                     const Node *node, const char *path)
{
    if (node->kind != NODE_SCALAR) {
        report_type(walk, node, path, "one word");
        return -1;
    }
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        if (text_equal(schema->enumeration.strings[i].str, node->text) &&
            !schema_word_is_later(key, node->text))
            return (int)i;
    }
    report_unknown_word(walk, schema, key, node, path);
    return -1;
}

static void walk_enum(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                      const Node *node, const char *path)
{
    (void)walk_word(walk, schema, key, node, path);
}

/* A password, wherever a connection string may stand; true if there is one. */
static bool refuse_password(Walk *walk, const Node *node, const char *path)
{
    SecretSpan span = {0};
    const char *fault = NULL;
    if (!secret_in_conninfo(node->text, &span, &fault))
        return false;
    size_t before = 0;
    size_t within = 0;
    for (size_t i = 0; i < span.start + span.bytes; i++)
        *(i < span.start ? &before : &within) += ((unsigned char)node->text[i] & 0xC0) != 0x80;
    PlanPos pos = node_character(node, walk->source, walk->bytes, before);
    report_at(walk->report, DIAG_PASSWORD, pos, within > 0 ? (uint32_t)within : 1,
              "%s holds a password", path);
    report_hint(walk->report,
                "Use passfile, service, conninfo_env or a client certificate; and change it now.");
    *vec_push(walk->report->arena, &walk->report->secrets) = node;
    return true;
}

static void report_format(Walk *walk, const PlanKey *key, const Node *node, const char *path,
                          const FormatResult *result, const Err *err)
{
    const FormatRow *row = format_row(key->format);
    if (result->is_pattern) {
        PlanPos pos = node_character(node, walk->source, walk->bytes, result->character);
        report_at(walk->report, DIAG_PATTERN, pos, 1, "%s: bad pattern: %s", path, err->message);
        return;
    }
    report_node(walk->report, DIAG_FORMAT, node, "%s: %s is not %s%s%s", path,
                report_quoted(walk->report, node->text), row->name, result->has_reason ? ": " : "",
                result->has_reason ? err->message : "");
    if (err->hint != NULL)
        report_hint(walk->report, "%s", err->hint);
    else
        report_hint(walk->report, "It is written like this: %s", row->example);
}

/* A number is no misreading where a number is a way to write it; an interval is never one. */
static bool may_be_misread(const PlanKey *key, const Node *node)
{
    uint64_t number = 0;
    if (format_row(key->format)->integer && units_uint64_parse(node->text, &number))
        return false;
    return key->format != FORMAT_INTERVAL;
}

/* Whether YAML readers agree that it is a text. */
static bool is_text_to_all(Walk *walk, const PlanKey *key, const Node *node, const char *path)
{
    const char *misread = may_be_misread(key, node) ? node_misread(node) : NULL;
    if (misread == NULL)
        return true;
    report_node(walk->report, DIAG_QUOTES, node, "%s: YAML readers take %s for %s", path,
                report_quoted(walk->report, node->text), misread);
    report_hint(walk->report, "Put quotes around it if it is meant as a text.");
    return false;
}

/* Counts a pattern; those beyond the limit are told of once and not compiled. */
static bool is_pattern_too_many(Walk *walk, const PlanKey *key, const Node *node)
{
    bool is_pattern = format_row(key->format)->patterns && *node->text == '~';
    if (!is_pattern || ++walk->patterns <= PATTERNS_MAX)
        return false;
    if (walk->patterns == PATTERNS_MAX + 1) {
        report_node(walk->report, DIAG_PATTERNS, node, "the plan has more than %d patterns",
                    PATTERNS_MAX);
        report_hint(walk->report, "One pattern can stand for many: ~app\\.(a|b|c)");
    }
    return true;
}

static void walk_format(Walk *walk, const PlanKey *key, const Node *node, const char *path)
{
    AUTO_ERR Err err = {0};
    FormatResult result;
    if (!format_check(walk->report->arena, key->format, node->text, &result, &err)) {
        report_format(walk, key, node, path, &result, &err);
    } else if (!in_range(key, result.value) && (key->min > 0 || key->max > 0)) {
        report_range(walk, key, node, path);
        report_hint(walk->report, "%s", range_text(walk, key));
    }
}

static void walk_string(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                        const Node *node, const char *path)
{
    (void)schema;
    if (node->kind != NODE_SCALAR) {
        report_type(walk, node, path, "a text");
        return;
    }
    if (key->format == FORMAT_CONNINFO && refuse_password(walk, node, path))
        return;
    if (*node->text == '\0') {
        report_node(walk->report, DIAG_FORMAT, node, "%s is empty", path);
        return;
    }
    if (is_text_to_all(walk, key, node, path) && !is_pattern_too_many(walk, key, node))
        walk_format(walk, key, node, path);
}

/* ---- lists ---------------------------------------------------------------------------------- */

static void walk_sequence(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                          const Node *node, const char *path)
{
    if (node->kind != NODE_SEQUENCE) {
        report_type(walk, node, path, "a list");
        if (node->kind == NODE_SCALAR)
            report_hint(walk->report, "Write a list of one entry: [%s]",
                        text_printable(walk->report->arena, node->text, strlen(node->text), NULL));
        return;
    }
    if (node->count < schema->sequence.min || node->count > schema->sequence.max) {
        bool few = node->count < schema->sequence.min;
        report_node(walk->report, DIAG_LENGTH, node, "%s must have %s %u entr%s", path,
                    few ? "at least" : "at most", few ? schema->sequence.min : schema->sequence.max,
                    few && schema->sequence.min == 1 ? "y" : "ies");
        if (node->count == 0)
            report_hint(walk->report, "Leave the key out to get its default.");
        return;
    }
    size_t index = 0;
    for (const Node *entry = node->first; entry != NULL; entry = entry->next, index++) {
        const char *at = arena_printf(walk->report->arena, "%s[%zu]", path, index);
        walk_value(walk, schema->sequence.entry, key, entry, at);
    }
}

static void walk_flags(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                       const Node *node, const char *path)
{
    uint64_t seen = 0;
    if (node->kind != NODE_SEQUENCE) {
        report_type(walk, node, path, "a list of words");
        return;
    }
    if (node->count == 0) {
        report_node(walk->report, DIAG_LENGTH, node, "%s must have at least one entry", path);
        report_hint(walk->report, "Leave the key out to get its default.");
    }
    for (const Node *entry = node->first; entry != NULL; entry = entry->next) {
        if (entry->is_broken)
            continue;
        int index = walk_word(walk, schema, key, entry, path);
        uint64_t bit = index < 0 ? 0 : UINT64_C(1) << index;
        if ((seen & bit) != 0)
            report_node(walk->report, DIAG_DUPLICATE_ENTRY, entry, "%s: %s is given twice", path,
                        entry->text);
        seen |= bit;
    }
}

/* ---- mappings ------------------------------------------------------------------------------- */

/* Where else a key belongs: the path of the only other mapping that has it. */
static const char *other_home(const PlanMapping *here, const char *key)
{
    size_t count = 0;
    const char *home = NULL;
    const PlanMapping *mappings = schema_mappings(&count);
    for (size_t i = 0; i < count; i++) {
        int index = &mappings[i] == here ? -1 : schema_find(&mappings[i], key);
        if (index < 0 || mappings[i].keys[index].is_later)
            continue;
        if (home != NULL)
            return NULL;
        home = mappings[i].path;
    }
    return home;
}

/* Returns the index of the key that was probably meant, -1 if there is none. */
static int report_unknown_key(Walk *walk, const PlanMapping *mapping, const Node *node)
{
    const Node *key = node->key;
    if (report_is_full(walk->report)) {
        report_node(walk->report, DIAG_UNKNOWN_KEY, key, "unknown key");
        return -1;
    }
    if (secret_key(key->text)) {
        report_node(walk->report, DIAG_PASSWORD, key, "a password has no place in a plan");
        report_hint(walk->report, "Use passfile, service, conninfo_env or a client certificate; "
                                  "and change it now.");
        return -1;
    }
    const char *shown = report_quoted(walk->report, key->text);
    if (*mapping->path == '\0')
        report_node(walk->report, DIAG_UNKNOWN_KEY, key, "unknown key %s", shown);
    else
        report_node(walk->report, DIAG_UNKNOWN_KEY, key, "unknown key %s in %s", shown,
                    mapping->path);
    Suggest suggest = suggest_begin(key->text);
    for (const PlanKey *known = mapping->keys; known->key != NULL; known++) {
        if (!known->is_later)
            suggest_offer(&suggest, known->key);
    }
    const char *home = suggest.best == NULL ? other_home(mapping, key->text) : NULL;
    if (suggest.best != NULL)
        report_hint(walk->report, "did you mean \"%s\"?", suggest.best);
    else if (home != NULL)
        report_hint(walk->report, "\"%s\" belongs %s%s.", key->text,
                    *home == '\0' ? "at the top of the plan" : "under ", home);
    else if (*mapping->path != '\0')
        report_hint(walk->report, "\"godwit explain %s\" lists its keys.", mapping->path);
    else
        report_hint(walk->report, "docs/keys lists the keys of a plan, \"godwit explain select\" "
                                  "those below one.");
    return suggest.best == NULL ? -1 : schema_find(mapping, suggest.best);
}

static const char *keys_text(Walk *walk, const PlanMapping *mapping)
{
    AUTO_STR Str keys = {0};
    for (const PlanKey *key = mapping->keys; key->key != NULL; key++) {
        if (key->in_choice)
            str_appendf(&keys, "%s%s", keys.length == 0 ? "" : ", ", key->key);
    }
    return str_dup(walk->report->arena, &keys);
}

/* Where to say something about a whole mapping: at its key, if it has one. */
static const Node *place_of(const Node *node)
{
    return node->key != NULL ? node->key : node;
}

/* What a mapping gives, by index of its keys. */
typedef struct Given {
    const Node *node; /* NULL: not given */
    bool is_meant;    /* an unknown key looks like it: then it is not missing as well */
} Given;

static bool stands_after(const Node *node, const Node *other)
{
    PlanPos a = node->key->pos;
    PlanPos b = other->key->pos;
    return a.line > b.line || (a.line == b.line && a.column > b.column);
}

static void explain_choice(Walk *walk, const PlanMapping *mapping)
{
    if (*mapping->path != '\0')
        report_hint(walk->report, "\"godwit explain %s\" tells what each is for.", mapping->path);
}

/* \param made how many of the choice are given \param last the one that stands last */
static void judge_choice(Walk *walk, const PlanMapping *mapping, const Node *node, size_t made,
                         const Node *last, const char *path)
{
    bool only_one = mapping->choice == CHOICE_EXACTLY_ONE || mapping->choice == CHOICE_AT_MOST_ONE;
    bool is_needed =
        mapping->choice == CHOICE_EXACTLY_ONE || mapping->choice == CHOICE_AT_LEAST_ONE;
    if (made == 0 && is_needed) {
        report_node(walk->report, DIAG_ONE_OF, place_of(node), "%s needs %s of: %s", path,
                    only_one ? "one" : "at least one", keys_text(walk, mapping));
        explain_choice(walk, mapping);
    }
    if (made > 1 && only_one) {
        report_node(walk->report, DIAG_ONE_OF, last->key, "%s takes only one of: %s", path,
                    keys_text(walk, mapping));
        explain_choice(walk, mapping);
    }
}

static void check_choice(Walk *walk, const PlanMapping *mapping, const Node *node,
                         const Given *given, const char *path)
{
    size_t made = 0;
    bool is_meant = false;
    const Node *last = NULL;
    for (size_t i = 0; mapping->keys[i].key != NULL; i++) {
        if (!mapping->keys[i].in_choice)
            continue;
        is_meant = is_meant || given[i].is_meant;
        if (given[i].node == NULL)
            continue;
        made++;
        if (last == NULL || stands_after(given[i].node, last))
            last = given[i].node;
    }
    if (made > 0 || !is_meant)
        judge_choice(walk, mapping, node, made, last, path);
}

static void walk_child(Walk *walk, const PlanMapping *mapping, const Node *child, Given *given,
                       const char *path)
{
    int index = schema_find(mapping, child->key->text);
    if (index < 0) {
        index = report_unknown_key(walk, mapping, child);
        if (index >= 0)
            given[index].is_meant = true;
        return;
    }
    const PlanKey *key = &mapping->keys[index];
    const char *full = join(walk, path, key->key);
    if (given[index].node != NULL) {
        report_node(walk->report, DIAG_DUPLICATE_KEY, child->key, "%s is given twice", full);
        report_hint(walk->report, "It is already in line %u.", given[index].node->key->pos.line);
        return;
    }
    given[index].node = child;
    if (key->is_later) {
        report_node(walk->report, DIAG_LATER, child->key, "%s is not in this version", full);
        report_hint(walk->report, "The plan language has this key, but this engine does not carry "
                                  "it out yet; nothing is ignored.");
    }
    walk_value(walk, &mapping->fields[index].value, key, child, full);
}

static void walk_keys(Walk *walk, const PlanMapping *mapping, const Node *node, const char *path)
{
    size_t count = 0;
    while (mapping->keys[count].key != NULL)
        count++;
    Given *given = arena_array(walk->report->arena, Given, count);
    bool is_whole = true;
    for (const Node *child = node->first; child != NULL; child = child->next) {
        int broken = child->is_broken ? schema_find(mapping, child->key->text) : -1;
        if (!child->is_broken)
            walk_child(walk, mapping, child, given, path);
        else if (broken >= 0)
            given[broken].is_meant = true;
        is_whole = is_whole && !child->key->is_broken;
    }
    if (!is_whole) /* what a merge key would have brought is not missing */
        return;
    for (size_t i = 0; i < count; i++) {
        if (given[i].node == NULL && !given[i].is_meant && schema_required(&mapping->fields[i]))
            report_node(walk->report, DIAG_MISSING_KEY, place_of(node), "%s is missing",
                        join(walk, path, mapping->keys[i].key));
    }
    check_choice(walk, mapping, node, given, path);
}

static void walk_mapping(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                         const Node *node, const char *path)
{
    (void)key;
    const PlanMapping *mapping = schema_mapping(schema->mapping.fields);
    if (mapping->shorthand != NULL && node->kind == NODE_SCALAR) {
        int index = schema_find(mapping, mapping->shorthand);
        walk_value(walk, &mapping->fields[index].value, &mapping->keys[index], node, path);
    } else if (node->kind != NODE_MAPPING) {
        report_type(walk, node, path,
                    mapping->shorthand != NULL ? "a text or a mapping" : "a mapping");
    } else {
        walk_keys(walk, mapping, node, path);
    }
}

static void walk_value(Walk *walk, const cyaml_schema_value_t *schema, const PlanKey *key,
                       const Node *node, const char *path)
{
    static WalkValue *const BY_TYPE[CYAML__TYPE_COUNT] = {
        [CYAML_UINT] = walk_integer,      [CYAML_BOOL] = walk_boolean,
        [CYAML_ENUM] = walk_enum,         [CYAML_STRING] = walk_string,
        [CYAML_FLAGS] = walk_flags,       [CYAML_MAPPING] = walk_mapping,
        [CYAML_SEQUENCE] = walk_sequence,
    };
    if (node->is_broken)
        return;
    if (node_is_null(node)) {
        report_node(walk->report, DIAG_NULL, place_of(node), "%s has no value", path);
        report_hint(walk->report, "No key takes null; leave it out to get its default.");
        return;
    }
    if (BY_TYPE[schema->type] == NULL)
        BUG("the plan language has a type that the walker does not know: %d", (int)schema->type);
    BY_TYPE[schema->type](walk, schema, key, node, path);
}

void plan_walk(Report *report, const Node *root, const char *text, size_t bytes)
{
    static const PlanKey ROOT = {.key = "plan"};
    Walk walk = {.report = report, .source = text, .bytes = bytes};
    walk_value(&walk, &PLAN_SCHEMA, &ROOT, root, "");
}
