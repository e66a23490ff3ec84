/*
 * Paused: see the header.
 *
 * What fails where: a table is noted as paused before the stream begins that leaves its changes
 * out. It is taken in again in this order: the recorded structure has it, its leaves are to be
 * copied, it is paused no more. Killed in between it is paused still, and nothing is lost: its next
 * copy is under a snapshot behind everything that was left out.
 */
#include "cmd/paused.h"

#include "base/jsontext.h"
#include "base/str.h"
#include "blueprint/structure.h"
#include "cmd/gone.h"
#include "journal/run_state_table.h"

static void json_scope(json_t **json)
{
    json_decref(*json);
}

#define AUTO_JSON __attribute__((cleanup(json_scope))) json_t

/* --- which --- */

/* A table as people name it; that of schema public may be left out. */
static bool is_called(Arena *arena, const Name *table, const char *text)
{
    Name name;
    if (name_parse(arena, text, &name) && name_equal(&name, table))
        return true;
    return name_parse(arena, arena_printf(arena, "public.%s", text), &name) &&
           name_equal(&name, table);
}

static bool is_named(const char *argument, const Name *table)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_JSON *array = json_loads(argument == NULL ? "[]" : argument, 0, NULL);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (text != NULL && is_called(&arena, table, text))
            return true;
    }
    return false;
}

bool paused_read(Session *session, Err *err)
{
    JournalPaused *all = NULL;
    size_t count = 0;
    session->paused = (PausedVec){0};
    session->resumed = (PausedVec){0};
    if (session->journal.id == 0)
        return true;
    if (!journal_paused(&session->arena, session->target, session->journal.id, &all, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool again = is_named(session->resync, &all[i].source);
        *vec_push(&session->arena, again ? &session->resumed : &session->paused) = all[i];
    }
    return true;
}

const char *paused_rest(Session *session, const char *structure)
{
    Arena *arena = &session->arena;
    size_t count = 0;
    Name *names = arena_array(arena, Name, session->paused.count + session->resumed.count + 1);
    for (size_t i = 0; i < session->paused.count; i++)
        names[count++] = session->paused.items[i].source;
    for (size_t i = 0; i < session->resumed.count; i++)
        names[count++] = session->resumed.items[i].source;
    return count == 0 ? structure : structure_without(arena, structure, names, count);
}

/* What the structure says that the table's number was. */
static uint32_t oid_of(Arena *arena, const char *structure, const Name *table)
{
    const char *fact = arena_printf(arena, "table %s\toid ", name_text(arena, table));
    const char *found = strstr(structure, fact);
    return found == NULL ? 0 : (uint32_t)strtoul(found + strlen(fact), NULL, 10);
}

static void add_one(Session *session, const char *recorded, const char *now, const Name *table)
{
    Arena *arena = &session->arena;
    const Relation *relation = blueprint_relation(&session->blueprint, table);
    JournalPaused one = {.source = *table,
                         .target = relation == NULL ? *table : relation->target,
                         .oid = oid_of(arena, recorded, table),
                         .why = structure_diff_of(arena, recorded, now, table)};
    one.target.schema = arena_strdup(arena, one.target.schema);
    one.target.rel = arena_strdup(arena, one.target.rel);
    const char *target = name_text(arena, &one.target);
    bool same = relation != NULL && relation->oid == one.oid;
    one.remedy = same ? structure_remedy(arena, recorded, now, table, &one.target)
                      : arena_printf(arena, "DROP TABLE %s;", target);
    one.remedy = one.remedy == NULL ? "" : one.remedy;
    *vec_push(arena, &session->paused) = one;
}

/* The name on the target of a table that is not there any more cannot be asked of the plan. */
static bool are_known(const Session *session, const NameVec *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        if (session->plan.select.map_count > 0 &&
            blueprint_relation(&session->blueprint, &tables->items[i]) == NULL)
            return false;
    }
    return true;
}

void paused_add(Session *session, const char *recorded, const char *now)
{
    NameVec tables = {0};
    const char *before = paused_rest(session, recorded);
    const char *after = paused_rest(session, now);
    if (!session->plan.ddl.pause_relation ||
        !structure_can_pause(&session->arena, before, after, &tables) ||
        !are_known(session, &tables))
        return;
    for (size_t i = 0; i < tables.count; i++)
        add_one(session, recorded, now, &tables.items[i]);
}

/* --- the plan --- */

/* About tables that are named, or needed, and not selected. */
static bool is_forgiven(const char *code)
{
    static const char *const CODES[] = {"P301", "P303", "P304", "P305", "P306", "P320",
                                        "P330", "P343", "P345", "P347", "P353"};
    for (size_t i = 0; i < sizeof(CODES) / sizeof(CODES[0]); i++) {
        if (text_equal(CODES[i], code))
            return true;
    }
    return false;
}

void paused_forgive(const Session *session, PlanFindings *findings)
{
    size_t kept = 0;
    if (session->paused.count == 0)
        return;
    findings->errors = 0;
    for (size_t i = 0; i < findings->count; i++) {
        if (is_forgiven(findings->items[i].code))
            continue;
        findings->errors += findings->items[i].is_error;
        findings->items[kept++] = findings->items[i];
    }
    findings->count = kept;
}

/* --- the journal --- */

bool paused_note(const Session *session, Err *err)
{
    const LogCtx ctx = {.run = session->plan.name};
    for (size_t i = 0; i < session->paused.count; i++) {
        AUTO_ARENA Arena arena = {0};
        const JournalPaused *one = &session->paused.items[i];
        const char *name = name_text(&arena, &one->source);
        if (!journal_pause(session->target, session->journal.id, one, err))
            return false;
        log_warn(&ctx, "%s is paused, it was altered on the source: %.*s; see \"godwit status\"",
                 name, (int)strcspn(one->why, "\n"), one->why);
    }
    return true;
}

/* --- taking in again --- */

/* The relation that was paused; NULL: it is another table, or none. */
static const Relation *same_table(const Session *session, const JournalPaused *one)
{
    const Relation *relation = blueprint_relation(&session->blueprint, &one->source);
    return relation != NULL && relation->oid == one->oid ? relation : NULL;
}

static bool not_there(const JournalPaused *one, Err *err)
{
    const char *target = name_text(&err->arena, &one->target);
    err_set(err, ERR_STALE, "%s is not on the source any more, or is another table now",
            name_text(&err->arena, &one->source));
    err_detail(err, "What was copied of it is on the target, in %s.", target);
    return err_hint(err,
                    "Drop or rename it there, then run this again: DROP TABLE %s; What has come "
                    "in its stead on the source is taken in by \"godwit refresh\".",
                    target);
}

static bool fits(const Session *session, const JournalPaused *one, const CatRelation *there,
                 Err *err)
{
    AUTO_ARENA Arena arena = {0};
    const char *now = structure_text(&arena, &session->blueprint);
    const char *columns =
        structure_columns(&arena, &session->target_catalog, there->oid, &one->source);
    const char *remedy = structure_remedy(&arena, columns, now, &one->source, &one->target);
    if (remedy == NULL)
        return true;
    const char *target = name_text(&arena, &one->target);
    err_set(err, ERR_STALE, "%s on the target does not have the columns of %s on the source",
            target, name_text(&arena, &one->source));
    err_detail(err, "%s", remedy);
    return err_hint(err,
                    "Do that on the target and run this again; or DROP TABLE %s; there, and it is "
                    "made anew.",
                    target);
}

/* Partitions that went while it was paused, or got another name: nobody has looked for their rows.
 * \param names receives them; the target has none of their rows any more */
static bool partitions_settled(const Session *session, const Relation *relation, Arena *arena,
                               NameVec *names, Err *err)
{
    JournalPartition *known = NULL;
    size_t count = 0;
    NameVec anew = {0};
    StructurePartitions lost = {0};
    int64_t run = session->journal.id;
    if (!journal_partitions(arena, session->target, run, &known, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const Leaf *leaf = blueprint_leaf(&session->blueprint, known[i].oid);
        if (known[i].root != relation->oid || known[i].gone ||
            (leaf != NULL && name_equal(&leaf->source, &known[i].source)))
            continue;
        *vec_push(arena, &lost) =
            (StructurePartition){.name = known[i].source, .is_gone = true, .oid = known[i].oid};
        *vec_push(arena, names) = known[i].source;
    }
    for (size_t i = 0; i < relation->leaf_count; i++)
        *vec_push(arena, &anew) = relation->leaves[i]->source;
    const GoneCtx ctx = {
        .blueprint = &session->blueprint, .target = session->target, .run = run, .anew = &anew};
    return lost.count == 0 || gone_settled(&ctx, &lost, err);
}

static bool may_resume_one(const Session *session, const JournalPaused *one, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    NameVec gone = {0};
    const Relation *relation = same_table(session, one);
    const CatRelation *there = catalog_relation_named(&session->target_catalog, &one->target);
    if (there == NULL)
        return true;
    if (relation == NULL)
        return not_there(one, err);
    return fits(session, one, there, err) &&
           partitions_settled(session, relation, &arena, &gone, err);
}

bool paused_may_resume(const Session *session, Err *err)
{
    for (size_t i = 0; i < session->resumed.count; i++) {
        if (!may_resume_one(session, &session->resumed.items[i], err))
            return false;
    }
    return true;
}

static bool resume(const Session *session, const JournalPaused *one, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    NameVec leaves = {0};
    NameVec gone = {0};
    int64_t run = session->journal.id;
    const Relation *relation = same_table(session, one);
    const CatRelation *there = catalog_relation_named(&session->target_catalog, &one->target);
    for (size_t i = 0; relation != NULL && i < relation->leaf_count; i++)
        *vec_push(&arena, &leaves) = relation->leaves[i]->source;
    if (relation == NULL)
        *vec_push(&arena, &leaves) = one->source;
    if (relation != NULL && there != NULL)
        return partitions_settled(session, relation, &arena, &gone, err) &&
               journal_leaves_gone(session->target, run, gone.items, gone.count, err) &&
               journal_leaves_again(session->target, run, leaves.items, leaves.count, err);
    return journal_leaves_gone(session->target, run, leaves.items, leaves.count, err);
}

bool paused_resume(const Session *session, Err *err)
{
    const LogCtx ctx = {.run = session->plan.name};
    for (size_t i = 0; i < session->resumed.count; i++) {
        AUTO_ARENA Arena arena = {0};
        const JournalPaused *one = &session->resumed.items[i];
        if (!resume(session, one, err) ||
            !journal_resume(session->target, session->journal.id, &one->source, err))
            return false;
        log_info(&ctx, "%s is paused no more", name_text(&arena, &one->source));
    }
    return true;
}

/* --- the stream --- */

void paused_oids(Session *session)
{
    Blueprint *blueprint = &session->blueprint;
    const Catalog *source = &session->source_catalog;
    size_t room = blueprint->left_out_count + session->paused.count + source->relations_count;
    uint32_t *oids = arena_array(&session->arena, uint32_t, room + 1);
    size_t count = blueprint->left_out_count;
    if (session->paused.count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        oids[i] = blueprint->left_out[i];
    for (size_t p = 0; p < session->paused.count; p++) {
        oids[count++] = session->paused.items[p].oid;
        for (size_t i = 0; i < source->relations_count; i++) {
            const CatRelation *one = &source->relations[i];
            if (one->is_partition && one->root == session->paused.items[p].oid)
                oids[count++] = one->oid;
        }
    }
    blueprint->left_out = oids;
    blueprint->left_out_count = count;
}

bool paused_by_stream(Session *session, const Run *run, const Relation *relation, const Err *why)
{
    AUTO_ERR Err err = {0};
    AUTO_ARENA Arena arena = {0};
    if (relation == NULL || !run->plan->ddl.pause_relation || relation->merge != NULL ||
        run->blueprint->relation_count < 2 || !text_equal(run->journal.state, RUN_RUNNING))
        return false;
    const JournalPaused one = {.source = relation->source,
                               .target = relation->target,
                               .oid = relation->oid,
                               .why = why->detail != NULL ? why->detail : why->message,
                               .remedy = ""};
    bool ok = session_mend(session, &err) &&
              journal_pause(session->target, run->journal.id, &one, &err) &&
              journal_finding(session->target, run->journal.id, err_code_name(ERR_DRIFT), "error",
                              name_text(&arena, &relation->source), one.why, &err);
    if (!ok)
        log_err(&run->log, LOG_WARN, &err);
    else
        log_warn(&run->log, "%s is paused: the stream holds it in another structure",
                 name_text(&arena, &relation->source));
    return ok;
}
