/*
 * Provider: what each provider of PostgreSQL allows, how it is recognised, and how what falls short
 * is put right there: tables of data. Kinds are those of the plan (source.kind, target.kind).
 */
#ifndef GODWIT_PROVIDER_PROVIDER_H
#define GODWIT_PROVIDER_PROVIDER_H

#include "base/err.h"
#include "pg/conn.h"

typedef struct ProviderKind {
    const char *kind; /* of the plan */
    const char *title;
    const char *found_by; /* provider_detect.sql in words */
    const char *note;     /* what else to know, one paragraph; NULL nothing */
    const char *console;  /* where settings are changed by hand; NULL nowhere */
} ProviderKind;

/** Every kind, sorted. */
const ProviderKind *provider_kinds(size_t *count);

/** Where a kind's settings are changed by hand, NULL nowhere. */
const char *provider_console(const char *kind);

/* What can be put right in a provider's own way. */
typedef enum ProviderTopic {
    TOPIC_WAL_LEVEL,        /* logical decoding */
    TOPIC_SETTING_RESTART,  /* $name = $value, read at start only */
    TOPIC_SETTING_RELOAD,   /* $name = $value, read on reload */
    TOPIC_REPLICATION_ROLE, /* $user may replicate */
    TOPIC_REPLICA_ROLE,     /* $user may set session_replication_role */
    TOPIC_DIRECT,           /* connect without pooler or proxy */
    TOPIC_EXTENSION,        /* extension $name is offered */
    TOPIC_COUNT
} ProviderTopic;

typedef struct ProviderRemedy {
    const char *kind;
    ProviderTopic topic;
    const char *text; /* SQL with $name, $value, $user; what is no SQL begins with "-- " */
} ProviderRemedy;

/** Every remedy; each kind without a row for a topic uses self_hosted's. */
const ProviderRemedy *provider_remedies(size_t *count);

/** The remedy of a topic in a provider's own way.
 * \param name, value, user what $name, $value and $user stand for; NULL where not used */
char *provider_remedy(Arena *arena, const char *kind, ProviderTopic topic, const char *name,
                      const char *value, const char *user);

/* An address behind which there is no plain server. */
typedef struct ProviderEndpoint {
    const char *kind;
    const char *domain;       /* somewhere in the host's name */
    const char *host_part;    /* somewhere in the host's name too, NULL any */
    const char *first_prefix; /* the host's first label begins so, NULL any */
    const char *first_suffix; /* the host's first label ends so, NULL any */
    const char *port;         /* NULL any */
    const char *what;
    const char *advice;
} ProviderEndpoint;

/** Every row. */
const ProviderEndpoint *provider_endpoints(size_t *count);

/** The row that an address matches, whatever its case; NULL if it looks like a server. */
const ProviderEndpoint *provider_endpoint(const char *host, const char *port);

/* What a provider keeps for itself. */
typedef enum ProviderObject {
    PROVIDER_ROLE,
    PROVIDER_SCHEMA,
    PROVIDER_EXTENSION,
    PROVIDER_EVENT_TRIGGER,
    PROVIDER_PUBLICATION,
    PROVIDER_DATABASE,
    PROVIDER_OWNER, /* a role that owns only what is the provider's */
} ProviderObject;

typedef struct ProviderReserved {
    const char *kind; /* of the plan; "any" everywhere; "timescaledb" wherever it is installed */
    ProviderObject object;
    const char *name; /* exact, or the beginning of a name when it ends in '*' */
    bool ask;         /* objects of the user's own may need it: leaving it out is told loudly */
    const char *note; /* what it is */
} ProviderReserved;

/** Every reserved name; sorted by kind, object, name. */
const ProviderReserved *provider_reserved_rows(size_t *count);

/** Whether a name belongs to the provider (rows of the kind, of "any" and of "timescaledb"); NULL
 * when it is the user's. For roles it says what is neither read from a source of this kind nor made
 * on a target of it. */
const ProviderReserved *provider_reserves(const char *kind, ProviderObject object,
                                          const char *name);

/* Attributes of a role that a provider may refuse; bits. */
typedef enum ProviderAttribute {
    ATTRIBUTE_SUPERUSER = 1,
    ATTRIBUTE_REPLICATION = 2,
    ATTRIBUTE_BYPASSRLS = 4,
    ATTRIBUTE_CREATEROLE = 8,
    ATTRIBUTE_CREATEDB = 16,
} ProviderAttribute;

typedef struct ProviderRoleRule {
    const char *kind;
    int min_version;       /* of the server, as PostgreSQL numbers it: 160000 */
    int max_version;       /* inclusive */
    uint32_t refused;      /* ProviderAttribute bits that CREATE and ALTER ROLE refuse there */
    bool reads_passwords;  /* pg_authid can be read by the user that the provider gives */
    bool takes_hashes;     /* CREATE ROLE takes a password that is hashed already */
    const char *instead;   /* what replaces a refused attribute there, NULL nothing */
    const char *no_grant;  /* predefined roles that cannot be granted there, NULL all can */
    const char *may_grant; /* only these predefined roles can be granted, NULL any */
} ProviderRoleRule;

/** Every rule; each kind has rows for every version. */
const ProviderRoleRule *provider_role_rules(size_t *count);

/** What roles on a server of this kind and version may be given by its admin. self_hosted refuses
 * nothing: there the user's own powers decide, which are probed. Never NULL for a kind of the plan.
 */
const ProviderRoleRule *provider_role_rule(const char *kind, int version);

/** Whether membership in a predefined role (pg_monitor, ...) can be granted there. */
bool provider_grants_predefined(const ProviderRoleRule *rule, const char *role);

/* A way to make a session's triggers and foreign keys silent. */
typedef struct ProviderReplicaWay {
    const char *needs; /* a function, schema.name, that the user must be able to call; NULL none */
    const char *sql;   /* sets session_replication_role to replica for the session */
} ProviderReplicaWay;

/** Every way, the plain one first; each is tried on the target, none is taken for granted. */
const ProviderReplicaWay *provider_replica_ways(size_t *count);

/* How a setting's value is judged. */
typedef enum ProviderRule {
    RULE_IS,         /* equal to wanted */
    RULE_AT_LEAST,   /* a number of at least wanted */
    RULE_UNLIMITED,  /* -1, or as large as can be had: shown as wanted */
    RULE_OFF_OR_MIN, /* 0 (off), or at least wanted */
} ProviderRule;

typedef struct ProviderSetting {
    const char *kind;
    ConnSide side;
    const char *name;
    ProviderRule rule;
    const char *wanted; /* in the setting's base unit */
    bool required;      /* else recommended */
    bool restart;       /* whether changing it there restarts the server */
    const char *code;   /* the finding that tells it: "G501", or an older check's */
    const char *why;
    const char *how; /* where it is neither SQL nor the topic's command, NULL */
} ProviderSetting;

/** Every setting that matters, by kind and side; the ones of "G501" are judged by
 * provider_setting_fits(). */
const ProviderSetting *provider_settings(size_t *count);

/** Whether a value, as current_setting() has it in the base unit, is as wanted. */
bool provider_setting_fits(const ProviderSetting *setting, const char *value);

/* When a provider drops or invalidates a slot. */
typedef struct ProviderSlotRule {
    const char *kind;
    int min_version; /* of the server */
    int max_version; /* inclusive */
    const char *rule;
    const char *advice;
} ProviderSlotRule;

const ProviderSlotRule *provider_slot_rules(size_t *count);

/* A power of the target's user that the run can do without. */
typedef struct ProviderPower {
    const char *name;     /* "create_role" */
    const char *probe;    /* SQL that is tried and rolled back; refused when it fails */
    const char *what;     /* "create roles" */
    const char *fallback; /* what the run does instead */
    const char *remedy;   /* SQL with $user, or "-- ..." */
} ProviderPower;

const ProviderPower *provider_powers(size_t *count);

/* Which provider a server looks like. */
typedef struct ProviderGuess {
    const char *kind;     /* NULL: nothing points to one (self-hosted) */
    const char *evidence; /* "setting rds.extensions", NULL without a kind */
    bool sure;            /* more than the name of a role, which may be left over */
    bool agrees;          /* with the kind that was declared */
} ProviderGuess;

/** Asks a server, in one statement that needs no privilege, and compares with the declared kind.
 * \return false with the connection's error. */
MUSTCHECK bool provider_detect(Arena *arena, Conn *conn, const char *declared, ProviderGuess *guess,
                               Err *err);

#endif
