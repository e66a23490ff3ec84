/*
 * Locate: libyaml's events become a tree with positions. Refuses here what no plan may hold, before
 * anything is built on it: size, depth, encoding, aliases, tags, second documents.
 *
 * libyaml is asked event by event and left at the first refusal that ends the reading, so that a
 * hostile file costs no more than its first 32 levels.
 */
#include "plan/layers.h"

#include "base/str.h"

#include <yaml.h>

#define AUTO_PARSER __attribute__((cleanup(yaml_parser_delete)))
#define AUTO_EVENT  __attribute__((cleanup(yaml_event_delete)))

/* Where a scalar stands, in characters from the start of the file. */
typedef struct Span {
    size_t start;
    size_t end;
} Span;

typedef struct Locate {
    Report *report;
    Node *root;
    Node *open[LOCATE_MAX_DEPTH];       /* the collections that are open, outermost first */
    const Node *keys[LOCATE_MAX_DEPTH]; /* in a mapping: the key that waits for its value */
    size_t depth;
    size_t nodes;
    bool has_document;
    bool has_tabs;
    VEC(Span) scalars; /* in the order of the file */
} Locate;

static PlanPos mark_pos(yaml_mark_t mark)
{
    return (PlanPos){.line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

/* YAML's printable characters, and what a file may hold besides: tab, line breaks. */
static bool is_allowed(uint32_t code)
{
    return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code <= 0x7E) ||
           code == 0x85 || (code >= 0xA0 && code <= 0xFFFD && code != 0xFEFF) || code >= 0x10000;
}

static PlanPos position_of(const char *text, size_t bytes, size_t offset)
{
    PlanPos pos = {.line = 1, .column = 1};
    size_t length = 0;
    const char *line = text;
    for (uint32_t number = 1; (line = text_line(text, bytes, number, &length)) != NULL; number++) {
        pos.line = number;
        if (offset <= (size_t)(line - text) + length)
            break;
    }
    uint32_t code = 0;
    for (const char *at = line; at != NULL && at < text + offset; pos.column++)
        at += text_character(at, (size_t)(text + bytes - at), &code);
    return pos;
}

static bool check_encoding(Report *report, const char *text, size_t bytes)
{
    uint32_t code = 0;
    for (size_t at = 0; at < bytes;) {
        size_t length = text_character(text + at, bytes - at, &code);
        if (code == UINT32_MAX) {
            report_at(report, DIAG_ENCODING, position_of(text, bytes, at), 1,
                      "byte 0x%02x is not valid UTF-8", (unsigned char)text[at]);
            return false;
        }
        if (!is_allowed(code)) {
            report_at(report, DIAG_CONTROL, position_of(text, bytes, at), 1,
                      "character U+%04X is not allowed in a plan", code);
            return false;
        }
        at += length;
    }
    return true;
}

static Node *new_node(Locate *locate, const yaml_event_t *event, NodeKind kind)
{
    Node *node = arena_new(locate->report->arena, Node);
    node->kind = kind;
    node->pos = mark_pos(event->start_mark);
    node->end = mark_pos(event->end_mark);
    node->text = "";
    return node;
}

static void refuse_properties(Locate *locate, Node *node, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    if (anchor != NULL) {
        report_at(locate->report, DIAG_ALIAS, node->pos, 1, "an anchor is not allowed in a plan");
        report_hint(locate->report, "What is reviewed is what runs: write the value out.");
    }
    if (tag != NULL)
        report_at(locate->report, DIAG_TAG, node->pos, 1, "a tag is not allowed in a plan");
}

/* Takes a scalar as the key that its mapping waits for. */
static bool take_key(Locate *locate, Node *node)
{
    size_t top = locate->depth - 1;
    if (node->kind != NODE_SCALAR) {
        report_at(locate->report, DIAG_KEY_SHAPE, node->pos, 1, "a key must be a plain text");
        return false;
    }
    if (node->style == STYLE_PLAIN && text_equal(node->text, "<<")) {
        report_node(locate->report, DIAG_ALIAS, node, "a merge key is not allowed in a plan");
        report_hint(locate->report, "What is reviewed is what runs: write the keys out.");
        node->is_broken = true;
    }
    locate->keys[top] = node;
    return true;
}

/* Puts a node where it belongs; false ends the reading. */
static bool place(Locate *locate, Node *node)
{
    if (++locate->nodes > LOCATE_MAX_NODES) {
        report_at(locate->report, DIAG_NODES, node->pos, 1, "the plan has more than %d nodes",
                  LOCATE_MAX_NODES);
        return false;
    }
    if (locate->depth == 0) {
        locate->root = node;
        return true;
    }
    size_t top = locate->depth - 1;
    Node *parent = locate->open[top];
    if (parent->kind == NODE_MAPPING) {
        if (locate->keys[top] == NULL)
            return take_key(locate, node);
        node->key = locate->keys[top];
        node->is_broken = node->is_broken || node->key->is_broken;
        locate->keys[top] = NULL;
    }
    *(parent->first == NULL ? &parent->first : &parent->last->next) = node;
    parent->last = node;
    parent->count++;
    return true;
}

static bool on_collection(Locate *locate, const yaml_event_t *event)
{
    bool sequence = event->type == YAML_SEQUENCE_START_EVENT;
    Node *node = new_node(locate, event, sequence ? NODE_SEQUENCE : NODE_MAPPING);
    if (locate->depth == LOCATE_MAX_DEPTH) {
        report_at(locate->report, DIAG_DEPTH, node->pos, 1,
                  "the plan is nested more than %d levels deep", LOCATE_MAX_DEPTH);
        return false;
    }
    if (sequence)
        refuse_properties(locate, node, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
    else
        refuse_properties(locate, node, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
    if (!place(locate, node))
        return false;
    locate->keys[locate->depth] = NULL;
    locate->open[locate->depth++] = node;
    return true;
}

static NodeStyle scalar_style(yaml_scalar_style_t style)
{
    if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE)
        return STYLE_SINGLE;
    if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
        return STYLE_DOUBLE;
    return style == YAML_PLAIN_SCALAR_STYLE ? STYLE_PLAIN : STYLE_BLOCK;
}

static bool on_scalar(Locate *locate, const yaml_event_t *event)
{
    Node *node = new_node(locate, event, NODE_SCALAR);
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    node->style = scalar_style(event->data.scalar.style);
    if (locate->has_tabs)
        *vec_push(locate->report->arena, &locate->scalars) =
            (Span){.start = event->start_mark.index, .end = event->end_mark.index};
    refuse_properties(locate, node, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(value, '\0', length) != NULL) {
        report_node(locate->report, DIAG_CONTROL, node, "a text holds a NUL character");
        node->is_broken = true;
    }
    node->text = arena_memdup(locate->report->arena, value, length);
    return place(locate, node);
}

static bool on_alias(Locate *locate, const yaml_event_t *event)
{
    Node *node = new_node(locate, event, NODE_SCALAR);
    node->is_broken = true;
    report_node(locate->report, DIAG_ALIAS, node, "an alias is not allowed in a plan");
    report_hint(locate->report, "What is reviewed is what runs: write the value out.");
    return locate->report->dropped == 0 && place(locate, node);
}

static bool on_document(Locate *locate, const yaml_event_t *event)
{
    if (locate->has_document) {
        report_at(locate->report, DIAG_DOCUMENTS, mark_pos(event->start_mark), 1,
                  "a second document begins here; a plan is one document");
        return false;
    }
    locate->has_document = true;
    return true;
}

/* Takes one event; false ends the reading. */
static bool on_event(Locate *locate, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(locate, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return on_collection(locate, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        locate->open[--locate->depth]->end = mark_pos(event->end_mark);
        return true;
    case YAML_SCALAR_EVENT:
        return on_scalar(locate, event);
    case YAML_ALIAS_EVENT:
        return on_alias(locate, event);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    }
    return true;
}

/* libyaml says "found character that cannot start any token" of it. */
static bool is_at_tab(const yaml_parser_t *parser, const char *text, size_t bytes)
{
    size_t at = 0;
    for (size_t line = 0; at < bytes && line < parser->problem_mark.line; at++)
        line += text[at] == '\n';
    return at + parser->problem_mark.column < bytes &&
           text[at + parser->problem_mark.column] == '\t';
}

static void report_syntax(Locate *locate, const yaml_parser_t *parser, const char *text,
                          size_t bytes)
{
    const char *problem = parser->problem == NULL ? "not valid YAML" : parser->problem;
    if (is_at_tab(parser, text, bytes)) {
        report_at(locate->report, DIAG_SYNTAX, mark_pos(parser->problem_mark), 1,
                  "a tab stands where YAML takes only blanks");
        report_hint(locate->report, "Indent with blanks.");
        return;
    }
    report_at(locate->report, DIAG_SYNTAX, mark_pos(parser->problem_mark), 1, "%s", problem);
    if (parser->context != NULL)
        report_hint(locate->report, "This happened %s that begins at line %zu, column %zu.",
                    parser->context, parser->context_mark.line + 1,
                    parser->context_mark.column + 1);
    else
        report_hint(locate->report,
                    "The keys of one mapping stand in one column; a text with \": \" in it "
                    "needs quotes.");
}

/* Reads all events; false when the reading ended early. */
static bool read_events(Locate *locate, const char *text, size_t bytes)
{
    AUTO_PARSER yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0)
        err_out_of_memory(sizeof(parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    for (bool more = true; more;) {
        AUTO_EVENT yaml_event_t event = {0};
        if (yaml_parser_parse(&parser, &event) == 0) {
            report_syntax(locate, &parser, text, bytes);
            return false;
        }
        if (!on_event(locate, &event))
            return false;
        more = event.type != YAML_STREAM_END_EVENT;
    }
    return true;
}

typedef struct TabSearch {
    const Locate *locate;
    size_t span; /* the scalar that ends next */
    bool in_comment;
} TabSearch;

/* Whether a character stands outside of scalars and comments; asked in the order of the file. */
static bool is_between(TabSearch *search, size_t character, uint32_t code, uint32_t before)
{
    const Locate *locate = search->locate;
    while (search->span < locate->scalars.count &&
           locate->scalars.items[search->span].end <= character)
        search->span++;
    if (search->span < locate->scalars.count &&
        locate->scalars.items[search->span].start <= character)
        return false;
    bool begins = code == '#' && (before == ' ' || before == '\t' || before == '\n');
    search->in_comment = code != '\n' && code != '\r' && (search->in_comment || begins);
    return !search->in_comment;
}

/* Tabs that separate: libyaml takes them, other readers do not. */
static void refuse_tabs(const Locate *locate, const char *text, size_t bytes)
{
    TabSearch search = {.locate = locate};
    size_t found = 0;
    size_t first = 0;
    uint32_t code = '\n';
    size_t at = 0;
    for (size_t character = 0; at < bytes; character++) {
        uint32_t before = code == '\r' ? '\n' : code;
        size_t start = at;
        at += text_character(text + at, bytes - at, &code);
        if (is_between(&search, character, code, before) && code == '\t' && found++ == 0)
            first = start;
    }
    if (found == 0)
        return;
    report_at(locate->report, DIAG_TAB, position_of(text, bytes, first), 1,
              "a tab stands between values, where other YAML readers take only blanks");
    report_hint(locate->report, "The plan has %zu such tab%s.", found, found == 1 ? "" : "s");
}

Node *plan_locate(Report *report, const char *text, size_t bytes)
{
    const PlanPos start = {.line = 1, .column = 1};
    if (bytes > LOCATE_MAX_BYTES) {
        report_at(report, DIAG_TOO_LARGE, start, 1, "the plan has more than %zu bytes",
                  LOCATE_MAX_BYTES);
        return NULL;
    }
    if (!check_encoding(report, text, bytes))
        return NULL;
    Locate locate = {.report = report, .has_tabs = memchr(text, '\t', bytes) != NULL};
    if (!read_events(&locate, text, bytes))
        return NULL;
    if (locate.has_tabs)
        refuse_tabs(&locate, text, bytes);
    if (locate.root == NULL || node_is_null(locate.root)) {
        report_at(report, DIAG_EMPTY, start, 1, "the plan is empty");
        return NULL;
    }
    if (locate.root->kind != NODE_MAPPING) {
        report_node(report, DIAG_EMPTY, locate.root, "a plan is a mapping of keys to values");
        return NULL;
    }
    return locate.root;
}
