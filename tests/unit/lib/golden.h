/*
 * Golden files: what a test expects, as a file that people read. GODWIT_GOLDEN=write rewrites them
 * with what the engine gives now.
 *
 *     golden_write("docs/keys/select.md", text);
 *     assert_string_equal(file_text(&arena, "docs/keys/select.md"), text);
 */
#ifndef GODWIT_UNIT_GOLDEN_H
#define GODWIT_UNIT_GOLDEN_H

#include "base/arena.h"

/** The text of a file; "(there is no such file)", which no golden text equals, when there is none.
 */
char *file_text(Arena *arena, const char *path);

/** Under GODWIT_GOLDEN=write the file gets the text; nothing happens otherwise. Fails the test when
 * it cannot be written. */
void golden_write(const char *path, const char *text);

#endif
