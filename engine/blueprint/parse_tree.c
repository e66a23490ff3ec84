/*
 * ParseTree: one walk over the characters. Braces and blanks inside names are escaped by the
 * server, constants are lists of numbers, so that a brace is always a node's.
 */
#include "blueprint/parse_tree.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_USER_OID 16384u

typedef struct TreeNode {
    const char *name;
    size_t name_length;
    int location;
    uint32_t function;
    int column;
    bool user_defined;
    size_t columns; /* how many of each there were when it began */
    size_t functions;
    size_t faults;
} TreeNode;

typedef struct Walk {
    Arena *arena;
    ParseTree *tree;
    VEC(TreeNode) open;
} Walk;

static bool is_one_of(const TreeNode *node, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strlen(*names) == node->name_length &&
            strncmp(*names, node->name, node->name_length) == 0)
            return true;
    return false;
}

/* Some were renamed in PostgreSQL 16: both ways are here. */
static const char *const ALLOWED[] = {"VAR",
                                      "CONST",
                                      "OPEXPR",
                                      "DISTINCTEXPR",
                                      "NULLIFEXPR",
                                      "BOOLEXPR",
                                      "BOOLEANTEST",
                                      "NULLTEST",
                                      "FUNCEXPR",
                                      "RELABELTYPE",
                                      "CASE",
                                      "CASEEXPR",
                                      "WHEN",
                                      "CASEWHEN",
                                      "CASETESTEXPR",
                                      "COALESCE",
                                      "COALESCEEXPR",
                                      "MINMAX",
                                      "MINMAXEXPR",
                                      "ARRAY",
                                      "ARRAYEXPR",
                                      "ROW",
                                      "ROWEXPR",
                                      "ROWCOMPARE",
                                      "ROWCOMPAREEXPR",
                                      "COLLATE",
                                      "COLLATEEXPR",
                                      "SCALARARRAYOPEXPR",
                                      NULL};

static const struct {
    const char *names[4];
    const char *what;
} FORBIDDEN[] = {
    {{"COERCEVIAIO", NULL}, "a cast by way of text"},
    {{"ARRAYCOERCEEXPR", NULL}, "a cast of an array"},
    {{"SUBLINK", NULL}, "a subquery"},
    {{"PARAM", NULL}, "a parameter"},
    {{"SQLVALUEFUNCTION", NULL}, "the current time or user"},
    {{"SUBSCRIPTINGREF", "ARRAYREF", NULL}, "an element of an array or document"},
    {{"COERCETODOMAIN", NULL}, "a cast to a domain"},
    {{"FIELDSELECT", NULL}, "a field of a composite value"},
    {{"XMLEXPR", NULL}, "an XML expression"},
};

static const char *forbidden_text(Arena *arena, const TreeNode *node)
{
    for (size_t i = 0; i < sizeof(FORBIDDEN) / sizeof(FORBIDDEN[0]); i++)
        if (is_one_of(node, FORBIDDEN[i].names))
            return FORBIDDEN[i].what;
    return arena_printf(arena, "an expression of kind %.*s", (int)node->name_length, node->name);
}

static void add(Walk *walk, TreeItems *items, const TreeNode *node, uint32_t oid, const char *what)
{
    *vec_push(walk->arena, items) = (TreeItem){oid, node->location, what};
}

static void close_node(Walk *walk)
{
    const TreeNode *node = &walk->open.items[--walk->open.count];
    ParseTree *tree = walk->tree;
    bool is_column = node->name_length == 3 && strncmp(node->name, "VAR", 3) == 0;
    if (!is_one_of(node, ALLOWED)) {
        /* What is inside need not be told. */
        tree->columns.count = node->columns;
        tree->functions.count = node->functions;
        tree->faults.count = node->faults;
        add(walk, &tree->faults, node, 0, forbidden_text(walk->arena, node));
    } else if (is_column && node->column < 0)
        add(walk, &tree->faults, node, 0, "a system column");
    else if (is_column && node->column == 0)
        add(walk, &tree->faults, node, 0, "the row as a whole");
    else if (node->user_defined)
        add(walk, &tree->faults, node, 0, "a type, function, operator or collation of your own");
    else if (is_column)
        add(walk, &tree->columns, node, (uint32_t)node->column, NULL);
    else if (node->function != 0)
        add(walk, &tree->functions, node, node->function, NULL);
}

static bool ends_with(const char *name, size_t length, const char *end)
{
    size_t end_length = strlen(end);
    return length >= end_length && strncmp(name + length - end_length, end, end_length) == 0;
}

static bool is_named(const char *name, size_t length, const char *wanted)
{
    return strlen(wanted) == length && strncmp(name, wanted, length) == 0;
}

static void take_field(TreeNode *node, const char *name, size_t length, const char *value)
{
    long number = strtol(value, NULL, 10);
    if (is_named(name, length, "location"))
        node->location = (int)number;
    else if (is_named(name, length, "varattno"))
        node->column = (int)number;
    else if (is_named(name, length, "funcid") || is_named(name, length, "opfuncid"))
        node->function = (uint32_t)number;
    bool names_object = ends_with(name, length, "type") || ends_with(name, length, "typeid") ||
                        ends_with(name, length, "collid") || ends_with(name, length, "funcid") ||
                        is_named(name, length, "opno");
    if (names_object && number >= (long)FIRST_USER_OID)
        node->user_defined = true;
}

/* A word ends at a blank, a parenthesis or a brace. */
static size_t word_length(const char *text)
{
    return strcspn(text, " \n\t(){}");
}

static void open_node(Walk *walk, const char *name)
{
    *vec_push(walk->arena, &walk->open) = (TreeNode){
        .name = name,
        .name_length = word_length(name),
        .location = -1,
        .columns = walk->tree->columns.count,
        .functions = walk->tree->functions.count,
        .faults = walk->tree->faults.count,
    };
}

static bool walk_tree(Walk *walk, const char *at)
{
    for (; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0') {
            at++;
        } else if (*at == '{') {
            open_node(walk, at + 1);
        } else if (*at == '}') {
            close_node(walk);
        } else if (*at == ':' && walk->open.count > 0) {
            size_t length = word_length(at + 1);
            const char *value = at + 1 + length;
            take_field(&walk->open.items[walk->open.count - 1], at + 1, length,
                       value + strspn(value, " "));
            at += length;
        }
        if (walk->open.count == 0)
            return true;
    }
    return false;
}

bool parse_tree_read(Arena *arena, const char *text, ParseTree *tree)
{
    static const char BEGIN[] = ":quals ";
    *tree = (ParseTree){0};
    const char *quals = strstr(text, BEGIN);
    if (quals == NULL || quals[strlen(BEGIN)] != '{')
        return false;
    Walk walk = {.arena = arena, .tree = tree};
    return walk_tree(&walk, quals + strlen(BEGIN));
}
