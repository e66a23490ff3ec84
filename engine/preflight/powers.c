/*
 * Checks of what the target's user may do, where the run has another way when it may not.
 */
#include "preflight/check.h"

#include "cdc/quiet.h"

/* Foreign keys that read their table in the downtime, since they cannot be added NOT VALID. */
static size_t whole_keys(const Blueprint *blueprint)
{
    size_t count = 0;
    for (size_t i = 0; i < blueprint->foreign_key_count; i++) {
        const CatRelation *table =
            catalog_relation_named(blueprint->source, &blueprint->foreign_keys[i].table);
        count += table != NULL && table->kind == 'p' && blueprint->target->server.version < 180000;
    }
    return count;
}

/* Apply under replica role keeps triggers and keys silent; without it they are made later. */
void check_replica_role(Check *check)
{
    const Side *target = &check->target;
    const Blueprint *blueprint = check->blueprint;
    if (!blueprint_keeps_quiet(blueprint))
        return;
    size_t whole = whole_keys(blueprint);
    check_add(check, CODE_REPLICA_ROLE, whole > 0 ? FINDING_WARNING : FINDING_INFO, target,
              check_part(check, target->catalog->server.user),
              whole == 0
                  ? "may not set session_replication_role: triggers, rules and foreign keys are "
                    "made after the drain"
                  : check_text(check,
                               "may not set session_replication_role: triggers, rules and foreign "
                               "keys are made after the drain, and %zu foreign keys of "
                               "partitioned tables read them in the downtime",
                               whole),
              "They would act on replicated changes a second time. The run goes without the right; "
              "foreign keys are validated behind the cutover, while the target takes writes.",
              check_remedy(check, target, TOPIC_REPLICA_ROLE, NULL, NULL));
}

/* Tables that stand on the target already, with triggers or keys that nobody can silence. */
bool probe_quiet(Check *check, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const Side *target = &check->target;
    if (!blueprint_keeps_quiet(check->blueprint) || check->input->resuming)
        return true;
    if (!quiet_acting(check->blueprint, target->conn, &rows, err))
        return false;
    for (size_t r = 0; r < rows_count(rows); r++) {
        const Name table = {rows_text(rows, r, 2), rows_text(rows, r, 3)};
        const char *kind = arena_strdup(check->arena, rows_text(rows, r, 0));
        const char *name = check_sql_part(check, target, rows_text(rows, r, 1));
        bool key = kind[0] == 'f';
        check_add(check, CODE_ACTING, FINDING_ERROR, target, check_name(check, &table),
                  check_text(check, "its %s %s would act on replicated changes", kind, name),
                  "session_replication_role cannot be set here, which would silence it.",
                  check_text(check,
                             key ? "-- drop it for the run: ALTER TABLE %s DROP CONSTRAINT %s"
                                 : "ALTER TABLE %s DISABLE %s %s;",
                             check_sql(check, target, &table),
                             key              ? name
                             : kind[0] == 't' ? "TRIGGER"
                                              : "RULE",
                             name));
    }
    return true;
}
