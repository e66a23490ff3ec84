/*
 * WayBack: names, journal, and the derived Run.
 */
#include "step/way_back.h"

#include "blueprint/reverse.h"
#include "blueprint/structure.h"
#include "cdc/quiet.h"
#include "step/common.h"

/* Of the slot and the publication on the target: one server may hold both databases. */
#define SUFFIX "_back"

static const char *journal_name(Arena *arena, const Run *run)
{
    return arena_printf(arena, "%s/back", run->plan->name);
}

char *way_back_slot(Arena *arena, const char *plan, const char *mark)
{
    return arena_printf(arena, "godwit_%s_%s" SUFFIX, plan, mark);
}

/* What needs no look at a server. */
static void fill_run(Run *back, Run *run, const char *mark, Arena *arena)
{
    *back = (Run){
        .plan = run->plan,
        .forth = run,
        .source = run->target,
        .target = run->source,
        .stop = run->stop,
        .budget = run->budget,
        .stream_mutex = PTHREAD_MUTEX_INITIALIZER,
        .throttle = THROTTLE(run->plan->verify_rows_per_second),
        .mark = run->mark,
        .exit_at_gate = run->exit_at_gate,
        .log = run->log,
    };
    back->slot_name = way_back_slot(arena, run->plan->name, mark);
    back->publication_name = back->slot_name;
    back->journal = (JournalRun){
        .name = journal_name(arena, run),
        .mark = mark,
        .fingerprint = run->journal.fingerprint,
        .canonical = run->journal.canonical,
        .source_system = run->journal.target_system,
        .target_system = run->journal.source_system,
    };
}

/* A change applied to the source must not fire there what it fired on the target already. */
static bool source_keeps_still(const Blueprint *blueprint, Err *err)
{
    if (!blueprint_keeps_quiet(blueprint))
        return true;
    err_set(err, ERR_RUN, "the source's user cannot set session_replication_role");
    return err_hint(err, "Triggers and foreign keys of the source would act on what comes back.");
}

/* What acts under replica role, too, did so on the target already. */
static bool nothing_unsilenced(const Blueprint *forth, Conn *source, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!quiet_unsilenced(forth, source, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    const Name table = {rows_text(rows, 0, 2), rows_text(rows, 0, 3)};
    err_set(err, ERR_RUN, "%s %s of %s on the source would act on what comes back",
            rows_text(rows, 0, 0), name_part_text(&arena, rows_text(rows, 0, 1)),
            name_text(&arena, &table));
    return err_hint(err, "It is ENABLE ALWAYS or ENABLE REPLICA there; make it a plain one.");
}

static bool derive(Run *run, WayBack *back, Conn *source, Conn *target, Err *err)
{
    fill_run(&back->run, run, run->journal.mark, &back->arena);
    if (!catalog_inspect(&back->from, target, err) || !catalog_inspect(&back->to, source, err) ||
        !catalog_replica_way(&back->to, source, err) ||
        !blueprint_reverse(&back->arena, &back->blueprint, &back->plan, run->blueprint, &back->from,
                           &back->to, err))
        return false;
    back->run.plan = &back->plan;
    back->run.blueprint = &back->blueprint;
    return source_keeps_still(&back->blueprint, err) &&
           nothing_unsilenced(run->blueprint, source, err);
}

bool way_back_find(Run *run, Conn *source, Conn *target, Err *err)
{
    if (run->back != NULL)
        return true;
    WayBack *back = mem_resize(NULL, sizeof(WayBack));
    *back = (WayBack){0};
    if (!derive(run, back, source, target, err)) {
        way_back_free(back);
        return err_context(err, "there is no way back");
    }
    run->back = back;
    return true;
}

static bool find_journal(Arena *arena, const Run *run, Conn *source, JournalRun *found, Err *err)
{
    bool exists = false;
    *found = (JournalRun){0};
    if (!journal_exists(source, &exists, err) ||
        (exists && !journal_find_run(arena, source, journal_name(arena, run), found, err)))
        return false;
    if (run->journal.mark != NULL && found->id != 0 && !text_equal(found->mark, run->journal.mark))
        *found = (JournalRun){0}; /* of another run, between other servers */
    return true;
}

bool way_back_exists(const Run *run, Conn *source, bool *exists, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    JournalRun journal = {0};
    if (!find_journal(&arena, run, source, &journal, err))
        return false;
    *exists = journal.id != 0;
    return true;
}

bool way_back_journal(Run *run, Conn *source, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Run *back = &run->back->run;
    return journal_create(source, err) &&
           journal_create_run(source, &back->journal, GODWIT_VERSION, err) &&
           journal_structure_grow(source, back->journal.id, structure_text(&arena, back->blueprint),
                                  err) &&
           journal_take_epoch(source, back->journal.id, &back->journal.epoch, err);
}

/* The record stays as it was made: what is late is so until the switch. Behind that nothing comes
 * back any more, whatever came to the target. */
static bool join(Run *run, Conn *source, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    WayBack *back = run->back;
    const char *recorded = NULL;
    if (run_is_switched(&back->run))
        return true;
    if (!journal_structure_read(&arena, source, back->run.journal.id, &recorded, err))
        return false;
    NameVec ahead = {0};
    if (recorded != NULL && !reverse_joins(&back->arena, run->blueprint, &back->blueprint,
                                           &back->to, recorded, &back->run.whole, &ahead, err))
        return false;
    if (ahead.count > 0)
        log_warn(&run->log,
                 "partitions came to the target that the source has not: %s; they are empty, and "
                 "the first row of one stops the way back: make them on the source, too, with the "
                 "same bounds (BEGIN READ WRITE; CREATE TABLE ... PARTITION OF ...; COMMIT)",
                 structure_names(&arena, &ahead));
    return true;
}

const char *way_back_look(Arena *arena, const Run *run, Conn *target, Err *err)
{
    Catalog from = {0};
    Blueprint now = {0};
    Plan *plan = arena_new(arena, Plan);
    const char *text = NULL;
    if (catalog_inspect(&from, target, err) &&
        blueprint_reverse(arena, &now, plan, run->blueprint, &from, &run->back->to, err))
        text = structure_text(arena, &now);
    blueprint_release(&now);
    catalog_release(&from);
    return text;
}

bool way_back_peek(Run *run, Conn *source, Conn *target, bool *found, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    JournalRun journal = {0};
    if (!find_journal(&arena, run, source, &journal, err))
        return false;
    *found = journal.id != 0;
    if (!*found)
        return true;
    if (!way_back_find(run, source, target, err))
        return false;
    run->back->run.journal.id = journal.id;
    return true;
}

bool way_back_take(Run *run, Conn *source, Conn *target, bool *found, Err *err)
{
    if (!way_back_peek(run, source, target, found, err))
        return false;
    if (!*found)
        return true;
    Run *back = &run->back->run;
    back->journal.state = "running";
    return join(run, source, err) &&
           journal_take_epoch(source, back->journal.id, &back->journal.epoch, err);
}

bool way_back_drop(Run *run, Conn *source, Conn *target, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    JournalRun journal = {0};
    Run back = {0};
    if (!find_journal(&arena, run, source, &journal, err))
        return false;
    if (journal.id == 0 && run->journal.mark == NULL)
        return true; /* nothing of it is known; its names tell it: cleanup */
    fill_run(&back, run, journal.id != 0 ? journal.mark : run->journal.mark, &arena);
    back.journal.id = journal.id;
    LegEnds ends = {.leg = &back, .from = target, .to = source, .arena = &arena, .log = run->log};
    return leg_drop(&ends, true, err) &&
           (journal.id == 0 || journal_forget_run(source, journal.id, err));
}

void way_back_withdraw(Run *run)
{
    AUTO_CONN Conn *source = NULL;
    AUTO_CONN Conn *target = NULL;
    AUTO_ERR Err err = {0};
    ConnOptions options = {.purpose = "way back", .lock_timeout_ms = 10000};
    if (conn_open(&source, &run->source, &options, &err) &&
        conn_open(&target, &run->target, &options, &err) &&
        way_back_drop(run, source, target, &err))
        return;
    log_err(&run->log, LOG_WARN, &err);
    log_warn(&run->log, "what was prepared for the way back stands still: \"godwit apply\" makes "
                        "it anew, \"godwit cleanup\" drops it");
}

void way_back_free(WayBack *back)
{
    if (back == NULL)
        return;
    blueprint_release(&back->blueprint);
    catalog_release(&back->from);
    catalog_release(&back->to);
    arena_release(&back->run.arena);
    arena_release(&back->arena);
    mem_free(back);
}
