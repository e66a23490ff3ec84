/*
 * What status prints of a run: who is primary, since when, and of a source that does not answer
 * that it does not, as text and as JSON. Hand-made statuses; no server.
 */
#include "report/status_text.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char SAMPLE[] =
    "{\"replicating\": true, \"lag_bytes\": 0, \"lag_us\": 0, \"head_age_us\": %s,"
    " \"applied_lsn\": \"0/5\", \"source_lsn\": \"0/5\","
    " \"slot\": {\"level\": \"well\", \"text\": \"holds 1kB\", \"active\": true, \"age_us\": %s}}";

static const JournalRun RUN = {.id = 1, .name = "shop", .fingerprint = "0123456789abcdef"};

static Status status_of(Arena *arena, const char *state, const char *age_us)
{
    return (Status){.run = &RUN,
                    .holder = {.pid = 7, .user = "me", .address = "here"},
                    .totals = {.state = state,
                               .started_at = "10:00",
                               .sample_at = "10:01",
                               .sample = arena_printf(arena, SAMPLE, age_us, age_us),
                               .sample_age_s = 1}};
}

static const char *printed(Arena *arena, const Status *status, const char *format)
{
    AUTO_STR Str out = {0};
    status_print(&out, status, format);
    return str_dup(arena, &out);
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void hasnt(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("\"%s\" is in:\n%s", part, text);
}

static void a_source_that_does_not_answer_is_told(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Status status = status_of(&arena, "running", "20000000");
    const char *text = printed(&arena, &status, "text");
    has(text, "slot               well: it holds 1kB; last seen 21.0s ago\n");
    has(text,
        "lag                not known: the source does not answer, for 21.0s now; before that 0");
    hasnt(text, "(1 s ago)");
    status = status_of(&arena, "running", "200000");
    text = printed(&arena, &status, "text");
    has(text, "slot               well: it holds 1kB\n");
    has(text, "lag                0");
    has(text, "(1 s ago)");
}

/* A sample of ten minutes ago is no slot of now. */
static void an_old_sample_is_told(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Status status = status_of(&arena, "running", "0");
    status.totals.sample_age_s = 600;
    has(printed(&arena, &status, "text"), "holds 1kB; last seen 10m 00s ago\n");
}

static void the_primary_and_since_when(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Status status = status_of(&arena, "running", "0");
    const char *text = printed(&arena, &status, "text");
    has(text, "run                \"shop\" 0123456789ab, running since 10:00\n");
    has(text, "primary            the source\n");
    status.totals.state = "cutover";
    text = printed(&arena, &status, "text");
    has(text, ", cutover, begun 10:00\n");
    has(text, "primary            the source, a cutover has begun\n");
    status.totals.switched_at = "11:00";
    status.totals.state = "switched";
    text = printed(&arena, &status, "text");
    has(text, ", switched since 11:00, begun 10:00\n");
    has(text, "primary            the target\n");
    status.totals.ended_at = "12:00";
    status.totals.state = "finished";
    text = printed(&arena, &status, "text");
    has(text, ", finished since 12:00, begun 10:00\n");
    has(text, "primary            the target\n");
    status.totals.state = "failed_back";
    has(printed(&arena, &status, "text"), "primary            the source\n");
}

static void json_says_the_same(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Status status = status_of(&arena, "switched", "0");
    StatusStep step = {.id = "copy", .state = "running", .started_at = "10:00", .seconds = -1e-6};
    status.steps = &step;
    status.step_count = 1;
    status.holder.pid = 0;
    status.totals.switched_at = "11:00";
    json_t *root = json_loads(printed(&arena, &status, "json"), 0, NULL);
    assert_non_null(root);
    const char *primary = NULL, *switched_at = NULL, *sample_at = NULL, *word = NULL;
    double seconds = -1;
    int active = -1;
    assert_int_equal(json_unpack(root, "{s:s, s:s, s:s, s:[{s:s, s:f}], s:{s:{s:b}}}", "primary",
                                 &primary, "switched_at", &switched_at, "sample_at", &sample_at,
                                 "steps", "state", &word, "seconds", &seconds, "sample", "slot",
                                 "active", &active),
                     0);
    assert_string_equal(primary, "target");
    assert_string_equal(switched_at, "11:00");
    assert_string_equal(sample_at, "10:01");
    assert_string_equal(word, "stopped"); /* no engine runs it */
    assert_true(seconds == 0);
    assert_false(active); /* nor reads the slot */
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_that_does_not_answer_is_told),
        cmocka_unit_test(an_old_sample_is_told),
        cmocka_unit_test(the_primary_and_since_when),
        cmocka_unit_test(json_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
