/*
 * Statements: SQL text per relation and kind. Names are quoted on the live connection.
 */
#include "cdc/statement.h"

#include "base/vec.h"
#include "pg/ddl.h"

static void column_list(Str *sql, const Conn *conn, const Relation *relation)
{
    for (size_t c = 0; c < relation->column_count; c++) {
        str_append(sql, c > 0 ? ", " : "");
        ddl_ident(sql, conn, relation->columns[c].name);
    }
}

/* The name under which the relation's own rows are read and changed. */
static void own_rows(Str *sql, const Conn *conn, const Relation *relation)
{
    str_append(sql, relation->family ? "ONLY " : "");
    ddl_qname(sql, conn, &relation->target);
}

static bool overriding(const Relation *relation)
{
    for (size_t c = 0; c < relation->column_count; c++) {
        if (relation->columns[c].identity == 'a')
            return true;
    }
    return false;
}

static void insert_head(Str *sql, const Conn *conn, const Relation *relation)
{
    str_append(sql, "INSERT INTO ");
    ddl_qname(sql, conn, &relation->target);
    str_append(sql, " (");
    column_list(sql, conn, relation);
    str_append(sql, ")");
    if (overriding(relation))
        str_append(sql, " OVERRIDING SYSTEM VALUE");
}

static void insert_sql(Str *sql, const Conn *conn, const Relation *relation)
{
    if (relation->column_count == 0) {
        str_append(sql, "INSERT INTO ");
        ddl_qname(sql, conn, &relation->target);
        str_append(sql, " DEFAULT VALUES");
        return;
    }
    insert_head(sql, conn, relation);
    str_append(sql, " VALUES (");
    for (size_t c = 0; c < relation->column_count; c++)
        str_appendf(sql, "%s$%zu", c > 0 ? ", " : "", c + 1);
    str_append(sql, ")");
}

static bool in_key(const Relation *relation, size_t column)
{
    for (size_t k = 0; relation->key != NULL && k < relation->key->count; k++) {
        if (relation->key->columns[k] == column)
            return true;
    }
    return false;
}

static void upsert_sql(Str *sql, const Conn *conn, const Relation *relation)
{
    insert_sql(sql, conn, relation);
    str_append(sql, " ON CONFLICT (");
    for (size_t k = 0; k < relation->key->count; k++) {
        str_append(sql, k > 0 ? ", " : "");
        ddl_ident(sql, conn, relation->columns[relation->key->columns[k]].name);
    }
    str_append(sql, ") DO ");
    const char *before = "UPDATE SET ";
    for (size_t c = 0; c < relation->column_count; c++) {
        if (in_key(relation, c) || relation->columns[c].identity == 'a')
            continue;
        str_append(sql, before);
        ddl_ident(sql, conn, relation->columns[c].name);
        str_append(sql, " = EXCLUDED.");
        ddl_ident(sql, conn, relation->columns[c].name);
        before = ", ";
    }
    if (strcmp(before, ", ") != 0)
        str_append(sql, "NOTHING");
}

static size_t set_list(Str *sql, const Conn *conn, const Relation *relation, const bool *mask)
{
    size_t parameter = 0;
    for (size_t c = 0; c < relation->column_count; c++) {
        if (!mask[c])
            continue;
        str_append(sql, parameter > 0 ? ", " : "");
        ddl_ident(sql, conn, relation->columns[c].name);
        str_appendf(sql, " = $%zu", ++parameter);
    }
    return parameter;
}

static void where_key(Str *sql, const Conn *conn, const Relation *relation, size_t parameter)
{
    str_append(sql, " WHERE ");
    for (size_t k = 0; k < relation->key->count; k++) {
        str_append(sql, k > 0 ? " AND " : "");
        const Column *column = &relation->columns[relation->key->columns[k]];
        ddl_ident(sql, conn, column->name);
        str_appendf(sql, " OPERATOR(%s) $%zu::%s", column->equality, ++parameter,
                    column->type_text);
    }
}

/* A NaN that was copied in binary form keeps its sign; as text it has none. */
static const char *to_image(const Column *column)
{
    return column->holds_floats ? "::pg_catalog.text" : "";
}

/* One of the rows whose image is that of the old row: byte for byte, NULLs included. */
static void where_whole(Str *sql, const Conn *conn, const Relation *relation, size_t parameter)
{
    str_append(sql, " WHERE (tableoid, ctid) = (SELECT t.tableoid, t.ctid FROM ");
    own_rows(sql, conn, relation);
    str_append(sql, " AS t WHERE pg_catalog.record_image_eq(ROW(");
    for (size_t c = 0; c < relation->column_count; c++) {
        str_append(sql, c > 0 ? ", t." : "t.");
        ddl_ident(sql, conn, relation->columns[c].name);
        str_append(sql, to_image(&relation->columns[c]));
    }
    str_append(sql, "), ROW(");
    for (size_t c = 0; c < relation->column_count; c++)
        str_appendf(sql, "%s$%zu::%s%s", c > 0 ? ", " : "", ++parameter,
                    relation->columns[c].type_text, to_image(&relation->columns[c]));
    str_append(sql, ")) LIMIT 1)");
}

static void update_sql(Str *sql, const Conn *conn, const Relation *relation, const bool *mask,
                       bool whole)
{
    str_append(sql, "UPDATE ");
    own_rows(sql, conn, relation);
    str_append(sql, " SET ");
    size_t parameter = set_list(sql, conn, relation, mask);
    if (whole)
        where_whole(sql, conn, relation, parameter);
    else
        where_key(sql, conn, relation, parameter);
}

static void delete_sql(Str *sql, const Conn *conn, const Relation *relation, bool whole)
{
    str_append(sql, "DELETE FROM ");
    own_rows(sql, conn, relation);
    if (whole)
        where_whole(sql, conn, relation, 0);
    else
        where_key(sql, conn, relation, 0);
}

static void move_sql(Str *sql, const Conn *conn, const Relation *relation, const bool *mask)
{
    size_t set = 0;
    for (size_t c = 0; c < relation->column_count; c++)
        set += mask[c] ? 1 : 0;
    str_append(sql, "WITH d AS (DELETE FROM ");
    own_rows(sql, conn, relation);
    where_key(sql, conn, relation, set);
    str_append(sql, " RETURNING *) ");
    insert_head(sql, conn, relation);
    str_append(sql, " SELECT ");
    size_t parameter = 0;
    for (size_t c = 0; c < relation->column_count; c++) {
        str_append(sql, c > 0 ? ", " : "");
        if (mask[c]) {
            str_appendf(sql, "$%zu::%s", ++parameter, relation->columns[c].type_text);
        } else {
            str_append(sql, "d.");
            ddl_ident(sql, conn, relation->columns[c].name);
        }
    }
    str_append(sql, " FROM d");
}

static void unnest(Str *sql, const Relation *relation, size_t column, size_t parameter)
{
    str_appendf(sql, "%spg_catalog.unnest($%zu::%s[]) AS c%zu", parameter > 1 ? ", " : "",
                parameter, relation->columns[column].type_text, parameter);
}

/* One array per column side by side: what is set, then the key. In a select list, because FROM
 * would take a composite value apart. */
static void from_arrays(Str *sql, const Conn *conn, const Relation *relation, const bool *mask)
{
    size_t parameter = 0;
    str_append(sql, " (SELECT ");
    for (size_t c = 0; mask != NULL && c < relation->column_count; c++) {
        if (mask[c])
            unnest(sql, relation, c, ++parameter);
    }
    for (size_t k = 0; k < relation->key->count; k++)
        unnest(sql, relation, relation->key->columns[k], ++parameter);
    str_append(sql, ") AS d WHERE ");
    for (size_t k = 0; k < relation->key->count; k++) {
        str_append(sql, k > 0 ? " AND t." : "t.");
        ddl_ident(sql, conn, relation->columns[relation->key->columns[k]].name);
        str_appendf(sql, " OPERATOR(%s) d.c%zu",
                    relation->columns[relation->key->columns[k]].equality,
                    parameter - relation->key->count + k + 1);
    }
}

static void update_set_sql(Str *sql, const Conn *conn, const Relation *relation, const bool *mask)
{
    str_append(sql, "UPDATE ");
    own_rows(sql, conn, relation);
    str_append(sql, " AS t SET ");
    size_t parameter = 0;
    for (size_t c = 0; c < relation->column_count; c++) {
        if (!mask[c])
            continue;
        str_append(sql, parameter > 0 ? ", " : "");
        ddl_ident(sql, conn, relation->columns[c].name);
        str_appendf(sql, " = d.c%zu", ++parameter);
    }
    str_append(sql, " FROM");
    from_arrays(sql, conn, relation, mask);
}

static void delete_set_sql(Str *sql, const Conn *conn, const Relation *relation)
{
    str_append(sql, "DELETE FROM ");
    own_rows(sql, conn, relation);
    str_append(sql, " AS t USING");
    from_arrays(sql, conn, relation, NULL);
}

static void build(Str *sql, const Conn *conn, const Relation *relation, StatementKind kind,
                  const bool *mask)
{
    switch (kind) {
    case STATEMENT_INSERT:
        insert_sql(sql, conn, relation);
        return;
    case STATEMENT_UPSERT:
        upsert_sql(sql, conn, relation);
        return;
    case STATEMENT_UPDATE:
        update_sql(sql, conn, relation, mask, false);
        return;
    case STATEMENT_UPDATE_WHOLE:
        update_sql(sql, conn, relation, mask, true);
        return;
    case STATEMENT_DELETE:
        delete_sql(sql, conn, relation, false);
        return;
    case STATEMENT_DELETE_WHOLE:
        delete_sql(sql, conn, relation, true);
        return;
    case STATEMENT_UPDATE_SET:
        update_set_sql(sql, conn, relation, mask);
        return;
    case STATEMENT_DELETE_SET:
        delete_set_sql(sql, conn, relation);
        return;
    case STATEMENT_MOVE:
        move_sql(sql, conn, relation, mask);
        return;
    }
}

static Statements *statements_of(RelState *rel)
{
    if (rel->statements == NULL) {
        rel->statements = mem_resize(NULL, sizeof(Statements));
        *rel->statements = (Statements){0};
    }
    return rel->statements;
}

Statement *statement_get(RelState *rel, const Conn *conn, StatementKind kind, const bool *mask)
{
    Statements *all = statements_of(rel);
    size_t columns = rel->relation->column_count;
    for (size_t i = 0; i < all->count; i++) {
        Statement *statement = &all->items[i];
        if (statement->kind == kind &&
            (mask == NULL || memcmp(statement->mask, mask, columns * sizeof(bool)) == 0))
            return statement;
    }
    AUTO_STR Str sql = {0};
    build(&sql, conn, rel->relation, kind, mask);
    const bool *kept = NULL;
    if (mask != NULL)
        kept = (const bool *)arena_memdup(&all->arena, mask, columns * sizeof(bool));
    Statement *statement = vec_push(&all->arena, all);
    *statement = (Statement){.kind = kind, .mask = kept, .sql = str_dup(&all->arena, &sql)};
    statement->name = arena_printf(&all->arena, "godwit_%zu_%zu", rel->relation->index, all->count);
    return statement;
}

const char *statement_copy(RelState *rel, const Conn *conn, bool binary)
{
    Statements *all = statements_of(rel);
    const char **kept = binary ? &all->copy_binary : &all->copy_text;
    if (*kept != NULL)
        return *kept;
    AUTO_STR Str sql = {0};
    str_append(&sql, "COPY ");
    ddl_qname(&sql, conn, &rel->relation->target);
    str_append(&sql, " (");
    column_list(&sql, conn, rel->relation);
    str_append(&sql, binary ? ") FROM STDIN (FORMAT binary)" : ") FROM STDIN");
    *kept = str_dup(&all->arena, &sql);
    return *kept;
}

void statements_forget(RelState *rel)
{
    if (rel->statements == NULL)
        return;
    arena_release(&rel->statements->arena);
    mem_free(rel->statements);
    rel->statements = NULL;
}
