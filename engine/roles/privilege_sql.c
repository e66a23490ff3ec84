/*
 * GRANT and REVOKE by difference. What the source has in effect is wanted, in the names of the
 * target; whatever else PUBLIC or a role of the run holds is taken back. Who owned an object and
 * does not own it on the target is granted what the owner held. Grants are given by the owner: who
 * granted what to whom in a chain is not kept.
 */
#include "pg/ddl.h"
#include "roles/access_internal.h"

#include <string.h>

#define OBJECTS_A_STATEMENT 200

/* One statement while it grows. */
typedef struct Group {
    bool grant;
    const char *word;
    const char *privileges; /* as SQL */
    const char *grantee;    /* NULL PUBLIC */
    bool grantable;
    Str objects;
    size_t count;
} Group;

typedef struct Work {
    Arena *arena;
    const Access *access;
    const Conn *target;
    AccessPlan *plan;
    bool before;
    VEC(Group) groups;
    /* the object that is looked at */
    const AccessObject *object;
    const AccessObject *there;
    const char *owner; /* on the target */
} Work;

typedef struct Item {
    const AccessRight *right;
    const char *grantee;
} Item;

typedef VEC(Item) Items;

static bool same_grantee(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const char *grant_word(const AccessObject *object)
{
    static const char *const WORDS[][2] = {
        {"table", "TABLE"},
        {"view", "TABLE"},
        {"materialized view", "TABLE"},
        {"foreign table", "TABLE"},
        {"sequence", "SEQUENCE"},
        {"routine", "ROUTINE"},
        {"type", "TYPE"},
        {"schema", "SCHEMA"},
        {"language", "LANGUAGE"},
        {"foreign data wrapper", "FOREIGN DATA WRAPPER"},
        {"server", "FOREIGN SERVER"},
        {"database", "DATABASE"},
    };
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if (strcmp(WORDS[i][0], object->word) == 0)
            return WORDS[i][1];
    return NULL;
}

/* The database, schema public, plpgsql: only what differs from how they were made is carried. */
static bool is_given(const AccessObject *object)
{
    return object->follows && object->class_oid != CAT_CLASS_RELATION &&
           object->class_oid != CAT_CLASS_PROC;
}

/* --- what the target has --- */

/* What PUBLIC has on a new object. \note Source: PostgreSQL documentation, "Privileges". */
static bool public_default(const AccessObject *object, const char *privilege)
{
    return (object->class_oid == CAT_CLASS_PROC && strcmp(privilege, "EXECUTE") == 0) ||
           (object->class_oid == CAT_CLASS_TYPE && strcmp(privilege, "USAGE") == 0);
}

static const char *there_grantee(const Work *work, const AccessRight *right)
{
    bool owners = right->of_owner && strcmp(right->grantee, work->there->owner) == 0;
    return owners ? work->owner : right->grantee;
}

static bool target_has(const Work *work, const AccessRight *right, const char *grantee)
{
    if (grantee != NULL && strcmp(grantee, work->owner) == 0 && work->there == NULL)
        return true;
    if (work->there == NULL)
        return grantee == NULL && public_default(work->object, right->privilege);
    for (size_t i = 0; i < work->there->right_count; i++) {
        const AccessRight *held = &work->there->rights[i];
        if (held->state == 'x' || !text_equal(held->column, right->column) ||
            strcmp(held->privilege, right->privilege) != 0 ||
            !same_grantee(there_grantee(work, held), grantee))
            continue;
        bool owners = grantee != NULL && strcmp(grantee, work->owner) == 0;
        return held->grantable || !right->grantable || owners;
    }
    return false;
}

/* --- what is wanted --- */

/* Whether the owner of the source needs a grant to keep what ownership gave. */
static bool owner_needs_grant(const Work *work, const char *grantee)
{
    if (grantee == NULL || strcmp(grantee, work->owner) == 0)
        return false;
    return !is_given(work->object) ||
           strcmp(grantee, work->access->roles.target.database_owner) != 0;
}

static bool is_known_there(const Work *work, const AccessRight *right)
{
    return strcmp(right->privilege, "MAINTAIN") != 0 ||
           work->access->roles.target.version >= 170000;
}

static void note_gap(Work *work, const AccessRight *right)
{
    const Role *role = roles_find(&work->access->roles, right->grantee);
    if (right->of_owner && (role == NULL || role->fate == ROLE_RESERVED))
        return;
    const char *why = role != NULL && role->fate == ROLE_EXCLUDED ? "the plan excludes it"
                      : role != NULL && role->why != NULL         ? role->why
                                                                  : "no role stands for it";
    access_gap(work->arena, work->plan, "privilege", right->grantee, work->object, why);
}

static void want_one(Work *work, const AccessRight *right, Items *grants, Items *revokes)
{
    const RoleSet *set = &work->access->roles;
    const char *grantee = roles_target(set, right->grantee);
    if (right->grantee != NULL && grantee == NULL) {
        if (right->state == 'h')
            note_gap(work, right);
        return;
    }
    if (right->state == 'x') {
        if (!right->of_owner && target_has(work, right, grantee))
            *vec_push(work->arena, revokes) = (Item){right, grantee};
        return;
    }
    bool wanted = right->of_owner ? owner_needs_grant(work, grantee) : right->state == 'h';
    if (!wanted || target_has(work, right, grantee))
        return;
    if (is_known_there(work, right))
        *vec_push(work->arena, grants) = (Item){right, grantee};
    else
        access_gap(work->arena, work->plan, "privilege",
                   right->grantee == NULL ? "PUBLIC" : right->grantee, work->object,
                   "MAINTAIN is not in the target's version");
}

/* --- what is not --- */

static bool source_has(const Work *work, const char *column, const char *privilege,
                       const char *grantee)
{
    for (size_t i = 0; i < work->object->right_count; i++) {
        const AccessRight *right = &work->object->rights[i];
        if (right->state != 'x' && text_equal(right->column, column) &&
            strcmp(right->privilege, privilege) == 0 &&
            same_grantee(roles_target(&work->access->roles, right->grantee), grantee) &&
            (right->grantee == NULL) == (grantee == NULL))
            return true;
    }
    return false;
}

/* Whose privileges are ours to take back: PUBLIC's, those of roles of the run, and the owner's when
 * it is the source's. */
static bool is_ours(const Work *work, const char *grantee)
{
    const RoleSet *set = &work->access->roles;
    if (grantee == NULL)
        return true;
    if (strcmp(grantee, work->owner) == 0)
        return text_equal(roles_target(set, work->object->owner), grantee);
    for (size_t i = 0; i < set->roles.count; i++)
        if (text_equal(set->roles.items[i].target, grantee))
            return strcmp(grantee, set->target.user) != 0;
    return false;
}

static void take_back(Work *work, const AccessRight *held, const char *grantee, Items *revokes)
{
    bool newer =
        strcmp(held->privilege, "MAINTAIN") == 0 && work->access->roles.source.version < 170000;
    if (held->state != 'x' && !newer && is_ours(work, grantee) &&
        !source_has(work, held->column, held->privilege, grantee))
        *vec_push(work->arena, revokes) = (Item){held, grantee};
}

static void take_back_rest(Work *work, Items *revokes)
{
    static const AccessRight EXECUTE = {.privilege = "EXECUTE", .state = 'h'};
    static const AccessRight USAGE = {.privilege = "USAGE", .state = 'h'};
    if (is_given(work->object))
        return;
    for (size_t i = 0; work->there != NULL && i < work->there->right_count; i++)
        take_back(work, &work->there->rights[i], there_grantee(work, &work->there->rights[i]),
                  revokes);
    if (work->there == NULL && public_default(work->object, EXECUTE.privilege))
        take_back(work, &EXECUTE, NULL, revokes);
    if (work->there == NULL && public_default(work->object, USAGE.privilege))
        take_back(work, &USAGE, NULL, revokes);
}

/* --- statements --- */

static Group *group_for(Work *work, bool grant, const char *privileges, const Item *item)
{
    const char *word = grant_word(work->object);
    for (size_t i = work->groups.count; i > 0; i--) {
        Group *group = &work->groups.items[i - 1];
        if (group->grant == grant && group->grantable == (grant && item->right->grantable) &&
            group->count < OBJECTS_A_STATEMENT && strcmp(group->word, word) == 0 &&
            same_grantee(group->grantee, item->grantee) &&
            strcmp(group->privileges, privileges) == 0)
            return group;
    }
    Group *group = vec_push(work->arena, &work->groups);
    *group = (Group){.grant = grant,
                     .word = word,
                     .privileges = privileges,
                     .grantee = item->grantee,
                     .grantable = grant && item->right->grantable};
    return group;
}

/* Items of one object stand together by column and grantee: those that fit into one statement. */
static void add_items(Work *work, const Items *items, bool grant)
{
    bool *done = arena_array(work->arena, bool, items->count);
    for (size_t i = 0; i < items->count; i++) {
        const Item *first = &items->items[i];
        AUTO_STR Str privileges = {0};
        for (size_t k = i; k < items->count; k++) {
            const Item *item = &items->items[k];
            if (done[k] || !same_grantee(item->grantee, first->grantee) ||
                (grant && item->right->grantable != first->right->grantable))
                continue;
            done[k] = true;
            str_appendf(&privileges, "%s%s", privileges.length > 0 ? ", " : "",
                        item->right->privilege);
            if (item->right->column != NULL) {
                str_append(&privileges, " (");
                ddl_ident(&privileges, work->target, item->right->column);
                str_append_char(&privileges, ')');
            }
        }
        if (privileges.length == 0)
            continue;
        Group *group = group_for(work, grant, str_dup(work->arena, &privileges), first);
        str_append(&group->objects, group->count++ > 0 ? ", " : "");
        access_object_sql(&group->objects, work->object, &work->access->roles, work->target);
    }
}

static void end_groups(Work *work, bool grant)
{
    for (size_t i = 0; i < work->groups.count; i++) {
        Group *group = &work->groups.items[i];
        if (group->grant != grant)
            continue;
        AUTO_STR Str sql = {0};
        str_appendf(&sql, "%s %s ON %s ", grant ? "GRANT" : "REVOKE", group->privileges,
                    group->word);
        str_append(&sql, group->objects.data);
        str_append(&sql, grant ? " TO " : " FROM ");
        if (group->grantee == NULL)
            str_append(&sql, "PUBLIC");
        else
            ddl_ident(&sql, work->target, group->grantee);
        str_append(&sql, group->grantable ? " WITH GRANT OPTION" : "");
        str_release(&group->objects);
        *vec_push(work->arena, &work->plan->privileges) = str_dup(work->arena, &sql);
    }
}

static void look_at(Work *work, const AccessObject *object)
{
    Items grants = {0};
    Items revokes = {0};
    work->object = object;
    work->there = access_twin(&work->access->target, object);
    if (grant_word(object) == NULL || (work->there == NULL && !work->before))
        return;
    work->owner = access_owner(work->access, object, work->there);
    for (size_t i = 0; i < object->right_count; i++)
        want_one(work, &object->rights[i], &grants, &revokes);
    take_back_rest(work, &revokes);
    if (grants.count + revokes.count == 0)
        return;
    bool acts = (work->there != NULL && work->there->may_act &&
                 strcmp(work->there->owner, work->owner) == 0) ||
                roles_usable(&work->access->roles, work->owner);
    if (!acts) {
        const Item *first = grants.count > 0 ? &grants.items[0] : &revokes.items[0];
        access_gap(work->arena, work->plan, "privilege",
                   first->grantee == NULL ? "PUBLIC" : first->grantee, object,
                   "the target's user does not own it");
        return;
    }
    add_items(work, &revokes, false);
    add_items(work, &grants, true);
}

void access_privileges(Arena *arena, const Access *access, const Conn *target, bool before,
                       AccessPlan *plan)
{
    Work work = {
        .arena = arena, .access = access, .target = target, .plan = plan, .before = before};
    for (size_t i = 0; i < access->source.objects.count; i++)
        look_at(&work, &access->source.objects.items[i]);
    end_groups(&work, false);
    end_groups(&work, true);
}
