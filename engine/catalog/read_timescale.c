/*
 * Rows of the queries about TimescaleDB into the catalog's structs: hypertables, their chunks,
 * dimensions, columnstores, jobs, continuous aggregates.
 */
#include "catalog/read.h"

static const char *text(Catalog *catalog, const Rows *rows, size_t row, size_t column)
{
    return arena_strdup(&catalog->arena, rows_text(rows, row, column));
}

static Name name(Catalog *catalog, const Rows *rows, size_t row, size_t column)
{
    return (Name){text(catalog, rows, row, column), text(catalog, rows, row, column + 1)};
}

void read_hypertables(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->hypertables = arena_array(&catalog->arena, CatHypertable, count);
    catalog->hypertables_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->hypertables[r] = (CatHypertable){
            .name = name(catalog, rows, r, 0),
            .column_name = text(catalog, rows, r, 2),
            .interval = text(catalog, rows, r, 3),
            .dimension_count = (int)rows_int64(rows, r, 4),
            .chunk_count = rows_int64(rows, r, 5),
            .chunk_schema = text(catalog, rows, r, 6),
            .chunk_prefix = text(catalog, rows, r, 7),
            .is_distributed = rows_bool(rows, r, 9),
        };
    for (size_t r = 0; r < count; r++)
        catalog->hypertables[r].tablespace_count =
            rows_list(&catalog->arena, rows, r, 8, &catalog->hypertables[r].tablespaces);
}

void read_chunks(Catalog *catalog, const Rows *rows)
{
    size_t at = 0;
    for (size_t r = 0; r < rows_count(rows); r++) {
        uint32_t oid = rows_oid(rows, r, 0);
        while (at < catalog->relations_count && catalog->relations[at].oid < oid)
            at++;
        if (at == catalog->relations_count || catalog->relations[at].oid != oid)
            continue;
        catalog->relations[at].is_chunk = true;
        catalog->relations[at].hypertable = rows_oid(rows, r, 1);
        catalog->relations[at].is_compressed = rows_bool(rows, r, 2);
    }
}

void read_dimensions(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->dimensions = arena_array(&catalog->arena, CatDimension, count);
    catalog->dimensions_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->dimensions[r] = (CatDimension){
            .table = name(catalog, rows, r, 0),
            .column_name = text(catalog, rows, r, 2),
            .interval = text(catalog, rows, r, 3),
            .interval_is_integer = rows_bool(rows, r, 4),
            .number_partitions =
                rows_text(rows, r, 5) == NULL ? 0 : (uint32_t)rows_int64(rows, r, 5),
            .partition_func = name(catalog, rows, r, 6),
            .integer_now_func = name(catalog, rows, r, 8),
        };
}

void read_columnstores(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    Arena *arena = &catalog->arena;
    catalog->columnstores = arena_array(arena, CatColumnstore, count);
    catalog->columnstores_count = count;
    for (size_t r = 0; r < count; r++) {
        CatColumnstore *one = &catalog->columnstores[r];
        one->table = name(catalog, rows, r, 0);
        one->segmentby_count = rows_list(arena, rows, r, 2, &one->segmentby);
        one->orderby_count = rows_list(arena, rows, r, 3, &one->orderby);
        one->chunk_interval = text(catalog, rows, r, 4);
    }
}

void read_jobs(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->jobs = arena_array(&catalog->arena, CatJob, count);
    catalog->jobs_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->jobs[r] = (CatJob){
            .id = rows_int64(rows, r, 0),
            .table = name(catalog, rows, r, 1),
            .procedure = name(catalog, rows, r, 3),
            .schedule_interval = text(catalog, rows, r, 5),
            .initial_start = text(catalog, rows, r, 6),
            .timezone = text(catalog, rows, r, 7),
            .max_runtime = text(catalog, rows, r, 8),
            .max_retries = rows_int64(rows, r, 9),
            .retry_period = text(catalog, rows, r, 10),
            .scheduled = rows_bool(rows, r, 11),
            .config = text(catalog, rows, r, 12),
            .age = text(catalog, rows, r, 13),
            .age_is_integer = rows_bool(rows, r, 14),
            .created_before = text(catalog, rows, r, 15),
            .index_name = text(catalog, rows, r, 16),
            .further = text(catalog, rows, r, 17),
            .more = text(catalog, rows, r, 18),
            .owner = text(catalog, rows, r, 19),
            .is_fixed = rows_bool(rows, r, 20),
            .check = name(catalog, rows, r, 21),
            .start_offset = text(catalog, rows, r, 23),
            .start_is_integer = rows_bool(rows, r, 24),
            .end_offset = text(catalog, rows, r, 25),
            .end_is_integer = rows_bool(rows, r, 26),
            .may_alter = rows_bool(rows, r, 27),
        };
}

void read_aggregates(Catalog *catalog, const Rows *rows)
{
    size_t count = rows_count(rows);
    catalog->aggregates = arena_array(&catalog->arena, CatAggregate, count);
    catalog->aggregates_count = count;
    for (size_t r = 0; r < count; r++)
        catalog->aggregates[r] = (CatAggregate){
            .view = name(catalog, rows, r, 0),
            .materialization = name(catalog, rows, r, 2),
            .query = text(catalog, rows, r, 4),
            .materialized_only = rows_bool(rows, r, 5),
            .is_finalized = rows_bool(rows, r, 6),
            .reads = name(catalog, rows, r, 7),
        };
}
