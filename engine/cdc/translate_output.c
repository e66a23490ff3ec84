/*
 * Translate's output: messages as pgoutput writes them, see translate_internal.h.
 */
#include "cdc/translate_internal.h"

void output_number(Output *output, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--)
        str_append_char(&output->message, (char)(value >> (8 * (i - 1)) & 0xff));
}

void output_begin(Output *output, char kind)
{
    str_reset(&output->message);
    str_append_char(&output->message, kind);
}

void output_end(Output *output, Lsn wal_end)
{
    BatchRecord record = {.wal_end = wal_end, .bytes = (uint32_t)output->message.length};
    batch_make_room(output->pool, output->batch, record.bytes);
    batch_append(output->batch, &record, output->message.data);
}

void output_begin_in_block(Output *output, char kind)
{
    Translate *translate = output->translate;
    if (!translate->told) {
        output_begin(output, PGO_STREAM_START);
        output_number(output, translate->xid, 4);
        output_number(output, 1, 1);
        output_end(output, 0);
        translate->told = true;
    }
    output_begin(output, kind);
    output_number(output, translate->xid, 4);
}

void output_text(Output *output, const char *text)
{
    str_append_bytes(&output->message, text, strlen(text) + 1);
}
