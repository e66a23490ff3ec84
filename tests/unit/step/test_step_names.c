/*
 * The names that plans may give (plan/step_names.c) are the phases and kinds that there are.
 */
#include "plan/step_names.h"
#include "report/graph_text.h"
#include "step/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static void test_phases(void **state)
{
    (void)state;
    size_t count = 0;
    for (; STEP_PHASE_NAMES[count].name != NULL; count++) {
        assert_string_equal(STEP_PHASE_NAMES[count].name, phase_name((StepPhase)count));
        assert_int_equal(STEP_PHASE_NAMES[count].phase, count);
    }
    assert_int_equal(count, PHASE_COUNT);
}

static bool is_kind(const char *name)
{
    for (const StepName *row = STEP_KIND_NAMES; row->name != NULL; row++) {
        if (strcmp(row->name, name) == 0)
            return true;
    }
    return false;
}

static void test_every_kind_has_a_row(void **state)
{
    (void)state;
    for (const StepKind *const *kind = STEP_KINDS; *kind != NULL; kind++) {
        if (!is_kind((*kind)->name))
            fail_msg("kind \"%s\" has no row in plan/step_names.c", (*kind)->name);
    }
}

static void test_every_row_has_a_kind(void **state)
{
    (void)state;
    for (const StepName *row = STEP_KIND_NAMES; row->name != NULL; row++) {
        const StepKind *const *kind = STEP_KINDS;
        while (*kind != NULL && strcmp((*kind)->name, row->name) != 0)
            kind++;
        if (*kind == NULL)
            fail_msg("row \"%s\" of plan/step_names.c is no kind", row->name);
        assert_int_equal((*kind)->phase, row->phase);
        if (row[1].name != NULL)
            assert_true(strcmp(row->name, row[1].name) < 0);
    }
}

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(step_name_find("copy"), &STEP_PHASE_NAMES[2]); /* the phase, not the kind */
    assert_int_equal(step_name_find("cutover.drain")->phase, PHASE_CUTOVER);
    assert_null(step_name_find("warm_cache"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_every_kind_has_a_row),
        cmocka_unit_test(test_every_row_has_a_kind),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
