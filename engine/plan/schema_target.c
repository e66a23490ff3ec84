/*
 * Schema of what comes to the target beside rows: roles, extensions, objects, hypertables.
 */
#include "plan/schema_parts.h"

static const cyaml_strval_t EXISTING[] = {
    {"fail", PLAN_EXISTING_FAIL},
    {"adopt", PLAN_EXISTING_ADOPT},
    {"replace", PLAN_EXISTING_REPLACE},
};

static const cyaml_strval_t PASSWORDS[] = {
    {"if_readable", PLAN_PASSWORDS_IF_READABLE},
    {"omit", PLAN_PASSWORDS_OMIT},
    {"required", PLAN_PASSWORDS_REQUIRED},
};

static const cyaml_strval_t EXTENSIONS_CREATE[] = {{"missing", 0}, {"none", 1}};
static const cyaml_strval_t EXTENSIONS_VERSION[] = {{"same", 0}, {"default", 1}};
static const cyaml_strval_t OWNERSHIP[] = {{"keep", 0}, {"target_user", 1}};
static const cyaml_strval_t COPY_OR_OMIT[] = {{"omit", 0}, {"copy", 1}};
static const cyaml_strval_t FOREIGN_KEYS[] = {{"not_valid_then_validate", 0}, {"validate", 1}};

const cyaml_schema_field_t ROLE_MAP_FIELDS[] = {
    IS_STRING("source", REQUIRED, BoundRoleMap, source),
    IS_STRING("target", REQUIRED, BoundRoleMap, target),
    CYAML_FIELD_END,
};

const PlanKey ROLE_MAP_KEYS[] = {
    {.key = "source", .doc = "A role of the source, as it is called."},
    {.key = "target", .doc = "The role of the target that stands for it."},
    {.key = NULL},
};

static const cyaml_schema_value_t ROLE_MAP_VALUE = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, BoundRoleMap, ROLE_MAP_FIELDS)};

const cyaml_schema_field_t ROLES_FIELDS[] = {
    CYAML_FIELD_BOOL_PTR("copy", OPTIONAL, BoundRoles, copy),
    IS_WORD("passwords", BoundRoles, passwords, PASSWORDS),
    IS_LIST("exclude", BoundRoles, exclude, &TEXT_VALUE, 0),
    CYAML_FIELD_BOOL_PTR("settings", OPTIONAL, BoundRoles, settings),
    CYAML_FIELD_BOOL_PTR("grant_to_target_user", OPTIONAL, BoundRoles, grant_to_target_user),
    IS_LIST("map", BoundRoles, map, &ROLE_MAP_VALUE, 1),
    CYAML_FIELD_END,
};

const PlanKey ROLES_KEYS[] = {
    {.key = "copy",
     .doc =
         "Create the roles that the selection needs: owners, grantees, their members and groups.",
     .fallback = "true"},
    {.key = "passwords",
     .doc =
         "Copy hashed passwords where the source lets them be read, never, or fail without them.",
     .fallback = "if_readable"},
    {.key = "exclude",
     .doc = "Roles that are left out: names, or patterns (after ~) over role names.",
     .format = FORMAT_ROLE},
    {.key = "settings", .doc = "Copy ALTER ROLE ... SET.", .fallback = "true"},
    {.key = "grant_to_target_user",
     .doc = "Make the user that runs the migration a member of the roles it creates.",
     .fallback = "true"},
    {.key = "map", .doc = "Roles that have another name on the target."},
    {.key = NULL},
};

const cyaml_schema_field_t EXTENSIONS_FIELDS[] = {
    IS_WORD("create", BoundExtensions, create, EXTENSIONS_CREATE),
    IS_WORD("version", BoundExtensions, version, EXTENSIONS_VERSION),
    IS_LIST("exclude", BoundExtensions, exclude, &TEXT_VALUE, 0),
    CYAML_FIELD_END,
};

const PlanKey EXTENSIONS_KEYS[] = {
    {.key = "create",
     .doc = "Create the extensions that are missing on the target, or none.",
     .fallback = "missing"},
    {.key = "version", .doc = "The source's version, or the target's default.", .fallback = "same"},
    {.key = "exclude", .doc = "Extensions that are left out."},
    {.key = NULL},
};

const cyaml_schema_field_t SCHEMA_FIELDS[] = {
    IS_WORD("existing", BoundSchema, existing, EXISTING),
    IS_WORD("ownership", BoundSchema, ownership, OWNERSHIP),
    IS_WORD("privileges", BoundSchema, privileges, COPY_OR_OMIT),
    IS_WORD("foreign_keys", BoundSchema, foreign_keys, FOREIGN_KEYS),
    IS_WORD("database_settings", BoundSchema, database_settings, COPY_OR_OMIT),
    IS_WORD("comments", BoundSchema, comments, COPY_OR_OMIT),
    CYAML_FIELD_END,
};

const PlanKey SCHEMA_KEYS[] = {
    {.key = "existing",
     .doc = "What to do when an object is already on the target.",
     .fallback = "fail"},
    {.key = "ownership",
     .doc = "Keep each object's owner, or give all to the user that runs the migration.",
     .fallback = "target_user"},
    {.key = "privileges",
     .doc = "Copy GRANTs and default privileges, or leave them out.",
     .fallback = "copy"},
    {.key = "foreign_keys",
     .doc = "Add foreign keys at once as NOT VALID and validate them before the cutover, or add "
            "them validated.",
     .fallback = "not_valid_then_validate"},
    {.key = "database_settings",
     .doc = "Copy ALTER DATABASE ... SET; file paths, libraries and replication settings are left "
            "out and listed.",
     .fallback = "copy"},
    {.key = "comments", .doc = "Copy comments, or leave them out.", .fallback = "copy"},
    {.key = NULL},
};
