/*
 * Fault hook: parses GODWIT_FAULT and GODWIT_SWEEP once, counts per rule. Empty in release builds.
 */
#include "pg/fault.h"

#ifdef GODWIT_FAULTS

#include "base/units.h"
#include "base/str.h"
#include "pg/conn_internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#define FAULT_MAX_RULES 16
#define FAULT_ACTIONS   5

typedef enum FaultAction { FAULT_FAIL, FAULT_PASS, FAULT_CUT, FAULT_KILL, FAULT_LOSE } FaultAction;

typedef struct FaultRule {
    const char *side;
    const char *purpose;
    const char *words; /* a statement counts that has them; "": every one */
    FaultPoint point;
    FaultAction action;
    uint32_t nth;
    atomic_uint seen;
} FaultRule;

static const char *const POINT_NAMES[] = {"statement", "message"};
static const char *const ACTION_NAMES[] = {"fail", "pass", "cut", "kill", "lose"};

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
    char *equals = strchr(point, '=');
    if (equals != NULL)
        *equals = '\0';
    rule->words = equals != NULL ? equals + 1 : "";
    rule->point = (FaultPoint)index_of(POINT_NAMES, 2, point);
    rule->action = (FaultAction)index_of(ACTION_NAMES, FAULT_ACTIONS, action);
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

static bool rule_fires(FaultRule *rule, const Conn *conn, FaultPoint point, const char *text)
{
    if (rule->point != point || strcmp(rule->side, conn_side_name(conn->side)) != 0)
        return false;
    if (!text_starts_with(conn->purpose, rule->purpose) ||
        (*rule->words != '\0' && (text == NULL || strstr(text, rule->words) == NULL)))
        return false;
    return atomic_fetch_add(&rule->seen, 1) + 1 == rule->nth;
}

static bool act(Conn *conn, FaultAction action, FaultPoint point, const char *number, Err *err)
{
    log_warn(&conn->log, "fault hook: %s at %s %s", ACTION_NAMES[action], POINT_NAMES[point],
             number);
    switch (action) {
    case FAULT_KILL:
        raise(SIGKILL);
        break;
    case FAULT_CUT:
        shutdown(PQsocket(conn->pg), SHUT_RDWR);
        break;
    case FAULT_LOSE: /* and libpq learns of it */
        shutdown(PQsocket(conn->pg), SHUT_RDWR);
        conn_discard_results(conn);
        (void)PQconsumeInput(conn->pg);
        return err_set(err, ERR_LOST, "the answer to a %s was lost by the fault hook",
                       POINT_NAMES[point]);
    case FAULT_FAIL:
    case FAULT_PASS: /* as if it was cancelled: a class that is tried again */
        err_set(err, ERR_SQL, "%s failed by the fault hook", POINT_NAMES[point]);
        memcpy(err->sqlstate, action == FAULT_FAIL ? "XX000" : "57014", sizeof(err->sqlstate));
        return false;
    }
    return true;
}

/* --- the sweep: every statement once --------------------------------------------------------- */

#define SWEEP_MAX     4096
#define SWEEP_ACTIONS 4

typedef struct Sweep {
    const char *side;     /* "both" and "any", too */
    const char *purposes; /* prefixes, joined by "+"; "": all */
    FaultAction actions[SWEEP_ACTIONS];
    uint32_t shares[SWEEP_ACTIONS]; /* one in so many */
    uint32_t action_count;
    uint32_t seed;
    const char *path;
    pthread_mutex_t mutex;
    uint64_t keys[SWEEP_MAX]; /* one a turn: what is there twice has had two turns */
    size_t key_count;
} Sweep;

static Sweep sweep = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static pthread_once_t sweep_once = PTHREAD_ONCE_INIT;

static void sweep_read(void)
{
    FILE *file = fopen(sweep.path, "re");
    if (file == NULL)
        return; /* the first engine */
    while (sweep.key_count < SWEEP_MAX &&
           fscanf(file, "%" SCNx64 "%*[^\n]", &sweep.keys[sweep.key_count]) == 1)
        sweep.key_count++;
    fclose(file);
}

/* text: an action, and its own share perhaps */
static void sweep_action(char *text, uint32_t share)
{
    char *slash = strchr(text, '/');
    if (slash != NULL) {
        *slash = '\0';
        if (!units_uint32_parse(slash + 1, &share) || share == 0)
            BUG("GODWIT_SWEEP: not a share: %s", slash + 1);
    }
    sweep.actions[sweep.action_count] = (FaultAction)index_of(ACTION_NAMES, FAULT_ACTIONS, text);
    sweep.shares[sweep.action_count++] = share;
}

static void sweep_load(void)
{
    const char *text = getenv("GODWIT_SWEEP");
    if (text == NULL)
        return;
    char *save = NULL;
    char *inner = NULL;
    char *side = strtok_r(arena_strdup(&rule_arena, text), ":", &save);
    char *actions = strtok_r(NULL, ":", &save);
    char *share_text = strtok_r(NULL, ":", &save);
    char *seed = strtok_r(NULL, ":", &save);
    char *path = strtok_r(NULL, ":", &save);
    uint32_t share = 0;
    if (path == NULL || !units_uint32_parse(share_text, &share) || share == 0 ||
        !units_uint32_parse(seed, &sweep.seed))
        BUG("GODWIT_SWEEP: side:action[/share][+action]:share:seed:file");
    for (char *name = strtok_r(actions, "+", &inner);
         name != NULL && sweep.action_count < SWEEP_ACTIONS; name = strtok_r(NULL, "+", &inner))
        sweep_action(name, share);
    char *slash = strchr(side, '/');
    if (slash != NULL)
        *slash = '\0';
    sweep.side = side;
    sweep.purposes = slash != NULL ? slash + 1 : "";
    sweep.path = path;
    sweep_read();
}

/* FNV-1a, 64 bits. A digit and the letters behind it are left out: a purpose's number, a
 * connection's, a snapshot's name, a position in the WAL make no other statement of it. */
static uint64_t mix(uint64_t key, const char *text)
{
    bool number = false;
    for (const char *c = text; *c != '\0'; c++) {
        number = isdigit((unsigned char)*c) || (number && isalpha((unsigned char)*c));
        if (!number)
            key = (key ^ (unsigned char)*c) * UINT64_C(1099511628211);
    }
    return key;
}

static uint64_t key_of(const Conn *conn, const char *text)
{
    uint64_t key = mix(UINT64_C(14695981039346656037), conn_side_name(conn->side));
    return mix(mix(mix(key, "|"), strcmp(sweep.side, "any") == 0 ? "" : conn->purpose), text);
}

static bool has_turn(uint64_t key, size_t *turn)
{
    *turn = 0;
    for (size_t i = 0; i < sweep.key_count; i++)
        *turn += sweep.keys[i] == key;
    uint64_t drawn = (key ^ (key >> 29)) * UINT64_C(0x9E3779B97F4A7C15);
    return *turn < sweep.action_count && ((drawn >> 32) + sweep.seed) % sweep.shares[*turn] == 0 &&
           sweep.key_count < SWEEP_MAX;
}

/* Written down before it strikes: a killed engine's turn is over, too. */
static void write_down(const Conn *conn, uint64_t key, FaultAction action, const char *text)
{
    FILE *file = fopen(sweep.path, "ae");
    sweep.keys[sweep.key_count++] = key;
    if (file == NULL) {
        BUG("GODWIT_SWEEP: %s cannot be written", sweep.path);
        return;
    }
    fprintf(file, "%016" PRIx64 " %s %s %s ", key, ACTION_NAMES[action], conn_side_name(conn->side),
            conn->purpose);
    for (const char *c = text; *c != '\0' && c < text + 100; c++)
        fputc(*c == '\n' ? ' ' : *c, file);
    fputc('\n', file);
    fclose(file);
}

static bool sweep_means(const Conn *conn)
{
    if (sweep.side == NULL)
        return false;
    bool any = strcmp(sweep.side, "any") == 0;
    if (any && strcmp(conn->purpose, "unit") == 0)
        return false;
    if (!any && strcmp(sweep.side, "both") != 0 &&
        strcmp(sweep.side, conn_side_name(conn->side)) != 0)
        return false;
    for (const char *prefix = sweep.purposes;; prefix = strchr(prefix, '+') + 1) {
        size_t length = strcspn(prefix, "+");
        if (strncmp(conn->purpose, prefix, length) == 0)
            return true;
        if (prefix[length] == '\0')
            return false;
    }
}

/* \param behind the statement is done: the turn of those whose answer is lost */
static bool sweep_point(Conn *conn, const char *text, bool behind, Err *err)
{
    size_t turn = 0;
    pthread_once(&sweep_once, sweep_load);
    if (!sweep_means(conn))
        return true;
    uint64_t key = key_of(conn, text);
    pthread_mutex_lock(&sweep.mutex);
    bool strikes = has_turn(key, &turn);
    FaultAction action = sweep.actions[strikes ? turn : 0];
    strikes = strikes && (action == FAULT_LOSE) == behind;
    if (strikes)
        write_down(conn, key, action, text);
    pthread_mutex_unlock(&sweep.mutex);
    return !strikes || act(conn, action, FAULT_STATEMENT, "of the sweep", err);
}

bool fault_hurries(void)
{
    pthread_once(&sweep_once, sweep_load);
    return sweep.side != NULL;
}

static bool rules_point(Conn *conn, FaultPoint point, const char *text, bool behind, Err *err)
{
    const char *shown = text == NULL ? "" : text;
    for (size_t i = 0; i < rule_count; i++) {
        AUTO_ARENA Arena arena = {0};
        if ((rules[i].action == FAULT_LOSE) != behind || !rule_fires(&rules[i], conn, point, text))
            continue;
        const char *which =
            arena_printf(&arena, "%u: %.*s", rules[i].nth, (int)strcspn(shown, "\n"), shown);
        if (!act(conn, rules[i].action, point, which, err))
            return false;
    }
    return true;
}

bool fault_point(Conn *conn, FaultPoint point, const char *text, Err *err)
{
    pthread_once(&rules_once, rules_load);
    return (text == NULL || sweep_point(conn, text, false, err)) &&
           rules_point(conn, point, text, false, err);
}

bool fault_behind(Conn *conn, const char *text, Err *err)
{
    return sweep_point(conn, text, true, err) &&
           rules_point(conn, FAULT_STATEMENT, text, true, err);
}

#else

/* ISO C wants a declaration in every file. */
typedef int FaultHookIsAbsent;

#endif
