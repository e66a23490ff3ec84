/*
 * World: databases src and dst; names in temporary files end with the world.
 */
#include "lib/world.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char HEAD[] = "version: 1\nname: unit\n"
                           "source: {kind: self_hosted, conninfo_env: SOURCE}\n"
                           "target: {kind: self_hosted, conninfo_env: TARGET}\n"
                           "select: {schemas: [public]}\n";

void world_must(bool ok, const Err *err)
{
    if (!ok)
        fail_msg("%s (%s)", err->message, err->detail != NULL ? err->detail : "no detail");
}

static bool make_blueprint(World *world, Err *err)
{
    PlanFindings findings = {0};
    bool ok = plan_load(&world->plan, world->plan_path, &findings, err) &&
              catalog_inspect(&world->source_catalog, world->source, err) &&
              catalog_inspect(&world->target_catalog, world->target, err) &&
              blueprint_build(&world->blueprint, &world->plan, &world->source_catalog,
                              &world->target_catalog, &findings, err);
    for (size_t i = 0; i < findings.count; i++)
        print_message("%s\n", plan_finding_text(&world->texts, &world->plan, &findings.items[i],
                                                COLOR_NOWHERE));
    return ok;
}

static bool make_run(World *world, Err *err)
{
    world->run = (Run){.plan = &world->plan,
                       .blueprint = &world->blueprint,
                       .source = server_endpoint(CONN_SOURCE, "src"),
                       .target = server_endpoint(CONN_TARGET, "dst"),
                       .stop = &world->stop,
                       .log = {.run = "unit"},
                       .journal = {.name = "unit",
                                   .mark = "0123abcd",
                                   .fingerprint = "f",
                                   .canonical = "{}",
                                   .source_system = "s",
                                   .target_system = "t"}};
    return stop_init(&world->stop, err) && journal_create(world->target, err) &&
           journal_create_run(world->target, &world->run.journal, "1", err);
}

static void write_files(World *world, const char *sweep, const char *keys)
{
    strcpy(world->turns, "/tmp/godwit-turns-XXXXXX");
    strcpy(world->plan_path, "/tmp/godwit-plan-XXXXXX");
    close(mkstemp(world->turns));
    int fd = mkstemp(world->plan_path);
    const char *plan = arena_printf(&world->texts, "%s%s", HEAD, keys);
    assert_int_equal(write(fd, plan, strlen(plan)), strlen(plan));
    close(fd);
    setenv("GODWIT_SWEEP", arena_printf(&world->texts, "%s:%s", sweep, world->turns), 1);
}

int world_setup(World *world, const char *sweep, const char *keys, const char *tables,
                const char *rows)
{
    AUTO_ERR Err err = {0};
    if (server_setup(NULL) != 0)
        return -1;
    if (!server_is_there())
        return 0;
    write_files(world, sweep, keys);
    Conn *first = server_open(CONN_SOURCE, "postgres");
    server_script(first, "CREATE DATABASE src");
    server_script(first, "CREATE DATABASE dst");
    conn_close(first);
    world->source = server_open(CONN_SOURCE, "src");
    world->target = server_open(CONN_TARGET, "dst");
    Conn *const sides[] = {world->source, world->target};
    for (int i = 0; i < 2; i++) {
        server_script(sides[i], "SET search_path = public");
        server_script(sides[i], tables);
    }
    server_script(world->source, rows);
    bool ok = make_blueprint(world, &err) && make_run(world, &err);
    if (!ok)
        print_error("%s (%s)\n", err.message, err.detail != NULL ? err.detail : "no detail");
    return ok ? 0 : -1;
}

int world_teardown(World *world)
{
    blueprint_release(&world->blueprint);
    catalog_release(&world->source_catalog);
    catalog_release(&world->target_catalog);
    plan_release(&world->plan);
    conn_close(world->source);
    conn_close(world->target);
    stop_release(&world->stop);
    unlink(world->turns);
    unlink(world->plan_path);
    arena_release(&world->texts);
    return server_teardown(NULL);
}

size_t world_faults(const World *world)
{
    size_t lines = 0;
    FILE *file = fopen(world->turns, "re");
    for (int c = file == NULL ? EOF : fgetc(file); c != EOF; c = fgetc(file))
        lines += c == '\n';
    if (file != NULL)
        fclose(file);
    return lines;
}

bool world_is_same(World *world, const char *table)
{
    const char *sql = arena_printf(&world->texts,
                                   "SELECT count(*) || ' ' || coalesce(sum(hashtextextended("
                                   "t::text, 0)), 0) FROM %s AS t",
                                   table);
    const char *there = server_value(&world->texts, world->target, sql);
    const char *here = server_value(&world->texts, world->source, sql);
    if (!text_equal(here, there))
        print_error("%s: %s on the source, %s on the target\n", table, here, there);
    return text_equal(here, there);
}
