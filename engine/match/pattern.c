/*
 * Pattern: the wrapper around PCRE2. Nothing else in the program includes pcre2.h.
 */
#include "match/pattern.h"

#include "base/log.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>
#include <string.h>

struct Pattern {
    pcre2_code *code;
};

/* Room for PCRE2's longest message (its documentation: 120 bytes suffice). */
#define MESSAGE_BYTES 256

/* Steps before the backtracking matcher gives way; names are short, honest patterns need few. */
#define MATCH_LIMIT 200000

/* Words of work space that the DFA matcher may use. */
#define DFA_WORKSPACE 4096

static size_t characters_before(const char *text, size_t bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes && text[i] != '\0'; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80)
            count++;
    }
    return count;
}

Pattern *pattern_compile(const char *text, size_t *column, Err *err)
{
    int number = 0;
    PCRE2_SIZE offset = 0;
    const uint32_t options =
        PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &number, &offset, NULL);
    if (code == NULL) {
        PCRE2_UCHAR message[MESSAGE_BYTES];
        pcre2_get_error_message(number, message, sizeof(message));
        *column = characters_before(text, offset);
        err_set(err, ERR_PLAN, "%s", (const char *)message);
        return NULL;
    }
    /* Without JIT (not built in, no executable memory) matching is slower, not different. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    Pattern *pattern = mem_resize(NULL, sizeof(Pattern));
    pattern->code = code;
    return pattern;
}

static int match_without_backtracking(const Pattern *pattern, const char *subject,
                                      pcre2_match_data *data, pcre2_match_context *context)
{
    int *workspace = mem_resize(NULL, DFA_WORKSPACE * sizeof(int));
    int found = pcre2_dfa_match(pattern->code, (PCRE2_SPTR)subject, PCRE2_ZERO_TERMINATED, 0,
                                PCRE2_ANCHORED, data, context, workspace, DFA_WORKSPACE);
    mem_free(workspace);
    return found;
}

bool pattern_matches(const Pattern *pattern, const char *subject)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    if (data == NULL || context == NULL)
        err_out_of_memory(0);
    pcre2_set_match_limit(context, MATCH_LIMIT);
    int found =
        pcre2_match(pattern->code, (PCRE2_SPTR)subject, PCRE2_ZERO_TERMINATED, 0, 0, data, context);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
        found = match_without_backtracking(pattern, subject, data, context);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
        log_warn(NULL, "a pattern gave up on \"%s\" (PCRE2 error %d); taken as no match", subject,
                 found);
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    return found >= 0;
}

bool reference_read(const char *text, unsigned *number, size_t *length)
{
    size_t digits = text[0] == '$' && text[1] == '{' ? strspn(text + 2, "0123456789") : 0;
    if (digits == 0 || digits > 2 || text[2 + digits] != '}')
        return false;
    *number = (unsigned)strtoul(text + 2, NULL, 10);
    *length = digits + 3;
    return true;
}

/* One group's text; `count` is the number of pairs in the vector. */
static bool append_group(const PCRE2_SIZE *vector, uint32_t count, const char *subject,
                         unsigned number, Str *expanded, Err *err)
{
    if (number >= count)
        return err_set(err, ERR_PLAN, "the pattern has no group %u", number);
    PCRE2_SIZE from = vector[2 * number];
    if (from == PCRE2_UNSET)
        return err_set(err, ERR_PLAN, "group %u of the pattern takes no part in matching %s",
                       number, subject);
    str_append_bytes(expanded, subject + from, vector[2 * number + 1] - from);
    return true;
}

bool pattern_expand(const Pattern *pattern, const char *subject, const char *text, Str *expanded,
                    Err *err)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    if (data == NULL || context == NULL)
        err_out_of_memory(0);
    pcre2_set_match_limit(context, MATCH_LIMIT);
    int found =
        pcre2_match(pattern->code, (PCRE2_SPTR)subject, PCRE2_ZERO_TERMINATED, 0, 0, data, context);
    bool ok = found > 0 || err_set(err, ERR_PLAN, "the pattern gave up on %s", subject);
    const PCRE2_SIZE *vector = pcre2_get_ovector_pointer(data);
    uint32_t count = pcre2_get_ovector_count(data);
    for (const char *at = text; ok && *at != '\0';) {
        unsigned number = 0;
        size_t length = 0;
        if (reference_read(at, &number, &length)) {
            ok = append_group(vector, count, subject, number, expanded, err);
            at += length;
        } else {
            str_append_char(expanded, *at++);
        }
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    return ok;
}

void pattern_free(Pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_code_free(pattern->code);
    mem_free(pattern);
}
