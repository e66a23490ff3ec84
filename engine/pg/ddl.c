/*
 * DDL builder: libpq's quoting, on the live connection's encoding and settings.
 */
#include "pg/ddl.h"

#include "pg/conn_internal.h"

static void append_quoted(Str *sql, const Conn *conn, char *quoted, const char *text)
{
    if (quoted == NULL)
        BUG("\"%s\" cannot be quoted: %s", text, PQerrorMessage(conn->pg));
    str_append(sql, quoted);
    PQfreemem(quoted);
}

void ddl_ident(Str *sql, const Conn *conn, const char *ident)
{
    append_quoted(sql, conn, PQescapeIdentifier(conn->pg, ident, strlen(ident)), ident);
}

void ddl_qname(Str *sql, const Conn *conn, const Name *name)
{
    ddl_ident(sql, conn, name->schema);
    str_append_char(sql, '.');
    ddl_ident(sql, conn, name->rel);
}

void ddl_literal(Str *sql, const Conn *conn, const char *text)
{
    char *quoted = PQescapeLiteral(conn->pg, text, strlen(text));
    append_quoted(sql, conn, quoted, text);
}

void ddl_ident_list(Str *sql, const Conn *conn, const char *const *idents, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            str_append(sql, ", ");
        ddl_ident(sql, conn, idents[i]);
    }
}

/* Behind an identifier, quoted or not. */
static const char *skip_ident(const char *at)
{
    if (*at != '"')
        return at + strcspn(at, ". (\"");
    for (at++; *at != '\0' && (*at != '"' || at[1] == '"'); at++)
        at += *at == '"';
    return *at == '"' ? at + 1 : at;
}

void ddl_renamed(Str *sql, const Conn *conn, const char *definition, const char *word,
                 const Name *name)
{
    bool quoted = false;
    for (const char *at = definition; *at != '\0'; at++) {
        quoted = quoted != (*at == '"');
        if (quoted || !text_starts_with(at, word))
            continue;
        at += strlen(word);
        str_append_bytes(sql, definition, (size_t)(at - definition));
        ddl_qname(sql, conn, name);
        at = skip_ident(at);
        str_append(sql, *at == '.' ? skip_ident(at + 1) : at);
        return;
    }
    BUG("a definition without \"%s\": %s", word, definition);
}
