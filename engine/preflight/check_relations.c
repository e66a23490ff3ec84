/*
 * Checks of what is selected, and of what the users may do with it.
 */
#include "base/str.h"
#include "pg/ddl.h"
#include "pg/query.h"
#include "preflight/check.h"

#include <inttypes.h>

/* SQL about one relation: "<before>name<after>". */
static const char *relation_sql(const CheckCtx *ctx, const char *before, const Name *name,
                                const char *after)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, before);
    ddl_qname(&sql, ctx->input->source_conn, name);
    str_append(&sql, after);
    return str_dup(ctx->arena, &sql);
}

static const char *user_grant(const CheckCtx *ctx, const char *before, const Name *name)
{
    AUTO_STR Str after = {0};
    str_append(&after, " TO ");
    ddl_ident(&after, ctx->input->source_conn, ctx->input->source->server.user);
    str_append_char(&after, ';');
    return relation_sql(ctx, before, name, after.data);
}

bool check_identity(CheckCtx *ctx, Err *err)
{
    (void)err;
    const Blueprint *blueprint = ctx->input->blueprint;
    uint32_t publish = ctx->input->plan->replication.publish;
    if ((publish & (PLAN_PUBLISH_UPDATE | PLAN_PUBLISH_DELETE)) == 0)
        return true;
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (leaf->has_identity)
            continue;
        check_found(
            ctx, CONN_SOURCE, name_text(ctx->arena, &leaf->source),
            "it has no primary key and no replica identity",
            "once it is published, the application's own UPDATE and DELETE on it would fail",
            relation_sql(
                ctx, "ALTER TABLE ", &leaf->source,
                " REPLICA IDENTITY FULL; -- or a primary key, or USING INDEX a unique one"));
    }
    return true;
}

bool check_row_security(CheckCtx *ctx, Err *err)
{
    (void)err;
    const Blueprint *blueprint = ctx->input->blueprint;
    if (ctx->source.bypasses_row_security)
        return true;
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const CatRelation *relation =
            catalog_relation(ctx->input->source, blueprint->leaves[i].oid);
        if (relation == NULL || !relation->row_security ||
            (relation->owns && !relation->force_row_security))
            continue;
        check_found(ctx, CONN_SOURCE, name_text(ctx->arena, &relation->name),
                    "row security applies to the source's user",
                    "rows that its policies hide would not be copied",
                    "-- connect as a role with BYPASSRLS, or as the owner of a table without FORCE "
                    "ROW LEVEL SECURITY");
    }
    return true;
}

bool check_unlogged(CheckCtx *ctx, Err *err)
{
    (void)err;
    const Blueprint *blueprint = ctx->input->blueprint;
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const Leaf *leaf = &blueprint->leaves[i];
        if (!leaf->unlogged)
            continue;
        check_found(ctx, CONN_SOURCE, name_text(ctx->arena, &leaf->source), "it is unlogged",
                    "its changes are not in the WAL and would be lost",
                    relation_sql(ctx, "ALTER TABLE ", &leaf->source,
                                 " SET LOGGED; -- or name it in select.exclude"));
    }
    return true;
}

bool check_select(CheckCtx *ctx, Err *err)
{
    (void)err;
    const Blueprint *blueprint = ctx->input->blueprint;
    for (size_t i = 0; i < blueprint->leaf_count; i++) {
        const CatRelation *relation =
            catalog_relation(ctx->input->source, blueprint->leaves[i].oid);
        if (relation == NULL || relation->can_select)
            continue;
        check_found(ctx, CONN_SOURCE, name_text(ctx->arena, &relation->name),
                    "the source's user may not read it", "it could not be copied",
                    user_grant(ctx, "GRANT SELECT ON ", &relation->name));
    }
    return true;
}

bool check_ownership(CheckCtx *ctx, Err *err)
{
    (void)err;
    const Blueprint *blueprint = ctx->input->blueprint;
    if (ctx->input->source->server.is_superuser)
        return true;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const CatRelation *relation =
            catalog_relation(ctx->input->source, blueprint->relations[i].oid);
        if (relation == NULL || relation->owns)
            continue;
        AUTO_STR Str grant = {0};
        str_append(&grant, "GRANT ");
        ddl_ident(&grant, ctx->input->source_conn, relation->owner);
        str_append(&grant, " TO ");
        ddl_ident(&grant, ctx->input->source_conn, ctx->input->source->server.user);
        str_append_char(&grant, ';');
        check_found(ctx, CONN_SOURCE, name_text(ctx->arena, &relation->name),
                    arena_printf(ctx->arena, "it belongs to %s", relation->owner),
                    "only a member of the owner may publish it", grant.data);
    }
    return true;
}

bool check_replication_right(CheckCtx *ctx, Err *err)
{
    (void)err;
    if (ctx->source.may_replicate)
        return true;
    const char *kind = ctx->input->plan->source.kind;
    bool rds = strcmp(kind, "rds") == 0 || strcmp(kind, "aurora") == 0;
    AUTO_STR Str user = {0};
    ddl_ident(&user, ctx->input->source_conn, ctx->input->source->server.user);
    check_found(ctx, CONN_SOURCE, ctx->input->source->server.user, "it may not replicate",
                "no slot could be made",
                rds ? arena_printf(ctx->arena, "GRANT rds_replication TO %s;", user.data)
                    : arena_printf(ctx->arena, "ALTER ROLE %s WITH REPLICATION;", user.data));
    return true;
}

static void check_one_create(CheckCtx *ctx, ConnSide side, const Catalog *catalog,
                             const Probe *probe, const char *why)
{
    if (probe->may_create_in_database)
        return;
    Conn *conn = side == CONN_SOURCE ? ctx->input->source_conn : ctx->input->target_conn;
    AUTO_STR Str sql = {0};
    str_append(&sql, "GRANT CREATE ON DATABASE ");
    ddl_ident(&sql, conn, catalog->server.database);
    str_append(&sql, " TO ");
    ddl_ident(&sql, conn, catalog->server.user);
    str_append_char(&sql, ';');
    check_found(ctx, side, catalog->server.user, "it may not create in the database", why,
                sql.data);
}

bool check_create(CheckCtx *ctx, Err *err)
{
    (void)err;
    check_one_create(ctx, CONN_SOURCE, ctx->input->source, &ctx->source,
                     "no publication could be made");
    check_one_create(ctx, CONN_TARGET, ctx->input->target, &ctx->target, "no schema could be made");
    return true;
}

static void check_database_owner(CheckCtx *ctx, ConnSide side, const Catalog *catalog,
                                 const Probe *probe)
{
    if (probe->owns_database)
        return;
    check_found(ctx, side, catalog->server.database,
                arena_printf(ctx->arena, "%s does not own the database", catalog->server.user),
                "the fence sets default_transaction_read_only on the database at the cutover",
                "-- connect as the owner of the database, or use cutover.stop_writes.method: "
                "manual for the source");
}

bool check_fence_right(CheckCtx *ctx, Err *err)
{
    (void)err;
    PlanStopWrites method = ctx->input->plan->cutover.method;
    check_database_owner(ctx, CONN_TARGET, ctx->input->target, &ctx->target);
    if (method != PLAN_STOP_MANUAL)
        check_database_owner(ctx, CONN_SOURCE, ctx->input->source, &ctx->source);
    for (size_t i = 0; method == PLAN_STOP_LOCK && i < ctx->input->blueprint->relation_count; i++) {
        const CatRelation *relation =
            catalog_relation(ctx->input->source, ctx->input->blueprint->relations[i].oid);
        if (relation == NULL || relation->can_lock)
            continue;
        check_found(ctx, CONN_SOURCE, name_text(ctx->arena, &relation->name),
                    "the source's user may not lock it",
                    "the fence of method lock could not be put up",
                    user_grant(ctx, "GRANT UPDATE ON ", &relation->name));
    }
    return true;
}

bool check_replica_role(CheckCtx *ctx, Err *err)
{
    AUTO_ERR Err refused = {0};
    if (!pg_begin(ctx->input->target_conn, "READ ONLY", err))
        return false;
    bool may = pg_none(ctx->input->target_conn, "SET LOCAL session_replication_role = 'replica'",
                       NO_PARAMS, &refused);
    pg_rollback(ctx->input->target_conn);
    if (may)
        return true;
    if (strcmp(refused.sqlstate, "42501") != 0)
        return err_move(err, &refused);
    AUTO_STR Str sql = {0};
    str_append(&sql, "GRANT SET ON PARAMETER session_replication_role TO ");
    ddl_ident(&sql, ctx->input->target_conn, ctx->input->target->server.user);
    str_append(&sql, "; -- as a superuser, PostgreSQL 15 and newer");
    check_found(ctx, CONN_TARGET, "session_replication_role", "the target's user may not set it",
                "triggers and foreign keys of the target would fire on replicated rows", sql.data);
    return true;
}

static bool is_available(const Catalog *target, const char *name)
{
    for (size_t i = 0; i < target->available_count; i++) {
        if (strcmp(target->available[i].name, name) == 0)
            return true;
    }
    return false;
}

bool check_extensions(CheckCtx *ctx, Err *err)
{
    (void)err;
    const Blueprint *blueprint = ctx->input->blueprint;
    for (size_t i = 0; i < blueprint->extension_count; i++) {
        const ExtensionDef *extension = &blueprint->extensions[i];
        if (extension->on_target || is_available(ctx->input->target, extension->name))
            continue;
        check_found(ctx, CONN_TARGET, extension->name,
                    "the extension is not available on the target",
                    "what depends on it could not be made",
                    "-- install the extension's package on the target, or exclude what needs it");
    }
    return true;
}

bool check_target_empty(CheckCtx *ctx, Err *err)
{
    (void)err;
    const Catalog *source = ctx->input->source;
    for (size_t i = 0; !ctx->input->resuming && i < source->relations_count; i++) {
        const CatRelation *relation = &source->relations[i];
        const uint32_t pg_class_oid = 1259;
        if (strchr("rpvmSf", relation->kind) == NULL ||
            !blueprint_keeps_object(ctx->input->blueprint, pg_class_oid, relation->oid) ||
            catalog_relation_named(ctx->input->target, &relation->name) == NULL)
            continue;
        check_found(ctx, CONN_TARGET, name_text(ctx->arena, &relation->name),
                    "it exists on the target",
                    "schema.existing is fail: nothing that is there is touched",
                    relation_sql(ctx, "-- if it may go: DROP TABLE ", &relation->name, ";"));
    }
    return true;
}
