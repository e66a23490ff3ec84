/*
 * godwit init: writes a plan from what a live source holds. Reads; changes nothing.
 */
#include "base/str.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "draft/draft.h"
#include "plan/format.h"
#include "provider/provider.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* One side, read. */
typedef struct Look {
    Endpoint endpoint;
    Conn *conn;
    Catalog catalog;
    ProviderGuess guess;
} Look;

static void look_end(Look *look)
{
    conn_close(look->conn);
    catalog_release(&look->catalog);
}

static bool look_at(Arena *arena, const Stop *stop, ConnSide side, const char *variable, Look *look,
                    Err *err)
{
    const char *conninfo = getenv(variable);
    if (conninfo == NULL || *conninfo == '\0') {
        err_set(err, ERR_CONNECT,
                "the variable %s, which holds the connection string of the %s, "
                "is not set",
                variable, conn_side_name(side));
        return err_hint(err, "export %s='host=... port=... dbname=... user=...'", variable);
    }
    look->endpoint = (Endpoint){.side = side, .conninfo = conninfo, .run = "init"};
    return conn_open(&look->conn, &look->endpoint,
                     &(ConnOptions){.purpose = "main", .read_only = true, .stop = stop}, err) &&
           catalog_inspect(&look->catalog, look->conn, err) &&
           provider_detect(arena, look->conn, "self_hosted", &look->guess, err);
}

/* A new file only: a plan that somebody has edited is not written over. */
static bool write_file(const char *path, const Str *text, Err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST) {
        err_set(err, ERR_USAGE, "\"%s\" is there already", path);
        return err_hint(err, "Name another file with --out, or print the plan without it.");
    }
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    bool ok = file != NULL && fwrite(text->data, 1, text->length, file) == text->length;
    int fault = errno;
    ok = (file == NULL || fclose(file) == 0) && ok;
    return ok || err_set(err, ERR_IO, "could not write \"%s\": %s", path, strerror(fault));
}

/* What we hand out passes our own validation. */
static bool reads_back(const Str *text, Err *err)
{
    Plan plan = {0};
    PlanFindings findings = {0};
    bool ok = plan_load_from(&plan, "draft", str_text(text), &findings, err);
    for (size_t i = 0; !ok && i < findings.count; i++)
        fprintf(stderr, "%s\n",
                plan_finding_text(&plan.arena, &plan, &findings.items[i], STDERR_FILENO));
    plan_release(&plan);
    return ok || err_context(err, "the drafted plan is not valid, which is our defect");
}

static bool write_plan(const Options *options, const DraftInput *input, Conn *source, Err *err)
{
    AUTO_STR Str text = {0};
    if (!draft_write(&text, input, source, err) || !reads_back(&text, err))
        return false;
    if (options->out == NULL) {
        fputs(str_text(&text), stdout);
        return true;
    }
    if (!write_file(options->out, &text, err))
        return false;
    printf("wrote %s; next: godwit validate %s\n", options->out, options->out);
    return true;
}

static const char *kind_of(const Look *look, const char *otherwise)
{
    return look->guess.kind != NULL ? look->guess.kind : otherwise;
}

static bool draft_from(const Options *options, Arena *arena, Look *source, Look *target, Err *err)
{
    DraftInput input = {
        .name = options->name != NULL ? options->name
                                      : draft_name(arena, source->catalog.server.database),
        .source_env = options->source_env,
        .target_env = options->target_env != NULL ? options->target_env : "TARGET",
        .source_kind = kind_of(source, "self_hosted"),
        .source_evidence = source->guess.evidence,
        .target_kind = options->target_env == NULL ? "tiger_cloud" : kind_of(target, "self_hosted"),
        .source = &source->catalog,
        .target = options->target_env == NULL ? NULL : &target->catalog,
    };
    return write_plan(options, &input, source->conn, err);
}

static bool look_at_both(const Options *options, Arena *arena, const Stop *stop, Look *source,
                         Look *target, Err *err)
{
    if (!look_at(arena, stop, CONN_SOURCE, options->source_env, source, err))
        return false;
    return options->target_env == NULL ||
           look_at(arena, stop, CONN_TARGET, options->target_env, target, err);
}

static bool check_name(Arena *arena, const char *name, Err *err)
{
    AUTO_ERR Err fault = {0};
    FormatResult result;
    if (name == NULL || format_check(arena, FORMAT_NAME, name, &result, &fault))
        return true;
    err_set(err, ERR_USAGE, "--name: \"%s\" is not %s", name, format_row(FORMAT_NAME)->name);
    return err_hint(err, "Small letters, digits and _, at most 41, like %s.",
                    format_row(FORMAT_NAME)->example);
}

static bool run(const Options *options, Err *err)
{
    AUTO_ARENA Arena arena = {0};
    Stop stop = {.fd = -1};
    Look source = {0};
    Look target = {0};
    if (options->source_env == NULL) {
        err_set(err, ERR_USAGE,
                "\"init\" needs --source-env: the variable that holds the "
                "connection string of the source");
        return err_hint(err,
                        "export SOURCE='host=... dbname=...'; godwit init --source-env SOURCE");
    }
    if (!check_name(&arena, options->name, err) || !stop_init(&stop, err))
        return false;
    bool ok = look_at_both(options, &arena, &stop, &source, &target, err) &&
              draft_from(options, &arena, &source, &target, err);
    look_end(&source);
    look_end(&target);
    stop_release(&stop);
    return ok;
}

extern const Command COMMAND_INIT;
const Command COMMAND_INIT = {
    .name = "init",
    .arguments = "",
    .summary = "writes a plan from what it finds on a source",
    .touches = "reads the source, and the target if it is named",
    .min_arguments = 0,
    .max_arguments = 0,
    .options = (const OptionId[]){OPTION_SOURCE_ENV, OPTION_TARGET_ENV, OPTION_NAME, OPTION_OUT,
                                  OPTION_NONE},
    .run = run,
};
