/*
 * Checks of what the two roles may do.
 */
#include "preflight/check.h"

#include "base/str.h"

/* More relations than this with one fault are counted, not listed. */
#define LISTED_MAX 20

static const char *sql_user(Check *check, const Side *side)
{
    return check_sql_part(check, side, side->catalog->server.user);
}

void check_source_role(Check *check)
{
    const Side *source = &check->source;
    const char *user = check_part(check, source->catalog->server.user);
    if (!source->facts.may_replicate)
        check_add(check, CODE_REPLICATION_ROLE, FINDING_ERROR, source, user,
                  "may not use replication",
                  "Slots are made, and the stream is read, over replication connections.",
                  check_remedy(check, source, TOPIC_REPLICATION_ROLE, NULL, NULL));
    if (!source->facts.may_create)
        check_add(check, CODE_CREATE, FINDING_ERROR, source,
                  check_part(check, source->catalog->server.database),
                  check_text(check, "%s may not create in this database", user),
                  "The run makes a publication of exactly the selected tables.",
                  check_text(check, "GRANT CREATE ON DATABASE %s TO %s;",
                             check_sql_part(check, source, source->catalog->server.database),
                             sql_user(check, source)));
}

static void check_schema_usage(Check *check)
{
    const Side *source = &check->source;
    for (size_t i = 0; i < check->blueprint->schema_count; i++) {
        const char *schema = check->blueprint->schemas[i];
        bool usage = false;
        bool create = false;
        if (!facts_schema(&source->facts, schema, &usage, &create) || usage)
            continue;
        check_add(check, CODE_SELECT, FINDING_ERROR, source, check_part(check, schema),
                  "this schema may not be used", "Its tables cannot be read.",
                  check_text(check, "GRANT USAGE ON SCHEMA %s TO %s;",
                             check_sql_part(check, source, schema), sql_user(check, source)));
    }
}

static void check_readable(Check *check, const Name *name, uint32_t oid, const char *kind)
{
    const CatRelation *relation = catalog_relation(check->source.catalog, oid);
    if (relation == NULL || relation->can_select)
        return;
    check_add(check, CODE_SELECT, FINDING_ERROR, &check->source, check_name(check, name),
              "may not be read", "Its rows cannot be copied or compared.",
              check_text(check, "GRANT SELECT ON %s %s TO %s;", kind,
                         check_sql(check, &check->source, name), sql_user(check, &check->source)));
}

void check_tables_readable(Check *check)
{
    const Blueprint *blueprint = check->blueprint;
    check_schema_usage(check);
    for (size_t i = 0; i < blueprint->relation_count; i++)
        if (!blueprint->relations[i].schema_only)
            check_readable(check, &blueprint->relations[i].source, blueprint->relations[i].oid,
                           "TABLE");
    for (size_t i = 0; i < blueprint->leaf_count; i++)
        if (blueprint->leaves[i].oid != blueprint->leaves[i].root->oid)
            check_readable(check, &blueprint->leaves[i].source, blueprint->leaves[i].oid, "TABLE");
    for (size_t i = 0; i < blueprint->sequence_count; i++)
        check_readable(check, &blueprint->sequences[i].name, blueprint->sequences[i].oid,
                       "SEQUENCE");
}

void check_publication(Check *check)
{
    const Blueprint *blueprint = check->blueprint;
    const char *user = sql_user(check, &check->source);
    if (blueprint->publication_count == 0)
        return;
    size_t more = 0;
    size_t listed = 0;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        const CatRelation *from = catalog_relation(check->source.catalog, relation->oid);
        if (from == NULL || from->owns || relation->schema_only)
            continue;
        if (listed++ >= LISTED_MAX) {
            more++;
            continue;
        }
        check_add(check, CODE_OWNER, FINDING_ERROR, &check->source,
                  check_name(check, &relation->source),
                  check_text(check, "belongs to %s", check_part(check, from->owner)),
                  "Only its owner may put a table into a publication.",
                  check_text(check, GRANT_OWNER, check_sql_part(check, &check->source, from->owner),
                             user));
    }
    if (more > 0)
        check_add(check, CODE_OWNER, FINDING_ERROR, &check->source, "(more)",
                  check_text(check, "%zu more tables belong to other roles", more),
                  "Only its owner may put a table into a publication.",
                  check_text(check, "-- grant every owning role to %s", user));
}

static void check_database_owner(Check *check, const Side *side)
{
    if (side->facts.owns_database)
        return;
    const char *database = check_part(check, side->catalog->server.database);
    const char *user = check_part(check, side->catalog->server.user);
    check_add(check, CODE_FENCE, FINDING_ERROR, side, database,
              check_text(check, "%s does not own this database", user),
              "The cutover sets the database read-only by ALTER DATABASE, which its owner may do.",
              check_text(check,
                         "ALTER DATABASE %s OWNER TO %s;\n-- or grant its owner to that role",
                         check_sql_part(check, side, side->catalog->server.database),
                         sql_user(check, side)));
}

static void check_lockable_one(Check *check, uint32_t oid, const Name *name)
{
    const CatRelation *from = catalog_relation(check->source.catalog, oid);
    if (from == NULL || from->can_lock)
        return;
    check_add(check, CODE_FENCE, FINDING_ERROR, &check->source, check_name(check, name),
              "may not be locked against writers",
              "cutover.stop_writes.method is lock: a SHARE lock takes one of the privileges "
              "UPDATE, DELETE, TRUNCATE.",
              check_text(check, "GRANT TRUNCATE ON TABLE %s TO %s;",
                         check_sql(check, &check->source, name), sql_user(check, &check->source)));
}

static void check_lockable(Check *check)
{
    const Blueprint *blueprint = check->blueprint;
    for (size_t i = 0; i < blueprint->leaf_count; i++)
        check_lockable_one(check, blueprint->leaves[i].oid, &blueprint->leaves[i].source);
    for (size_t i = 0; i < blueprint->relation_count; i++)
        if (blueprint->relations[i].schema_only)
            check_lockable_one(check, blueprint->relations[i].oid, &blueprint->relations[i].source);
}

static void check_signal(Check *check, const Side *side)
{
    const CatServer *server = &side->catalog->server;
    if (server->is_superuser || side->facts.may_signal)
        return;
    check_add(check, CODE_SIGNAL, FINDING_WARNING, side, check_part(check, server->user),
              "may end only sessions of roles that it is a member of",
              "At the cutover the other sessions are ended, so that none writes on after the "
              "switch; one that cannot be ended rolls the cutover back.",
              check_text(check, "GRANT pg_signal_backend TO %s;", sql_user(check, side)));
}

void check_fence(Check *check)
{
    PlanStopWrites method = check->plan->cutover.method;
    check_database_owner(check, &check->target);
    check_signal(check, &check->target);
    if (method == PLAN_STOP_MANUAL)
        return;
    if (method == PLAN_STOP_LOCK)
        check_lockable(check);
    check_database_owner(check, &check->source);
    check_signal(check, &check->source);
}

void check_row_security(Check *check)
{
    const Side *source = &check->source;
    if (source->facts.sees_every_row)
        return;
    for (size_t i = 0; i < source->catalog->relations_count; i++) {
        const CatRelation *relation = &source->catalog->relations[i];
        bool hidden = relation->row_security && (!relation->owns || relation->force_row_security);
        const Relation *root = blueprint_relation(check->blueprint, &relation->name);
        bool selected = blueprint_leaf(check->blueprint, relation->oid) != NULL ||
                        (root != NULL && !root->schema_only);
        if (!hidden || !selected)
            continue;
        check_add(check, CODE_ROW_SECURITY, FINDING_ERROR, source,
                  check_name(check, &relation->name), "has row security that applies to this role",
                  "Rows that the policies hide would be missing on the target; with row_security "
                  "off the copy is refused.",
                  check_text(check, "ALTER ROLE %s BYPASSRLS;\n-- as a superuser",
                             sql_user(check, source)));
    }
}

static void check_creatable(Check *check, const char *schema)
{
    const Side *target = &check->target;
    const char *user = check_part(check, target->catalog->server.user);
    bool usage = false;
    bool create = false;
    if (!facts_schema(&target->facts, schema, &usage, &create) || create)
        return;
    check_add(check, CODE_CREATE, FINDING_ERROR, target, check_part(check, schema),
              check_text(check, "%s may not create in this schema", user),
              "The selected objects are created there.",
              check_text(check, "GRANT CREATE, USAGE ON SCHEMA %s TO %s;",
                         check_sql_part(check, target, schema), sql_user(check, target)));
}

void check_target_role(Check *check)
{
    const Side *target = &check->target;
    const char *user = check_part(check, target->catalog->server.user);
    const char *database = check_part(check, target->catalog->server.database);
    if (!target->facts.may_create)
        check_add(check, CODE_CREATE, FINDING_ERROR, target, database,
                  check_text(check, "%s may not create in this database", user),
                  "Schemas, and godwit's journal, are created there.",
                  check_text(check, "GRANT CREATE ON DATABASE %s TO %s;",
                             check_sql_part(check, target, target->catalog->server.database),
                             sql_user(check, target)));
    for (size_t i = 0; i < check->blueprint->schema_count; i++)
        check_creatable(check, check->blueprint->schemas[i]);
}
