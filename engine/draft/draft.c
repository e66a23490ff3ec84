/*
 * Writing the draft, section by section, in the order of the plan language.
 */
#include "draft/draft_internal.h"

#include "base/units.h"
#include "blueprint/blueprint.h"
#include "plan/plan.h"
#include "provider/provider.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_CHARS 41

typedef struct Draft {
    Str *out;
    Arena *arena;
    const DraftInput *in;
    Texts schemas;     /* whole schemas that are selected, sorted */
    Texts excluded;    /* names, each with its reason behind */
    const char *clash; /* a schema for what is on the target already, NULL none needed */
} Draft;

/* ---- text ----------------------------------------------------------------------------------- */

static bool is_plain(const char *text)
{
    static const char *const WORDS[] = {"y",   "n",    "yes",   "no",  "on",
                                        "off", "true", "false", "null"};
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if (strcasecmp(text, WORDS[i]) == 0)
            return false;
    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && *at != '_' && *at != '.')
            return false;
    return true;
}

static bool has_control(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return true;
    return false;
}

/* Single quotes take everything but control characters, for which double quotes have escapes. */
/* A YAML scalar, in quotes where a reader might take it for something else. */
char *draft_scalar(Arena *arena, const char *text)
{
    AUTO_STR Str out = {0};
    bool control = has_control(text);
    if (is_plain(text))
        return arena_strdup(arena, text);
    str_append_char(&out, control ? '"' : '\'');
    for (const char *at = text; *at != '\0'; at++) {
        if (control && ((unsigned char)*at < ' ' || *at == 0x7f))
            str_appendf(&out, "\\x%02x", (unsigned)(unsigned char)*at);
        else if (control && (*at == '"' || *at == '\\'))
            str_appendf(&out, "\\%c", *at);
        else if (!control && *at == '\'')
            str_append(&out, "''");
        else
            str_append_char(&out, *at);
    }
    str_append_char(&out, control ? '"' : '\'');
    return str_dup(arena, &out);
}

/* "schema.name" as a YAML scalar. */
char *draft_relation(Arena *arena, const Name *name)
{
    return draft_scalar(arena, name_text(arena, name));
}

char *draft_name(Arena *arena, const char *database)
{
    char *name = arena_strdup(arena, database);
    for (char *at = name; *at != '\0'; at++)
        *at = isalnum((unsigned char)*at) ? (char)tolower((unsigned char)*at) : '_';
    if (!isalpha((unsigned char)*name) && *name != '_')
        name = arena_printf(arena, "db_%s", name);
    if (strlen(name) > NAME_MAX_CHARS)
        name[NAME_MAX_CHARS] = '\0';
    return name;
}

/* A name in a comment: nothing in it may end the line. */
static const char *in_comment(const Draft *draft, const char *text)
{
    return has_control(text) ? draft_scalar(draft->arena, text) : text;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_once(Draft *draft, Texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], text) == 0)
            return;
    *vec_push(draft->arena, texts) = text;
}

/* ---- selection ------------------------------------------------------------------------------ */

static bool is_provider_schema(const Draft *draft, const char *schema)
{
    return provider_reserves(draft->in->source_kind, PROVIDER_SCHEMA, schema) != NULL;
}

static bool takes_hypertables(const DraftInput *in)
{
    return in->target == NULL ? strcmp(in->target_kind, "tiger_cloud") == 0
                              : in->target->server.timescaledb_version != NULL ||
                                    catalog_available(in->target, "timescaledb") != NULL;
}

static const char *why_excluded(const Draft *draft, const CatRelation *relation)
{
    if (relation->is_hypertable && !takes_hypertables(draft->in))
        return "a hypertable, and the target has no TimescaleDB";
    if (relation->persistence == 'u')
        return "unlogged: it would be copied again behind the fence (take the line out if its size "
               "may be downtime)";
    if (!relation->can_select)
        return "the user of this connection may not read it";
    return NULL;
}

static bool is_table(const CatRelation *relation)
{
    return (relation->kind == 'r' || relation->kind == 'p') && draft_is_users(relation);
}

static void find_selection(Draft *draft)
{
    const Catalog *source = draft->in->source;
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *relation = source->by_name[i];
        if (!draft_is_users(relation) || is_provider_schema(draft, relation->name.schema) ||
            relation->kind == 'S')
            continue;
        add_once(draft, &draft->schemas, relation->name.schema);
        const char *why = is_table(relation) ? why_excluded(draft, relation) : NULL;
        if (why != NULL)
            *vec_push(draft->arena, &draft->excluded) =
                arena_printf(draft->arena, "    - %s  # %s\n",
                             draft_relation(draft->arena, &relation->name), why);
    }
    if (draft->schemas.count > 1)
        qsort(draft->schemas.items, draft->schemas.count, sizeof(char *), by_text);
}

static void write_schema_line(Draft *draft, const char *schema)
{
    const Catalog *source = draft->in->source;
    size_t tables = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *relation = &source->relations[i];
        if (!is_table(relation) || strcmp(relation->name.schema, schema) != 0)
            continue;
        tables += !relation->is_partition;
        bytes += relation->bytes;
    }
    str_appendf(draft->out, "    - %s  # %zu tables, %s\n",
                draft_scalar(draft->arena, name_part_text(draft->arena, schema)), tables,
                units_size_text(draft->arena, bytes));
}

/* ---- names that clash ----------------------------------------------------------------------- */

static const char *clash_of(const Draft *draft, const CatRelation *relation)
{
    const Catalog *target = draft->in->target;
    if (!is_table(relation) || relation->is_partition || why_excluded(draft, relation) != NULL ||
        is_provider_schema(draft, relation->name.schema))
        return NULL;
    if (provider_reserves(draft->in->target_kind, PROVIDER_SCHEMA, relation->name.schema) != NULL)
        return "the target's provider keeps this schema for itself";
    if (target != NULL && catalog_relation_named(target, &relation->name) != NULL)
        return "the target has a relation of this name";
    return NULL;
}

static bool target_has_schema(const Catalog *target, const char *schema)
{
    for (size_t i = 0; target != NULL && i < target->relations_count; i++)
        if (strcmp(target->relations[i].name.schema, schema) == 0)
            return true;
    return false;
}

/* A schema of the database's name, which neither side has. */
static const char *free_schema(const Draft *draft)
{
    const char *base = arena_printf(draft->arena, "from_%s", draft->in->name);
    const char *name = base;
    for (int i = 2;
         target_has_schema(draft->in->target, name) || target_has_schema(draft->in->source, name);
         i++)
        name = arena_printf(draft->arena, "%s_%d", base, i);
    return name;
}

static void write_map(Draft *draft)
{
    const Catalog *source = draft->in->source;
    const char *schema = NULL;
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *relation = source->by_name[i];
        const char *why = clash_of(draft, relation);
        if (why == NULL)
            continue;
        if (schema == NULL) {
            schema = free_schema(draft);
            str_append(draft->out, "  map:\n");
        }
        str_appendf(draft->out, "    - {source: %s, target: %s}  # %s\n",
                    draft_relation(draft->arena, &relation->name),
                    draft_relation(draft->arena, &(Name){schema, relation->name.rel}), why);
    }
}

/* How a table is called on the target, after the map. */
static Name target_name(const Draft *draft, const CatRelation *relation)
{
    return clash_of(draft, relation) == NULL ? relation->name
                                             : (Name){free_schema(draft), relation->name.rel};
}

static void write_select(Draft *draft)
{
    str_append(draft->out, "\nselect:\n  schemas:\n");
    for (size_t i = 0; i < draft->schemas.count; i++)
        write_schema_line(draft, draft->schemas.items[i]);
    if (draft->excluded.count > 0)
        str_append(draft->out, "  exclude:\n");
    for (size_t i = 0; i < draft->excluded.count; i++)
        str_append(draft->out, draft->excluded.items[i]);
    write_map(draft);
}

/* ---- hypertables ---------------------------------------------------------------------------- */

static bool is_selected(const Draft *draft, const CatRelation *relation)
{
    return why_excluded(draft, relation) == NULL &&
           !is_provider_schema(draft, relation->name.schema);
}

/* A hypertable of the source as an entry of the plan would describe it. */
static void write_mirrored(Draft *draft, const CatRelation *table)
{
    size_t count = 0;
    const CatDimension *dimensions = catalog_dimensions(draft->in->source, &table->name, &count);
    Name name = target_name(draft, table);
    str_appendf(draft->out, "#   - target_table: %s\n", draft_relation(draft->arena, &name));
    for (size_t i = 0; i < count; i++) {
        const CatDimension *one = &dimensions[i];
        str_append(draft->out, i == 0 ? "#     by_range: {" : "#       - by_");
        if (i > 0)
            str_append(draft->out, one->number_partitions > 0 ? "hash: {" : "range: {");
        str_appendf(draft->out, "column_name: %s, ", draft_scalar(draft->arena, one->column_name));
        if (one->number_partitions > 0)
            str_appendf(draft->out, "number_partitions: %u", one->number_partitions);
        else
            str_appendf(draft->out, "partition_interval: %s",
                        draft_scalar(draft->arena, one->interval));
        if (one->partition_func.rel != NULL)
            str_appendf(draft->out, ", partition_func: %s",
                        draft_relation(draft->arena, &one->partition_func));
        str_append(draft->out, i == 0 && count > 1 ? "}\n#     dimensions:\n" : "}\n");
    }
    if (count > 0 && dimensions[0].integer_now_func.rel != NULL)
        str_appendf(draft->out, "#     integer_now_func: %s\n",
                    draft_relation(draft->arena, &dimensions[0].integer_now_func));
    draft_policies(draft->arena, draft->out, draft->in->source, &table->name);
}

static void write_aggregates(Draft *draft)
{
    const Catalog *source = draft->in->source;
    size_t count = 0;
    for (size_t i = 0; i < source->aggregates_count; i++) {
        const CatRelation *view = catalog_relation_named(source, &source->aggregates[i].view);
        if (view == NULL || is_provider_schema(draft, view->name.schema))
            continue;
        if (count++ == 0)
            str_append(draft->out, "# continuous_aggregates:\n");
        draft_aggregate(draft->arena, draft->out, source, &source->aggregates[i]);
    }
    count = 0;
    for (size_t i = 0; i < source->jobs_count; i++) {
        const CatJob *job = &source->jobs[i];
        if (schema_is_timescaledb(job->procedure.schema))
            continue;
        if (count++ == 0)
            str_append(draft->out, "# jobs:\n");
        draft_job(draft->arena, draft->out, job);
    }
}

static void write_mirror(Draft *draft)
{
    const Catalog *source = draft->in->source;
    size_t count = 0;
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *table = source->by_name[i];
        if (!table->is_hypertable || !draft_is_users(table) || !is_selected(draft, table))
            continue;
        if (count++ == 0)
            str_append(draft->out,
                       "\n# Hypertables of the source become hypertables with the same settings. "
                       "Below is what they are, with\n# aggregates and jobs; an "
                       "entry changes it for its table, one of an aggregate or a job stands in "
                       "its\n# place.\ntimescaledb: {mirror: true}\n# hypertables:\n");
        write_mirrored(draft, table);
    }
    if (count > 0)
        write_aggregates(draft);
}

static void write_candidate(Draft *draft, const Candidate *candidate, bool active)
{
    const char *mark = active ? "" : "# ";
    Name name = target_name(draft, candidate->table);
    str_appendf(draft->out, "  # %s: %s.\n",
                in_comment(draft, name_text(draft->arena, &candidate->table->name)),
                candidate->reason);
    for (size_t i = 0; i < candidate->obstacles.count; i++)
        str_appendf(draft->out, "  # First: %s.\n",
                    in_comment(draft, candidate->obstacles.items[i]));
    str_appendf(draft->out, "  %s- target_table: %s\n", mark, draft_relation(draft->arena, &name));
    str_appendf(draft->out, "  %s  by_range: {column_name: %s, partition_interval: %s}\n", mark,
                draft_scalar(draft->arena, candidate->column), candidate->interval);
}

static bool write_hypertables(Draft *draft, Conn *source, Err *err)
{
    Candidates found = {0};
    size_t active = 0;
    if (!draft_candidates(draft->arena, draft->in->source, source, &found, err))
        return false;
    bool may = takes_hypertables(draft->in);
    size_t listed = 0;
    for (size_t i = 0; i < found.count; i++) {
        listed += is_selected(draft, found.items[i].table);
        active +=
            may && is_selected(draft, found.items[i].table) && found.items[i].obstacles.count == 0;
    }
    if (listed == 0)
        return true;
    str_append(
        draft->out,
        "\n# Tables that grow along time and may become hypertables. A chunk should fit into "
        "a quarter of the\n# target's memory: the interval comes from the table's size over "
        "the time that its statistics span.\n");
    str_append(draft->out, may ? "" : "# The target has no TimescaleDB: nothing is converted.\n");
    str_append(draft->out, active > 0 ? "hypertables:\n" : "# hypertables:\n");
    for (size_t i = 0; i < found.count; i++)
        if (is_selected(draft, found.items[i].table))
            write_candidate(draft, &found.items[i], may && found.items[i].obstacles.count == 0);
    return true;
}

/* ---- replica identity ----------------------------------------------------------------------- */

static bool column_is_not_null(const Catalog *source, uint32_t table, int attnum)
{
    const CatColumn *column = catalog_column(source, table, attnum);
    return column != NULL && column->not_null;
}

/* An index that PostgreSQL takes as a replica identity. */
static bool may_identify(const Catalog *source, const CatIndex *index)
{
    if (!index->unique || !index->valid || !index->immediate || index->partial ||
        index->has_expressions || index->exclusion)
        return false;
    for (int i = 0; i < index->key_count; i++)
        if (!column_is_not_null(source, index->relation, index->attnums[i]))
            return false;
    return true;
}

static const CatIndex *identity_for(const Catalog *source, const CatRelation *table, bool *has)
{
    size_t count = 0;
    const CatIndex *found = NULL;
    const CatIndex *indexes = catalog_indexes(source, table->oid, &count);
    *has = table->replica_identity == 'f' ||
           (table->replica_identity == 'i' && table->replica_identity_index != 0);
    for (size_t i = 0; i < count; i++) {
        if (!may_identify(source, &indexes[i]))
            continue;
        *has = *has || (indexes[i].primary && table->replica_identity == 'd');
        if (found == NULL || indexes[i].primary || indexes[i].key_count < found->key_count)
            found = &indexes[i];
    }
    return found;
}

static void write_identity(Draft *draft, const CatRelation *table, const CatIndex *index)
{
    str_appendf(draft->out, "      - {table: %s, ", draft_relation(draft->arena, &table->name));
    if (index != NULL)
        str_appendf(draft->out, "using_index: %s}\n", draft_scalar(draft->arena, index->name.rel));
    else
        str_append(draft->out, "full: true}  # has no unique index over NOT NULL columns: slow for "
                               "many UPDATEs and DELETEs\n");
}

static void write_identities(Draft *draft)
{
    const Catalog *source = draft->in->source;
    bool first = true;
    for (size_t i = 0; i < source->relations_count; i++) {
        const CatRelation *table = source->by_name[i];
        bool has = false;
        if (table->kind != 'r' || !is_table(table) || !is_selected(draft, table))
            continue;
        const CatIndex *index = identity_for(source, table, &has);
        if (has)
            continue;
        if (first)
            str_append(draft->out,
                       "\n# Tables without a replica identity: published as they are, their own "
                       "UPDATE and DELETE would fail.\n# What is named here is set on the source "
                       "for the time of the run, and taken back.\n"
                       "replication:\n  replica_identity:\n    tables:\n");
        first = false;
        write_identity(draft, table, index);
    }
}

/* ---- the rest ------------------------------------------------------------------------------- */

static void write_head(Draft *draft)
{
    const DraftInput *in = draft->in;
    const CatServer *server = &in->source->server;
    str_append(draft->out, "# yaml-language-server: $schema=plan.schema.json\n");
    str_appendf(draft->out,
                "# Drafted by \"godwit init\" from database %s, PostgreSQL %s%s%s. Read it, change "
                "it, put it into git.\n",
                in_comment(draft, server->database), server->version_text,
                server->timescaledb_version != NULL ? ", TimescaleDB " : "",
                server->timescaledb_version != NULL ? server->timescaledb_version : "");
    str_append(draft->out, "# Next: godwit schema > plan.schema.json (for the editor), godwit "
                           "validate, godwit check, godwit plan.\n");
    str_appendf(draft->out, "version: 1\nname: %s\n", in->name);
    str_appendf(draft->out, "source:\n  kind: %s%s%s\n  conninfo_env: %s\n", in->source_kind,
                in->source_evidence != NULL ? "  # by " : "",
                in->source_evidence != NULL ? in->source_evidence : "", in->source_env);
    str_appendf(draft->out, "target:\n  kind: %s%s\n  conninfo_env: %s\n", in->target_kind,
                in->target == NULL ? "  # or what it is: self_hosted, azure, rds, ..." : "",
                in->target_env);
}

static void write_extensions(Draft *draft)
{
    const Catalog *source = draft->in->source;
    const Catalog *target = draft->in->target;
    bool first = true;
    for (size_t i = 0; i < source->extensions_count; i++) {
        const CatExtension *extension = &source->extensions[i];
        if (strcmp(extension->name, "plpgsql") == 0)
            continue;
        const CatAvailable *there =
            target == NULL ? NULL : catalog_available(target, extension->name);
        str_appendf(draft->out, "%s#   %s %s%s%s\n",
                    first ? "\n# Extensions of the source; those that the selection needs are "
                            "created on the target.\n"
                          : "",
                    in_comment(draft, extension->name), extension->version,
                    target == NULL  ? ""
                    : there == NULL ? "  NOT offered by the target"
                                    : "  on the target: ",
                    there == NULL ? "" : there->default_version);
        first = false;
    }
}

static void write_tail(Draft *draft)
{
    str_append(draft->out,
               "\ncutover:\n"
               "  approval: {required: true}   # \"godwit approve\" lets it begin\n"
               "  stop_writes: {method: lock}  # lock, read_only, command or manual\n"
               "  max_downtime: 5 minutes      # past it the source stays the primary\n");
}

bool draft_write(Str *out, const DraftInput *input, Conn *source, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Draft draft = {.out = out, .arena = &arena, .in = input};
    find_selection(&draft);
    if (draft.schemas.count == 0) {
        err_set(err, ERR_RUN, "database \"%s\" has no tables of its own to migrate",
                input->source->server.database);
        return err_hint(err, "Look whether the connection string names the right database.");
    }
    write_head(&draft);
    write_select(&draft);
    write_mirror(&draft);
    if (!write_hypertables(&draft, source, err))
        return false;
    write_extensions(&draft);
    write_identities(&draft);
    write_tail(&draft);
    return true;
}
