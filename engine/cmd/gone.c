/*
 * Gone: where the rows of a partition are was written down while the source still could tell.
 *
 * What fails where: the journal forgets a partition only when the target has none of its rows. What
 * must be copied anew for that is noted before; killed in between, the next engine finds the
 * partition gone once more. Rows that come back by changes from before it went are left out by its
 * oid (gone_oids()), which stays in the journal as long as the run.
 */
#include "cmd/gone.h"

#include "pg/ddl.h"
#include "pg/query.h"
#include "sql_text.h"

/* --- remembering --- */

/* By hash they name the table by a number of the source's own. */
static const char *bounds_of(const Blueprint *blueprint, const Leaf *leaf)
{
    const CatRelation *from = catalog_relation(blueprint->source, leaf->oid);
    bool told = from != NULL && from->bounds != NULL &&
                strstr(from->bounds, "satisfies_hash_partition(") == NULL;
    return told ? from->bounds : NULL;
}

static JournalPartition partition_of(const Blueprint *blueprint, const Leaf *leaf)
{
    bool gathered = relation_is_gathered(leaf->root);
    return (JournalPartition){.oid = leaf->oid,
                              .root = leaf->root->oid,
                              .source = leaf->source,
                              .target = gathered ? leaf->root->target : leaf->target_share,
                              .bounds = bounds_of(blueprint, leaf),
                              .shared = gathered || !leaf->one_to_one};
}

bool gone_remember(const Blueprint *blueprint, Conn *target, int64_t run, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    size_t count = 0;
    JournalPartition *list = arena_array(&arena, JournalPartition, blueprint->leaf_count + 1);
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        if (blueprint->leaves[i].root->partitioned)
            list[count++] = partition_of(blueprint, &blueprint->leaves[i]);
    }
    return journal_partitions_know(target, run, list, count, err);
}

/* One that is selected as a table of its own now is copied as such: what came before is older. */
bool gone_oids(Arena *arena, const Blueprint *blueprint, Conn *target, int64_t run, uint32_t **oids,
               size_t *count, Err *err)
{
    JournalPartition *known = NULL;
    size_t all = 0;
    if (!journal_partitions(arena, target, run, &known, &all, err))
        return false;
    *oids = arena_array(arena, uint32_t, all + 1);
    *count = 0;
    for (size_t i = 0; i < all; i++) {
        if (known[i].gone && blueprint_leaf(blueprint, known[i].oid) == NULL)
            (*oids)[(*count)++] = known[i].oid;
    }
    return true;
}

/* --- settling --- */

static bool went(const JournalPartition *one, Err *err)
{
    return err_set(err, ERR_STALE, "partition %s was detached or dropped on the source",
                   name_text(&err->arena, &one->source));
}

/* It has a table of its own on the target. */
static bool own_table_left(const GoneCtx *ctx, const JournalPartition *one, Err *err)
{
    const CatRelation *found = catalog_relation_named(ctx->blueprint->target, &one->target);
    if (found == NULL || !found->is_partition)
        return true;
    went(one, err);
    err_detail(err, "The stream does not tell of that: its rows are still on the target, in %s.",
               name_text(&err->arena, &one->target));
    return err_hint(err, "Detach or drop it on the target, too, then \"godwit apply\" goes on; or "
                         "attach it again on the source.");
}

static bool has_rows(const GoneCtx *ctx, const JournalPartition *one, bool *has, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str sql = {0};
    str_append(&sql, "SELECT EXISTS (SELECT FROM ");
    ddl_qname(&sql, ctx->target, &one->target);
    if (one->bounds != NULL)
        str_appendf(&sql, " WHERE %s", one->bounds);
    str_append(&sql, ")");
    if (!pg_one(ctx->target, sql.data, NO_PARAMS, &rows, err))
        return err_context(err, "could not look for rows of %s",
                           name_text(&err->arena, &one->source));
    *has = rows_bool(rows, 0, 0);
    return true;
}

/* Its rows are those within its bounds, and no others. */
static bool share_left(const GoneCtx *ctx, const JournalPartition *one, Err *err)
{
    bool has = false;
    if (!has_rows(ctx, one, &has, err))
        return false;
    if (!has)
        return true;
    went(one, err);
    err_detail(err, "The stream does not tell of that: its rows are still on the target, in %s.",
               name_text(&err->arena, &one->target));
    return err_hint(err,
                    "Delete them there, then \"godwit apply\" goes on: DELETE FROM %s WHERE %s; "
                    "or attach it again on the source.",
                    name_text(&err->arena, &one->target), one->bounds);
}

/* The relation that shares the partition's table; NULL when it has none left. */
static const Relation *sharer(const Blueprint *blueprint, const JournalPartition *one)
{
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (name_equal(&relation->target, &one->target) && relation->leaf_count > 0)
            return relation;
    }
    return NULL;
}

static bool is_anew(const GoneCtx *ctx, const Relation *relation)
{
    for (size_t i = 0; i < ctx->anew->count; i++) {
        if (name_equal(&ctx->anew->items[i], &relation->leaves[0]->source))
            return true;
    }
    return false;
}

static const JournalPartition *find(const JournalPartition *known, size_t count, uint32_t oid)
{
    for (size_t i = 0; i < count; i++) {
        if (known[i].oid == oid)
            return &known[i];
    }
    return NULL;
}

static bool copy_anew(const GoneCtx *ctx, const Relation *relation, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    NameVec leaves = {0};
    for (size_t i = 0; i < relation->leaf_count; i++)
        *vec_push(&arena, &leaves) = relation->leaves[i]->source;
    return journal_leaves_again(ctx->target, ctx->run, leaves.items, leaves.count, err);
}

/* Nobody can tell its rows from the others: the table is copied anew without them, on request. */
static bool mixed_left(const GoneCtx *ctx, const JournalPartition *one, Err *err)
{
    bool has = false;
    const Relation *relation = sharer(ctx->blueprint, one);
    if (!has_rows(ctx, one, &has, err))
        return false;
    if (!has)
        return true;
    if (relation != NULL && is_anew(ctx, relation))
        return copy_anew(ctx, relation, err);
    went(one, err);
    err_detail(err,
               "The stream does not tell of that: its rows are still on the target, in %s, and "
               "nothing tells them from those of other partitions.",
               name_text(&err->arena, &one->target));
    if (relation == NULL)
        return err_hint(err,
                        "It was the last: TRUNCATE %s there, then \"godwit apply\" goes on; or "
                        "attach it again on the source.",
                        name_text(&err->arena, &one->target));
    return err_hint(err,
                    "Copy the table anew without them: \"godwit resync PLAN %s\"; or attach it "
                    "again on the source.",
                    name_text(&err->arena, &relation->source));
}

/* Whether a partition that is another table now takes the same rows; then they are emptied before
 * it is copied. */
static bool takes_the_same(const Blueprint *blueprint, const JournalPartition *one)
{
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (name_equal(&leaf->source, &one->source))
            return !one->shared || one->bounds == NULL || text_equal(leaf->bounds, one->bounds);
    }
    return false;
}

static bool is_settled(const GoneCtx *ctx, const StructurePartition *what,
                       const JournalPartition *known, Err *err)
{
    JournalPartition plain = {.oid = what->oid,
                              .source = what->name,
                              .target =
                                  blueprint_target_name(ctx->blueprint, what->oid, &what->name)};
    const JournalPartition *one = known != NULL ? known : &plain;
    if (!what->is_gone && takes_the_same(ctx->blueprint, one))
        return true;
    if (!one->shared)
        return own_table_left(ctx, one, err);
    return one->bounds != NULL ? share_left(ctx, one, err) : mixed_left(ctx, one, err);
}

bool gone_settled(const GoneCtx *ctx, const StructurePartitions *partitions, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    JournalPartition *known = NULL;
    size_t count = 0;
    uint32_t *oids = arena_array(&arena, uint32_t, partitions->count + 1);
    if (!journal_partitions(&arena, ctx->target, ctx->run, &known, &count, err))
        return false;
    for (size_t i = 0; i < partitions->count; i++) {
        const StructurePartition *what = &partitions->items[i];
        const JournalPartition *one = find(known, count, what->oid);
        if (!is_settled(ctx, what, one, err))
            return false;
        oids[i] = what->oid;
    }
    return journal_partitions_gone(ctx->target, ctx->run, oids, partitions->count, err);
}

/* --- bounds --- */

/* The rows of its own table, which would keep the partition that takes some of them now from being
 * attached. It is marked for its new copy in the same transaction. */
static bool empty(const Leaf *leaf, Conn *quiet, bool is_quiet, Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_ROWS Rows *rows = NULL;
    const Name *share = &leaf->target_share;
    if (!leaf->one_to_one || leaf->root->hypertable != NULL)
        return true;
    if (!pg_one(quiet, SQL_GONE_TABLE_IS_THERE, PARAMS(share->schema, share->rel), &rows, err))
        return false;
    if (!rows_bool(rows, 0, 0))
        return true;
    /* Keys of others would act on a DELETE that is not quiet; they refuse a TRUNCATE. */
    str_append(&sql, is_quiet ? "DELETE FROM ONLY " : "TRUNCATE ONLY ");
    ddl_qname(&sql, quiet, share);
    return pg_none(quiet, sql.data, NO_PARAMS, err);
}

typedef VEC(const Leaf *) LeafVec;

static bool mark_and_empty(const Run *run, const LeafVec *leaves, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_CONN Conn *own = NULL;
    NameVec names = {0};
    ConnOptions options = {.purpose = "copy anew",
                           .replica_sql = run->blueprint->target->server.replica_sql,
                           .stop = run->stop};
    if (options.replica_sql != NULL && !conn_open(&own, &run->target, &options, err))
        return false;
    Conn *conn = own != NULL ? own : target;
    for (size_t i = 0; i < leaves->count; i++)
        *vec_push(&arena, &names) = leaves->items[i]->source;
    log_info(&run->log, "took or gave up rows of partitions that went or came, copied anew: %s",
             structure_names(&arena, &names));
    bool ok = pg_begin(conn, "READ WRITE", err) &&
              journal_leaves_again(conn, run->journal.id, names.items, names.count, err);
    for (size_t i = 0; ok && i < leaves->count; i++)
        ok = empty(leaves->items[i], conn, own != NULL, err);
    ok = ok && pg_commit(conn, err);
    if (!ok)
        pg_rollback(conn);
    return ok;
}

bool gone_rebound(const Run *run, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const Blueprint *blueprint = run->blueprint;
    JournalPartition *known = NULL;
    size_t count = 0;
    LeafVec leaves = {0};
    if (!journal_partitions(&arena, target, run->journal.id, &known, &count, err))
        return false;
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        const JournalPartition *then = find(known, count, leaf->oid);
        const char *bounds = bounds_of(blueprint, leaf);
        if (then != NULL && then->bounds != NULL && bounds != NULL &&
            relation_is_copied(blueprint, leaf->root) && !text_equal(then->bounds, bounds))
            *vec_push(&arena, &leaves) = leaf;
    }
    return leaves.count == 0 || mark_and_empty(run, &leaves, target, err);
}
