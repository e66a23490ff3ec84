/*
 * Node: the plan's YAML as a tree with positions, made by locate, read by every later layer.
 *
 * Children are a linked list; a child of a mapping carries its key. Everything lives in one arena.
 */
#ifndef GODWIT_PLAN_NODE_H
#define GODWIT_PLAN_NODE_H

#include "plan/plan.h"

typedef enum NodeKind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING } NodeKind;

typedef enum NodeStyle { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_BLOCK } NodeStyle;

typedef struct Node Node;

struct Node {
    NodeKind kind;
    NodeStyle style; /* of a scalar */
    bool is_broken;  /* already reported: later layers pass over it */
    PlanPos pos;
    PlanPos end;
    const char *text; /* of a scalar, never NULL, no NUL inside */
    const Node *key;  /* of a child of a mapping */
    Node *first;
    Node *last;
    Node *next;
    size_t count;
};

/** The value of a key in a mapping; NULL if it is not there, or `mapping` is NULL. */
const Node *node_get(const Node *mapping, const char *key);

/** The node at keys below a mapping, joined by dots: "cutover.gates.require"; NULL if it is not
 * there. */
const Node *node_at(const Node *mapping, const char *path);

/** The columns a caret underlines: 1 when the node spans lines. */
uint32_t node_span(const Node *node);

/** Where a character of a scalar's value stands in the file.
 * \param source the plan's text \param character 0-based offset in the value
 * \return the node's own position where the value spans lines. */
PlanPos node_character(const Node *node, const char *source, size_t bytes, size_t character);

/** Whether a plain scalar is one of YAML's ways to write nothing. */
bool node_is_null(const Node *node);

/** Whether a YAML 1.1 or 1.2 reader would take this plain scalar for a number, a boolean or a date:
 * what it is ("a number"), NULL if it is a text everywhere. */
const char *node_misread(const Node *node);

#endif
