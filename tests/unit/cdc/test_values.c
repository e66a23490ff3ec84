/*
 * Values: binary keys as the text that a server writes, at their ends; what is no value of its type
 * is not told; routes and keys are the same in both forms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cdc/emit.h"
#include "cdc/encode.h"
#include "cdc/route.h"
#include "cdc/values.h"

#define BYTES(text)                                                                                \
    {                                                                                              \
        .data = (text), .length = sizeof(text) - 1, .kind = PGO_BINARY                             \
    }

typedef struct Told {
    uint32_t type_oid;
    PgoValue value;
    const char *text; /* NULL: it is none */
} Told;

/* As pg_recvlogical shows them: column::bytea of what int8send() and so on give. */
static const Told TOLD[] = {
    {16, BYTES("\1"), "t"},
    {16, BYTES("\0"), "f"},
    {19, BYTES("a name"), "a name"},
    {20, BYTES("\x80\0\0\0\0\0\0\0"), "-9223372036854775808"},
    {20, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff"), "9223372036854775807"},
    {20, BYTES("\0\0\0\0\0\0\0\0"), "0"},
    {20, BYTES("\0\0\0\1\0\0\0\1"), "4294967297"},
    {21, BYTES("\x80\0"), "-32768"},
    {21, BYTES("\x7f\xff"), "32767"},
    {23, BYTES("\x80\0\0\0"), "-2147483648"},
    {23, BYTES("\xff\xff\xff\xff"), "-1"},
    {23, BYTES("\x7f\xff\xff\xff"), "2147483647"},
    {25, BYTES(""), ""},
    {25, BYTES("a\tb\\"), "a\tb\\"},
    {26, BYTES("\xff\xff\xff\xff"), "4294967295"},
    {1042, BYTES("a    "), "a    "},
    {1043, BYTES("\\N"), "\\N"},
    {1082, BYTES("\x7f\xff\xff\xff"), "infinity"},
    {1082, BYTES("\x80\0\0\0"), "-infinity"},
    {1082, BYTES("\0\0\0\0"), "2000-01-01"},
    {1082, BYTES("\xff\xff\xff\xff"), "1999-12-31"},
    {1082, BYTES("\0\0\0\x3b"), "2000-02-29"},
    {1082, BYTES("\0\0\0\x3c"), "2000-03-01"},
    {1082, BYTES("\xff\xf4\xdb\xf9"), "0001-01-01"},
    {1082, BYTES("\xff\xf4\xdb\xf8"), "0001-12-31 BC"},
    {1082, BYTES("\xff\xda\x97\xa7"), "4714-11-24 BC"},
    {1082, BYTES("\xff\xda\x97\xa6"), NULL},
    {1082, BYTES("\x7f\xda\x97\x0c"), "5874897-12-31"},
    {1114, BYTES("\0\0\0\0\0\0\0\0"), "2000-01-01 00:00:00"},
    {1114, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "1999-12-31 23:59:59.999999"},
    {1114, BYTES("\0\0\0\0\0\7\xa1\x20"), "2000-01-01 00:00:00.5"},
    {1114, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff"), "infinity"},
    {1114, BYTES("\x80\0\0\0\0\0\0\0"), "-infinity"},
    {1114, BYTES("\x80\0\0\0\0\0\0\1"), NULL},
    {1184, BYTES("\0\0\0\0\0\0\0\1"), "2000-01-01 00:00:00.000001+00"},
    {1184, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff"), "infinity"},
    {2950, BYTES("\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10"),
     "01234567-89ab-cdef-fedc-ba9876543210"},
    /* not of that length, or not told at all */
    {16, BYTES(""), NULL},
    {20, BYTES("\0\0\0\1"), NULL},
    {21, BYTES("\0\0\0\1"), NULL},
    {23, BYTES("\0\1"), NULL},
    {23, BYTES(""), NULL},
    {1082, BYTES("\0"), NULL},
    {1184, BYTES("\0\0\0\0\0\0\0\0\0"), NULL},
    {2950, BYTES("\0"), NULL},
    {17, BYTES("\0"), NULL},
    {701, BYTES("\0\0\0\0\0\0\0\0"), NULL},
    {1700, BYTES("\0\0\0\0\0\0\0\0"), NULL},
};

static void test_values_are_told_as_the_server_writes_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(TOLD) / sizeof(TOLD[0]); i++) {
        char room[VALUE_TEXT_BYTES];
        char shown[64] = "";
        PgoValue text;
        bool told = value_text(TOLD[i].type_oid, &TOLD[i].value, room, &text);
        if (told) {
            assert_int_equal(text.kind, PGO_TEXT);
            assert_true(text.length < sizeof(shown));
            memcpy(shown, text.data, text.length);
        }
        assert_int_equal(told, TOLD[i].text != NULL);
        assert_string_equal(shown, told ? TOLD[i].text : "");
        assert_true(!told || value_is_told(TOLD[i].type_oid));
    }
    assert_false(value_is_told(17));
    assert_false(value_is_told(1700));
}

/* Every number of bytes, every first byte: never beyond the room, never a wrong kind. */
static void test_any_bytes_fit_the_room(void **state)
{
    (void)state;
    static const uint32_t TYPES[] = {16, 20, 21, 23, 26, 1082, 1114, 1184, 2950};
    char bytes[20];
    for (size_t t = 0; t < sizeof(TYPES) / sizeof(TYPES[0]); t++) {
        for (unsigned seed = 0; seed < 20 * 256; seed++) {
            memset(bytes, (int)(seed * 37 & 0xff), sizeof(bytes));
            bytes[0] = (char)(seed & 0xff);
            char room[VALUE_TEXT_BYTES + 1];
            room[VALUE_TEXT_BYTES] = 'x';
            PgoValue value = {.data = bytes, .length = seed / 256, .kind = PGO_BINARY};
            PgoValue text;
            if (value_text(TYPES[t], &value, room, &text))
                assert_in_range(text.length, 1, VALUE_TEXT_BYTES);
            assert_int_equal(room[VALUE_TEXT_BYTES], 'x');
        }
    }
}

static Column columns[] = {{.name = "id", .type_oid = 23}, {.name = "at", .type_oid = 1184}};
static const uint16_t both[] = {0, 1};
static const Key key = {.index_name = "pk", .count = 2, .columns = both};
static Relation relation = {
    .target = {"s", "t"}, .columns = columns, .column_count = 2, .key = &key};
static const Blueprint blueprint = {.relations = &relation, .relation_count = 1};

#define TEXT(text)                                                                                 \
    {                                                                                              \
        .data = (text), .length = sizeof(text) - 1, .kind = PGO_TEXT                               \
    }

/* Lanes that stand apart were left by an engine that asked for one form; the next asks for the
 * other, and must find every row in its lane. */
static void test_routes_are_those_of_the_text(void **state)
{
    (void)state;
    Router router;
    router_init(&router, &blueprint, 16);
    const PgoValue texts[] = {TEXT("258"), TEXT("2000-01-01 00:00:00.000001+00")};
    const PgoValue binary[] = {BYTES("\0\0\1\2"), BYTES("\0\0\0\0\0\0\0\1")};
    uint16_t lane = route_change(&router, &relation, NULL, texts);
    assert_int_equal(route_change(&router, &relation, NULL, binary), lane);
    assert_int_equal(route_change(&router, &relation, texts, binary), lane);
    const PgoValue malformed[] = {BYTES("\0\1"), BYTES("\0\0\0\0\0\0\0\1")};
    assert_int_equal(route_change(&router, &relation, NULL, malformed), ROUTE_BARRIER);
    router_release(&router);
}

static void test_keys_are_texts(void **state)
{
    (void)state;
    KeyText room = {0};
    const PgoValue texts[] = {TEXT("258"), TEXT("infinity")};
    assert_ptr_equal(key_text(&room, &relation, texts), texts);
    const PgoValue mixed[] = {BYTES("\0\0\1\2"), TEXT("infinity")};
    const PgoValue *told = key_text(&room, &relation, mixed);
    assert_non_null(told);
    for (size_t k = 0; k < 2; k++)
        assert_true(pgo_value_equal(&told[k], &texts[k]));
    const PgoValue malformed[] = {BYTES("\0\0\1\2"), BYTES("")};
    assert_null(key_text(&room, &relation, malformed));
    key_text_release(&room);
}

/* The four bytes of the text "1234" are an int4, too: such a row may not go into the COPY. */
static void test_a_row_of_the_other_form_is_a_mismatch(void **state)
{
    (void)state;
    Emit emit;
    Err err = {0};
    emit_init(&emit, NULL);
    emit_begin(&emit, NULL);
    emit.copy_binary = true;
    const PgoValue good[] = {BYTES("\0\0\1\2"), {.kind = PGO_NULL}};
    assert_true(emit_copy_row(&emit, good, 2, &err));
    assert_int_equal(emit.copied, 1);
    assert_false(emit.mismatch);
    size_t length = emit.copy.length;
    const PgoValue other[] = {TEXT("1234"), {.kind = PGO_NULL}};
    assert_true(emit_copy_row(&emit, other, 2, &err));
    assert_true(emit.mismatch);
    assert_int_equal(emit.copied, 1);
    assert_int_equal(emit.copy.length, length);
    emit.mismatch = false;
    emit.copy_binary = false;
    const PgoValue unchanged[] = {TEXT("1"), {.kind = PGO_UNCHANGED}};
    assert_true(emit_copy_row(&emit, unchanged, 2, &err));
    assert_true(emit.mismatch);
    emit_release(&emit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_told_as_the_server_writes_them),
        cmocka_unit_test(test_any_bytes_fit_the_room),
        cmocka_unit_test(test_routes_are_those_of_the_text),
        cmocka_unit_test(test_keys_are_texts),
        cmocka_unit_test(test_a_row_of_the_other_form_is_a_mismatch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
