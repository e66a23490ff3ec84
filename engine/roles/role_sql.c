/*
 * The statements that make roles: CREATE ROLE, its comment and settings, memberships.
 */
#include "pg/ddl.h"
#include "roles/roles.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    uint32_t bit;
    const char *word;
} WORDS[] = {
    {ATTRIBUTE_SUPERUSER, "SUPERUSER"}, {ATTRIBUTE_REPLICATION, "REPLICATION"},
    {ATTRIBUTE_BYPASSRLS, "BYPASSRLS"}, {ATTRIBUTE_CREATEROLE, "CREATEROLE"},
    {ATTRIBUTE_CREATEDB, "CREATEDB"},
};

char *attributes_text(Arena *arena, uint32_t attributes)
{
    AUTO_STR Str text = {0};
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if ((attributes & WORDS[i].bit) != 0)
            str_appendf(&text, "%s%s", text.length > 0 ? ", " : "", WORDS[i].word);
    return str_dup(arena, &text);
}

/* --- settings --- */

/* Settings whose value is a list of identifiers, each quoted for itself. \note Source: PostgreSQL,
 * guc_tables.c: GUC_LIST_QUOTE; of these only search_path is copied. */
static bool is_name_list(const char *name)
{
    return strcmp(name, "search_path") == 0;
}

/* One name of the list, unquoted; returns where the next begins. */
static const char *take_name(const char *at, Str *name)
{
    while (*at == ' ' || *at == ',')
        at++;
    if (*at != '"') {
        size_t length = strcspn(at, ", ");
        str_append_bytes(name, at, length);
        return at + length;
    }
    for (at++; *at != '\0'; at++) {
        if (*at == '"' && at[1] != '"')
            return at + 1;
        at += *at == '"';
        str_append_char(name, *at);
    }
    return at;
}

void setting_sql(Str *sql, const Conn *target, const RoleSetting *setting)
{
    str_append(sql, "SET ");
    const char *dot = strchr(setting->name, '.');
    if (dot != NULL) { /* a customized option has two parts */
        AUTO_ARENA Arena arena = {0};
        ddl_ident(sql, target, arena_memdup(&arena, setting->name, (size_t)(dot - setting->name)));
        str_append_char(sql, '.');
        ddl_ident(sql, target, dot + 1);
    } else {
        ddl_ident(sql, target, setting->name);
    }
    str_append(sql, " TO ");
    if (!is_name_list(setting->name) || *setting->value == '\0') {
        ddl_literal(sql, target, setting->value);
        return;
    }
    for (const char *at = setting->value; *at != '\0';) {
        AUTO_STR Str name = {0};
        at = take_name(at, &name);
        ddl_literal(sql, target, str_text(&name));
        at += strspn(at, " ");
        str_append(sql, *at == ',' ? ", " : "");
        if (*at != ',' && *at != '\0')
            break;
    }
}

static const struct {
    const char *name; /* or its beginning, when it ends in '*' */
    const char *why;
} LEFT_OUT[] = {
    {"archive_*", "it belongs to the server"},
    {"data_directory", "it names a file of the server"},
    {"default_table_access_method", "access methods are left to the target"},
    {"default_tablespace", "tablespaces are left to the target"},
    {"default_transaction_read_only", "the cutover's fences use it"},
    {"dynamic_library_path", "it names files of the server"},
    {"jit_provider", "it names a library"},
    {"local_preload_libraries", "it names libraries"},
    {"log_directory", "it names a file of the server"},
    {"log_filename", "it names a file of the server"},
    {"recovery_*", "it belongs to replication"},
    {"session_preload_libraries", "it names libraries"},
    {"session_replication_role", "it belongs to replication"},
    {"shared_preload_libraries", "it names libraries"},
    {"ssl_*", "it names files of the server"},
    {"stats_temp_directory", "it names a file of the server"},
    {"synchronous_standby_names", "it belongs to replication"},
    {"temp_tablespaces", "tablespaces are left to the target"},
    {"timescaledb.restoring", "it is the state of a restore"},
    {"unix_socket_directories", "it names files of the server"},
    {"wal_*", "it belongs to the server"},
};

const char *setting_left_out(const RoleSetting *setting)
{
    for (size_t i = 0; i < sizeof(LEFT_OUT) / sizeof(LEFT_OUT[0]); i++) {
        const char *star = strchr(LEFT_OUT[i].name, '*');
        if (star == NULL
                ? strcmp(LEFT_OUT[i].name, setting->name) == 0
                : strncmp(LEFT_OUT[i].name, setting->name, (size_t)(star - LEFT_OUT[i].name)) == 0)
            return LEFT_OUT[i].why;
    }
    return NULL;
}

/* --- roles --- */

static void push(Arena *arena, RoleSql *statements, const Str *sql)
{
    *vec_push(arena, statements) = str_dup(arena, sql);
}

static void create_sql(Str *sql, const Role *role, const Conn *target)
{
    const RoleFacts *from = role->from;
    uint32_t given = from->attributes & ~role->refused;
    str_append(sql, "CREATE ROLE ");
    ddl_ident(sql, target, role->target);
    str_append(sql, from->login ? " LOGIN" : " NOLOGIN");
    str_append(sql, from->inherit ? "" : " NOINHERIT");
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if ((given & WORDS[i].bit) != 0)
            str_appendf(sql, " %s", WORDS[i].word);
    if (from->connection_limit >= 0)
        str_appendf(sql, " CONNECTION LIMIT %" PRId64, from->connection_limit);
    if (from->valid_until != NULL) {
        str_append(sql, " VALID UNTIL ");
        ddl_literal(sql, target, from->valid_until);
    }
}

void role_create_sql(Arena *arena, const RoleSet *set, const Role *role, const Conn *target,
                     RoleSql *statements)
{
    AUTO_STR Str sql = {0};
    create_sql(&sql, role, target);
    push(arena, statements, &sql);
    if (role->from->comment != NULL && set->plan->schema.comments) {
        str_reset(&sql);
        str_append(&sql, "COMMENT ON ROLE ");
        ddl_ident(&sql, target, role->target);
        str_append(&sql, " IS ");
        ddl_literal(&sql, target, role->from->comment);
        push(arena, statements, &sql);
    }
    for (size_t i = 0; set->plan->roles.settings && i < set->source.settings.count; i++) {
        const RoleSetting *setting = &set->source.settings.items[i];
        if (setting->in_database || setting->role == NULL ||
            strcmp(setting->role, role->from->name) != 0 || setting_left_out(setting) != NULL)
            continue;
        str_reset(&sql);
        str_append(&sql, "ALTER ROLE ");
        ddl_ident(&sql, target, role->target);
        str_append_char(&sql, ' ');
        setting_sql(&sql, target, setting);
        push(arena, statements, &sql);
    }
}

/* \note Source: PostgreSQL documentation, GRANT: options INHERIT and SET since 16. */
static void grant_sql(Str *sql, const RoleSet *set, const RoleGrant *grant, const Conn *target)
{
    str_append(sql, "GRANT ");
    ddl_ident(sql, target, grant->role);
    str_append(sql, " TO ");
    ddl_ident(sql, target, grant->member);
    if (set->target.version >= 160000)
        str_appendf(sql, " WITH ADMIN %s, INHERIT %s, SET %s", grant->admin ? "TRUE" : "FALSE",
                    grant->inherits ? "TRUE" : "FALSE", grant->sets ? "TRUE" : "FALSE");
    else if (grant->admin)
        str_append(sql, " WITH ADMIN OPTION");
}

void roles_sql(Arena *arena, const RoleSet *set, const Conn *target, RoleSql *statements)
{
    for (size_t i = 0; i < set->roles.count; i++)
        if (set->roles.items[i].fate == ROLE_CREATE)
            role_create_sql(arena, set, &set->roles.items[i], target, statements);
    for (size_t i = 0; i < set->grants.count; i++) {
        if (set->grants.items[i].left_out != NULL)
            continue;
        AUTO_STR Str sql = {0};
        grant_sql(&sql, set, &set->grants.items[i], target);
        push(arena, statements, &sql);
    }
}
