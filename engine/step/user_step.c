/*
 * Step `step`: the user's own steps, placed by `needs` and `before`. Each is done once in a run;
 * the journal's row decides, and what a dead engine left behind as `running` is judged before
 * anything is run again:
 *
 *     done_if          it is asked
 *     sql, target      the row and the effect share a transaction: not done
 *     sql, source      the transaction's number is in the row: the source says what became of it
 *     verify           repeated
 *     else             nobody knows: the operator says (--step-done, --step-again)
 */
#include "base/str.h"
#include "hook/notify.h"
#include "hook/statement.h"
#include "plan/step_names.h"
#include "plan/suggest.h"
#include "sql_text.h"
#include "step/builder.h"
#include "step/common.h"
#include "step/user_step.h"

#define TRANSACTION "transaction "

extern const StepKind STEP_USER_STEP;
static const StepKind KINDS[PHASE_COUNT];

/* --- its place in the graph ------------------------------------------------------------------ */

typedef struct Placing {
    StepBuilder *builder;
    const Blueprint *blueprint;
    const PlanSteps *plan;
    bool *open; /* its phase is being asked */
} Placing;

static const PlanStep *find_given(const PlanSteps *steps, const char *id)
{
    for (size_t i = 0; i < steps->count; i++) {
        if (text_equal(steps->items[i].id, id))
            return &steps->items[i];
    }
    return NULL;
}

/* A step or hook of the plan. */
static Step *find_own(const Placing *placing, const char *id)
{
    for (size_t i = 0; i < placing->builder->steps.count; i++) {
        Step *step = placing->builder->steps.items[i];
        if ((step->kind->flags & (STEP_USER | STEP_HOOK)) != 0 && text_equal(step->id, id))
            return step;
    }
    return NULL;
}

static const StepName *find_name(const StepName *names, const char *word)
{
    size_t length = strcspn(word, ":");
    for (; names->name != NULL; names++) {
        if (strlen(names->name) == length && strncmp(names->name, word, length) == 0)
            return names;
    }
    return NULL;
}

static int phase_of_step(const Placing *placing, const PlanStep *step);

static int phase_of(const Placing *placing, const char *word)
{
    const PlanStep *given = find_given(placing->plan, word);
    const StepName *phase = find_name(STEP_PHASE_NAMES, word);
    const StepName *kind = find_name(STEP_KIND_NAMES, word);
    if (given != NULL)
        return phase_of_step(placing, given);
    if (phase != NULL && strchr(word, ':') == NULL)
        return phase->phase;
    return kind != NULL ? kind->phase : PHASE_CUTOVER; /* a hook */
}

/* Behind the last thing that it needs; else where the first that waits for it is. A circle has no
 * phase: it is found and printed when the steps are ordered. */
static int phase_of_step(const Placing *placing, const PlanStep *step)
{
    bool *open = &placing->open[step - placing->plan->items];
    int phase = step->action == PLAN_STEP_VERIFY ? PHASE_CATCHUP : -1;
    if (*open)
        return PHASE_PREFLIGHT;
    *open = true;
    for (size_t i = 0; i < step->needs_count; i++) {
        int needed = phase_of(placing, step->needs[i]);
        phase = needed > phase ? needed : phase;
    }
    int first = step->before_count > 0 && phase < 0 ? PHASE_FINISH : -1;
    for (size_t i = 0; i < step->before_count && phase < 0; i++) {
        int waiting = phase_of(placing, step->before[i]);
        first = waiting < first ? waiting : first;
    }
    *open = false;
    phase = phase < 0 ? first : phase;
    return phase < 0 ? PHASE_PREFLIGHT : phase;
}

static bool unknown_word(const Placing *placing, const PlanStep *step, const char *key,
                         const char *word, Err *err)
{
    Suggest suggest = suggest_begin(word);
    for (size_t i = 0; i < placing->plan->count; i++)
        suggest_offer(&suggest, placing->plan->items[i].id);
    for (const StepName *name = STEP_PHASE_NAMES; name->name != NULL; name++)
        suggest_offer(&suggest, name->name);
    for (const StepName *name = STEP_KIND_NAMES; name->name != NULL; name++)
        suggest_offer(&suggest, name->name);
    err_set(err, ERR_PLAN, "step \"%s\": there is no step, kind of step or phase \"%s\" (%s)",
            step->id, word, key);
    err->line = step->pos.line;
    err->column = step->pos.column;
    if (suggest.best != NULL)
        return err_hint(err, "Did you mean \"%s\"?", suggest.best);
    return err_hint(err, "\"godwit graph\" lists the steps.");
}

/* An object's step ("copy:public.orders") is known only where the servers were read. */
static bool is_object_of_kind(const Placing *placing, const char *word)
{
    if (strchr(word, ':') == NULL || find_name(STEP_KIND_NAMES, word) == NULL)
        return false;
    for (size_t i = 0; i < placing->builder->steps.count; i++) {
        if (text_equal(placing->builder->steps.items[i]->id, word))
            return true;
    }
    const Catalog *source = placing->blueprint->source;
    return source == NULL || source->server.database == NULL;
}

static bool place_behind(const Placing *placing, Step *step, const PlanStep *given,
                         const char *word, Err *err)
{
    Step *own = find_own(placing, word);
    const StepName *phase = find_name(STEP_PHASE_NAMES, word);
    if (own != NULL)
        step_needs(placing->builder, step, own);
    else if (is_object_of_kind(placing, word))
        step_needs_id(placing->builder, step, word);
    else if (strchr(word, ':') != NULL)
        return unknown_word(placing, given, "needs", word, err);
    else if (phase != NULL)
        step_needs_phase(placing->builder, step, (StepPhase)phase->phase);
    else if (find_name(STEP_KIND_NAMES, word) != NULL)
        step_needs_kind(placing->builder, step, word);
    else
        return unknown_word(placing, given, "needs", word, err);
    return true;
}

static bool is_meant(const Step *other, const char *word)
{
    return text_equal(other->id, word) ||
           ((other->kind->flags & (STEP_USER | STEP_ON_ROLLBACK)) == 0 &&
            text_equal(other->kind->name, word));
}

static bool place_before(const Placing *placing, Step *step, const PlanStep *given,
                         const char *word, Err *err)
{
    bool of_object = strchr(word, ':') != NULL;
    const StepName *phase = of_object ? NULL : find_name(STEP_PHASE_NAMES, word);
    bool known = find_own(placing, word) != NULL || is_object_of_kind(placing, word) ||
                 (!of_object && find_name(STEP_KIND_NAMES, word) != NULL) || phase != NULL;
    if (!known)
        return unknown_word(placing, given, "before", word, err);
    if (phase != NULL) {
        step_before_phase(placing->builder, step, (StepPhase)phase->phase);
        return true;
    }
    for (size_t i = 0; i < placing->builder->steps.count; i++) {
        Step *other = placing->builder->steps.items[i];
        if (other != step && is_meant(other, word))
            step_needs(placing->builder, other, step);
    }
    return true;
}

static bool place(const Placing *placing, Step *step, const PlanStep *given, Err *err)
{
    for (size_t i = 0; i < given->needs_count; i++) {
        if (!place_behind(placing, step, given, given->needs[i], err))
            return false;
    }
    for (size_t i = 0; i < given->before_count; i++) {
        if (!place_before(placing, step, given, given->before[i], err))
            return false;
    }
    /* Rows can be compared once they are followed, and before the source is history. */
    if (given->action == PLAN_STEP_VERIFY)
        step_needs_kind(placing->builder, step, "catchup");
    return (given->action != PLAN_STEP_VERIFY ||
            place_before(placing, step, given, "cutover.switch", err)) &&
           place_before(placing, step, given, "end", err);
}

static bool expand(StepBuilder *builder, const Blueprint *blueprint, Err *err)
{
    const PlanSteps *plan = &blueprint->plan->steps;
    Placing placing = {.builder = builder,
                       .blueprint = blueprint,
                       .plan = plan,
                       .open = arena_array(builder->arena, bool, plan->count)};
    Step **steps = arena_array(builder->arena, Step *, plan->count);
    for (size_t i = 0; i < plan->count; i++) {
        int phase = phase_of_step(&placing, &plan->items[i]);
        steps[i] = step_add(builder, &KINDS[phase], NULL, &plan->items[i], 0);
        steps[i]->id = plan->items[i].id;
        step_at(steps[i], plan->items[i].pos);
    }
    for (size_t i = 0; i < plan->count; i++) {
        if (!place(&placing, steps[i], &plan->items[i], err))
            return false;
    }
    return true;
}

/* --- what is known of it --------------------------------------------------------------------- */

static bool unknown_outcome(StepCtx *ctx, Observation *observation)
{
    observation->state = OBSERVED_IMPOSSIBLE;
    observation->reason = arena_printf(
        ctx->arena,
        "it was running when its engine died, and nobody knows how far it came: look, then go on "
        "with \"godwit apply --step-done %s\" (it is done) or \"--step-again %s\" (run it again)",
        ctx->step->id, ctx->step->id);
    return true;
}

/* The source remembers what became of a transaction. */
static bool judge_transaction(StepCtx *ctx, const char *detail, Observation *observation, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (detail == NULL || !text_starts_with(detail, TRANSACTION))
        return true; /* its COMMIT was never sent */
    const char *number = detail + strlen(TRANSACTION);
    if (!pg_one(ctx->source, "SELECT pg_catalog.txid_status($1::bigint)", PARAMS(number), &rows,
                err))
        return false;
    const char *status = rows_text(rows, 0, 0);
    if (text_equal(status, "committed")) {
        observation->state = OBSERVED_SATISFIED;
    } else if (text_equal(status, "in progress")) {
        observation->state = OBSERVED_IMPOSSIBLE;
        observation->reason = arena_printf(
            ctx->arena, "its transaction %s of an earlier engine is still open on the source",
            number);
    } else if (!text_equal(status, "aborted")) {
        return unknown_outcome(ctx, observation);
    }
    return true;
}

static bool judge_running(StepCtx *ctx, const char *detail, Observation *observation, Err *err)
{
    const PlanStep *given = ctx->step->object;
    const char *text = NULL;
    if (given->done_if_sql != NULL || given->action == PLAN_STEP_VERIFY)
        return true;
    if (given->action == PLAN_STEP_COMMAND)
        return unknown_outcome(ctx, observation);
    if (!hook_sql_text(ctx->arena, ctx->run->plan, given, &text, err))
        return false;
    if (sql_is_no_transaction(text))
        return unknown_outcome(ctx, observation);
    return given->sql_server == PLAN_ON_TARGET || judge_transaction(ctx, detail, observation, err);
}

static bool observe(StepCtx *ctx, Observation *observation, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    observation->state = OBSERVED_NEEDED;
    if (ctx->run->journal.id == 0)
        return true;
    if (!pg_rows(ctx->target, SQL_JOURNAL_STEP_READ,
                 PARAMS(arena_int64(ctx->arena, ctx->run->journal.id), ctx->step->id), &rows, err))
        return false;
    const char *state = rows_count(rows) == 0 ? NULL : rows_text(rows, 0, 0);
    if (text_equal(state, "done"))
        observation->state = OBSERVED_SATISFIED;
    return !text_equal(state, "running") ||
           judge_running(ctx, rows_text(rows, 0, 1), observation, err);
}

/* --- running it ------------------------------------------------------------------------------ */

bool user_describe(StepCtx *ctx, Description *description, Err *err)
{
    const PlanStep *given = ctx->step->object;
    const char *sql = NULL;
    if (!hook_describe(ctx->arena, ctx->run->plan, given, &description->sentence, &sql, err))
        return false;
    if (sql != NULL)
        description_add(ctx->arena, description,
                        given->sql_server == PLAN_ON_SOURCE ? CONN_SOURCE : CONN_TARGET, sql);
    return true;
}

HookCall user_call(StepCtx *ctx, const char *place_name)
{
    /* On the way back, too, a hook's source and target are the plan's. */
    bool back = ctx->run->forth != NULL;
    return (HookCall){
        .run = run_main(ctx->run),
        .step = ctx->step->id,
        .phase = back ? "failback" : STEP_PHASE_NAMES[ctx->step->kind->phase].name,
        .place = place_name,
        .stop = ctx->run->stop,
        .downtime_ms = cutover_downtime_ms(ctx->run),
        .source = back ? ctx->target : ctx->source,
        .target = back ? ctx->source : ctx->target,
        .log = ctx->log,
    };
}

static bool keep(StepCtx *ctx, const char *state, const char *detail, Err *err)
{
    return pg_none(
        ctx->target, SQL_JOURNAL_STEP_KEEP,
        PARAMS(arena_int64(ctx->arena, ctx->run->journal.id), ctx->step->id, state, detail), err);
}

/* A session that no stop interrupts: what became of a command is known only here. */
static void settle(StepCtx *ctx, const char *state, const char *detail)
{
    AUTO_ERR Err ignored = {0};
    AUTO_CONN Conn *conn = NULL;
    if (!conn_open(&conn, &ctx->run->target, &(ConnOptions){.purpose = "outcome"}, &ignored) ||
        !pg_none(
            conn, SQL_JOURNAL_STEP_SETTLE,
            PARAMS(arena_int64(ctx->arena, ctx->run->journal.id), ctx->step->id, state, detail),
            &ignored))
        log_err(&ctx->log, LOG_WARN, &ignored);
}

/* A transaction whose end was not seen is judged by its row; see observe(). */
static bool is_end_known(const PlanStep *given, const Err *err)
{
    bool stopped =
        err->code == ERR_INTERRUPTED || err->code == ERR_TERMINATED || err->code == ERR_PAUSED;
    return err->code != ERR_LOST &&
           !(stopped && given->action == PLAN_STEP_SQL && given->sql_server == PLAN_ON_SOURCE);
}

static void tell(StepCtx *ctx)
{
    const char *detail = arena_printf(ctx->arena, "{\"step\": \"%s\"}", ctx->step->id);
    notify_event(ctx->run, "step_done", NULL, detail);
}

static bool apply(StepCtx *ctx, Err *err)
{
    const PlanStep *given = ctx->step->object;
    HookCall call = user_call(ctx, "steps");
    call.once = true;
    if (!keep(ctx, "running", NULL, err))
        return false;
    if (!hook_run(&call, given, err)) {
        if (is_end_known(given, err))
            settle(ctx, "failed", err->message);
        return false;
    }
    AUTO_ERR Err lost = {0};
    if (!keep(ctx, "done", NULL, &lost)) {
        log_err(&ctx->log, LOG_WARN, &lost);
        settle(ctx, "done", NULL);
    }
    tell(ctx);
    return true;
}

#define KIND(PHASE)                                                                                \
    {                                                                                              \
        .name = "step", .phase = (PHASE),                                                          \
        .flags = STEP_NEEDS_SOURCE | STEP_NEEDS_TARGET | STEP_USER, .per_object = true,            \
        .summary = "steps of the plan: SQL, commands, verifications", .expand = expand,            \
        .describe = user_describe, .observe = observe, .apply = apply, .verify = verify_in_apply,  \
    }

static const StepKind KINDS[PHASE_COUNT] = {
    [PHASE_PREFLIGHT] = KIND(PHASE_PREFLIGHT), [PHASE_SCHEMA] = KIND(PHASE_SCHEMA),
    [PHASE_COPY] = KIND(PHASE_COPY),           [PHASE_CATCHUP] = KIND(PHASE_CATCHUP),
    [PHASE_CUTOVER] = KIND(PHASE_CUTOVER),     [PHASE_FINISH] = KIND(PHASE_FINISH),
};

const StepKind STEP_USER_STEP = KIND(PHASE_FINISH);
