/*
 * libFuzzer entry point for the reader of test_decoding's lines: whatever the bytes, it either
 * refuses them or everything that the accepted line points to lies inside them, and its values need
 * no more room than they have there.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iengine \
 *         tests/fuzz/fuzz_test_decoding.c engine/cdc/test_decoding.c engine/base/{err,arena,str}.c
 */
#include "cdc/test_decoding.h"

#include "base/arena.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

static void touch(TdText text)
{
    for (size_t i = 0; i < text.bytes; i++)
        sink = (uint8_t)(sink + (uint8_t)text.data[i]);
}

static void touch_name(TdText text)
{
    char *out = mem_resize(NULL, text.bytes + 1);
    touch((TdText){out, td_unquote_name(text, out)});
    mem_free(out);
    sink = (uint8_t)(sink + td_name_is(text, "a\"b") + td_type_is(text, "numeric(10,2)[]"));
}

static void touch_tuple(const TdTuple *tuple)
{
    TdColumn column;
    for (TdCursor at = td_columns(tuple); tuple->present && td_column(&at, &column);) {
        char *out = mem_resize(NULL, column.value.bytes + 1);
        touch_name(column.name);
        touch_name(column.type);
        touch((TdText){out, td_value(&column, out)});
        mem_free(out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ERR Err err = {0};
    TdLine line;
    TdText schema;
    TdText name;
    if (!td_decode(data, size, &line, &err))
        return 0;
    touch(line.prefix);
    touch(line.content);
    for (TdCursor at = td_relations(&line); td_relation(&at, &schema, &name);) {
        touch_name(schema);
        touch_name(name);
    }
    touch_tuple(&line.old_tuple);
    touch_tuple(&line.new_tuple);
    return 0;
}
