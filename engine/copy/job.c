/*
 * Job: parts as one flat list, so that the executor can hand out any of them.
 */
#include "copy/job.h"

#include "pg/ddl.h"

typedef struct JobLeaf {
    const Leaf *leaf;
    PartPlan plan;
    atomic_size_t parts_left;
} JobLeaf;

typedef struct JobPart {
    PartSpec spec;
    JobLeaf *leaf;
    atomic_bool tried;
    atomic_bool counted; /* its end was taken into account */
} JobPart;

struct CopyJob {
    Arena arena;
    JobLeaf *leaves;
    size_t leaf_count;
    JobPart *parts;
    size_t part_count;
    atomic_size_t leaves_left;
};

void job_free(CopyJob *job)
{
    if (job == NULL)
        return;
    arena_release(&job->arena);
    mem_free(job);
}

static void job_free_scope(CopyJob **job)
{
    job_free(*job);
}

static int larger_first(const void *a, const void *b)
{
    const Leaf *left = ((const JobLeaf *)a)->leaf, *right = ((const JobLeaf *)b)->leaf;
    if (left->bytes != right->bytes)
        return left->bytes > right->bytes ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

static void choose_leaves(CopyJob *job, const Run *run, const Wave *wave, const Relation *relation,
                          int source_version)
{
    job->leaves = arena_array(&job->arena, JobLeaf, relation->leaf_count);
    for (size_t i = 0; i < relation->leaf_count; i++) {
        const Leaf *leaf = relation->leaves[i];
        const WaveLeaf *known = wave_leaf(wave, leaf);
        if (!known->included)
            continue;
        JobLeaf *chosen = &job->leaves[job->leaf_count++];
        chosen->leaf = leaf;
        chosen->plan = leaf->root->chunked ? parts_by_chunk(&job->arena, known->chunk_count)
                                           : parts_plan(&job->arena, leaf, known->pages,
                                                        source_version, &run->plan->copy);
        job->part_count += chosen->plan.count;
    }
    if (job->leaf_count > 1)
        qsort(job->leaves, job->leaf_count, sizeof(JobLeaf), larger_first);
}

/* The least and the greatest key value under the snapshot. */
static bool key_bounds(const JobLeaf *leaf, Wave *wave, int64_t *low, int64_t *high, Err *err)
{
    Conn *source = wave_borrow(wave);
    AUTO_STR Str sql = {0};
    AUTO_STR Str column = {0};
    AUTO_ROWS Rows *rows = NULL;
    ddl_ident(&column, source, leaf->plan.column);
    str_appendf(&sql, "SELECT pg_catalog.min(%s), pg_catalog.max(%s) FROM ONLY ", column.data,
                column.data);
    ddl_qname(&sql, source, &leaf->leaf->source);
    bool ok = pg_one(source, sql.data, NO_PARAMS, &rows, err);
    wave_return(wave);
    if (!ok)
        return false;
    *low = rows_int64(rows, 0, 0);
    *high = rows_int64(rows, 0, 1);
    return true;
}

static bool add_parts(CopyJob *job, JobLeaf *leaf, Run *run, Wave *wave, Err *err)
{
    int64_t low = 0, high = wave_leaf(wave, leaf->leaf)->pages;
    if (leaf->plan.by == PART_BY_KEY && !key_bounds(leaf, wave, &low, &high, err))
        return false;
    atomic_init(&leaf->parts_left, leaf->plan.count);
    for (size_t i = 0; i < leaf->plan.count; i++) {
        JobPart *part = &job->parts[job->part_count++];
        part->leaf = leaf;
        part->spec = (PartSpec){
            .run = run,
            .wave = wave,
            .leaf = leaf->leaf,
            .number = (int)i,
            .range = parts_range(&leaf->plan, i, low, high),
            .only = leaf->plan.count == 1,
        };
        if (leaf->plan.by == PART_BY_CHUNK && wave_leaf(wave, leaf->leaf)->chunk_count > 0)
            part->spec.range.chunk = &wave_leaf(wave, leaf->leaf)->chunks[i].name;
    }
    return true;
}

/* Parts of one leaf are written by several transactions, none of which may empty it. */
static bool empty_divided(const CopyJob *job, Run *run, Wave *wave, const PartTarget *target,
                          Err *err)
{
    for (size_t i = 0; i < job->leaf_count; i++) {
        const JobLeaf *leaf = &job->leaves[i];
        bool merged = leaf->leaf->root->pool != NULL; /* the wave did, when it began */
        if (leaf->plan.count == 1 || !wave_leaf(wave, leaf->leaf)->dirty || merged)
            continue;
        AUTO_STR Str sql = {0};
        Conn *conn = NULL;
        PartSpec spec = {.run = run, .wave = wave, .leaf = leaf->leaf};
        if (!part_session(&spec, target, &conn, err))
            return false;
        part_empty_sql(&sql, conn, leaf->leaf, wave_leaf(wave, leaf->leaf)->referenced);
        if (!pg_none(conn, sql.data, NO_PARAMS, err))
            return false;
    }
    return true;
}

bool job_plan(CopyJob **out, Run *run, Wave *wave, const Relation *relation, Conn *source,
              const PartTarget *target, Err *err)
{
    __attribute__((cleanup(job_free_scope))) CopyJob *job = mem_resize(NULL, sizeof(CopyJob));
    *job = (CopyJob){0};
    choose_leaves(job, run, wave, relation, conn_version(source));
    job->parts = arena_array(&job->arena, JobPart, job->part_count);
    job->part_count = 0;
    atomic_init(&job->leaves_left, job->leaf_count);
    for (size_t i = 0; i < job->leaf_count; i++) {
        if (!add_parts(job, &job->leaves[i], run, wave, err))
            return false;
    }
    if (!empty_divided(job, run, wave, target, err))
        return false;
    atomic_fetch_add(&run->counters.parts_total, (long long)job->part_count);
    job_free(*out);
    *out = job;
    job = NULL;
    return true;
}

size_t job_part_count(const CopyJob *job)
{
    return job->part_count;
}

/* A part is committed: take it into account once. Of a divided leaf the last part moves the state;
 * a single part did so in its own transaction. */
static bool part_ended(CopyJob *job, JobPart *part, Conn *target, Err *err)
{
    if (atomic_load(&part->counted))
        return true;
    size_t left = atomic_load(&part->leaf->parts_left);
    Run *run = part->spec.run;
    if (!part->spec.only) {
        left = atomic_fetch_sub(&part->leaf->parts_left, 1) - 1;
        if (left == 0 &&
            !journal_leaf_copied(target, run->journal.id, &part->spec.leaf->source,
                                 wave_number(part->spec.wave), part->leaf->plan.count, err)) {
            atomic_fetch_add(&part->leaf->parts_left, 1); /* tried again with this part */
            return false;
        }
    } else
        left = 0;
    atomic_store(&part->counted, true);
    atomic_fetch_add(&run->counters.parts_done, 1);
    if (left == 0)
        atomic_fetch_sub(&job->leaves_left, 1);
    return true;
}

bool job_part(CopyJob *job, size_t index, Arena *arena, Conn *source, const PartTarget *target,
              Err *err)
{
    JobPart *part = &job->parts[index];
    bool done = false;
    if (atomic_exchange(&part->tried, true) && !part_is_done(&part->spec, target->conn, &done, err))
        return false;
    if (!done && !part_copy(&part->spec, arena, source, target, err))
        return false;
    return part_ended(job, part, target->conn, err);
}

bool job_is_done(CopyJob *job)
{
    return job != NULL && atomic_load(&job->leaves_left) == 0;
}
