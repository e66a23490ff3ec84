/*
 * Script: the head ends where the first entry begins; the tail is one line.
 */
#include "schema/script.h"

#include "base/str.h"

static const char FIRST_ENTRY[] = "-- Name: ";
static const char UNRESTRICT[] = "\n\\unrestrict ";

static bool is_heading(const char *line)
{
    return *line == '\0' || text_starts_with(line, "--") || text_starts_with(line, "SET ") ||
           text_starts_with(line, "SELECT pg_catalog.set_config(") ||
           text_starts_with(line, "\\restrict ");
}

bool script_trim(char *text, const char **script, Err *err)
{
    char *end = NULL;
    for (char *at = strstr(text, UNRESTRICT); at != NULL; at = strstr(at + 1, UNRESTRICT))
        end = at;
    const char *rest = end == NULL ? NULL : end + 1 + strcspn(end + 1, "\n");
    if (rest != NULL && rest[strspn(rest, "\n")] == '\0')
        *end = '\0';
    for (char *line = text; *line != '\0';) {
        char *next = strchr(line, '\n');
        if (text_starts_with(line, FIRST_ENTRY) || next == NULL) {
            *script = next == NULL ? "" : line;
            return true;
        }
        *next = '\0';
        if (!is_heading(line))
            return err_set(err, ERR_TOOL, "could not understand the head of pg_restore's text: %s",
                           line);
        line = next + 1;
    }
    *script = "";
    return true;
}
