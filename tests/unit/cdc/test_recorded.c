/*
 * What servers of 9.5 and 9.6 really sent: every recorded line is read, and says what was written
 * by hand for it; every value of every type is that which COPY TO showed on the same server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/show_line.h"

#define FOLDER     "tests/unit/cdc/recorded/"
#define MOST_NAME  32
#define HEAD_BYTES 256
#define TYPES      62

typedef struct Record {
    char kind[MOST_NAME];
    char name[MOST_NAME]; /* of a value */
    char *data;           /* ends with a NUL that does not count */
    size_t bytes;
} Record;

/* The line at hand, and how much was compared. */
typedef struct Reading {
    const char *path;
    char *text; /* of the line; what TdLine points into */
    TdLine line;
    bool has_line;
    size_t lines;
    size_t wants;
    size_t values;
    size_t nulls;
} Reading;

/* Up to a character that is left out; "" at the end of the file. */
static void read_until(FILE *file, int end, char *out, size_t room)
{
    size_t length = 0;
    for (int c = fgetc(file); c != end && c != EOF; c = fgetc(file)) {
        out[length++] = (char)c;
        assert_true(length < room);
    }
    out[length] = '\0';
}

static bool next_record(FILE *file, Record *record)
{
    char head[HEAD_BYTES];
    int first = fgetc(file);
    for (; first == '#'; first = fgetc(file))
        read_until(file, '\n', head, sizeof(head));
    ungetc(first, file);
    read_until(file, ':', head, sizeof(head));
    if (*head == '\0')
        return false;
    int parts = sscanf(head, "%31s %31s %zu", record->kind, record->name, &record->bytes);
    if (parts == 2) {
        assert_int_equal(sscanf(record->name, "%zu", &record->bytes), 1);
        record->name[0] = '\0';
    }
    assert_true(parts >= 2);
    record->data = mem_resize(NULL, record->bytes + 1);
    assert_int_equal(fread(record->data, 1, record->bytes, file), record->bytes);
    record->data[record->bytes] = '\0';
    assert_int_equal(fgetc(file), '\n');
    return true;
}

static void take_line(Reading *reading, const Record *record)
{
    AUTO_ERR Err err = {0};
    mem_free(reading->text);
    reading->text = mem_resize(NULL, record->bytes + 1);
    memcpy(reading->text, record->data, record->bytes + 1);
    if (!td_decode(reading->text, record->bytes, &reading->line, &err))
        fail_msg("%s: %s: %s", reading->path, record->data, err.message);
    reading->has_line = true;
    reading->lines++;
}

static void compare_line(Reading *reading, const Record *record)
{
    AUTO_STR Str out = {0};
    assert_true(reading->has_line);
    show_line(&out, &reading->line);
    assert_string_equal(out.data, record->data);
    reading->wants++;
}

static bool find_column(const Reading *reading, const char *name, TdColumn *column)
{
    for (TdCursor at = td_columns(&reading->line.new_tuple); td_column(&at, column);)
        if (td_name_is(column->name, name))
            return true;
    return false;
}

/* COPY TO writes t and f where the plugin writes true and false. */
static bool is_boolean(const TdColumn *column, const char *want)
{
    const char *text = *want == 't' ? "true" : "false";
    return column->kind == TD_BARE && column->value.bytes == strlen(text) &&
           memcmp(column->value.data, text, strlen(text)) == 0;
}

static void compare_value(Reading *reading, const Record *record)
{
    AUTO_STR Str value = {0};
    TdColumn column = {0};
    assert_true(reading->has_line);
    if (!find_column(reading, record->name, &column))
        fail_msg("%s: no column %s", reading->path, record->name);
    if (strcmp(record->kind, "null") == 0) {
        assert_int_equal(column.kind, TD_NULL);
        reading->nulls++;
        return;
    }
    assert_int_not_equal(column.kind, TD_NULL);
    value.length = td_value(&column, str_reserve(&value, column.value.bytes + 1));
    bool same =
        value.length == record->bytes && memcmp(str_text(&value), record->data, record->bytes) == 0;
    bool boolean = td_type_is(column.type, "boolean");
    if (boolean ? !is_boolean(&column, record->data) : !same)
        fail_msg("%s: column %s is \"%.*s\", not \"%s\"", reading->path, record->name,
                 (int)value.length, str_text(&value), record->data);
    reading->values++;
}

static void take(Reading *reading, const Record *record)
{
    if (strcmp(record->kind, "line") == 0)
        take_line(reading, record);
    else if (strcmp(record->kind, "want") == 0)
        compare_line(reading, record);
    else if (strcmp(record->kind, "value") == 0 || strcmp(record->kind, "null") == 0)
        compare_value(reading, record);
    else
        assert_string_equal(record->kind, "sql");
}

static Reading read_all(const char *path)
{
    Reading reading = {.path = path};
    Record record = {0};
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s is not there", path);
    while (next_record(file, &record)) {
        take(&reading, &record);
        mem_free(record.data);
    }
    fclose(file);
    mem_free(reading.text);
    return reading;
}

/* A recording that lost a part of itself does not pass. */
static void test_9_5(void **state)
{
    (void)state;
    Reading reading = read_all(FOLDER "test_decoding-9.5.5");
    assert_int_equal(reading.lines, 141);
    assert_int_equal(reading.wants, 47);
    assert_int_equal(reading.values, 3 * TYPES);
    assert_int_equal(reading.nulls, TYPES);
}

static void test_9_6(void **state)
{
    (void)state;
    Reading reading = read_all(FOLDER "test_decoding-9.6.5");
    assert_int_equal(reading.lines, 145);
    assert_int_equal(reading.wants, 49);
    assert_int_equal(reading.values, 3 * TYPES);
    assert_int_equal(reading.nulls, TYPES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_9_5),
        cmocka_unit_test(test_9_6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
