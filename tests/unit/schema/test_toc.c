/*
 * Toc: numbers and kinds are read from a list as pg_restore prints it, whatever the names hold; the
 * fates follow the selection, the owner of an object, and the late mark.
 */
#include "catalog/catalog.h"
#include "schema/script.h"
#include "schema/toc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char LIST[] = ";\n"
                           "; Archive created at 2026-11-21 06:02:39 UTC\n"
                           ";     TOC Entries: 118\n"
                           ";\n"
                           "3897; 0 0 ENCODING - ENCODING \n"
                           "12; 2615 100 SCHEMA - ATTACH postgres\n"
                           "2; 3079 200 EXTENSION - citext \n"
                           "3902; 0 0 COMMENT - EXTENSION citext \n"
                           ";\tdepends on: 2\n"
                           "247; 1259 300 TABLE ATTACH DATA postgres\n"
                           ";\tdepends on: 12\n"
                           "248; 1259 301 TABLE app TABLE DATA; 1 2 VIEW x postgres\n"
                           "249; 1259 302 TABLE app child postgres\n"
                           "250; 1259 303 TABLE app not_mine postgres\n"
                           "3904; 0 0 COMMENT app TABLE child postgres\n"
                           ";\tdepends on: 249\n"
                           "3905; 0 0 COMMENT app TABLE not_mine postgres\n"
                           ";\tdepends on: 250\n"
                           "3907; 0 0 ACL app TABLE child postgres\n"
                           ";\tdepends on: 249\n"
                           "223; 1259 310 SEQUENCE app s postgres\n"
                           "3906; 0 0 SEQUENCE OWNED BY app s postgres\n"
                           ";\tdepends on: 223\n"
                           "3998; 0 0 NEW PART app thing postgres\n"
                           ";\tdepends on: 223\n"
                           "3672; 0 0 TABLE ATTACH app child postgres\n"
                           ";\tdepends on: 249 248\n"
                           "3673; 0 0 TABLE ATTACH app not_mine postgres\n"
                           ";\tdepends on: 250 248\n"
                           "3999; 9999 555 NEW KIND app thing postgres\n"
                           "239; 1259 320 MATERIALIZED VIEW app mv postgres\n"
                           "3690; 2606 400 CONSTRAINT app child child_pkey postgres\n"
                           "3691; 0 0 COMMENT app CONSTRAINT child_pkey ON child postgres\n"
                           ";\tdepends on: 3690\n"
                           "3686; 1259 410 INDEX app ix postgres\n"
                           ";\tdepends on: 249\n"
                           "3714; 1259 411 INDEX app mv_i postgres\n"
                           ";\tdepends on: 239\n"
                           "3723; 0 0 INDEX ATTACH app leaf_pkey postgres\n"
                           ";\tdepends on: 3690 249\n"
                           "3734; 2620 500 TRIGGER app child always postgres\n"
                           ";\tdepends on: 249\n"
                           "3735; 2620 501 TRIGGER app child origin postgres\n"
                           ";\tdepends on: 249\n"
                           "3730; 2606 401 FK CONSTRAINT app child fk postgres\n"
                           "3889; 0 302 ROW SECURITY app child postgres\n"
                           "3890; 0 301 ROW SECURITY app forced postgres\n"
                           "2498; 826 600 DEFAULT ACL app DEFAULT PRIVILEGES FOR TABLES postgres\n"
                           "3671; 3466 601 EVENT TRIGGER - evt postgres\n";

static const char POST[] = "; Selected TOC Entries:\n"
                           "3690; 2606 400 CONSTRAINT app child child_pkey postgres\n"
                           "3691; 0 0 COMMENT app CONSTRAINT child_pkey ON child postgres\n"
                           "239; 1259 320 MATERIALIZED VIEW app mv postgres\n"
                           "3686; 1259 410 INDEX app ix postgres\n"
                           "3714; 1259 411 INDEX app mv_i postgres\n"
                           "3734; 2620 500 TRIGGER app child always postgres\n"
                           "3735; 2620 501 TRIGGER app child origin postgres\n"
                           "3730; 2606 401 FK CONSTRAINT app child fk postgres\n"
                           "3889; 0 302 ROW SECURITY app child postgres\n";

/* Selected: the schema, relations but 303, what stands on 302, the thing of a new kind. */
static bool keeps(void *data, uint32_t class_oid, uint32_t oid)
{
    (void)data;
    if (class_oid == CAT_CLASS_RELATION)
        return oid != 303;
    return class_oid != 3079;
}

static bool late(void *data, uint32_t class_oid, uint32_t oid)
{
    (void)data;
    return (class_oid == CAT_CLASS_TRIGGER && oid == 500) || (class_oid == 0 && oid == 301);
}

static const TocJudge JUDGE = {.keeps = keeps, .late = late};

static void read_list(Arena *arena, Toc *toc)
{
    AUTO_ERR Err err = {0};
    if (!toc_read(arena, LIST, POST, toc, &err))
        fail_msg("%s", err.message);
    toc_decide(toc, &JUDGE);
}

static const TocEntry *entry_of(const Toc *toc, int dump_id)
{
    for (size_t i = 0; i < toc->entries.count; i++) {
        if (toc->entries.items[i].dump_id == dump_id)
            return &toc->entries.items[i];
    }
    fail_msg("no entry %d", dump_id);
    return NULL;
}

static void kinds_are_told_from_names(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Toc toc = {0};
    read_list(&arena, &toc);
    static const struct {
        int dump_id;
        const char *desc;
    } CASES[] = {{247, "TABLE"},         {248, "TABLE"},
                 {3672, "TABLE ATTACH"}, {3906, "SEQUENCE OWNED BY"},
                 {3723, "INDEX ATTACH"}, {3686, "INDEX"},
                 {2498, "DEFAULT ACL"},  {3889, "ROW SECURITY"},
                 {3730, "FK CONSTRAINT"}};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        assert_string_equal(entry_of(&toc, CASES[i].dump_id)->kind->desc, CASES[i].desc);
    assert_null(entry_of(&toc, 3999)->kind);
    assert_int_equal(toc.entries.count, 30);
}

static void fates_follow_selection_owner_and_phase(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Toc toc = {0};
    read_list(&arena, &toc);
    static const struct {
        int dump_id;
        TocFate fate;
    } CASES[] = {
        {3897, TOC_HEADER},     {12, TOC_PRE},          {2, TOC_LEFT_OUT},     {3902, TOC_LEFT_OUT},
        {247, TOC_PRE},         {249, TOC_PRE},         {250, TOC_UNSELECTED}, {3904, TOC_PRE},
        {3905, TOC_UNSELECTED}, {3907, TOC_LEFT_OUT},   {223, TOC_PRE},        {3906, TOC_PRE},
        {3672, TOC_PRE},        {3673, TOC_UNSELECTED}, {3999, TOC_PRE},       {3998, TOC_PRE},
        {239, TOC_POST},        {3690, TOC_OURS},       {3691, TOC_POST},      {3686, TOC_OURS},
        {3714, TOC_POST},       {3723, TOC_OURS},       {3734, TOC_LATE},      {3735, TOC_POST},
        {3730, TOC_OURS},       {3889, TOC_POST},       {3890, TOC_LATE},      {2498, TOC_LEFT_OUT},
        {3671, TOC_LEFT_OUT},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        if (entry_of(&toc, CASES[i].dump_id)->fate != CASES[i].fate)
            fail_msg("entry %d has fate %d, not %d", CASES[i].dump_id,
                     entry_of(&toc, CASES[i].dump_id)->fate, CASES[i].fate);
    }
    assert_string_equal(toc_summary(&arena, &toc, TOC_LEFT_OUT),
                        "1 ACL, 1 COMMENT, 1 DEFAULT ACL, 1 EVENT TRIGGER, 1 EXTENSION");
    assert_string_equal(toc_summary(&arena, &toc, TOC_LATE), "1 ROW SECURITY, 1 TRIGGER");
}

static bool no_comment(void *data, const Toc *toc, const TocEntry *entry)
{
    (void)toc;
    (void)data;
    return entry->dump_id != 3691;
}

static void the_list_keeps_restore_order(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    Toc toc = {0};
    read_list(&arena, &toc);
    AUTO_STR Str list = {0};
    toc_use_list(&list, &toc, TOC_POST, no_comment, NULL);
    assert_string_equal(str_text(&list), "239;\n3714;\n3735;\n3889;\n");
}

static void another_form_is_refused(void **state)
{
    (void)state;
    static const char *const CASES[][3] = {
        {"12 2615 100 SCHEMA - a b\n", "", "12 2615 100 SCHEMA - a b"},
        {"12; 2615 SCHEMA - a b\n", "", "12; 2615 SCHEMA - a b"},
        {"99999999999; 1 1 SCHEMA\n", "", "99999999999; 1 1 SCHEMA"},
        {";\tdepends on: 12\n", "", ";\tdepends on: 12"},
        {"12; 2615 1 SCHEMA - a b\n;\tdepends on: 1 x\n", "", ";\tdepends on: 1 x"},
        {"12; 2615 1 SCHEMA - a b\n", "13; 2615 1 SCHEMA - a b\n", "13; 2615 1 SCHEMA - a b"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        AUTO_ARENA Arena arena = {0};
        AUTO_ERR Err err = {0};
        Toc toc = {0};
        assert_false(toc_read(&arena, CASES[i][0], CASES[i][1], &toc, &err));
        assert_int_equal(err.code, ERR_TOOL);
        assert_string_equal(err.message,
                            arena_printf(&arena,
                                         "could not understand a line of pg_restore --list: %s",
                                         CASES[i][2]));
    }
}

static void kinds_are_unique_and_longer_words_come_first(void **state)
{
    (void)state;
    for (const TocKind *kind = TOC_KINDS; kind->desc != NULL; kind++) {
        assert_true(kind->rule != TOC_RULE_DROP || kind->why != NULL);
        for (const TocKind *later = kind + 1; later->desc != NULL; later++) {
            size_t length = strlen(kind->desc);
            bool prefix = strncmp(later->desc, kind->desc, length) == 0 &&
                          (later->desc[length] == ' ' || later->desc[length] == '\0');
            if (prefix)
                fail_msg("\"%s\" hides \"%s\"", kind->desc, later->desc);
        }
    }
}

static void check_trim(const char *text, const char *expected)
{
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    const char *script = NULL;
    bool done = script_trim(arena_strdup(&arena, text), &script, &err);
    if (!done)
        fail_msg("%s", err.message);
    assert_string_equal(script, expected);
}

static void head_and_tail_of_the_text_are_taken_off(void **state)
{
    (void)state;
    static const char HEAD[] = "--\n-- PostgreSQL database dump\n--\n\n\\restrict AbC\n\n"
                               "SET statement_timeout = 0;\nSET transaction_timeout = 0;\n"
                               "SELECT pg_catalog.set_config('search_path', '', false);\n\n--\n";
    AUTO_ARENA Arena arena = {0};
    static const char BODY[] = "-- Name: f(); Type: FUNCTION\n--\n\nSET default_tablespace = '';\n"
                               "CREATE FUNCTION f() AS $$\n\\unrestrict no\n\\restrict x\n$$;\n";
    check_trim(arena_printf(&arena, "%s%s", HEAD, BODY), BODY);
    check_trim(arena_printf(&arena, "%s%s\n--\n-- done\n--\n\n\\unrestrict AbC\n\n", HEAD, BODY),
               arena_printf(&arena, "%s\n--\n-- done\n--\n", BODY));
    check_trim(arena_printf(&arena, "%s\n-- done\n\n\\unrestrict AbC\n", HEAD), "");
    AUTO_ERR Err err = {0};
    const char *script = NULL;
    assert_false(script_trim(arena_strdup(&arena, "\\connect x\n-- Name: f\n"), &script, &err));
    assert_string_equal(err.message,
                        "could not understand the head of pg_restore's text: \\connect x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_told_from_names),
        cmocka_unit_test(fates_follow_selection_owner_and_phase),
        cmocka_unit_test(the_list_keeps_restore_order),
        cmocka_unit_test(another_form_is_refused),
        cmocka_unit_test(kinds_are_unique_and_longer_words_come_first),
        cmocka_unit_test(head_and_tail_of_the_text_are_taken_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
