/*
 * Turns the rows of the catalog's queries into its structs: one function for each query, which
 * must name the columns in the query's order. Part of catalog/ only.
 */
#ifndef GODWIT_CATALOG_READ_H
#define GODWIT_CATALOG_READ_H

#include "catalog/catalog.h"
#include "pg/query.h"

void read_server_row(Catalog *catalog, const Rows *rows);
void read_settings(Catalog *catalog, const Rows *rows);
void read_relations(Catalog *catalog, const Rows *rows);
void read_columns(Catalog *catalog, const Rows *rows);
void read_indexes(Catalog *catalog, const Rows *rows);
void read_constraints(Catalog *catalog, const Rows *rows);
void read_sequences(Catalog *catalog, const Rows *rows);
void read_triggers(Catalog *catalog, const Rows *rows);
void read_publications(Catalog *catalog, const Rows *rows);
void read_extensions(Catalog *catalog, const Rows *rows);
void read_available(Catalog *catalog, const Rows *rows);
void read_objects(Catalog *catalog, const Rows *rows);
void read_column_uses(Catalog *catalog, const Rows *rows);
void read_dependencies(Catalog *catalog, const Rows *rows);
void read_dimensions(Catalog *catalog, const Rows *rows);
void read_columnstores(Catalog *catalog, const Rows *rows);
void read_jobs(Catalog *catalog, const Rows *rows);
void read_aggregates(Catalog *catalog, const Rows *rows);
void read_hypertables(Catalog *catalog, const Rows *rows);

/** Tells relations that are chunks of which hypertable; needs the relations. */
void read_chunks(Catalog *catalog, const Rows *rows);

#endif
