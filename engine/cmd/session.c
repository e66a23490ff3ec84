/*
 * Session: plan, endpoints, connections, catalogs, blueprint, journal.
 */
#include "cmd/session.h"

#include "base/digest.h"
#include "base/str.h"
#include "blueprint/structure.h"
#include "cmd/paused.h"
#include "cmd/pinned.h"
#include "journal/run_state_table.h"
#include "pg/query.h"
#include "sql_text.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define SESSION_LOCK_TIMEOUT_MS 10000
#define MARK_CHARS              8

static void print_findings(const Plan *plan, const PlanFindings *findings)
{
    AUTO_ARENA Arena arena = {0};
    for (size_t i = 0; i < findings->count; i++)
        fprintf(stderr, "%s\n",
                plan_finding_text(&arena, plan, &findings->items[i], STDERR_FILENO));
}

bool session_plan(Session *session, const char *path, Err *err)
{
    if (session->stop.fd == 0 && !stop_init(&session->stop, err))
        return false;
    if (pinned_is(path)) {
        session->pinned = arena_new(&session->arena, Pinned);
        if (!pinned_read(&session->arena, path, session->pinned, err))
            return false;
    }
    const Pinned *pinned = session->pinned;
    bool ok = pinned == NULL ? plan_load(&session->plan, path, &session->findings, err)
                             : plan_load_from(&session->plan, pinned->plan_file, pinned->plan_text,
                                              &session->findings, err);
    print_findings(&session->plan, &session->findings);
    return ok;
}

/* --- endpoints --- */

/* What libpq would go on without, to ask for a password later. Source: libpq, The Password File. */
static bool may_use_passfile(const char *path, ConnSide side, Err *err)
{
    struct stat file;
    const char *name = conn_side_name(side);
    if (path == NULL)
        return true;
    if (stat(path, &file) != 0 || access(path, R_OK) != 0)
        return err_set(err, ERR_CONNECT, "%s.passfile \"%s\" cannot be read: %s", name, path,
                       strerror(errno));
    if (!S_ISREG(file.st_mode))
        return err_set(err, ERR_CONNECT, "%s.passfile \"%s\" is no regular file", name, path);
    if ((file.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return true;
    err_set(err, ERR_CONNECT, "%s.passfile \"%s\" is open to others (mode %04o)", name, path,
            (unsigned)file.st_mode & 07777U);
    return err_hint(err, "chmod 0600 it; libpq takes no password from such a file.");
}

static bool resolve(Session *session, const PlanEndpoint *from, ConnSide side, Endpoint *endpoint,
                    Err *err)
{
    *endpoint = (Endpoint){.side = side, .passfile = from->passfile, .run = session->plan.name};
    if (side == CONN_TARGET && session->lock != NULL) /* of an engine that begins anew */
        endpoint->guard = run_lock_guard(session->lock);
    if (!may_use_passfile(from->passfile, side, err))
        return false;
    if (from->conninfo != NULL) {
        endpoint->conninfo = from->conninfo;
    } else if (from->service != NULL) {
        endpoint->conninfo = arena_printf(&session->arena, "service=%s", from->service);
    } else {
        endpoint->conninfo = arena_strdup(&session->arena, getenv(from->conninfo_env));
        if (endpoint->conninfo == NULL || *endpoint->conninfo == '\0') {
            err_set(err, ERR_CONNECT,
                    "the variable %s, which the plan names for the %s, is not set",
                    from->conninfo_env, conn_side_name(side));
            return err_hint(err, "export %s='host=... port=... dbname=... user=...'",
                            from->conninfo_env);
        }
    }
    return true;
}

static bool check_expect(Session *session, const PlanExpect *expect, const Endpoint *endpoint,
                         Err *err)
{
    const char *host = NULL;
    const char *port = NULL;
    const char *dbname = NULL;
    if (!endpoint_describe(&session->arena, endpoint, &host, &port, &dbname, err))
        return false;
    const char *want_port = arena_int64(&session->arena, expect->port);
    const char *side = conn_side_name(endpoint->side);
    if (expect->host != NULL && !text_equal(expect->host, host))
        return err_set(err, ERR_STALE, "the %s is host \"%s\", the plan expects \"%s\"", side, host,
                       expect->host);
    if (expect->port != 0 && !text_equal(want_port, *port != '\0' ? port : "5432"))
        return err_set(err, ERR_STALE, "the %s is port %s, the plan expects %s", side, port,
                       want_port);
    if (expect->dbname != NULL && !text_equal(expect->dbname, dbname))
        return err_set(err, ERR_STALE, "the %s is database \"%s\", the plan expects \"%s\"", side,
                       dbname, expect->dbname);
    return true;
}

static bool open_main(Session *session, ConnSide side, bool read_only, Conn **conn, Err *err)
{
    const Endpoint *endpoint =
        side == CONN_SOURCE ? &session->source_endpoint : &session->target_endpoint;
    ConnOptions options = {.purpose = "main",
                           .read_only = read_only,
                           .lock_timeout_ms = SESSION_LOCK_TIMEOUT_MS,
                           .stop = &session->stop};
    return conn_open(conn, endpoint, &options, err);
}

static bool open_side(Session *session, const PlanEndpoint *from, ConnSide side, bool read_only,
                      Err *err)
{
    Endpoint *endpoint =
        side == CONN_SOURCE ? &session->source_endpoint : &session->target_endpoint;
    Conn **conn = side == CONN_SOURCE ? &session->source : &session->target;
    return resolve(session, from, side, endpoint, err) &&
           check_expect(session, &from->expect, endpoint, err) &&
           open_main(session, side, read_only, conn, err);
}

bool session_connect(Session *session, bool source, bool target, bool read_only, Err *err)
{
    if (source && !open_side(session, &session->plan.source, CONN_SOURCE, true, err))
        return false;
    return !target || open_side(session, &session->plan.target, CONN_TARGET, read_only, err);
}

bool session_mend(Session *session, Err *err)
{
    Conn *fresh = NULL;
    if (conn_is_ok(session->target))
        return true;
    if (!open_main(session, CONN_TARGET, false, &fresh, err))
        return false;
    conn_close(session->target);
    session->target = fresh;
    return true;
}

bool session_journal(Session *session, Err *err)
{
    if (!journal_exists(session->target, &session->has_journal, err))
        return false;
    return !session->has_journal || journal_find_run(&session->arena, session->target,
                                                     session->plan.name, &session->journal, err);
}

bool session_catalogs(Session *session, Err *err)
{
    if (session->source_catalog.server.database != NULL)
        return true; /* read already */
    return catalog_inspect(&session->source_catalog, session->source, err) &&
           catalog_inspect(&session->target_catalog, session->target, err);
}

/* What a selector matched when the run began is compared as structure; an excluded table that was
 * dropped since is nobody's loss. */
static void forgive(PlanSelectors *selectors)
{
    for (size_t i = 0; i < selectors->count; i++)
        selectors->items[i].optional = true;
}

/* Nor is the name that a partition had on the target. */
static void forgive_names(PlanSelect *select)
{
    for (size_t i = 0; i < select->map_count; i++)
        select->map[i].source.optional = true;
}

static bool goes_on(const Session *session)
{
    return text_equal(session->journal.state, RUN_RUNNING) ||
           text_equal(session->journal.state, RUN_CUTOVER);
}

/* With a table that is taken in again comes what it needs. */
static void without_sequences(const Session *session, NameVec *added)
{
    size_t kept = 0;
    for (size_t i = 0; i < added->count; i++) {
        const CatRelation *one = catalog_relation_named(&session->source_catalog, &added->items[i]);
        if (one == NULL || one->kind != 'S')
            added->items[kept++] = added->items[i];
    }
    added->count = kept;
}

/* What the source got since the run began, and what was altered. An object that is nothing but new
 * is no reason to stop what is there; whether the cutover may come is decided then, with all of it.
 */
static bool look_behind(Session *session, NameVec *added, Err *err)
{
    const char *recorded = NULL;
    const char *now = structure_text(&session->arena, &session->blueprint);
    *added = (NameVec){0};
    if (!paused_read(session, err))
        return false;
    if (session->journal.id == 0 || !goes_on(session))
        return true;
    if (!journal_structure_read(&session->arena, session->target, session->journal.id, &recorded,
                                err))
        return false;
    if (recorded == NULL)
        return true;
    paused_add(session, recorded, now);
    if (!session->take_added)
        *added = structure_moves(&session->arena, paused_rest(session, recorded),
                                 paused_rest(session, now))
                     .added;
    if (session->resumed.count > 0)
        without_sequences(session, added);
    return true;
}

static bool build_once(Session *session, const NameVec *left_out, PlanFindings *findings, Err *err)
{
    PlanSelectors *exclude = &session->plan.select.exclude;
    const PlanSelectors as_planned = *exclude;
    exclude->items = arena_array(&session->arena, PlanSelector, exclude->count + left_out->count);
    for (size_t i = 0; i < as_planned.count; i++)
        exclude->items[i] = as_planned.items[i];
    for (size_t i = 0; i < left_out->count; i++) {
        const Name *name = &left_out->items[i];
        exclude->items[exclude->count++] =
            (PlanSelector){.selector = {.text = name_text(&session->arena, name), .name = *name},
                           .optional = true};
    }
    bool ok = blueprint_build(&session->blueprint, &session->plan, &session->source_catalog,
                              &session->target_catalog, findings, err);
    *exclude = as_planned;
    return ok || err->code == ERR_PLAN;
}

static void name_paused(Session *session)
{
    Blueprint *blueprint = &session->blueprint;
    Name *paused = arena_array(&session->arena, Name, session->paused.count + 1);
    Name *resumed = arena_array(&session->arena, Name, session->resumed.count + 1);
    for (size_t i = 0; i < session->paused.count; i++)
        paused[i] = session->paused.items[i].source;
    for (size_t i = 0; i < session->resumed.count; i++)
        resumed[i] = session->resumed.items[i].source;
    blueprint->paused = paused;
    blueprint->paused_count = session->paused.count;
    blueprint->resumed = resumed;
    blueprint->resumed_count = session->resumed.count;
}

static bool build(Session *session, PlanFindings *findings, Err *err)
{
    NameVec left_out = {0};
    if (!build_once(session, &left_out, findings, err))
        return false;
    err_release(err); /* blueprint_probe() counts all findings */
    if (!look_behind(session, &left_out, err))
        return false;
    session->left_out = left_out.count == 0 ? NULL : structure_names(&session->arena, &left_out);
    for (size_t i = 0; i < session->paused.count; i++)
        *vec_push(&session->arena, &left_out) = session->paused.items[i].source;
    if (left_out.count > 0) {
        blueprint_release(&session->blueprint);
        *findings = (PlanFindings){0};
        if (!build_once(session, &left_out, findings, err))
            return false;
        err_release(err);
    }
    paused_forgive(session, findings);
    name_paused(session);
    return true;
}

/* A job that the run itself has paused is one that is scheduled: so it is made on the target, and
 * so it is when the run ends. */
static bool remember_jobs(Session *session, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    Catalog *source = &session->source_catalog;
    if (session->journal.id == 0 || source->jobs_count == 0)
        return true;
    if (!pg_rows(session->target, SQL_JOURNAL_SOURCE_JOBS,
                 PARAMS(arena_int64(&session->arena, session->journal.id)), &rows, err))
        return false;
    for (size_t i = 0; i < source->jobs_count; i++)
        for (size_t r = 0; r < rows_count(rows); r++)
            if (source->jobs[i].id == rows_int64(rows, r, 0))
                source->jobs[i].scheduled = true;
    return true;
}

bool session_inspect(Session *session, Err *err)
{
    PlanFindings findings = {0};
    if (!session_catalogs(session, err) || !remember_jobs(session, err))
        return false;
    if (session->journal.id != 0) {
        forgive(&session->plan.select.schemas);
        forgive(&session->plan.select.tables);
        forgive(&session->plan.select.exclude);
        forgive_names(&session->plan.select);
    }
    bool ok = build(session, &findings, err) &&
              blueprint_probe(&session->blueprint, session->source, &findings, err);
    print_findings(&session->plan, &findings);
    return ok;
}

bool session_tools(Session *session, Err *err)
{
    PgTools *tools = &session->tools;
    if (!tools_find(&session->arena, &session->plan, conn_version(session->source),
                    conn_version(session->target), tools, err))
        return false;
    log_info(&(LogCtx){.run = session->plan.name}, "the schema is read by %s %d.%d", tools->pg_dump,
             tools->version, tools->minor);
    return true;
}

bool session_lock(Session *session, Err *err)
{
    LockHolder holder = {0};
    if (!run_lock_take(&session->arena, &session->lock, &session->target_endpoint,
                       session->plan.name, &session->stop, &holder, err))
        return false;
    session->target_endpoint.guard = run_lock_guard(session->lock);
    return true;
}

void session_unlock(Session *session)
{
    session->target_endpoint.guard = NULL;
    run_lock_free(session->lock);
    session->lock = NULL;
}

const char *session_system(Arena *arena, const Catalog *catalog)
{
    const char *system = catalog->server.system_identifier;
    return arena_printf(arena, "%s/%s", system != NULL ? system : "unknown",
                        catalog->server.database);
}

/* The mark is derived, not drawn: `plan` prints the names that `apply` will use. */
static const char *derive_mark(Session *session, const Catalog *source, const Catalog *target)
{
    const char *text = arena_printf(&session->arena, "%s|%s|%s", session->plan.name,
                                    session_system(&session->arena, source),
                                    session_system(&session->arena, target));
    char *hex = digest_hex(&session->arena, text, strlen(text));
    hex[MARK_CHARS] = '\0';
    return hex;
}

bool session_mark(Session *session, const char **mark, Err *err)
{
    Catalog source = {0};
    Catalog target = {0};
    *mark = session->journal.id != 0 ? session->journal.mark : NULL;
    if (*mark != NULL || session->source == NULL)
        return true;
    bool ok = catalog_identify(&source, session->source, err) &&
              catalog_identify(&target, session->target, err);
    if (ok)
        *mark = derive_mark(session, &source, &target);
    catalog_release(&source);
    catalog_release(&target);
    return ok;
}

void session_run(Session *session, Run *run)
{
    const Plan *plan = &session->plan;
    if (session->journal.id == 0) {
        session->journal.name = plan->name;
        session->journal.mark =
            derive_mark(session, &session->source_catalog, &session->target_catalog);
        session->journal.fingerprint = plan->fingerprint;
        session->journal.canonical = plan->canonical;
        session->journal.source_system = session_system(&session->arena, &session->source_catalog);
        session->journal.target_system = session_system(&session->arena, &session->target_catalog);
    }
    *run = (Run){
        .plan = plan,
        .blueprint = &session->blueprint,
        .journal = session->journal,
        .source = session->source_endpoint,
        .target = session->target_endpoint,
        .stop = &session->stop,
        .budget = arena_new(&session->arena, Budget),
        .stream_mutex = PTHREAD_MUTEX_INITIALIZER,
        .throttle = THROTTLE(plan->verify_rows_per_second),
        .pg_dump = session->tools.pg_dump,
        .pg_restore = session->tools.pg_restore,
        .log = {.run = plan->name},
    };
    BudgetNeeds needs = plan_budget_needs(plan, session->blueprint.leaf_count);
    if (!budget_begin(run->budget, plan->memory_bytes, &needs)) /* found by G150 before a run */
        log_debug(&run->log, "limits.memory is too small for what was read");
    run->slot_name =
        arena_printf(&session->arena, "godwit_%s_%s", plan->name, session->journal.mark);
    run->publication_name = run->slot_name;
    run->mark = arena_printf(&session->arena, "godwit %s %s", plan->name, session->journal.mark);
}

/* Keys that change how the run goes, not what it moves. */
static bool is_safe_change(const char *line)
{
    static const char *const SAFE[] = {"copy.",
                                       "limits.",
                                       "cutover.",
                                       "apply.on_conflict",
                                       "apply.lanes",
                                       "ddl.",
                                       "tools.",
                                       "replication.heartbeat",
                                       "source.max_connections",
                                       "target.max_connections",
                                       "replication.slot",
                                       "waive",
                                       "attest"};
    if (text_starts_with(line, "copy.data")) /* which rows are on the target follows from it */
        return false;
    for (size_t i = 0; i < sizeof(SAFE) / sizeof(SAFE[0]); i++) {
        if (text_starts_with(line, SAFE[i]))
            return true;
    }
    return false;
}

/* What the selection comes to is compared as structure: here it may be written in another way. */
static bool is_selection(const char *line)
{
    return text_starts_with(line, "select.schemas") || text_starts_with(line, "select.tables") ||
           text_starts_with(line, "select.exclude");
}

static bool plan_changed(Session *session, SessionChanges changes, Err *err)
{
    char *diff = plan_diff(&session->arena, session->journal.canonical, session->plan.canonical);
    bool safe = true;
    char *save = NULL;
    char *lines = arena_strdup(&session->arena, diff);
    for (char *line = strtok_r(lines, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save))
        safe = safe && (is_safe_change(line) || (changes == CHANGES_ADDED && is_selection(line)));
    if (changes != CHANGES_REFUSED && safe)
        return true;
    err_set(err, ERR_STALE, "the plan changed since run \"%s\" began (%.12s then, %.12s now)",
            session->plan.name, session->journal.fingerprint, session->plan.fingerprint);
    err_detail(err, "%s", diff);
    if (safe)
        return err_hint(err, "Only keys changed that are safe to change: --accept-changes goes on "
                             "with the new plan.");
    return err_hint(err, "Go on with the plan of the run, or \"godwit reset\" and begin again.");
}

static bool is_same(Session *session, const Catalog *catalog, Err *err)
{
    bool source = catalog->side == CONN_SOURCE;
    const char *began = source ? session->journal.source_system : session->journal.target_system;
    const char *found = session_system(&session->arena, catalog);
    return text_equal(began, found) ||
           err_set(err, ERR_STALE, "run \"%s\" began with %s %s, this is %s", session->plan.name,
                   conn_side_name(catalog->side), began, found);
}

bool session_same_systems(Session *session, Err *err)
{
    return is_same(session, &session->source_catalog, err) &&
           is_same(session, &session->target_catalog, err);
}

static bool is_same_server(Session *session, Conn *conn, Err *err)
{
    Catalog catalog = {0};
    bool ok = catalog_identify(&catalog, conn, err) && is_same(session, &catalog, err);
    catalog_release(&catalog);
    return ok;
}

bool session_same_servers(Session *session, Err *err)
{
    return session->journal.id == 0 ||
           ((session->source == NULL || is_same_server(session, session->source, err)) &&
            (session->target == NULL || is_same_server(session, session->target, err)));
}

static bool same_plan(const Session *session)
{
    return text_equal(session->journal.fingerprint, session->plan.fingerprint);
}

bool session_may_change(Session *session, SessionChanges changes, Err *err)
{
    return session_same_systems(session, err) &&
           (same_plan(session) || plan_changed(session, changes, err));
}

bool session_same_run(Session *session, SessionChanges changes, Err *err)
{
    return session_may_change(session, changes, err) &&
           (same_plan(session) ||
            journal_accept_plan(session->target, &session->journal, &session->plan, err));
}

bool session_renew(Session *session, Err *err)
{
    const char *path = arena_strdup(&session->arena, session->plan.path);
    conn_close(session->source);
    conn_close(session->target);
    blueprint_release(&session->blueprint);
    catalog_release(&session->source_catalog);
    catalog_release(&session->target_catalog);
    plan_release(&session->plan);
    session->source = NULL;
    session->target = NULL;
    session->journal = (JournalRun){0};
    return session_plan(session, path, err);
}

bool session_can_ask(void)
{
    return isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
}

bool session_confirm(const Options *options, const char *question, Err *err)
{
    if (options->yes)
        return true;
    if (!session_can_ask()) {
        err_set(err, ERR_USAGE, "this needs a yes, and there is no terminal to ask on");
        return err_hint(err, "%s If you mean it, add --yes.", question);
    }
    fprintf(stderr, "%s [yes/no] ", question);
    char answer[8] = "";
    if (fgets(answer, sizeof(answer), stdin) != NULL && strcmp(answer, "yes\n") == 0)
        return true;
    return err_set(err, ERR_USAGE, "not confirmed; nothing changed");
}

void session_release(Session *session)
{
    session_unlock(session);
    conn_close(session->source);
    conn_close(session->target);
    blueprint_release(&session->blueprint);
    catalog_release(&session->source_catalog);
    catalog_release(&session->target_catalog);
    plan_release(&session->plan);
    if (session->stop.fd > 0)
        stop_release(&session->stop);
    arena_release(&session->arena);
}
