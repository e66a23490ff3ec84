/*
 * Row filters as the source understands them: each is put to its parser twice. In brackets, where a
 * parenthesis too many cannot close anything, it proves to be one expression; in a WHERE it shows
 * of what it is made. Findings point into the condition.
 */
#include "blueprint/build.h"
#include "blueprint/parse_tree.h"
#include "pg/ddl.h"
#include "pg/parse.h"
#include "pg/query.h"
#include "sql_text.h"

#include <inttypes.h>

#define FILTER_VERSION 150000
#define ALIAS          "godwit_row"

typedef struct Probe {
    Build *build;
    Conn *source;
    const Relation *relation;
    const PlanRowFilter *filter;
    size_t prefix; /* bytes of the statement before the condition */
} Probe;

/* --- where in the plan --- */

/* The characters of the word that begins there. */
static uint32_t word_span(const char *text)
{
    uint32_t span = 0;
    while ((text[span] >= 'a' && text[span] <= 'z') || (text[span] >= 'A' && text[span] <= 'Z') ||
           (text[span] >= '0' && text[span] <= '9') || text[span] == '_')
        span++;
    return span > 0 ? span : 1;
}

/* \param offset bytes into the condition */
static void find_at(Probe *probe, Diag diag, size_t offset, const char *message)
{
    const char *where = probe->filter->where;
    size_t most = strlen(where);
    offset = offset > most ? most : offset;
    PlanPos pos = probe->filter->pos;
    bool exact = plan_place(probe->build->plan, where, offset, &pos);
    const char *name = build_name(probe->build, &probe->relation->source);
    if (exact || offset == 0)
        build_find(probe->build, diag, pos, exact ? word_span(where + offset) : 1, "%s: %s", name,
                   message);
    else
        build_find(probe->build, diag, pos, 1, "%s: %s (at character %" PRIu32 " of the condition)",
                   name, message, plan_characters(where, offset) + 1);
}

static size_t offset_of_location(const Probe *probe, int location)
{
    return location < 0 || (size_t)location < probe->prefix ? 0 : (size_t)location - probe->prefix;
}

/* --- what the server says --- */

/* The server's hint, where columns bear the name that the table has in our statement only. */
static const char *without_alias(Arena *arena, const char *hint)
{
    char *text = arena_strdup(arena, hint);
    size_t length = strlen(ALIAS ".");
    for (char *at = strstr(text, ALIAS "."); at != NULL; at = strstr(at, ALIAS "."))
        memmove(at, at + length, strlen(at + length) + 1);
    return text;
}

static bool parse(Probe *probe, const char *before, const char *after, PgParse *answer, Err *err)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, before);
    probe->prefix = sql.length;
    str_append(&sql, probe->filter->where);
    str_append(&sql, after);
    if (!pg_parse(probe->build->arena, probe->source, sql.data, answer, err))
        return false;
    if (answer->tree != NULL)
        return true;
    size_t bytes = 0;
    while (answer->position > 0 && bytes < sql.length &&
           plan_characters(sql.data, bytes) < answer->position - 1)
        bytes++;
    size_t offset = offset_of_location(probe, (int)bytes);
    find_at(probe, DIAG_FILTER_SQL, offset,
            offset >= strlen(probe->filter->where) ? "the condition ends too early"
                                                   : answer->refusal);
    if (answer->hint != NULL)
        build_hint(probe->build, "%s", without_alias(probe->build->arena, answer->hint));
    else
        build_hint(probe->build, "A row filter is one SQL condition over the table's own columns, "
                                 "named without the table.");
    return true;
}

static const char *column_name(const Probe *probe, uint32_t attnum)
{
    const CatColumn *column =
        catalog_column(probe->build->source, probe->relation->oid, (int)attnum);
    return column != NULL ? column->name : NULL;
}

static bool check_functions(Probe *probe, const ParseTree *tree, Err *err)
{
    AUTO_STR Str oids = {0};
    AUTO_ROWS Rows *rows = NULL;
    for (size_t i = 0; i < tree->functions.count; i++)
        str_appendf(&oids, "%c%" PRIu32, i == 0 ? '{' : ',', tree->functions.items[i].oid);
    if (oids.length == 0)
        return true;
    str_append_char(&oids, '}');
    if (!pg_rows(probe->source, SQL_BLUEPRINT_MUTABLE, PARAMS(oids.data), &rows, err))
        return false;
    for (size_t i = 0; i < tree->functions.count; i++) {
        for (size_t r = 0; r < rows_count(rows); r++) {
            if (rows_oid(rows, r, 0) != tree->functions.items[i].oid)
                continue;
            find_at(probe, DIAG_FILTER_FORBIDDEN,
                    offset_of_location(probe, tree->functions.items[i].location),
                    arena_printf(probe->build->arena,
                                 "the row filter needs %s(), which is %s: it may say something "
                                 "else in another session or at another time",
                                 rows_text(rows, r, 1), rows_text(rows, r, 2)));
            build_hint(probe->build, "Write constants of the column's own type, and a time with "
                                     "its zone; only immutable functions are allowed.");
        }
    }
    return true;
}

/* The first leaf whose old rows do not carry a column. */
static const Leaf *leaf_without(const Probe *probe, const char *column)
{
    for (size_t i = 0; i < probe->relation->leaf_count; i++)
        if (!build_in_identity(probe->build, probe->relation->leaves[i], column))
            return probe->relation->leaves[i];
    return NULL;
}

static bool is_generated(const Probe *probe, const char *column)
{
    for (size_t i = 0; i < probe->relation->generated_count; i++)
        if (text_equal(probe->relation->generated[i], column))
            return true;
    return false;
}

static void check_columns(Probe *probe, const ParseTree *tree)
{
    Build *build = probe->build;
    for (size_t i = 0; i < tree->columns.count; i++) {
        const char *column = column_name(probe, tree->columns.items[i].oid);
        if (column == NULL)
            continue;
        size_t offset = offset_of_location(probe, tree->columns.items[i].location);
        if (is_generated(probe, column)) {
            find_at(probe, DIAG_FILTER_FORBIDDEN, offset,
                    "the row filter uses a generated column, which the stream does not have");
            build_hint(build, "Write the expression that it is generated from.");
            continue;
        }
        const Leaf *leaf =
            build_publishes_old_rows(build->plan) ? leaf_without(probe, column) : NULL;
        if (leaf == NULL)
            continue;
        const char *name = build_name(build, &leaf->source);
        find_at(probe, DIAG_FILTER_IDENTITY, offset,
                arena_printf(build->arena,
                             "the row filter uses %s, which is not of the replica identity of %s",
                             name_part_text(build->arena, column), name));
        build_hint(
            build,
            "Published so, the applications' own UPDATE and DELETE would fail on the "
            "source. Widen the identity first: replication.replica_identity: {tables: [{table: "
            "%s, full: true}]}, or a unique index over the key and this column.",
            name);
    }
}

static bool is_repeated(const TreeItems *faults, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(faults->items[i].what, faults->items[at].what) == 0)
            return true;
    return false;
}

static bool check_tree(Probe *probe, const PgParse *answer, Err *err)
{
    ParseTree tree;
    if (!parse_tree_read(probe->build->arena, answer->tree, &tree)) {
        find_at(probe, DIAG_FILTER_SQL, 0, "the server's parse tree has a form not known here");
        build_hint(probe->build, "The row filter could not be checked, so it is not used.");
        return true;
    }
    for (size_t i = 0; i < tree.faults.count; i++) {
        if (is_repeated(&tree.faults, i))
            continue;
        find_at(
            probe, DIAG_FILTER_FORBIDDEN, offset_of_location(probe, tree.faults.items[i].location),
            arena_printf(probe->build->arena, "the row filter uses %s", tree.faults.items[i].what));
        build_hint(probe->build, "The source's stream can evaluate columns, constants and "
                                 "immutable built-in functions, operators and types.");
    }
    check_columns(probe, &tree);
    return check_functions(probe, &tree, err);
}

static bool probe_one(Probe *probe, Err *err)
{
    AUTO_STR Str from = {0};
    AUTO_STR Str before = {0};
    AUTO_STR Str after = {0};
    PgParse answer;
    str_append(&from, "FROM ONLY ");
    ddl_qname(&from, probe->source, &probe->relation->source);
    str_append(&from, " AS " ALIAS);
    str_appendf(&after, "\n] %s", from.data);
    if (!parse(probe, "SELECT ARRAY[", after.data, &answer, err))
        return false;
    if (answer.tree == NULL)
        return true;
    str_appendf(&before, "SELECT %s WHERE (", from.data);
    if (!parse(probe, before.data, "\n)", &answer, err))
        return false;
    return answer.tree == NULL || check_tree(probe, &answer, err);
}

bool blueprint_probe(Blueprint *blueprint, Conn *source, PlanFindings *findings, Err *err)
{
    Build build = {.blueprint = blueprint,
                   .plan = blueprint->plan,
                   .source = blueprint->source,
                   .target = blueprint->target,
                   .arena = &blueprint->arena};
    for (size_t i = 0; i < findings->count; i++)
        *vec_push(build.arena, &build.findings) = findings->items[i];
    bool can = conn_version(source) >= FILTER_VERSION; /* else it was said already */
    for (size_t i = 0; can && i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        Probe probe = {.build = &build,
                       .source = source,
                       .relation = relation,
                       .filter = relation->filter_from};
        if (relation->filter != NULL && !probe_one(&probe, err))
            return false;
    }
    return build_conclude(&build, findings, err);
}
