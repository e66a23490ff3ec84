/*
 * Texts for older servers: 14 and later get what the files say without marks, each older span of
 * versions its own text, and lines for other versions are in none of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "pg/query.h"
#include "sql_text.h"

#define NEWEST_BOUND 140000 /* the oldest version that pgoutput is read from */

static void rows_are_in_order(void **state)
{
    (void)state;
    size_t count = 0;
    assert_int_equal(sql_variants_before, NEWEST_BOUND);
    for (const SqlVariant *row = sql_variants; row->sql != NULL; row++, count++) {
        const SqlVariant *next = row + 1;
        assert_true(row->before > 90500 && row->before <= NEWEST_BOUND);
        assert_string_not_equal(row->text, *row->sql);
        assert_null(strstr(row->text, "-- @"));
        assert_null(strstr(*row->sql, "-- @"));
        if (next->sql == row->sql) {
            assert_true(next->before > row->before);
            assert_string_not_equal(next->text, row->text);
        }
    }
    assert_true(count > 30);
}

static void each_version_gets_its_own(void **state)
{
    (void)state;
    for (const SqlVariant *row = sql_variants; row->sql != NULL; row++) {
        bool first = row == sql_variants || (row - 1)->sql != row->sql;
        bool last = (row + 1)->sql != row->sql;
        assert_ptr_equal(pg_text_for(*row->sql, row->before - 1), row->text);
        if (first)
            assert_ptr_equal(pg_text_for(*row->sql, 90500), row->text);
        if (last)
            assert_ptr_equal(pg_text_for(*row->sql, row->before), *row->sql);
        assert_ptr_equal(pg_text_for(*row->sql, NEWEST_BOUND), *row->sql);
        assert_ptr_equal(pg_text_for(*row->sql, 180000), *row->sql);
    }
}

static void check(const char *sql, int version, const char *with, const char *without)
{
    const char *text = pg_text_for(sql, version);
    if (strstr(text, with) == NULL || strstr(text, without) != NULL)
        fail_msg("%d: with \"%s\", without \"%s\" was expected:\n%s", version, with, without, text);
}

static void names_follow_versions(void **state)
{
    (void)state;
    assert_string_equal(pg_text_for(SQL_VERIFY_INSERT_LSN, 90600),
                        "SELECT pg_catalog.pg_current_xlog_insert_location();\n");
    assert_string_equal(pg_text_for(SQL_VERIFY_INSERT_LSN, 100000),
                        "SELECT pg_catalog.pg_current_wal_insert_lsn();\n");
    check(SQL_CDC_PULSE, 90500, "pg_current_xlog_location", "flush");
    check(SQL_CDC_PULSE, 90600, "pg_current_xlog_flush_location", "wal");
    check(SQL_CDC_PULSE, 100000, "pg_current_wal_flush_lsn", "xlog");
    check(SQL_CDC_SLOT_STATE, 90500, "restart_lsn", "confirmed");
    check(SQL_CDC_SLOT_STATE, 90600, "confirmed_flush_lsn", "restart");
    check(SQL_CATALOG_COLUMNS, 90600, "''", "attidentity");
    check(SQL_CATALOG_COLUMNS, 100000, "attidentity", "attgenerated");
    check(SQL_CATALOG_COLUMNS, 120000, "attgenerated", "false,");
    check(SQL_CATALOG_RELATIONS, 90600, "concat_ws('/', t.written", "relispartition");
    check(SQL_CATALOG_RELATIONS, 100000, "concat_ws('/', t.written", "a.amname = 'heap'");
    check(SQL_CATALOG_RELATIONS, 110000, "relispartition", "concat_ws('/', t.written");
    check(SQL_CDC_SHAPE, 100000, "relfilenode", "-- @");
    check(SQL_CDC_PARTITIONS, 100000, "string_agg", "sha256");
    check(SQL_CDC_PARTITIONS, 110000, "sha256", ", true");
    check(SQL_SLOT_DROP, 130000, "pg_sleep", "5000");
}

static void other_texts_are_for_all(void **state)
{
    (void)state;
    static const char OWN[] = "SELECT 1";
    assert_ptr_equal(pg_text_for(OWN, 90500), OWN);
    assert_ptr_equal(pg_text_for(SQL_CDC_NAMES, 90500), SQL_CDC_NAMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_in_order),
        cmocka_unit_test(each_version_gets_its_own),
        cmocka_unit_test(names_follow_versions),
        cmocka_unit_test(other_texts_are_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
