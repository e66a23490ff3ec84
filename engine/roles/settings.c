/*
 * Settings of the database and of roles in it, and the database's comment: what the target lacks.
 */
#include "pg/ddl.h"
#include "roles/access.h"

#include <string.h>

static const char *value_there(const RoleSide *target, const char *role, const char *name)
{
    for (size_t i = 0; i < target->settings.count; i++) {
        const RoleSetting *there = &target->settings.items[i];
        if (there->in_database && text_equal(there->role, role) && strcmp(there->name, name) == 0)
            return there->value;
    }
    return NULL;
}

static void alter(Arena *arena, const RoleSet *set, const RoleSetting *setting, const char *role,
                  const Conn *target, SettingSqlVec *statements)
{
    AUTO_STR Str sql = {0};
    str_append(&sql, role == NULL ? "ALTER DATABASE " : "ALTER ROLE ");
    if (role != NULL) {
        ddl_ident(&sql, target, role);
        str_append(&sql, " IN DATABASE ");
    }
    ddl_ident(&sql, target, set->target.database);
    str_append_char(&sql, ' ');
    setting_sql(&sql, target, setting);
    const char *what = role == NULL ? arena_printf(arena, "%s of the database", setting->name)
                                    : arena_printf(arena, "%s of role %s in the database",
                                                   setting->name, name_part_text(arena, role));
    *vec_push(arena, statements) = (SettingSql){str_dup(arena, &sql), what, setting->value};
}

static void one_setting(Arena *arena, const RoleSet *set, const RoleSetting *setting,
                        const Conn *target, SettingSqlVec *statements, RoleSql *left_out)
{
    const char *why = setting_left_out(setting);
    const char *role = roles_target(set, setting->role);
    if (setting->role != NULL && roles_find(set, setting->role) == NULL)
        return;
    if (why == NULL && setting->role != NULL && role == NULL)
        why = "no role stands for its role";
    if (why != NULL) {
        if (left_out != NULL)
            *vec_push(arena, left_out) = arena_printf(arena, "%s: %s", setting->name, why);
        return;
    }
    if (!text_equal(value_there(&set->target, role, setting->name), setting->value))
        alter(arena, set, setting, role, target, statements);
}

void settings_sql(Arena *arena, const RoleSet *set, const Conn *target, SettingSqlVec *statements,
                  RoleSql *left_out)
{
    for (size_t i = 0; i < set->source.settings.count; i++) {
        const RoleSetting *setting = &set->source.settings.items[i];
        bool wanted = setting->role == NULL
                          ? set->plan->schema.database_settings
                          : set->plan->schema.database_settings && set->plan->roles.settings;
        if (setting->in_database && wanted)
            one_setting(arena, set, setting, target, statements, left_out);
    }
    if (set->source.comment == NULL || set->target.comment != NULL || !set->plan->schema.comments)
        return;
    AUTO_STR Str sql = {0};
    str_append(&sql, "COMMENT ON DATABASE ");
    ddl_ident(&sql, target, set->target.database);
    str_append(&sql, " IS ");
    ddl_literal(&sql, target, set->source.comment);
    *vec_push(arena, statements) =
        (SettingSql){str_dup(arena, &sql), "the comment of the database", set->source.comment};
}
