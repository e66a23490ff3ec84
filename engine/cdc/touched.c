/*
 * Touched: per relation a hash set of keys, each a run of terminated texts.
 */
#include "cdc/touched.h"

#define FIRST_SLOTS                                                                                \
    ((size_t)64) /* a power of two; thousands of relations may have a few keys each */

/* What one more key can take at once: slots and keys are doubled. */
#define GROW_BYTES ((size_t)1024 * 1024)

typedef struct TouchedKey {
    const char *values; /* Key.count terminated texts, one after the other */
    size_t hash;
} TouchedKey;

struct TouchedRelation {
    TouchedKey *keys;
    size_t count;
    bool overflow;
    uint32_t *slots;
    size_t slot_count; /* a power of two, twice the room for keys */
    Arena arena;
};

void touched_init(Touched *touched, const Blueprint *blueprint, Budget *budget)
{
    *touched = (Touched){.blueprint = blueprint, .budget = budget};
    size_t bytes = sizeof(TouchedRelation) * blueprint->relation_count;
    touched->relations = mem_resize(NULL, bytes);
    memset(touched->relations, 0, bytes);
    pthread_mutex_init(&touched->mutex, NULL);
}

static void resize(Touched *touched, size_t before, size_t after)
{
    touched->bytes = touched->bytes - before + after;
    budget_resize(touched->budget, BUDGET_TOUCHED, before, after);
}

static void forget(Touched *touched, TouchedRelation *rel)
{
    resize(touched, rel->arena.total_bytes, 0);
    arena_release(&rel->arena);
    *rel = (TouchedRelation){0};
}

void touched_release(Touched *touched)
{
    for (size_t i = 0; i < touched->blueprint->relation_count; i++)
        forget(touched, &touched->relations[i]);
    mem_free(touched->relations);
    pthread_mutex_destroy(&touched->mutex);
}

static void overflow(Touched *touched, TouchedRelation *rel)
{
    forget(touched, rel);
    rel->overflow = true;
}

static bool same(const char *stored, const PgoValue *key, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        size_t length = strlen(stored);
        if (length != key[k].length || memcmp(stored, key[k].data, length) != 0)
            return false;
        stored += length + 1;
    }
    return true;
}

static const char *store(Arena *arena, const PgoValue *key, size_t count)
{
    size_t bytes = 0;
    for (size_t k = 0; k < count; k++)
        bytes += key[k].length + 1;
    char *stored = arena_alloc(arena, bytes);
    char *at = stored;
    for (size_t k = 0; k < count; k++) {
        memcpy(at, key[k].data, key[k].length);
        at += key[k].length + 1; /* the arena's memory is zeroed */
    }
    return stored;
}

static size_t hash_key(const PgoValue *key, size_t count)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t k = 0; k < count; k++) {
        for (uint32_t i = 0; i < key[k].length; i++)
            hash = (hash ^ (uint8_t)key[k].data[i]) * UINT64_C(1099511628211);
        hash = (hash ^ 0xff) * UINT64_C(1099511628211);
    }
    return (size_t)(hash ^ hash >> 29);
}

static size_t slot_of(const TouchedRelation *rel, size_t hash, const PgoValue *key, size_t count)
{
    size_t slot = hash & (rel->slot_count - 1);
    while (rel->slots[slot] != 0 && !same(rel->keys[rel->slots[slot] - 1].values, key, count))
        slot = (slot + 1) & (rel->slot_count - 1);
    return slot;
}

/* Twice the room; the old one stays in the arena until the keys are forgotten. */
static void grow(TouchedRelation *rel)
{
    const TouchedKey *old = rel->keys;
    rel->slot_count = rel->slot_count > 0 ? rel->slot_count * 2 : FIRST_SLOTS;
    rel->slots = arena_array(&rel->arena, uint32_t, rel->slot_count);
    rel->keys = arena_array(&rel->arena, TouchedKey, rel->slot_count / 2);
    for (size_t i = 0; i < rel->count; i++) {
        size_t slot = old[i].hash & (rel->slot_count - 1);
        while (rel->slots[slot] != 0)
            slot = (slot + 1) & (rel->slot_count - 1);
        rel->slots[slot] = (uint32_t)i + 1;
        rel->keys[i] = old[i];
    }
}

static bool all_text(const PgoValue *key, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (key[k].kind != PGO_TEXT)
            return false;
    }
    return true;
}

static void add(Touched *touched, TouchedRelation *rel, const PgoValue *key, size_t count)
{
    size_t before = rel->arena.total_bytes;
    if (rel->count * 2 >= rel->slot_count)
        grow(rel);
    size_t hash = hash_key(key, count);
    size_t slot = slot_of(rel, hash, key, count);
    bool full = false;
    if (rel->slots[slot] == 0) {
        full = rel->count == TOUCHED_MAX_KEYS;
        if (!full) {
            rel->keys[rel->count++] =
                (TouchedKey){.values = store(&rel->arena, key, count), .hash = hash};
            rel->slots[slot] = (uint32_t)rel->count;
        }
    }
    resize(touched, before, rel->arena.total_bytes);
    if (full || touched->bytes + GROW_BYTES > touched->budget->shares[BUDGET_TOUCHED].limit)
        overflow(touched, rel);
}

void touched_add(Touched *touched, const Relation *relation, const PgoValue *key)
{
    pthread_mutex_lock(&touched->mutex);
    TouchedRelation *rel = &touched->relations[relation->index];
    if (!rel->overflow && !all_text(key, relation->key->count))
        overflow(touched, rel);
    else if (!rel->overflow)
        add(touched, rel, key, relation->key->count);
    pthread_mutex_unlock(&touched->mutex);
}

void touched_overflow(Touched *touched, const Relation *relation)
{
    pthread_mutex_lock(&touched->mutex);
    overflow(touched, &touched->relations[relation->index]);
    pthread_mutex_unlock(&touched->mutex);
}

void touched_take(Arena *arena, Touched *touched, const Relation *relation, TouchedKeys *keys)
{
    *keys = (TouchedKeys){0};
    pthread_mutex_lock(&touched->mutex);
    TouchedRelation *rel = &touched->relations[relation->index];
    keys->overflow = rel->overflow;
    keys->count = rel->count;
    if (rel->count > 0) {
        size_t columns = relation->key->count;
        const char **values = arena_array(arena, const char *, rel->count *columns);
        for (size_t i = 0; i < rel->count; i++) {
            const char *at = rel->keys[i].values;
            for (size_t k = 0; k < columns; k++) {
                values[i * columns + k] = arena_strdup(arena, at);
                at += strlen(at) + 1;
            }
        }
        keys->values = values;
    }
    forget(touched, rel);
    pthread_mutex_unlock(&touched->mutex);
}
