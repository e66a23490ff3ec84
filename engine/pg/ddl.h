/*
 * DDL builder: the only way a name or literal gets into SQL text. Quotes on the live connection.
 *
 *     AUTO_STR Str sql = {0};
 *     str_append(&sql, "ALTER TABLE ");
 *     ddl_qname(&sql, conn, &relation->target);
 */
#ifndef GODWIT_PG_DDL_H
#define GODWIT_PG_DDL_H

#include "base/name.h"
#include "base/str.h"
#include "pg/conn.h"

/** Appends a quoted identifier. */
void ddl_ident(Str *sql, const Conn *conn, const char *ident);

/** Appends schema.relation, both quoted. */
void ddl_qname(Str *sql, const Conn *conn, const Name *name);

/** Appends a quoted literal (E'' form where needed). */
void ddl_literal(Str *sql, const Conn *conn, const char *text);

/** Appends a comma-separated list of quoted identifiers. */
void ddl_ident_list(Str *sql, const Conn *conn, const char *const *idents, size_t count);

/** Appends a definition that the server wrote, with another relation in it: the qualified name that
 * follows the first `word` (" ON ", " REFERENCES ") outside of quotes becomes `name`.
 * \note Source: pg_get_indexdef() and pg_get_constraintdef() qualify that name and quote it where
 * it needs it (ruleutils.c, generate_qualified_relation_name(); with our search_path always). */
void ddl_renamed(Str *sql, const Conn *conn, const char *definition, const char *word,
                 const Name *name);

#endif
