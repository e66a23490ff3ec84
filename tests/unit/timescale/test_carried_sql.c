/*
 * The statements of `data: carry`: which rows have outlived the raw ones, and how a range of them
 * is moved. They are a golden file, which the scenario test test_carried_statements runs on the
 * community edition. And what makes rows of one aggregate no rows of another.
 */
#include "lib/golden.h"
#include "lib/server.h"
#include "timescale/carry.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define GOLDEN "tests/unit/timescale/carried.sql"

static const char *columns[] = {"Ho\"ur", "dev", "n"};
static const char *types[] = {"timestamp with time zone", "integer", "bigint"};

static CarryPlace place(void)
{
    return (CarryPlace){
        .rows = {"_timescaledb_internal", "_materialized_hypertable_3"},
        .column = "Ho\"ur",
        .type = "timestamp with time zone",
        .width = "01:00:00",
        .may_read = true,
        .raw = {"app", "m"},
        .columns = columns,
        .types = types,
        .column_count = 3,
    };
}

static void end(Str *text, Str *sql)
{
    str_appendf(text, "%s;\n", sql->data);
    str_reset(sql);
}

static void add_range(Str *text, const Conn *conn, const CarryPlace *from, const CarryRange *range)
{
    const Name rows = {"_timescaledb_internal", "_materialized_hypertable_4"};
    AUTO_STR Str sql = {0};
    carry_delete_sql(&sql, conn, from, &rows, range);
    end(text, &sql);
    carry_read_sql(&sql, conn, from, range);
    end(text, &sql);
    carry_write_sql(&sql, conn, from, &rows);
    end(text, &sql);
    carry_sum_sql(&sql, conn, from, &from->rows, range);
    end(text, &sql);
    carry_sum_sql(&sql, conn, from, &rows, range);
    end(text, &sql);
}

static void add_last(Str *text, const Conn *conn, const CarryPlace *from, const char *now)
{
    AUTO_STR Str sql = {0};
    carry_last_sql(&sql, conn, from, now);
    end(text, &sql);
}

/* Without a policy, by age, and the same of integers. */
static void add_lasts(Str *text, const Conn *conn)
{
    CarryPlace from = place();
    add_last(text, conn, &from, NULL);
    from.keep = "100 years";
    add_last(text, conn, &from, NULL);
    from = (CarryPlace){.rows = {"_timescaledb_internal", "_materialized_hypertable_6"},
                        .column = "s",
                        .type = "integer",
                        .width = "3600",
                        .is_integer = true,
                        .raw = {"app", "tick"},
                        .keep = "600000"};
    add_last(text, conn, &from, "1791200000");
    add_last(text, conn, &from, NULL);
}

static void the_statements_are_the_golden_ones(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ARENA Arena arena = {0};
    AUTO_STR Str text = {0};
    const CarryPlace from = place();
    Conn *conn = server_open(CONN_TARGET, "postgres");
    add_lasts(&text, conn);
    add_range(&text, conn, &from, &(CarryRange){.until = "2026-01-11 00:00:00+00"});
    add_range(&text, conn, &from,
              &(CarryRange){.start = "2026-01-11 00:00:00+00", .last = "2026-01-19 23:00:00+00"});
    conn_close(conn);
    golden_write(GOLDEN, text.data);
    assert_string_equal(file_text(&arena, GOLDEN), text.data);
}

static void rows_fit_or_do_not(void **state)
{
    (void)state;
    AUTO_ARENA Arena arena = {0};
    static const char *other[] = {"Ho\"ur", "dev", "m"};
    static const char *wider[] = {"timestamp with time zone", "bigint", "bigint"};
    const CarryPlace source = place();
    CarryPlace target = place();
    assert_null(carry_misfit(&arena, &source, &target));
    target.column = "day";
    assert_string_equal(carry_misfit(&arena, &source, &target),
                        "its buckets are in column day, on the source in Ho\"ur");
    target = place();
    target.width = "1 day";
    assert_string_equal(carry_misfit(&arena, &source, &target),
                        "its buckets are 1 day wide, on the source 01:00:00");
    target = place();
    target.columns = other;
    assert_string_equal(carry_misfit(&arena, &source, &target),
                        "column n is not there, on the source bigint");
    target = place();
    target.types = wider;
    assert_string_equal(carry_misfit(&arena, &source, &target),
                        "column dev is bigint there, on the source integer");
    CarryPlace fewer = place();
    fewer.column_count = 2;
    target = place();
    assert_string_equal(carry_misfit(&arena, &fewer, &target),
                        "it has columns that the source's has not");
}

static int start(void **state)
{
    (void)state;
    return server_setup(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_statements_are_the_golden_ones),
        cmocka_unit_test(rows_fit_or_do_not),
    };
    return cmocka_run_group_tests(tests, start, server_teardown);
}
