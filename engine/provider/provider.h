/*
 * Provider: what each provider of PostgreSQL allows, how it is recognised, and how what falls short
 * is put right there: tables of data. Kinds are those of the plan (source.kind, target.kind).
 */
#ifndef GODWIT_PROVIDER_PROVIDER_H
#define GODWIT_PROVIDER_PROVIDER_H

#include "base/err.h"
#include "pg/conn.h"

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
    const char *first_suffix; /* the host's first label ends so, NULL any */
    const char *port;         /* NULL any */
    const char *what;
    const char *advice;
} ProviderEndpoint;

/** The row that an address matches, NULL if it looks like a server. */
const ProviderEndpoint *provider_endpoint(const char *host, const char *port);

/** Which provider a server looks like.
 * \param kind NULL when nothing points to one (self-hosted)
 * \return false with the connection's error. */
MUSTCHECK bool provider_detect(Arena *arena, Conn *conn, const char **kind, const char **evidence,
                               Err *err);

#endif
