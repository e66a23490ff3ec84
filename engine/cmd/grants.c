/*
 * godwit grants PLAN: the SQL that makes a least-privilege role for each side, in the provider's
 * own way, and that drops it afterwards. Prints; runs nothing.
 */
#include "base/jsontext.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "provider/grants.h"

typedef struct SideGrants {
    GrantSpec spec;
    GrantStatements statements;
} SideGrants;

/* --- what is selected, as JSON --- */

static json_t *pick(const char *key, const char *value)
{
    return json_pack("{s:s}", key, value);
}

static void pick_selectors(json_t *list, const PlanSelectors *selectors, bool schemas)
{
    for (size_t i = 0; i < selectors->count; i++) {
        const Selector *selector = &selectors->items[i].selector;
        json_t *item = NULL;
        if (selector->pattern != NULL) /* its text begins with ~ */
            item = pick(schemas ? "schemas" : "pattern", selector->text + 1);
        else if (schemas)
            item = pick("schema", selector->name.schema);
        else
            item = json_pack("{s:s, s:s}", "schema", selector->name.schema, "table",
                             selector->name.rel);
        json_array_append_new(list, item);
    }
}

static const char *planned_selection(Session *session)
{
    json_t *list = json_array();
    pick_selectors(list, &session->plan.select.schemas, true);
    pick_selectors(list, &session->plan.select.tables, false);
    return jsontext_compact(&session->arena, list);
}

static void pick_name(json_t *list, const Name *name)
{
    json_array_append_new(list,
                          json_pack("{s:s, s:s}", "schema", name->schema, "table", name->rel));
}

static const char *found_selection(Session *session)
{
    const Blueprint *blueprint = &session->blueprint;
    json_t *list = json_array();
    for (size_t i = 0; i < blueprint->relation_count; i++)
        pick_name(list, &blueprint->relations[i].source);
    for (size_t i = 0; i < blueprint->leaf_count; i++)
        if (blueprint->leaves[i].oid != blueprint->leaves[i].root->oid)
            pick_name(list, &blueprint->leaves[i].source);
    for (size_t i = 0; i < blueprint->sequence_count; i++)
        pick_name(list, &blueprint->sequences[i].name);
    for (size_t i = 0; i < blueprint->matview_count; i++)
        pick_name(list, &blueprint->matviews[i].name);
    return jsontext_compact(&session->arena, list);
}

static bool has_text(json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (text_equal(json_string_value(json_array_get(list, i)), text))
            return true;
    }
    return false;
}

static void add_text(json_t *list, const char *text)
{
    if (text != NULL && !has_text(list, text))
        json_array_append_new(list, json_string(text));
}

/* Schemas that may stand on the target already; public always does. */
static const char *target_schemas(Session *session, bool connected)
{
    const Blueprint *blueprint = &session->blueprint;
    const PlanSelect *select = &session->plan.select;
    json_t *list = json_array();
    add_text(list, "public");
    for (size_t i = 0; connected && i < blueprint->schema_count; i++)
        add_text(list, blueprint->schemas[i]);
    for (size_t i = 0; connected && i < blueprint->relation_count; i++)
        add_text(list, blueprint->relations[i].target.schema);
    for (size_t i = 0; !connected && i < select->schemas.count; i++)
        add_text(list, select->schemas.items[i].selector.name.schema);
    for (size_t i = 0; !connected && i < select->tables.count; i++)
        add_text(list, select->tables.items[i].selector.name.schema);
    return jsontext_compact(&session->arena, list);
}

static const char *target_extensions(Session *session)
{
    json_t *list = json_array();
    for (size_t i = 0; i < session->blueprint.extension_count; i++) {
        const ExtensionDef *extension = &session->blueprint.extensions[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "name", extension->name, "schema", extension->schema));
    }
    return jsontext_compact(&session->arena, list);
}

/* --- both sides --- */

static bool list_side(Session *session, ConnSide side, bool connected, SideGrants *grants, Err *err)
{
    bool source = side == CONN_SOURCE;
    const PlanEndpoint *endpoint = source ? &session->plan.source : &session->plan.target;
    grants->spec = (GrantSpec){
        .side = side,
        .kind = endpoint->kind,
        .role =
            arena_printf(&session->arena, "godwit_%s_%s", session->plan.name, conn_side_name(side)),
        .selection = source ? (connected ? found_selection(session) : planned_selection(session))
                            : target_schemas(session, connected),
        .extensions = target_extensions(session),
        .failback = session->plan.failback.prepare,
    };
    Conn *conn = !connected ? NULL : source ? session->source : session->target;
    return provider_grants(&session->arena, &grants->spec, conn, &grants->statements, err);
}

static void print_statement(const GrantStatement *statement)
{
    bool is_sql = strncmp(statement->text, "--", 2) != 0;
    if (statement->note != NULL)
        printf("-- %s\n", statement->note);
    printf("%s%s\n", statement->text, is_sql ? ";" : "");
}

/* The parts are for two databases, and the last two for another day: psql runs only the one that is
 * named; a file that is run as it is runs nothing. */
static const char HOW[] =
    "-- Four parts; psql 11 or later runs the one that is named, as an administrator:\n"
    "--   psql (of the source) -v make_source=1 -f FILE\n"
    "--   psql (of the target) -v make_target=1 -f FILE\n"
    "-- and behind \"godwit cleanup\" drop_source and drop_target in the same way. Other clients "
    "do "
    "not\n"
    "-- know the lines that begin with a backslash: copy the part that is meant.\n\n";
static const char NONE_NAMED[] =
    "\\if :{?make_source}\n\\elif :{?make_target}\n\\elif :{?drop_source}\n"
    "\\elif :{?drop_target}\n\\else\n"
    "\\echo 'Nothing was run: name a part, as in -v make_source=1.'\n\\endif\n";

static void print_part(const SideGrants *grants, GrantPart part)
{
    const char *side = conn_side_name(grants->spec.side);
    printf("\\if :{?%s_%s}\n", part == GRANT_MAKE ? "make" : "drop", side);
    if (part == GRANT_MAKE)
        printf("-- %s (%s): make %s, in the %s's database\n", side, grants->spec.kind,
               grants->spec.role, side);
    else
        printf("-- %s (%s): drop %s, in the %s's database, behind \"godwit cleanup\"\n", side,
               grants->spec.kind, grants->spec.role, side);
    for (size_t i = 0; i < grants->statements.count; i++)
        if (grants->statements.items[i].part == part)
            print_statement(&grants->statements.items[i]);
    if (part == GRANT_MAKE)
        printf("-- then give it a password, which is in no plan: \\password %s in psql\n",
               grants->spec.role);
    printf("\\endif\n\n");
}

static json_t *part_json(const SideGrants *grants, GrantPart part)
{
    json_t *list = json_array();
    for (size_t i = 0; i < grants->statements.count; i++)
        if (grants->statements.items[i].part == part)
            json_array_append_new(list, json_string(grants->statements.items[i].text));
    return list;
}

static json_t *side_json(const SideGrants *grants)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "kind", grants->spec.kind, "role", grants->spec.role,
                     "make", part_json(grants, GRANT_MAKE), "drop", part_json(grants, GRANT_DROP));
}

static void print(const Options *options, const SideGrants *source, const SideGrants *target)
{
    AUTO_ARENA Arena arena = {0};
    if (text_equal(options->format, "json")) {
        fputs(jsontext_pretty(&arena, json_pack("{s:i, s:o, s:o}", "v", 1, "source",
                                                side_json(source), "target", side_json(target))),
              stdout);
        return;
    }
    fputs(HOW, stdout);
    print_part(source, GRANT_MAKE);
    print_part(target, GRANT_MAKE);
    print_part(source, GRANT_DROP);
    print_part(target, GRANT_DROP);
    fputs(NONE_NAMED, stdout);
}

static bool run(const Options *options, Err *err)
{
    AUTO_SESSION Session session = {0};
    SideGrants source = {0};
    SideGrants target = {0};
    if (!session_plan(&session, options->arguments[0], err) ||
        (options->connect &&
         (!session_connect(&session, true, true, true, err) || !session_inspect(&session, err))) ||
        !list_side(&session, CONN_SOURCE, options->connect, &source, err) ||
        !list_side(&session, CONN_TARGET, options->connect, &target, err))
        return false;
    print(options, &source, &target);
    return true;
}

extern const Command COMMAND_GRANTS;
const Command COMMAND_GRANTS = {
    .name = "grants",
    .arguments = "PLAN",
    .summary = "the SQL that makes and drops a least-privilege user on each side",
    .touches = "nothing; with --connect it reads both servers",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = (const OptionId[]){OPTION_CONNECT, OPTION_NONE},
    .formats = "text|json",
    .run = run,
};
