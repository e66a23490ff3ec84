/*
 * Route: which lane a change goes to. Pure functions: no connection, no clock. All changes of one
 * row go to one lane, so that they stay in source order; a change that concerns two lanes is a
 * barrier. Routes may not change while one lane is ahead of another: their rules are recorded with
 * the lanes' rows (route_rules) and taken from there (route_take_rules).
 */
#ifndef GODWIT_CDC_ROUTE_H
#define GODWIT_CDC_ROUTE_H

#include "blueprint/blueprint.h"
#include "cdc/pgoutput.h"

/* All lanes must have come here before it is applied, and it before they go on. */
#define ROUTE_BARRIER UINT16_MAX

typedef struct RelationRoute {
    uint64_t seed; /* of its hashes: from its name, so that it stays when others come and go */
    bool by_key;   /* else the relation as a whole */
} RelationRoute;

typedef struct Router {
    const Blueprint *blueprint;
    RelationRoute *relations; /* by Relation.index */
    unsigned lanes;
    Arena arena;
} Router;

/** By key where that can be told from the Blueprint: key types whose equality is byte identity, and
 * no further unique or exclusion constraint, which would tie rows of different keys together. */
void router_init(Router *router, const Blueprint *blueprint, unsigned lanes);
void router_release(Router *router);

/** The relation must stay together: something on the target says so. */
void route_together(Router *router, const Relation *relation);

/** The rules as JSON: the relations that go by key, with its columns. */
char *route_rules(Arena *arena, const Router *router);

/** Goes by rules that were recorded, whatever would be chosen now.
 * \return false with ERR_RUN when they cannot be kept: a key is not what it was. */
MUSTCHECK bool route_take_rules(Router *router, const char *rules, Err *err);

/** Whether route_change() looks at the values. */
bool route_reads_key(const Router *router, const Relation *relation);

/** The lane of a change, ROUTE_BARRIER when its old and its new row are at home in different ones.
 * \param old_values \param new_values in the order of Relation.columns, NULL: none travelled */
uint16_t route_change(const Router *router, const Relation *relation, const PgoValue *old_values,
                      const PgoValue *new_values);

#endif
