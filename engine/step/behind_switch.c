/*
 * Behind the switch: whoever writes on the old primary then (a superuser, a session with its own
 * settings, writers that method manual trusted) writes into what nobody reads any more. Nothing of
 * it is applied (cdc/behind.h): the new primary may have changed the same row since. It is too late
 * to go back, not to say so.
 *
 *   - Found first: told, journalled, exit 11; slot and publication stay, so that it can be read.
 *   - Found again, the same: told again, and the run goes on: whoever ran `apply` again knew of it.
 *   - More came meanwhile: as the first time.
 *   - The engine died between switch and finish: the next one reads the slot itself.
 *   - The slot is gone or lost: there is nothing to read; it is said.
 */
#include "step/behind_switch.h"

#include "base/clock.h"
#include "cdc/health.h"
#include "cdc/stream.h"
#include "step/leg.h"
#include "step/replicate.h"

#include <inttypes.h>

#define LOOK_MS 600000

/* \param stands false: it was dropped, or lost what it held */
static bool slot_stands(StepCtx *ctx, bool *stands, Err *err)
{
    SlotLook look = {0};
    if (!health_look(ctx->arena, ctx->source, ctx->run->slot_name, &look, err))
        return false;
    bool lost = look.exists && (strcmp(look.wal_status, "lost") == 0 || *look.reason != '\0');
    *stands = look.exists && !lost;
    if (lost)
        log_warn(&ctx->log,
                 "slot %s is lost: whether the %s was written to behind the switch cannot be told",
                 ctx->run->slot_name, conn_side_name(conn_side(ctx->source)));
    return true;
}

/* The stream of the cutover; where there is none any more, one that only looks. */
static bool take_stream(StepCtx *ctx, Stream **stream, Err *err)
{
    Run *run = ctx->run;
    StreamStatus status = {0};
    if (run->stream != NULL)
        stream_status(run->stream, &status);
    if (run->stream != NULL && !status.failed) {
        *stream = run->stream;
        return true;
    }
    AUTO_ERR Err ended = {0};
    if (!stream_stop(run_withdraw_stream(run), &ended))
        log_err(&ctx->log, LOG_WARN, &ended);
    if (!(run->forth != NULL ? leg_stream(run, ctx->source, true, stream, err)
                             : replicate_look(ctx, stream, err)))
        return false;
    run_publish_stream(run, *stream);
    return true;
}

static const char *message_of(const StepCtx *ctx, const StreamBehind *item)
{
    return arena_printf(ctx->arena,
                        "%" PRIu64 " changes%s came to the %s behind the switch and are not "
                        "applied, the last one committed at %s%s%s",
                        item->changes, item->truncated ? ", a TRUNCATE among them," : "",
                        conn_side_name(conn_side(ctx->source)), lsn_text(item->lsn).text,
                        *item->keys == '\0' ? "" : ": ", item->keys);
}

/* \param news what nobody was told of before */
static bool tell(StepCtx *ctx, const StreamBehind *item, bool *news, Err *err)
{
    bool told = false;
    Conn *book = run_book(ctx->run, ctx->source, ctx->target);
    const char *name = name_text(ctx->arena, &item->relation->source);
    const char *message = message_of(ctx, item);
    int64_t run = run_main(ctx->run)->journal.id;
    const char *code = err_code_name(ERR_PAST_SWITCH);
    if (!journal_finding_told(book, run, code, name, message, &told, err))
        return false;
    if (told) {
        log_warn(&ctx->log, "%s: %s (told before)", name, message);
        return true;
    }
    *news = true;
    log_error(&ctx->log, "%s: %s", name, message);
    return journal_finding(book, run, code, "error", name, message, err);
}

static bool tell_all(StepCtx *ctx, const StreamBehind *items, size_t count, Err *err)
{
    bool news = false;
    uint64_t changes = 0;
    const char *names = "";
    for (size_t i = 0; i < count; i++) {
        if (!tell(ctx, &items[i], &news, err))
            return false;
        changes += items[i].changes;
        names = arena_printf(ctx->arena, "%s%s%s", names, i == 0 ? "" : ", ",
                             name_text(ctx->arena, &items[i].relation->source));
    }
    if (!news)
        return true;
    err_set(err, ERR_RUN, "%" PRIu64 " changes reached the %s behind the switch: %s", changes,
            conn_side_name(conn_side(ctx->source)), names);
    return err_hint(err,
                    "Nothing of them is applied. Stop who writes there, bring over what of it "
                    "belongs to the new primary (slot %s still holds these changes), then run the "
                    "command again: it tells them once more, ends with 0, and the slot goes.",
                    ctx->run->slot_name);
}

bool behind_switch_look(StepCtx *ctx, Err *err)
{
    bool stands = false;
    Stream *stream = NULL;
    StreamBehind *items = NULL;
    size_t count = 0;
    Lsn ignored = 0;
    const char *nonce = arena_printf(ctx->arena, "behind-%" PRId64 "-%" PRId64,
                                     ctx->run->journal.epoch, clock_us());
    if (!slot_stands(ctx, &stands, err) || !stands)
        return !err_is_set(err);
    return take_stream(ctx, &stream, err) &&
           stream_marker_emit(ctx->source, ctx->run->journal.mark, nonce, &ignored, err) &&
           stream_behind(ctx->arena, stream, nonce, LOOK_MS, &items, &count, err) &&
           tell_all(ctx, items, count, err);
}
