/*
 * Room and quiet: transactions that are in the way, limits and timeouts of the servers, statistics
 * without which no estimate can be made.
 */
#include "preflight/check.h"

#include "base/units.h"
#include "pg/ddl.h"
#include "sql_text.h"

#include <stdlib.h>

#define US_PER_SECOND 1000000

/* An index is sorted in files of about its own size, and a little more. */
#define SORT_FILES_PER_INDEX 1.2

/* More tables than these are analyzed with the whole database. */
#define ANALYZE_ONE_BY_ONE 20

/* Columns of preflight_transactions.sql. */
enum { TX_PID, TX_SINCE, TX_ROLE, TX_DATABASE, TX_WHAT, TX_AGE, TX_WROTE, TX_IDLE };

/* Ends the session, and only that one: process numbers are used again. */
static const char *end_session(Check *check, const Rows *rows, size_t row)
{
    AUTO_STR Str text = {0};
    const Conn *conn = check->source.conn;
    str_appendf(&text,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND "
                "backend_start = ",
                rows_text(rows, row, TX_PID));
    ddl_literal(&text, conn, rows_text(rows, row, TX_SINCE));
    str_append(&text, ";\n-- or let it commit; ask its owner first");
    return str_dup(check->arena, &text);
}

/* A prepared transaction is ended in its own database only. */
static const char *end_prepared(Check *check, const Rows *rows, size_t row)
{
    AUTO_STR Str text = {0};
    str_append(&text, "-- in database ");
    str_append(&text, check_part(check, rows_text(rows, row, TX_DATABASE)));
    str_append(&text, ": COMMIT PREPARED or ROLLBACK PREPARED ");
    ddl_literal(&text, check->source.conn, rows_text(rows, row, TX_WHAT));
    return str_dup(check->arena, &text);
}

static void found_transaction(Check *check, const Rows *rows, size_t row)
{
    bool prepared = rows_int64(rows, row, TX_PID) == 0;
    bool wrote = rows_bool(rows, row, TX_WROTE);
    const char *role = rows_text(rows, row, TX_ROLE);
    const char *what = rows_text(rows, row, TX_WHAT);
    const char *database = rows_text(rows, row, TX_DATABASE);
    const char *age =
        units_interval_text(check->arena, rows_int64(rows, row, TX_AGE) * US_PER_SECOND);
    const char *object = prepared
                             ? check_text(check, "prepared transaction %s", check_part(check, what))
                             : check_text(check, "session %s", rows_text(rows, row, TX_PID));
    const char *message = check_text(
        check, "%s of %s (%s) in database %s has been %s for %s",
        prepared ? "a transaction" : "a session", check_part(check, role == NULL ? "?" : role),
        prepared ? "prepared" : what, check_part(check, database == NULL ? "?" : database),
        prepared                        ? "prepared"
        : rows_bool(rows, row, TX_IDLE) ? "idle in its transaction"
                                        : "in one transaction",
        age);
    check_add(check, wrote ? CODE_LONG_TRANSACTION : CODE_IDLE_TRANSACTION, FINDING_WARNING,
              &check->source, object, message,
              wrote ? "The slot is made when every transaction that wrote has ended, in whichever "
                      "database; the run waits and tries again until then."
                    : "Its locks and its snapshot stay: a lock of the run, or of the cutover, may "
                      "have to wait for it, and VACUUM cannot clean up.",
              prepared ? end_prepared(check, rows, row) : end_session(check, rows, row));
}

/* What is older than the cutover's grace would not end within it either. */
bool probe_transactions(Check *check, Err *err)
{
    AUTO_ROWS Rows *rows = NULL;
    const char *seconds =
        check_text(check, "%lld", (long long)(check->plan->cutover.grace_us / US_PER_SECOND));
    if (!pg_rows(check->source.conn, SQL_PREFLIGHT_TRANSACTIONS, PARAMS(seconds), &rows, err))
        return err_context(err, "looking for old transactions on the source");
    for (size_t r = 0; r < rows_count(rows); r++)
        found_transaction(check, rows, r);
    return true;
}

static void check_blind(Check *check, const Side *side)
{
    const char *user = side->catalog->server.user;
    check_add(
        check, CODE_BLIND, FINDING_INFO, side, check_part(check, user),
        "does not see what other roles' sessions do",
        "Old transactions that would hold up the slot, or the cutover, cannot be named.",
        check_text(check, "GRANT pg_read_all_stats TO %s;", check_sql_part(check, side, user)));
}

static void check_timeouts(Check *check, const Side *side, const char *timeouts)
{
    check_add(check, CODE_TIMEOUTS, FINDING_INFO, side,
              check_part(check, side->catalog->server.user), timeouts,
              "Sessions of the engine set these to 0 for themselves; those of your own steps and "
              "hooks are under them.",
              check_text(check, "-- ALTER ROLE %s SET ... = 0; where your own steps take longer",
                         check_sql_part(check, side, side->catalog->server.user)));
}

static uint64_t index_bytes(const Blueprint *blueprint, const IndexDef **largest)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < blueprint->index_count; i++) {
        sum += blueprint->indexes[i].bytes;
        if (*largest == NULL || blueprint->indexes[i].bytes > (*largest)->bytes)
            *largest = &blueprint->indexes[i];
    }
    return sum;
}

static void check_temp_files(Check *check, int64_t limit, const IndexDef *largest)
{
    if (limit < 0 || largest == NULL ||
        (double)largest->bytes * SORT_FILES_PER_INDEX <= (double)limit)
        return;
    const char *wanted = check_text(check, "%llu", (unsigned long long)(largest->bytes / 512));
    check_add(check, CODE_LIMITS, FINDING_WARNING, &check->target, "temp_file_limit",
              check_text(check, "is %s, but index %s has %s on the source",
                         units_size_text(check->arena, (uint64_t)limit),
                         check_name(check, &largest->name),
                         units_size_text(check->arena, largest->bytes)),
              "Building an index sorts it in temporary files; beyond the limit it fails.",
              check_remedy(check, &check->target, TOPIC_SETTING_RELOAD, "temp_file_limit", wanted));
}

/* Memory of one index build, as schema_build_memory.sql gives it. */
#define BUILD_MEMORY ((uint64_t)256 << 20)

/* Sorted in memory an entry has a header and a place in the list: about twice what it has in the
 * index. */
#define SORT_PER_INDEX 2

/* \note Source: PostgreSQL documentation, "Resource Consumption": shared_buffers is a quarter of
 * the memory of a server that is there for the database alone. What the server has is not to be
 * learnt by SQL; half of what that comes to is what builds may take. */
#define BUILDS_PER_BUFFERS 2

static uint64_t setting_bytes(const Side *side, const char *name, uint64_t unit)
{
    const CatSetting *setting = catalog_setting(side->catalog, name);
    return setting == NULL ? 0 : strtoull(setting->value, NULL, 10) * unit;
}

static int larger_first(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a < *b) - (*a > *b);
}

uint64_t capacity_builds(uint64_t *indexes, size_t count, uint32_t jobs, uint64_t each)
{
    uint64_t sum = 0;
    if (count > 1)
        qsort(indexes, count, sizeof(*indexes), larger_first);
    for (size_t i = 0; i < count && i < jobs; i++) {
        uint64_t sorted = indexes[i] * SORT_PER_INDEX;
        sum += sorted < each ? sorted : each;
    }
    return sum;
}

/* As many as are built at the same time, the largest ones. */
static void check_build_memory(Check *check)
{
    const Blueprint *blueprint = check->blueprint;
    uint32_t jobs = check->plan->copy.index_jobs;
    uint64_t each = setting_bytes(&check->target, "maintenance_work_mem", 1024);
    uint64_t buffers = setting_bytes(&check->target, "shared_buffers",
                                     setting_bytes(&check->target, "block_size", 1));
    uint64_t *indexes = arena_array(check->arena, uint64_t, blueprint->index_count);
    each = each > BUILD_MEMORY ? each : BUILD_MEMORY;
    for (size_t i = 0; i < blueprint->index_count; i++)
        indexes[i] = blueprint->indexes[i].bytes;
    uint64_t sum = capacity_builds(indexes, blueprint->index_count, jobs, each);
    if (buffers == 0 || sum <= buffers * BUILDS_PER_BUFFERS)
        return;
    check_add(
        check, CODE_LIMITS, FINDING_WARNING, &check->target, "maintenance_work_mem",
        check_text(check,
                   "%u index builds at a time take up to %s, of %s each; shared_buffers is "
                   "%s",
                   jobs, units_size_text(check->arena, sum), units_size_text(check->arena, each),
                   units_size_text(check->arena, buffers)),
        "That is more than half of the memory of a server whose shared_buffers is a quarter "
        "of it, as is recommended: it may run out of memory.",
        "-- lower copy.index_jobs, or maintenance_work_mem where it is above 256 MB; waive it "
        "where the server has the memory");
}

static void check_project_size(Check *check, int64_t limit, int64_t used)
{
    const CheckSizes *sizes = &check->sizes;
    if (limit < 0 || (double)used + (double)sizes->tables + (double)sizes->indexes <= (double)limit)
        return;
    check_add(check, CODE_LIMITS, FINDING_ERROR, &check->target, "neon.max_cluster_size",
              check_text(check, "is %s: %s are in use, the run brings about %s",
                         units_size_text(check->arena, (uint64_t)limit),
                         units_size_text(check->arena, (uint64_t)used),
                         units_size_text(check->arena, sizes->tables + sizes->indexes)),
              "Beyond it every write fails.",
              "-- choose a plan of the provider with more storage, or select less");
}

/* Columns of preflight_capacity.sql. */
enum { ROOM_SEES, ROOM_DATABASE, ROOM_ALL, ROOM_SPACES, ROOM_TEMP, ROOM_NEON, ROOM_TIMEOUTS };

static bool read_room(Check *check, Side *side, Rows **rows, Err *err)
{
    if (!pg_one(side->conn, SQL_PREFLIGHT_CAPACITY, NO_PARAMS, rows, err))
        return err_context(err, "asking the %s for its room", conn_side_name(side->side));
    if (!rows_bool(*rows, 0, ROOM_SEES))
        check_blind(check, side);
    if (rows_text(*rows, 0, ROOM_TIMEOUTS) != NULL)
        check_timeouts(check, side, arena_strdup(check->arena, rows_text(*rows, 0, ROOM_TIMEOUTS)));
    return true;
}

bool probe_capacity(Check *check, Err *err)
{
    AUTO_ROWS Rows *source = NULL;
    AUTO_ROWS Rows *target = NULL;
    if (!read_room(check, &check->source, &source, err) ||
        !read_room(check, &check->target, &target, err))
        return false;
    CheckSizes *sizes = &check->sizes;
    const IndexDef *largest = NULL;
    for (size_t i = 0; i < check->blueprint->leaf_count; i++)
        sizes->tables += check->blueprint->leaves[i].bytes;
    sizes->indexes = index_bytes(check->blueprint, &largest);
    sizes->source_database = (uint64_t)rows_int64(source, 0, ROOM_DATABASE);
    sizes->target_database = (uint64_t)rows_int64(target, 0, ROOM_DATABASE);
    sizes->tablespaces = arena_strdup(check->arena, rows_text(source, 0, ROOM_SPACES));
    if (check->input->resuming)
        return true; /* what the run brings is there in part */
    check_temp_files(check, rows_int64(target, 0, ROOM_TEMP), largest);
    check_build_memory(check);
    check_project_size(check, rows_int64(target, 0, ROOM_NEON), rows_int64(target, 0, ROOM_ALL));
    return true;
}

void check_analyzed(Check *check)
{
    AUTO_STR Str remedy = {0};
    NameList names = {0};
    for (size_t i = 0; i < check->blueprint->leaf_count; i++) {
        const Leaf *leaf = &check->blueprint->leaves[i];
        if (leaf->rows_estimate >= 0)
            continue;
        names_add(&names, check_name(check, &leaf->source));
        if (names.count > ANALYZE_ONE_BY_ONE)
            continue;
        str_appendf(&remedy, "%sANALYZE %s;", remedy.length > 0 ? "\n" : "",
                    check_sql(check, &check->source, &leaf->source));
    }
    if (names.count == 0)
        return;
    size_t count = names.count;
    if (count > ANALYZE_ONE_BY_ONE) {
        str_reset(&remedy);
        str_append(&remedy, "ANALYZE;");
    }
    const char *list = names_text(check, &names);
    check_add(check, CODE_ANALYZED, FINDING_INFO, &check->source, "statistics",
              check_text(check, "%zu table%s never analyzed: %s", count,
                         count == 1 ? " was" : "s were", list),
              "Their numbers of rows are not known, so that estimates, and how tables are split, "
              "are guesses.",
              str_dup(check->arena, &remedy));
}
