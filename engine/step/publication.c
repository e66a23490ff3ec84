/*
 * Step publication: the publications of the blueprint, which together publish exactly the selected
 * tables. A partitioned root stands for its leaves, which are published under their own names;
 * before 13 the leaves are listed. One that is adopted is taken as it is and never dropped.
 */
#include "copy/blockers.h"
#include "copy/leaves.h"
#include "pg/ddl.h"
#include "pg/query.h"
#include "sql_text.h"
#include "step/common.h"
#include "step/publication.h"

#include <inttypes.h>

extern const StepKind STEP_PUBLICATION;

#define ROOT_PUBLISHED_VERSION      130000
#define TRUNCATE_PUBLISHED_VERSION  110000
#define PARTS_PUBLISHED_VERSION     150000
#define SCHEMA_PUBLISHED_VERSION    150000
#define GENERATED_PUBLISHED_VERSION 180000
/* Writers of the tables wait behind the lock: not for longer than this. */
#define GROW_LOCK_TIMEOUT_MS 900

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    for (size_t i = 0; i < blueprint->publication_count; i++) {
        const PublicationDef *def = &blueprint->publications[i];
        Step *step = step_add(builder, &STEP_PUBLICATION, def->name, def, 0);
        step_needs_kind(builder, step, "control_schema");
        step_needs_kind(builder, step, "replica_identity");
        step_needs_kind(builder, step, "source_jobs");
        step_at(step, def->pos.line > 0 ? def->pos : blueprint->plan->replication.pos);
    }
    return true;
}

static const PublicationDef *def_of(const StepCtx *ctx)
{
    return ctx->step->object;
}

static const char *name_of(const StepCtx *ctx)
{
    const PublicationDef *def = def_of(ctx);
    return def->name != NULL ? def->name : ctx->run->publication_name;
}

static uint32_t published(const StepCtx *ctx)
{
    uint32_t bits = ctx->run->plan->replication.publish;
    if (conn_version(ctx->source) < TRUNCATE_PUBLISHED_VERSION)
        bits &= ~(uint32_t)PLAN_PUBLISH_TRUNCATE;
    return bits;
}

static void publish_append(Str *sql, uint32_t bits)
{
    static const char *const WORDS[] = {"insert", "update", "delete", "truncate"};
    const char *between = "";
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        if ((bits & (1U << i)) == 0)
            continue;
        str_appendf(sql, "%s%s", between, WORDS[i]);
        between = ", ";
    }
}

typedef struct Member {
    uint32_t oid;
    const Name *name;
    const Relation *relation; /* whose rows and columns these are */
} Member;
typedef VEC(Member) MemberVec;

static int by_oid(const void *a, const void *b)
{
    uint32_t left = ((const Member *)a)->oid, right = ((const Member *)b)->oid;
    return left < right ? -1 : left > right;
}

/* What the publication lists, in blueprint order. */
static MemberVec planned(const StepCtx *ctx)
{
    const PublicationDef *def = def_of(ctx);
    bool roots = conn_version(ctx->source) >= ROOT_PUBLISHED_VERSION;
    MemberVec list = {0};
    for (size_t i = 0; i < def->relation_count; i++) {
        const Relation *relation = def->relations[i];
        if (relation->partitioned && roots && !relation_is_published_by_leaf(relation)) {
            *vec_push(ctx->arena, &list) = (Member){relation->oid, &relation->source, relation};
            continue;
        }
        for (size_t n = 0; n < relation->leaf_count; n++) {
            const Leaf *leaf = relation->leaves[n];
            if (!leaf->unlogged) /* PostgreSQL publishes none */
                *vec_push(ctx->arena, &list) = (Member){leaf->oid, &leaf->source, relation};
        }
    }
    return list;
}

/* Before 15 there are no column lists: what is left out is dropped on receipt. */
static bool lists_columns(const StepCtx *ctx, const Relation *relation)
{
    return relation->list != NULL && conn_version(ctx->source) >= PARTS_PUBLISHED_VERSION;
}

static void member_sql(Str *sql, const StepCtx *ctx, const Member *member)
{
    const Relation *relation = member->relation;
    ddl_qname(sql, ctx->source, member->name);
    for (size_t i = 0; lists_columns(ctx, relation) && i < relation->column_count; i++) {
        str_append(sql, i == 0 ? " (" : ", ");
        ddl_ident(sql, ctx->source, relation->columns[i].name);
        str_append(sql, i + 1 == relation->column_count ? ")" : "");
    }
    if (relation->filter != NULL)
        str_appendf(sql, " WHERE %s", relation->filter);
}

/* The schema that is published as a whole; NULL: none. */
static const char *chunk_schema(const StepCtx *ctx)
{
    bool whole = ctx->run->blueprint->chunk_way == CHUNKS_BY_SCHEMA && !def_of(ctx)->adopted;
    return whole ? CHUNK_SCHEMA : NULL;
}

/* Chunks are listed one by one: those that are there now by this step, others by the watcher. */
static bool lists_chunks(const StepCtx *ctx)
{
    return ctx->run->blueprint->chunk_way == CHUNKS_BY_WATCH && !def_of(ctx)->adopted;
}

/* A server that can publish stored generated columns refuses UPDATE and DELETE of a table whose
 * whole row is the identity unless it does. They are dropped on receipt. */
static bool publishes_generated(const StepCtx *ctx)
{
    const PublicationDef *def = def_of(ctx);
    if (conn_version(ctx->source) < GENERATED_PUBLISHED_VERSION)
        return false;
    for (size_t i = 0; i < def->relation_count; i++) {
        const Relation *relation = def->relations[i];
        for (size_t n = 0; relation->generated_count > 0 && n < relation->leaf_count; n++) {
            if (relation->leaves[n]->replica_identity == 'f')
                return true;
        }
    }
    return false;
}

static void create_sql(Str *sql, const StepCtx *ctx)
{
    MemberVec list = planned(ctx);
    str_append(sql, "CREATE PUBLICATION ");
    ddl_ident(sql, ctx->source, name_of(ctx));
    for (size_t i = 0; i < list.count; i++) {
        str_append(sql, i == 0 ? "\n    FOR TABLE ONLY " : ",\n              ONLY ");
        member_sql(sql, ctx, &list.items[i]);
    }
    if (chunk_schema(ctx) != NULL) {
        str_append(sql, list.count == 0 ? "\n    FOR TABLES IN SCHEMA "
                                        : ",\n        TABLES IN SCHEMA ");
        ddl_ident(sql, ctx->source, chunk_schema(ctx));
    }
    str_append(sql, "\n    WITH (publish = '");
    publish_append(sql, published(ctx));
    str_append(sql, conn_version(ctx->source) >= ROOT_PUBLISHED_VERSION
                        ? "', publish_via_partition_root = false"
                        : "'");
    str_append(sql, publishes_generated(ctx) ? ", publish_generated_columns = stored)" : ")");
}

static void comment_sql(Str *sql, const StepCtx *ctx)
{
    str_append(sql, "COMMENT ON PUBLICATION ");
    ddl_ident(sql, ctx->source, name_of(ctx));
    str_append(sql, " IS ");
    ddl_literal(sql, ctx->source, ctx->run->mark);
}

static void add_sql(Str *sql, const StepCtx *ctx, const MemberVec *list)
{
    str_append(sql, "ALTER PUBLICATION ");
    ddl_ident(sql, ctx->source, name_of(ctx));
    for (size_t i = 0; i < list->count; i++) {
        str_append(sql, i == 0 ? "\n    ADD TABLE ONLY " : ",\n              ONLY ");
        member_sql(sql, ctx, &list->items[i]);
    }
}

/* As the blueprint's catalog knows them. */
static void describe_chunks(StepCtx *ctx, Description *description)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    MemberVec chunks = {0};
    for (size_t i = 0; lists_chunks(ctx) && i < blueprint->source->relations_count; i++) {
        const CatRelation *chunk = &blueprint->source->relations[i];
        const Leaf *leaf = blueprint_chunked(blueprint, chunk->hypertable);
        if (leaf != NULL)
            *vec_push(ctx->arena, &chunks) = (Member){chunk->oid, &chunk->name, leaf->root};
    }
    if (chunks.count == 0)
        return;
    AUTO_STR Str sql = {0};
    add_sql(&sql, ctx, &chunks);
    description_add(ctx->arena, description, CONN_SOURCE, sql.data);
}

static const char *chunks_text(const StepCtx *ctx)
{
    if (chunk_schema(ctx) != NULL)
        return ", with the whole schema that chunks are made in: so new chunks are published from "
               "their first row, which a list of tables would miss";
    if (!lists_chunks(ctx))
        return "";
    return arena_printf(ctx->arena,
                        ", with the chunks of hypertables as they are then; the stream adds those "
                        "that are made later, and copies what was in them before (%s)",
                        ctx->run->blueprint->chunk_why);
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    (void)err;
    AUTO_STR Str create = {0};
    AUTO_STR Str comment = {0};
    size_t count = def_of(ctx)->relation_count;
    if (def_of(ctx)->adopted) {
        description->sentence =
            arena_printf(ctx->arena, "take publication %s as it is, with %zu selected table%s",
                         name_of(ctx), count, count == 1 ? "" : "s");
        return true;
    }
    description->sentence = arena_printf(ctx->arena, "publish %zu selected table%s as %s%s", count,
                                         count == 1 ? "" : "s", name_of(ctx), chunks_text(ctx));
    create_sql(&create, ctx);
    comment_sql(&comment, ctx);
    description_add(ctx->arena, description, CONN_SOURCE, create.data);
    describe_chunks(ctx, description);
    description_add(ctx->arena, description, CONN_SOURCE, comment.data);
    return true;
}

/* A member as copy_publication.sql shows it. */
static const char *member_text(const StepCtx *ctx, const Member *member)
{
    const Relation *relation = member->relation;
    AUTO_STR Str text = {0};
    str_appendf(&text, "%" PRIu32 "%s", member->oid, relation->filter != NULL ? ":f:" : "::");
    size_t count = 0;
    const CatColumn *columns = catalog_columns(ctx->run->blueprint->source, member->oid, &count);
    const char *between = "";
    for (size_t i = 0; lists_columns(ctx, relation) && i < count; i++) {
        for (size_t c = 0; c < relation->column_count; c++) {
            if (strcmp(relation->columns[c].name, columns[i].name) != 0)
                continue;
            str_appendf(&text, "%s%d", between, columns[i].attnum);
            between = ".";
        }
    }
    return str_dup(ctx->arena, &text);
}

/* A table that is paused stays published: it is taken in again without a gap. */
static bool is_left_out(const Blueprint *blueprint, uint32_t oid)
{
    for (size_t i = 0; i < blueprint->left_out_count; i++) {
        if (blueprint->left_out[i] == oid)
            return true;
    }
    return false;
}

/* The chunks that hypertables among these tables have now. */
static bool find_chunks(const StepCtx *ctx, Conn *conn, const MemberVec *of, MemberVec *chunks,
                        Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str oids = {0};
    for (size_t i = 0; lists_chunks(ctx) && i < of->count; i++)
        if (of->items[i].relation->chunked)
            str_appendf(&oids, "%c%" PRIu32, oids.length == 0 ? '{' : ',', of->items[i].oid);
    if (oids.length == 0)
        return true;
    str_append(&oids, "}");
    if (!pg_rows(conn, SQL_COPY_CHUNKS, PARAMS(oids.data, "{}"), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        Name *name = arena_new(ctx->arena, Name);
        *name = (Name){arena_strdup(ctx->arena, rows_text(rows, r, 2)),
                       arena_strdup(ctx->arena, rows_text(rows, r, 3))};
        *vec_push(ctx->arena, chunks) =
            (Member){rows_oid(rows, r, 1), name,
                     blueprint_chunked(ctx->run->blueprint, rows_oid(rows, r, 0))->root};
    }
    return true;
}

/* One that is there was added by this step or the watcher; which of them are in is looked at by the
 * wave and the watcher, chunk by chunk. \param chunks those that are there now */
static bool is_chunk(const StepCtx *ctx, const MemberVec *chunks, uint32_t oid)
{
    const Member key = {.oid = oid};
    const CatRelation *relation = catalog_relation(ctx->run->blueprint->source, oid);
    return lists_chunks(ctx) && ((relation != NULL && relation->is_chunk) ||
                                 (chunks->count > 0 && bsearch(&key, chunks->items, chunks->count,
                                                               sizeof(Member), by_oid) != NULL));
}

static uint32_t listed_oid(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

/* Which tables the publication lacks. \return false when it has one that it should not have, or
 * that is not filtered as planned. */
static bool compare_members(const StepCtx *ctx, const Rows *rows, const MemberVec *chunks,
                            MemberVec *missing)
{
    const char **there = NULL;
    size_t count = rows_list(ctx->arena, rows, 0, 4, &there);
    MemberVec list = planned(ctx);
    size_t at = 0;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t oid = listed_oid(there[i]);
        if (!is_left_out(ctx->run->blueprint, oid) && !is_chunk(ctx, chunks, oid))
            there[kept++] = there[i];
    }
    count = kept;
    if (list.count > 1)
        qsort(list.items, list.count, sizeof(Member), by_oid);
    for (size_t i = 0; i < list.count; i++) {
        if (at == count || listed_oid(there[at]) != list.items[i].oid)
            *vec_push(ctx->arena, missing) = list.items[i];
        else if (strcmp(there[at++], member_text(ctx, &list.items[i])) != 0)
            return false;
    }
    return at == count;
}

static bool same_members(const StepCtx *ctx, const Rows *rows, const MemberVec *chunks)
{
    MemberVec missing = {0};
    return compare_members(ctx, rows, chunks, &missing) && missing.count == 0;
}

/* Whether what the publication lacks is to be copied yet: it came with `refresh`, or `resync` was
 * asked for. One that is copied was taken out by somebody, and its changes since then are lost. */
static bool may_grow(StepCtx *ctx, const Rows *rows, MemberVec *missing, bool *may, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    const JournalLeaf **states = NULL;
    MemberVec list = planned(ctx);
    MemberVec chunks = {0};
    if (!find_chunks(ctx, ctx->source, &list, &chunks, err))
        return false;
    *may = compare_members(ctx, rows, &chunks, missing) && missing->count > 0;
    if (!*may)
        return true;
    if (!leaves_states(ctx->arena, ctx->run, ctx->target, &states, err))
        return false;
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        for (size_t m = 0; leaf_is_copied(states[i]) && m < missing->count; m++)
            *may = *may && missing->items[m].oid != leaf->oid &&
                   missing->items[m].oid != leaf->root->oid;
    }
    return true;
}

static const char OTHER_TABLES[] =
    "its tables are not the selected ones, or not filtered as planned; what was taken out is put "
    "in again, and copied anew, by \"godwit resync PLAN TABLE\"";

/* Whether the schemas that it publishes as a whole are those that it should. */
static bool same_schemas(const StepCtx *ctx, bool *same, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const char *wanted = chunk_schema(ctx);
    *same = true;
    if (conn_version(ctx->source) < SCHEMA_PUBLISHED_VERSION)
        return true;
    if (!pg_rows(ctx->source, SQL_COPY_PUBLICATION_SCHEMAS, PARAMS(name_of(ctx)), &rows, err))
        return false;
    size_t count = rows_count(rows);
    *same = wanted == NULL ? count == 0 : count == 1 && strcmp(rows_text(rows, 0, 0), wanted) == 0;
    return true;
}

/* Why a publication of our name is not the one we want; NULL when it is. */
static const char *difference(const StepCtx *ctx, const Rows *rows, const MemberVec *chunks)
{
    if (strcmp(rows_text(rows, 0, 0), ctx->run->mark) != 0)
        return "it does not carry this run's mark as its comment";
    if (rows_bool(rows, 0, 1))
        return "it publishes all tables";
    if (rows_int64(rows, 0, 2) != (int64_t)published(ctx))
        return "it publishes other kinds of changes";
    if (rows_bool(rows, 0, 3))
        return "it publishes partitions as their root";
    return same_members(ctx, rows, chunks) ? NULL : OTHER_TABLES;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (run_is_switched(ctx->run))
        return true;
    if (!pg_rows(ctx->source, SQL_COPY_PUBLICATION, PARAMS(name_of(ctx)), &rows, err))
        return false;
    if (def_of(ctx)->adopted) {
        /* What is in it was compared when the blueprint was made. */
        observation->state = rows_count(rows) > 0 ? OBSERVED_SATISFIED : OBSERVED_IMPOSSIBLE;
        observation->reason = rows_count(rows) > 0 ? NULL : "it is not on the source any more";
        return true;
    }
    if (rows_count(rows) == 0) {
        observation->state = OBSERVED_NEEDED;
        return true;
    }
    bool same = false;
    MemberVec list = planned(ctx);
    MemberVec chunks = {0};
    if (!same_schemas(ctx, &same, err) || !find_chunks(ctx, ctx->source, &list, &chunks, err))
        return false;
    const char *why =
        same ? difference(ctx, rows, &chunks) : "it publishes other schemas as a whole";
    if (why == NULL)
        return true;
    MemberVec missing = {0};
    bool grows = false;
    if (why == OTHER_TABLES && !may_grow(ctx, rows, &missing, &grows, err))
        return false;
    observation->state = grows ? OBSERVED_NEEDED : OBSERVED_DRIFTED;
    observation->reason = arena_printf(
        ctx->arena, "publication %s on the source is not as planned: %s", name_of(ctx), why);
    return true;
}

/* A published table without a replica identity would refuse the applications' own UPDATE and DELETE
 * from the commit on. Preflight looked at it too, but before; now the tables are locked. */
static bool all_identified(StepCtx *ctx, Conn *conn, const MemberVec *chunks, Err *err)
{
    const PublicationDef *def = def_of(ctx);
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str oids = {0};
    if ((published(ctx) & (PLAN_PUBLISH_UPDATE | PLAN_PUBLISH_DELETE)) == 0)
        return true;
    for (size_t i = 0; i < def->relation_count; i++)
        for (size_t n = 0; n < def->relations[i]->leaf_count; n++)
            if (!def->relations[i]->leaves[n]->unlogged)
                str_appendf(&oids, "%c%" PRIu32, oids.length == 0 ? '{' : ',',
                            def->relations[i]->leaves[n]->oid);
    for (size_t i = 0; i < chunks->count; i++)
        str_appendf(&oids, "%c%" PRIu32, oids.length == 0 ? '{' : ',', chunks->items[i].oid);
    str_append(&oids, oids.length == 0 ? "{}" : "}");
    if (!pg_rows(conn, SQL_COPY_UNIDENTIFIED, PARAMS(oids.data), &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    Name name = {rows_text(rows, 0, 0), rows_text(rows, 0, 1)};
    err_set(err, ERR_RUN, "%s has no replica identity any more", name_text(ctx->arena, &name));
    err_detail(err, "Published as it is, its own UPDATE and DELETE would fail on the source.");
    return err_hint(err, "Look what \"godwit check\" says about it; nothing was published.");
}

static bool add_chunks(const StepCtx *ctx, MemberVec *chunks, Err *err)
{
    AUTO_STR Str sql = {0};
    MemberVec list = planned(ctx);
    if (!find_chunks(ctx, ctx->source, &list, chunks, err))
        return false;
    add_sql(&sql, ctx, chunks);
    return chunks->count == 0 || pg_none(ctx->source, sql.data, NO_PARAMS, err);
}

static bool create(StepCtx *ctx, Err *err)
{
    AUTO_STR Str create = {0};
    AUTO_STR Str comment = {0};
    MemberVec chunks = {0};
    create_sql(&create, ctx);
    comment_sql(&comment, ctx);
    return pg_none(ctx->source, create.data, NO_PARAMS, err) && add_chunks(ctx, &chunks, err) &&
           pg_none(ctx->source, comment.data, NO_PARAMS, err) &&
           all_identified(ctx, ctx->source, &chunks, err) && pg_commit(ctx->source, err);
}

/* A transaction that wrote to a table before it was published, and ends after that, leaves the
 * stream with the notion that it is not: later changes would be missing (before 17.5, 16.9 and
 * their siblings). So none may be open. */
static bool lock_members(Conn *conn, const MemberVec *missing, Err *err)
{
    AUTO_STR Str sql = {0};
    for (size_t i = 0; i < missing->count; i++) {
        str_append(&sql, i == 0 ? "LOCK TABLE " : ", ");
        ddl_qname(&sql, conn, missing->items[i].name);
    }
    str_append(&sql, " IN SHARE ROW EXCLUSIVE MODE");
    return pg_begin(conn, NULL, err) && pg_none(conn, sql.data, NO_PARAMS, err);
}

/* While it waits every writer waits behind it: not for long, and again. */
static bool lock_patiently(Conn *conn, const MemberVec *missing, Err *err)
{
    Patience patience = {0};
    while (!lock_members(conn, missing, err)) {
        pg_rollback(conn);
        if (!blockers_wait(&patience, conn, "the tables that are added to the publication", err))
            return false;
    }
    return true;
}

/* Chunks that come between this look and the locks are the watcher's. */
static bool find_all(const StepCtx *ctx, Conn *conn, MemberVec *missing, MemberVec *chunks,
                     Err *err)
{
    if (!find_chunks(ctx, conn, missing, chunks, err))
        return false;
    for (size_t i = 0; i < chunks->count; i++)
        *vec_push(ctx->arena, missing) = chunks->items[i];
    return true;
}

/* What is added may be the first that needs it. */
static bool publish_generated(const StepCtx *ctx, Conn *conn, Err *err)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, "ALTER PUBLICATION ");
    ddl_ident(&sql, conn, name_of(ctx));
    str_append(&sql, " SET (publish_generated_columns = stored)");
    return !publishes_generated(ctx) || pg_none(conn, sql.data, NO_PARAMS, err);
}

static bool grow(StepCtx *ctx, MemberVec *missing, Err *err)
{
    AUTO_STR Str sql = {0};
    AUTO_CONN Conn *own = NULL;
    MemberVec chunks = {0};
    if (!conn_open(&own, &ctx->run->source,
                   &(ConnOptions){.purpose = "publication",
                                  .lock_timeout_ms = GROW_LOCK_TIMEOUT_MS,
                                  .stop = ctx->run->stop},
                   err) ||
        !find_all(ctx, own, missing, &chunks, err) || !lock_patiently(own, missing, err))
        return false;
    add_sql(&sql, ctx, missing);
    return publish_generated(ctx, own, err) && pg_none(own, sql.data, NO_PARAMS, err) &&
           all_identified(ctx, own, &chunks, err) && pg_commit(own, err);
}

static bool apply(StepCtx *ctx, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    MemberVec missing = {0};
    bool grows = false;
    if (!pg_rows(ctx->source, SQL_COPY_PUBLICATION, PARAMS(name_of(ctx)), &rows, err))
        return false;
    if (rows_count(rows) > 0 && !may_grow(ctx, rows, &missing, &grows, err))
        return false;
    if (grows)
        return grow(ctx, &missing, err);
    if (!pg_begin(ctx->source, NULL, err))
        return false;
    bool ok = create(ctx, err);
    if (!ok)
        pg_rollback(ctx->source);
    return ok;
}

void publication_drop_sql(Str *sql, Conn *source, const char *name)
{
    str_append(sql, "DROP PUBLICATION IF EXISTS ");
    ddl_ident(sql, source, name);
}

static bool undo(StepCtx *ctx, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_STR Str sql = {0};
    if (!pg_rows(ctx->source, SQL_COPY_PUBLICATION, PARAMS(name_of(ctx)), &rows, err))
        return false;
    if (rows_count(rows) == 0 || strcmp(rows_text(rows, 0, 0), ctx->run->mark) != 0)
        return true;
    publication_drop_sql(&sql, ctx->source, name_of(ctx));
    return pg_none(ctx->source, sql.data, NO_PARAMS, err);
}

const StepKind STEP_PUBLICATION = {
    .name = "publication",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET,
    .summary = "Publishes exactly the selected tables on the source.",
    .per_object = true,
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .undo = undo,
};
