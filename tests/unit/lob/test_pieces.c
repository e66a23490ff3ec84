/*
 * The bytes of large objects as they are read from a source: hashed here as a server hashes them,
 * whatever their size; what the server says in the middle is what is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/server.h"
#include "lob/lob_internal.h"

static const uint32_t OIDS[] = {900001, 900002, 900003, 900004, 900005, 900006, 900007};
#define COUNT   (sizeof(OIDS) / sizeof(OIDS[0]))
#define MISSING 5

static int setup(void **state)
{
    (void)state;
    int started = server_setup(NULL);
    if (started != 0 || !server_is_there())
        return started;
    AUTO_CONN Conn *conn = server_open(CONN_SOURCE, "postgres");
    server_script(conn, "SELECT lo_create(900001), lo_from_bytea(900002, '\\x00'), "
                        "lo_from_bytea(900003, convert_to(repeat('a', 262144), 'UTF8')), "
                        "lo_from_bytea(900004, convert_to(repeat('a', 262145), 'UTF8')), "
                        "lo_from_bytea(900005, ''), lo_put(900005, 700000, 'behind a hole'), "
                        "lo_from_bytea(900007, 'last'); CREATE ROLE stranger");
    return 0;
}

static LobObjectVec objects_of(Arena *arena)
{
    LobObjectVec objects = {0};
    for (size_t i = 0; i < COUNT; i++)
        *vec_push(arena, &objects) = (LobObject){.oid = OIDS[i]};
    return objects;
}

static void bytes_hash_as_the_server_hashes_them(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    static const int64_t SIZES[COUNT] = {0, 1, 262144, 262145, 700013, 0, 4};
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    AUTO_CONN Conn *conn = server_open(CONN_SOURCE, "postgres");
    LobObjectVec theirs = objects_of(&arena), ours = objects_of(&arena);
    const char *oids = lob_oids(&arena, OIDS, COUNT);
    assert_true(lob_hashes(&arena, conn, oids, &theirs, &err));
    assert_true(lob_pieces(&arena, conn, oids, &ours, NULL, NULL, &err));
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(ours.items[i].size, SIZES[i]);
        assert_int_equal(theirs.items[i].size, SIZES[i]);
        assert_int_equal(ours.items[i].hash == NULL, i == MISSING);
        assert_true(text_equal(ours.items[i].hash, theirs.items[i].hash));
    }
    assert_string_not_equal(ours.items[2].hash, ours.items[3].hash);
    server_script(conn, "SELECT 1");
}

static void the_servers_reason_is_told(void **state)
{
    (void)state;
    if (!server_is_there())
        skip();
    AUTO_ARENA Arena arena = {0};
    AUTO_ERR Err err = {0};
    AUTO_CONN Conn *conn = server_open(CONN_SOURCE, "postgres");
    LobObjectVec objects = objects_of(&arena);
    server_script(conn, "SET ROLE stranger");
    assert_false(
        lob_pieces(&arena, conn, lob_oids(&arena, OIDS, COUNT), &objects, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_SQL);
    assert_string_equal(err.sqlstate, "42501");
    server_script(conn, "RESET ROLE; SELECT 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_hash_as_the_server_hashes_them),
        cmocka_unit_test(the_servers_reason_is_told),
    };
    return cmocka_run_group_tests(tests, setup, server_teardown);
}
