/*
 * Unpartition: see the header.
 */
#include "schema/unpartition.h"

#include "base/str.h"
#include "schema/scan.h"

static bool is_converted(const Blueprint *blueprint, const Name *name)
{
    for (size_t i = 0; i < blueprint->relation_count; i++) {
        const Relation *relation = &blueprint->relations[i];
        if (relation_is_gathered(relation) && name_equal(&relation->source, name))
            return true;
    }
    return false;
}

/* Whether the statement creates such a table. */
static bool creates_converted(Arena *arena, const Blueprint *blueprint, const char *statement)
{
    static const char CREATE[] = "CREATE TABLE ";
    Name name;
    if (!text_starts_with(statement, CREATE))
        return false;
    const char *begin = statement + strlen(CREATE);
    const char *end = scan_token(begin);
    if (*end != '.')
        return false;
    end = scan_token(end + 1);
    return name_parse(arena, arena_memdup(arena, begin, (size_t)(end - begin)), &name) &&
           is_converted(blueprint, &name);
}

const char *unpartition(Arena *arena, const Blueprint *blueprint, const char *script)
{
    AUTO_STR Str out = {0};
    const char *copied = script;
    for (const char *at = scan_blank(script); *at != '\0'; at = scan_blank(at)) {
        bool wanted = creates_converted(arena, blueprint, at);
        const char *partition = NULL;
        int depth = 0;
        while (*at != '\0' && (*at != ';' || depth > 0)) {
            depth += (*at == '(') - (*at == ')');
            if (wanted && depth == 0 && text_starts_with(at, "PARTITION BY "))
                partition = at;
            at = scan_token(at);
        }
        if (partition != NULL) {
            str_append_bytes(&out, copied, (size_t)(partition - copied));
            copied = at;
        }
        at += *at == ';';
    }
    if (copied == script)
        return script;
    str_append(&out, copied);
    return str_dup(arena, &out);
}
