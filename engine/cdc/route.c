/*
 * Route: a hash over the key's bytes, or over the relation's name.
 */
#include "cdc/route.h"

#include "base/jsontext.h"
#include "cdc/values.h"

#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

/* Types whose values are equal only if their text is: no case folding (citext), no trailing blanks
 * (char(n)), no scale (numeric), no two zeros (float), no two spellings of a span (interval). A
 * column's collation may still say otherwise: that is asked of the target (cdc_together.sql). Note
 * Source: pg_type.dat. */
static const uint32_t BYTE_IDENTICAL[] = {
    16,   /* bool */
    17,   /* bytea */
    18,   /* "char" */
    19,   /* name */
    20,   /* int8 */
    21,   /* int2 */
    23,   /* int4 */
    25,   /* text */
    26,   /* oid */
    829,  /* macaddr */
    1043, /* varchar */
    1082, /* date */
    1083, /* time */
    1114, /* timestamp */
    1184, /* timestamptz */
    2950, /* uuid */
};

static bool is_byte_identical(uint32_t type_oid)
{
    for (size_t i = 0; i < sizeof(BYTE_IDENTICAL) / sizeof(BYTE_IDENTICAL[0]); i++) {
        if (BYTE_IDENTICAL[i] == type_oid)
            return true;
    }
    return false;
}

static uint64_t hash_bytes(uint64_t hash, const char *data, size_t length)
{
    hash = (hash ^ length) * FNV_PRIME;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)data[i]) * FNV_PRIME;
    return hash;
}

static bool key_can_route(const Relation *relation)
{
    if (relation->key == NULL || relation->further_unique)
        return false;
    for (size_t k = 0; k < relation->key->count; k++) {
        if (!is_byte_identical(relation->columns[relation->key->columns[k]].type_oid))
            return false;
    }
    return true;
}

void router_init(Router *router, const Blueprint *blueprint, unsigned lanes)
{
    *router = (Router){.blueprint = blueprint, .lanes = lanes};
    router->relations = arena_array(&router->arena, RelationRoute, blueprint->relation_count + 1);
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        /* By the target's name: relations that are merged there share their rows' homes. */
        uint64_t seed =
            hash_bytes(FNV_START, relation->target.schema, strlen(relation->target.schema));
        seed = hash_bytes(seed, relation->target.rel, strlen(relation->target.rel));
        router->relations[i] = (RelationRoute){.seed = seed, .by_key = key_can_route(relation)};
    }
}

void router_release(Router *router)
{
    arena_release(&router->arena);
    *router = (Router){0};
}

void route_together(Router *router, const Relation *relation)
{
    router->relations[relation->index].by_key = false;
}

static json_t *rule(const Relation *relation)
{
    json_t *names = json_pack("[ss]", relation->target.schema, relation->target.rel);
    for (size_t k = 0; k < relation->key->count; k++)
        json_array_append_new(names,
                              json_string(relation->columns[relation->key->columns[k]].name));
    return names;
}

char *route_rules(Arena *arena, const Router *router)
{
    json_t *rules = json_array();
    for (size_t i = 0; i < router->blueprint->relation_count; i++) {
        if (router->relations[i].by_key)
            json_array_append_new(rules, rule(&router->blueprint->relations[i]));
    }
    return jsontext_compact(arena, rules);
}

static const char *text_at(const json_t *names, size_t index)
{
    const char *text = json_string_value(json_array_get(names, index));
    return text != NULL ? text : "";
}

static bool same_key(const Relation *relation, const json_t *names)
{
    if (relation->key == NULL || json_array_size(names) != relation->key->count + 2)
        return false;
    for (size_t k = 0; k < relation->key->count; k++) {
        const char *column = relation->columns[relation->key->columns[k]].name;
        if (strcmp(text_at(names, k + 2), column) != 0)
            return false;
    }
    return true;
}

static bool take_rule(Router *router, const json_t *names, Err *err)
{
    const Name name = {text_at(names, 0), text_at(names, 1)};
    for (size_t i = 0; i < router->blueprint->relation_count; i++) {
        const Relation *relation = &router->blueprint->relations[i];
        if (!name_equal(&relation->target, &name))
            continue;
        if (!same_key(relation, names)) {
            err_set(err, ERR_RUN, "%s has another key than when its changes were last applied",
                    name_text(&err->arena, &name));
            return err_hint(err, "The engine was killed while its lanes stood at different "
                                 "positions; with the old key they can be brought together. Put "
                                 "it back, apply, and change it then.");
        }
        router->relations[i].by_key = true;
    }
    return true;
}

bool route_take_rules(Router *router, const char *rules, Err *err)
{
    json_t *list = json_loads(rules, 0, NULL);
    bool ok = json_is_array(list);
    if (!ok)
        err_set(err, ERR_RUN, "the recorded routes of the lanes cannot be read");
    for (size_t i = 0; i < router->blueprint->relation_count; i++)
        router->relations[i].by_key = false;
    for (size_t i = 0; ok && i < json_array_size(list); i++)
        ok = take_rule(router, json_array_get(list, i), err);
    json_decref(list);
    return ok;
}

static uint16_t lane_of(const Router *router, uint64_t hash)
{
    hash ^= hash >> 32; /* the low bits of FNV alone depend on few bytes */
    hash *= UINT64_C(0x9E3779B97F4A7C15);
    return (uint16_t)((hash >> 32) % router->lanes);
}

/* By the text of the key, whatever form it came in: lanes may stand apart when an engine comes that
 * asks for the other. \return ROUTE_BARRIER when a key's value did not travel, or is none: the
 * change will be refused anyway. */
static uint16_t lane_of_row(const Router *router, const Relation *relation, const PgoValue *values,
                            const PgoValue *fallback)
{
    uint64_t hash = router->relations[relation->index].seed;
    for (size_t k = 0; k < relation->key->count; k++) {
        const PgoValue *value = &values[relation->key->columns[k]];
        if (value->kind == PGO_UNCHANGED && fallback != NULL)
            value = &fallback[relation->key->columns[k]];
        char room[VALUE_TEXT_BYTES];
        PgoValue text;
        if (!value_text(relation->columns[relation->key->columns[k]].type_oid, value, room, &text))
            return ROUTE_BARRIER;
        hash = hash_bytes(hash, text.data, text.length);
    }
    return lane_of(router, hash);
}

bool route_reads_key(const Router *router, const Relation *relation)
{
    return router->relations[relation->index].by_key;
}

uint16_t route_change(const Router *router, const Relation *relation, const PgoValue *old_values,
                      const PgoValue *new_values)
{
    const RelationRoute *route = &router->relations[relation->index];
    if (!route->by_key)
        return lane_of(router, route->seed);
    uint16_t from =
        old_values != NULL ? lane_of_row(router, relation, old_values, NULL) : ROUTE_BARRIER;
    if (new_values == NULL)
        return from;
    uint16_t to = lane_of_row(router, relation, new_values, old_values);
    return old_values == NULL || from == to ? to : ROUTE_BARRIER;
}
