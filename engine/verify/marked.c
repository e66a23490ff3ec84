/*
 * Marked: what a leg of the way back touched since it was armed, by the marks that its groups left
 * in the journal (godwit.touched, docs/adr/0026).
 *
 * When a leg is armed both servers stand still and are the same: that is its first look, and
 * nothing is written down for it. Every group that an engine applies from there on leaves its mark
 * in its own transaction, whichever engine it is. So the parts that no mark meets are the same
 * still, as far as the stream can know, and the others are read, live.
 */
#include "verify/verify_internal.h"

bool verify_marked(Arena *arena, const VerifySpec *spec, bool *any, VerifyResult *result, Err *err)
{
    AUTO_ARENA Arena own = {0};
    AUTO_ROWS Rows *touched = NULL;
    Layout layout = {0};
    Reading reading;
    reading_init(&reading, spec, arena, result);
    *any = false;
    if (!notes_read_touched(&own, &reading, &touched, err))
        return false;
    if (rows_count(touched) == 0)
        return true;
    *any = true;
    if (!reading_probe(&reading, err) || !layout_make(&own, &reading, &layout, err))
        return false;
    for (size_t i = 0; i < layout.count && !result->more; i++) {
        Ranges *part = &layout.parts[i];
        part->look = LEG_LOOK;
        if (notes_touched(&reading, part, touched) && !part_rows(&own, &reading, part, err))
            return false;
    }
    return true;
}
