/*
 * Hold: the state of leaves, and the list of what is asked.
 */
#include "cdc/hold.h"

void hold_init(Hold *hold, size_t leaf_count, const Lsn *sync_lsn, const bool *held)
{
    size_t room = leaf_count + 1;
    *hold = (Hold){.leaf_count = leaf_count,
                   .sync_lsn = mem_resize(NULL, room * sizeof(Lsn)),
                   .held = mem_resize(NULL, room * sizeof(bool))};
    for (size_t i = 0; i < leaf_count; i++) {
        hold->sync_lsn[i] = sync_lsn != NULL ? sync_lsn[i] : 0;
        hold->held[i] = held != NULL && held[i];
        hold->held_count += hold->held[i];
    }
}

void hold_release(Hold *hold)
{
    mem_free(hold->sync_lsn);
    mem_free(hold->held);
    *hold = (Hold){0};
}

void hold_ask(Hold *hold, HoldRequest *request)
{
    HoldRequest **end = &hold->requests;
    while (*end != NULL)
        end = &(*end)->next;
    *end = request;
    request->next = NULL;
    request->done = false;
    atomic_store(&hold->asked, true);
}

void hold_withdraw(Hold *hold, HoldRequest *request)
{
    for (HoldRequest **at = &hold->requests; *at != NULL; at = &(*at)->next) {
        if (*at == request) {
            *at = request->next;
            return;
        }
    }
}

static void set_held(Hold *hold, size_t leaf, bool held)
{
    hold->held_count += (size_t)held - (size_t)hold->held[leaf];
    hold->held[leaf] = held;
}

static void grant(Hold *hold, const HoldRequest *request)
{
    switch (request->wish) {
    case HOLD_BEGIN:
        set_held(hold, request->leaf, true);
        break;
    case HOLD_SYNC:
        hold->sync_lsn[request->leaf] = request->sync_lsn;
        break;
    case HOLD_RELEASE:
        set_held(hold, request->leaf, false);
        break;
    }
}

/* Whether an older request of the same leaf still waits. */
static bool is_behind(const Hold *hold, const HoldRequest *request)
{
    for (const HoldRequest *one = hold->requests; one != request; one = one->next) {
        if (one->leaf == request->leaf)
            return true;
    }
    return false;
}

size_t hold_take(Hold *hold, bool inside)
{
    size_t done = 0;
    bool left = false;
    for (HoldRequest **at = &hold->requests; *at != NULL;) {
        HoldRequest *request = *at;
        if ((inside && request->wish == HOLD_BEGIN) || is_behind(hold, request)) {
            left = true;
            at = &request->next;
            continue;
        }
        grant(hold, request);
        *at = request->next;
        request->done = true;
        done++;
    }
    atomic_store(&hold->asked, left);
    return done;
}

bool hold_skips(const Hold *hold, size_t leaf, Lsn commit_lsn)
{
    return commit_lsn < hold->sync_lsn[leaf];
}

bool hold_stops(const Hold *hold, size_t leaf)
{
    return hold->held[leaf];
}
