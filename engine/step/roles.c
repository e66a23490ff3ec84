/*
 * Step roles makes, before anything else stands on the target, the roles that the selection needs:
 * all in one transaction with the journal's note of each, so that a kill leaves all or nothing and
 * `reset` knows its own. Roles that are there are left as they are; memberships are added.
 */
#include "roles/roles.h"

#include "base/jsontext.h"
#include "pg/ddl.h"
#include "pg/query.h"
#include "sql_text.h"
#include "step/common.h"

extern const StepKind STEP_ROLES;

#define ATTEMPTS 20
#define RETRY_MS 150

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    step_at(step_add_after(builder, &STEP_ROLES, "control_schema"), blueprint->plan->roles.pos);
    return true;
}

static size_t count_fate(const RoleSet *set, RoleFate fate)
{
    size_t count = 0;
    for (size_t i = 0; i < set->roles.count; i++)
        count += set->roles.items[i].fate == fate;
    return count;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    RoleSet set = {0};
    RoleSql statements = {0};
    if (!roles_read(ctx->arena, ctx->run->blueprint, ctx->source, ctx->target, &set, err))
        return false;
    roles_sql(ctx->arena, &set, ctx->target, &statements);
    size_t made = count_fate(&set, ROLE_CREATE);
    description->sentence =
        statements.count == 0
            ? "roles: none is missing on the target"
            : arena_printf(ctx->arena, "create %zu roles, %zu statements; %zu are there and stay",
                           made, statements.count, count_fate(&set, ROLE_THERE));
    for (size_t i = 0; i < statements.count; i++)
        description_add(ctx->arena, description, CONN_TARGET, statements.items[i]);
    if (made > 0 && set.takes_passwords)
        description_add(ctx->arena, description, CONN_TARGET,
                        "-- passwords: '***' (hashes, as rows of a COPY into a temporary table)");
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    RoleSet set = {0};
    RoleSql statements = {0};
    if (!roles_read(ctx->arena, ctx->run->blueprint, ctx->source, ctx->target, &set, err))
        return false;
    roles_sql(ctx->arena, &set, ctx->target, &statements);
    observation->state = statements.count == 0 ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    if (statements.count > 0)
        observation->reason =
            arena_printf(ctx->arena, "%zu roles are missing", count_fate(&set, ROLE_CREATE));
    return true;
}

static bool note_made(StepCtx *ctx, const RoleSet *set, Err *err)
{
    for (size_t i = 0; i < set->roles.count; i++) {
        const Role *role = &set->roles.items[i];
        if (role->fate != ROLE_CREATE)
            continue;
        const char *detail = jsontext_compact(ctx->arena, json_pack("{s:s}", "role", role->target));
        if (!journal_event(ctx->target, ctx->run->journal.id, "role_created", detail, err))
            return false;
    }
    return true;
}

static bool copy_passwords(StepCtx *ctx, const RoleSet *set, Err *err)
{
    size_t taken = 0;
    const char *refused = NULL;
    if (!set->takes_passwords || count_fate(set, ROLE_CREATE) == 0)
        return true;
    if (!passwords_copy(ctx->arena, set, ctx->source, ctx->target, &taken, &refused, err))
        return false;
    log_info(&ctx->log, "%zu roles got the password they have on the source", taken);
    if (refused == NULL)
        return true;
    if (set->plan->roles.passwords == PLAN_PASSWORDS_REQUIRED)
        return err_set(err, ERR_RUN, "the target did not take the passwords of %s", refused);
    log_warn(&ctx->log, "the target did not take the passwords of %s", refused);
    return true;
}

static bool make_once(StepCtx *ctx, const RoleSet *set, const RoleSql *statements, Err *err)
{
    bool done = pg_begin(ctx->target, "READ WRITE", err);
    for (size_t i = 0; i < statements->count && done; i++)
        done = pg_none(ctx->target, statements->items[i], NO_PARAMS, err);
    if (done && copy_passwords(ctx, set, err) && note_made(ctx, set, err) &&
        pg_commit(ctx->target, err))
        return true;
    pg_rollback(ctx->target);
    return false;
}

/* Roles belong to the whole server: another run may make the same ones at the same time. */
static bool is_race(const Err *err)
{
    return strcmp(err->sqlstate, "42710") == 0 || strcmp(err->sqlstate, "23505") == 0 ||
           (strcmp(err->sqlstate, "XX000") == 0 &&
            strstr(err->message, "tuple concurrently") != NULL);
}

static void tell(StepCtx *ctx, const RoleSet *set)
{
    for (size_t i = 0; i < set->roles.count; i++) {
        const Role *role = &set->roles.items[i];
        const char *name = name_part_text(ctx->arena, role->from->name);
        if (role->fate == ROLE_CREATE)
            log_info(&ctx->log, "made role %s", name_part_text(ctx->arena, role->target));
        else if (role->fate == ROLE_MISSING)
            log_warn(&ctx->log, "role %s is not on the target: %s", name, role->why);
        if (role->refused != 0)
            log_warn(&ctx->log, "role %s is without %s: the target does not let it be given", name,
                     attributes_text(ctx->arena, role->refused));
    }
    for (size_t i = 0; i < set->grants.count; i++)
        if (set->grants.items[i].left_out != NULL)
            log_warn(&ctx->log, "membership of %s in %s is left out: %s",
                     name_part_text(ctx->arena, set->grants.items[i].member),
                     name_part_text(ctx->arena, set->grants.items[i].role),
                     set->grants.items[i].left_out);
}

static bool apply(StepCtx *ctx, Err *err)
{
    for (int attempt = 1;; attempt++) {
        RoleSet set = {0};
        RoleSql statements = {0};
        AUTO_ERR Err failed = {0};
        if (!roles_read(ctx->arena, ctx->run->blueprint, ctx->source, ctx->target, &set, err))
            return false;
        roles_sql(ctx->arena, &set, ctx->target, &statements);
        if (statements.count == 0 || make_once(ctx, &set, &statements, &failed)) {
            tell(ctx, &set);
            return true;
        }
        if (!is_race(&failed) || attempt == ATTEMPTS)
            return err_move(err, &failed);
        if (!stop_sleep(ctx->run->stop, RETRY_MS))
            return stop_error(ctx->run->stop, err);
    }
}

/* --- undo --- */

static bool drop_sql(StepCtx *ctx, const char *role, bool owned, Err *err)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, owned ? "DROP OWNED BY " : "DROP ROLE ");
    ddl_ident(&sql, ctx->target, role);
    return pg_none(ctx->target, sql.data, NO_PARAMS, err);
}

/* Nothing that anybody else made depends on it: what is left are privileges in this database, which
 * go with DROP OWNED, and what refuses the drop stays with its role. */
static bool drop_role(StepCtx *ctx, const char *role, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_ERR Err refused = {0};
    const char *name = name_part_text(ctx->arena, role);
    if (!pg_one(ctx->target, SQL_ROLES_DEPENDENTS, PARAMS(role), &rows, err))
        return false;
    if (rows_int64(rows, 0, 0) > 0 || rows_int64(rows, 0, 2) > 0) {
        log_warn(&ctx->log, "role %s stays: other objects depend on it", name);
        return true;
    }
    if (!pg_begin(ctx->target, "READ WRITE", err))
        return false;
    if ((rows_int64(rows, 0, 1) == 0 || drop_sql(ctx, role, true, &refused)) &&
        drop_sql(ctx, role, false, &refused) && pg_commit(ctx->target, &refused)) {
        log_info(&ctx->log, "dropped role %s", name);
        return true;
    }
    pg_rollback(ctx->target);
    if (!conn_is_ok(ctx->target))
        return err_move(err, &refused);
    log_warn(&ctx->log, "role %s stays: %s", name, refused.message);
    return true;
}

static bool undo(StepCtx *ctx, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const char *run = arena_printf(ctx->arena, "%lld", (long long)ctx->run->journal.id);
    if (!pg_rows(ctx->target, SQL_ROLES_MADE, PARAMS(run), &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++)
        if (rows_bool(rows, r, 1) && !drop_role(ctx, rows_text(rows, r, 0), err))
            return false;
    return true;
}

const StepKind STEP_ROLES = {
    .name = "roles",
    .phase = PHASE_SCHEMA,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_ALONE,
    .summary = "Makes the roles that the selection needs, and their memberships.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .verify = verify_in_apply,
    .undo = undo,
};
