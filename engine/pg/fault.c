/*
 * Fault hook: parses GODWIT_FAULT once, counts per rule. Empty in release builds.
 */
#include "pg/fault.h"

#ifdef GODWIT_FAULTS

#include "base/units.h"
#include "base/str.h"
#include "pg/conn_internal.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#define FAULT_MAX_RULES 16

typedef enum FaultAction { FAULT_FAIL, FAULT_CUT, FAULT_KILL } FaultAction;

typedef struct FaultRule {
    const char *side;
    const char *purpose;
    FaultPoint point;
    FaultAction action;
    uint32_t nth;
    atomic_uint seen;
} FaultRule;

static const char *const POINT_NAMES[] = {"statement", "message"};
static const char *const ACTION_NAMES[] = {"fail", "cut", "kill"};

static FaultRule rules[FAULT_MAX_RULES];
static size_t rule_count;
static Arena rule_arena;
static pthread_once_t rules_once = PTHREAD_ONCE_INIT;

static int index_of(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    BUG("GODWIT_FAULT: unknown word \"%s\"", name);
}

static void rule_parse(char *text)
{
    char *save = NULL;
    char *side = strtok_r(text, ":", &save);
    char *point = strtok_r(NULL, ":", &save);
    char *nth = strtok_r(NULL, ":", &save);
    char *action = strtok_r(NULL, ":", &save);
    if (action == NULL || rule_count == FAULT_MAX_RULES)
        BUG("GODWIT_FAULT: a rule is side:point:N:action, at most %d of them", FAULT_MAX_RULES);
    FaultRule *rule = &rules[rule_count++];
    char *slash = strchr(side, '/');
    if (slash != NULL)
        *slash = '\0';
    rule->side = side;
    rule->purpose = slash != NULL ? slash + 1 : "";
    rule->point = (FaultPoint)index_of(POINT_NAMES, 2, point);
    rule->action = (FaultAction)index_of(ACTION_NAMES, 3, action);
    if (!units_uint32_parse(nth, &rule->nth))
        BUG("GODWIT_FAULT: not a number: %s", nth);
}

static void rules_load(void)
{
    const char *text = getenv("GODWIT_FAULT");
    if (text == NULL)
        return;
    char *save = NULL;
    char *copy = arena_strdup(&rule_arena, text);
    for (char *rule = strtok_r(copy, ",", &save); rule != NULL; rule = strtok_r(NULL, ",", &save))
        rule_parse(rule);
}

static bool rule_fires(FaultRule *rule, const Conn *conn, FaultPoint point)
{
    if (rule->point != point || strcmp(rule->side, conn_side_name(conn->side)) != 0)
        return false;
    if (!text_starts_with(conn->purpose, rule->purpose))
        return false;
    return atomic_fetch_add(&rule->seen, 1) + 1 == rule->nth;
}

bool fault_point(Conn *conn, FaultPoint point, Err *err)
{
    pthread_once(&rules_once, rules_load);
    for (size_t i = 0; i < rule_count; i++) {
        if (!rule_fires(&rules[i], conn, point))
            continue;
        log_warn(&conn->log, "fault hook: %s at %s %u", ACTION_NAMES[rules[i].action],
                 POINT_NAMES[point], rules[i].nth);
        switch (rules[i].action) {
        case FAULT_KILL:
            raise(SIGKILL);
            break;
        case FAULT_CUT:
            shutdown(PQsocket(conn->pg), SHUT_RDWR);
            break;
        case FAULT_FAIL:
            err_set(err, ERR_SQL, "%s failed by the fault hook", POINT_NAMES[point]);
            memcpy(err->sqlstate, "XX000", sizeof("XX000"));
            return false;
        }
    }
    return true;
}

#else

/* ISO C wants a declaration in every file. */
typedef int FaultHookIsAbsent;

#endif
