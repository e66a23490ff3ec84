/*
 * Group: growing arrays that are used again and again.
 */
#include "cdc/group.h"

#include "base/clock.h"

void group_release_changes(Group *group)
{
    budget_resize(group->budget, BUDGET_APPLY, group->change_capacity * sizeof(Change), 0);
    mem_free(group->changes);
    group->changes = NULL;
    group->change_count = 0;
    group->change_capacity = 0;
}

void group_release(Group *group, BatchPool *pool)
{
    group_applied(group, pool, false);
    group_release_changes(group);
    mem_free(group->txns);
    *group = (Group){.budget = group->budget};
}

void group_hold(Group *group, Batch *batch)
{
    batch->next = group->batches;
    group->batches = batch;
    group->bytes += batch->capacity;
}

Txn *group_begin(Group *group, const PgoBegin *begin)
{
    if (group->txn_count == group->txn_capacity) {
        group->txn_capacity = group->txn_capacity > 0 ? group->txn_capacity * 2 : 64;
        group->txns = mem_resize(group->txns, group->txn_capacity * sizeof(Txn));
    }
    if (group->txn_count == 0)
        group->since_ms = clock_ms();
    Txn *txn = &group->txns[group->txn_count++];
    *txn = (Txn){
        .xid = begin->xid, .commit_lsn = begin->final_lsn, .commit_unix_us = begin->commit_unix_us};
    group->in_txn = true;
    return txn;
}

bool group_commit(Group *group, const PgoCommit *commit, Err *err)
{
    if (!group->in_txn)
        return err_set(err, ERR_PROTOCOL, "a commit at %s came without its begin",
                       lsn_text(commit->commit_lsn).text);
    Txn *txn = &group->txns[group->txn_count - 1];
    if (txn->commit_lsn != commit->commit_lsn || commit->end_lsn <= commit->commit_lsn)
        return err_set(err, ERR_PROTOCOL,
                       "transaction %u was to commit at %s, its commit says %s, end %s", txn->xid,
                       lsn_text(txn->commit_lsn).text, lsn_text(commit->commit_lsn).text,
                       lsn_text(commit->end_lsn).text);
    txn->end_lsn = commit->end_lsn;
    group->in_txn = false;
    return true;
}

static Change *change_room(Group *group)
{
    if (group->change_count == group->change_capacity) {
        size_t before = group->change_capacity * sizeof(Change);
        group->change_capacity = group->change_capacity > 0 ? group->change_capacity * 2 : 1024;
        budget_resize(group->budget, BUDGET_APPLY, before, group->change_capacity * sizeof(Change));
        group->changes = mem_resize(group->changes, group->change_capacity * sizeof(Change));
    }
    return &group->changes[group->change_count++];
}

void group_copy_change(Group *group, const Change *change)
{
    *change_room(group) = *change;
}

Change *group_add(Group *group, LeafState *leaf, PgoKind kind)
{
    Change *change = change_room(group);
    *change = (Change){
        .kind = kind, .leaf = leaf, .txn = (uint32_t)group->txn_count - 1, .next = NO_CHANGE};
    size_t columns = leaf != NULL ? leaf->leaf->root->column_count : 0;
    group->bytes += sizeof(Change) + columns * sizeof(PgoValue);
    return change;
}

GroupTail group_split(Group *group)
{
    uint32_t open = (uint32_t)group->txn_count - 1;
    GroupTail tail = {.first = group->change_count, .txn = group->txns[open]};
    while (tail.first > 0 && group->changes[tail.first - 1].txn == open)
        tail.first--;
    tail.count = group->change_count - tail.first;
    group->change_count = tail.first;
    group->txn_count = open;
    group->in_txn = false;
    return tail;
}

void group_join(Group *group, const GroupTail *tail)
{
    if (tail->count > 0)
        memmove(group->changes, group->changes + tail->first, tail->count * sizeof(Change));
    for (size_t i = 0; i < tail->count; i++)
        group->changes[i].txn = 0;
    group->change_count = tail->count;
    group->txns[0] = tail->txn;
    group->txn_count = 1;
    group->in_txn = true;
    group->since_ms = clock_ms();
}

void group_applied(Group *group, BatchPool *pool, bool keep_newest)
{
    Batch *batch = group->batches;
    group->batches = NULL;
    group->bytes = 0;
    if (keep_newest && batch != NULL) {
        Batch *rest = batch->next;
        group_hold(group, batch);
        batch->next = NULL;
        batch = rest;
    }
    while (batch != NULL) {
        Batch *next = batch->next;
        batch_free(pool, batch);
        batch = next;
    }
    group->change_count = 0;
    group->together = false;
    if (group->in_txn)
        group->txns[0] = group->txns[group->txn_count - 1];
    group->txn_count = group->in_txn ? 1 : 0;
    group->since_ms = clock_ms();
}
