/*
 * Step extensions: creates on the target the extensions that selected objects need, each in the
 * schema it has on the source, in the order in which they require each other.
 */
#include "pg/ddl.h"
#include "sql_text.h"
#include "step/common.h"
#include "step/community.h"

extern const StepKind STEP_EXTENSIONS;

static const char TIMESCALEDB[] = "timescaledb";
static const char TIMESCALEDB_SCHEMA[] = "public";

typedef struct Wanted {
    const char *name;
    const char *schema;
    const char **requires;
    size_t require_count;
    const char *version; /* wanted, NULL: the target's default */
    bool offered;        /* that version */
    bool available;
    bool created;
    bool emitted;
} Wanted;

typedef VEC(Wanted) WantedVec;

static bool wants_timescaledb(const Blueprint *blueprint)
{
    if (blueprint->aggregate_count + blueprint->job_count > 0)
        return true;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        if (blueprint->relations[i].hypertable != NULL)
            return true;
    }
    return false;
}

static Wanted *find(WantedVec *wanted, const char *name)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (strcmp(wanted->items[i].name, name) == 0)
            return &wanted->items[i];
    }
    return NULL;
}

static bool read_target(StepCtx *ctx, WantedVec *wanted, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(ctx->target, SQL_SCHEMA_EXTENSIONS, NO_PARAMS, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        Wanted *extension = find(wanted, rows_text(rows, r, 0));
        if (extension == NULL)
            continue;
        extension->available = true;
        extension->created = rows_bool(rows, r, 1);
        extension->require_count = rows_list(ctx->arena, rows, r, 2, &extension->requires);
        const char **versions = NULL;
        size_t count = rows_list(ctx->arena, rows, r, 3, &versions);
        for (size_t v = 0; extension->version != NULL && v < count; v++)
            extension->offered = extension->offered || strcmp(versions[v], extension->version) == 0;
    }
    return true;
}

static bool collect(StepCtx *ctx, WantedVec *wanted, Err *err)
{
    const Blueprint *blueprint = ctx->run->blueprint;
    const PlanExtensions *plan = &blueprint->plan->extensions;
    for (size_t i = 0; plan->create_missing && i < blueprint->extension_count; i++) {
        const ExtensionDef *def = &blueprint->extensions[i];
        if (strcmp(def->name, "plpgsql") != 0)
            *vec_push(ctx->arena, wanted) =
                (Wanted){.name = def->name,
                         .schema = def->schema,
                         .version = plan->same_version ? def->version : NULL};
    }
    if (plan->create_missing && wants_timescaledb(blueprint) && find(wanted, TIMESCALEDB) == NULL)
        *vec_push(ctx->arena, wanted) = (Wanted){.name = TIMESCALEDB, .schema = TIMESCALEDB_SCHEMA};
    return read_target(ctx, wanted, err);
}

static bool is_ready(WantedVec *wanted, const Wanted *extension)
{
    for (size_t i = 0; i < extension->require_count; i++) {
        const Wanted *need = find(wanted, extension->requires[i]);
        if (need != NULL && !need->created && !need->emitted)
            return false;
    }
    return true;
}

static const char *create_sql(StepCtx *ctx, const Wanted *extension)
{
    AUTO_STR Str sql = {0};
    if (strncmp(extension->schema, "pg_", 3) != 0) {
        str_append(&sql, "CREATE SCHEMA IF NOT EXISTS ");
        ddl_ident(&sql, ctx->target, extension->schema);
        str_append(&sql, "; ");
    }
    str_append(&sql, "CREATE EXTENSION IF NOT EXISTS ");
    ddl_ident(&sql, ctx->target, extension->name);
    str_append(&sql, " SCHEMA ");
    ddl_ident(&sql, ctx->target, extension->schema);
    if (extension->offered) {
        str_append(&sql, " VERSION ");
        ddl_literal(&sql, ctx->target, extension->version);
    }
    return str_dup(ctx->arena, &sql);
}

/* What is missing, required ones first; a cycle cannot be (pg_depend would have it, too). */
static bool missing_sql(StepCtx *ctx, StepSqlVec *statements, const char **names, Err *err)
{
    WantedVec wanted = {0};
    if (!collect(ctx, &wanted, err))
        return false;
    AUTO_STR Str list = {0};
    for (size_t round = 0; round < wanted.count; round++) {
        for (size_t i = 0; i < wanted.count; i++) {
            Wanted *extension = &wanted.items[i];
            if (extension->created || extension->emitted || !is_ready(&wanted, extension))
                continue;
            extension->emitted = true;
            str_appendf(&list, "%s%s", list.length > 0 ? ", " : "", extension->name);
            *vec_push(ctx->arena, statements) =
                (StepSql){.side = CONN_TARGET, .sql = create_sql(ctx, extension)};
        }
    }
    *names = str_dup(ctx->arena, &list);
    return true;
}

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    (void)err;
    step_at(step_add_after(builder, &STEP_EXTENSIONS, "roles"), blueprint->plan->extensions.pos);
    return true;
}

static bool describe(StepCtx *ctx, Description *description, Err *err)
{
    const char *names = NULL;
    if (!missing_sql(ctx, &description->sql, &names, err))
        return false;
    description->sentence = description->sql.count == 0
                                ? "extensions: none is missing on the target"
                                : arena_printf(ctx->arena, "create extensions %s", names);
    return true;
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    StepSqlVec statements = {0};
    const char *names = NULL;
    if (!missing_sql(ctx, &statements, &names, err))
        return false;
    observation->state = statements.count == 0 ? OBSERVED_SATISFIED : OBSERVED_NEEDED;
    if (statements.count > 0)
        observation->reason = arena_printf(ctx->arena, "missing on the target: %s", names);
    return true;
}

static bool apply(StepCtx *ctx, Err *err)
{
    StepSqlVec statements = {0};
    const char *names = NULL;
    if (!missing_sql(ctx, &statements, &names, err))
        return false;
    for (size_t i = 0; i < statements.count; i++) {
        if (!pg_script(ctx->target, statements.items[i].sql, err))
            return false;
    }
    return community_is_there(ctx, err);
}

const StepKind STEP_EXTENSIONS = {
    .name = "extensions",
    .phase = PHASE_SCHEMA,
    .flags = STEP_NEEDS_TARGET | STEP_ALONE,
    .summary = "Creates the extensions that selected objects need.",
    .expand = expand,
    .describe = describe,
    .observe = observe,
    .apply = apply,
};
