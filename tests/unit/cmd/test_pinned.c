/*
 * The pinned plan as a file: what is written comes back, the seal is blind to layout and to nothing
 * else, the plan is found from where the file lies; and where preflight's findings stand.
 */
#include "cmd/pinned.h"
#include "cmd/planning.h"
#include "preflight/preflight.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct Place {
    Arena arena;
    char directory[64];
    const char *plan;
    const char *file;
} Place;

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int begin(void **state)
{
    static Place place;
    place = (Place){.directory = "/tmp/godwit_unit_pinned_XXXXXX"};
    assert_non_null(mkdtemp(place.directory));
    const char *out = arena_printf(&place.arena, "%s/out", place.directory);
    assert_int_equal(mkdir(out, 0700), 0);
    place.plan = arena_printf(&place.arena, "%s/m.yaml", place.directory);
    place.file = arena_printf(&place.arena, "%s/m.pinned", out);
    write_text(place.plan, "version: 1\n");
    *state = &place;
    return 0;
}

static int end(void **state)
{
    Place *place = *state;
    unlink(place->file);
    unlink(place->plan);
    rmdir(arena_printf(&place->arena, "%s/out", place->directory));
    rmdir(place->directory);
    arena_release(&place->arena);
    return 0;
}

static void write_pinned(Place *place)
{
    AUTO_ERR Err err = {0};
    Pinned pinned = {
        .engine = "0.1.0",
        .written_at = "2026-11-21T05:22:01.123Z",
        .name = "m",
        .fingerprint = "abc",
        .canonical = "{}",
        .plan_text = "version: 1\n",
        .source_system = "71/app",
        .target_system = "72/app",
        .dry = {.name = "m", .fingerprint = "abc", .source = "s", .target = "t", .run = "none yet"},
    };
    facts_add(&place->arena, &pinned.facts.source, "column v of public.t", "text");
    facts_add(&place->arena, &pinned.facts.source, "table public.\"a\tb\"", "logged");
    facts_add(&place->arena, &pinned.facts.journal, "run", "none");
    if (!pinned_write(place->file, &pinned, place->plan, &err))
        fail_msg("%s", err.message);
}

static void comes_back(void **state)
{
    Place *place = *state;
    AUTO_ERR Err err = {0};
    Pinned pinned;
    write_pinned(place);
    if (!pinned_read(&place->arena, place->file, &pinned, &err))
        fail_msg("%s", err.message);
    assert_string_equal(pinned.engine, "0.1.0");
    assert_string_equal(pinned.plan_path, "../m.yaml");
    assert_int_equal(access(pinned.plan_file, R_OK), 0);
    assert_string_equal(pinned.dry.path, pinned.plan_file);
    assert_int_equal(pinned.facts.source.count, 2);
    assert_string_equal(pinned.facts.source.items[1].key, "table public.\"a\tb\"");
    assert_int_equal(pinned.facts.target.count, 0);
    assert_string_equal(pinned.facts.journal.items[0].value, "none");
    assert_int_equal(strlen(pinned.digest), 64);
}

/* Changes one text of the file; layout changes with it. */
static void edit(const char *path, const char *key, const char *value)
{
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    if (key != NULL)
        json_object_set_new(root, key, json_string(value));
    assert_int_equal(json_dump_file(root, path, JSON_COMPACT | JSON_SORT_KEYS), 0);
    json_decref(root);
}

static void seal_sees_every_change(void **state)
{
    Place *place = *state;
    static const char *const KEYS[] = {"engine",    "fingerprint", "source",    "plan",
                                       "plan_path", "canonical",   "something", "sha256"};
    Pinned pinned;
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
        AUTO_ERR Err err = {0};
        write_pinned(place);
        edit(place->file, KEYS[i], "edited");
        assert_false(pinned_read(&place->arena, place->file, &pinned, &err));
        assert_int_equal(err.code, ERR_STALE);
        assert_non_null(strstr(err.message, "was changed after it was written"));
    }
    AUTO_ERR Err err = {0};
    write_pinned(place);
    edit(place->file, NULL, NULL);
    assert_true(pinned_read(&place->arena, place->file, &pinned, &err));
}

static void refuses_other_files(void **state)
{
    Place *place = *state;
    static const char *const TEXTS[] = {"", "{}", "[]", "{\"godwit_pinned\": 1}",
                                        "version: 1\nname: m\n"};
    Pinned pinned;
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        AUTO_ERR Err err = {0};
        write_text(place->file, TEXTS[i]);
        assert_false(pinned_read(&place->arena, place->file, &pinned, &err));
        assert_int_equal(err.code, ERR_PLAN);
    }
}

static void findings_have_places(void **state)
{
    (void)state;
    size_t codes = 0;
    const PreflightCode *known = preflight_codes(&codes);
    for (size_t i = 0; i < FINDING_PLACE_COUNT; i++) {
        const FindingPlace *place = &FINDING_PLACES[i];
        bool is_code = false;
        bool is_kind = false;
        for (size_t c = 0; c < codes; c++)
            is_code = is_code || strcmp(known[c].code, place->code) == 0;
        for (const StepKind *const *kind = STEP_KINDS; *kind != NULL; kind++)
            is_kind = is_kind || strcmp((*kind)->name, place->kind) == 0;
        if (!is_code || !is_kind)
            fail_msg("%s at %s: no such %s", place->code, place->kind, is_code ? "kind" : "code");
        assert_true(i == 0 || strcmp(FINDING_PLACES[i - 1].code, place->code) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(seal_sees_every_change),
        cmocka_unit_test(refuses_other_files),
        cmocka_unit_test(findings_have_places),
    };
    return cmocka_run_group_tests_name("cmd/pinned", tests, begin, end);
}
