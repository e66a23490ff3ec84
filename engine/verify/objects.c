/*
 * Objects: facts of both sides by name, and a table of what may be compared when.
 */
#include "verify/objects.h"

#include "base/str.h"
#include "pg/query.h"
#include "sql_text.h"

#include <stdlib.h>

enum {
    LATE = 1,              /* it may come behind the drain only */
    LATE_DEFINITION = 2,   /* it is there, but not as it will be */
    LATE_IF_QUIET = 4,     /* LATE where the target must be kept quiet */
    BY_MAJOR = 8,          /* printed in other words by another major version */
    NOT_OF_PARTITION = 16, /* made by its root's, under a name of the server's choice, unless it is
                              the partition's own */
    SEQUENCE = 32,
    HYPERTABLE = 64, /* of the source, made one by the mirror; also what belongs to it */
    AGGREGATE = 128, /* a mirrored one, and its policy */
    JOB = 256,       /* a mirrored one, by its procedure */
};

typedef struct KindRow {
    const char *prefix;
    int flags;
} KindRow;

static const KindRow KINDS[] = {
    {"table ", LATE_DEFINITION}, /* row security is enabled behind the drain */
    {"column ", 0},
    {"index ", NOT_OF_PARTITION},
    {"constraint ", NOT_OF_PARTITION},
    {"trigger ", LATE_IF_QUIET | NOT_OF_PARTITION},
    {"rule ", LATE | BY_MAJOR},
    {"policy ", LATE},
    {"view ", BY_MAJOR},
    {"materialized view ", BY_MAJOR},
    {"sequence ", SEQUENCE},
    {"function ", BY_MAJOR},
    {"type ", BY_MAJOR}, /* a domain's NOT NULL is a constraint from 18 on */
    {"composite type ", 0},
    {"hypertable ", HYPERTABLE},
    {"columnstore ", HYPERTABLE},
    {"policy_refresh_continuous_aggregate of ", AGGREGATE | LATE},
    {"policy_", HYPERTABLE | LATE}, /* of a table: by the procedure of its job */
    {"continuous aggregate ", AGGREGATE | BY_MAJOR},
    {"job ", JOB | LATE},
};

typedef struct Judge {
    Arena *arena;
    const Blueprint *blueprint;
    const FactVec *target;
    const Rows *own; /* of partitions, sorted */
    bool complete;
    bool same_major;
    ObjectsResult *result;
    VEC(const char *) named;
} Judge;

static const KindRow *kind_of(const char *fact)
{
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
        if (text_starts_with(fact, KINDS[i].prefix))
            return &KINDS[i];
    return NULL;
}

static const Relation *relation_of(const Blueprint *blueprint, const CatRelation *table)
{
    for (size_t i = 0; table != NULL && i < blueprint->relation_count; i++)
        if (blueprint->relations[i].oid == (table->root != 0 ? table->root : table->oid))
            return &blueprint->relations[i];
    return NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* A key out of the selection is left out. */
static bool is_foreign_key(const char *definition)
{
    return text_starts_with(definition, "FOREIGN KEY");
}

static bool takes_foreign_key(const Blueprint *blueprint, uint32_t table, const char *fact)
{
    for (size_t i = 0; i < blueprint->foreign_key_count; i++) {
        const ForeignKey *key = &blueprint->foreign_keys[i];
        if (key->table_oid == table && strstr(fact, key->name) != NULL)
            return true;
    }
    return false;
}

/* What the plan makes another thing of on the target is not compared. */
static bool is_made_anew(const Judge *judge, const Relation *relation, uint32_t oid)
{
    return blueprint_rename(judge->blueprint, oid) != NULL ||
           (relation != NULL && (relation->merge != NULL || relation->list != NULL));
}

/* The sequence of a column that is left out is, too. */
static bool takes_sequence(const Blueprint *blueprint, uint32_t oid)
{
    for (size_t i = 0; i < blueprint->sequence_count; i++)
        if (blueprint->sequences[i].oid == oid)
            return true;
    return false;
}

/* A function is called by its arguments' types, too. */
static bool names_renamed(const Blueprint *blueprint, const char *fact)
{
    for (size_t i = 0; i < blueprint->rename_count; i++)
        if (strstr(fact, blueprint->renames[i].source.rel) != NULL)
            return true;
    return false;
}

/* Before the switch: what acts on rows may wait for the drain. */
static bool is_late(const Judge *judge, const KindRow *kind, const Fact *fact)
{
    bool acts = (kind->flags & LATE_IF_QUIET) != 0 || is_foreign_key(fact->value);
    return (kind->flags & LATE) != 0 || ends_with(fact->value, ", always") ||
           ends_with(fact->value, ", replica") || (acts && blueprint_keeps_quiet(judge->blueprint));
}

/* What the plan says of such a table goes before what it is on the source. */
static bool is_as_mirrored(const Blueprint *blueprint, const Relation *relation)
{
    const Plan *plan = blueprint->plan;
    for (size_t i = 0; relation != NULL && i < plan->hypertable_count; i++)
        if (name_equal(&plan->hypertables[i].target_table, &relation->target))
            return false;
    return relation != NULL && relation->chunked;
}

static bool is_mirrored_view(const Blueprint *blueprint, uint32_t oid)
{
    const CatRelation *view = catalog_relation(blueprint->source, oid);
    for (size_t i = 0; view != NULL && i < blueprint->aggregate_count; i++)
        if (blueprint->aggregates[i]->mirrored &&
            name_equal(&blueprint->aggregates[i]->target_view, &view->name))
            return true;
    return false;
}

static bool is_mirrored_job(const Blueprint *blueprint, uint32_t oid)
{
    const CatObject *procedure = catalog_object(blueprint->source, CAT_CLASS_PROC, oid);
    for (size_t i = 0; procedure != NULL && i < blueprint->job_count; i++)
        if (blueprint->jobs[i]->mirrored &&
            text_equal(blueprint->jobs[i]->procedure.schema, procedure->schema) &&
            text_equal(blueprint->jobs[i]->procedure.rel, procedure->name))
            return true;
    return false;
}

/* What only TimescaleDB has. */
static bool is_expected_there(const Judge *judge, const KindRow *kind, const Relation *relation,
                              uint32_t oid)
{
    if (!judge->complete && (kind->flags & LATE) != 0)
        return false;
    if ((kind->flags & JOB) != 0)
        return is_mirrored_job(judge->blueprint, oid);
    if ((kind->flags & HYPERTABLE) != 0 && relation != NULL && relation->chunked)
        return true;
    return is_mirrored_view(judge->blueprint,
                            oid); /* its rows have columnstore and policies, too */
}

/* A root that becomes one table has no partitions there. */
static bool is_partitions_own(const Judge *judge, const Relation *relation, const char *fact)
{
    size_t low = 0;
    size_t high = judge->own == NULL ? 0 : rows_count(judge->own);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(rows_text(judge->own, middle, 0), fact);
        if (order == 0)
            return relation != NULL && !relation_is_gathered(relation);
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return false;
}

static bool is_expected(const Judge *judge, const KindRow *kind, const Fact *fact, uint32_t oid)
{
    const CatRelation *table = catalog_relation(judge->blueprint->source, oid);
    const Relation *relation = relation_of(judge->blueprint, table);
    if (kind == NULL || is_made_anew(judge, relation, oid) || ends_with(fact->value, ", invalid"))
        return false;
    if ((kind->flags & (HYPERTABLE | AGGREGATE | JOB)) != 0)
        return is_expected_there(judge, kind, relation, oid);
    if ((kind->flags & NOT_OF_PARTITION) != 0 && table != NULL && table->is_partition &&
        !is_partitions_own(judge, relation, fact->key))
        return false;
    if (is_foreign_key(fact->value) && !takes_foreign_key(judge->blueprint, oid, fact->key))
        return false;
    if (names_renamed(judge->blueprint, fact->key) ||
        ((kind->flags & SEQUENCE) != 0 && !takes_sequence(judge->blueprint, oid)))
        return false;
    return judge->complete || !is_late(judge, kind, fact);
}

/* Whether the definitions mean the same wherever they are printed in the same words. */
static bool is_comparable(const Judge *judge, const KindRow *kind, uint32_t oid)
{
    const CatRelation *table = catalog_relation(judge->blueprint->source, oid);
    const Relation *relation = relation_of(judge->blueprint, table);
    if ((kind->flags & HYPERTABLE) != 0)
        return relation == NULL || is_as_mirrored(judge->blueprint, relation);
    if ((kind->flags & (AGGREGATE | JOB)) != 0)
        return (kind->flags & BY_MAJOR) == 0 || judge->same_major;
    if (judge->blueprint->rename_count > 0 || (relation != NULL && relation->hypertable != NULL))
        return false;
    return ((kind->flags & BY_MAJOR) == 0 || judge->same_major) &&
           ((kind->flags & LATE_DEFINITION) == 0 || judge->complete);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const Fact *)a)->key, ((const Fact *)b)->key);
}

/* How far a definition counts: that a key was not validated, or an index clusters, does not. */
static size_t counted(const char *definition)
{
    static const char *const TAILS[] = {", clustered", " NOT VALID"};
    size_t length = strlen(definition);
    for (size_t i = 0; i < sizeof(TAILS) / sizeof(TAILS[0]); i++)
        if (ends_with(definition, TAILS[i]))
            return length - strlen(TAILS[i]);
    return length;
}

static bool is_same(const char *a, const char *b)
{
    size_t length = counted(a);
    return length == counted(b) && strncmp(a, b, length) == 0;
}

static void judge_fact(Judge *judge, const Fact *fact, uint32_t oid)
{
    const KindRow *kind = kind_of(fact->key);
    if (!is_expected(judge, kind, fact, oid))
        return;
    judge->result->compared++;
    const Fact *there =
        judge->target->count == 0
            ? NULL
            : bsearch(fact, judge->target->items, judge->target->count, sizeof(Fact), by_key);
    if (there == NULL)
        *vec_push(judge->arena, &judge->named) =
            arena_printf(judge->arena, "missing on the target: %s", fact->key);
    else if (is_comparable(judge, kind, oid) && !is_same(fact->value, there->value))
        *vec_push(judge->arena, &judge->named) =
            arena_printf(judge->arena, "not the same: %s: %s on the source, %s on the target",
                         fact->key, fact->value, there->value);
}

void objects_judge(Arena *arena, const Blueprint *blueprint, const FactVec *source,
                   const uint32_t *oids, const FactVec *target, const Rows *own, bool complete,
                   bool same_major, ObjectsResult *result)
{
    *result = (ObjectsResult){0};
    Judge judge = {.arena = arena,
                   .blueprint = blueprint,
                   .target = target,
                   .own = own,
                   .complete = complete,
                   .same_major = same_major,
                   .result = result};
    for (size_t i = 0; i < source->count; i++)
        judge_fact(&judge, &source->items[i], oids[i]);
    result->differences = judge.named.items;
    result->difference_count = judge.named.count;
}

typedef VEC(uint32_t) OidVec;

/* \param blueprint NULL: the target's side, all of it */
static void take_facts(Arena *arena, const Rows *rows, const Blueprint *blueprint, FactVec *facts,
                       OidVec *oids)
{
    for (size_t r = 0; r < rows_count(rows); r++) {
        const char *definition = rows_text(rows, r, 3);
        uint32_t oid = (uint32_t)rows_int64(rows, r, 1);
        const char *key = rows_text(rows, r, 2);
        const KindRow *kind = kind_of(key);
        /* Aggregates are not in the archive. */
        bool aggregate = kind != NULL && (kind->flags & (AGGREGATE | HYPERTABLE)) != 0 &&
                         blueprint != NULL && is_mirrored_view(blueprint, oid);
        if (blueprint != NULL && !aggregate &&
            !blueprint_keeps_object(blueprint, (uint32_t)rows_int64(rows, r, 0), oid))
            continue;
        facts_add(arena, facts, key, definition == NULL ? "" : definition);
        *vec_push(arena, oids) = oid;
    }
}

/* The source's jobs that the run has paused, as an array. */
static const char *resting_jobs(Arena *arena, const Blueprint *blueprint)
{
    AUTO_STR Str text = {0};
    str_append(&text, "{");
    for (size_t i = 0; blueprint != NULL && i < blueprint->paused_job_count; i++)
        str_appendf(&text, "%s%lld", i > 0 ? "," : "", (long long)blueprint->paused_jobs[i]->id);
    str_append(&text, "}");
    return str_dup(arena, &text);
}

static bool read_side(Arena *arena, Conn *conn, const Blueprint *blueprint, bool hypertables,
                      FactVec *facts, OidVec *oids, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    AUTO_ROWS Rows *more = NULL;
    if (!pg_rows(conn, SQL_CATALOG_DEFINITIONS, PARAMS((const char *)NULL), &rows, err))
        return false;
    take_facts(arena, rows, blueprint, facts, oids);
    if (!hypertables)
        return true;
    if (!pg_rows(conn, SQL_VERIFY_HYPERTABLES, PARAMS(resting_jobs(arena, blueprint)), &more, err))
        return false;
    take_facts(arena, more, blueprint, facts, oids);
    return true;
}

bool objects_compare(Arena *arena, const Blueprint *blueprint, Conn *source, Conn *target,
                     bool complete, ObjectsResult *result, Err *err)
{
    FactVec of_source = {0}, of_target = {0};
    OidVec oids = {0}, ignored = {0};
    AUTO_ROWS Rows *own = NULL;
    bool hypertables = blueprint->has_chunked; /* then both sides have the extension */
    if (!read_side(arena, source, blueprint, hypertables, &of_source, &oids, err) ||
        !read_side(arena, target, NULL, hypertables, &of_target, &ignored, err) ||
        !pg_rows(source, SQL_VERIFY_PARTITIONS_OWN, NO_PARAMS, &own, err))
        return false;
    facts_sort(&of_target);
    objects_judge(arena, blueprint, &of_source, oids.items, &of_target, own, complete,
                  conn_version(source) / 10000 == conn_version(target) / 10000, result);
    return true;
}
