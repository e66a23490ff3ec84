/*
 * Step settings carries ALTER DATABASE ... SET, ALTER ROLE ... IN DATABASE ... SET and the
 * database's comment. Our own sessions pin what they need, so that they do not mind. What the
 * target refuses is told and left out.
 */
#include "roles/access.h"

#include "base/jsontext.h"
#include "step/ddl_step.h"

#define VALUE_LEAST 4 /* a shorter one is found in half of all words */

extern const StepKind STEP_SETTINGS;

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    Step *step = step_add_after(builder, &STEP_SETTINGS, "roles");
    step_at(step, blueprint->plan->schema.pos);
    step_needs_kind(builder, step, "schema_post");
    return true;
}

static bool read_statements(StepCtx *ctx, SettingSqlVec *statements, RoleSql *left_out, Err *err)
{
    RoleSet set = {0};
    if (!roles_read(ctx->arena, ctx->run->blueprint, ctx->source, ctx->target, &set, err))
        return false;
    settings_sql(ctx->arena, &set, ctx->target, statements, left_out);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    SettingSqlVec statements = {0};
    RoleSql left_out = {0};
    if (!read_statements(ctx, &statements, &left_out, err))
        return false;
    description->sentence =
        statements.count == 0
            ? "settings: the target lacks none"
            : arena_printf(ctx->arena, "carry %zu settings of the database and of roles in it",
                           statements.count);
    for (size_t i = 0; i < statements.count; i++)
        description_add(ctx->arena, description, CONN_TARGET, statements.items[i].sql);
    for (size_t i = 0; i < left_out.count; i++)
        description_add(ctx->arena, description, CONN_TARGET,
                        arena_printf(ctx->arena, "-- left out: %s", left_out.items[i]));
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    SettingSqlVec statements = {0};
    if (run_is_past(ctx->run, &STEP_SETTINGS)) {
        observation->state = OBSERVED_SATISFIED;
        return true;
    }
    if (!read_statements(ctx, &statements, NULL, err))
        return false;
    observation->state = statements.count == 0 ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    return true;
}

/* What the server says may quote the value. */
static const char *without_value(Arena *arena, const char *message, const char *value)
{
    size_t bytes = strlen(value);
    const char *at = bytes < VALUE_LEAST ? NULL : strstr(message, value);
    if (at == NULL)
        return message;
    return arena_printf(arena, "%.*s***%s", (int)(at - message), message,
                        without_value(arena, at + bytes, value));
}

static bool tell_refused(StepCtx *ctx, const SettingSql *setting, const Err *refused, Err *err)
{
    const char *message = without_value(ctx->arena, refused->message, setting->value);
    log_warn(&ctx->log, "the target refuses %s: %s", setting->what, message);
    const char *detail = jsontext_compact(
        ctx->arena, json_pack("{s:s, s:s}", "setting", setting->what, "message", message));
    return journal_event(ctx->target, ctx->run->journal.id, "setting_refused", detail, err);
}

/* A statement of its own each: one that is refused takes no other along. */
static bool apply(StepCtx *ctx, Err *err)
{
    SettingSqlVec statements = {0};
    RoleSql left_out = {0};
    if (!read_statements(ctx, &statements, &left_out, err))
        return false;
    for (size_t i = 0; i < statements.count; i++) {
        AUTO_ERR Err refused = {0};
        SqlVec one = {0};
        *vec_push(ctx->arena, &one) = statements.items[i].sql;
        if (ddl_apply(ctx, &one, false, &refused))
            continue;
        if (!conn_is_ok(ctx->target) || refused.sqlstate[0] == '\0')
            return err_move(err, &refused);
        if (!tell_refused(ctx, &statements.items[i], &refused, err))
            return false;
    }
    for (size_t i = 0; i < left_out.count; i++)
        log_warn(&ctx->log, "setting left out, %s", left_out.items[i]);
    return true;
}

const StepKind STEP_SETTINGS = {
    .name = "settings",
    .phase = PHASE_COPY,
    .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_CHANGES,
    .summary = "Carries settings of the database and of roles in it.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
    .verify = verify_in_apply,
};
