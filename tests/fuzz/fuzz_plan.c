/*
 * libFuzzer entry: any bytes as a plan. Nothing crashes, nothing leaks, every finding can be shown,
 * and libcyaml never refuses what the walker accepted.
 *
 * Build: clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iengine -include base/banned.h
 * ... Run:   fuzz_plan -max_len=4096 CORPUS tests/plans/good tests/plans/bad
 */
#include "plan/layers.h"

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Plan plan = {.path = "fuzz.yaml", .directory = "."};
    PlanFindings findings = {0};
    AUTO_ERR Err err = {0};
    AUTO_ARENA Arena arena = {0};
    bool ok = plan_load_text(&plan, (const char *)data, size, &findings, &err);
    if (!ok && err.code != ERR_PLAN)
        BUG("%s: %s", err.message, err.detail == NULL ? "" : err.detail);
    if (ok != (findings.errors == 0))
        BUG("%zu errors, but loaded: %d", findings.errors, ok);
    for (size_t i = 0; i < findings.count; i++) {
        const char *text = plan_finding_text(&arena, &plan, &findings.items[i], COLOR_NOWHERE);
        if (strchr(text, '\x1b') != NULL)
            BUG("an escape character is printed");
    }
    if (ok && *plan_diff(&arena, plan.canonical, plan.canonical) != '\0')
        BUG("a plan differs from itself");
    plan_release(&plan);
    return 0;
}
