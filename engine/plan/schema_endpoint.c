/*
 * Schema of source, target and tools: the servers and programs of a plan.
 */
#include "plan/schema_parts.h"

static const cyaml_strval_t SOURCE_KINDS[] = {
    {"self_hosted", 0}, {"rds", 1},   {"aurora", 2}, {"neon", 3},
    {"supabase", 4},    {"azure", 5}, {"mst", 6},
};

static const cyaml_strval_t TARGET_KINDS[] = {
    {"self_hosted", 0}, {"rds", 1},   {"aurora", 2}, {"neon", 3},
    {"supabase", 4},    {"azure", 5}, {"mst", 6},    {"tiger_cloud", 7},
};

const cyaml_schema_field_t EXPECT_FIELDS[] = {
    IS_STRING("host", OPTIONAL, BoundExpect, host),
    CYAML_FIELD_UINT_PTR("port", OPTIONAL, BoundExpect, port),
    IS_STRING("dbname", OPTIONAL, BoundExpect, dbname),
    CYAML_FIELD_END,
};

const PlanKey EXPECT_KEYS[] = {
    {.key = "host", .doc = "Host name as the connection string gives it."},
    {.key = "port", .doc = "Port.", .min = 1, .max = 65535},
    {.key = "dbname", .doc = "Database name."},
    {.key = NULL},
};

/* What both endpoints take. */
#define ENDPOINT_FIELDS(kinds)                                                                     \
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, BoundEndpoint, kind, kinds, COUNT(kinds)),         \
        IS_STRING("service", OPTIONAL, BoundEndpoint, service),                                    \
        IS_STRING("conninfo_env", OPTIONAL, BoundEndpoint, conninfo_env),                          \
        IS_STRING("conninfo", OPTIONAL, BoundEndpoint, conninfo),                                  \
        IS_STRING("passfile", OPTIONAL, BoundEndpoint, passfile),                                  \
        CYAML_FIELD_MAPPING_PTR("expect", OPTIONAL, BoundEndpoint, expect, EXPECT_FIELDS),         \
        CYAML_FIELD_UINT_PTR("max_connections", OPTIONAL, BoundEndpoint, max_connections)

#define ENDPOINT_KEYS(usual)                                                                       \
    {.key = "kind", .doc = "What the server is; its powers are probed, not assumed."},             \
        {.key = "service", .doc = "A service of libpq's service file.", .in_choice = true},        \
        {.key = "conninfo_env",                                                                    \
         .doc = "Name of the environment variable that holds the connection string.",              \
         .format = FORMAT_VARIABLE,                                                                \
         .in_choice = true},                                                                       \
        {.key = "conninfo",                                                                        \
         .doc = "A connection string without a password.",                                         \
         .format = FORMAT_CONNINFO,                                                                \
         .in_choice = true},                                                                       \
        {.key = "passfile", .doc = "A password file, as libpq's; relative to the plan."},          \
        {.key = "expect", .doc = "Refuse any other server: clones share the system identifier."},  \
    {                                                                                              \
        .key = "max_connections",                                                                  \
        .doc = "A hard cap on connections for this run. Default: " usual ".", .min = 2,            \
        .max = 10000                                                                               \
    }

const cyaml_schema_field_t SOURCE_FIELDS[] = {
    ENDPOINT_FIELDS(SOURCE_KINDS),
    CYAML_FIELD_BOOL_PTR("pause_jobs", OPTIONAL, BoundEndpoint, pause_jobs),
    CYAML_FIELD_END,
};

const PlanKey SOURCE_KEYS[] = {
    ENDPOINT_KEYS("table_jobs + 8, at least 10; a mirror: 2 more"),
    {.key = "pause_jobs",
     .doc = "Pause the policies and jobs of a TimescaleDB source during the run.",
     .fallback = "true"},
    {.key = NULL},
};

const cyaml_schema_field_t TARGET_FIELDS[] = {
    ENDPOINT_FIELDS(TARGET_KINDS),
    CYAML_FIELD_END,
};

const PlanKey TARGET_KEYS[] = {
    ENDPOINT_KEYS("2 x (table_jobs + index_jobs) + 12; a mirror: 1 more"),
    {.key = NULL},
};

const cyaml_schema_field_t TOOLS_FIELDS[] = {
    IS_STRING("pg_bin", OPTIONAL, BoundTools, pg_bin),
    CYAML_FIELD_END,
};

const PlanKey TOOLS_KEYS[] = {
    {.key = "pg_bin",
     .doc = "Directory of pg_dump and pg_restore; found by itself when not given."},
    {.key = NULL},
};
