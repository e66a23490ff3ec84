/*
 * Compare: the verifications that a step or hook names, relation by relation, journalled as those
 * of the plan's own verify steps are.
 */
#include "base/str.h"
#include "hook/hook.h"
#include "verify/verify.h"

#include <inttypes.h>

static const PlanVerify *find_entry(const Plan *plan, const char *id)
{
    for (size_t i = 0; i < plan->verify_count; i++) {
        if (text_equal(plan->verifies[i].id, id))
            return &plan->verifies[i];
    }
    return NULL;
}

static bool journal_result(const HookCall *call, const PlanVerify *entry, const Relation *relation,
                           const VerifyResult *result, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    int64_t run = call->run->journal.id;
    const char *name = name_text(&arena, &relation->source);
    for (size_t i = 0; i < result->difference_count; i++) {
        const char *text = difference_text(&arena, &result->differences[i]);
        log_error(&call->log, "%s: %s", name, text);
        if (!journal_finding(call->target, run, err_code_name(ERR_DIFFERENCE), "error", name, text,
                             err))
            return false;
    }
    if (result->busy > 0) {
        const char *text = verify_busy_text(&arena, result->busy);
        log_warn(&call->log, "%s: %s", name, text);
        if (!journal_finding(call->target, run, err_code_name(ERR_DIFFERENCE), "warning", name,
                             text, err))
            return false;
    }
    return journal_verification(call->target, run, entry->id, &relation->source,
                                result->source_rows, result->target_rows, result->difference_total,
                                err);
}

static bool compare(const HookCall *call, const PlanVerify *entry, const Relation *relation,
                    int64_t *differences, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    VerifyResult result = {0};
    VerifySpec spec = {
        .relation = relation,
        .method = entry->method,
        .where = entry->where,
        .partial = !call->run->plan->copy.data,
        .source = call->source,
        .target = call->target,
        .stream = call->behind_drain ? NULL : call->run->stream,
        .throttle = call->behind_drain ? NULL : &call->run->throttle,
    };
    if (!verify_relation(&arena, &spec, &result, err))
        return err_context(err, "verify %s", name_text(&arena, &relation->source));
    if (spec.stream != NULL)
        stream_touched_put(spec.stream, relation, &result.busy_keys);
    *differences += result.difference_total;
    return journal_result(call, entry, relation, &result, err);
}

static bool run_entry(const HookCall *call, const PlanVerify *entry, Err *err)
{
    const Blueprint *blueprint = call->run->blueprint;
    int64_t differences = 0;
    size_t count = 0;
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (!verify_selects(entry, relation, !call->behind_drain))
            continue;
        count++;
        if (!compare(call, entry, relation, &differences, err))
            return false;
    }
    if (differences > 0)
        return err_set(err, ERR_DIFFERENCE, "verification \"%s\" found %" PRId64 " differences",
                       entry->id, differences);
    log_info(&call->log, "verification \"%s\": %zu relations, 0 differences", entry->id, count);
    return true;
}

bool hook_verify(const HookCall *call, const PlanStep *step, Err *err)
{
    for (size_t i = 0; i < step->verify_count; i++) {
        const PlanVerify *entry = find_entry(call->run->plan, step->verify[i]);
        if (entry == NULL)
            return err_set(err, ERR_PLAN, "there is no verification \"%s\"", step->verify[i]);
        if (!run_entry(call, entry, err))
            return false;
    }
    return true;
}
