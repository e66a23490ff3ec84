/*
 * Journal: gates, approvals, requests and fences.
 */
#include "journal/journal.h"

#include "base/jsontext.h"
#include "base/str.h"
#include "base/vec.h"
#include "sql_text.h"

bool journal_gate(Conn *target, int64_t run, const char *gate, const char *detail, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_GATE, PARAMS(arena_int64(&arena, run), gate, detail), err);
}

bool journal_gate_detail(Arena *arena, Conn *target, int64_t run, const char *gate,
                         const char **detail, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *detail = NULL;
    if (!pg_rows(target, SQL_JOURNAL_GATE_DETAIL, PARAMS(arena_int64(arena, run), gate), &rows,
                 err))
        return false;
    if (rows_count(rows) > 0)
        *detail = arena_strdup(arena, rows_text(rows, 0, 0));
    return true;
}

bool journal_approve(Arena *arena, Conn *target, int64_t run, const char *fingerprint,
                     int64_t valid_us, JournalApproval *approval, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_APPROVAL_ADD,
                PARAMS(arena_int64(arena, run), fingerprint, arena_int64(arena, valid_us)), &rows,
                err))
        return false;
    approval->approver = arena_strdup(arena, rows_text(rows, 0, 0));
    approval->expires_at = arena_strdup(arena, rows_text(rows, 0, 1));
    return true;
}

bool journal_find_approval(Arena *arena, Conn *target, int64_t run, const Plan *plan,
                           JournalApproval *approval, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const PlanCutover *cutover = &plan->cutover;
    const char *approvers = jsontext_list(arena, cutover->approvers, cutover->approvers_count);
    *approval = (JournalApproval){0};
    if (!pg_rows(target, SQL_JOURNAL_APPROVAL_FIND,
                 PARAMS(arena_int64(arena, run), plan->fingerprint, approvers,
                        cutover->not_runner ? "t" : "f"),
                 &rows, err))
        return false;
    if (rows_count(rows) == 1) {
        approval->approver = arena_strdup(arena, rows_text(rows, 0, 0));
        approval->approved_at = arena_strdup(arena, rows_text(rows, 0, 1));
        approval->expires_at = arena_strdup(arena, rows_text(rows, 0, 2));
    }
    return true;
}

bool journal_spend_approvals(Conn *target, int64_t run, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_APPROVAL_SPEND, PARAMS(arena_int64(&arena, run)), err);
}

bool journal_request(Conn *target, int64_t run, const char *kind, const char *argument, int64_t *id,
                     Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_one(target, SQL_JOURNAL_REQUEST_ADD, PARAMS(arena_int64(&arena, run), kind, argument),
                &rows, err))
        return false;
    *id = rows_int64(rows, 0, 0);
    return true;
}

bool journal_take_request(Arena *arena, Conn *target, int64_t run, JournalRequest *request,
                          Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *request = (JournalRequest){0};
    if (!pg_rows(target, SQL_JOURNAL_REQUEST_TAKE, PARAMS(arena_int64(arena, run)), &rows, err))
        return false;
    if (rows_count(rows) == 1) {
        request->id = rows_int64(rows, 0, 0);
        request->kind = arena_strdup(arena, rows_text(rows, 0, 1));
        request->argument = arena_strdup(arena, rows_text(rows, 0, 2));
        request->taken = true;
    }
    return true;
}

bool journal_finish_requests(Conn *target, int64_t run, int exit_status, const char *message,
                             Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_REQUEST_FINISH,
                   PARAMS(arena_int64(&arena, run), arena_int64(&arena, exit_status), message),
                   err);
}

bool journal_answer_request(Conn *target, int64_t request, int exit_status, const char *message,
                            Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_REQUEST_ANSWER,
                   PARAMS(arena_int64(&arena, request), arena_int64(&arena, exit_status), message),
                   err);
}

bool journal_answer_late(Conn *target, int64_t run, int64_t request, int exit_status,
                         const char *message, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_REQUEST_ANSWER_LATE,
                   PARAMS(arena_int64(&arena, run), arena_int64(&arena, request),
                          arena_int64(&arena, exit_status), message),
                   err);
}

bool journal_expire_pauses(Conn *target, int64_t run, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_REQUEST_EXPIRE, PARAMS(arena_int64(&arena, run)), err);
}

bool journal_withdraw_request(Conn *target, int64_t request, bool *answered, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(target, SQL_JOURNAL_REQUEST_WITHDRAW, PARAMS(arena_int64(&arena, request)), &rows,
                 err))
        return false;
    *answered = rows_count(rows) == 0;
    return true;
}

bool journal_read_request(Arena *arena, Conn *target, int64_t id, JournalRequest *request, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    *request = (JournalRequest){.id = id};
    if (!pg_one(target, SQL_JOURNAL_REQUEST_READ, PARAMS(arena_int64(arena, id)), &rows, err))
        return false;
    request->taken = rows_bool(rows, 0, 0);
    request->finished = rows_bool(rows, 0, 1);
    request->exit_status = (int)rows_int64(rows, 0, 2);
    request->message = arena_strdup(arena, rows_text(rows, 0, 3));
    return true;
}

bool journal_fence_set(Conn *target, int64_t run, const JournalFence *fence, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_FENCE_SET,
                   PARAMS(arena_int64(&arena, run), conn_side_name(fence->side), fence->method,
                          fence->previous),
                   err);
}

bool journal_fences(Arena *arena, Conn *target, int64_t run, JournalFence **fences, size_t *count,
                    Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    if (!pg_rows(target, SQL_JOURNAL_FENCES, PARAMS(arena_int64(arena, run)), &rows, err))
        return false;
    *count = rows_count(rows);
    *fences = arena_array(arena, JournalFence, *count);
    for (size_t i = 0; i < *count; i++) {
        bool source = text_equal(rows_text(rows, i, 0), conn_side_name(CONN_SOURCE));
        (*fences)[i] = (JournalFence){
            .side = source ? CONN_SOURCE : CONN_TARGET,
            .method = arena_strdup(arena, rows_text(rows, i, 1)),
            .previous = arena_strdup(arena, rows_text(rows, i, 2)),
        };
    }
    return true;
}

bool journal_fence_close(Conn *target, int64_t run, ConnSide side, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_FENCE_CLOSE,
                   PARAMS(arena_int64(&arena, run), conn_side_name(side)), err);
}

bool journal_fence_clear(Conn *target, int64_t run, ConnSide side, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    return pg_none(target, SQL_JOURNAL_FENCE_CLEAR,
                   PARAMS(arena_int64(&arena, run), conn_side_name(side)), err);
}
