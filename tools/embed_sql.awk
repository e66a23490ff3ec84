# Turns SQL files into C: for engine/sql/copy_parts.sql a constant SQL_COPY_PARTS.
# The comment that heads a file (purpose, parameters, columns) and blank lines around it are left
# out; everything after the first line of SQL is kept as it is, comments included.
#
# A line that ends with "-- @from V", "-- @before V" or "-- @from V before W" is for servers of these
# versions only (V is 9.6 or 14). Such a file makes one text for each span of versions: the constant
# is the newest, the others stand in sql_variants, by which pg/query.c chooses.
# Variables: header and source are the files to write. Called by tools/embed_sql.

function fail(problem)
{
    print "embed_sql: " path problem > "/dev/stderr"
    failed = 1
    exit 1
}

# 9.6 as 90600, 14 as 140000: as the server numbers itself.
function number(version,    parts)
{
    if (split(version, parts, ".") == 2)
        return parts[1] * 10000 + parts[2] * 100
    return parts[1] * 10000
}

function bound_add(bound,    at)
{
    for (at = 1; at <= bounds; at++)
        if (bound_list[at] == bound)
            return
    for (at = bounds++; at > 0 && bound_list[at] > bound; at--)
        bound_list[at + 1] = bound_list[at]
    bound_list[at + 1] = bound
}

# Takes the mark off a line and remembers the versions it is for.
function versions_of(text,    mark, words, count)
{
    from[lines] = 0
    before[lines] = forever
    if (!match(text, / *-- @(from [0-9.]+|before [0-9.]+|from [0-9.]+ before [0-9.]+)$/)) {
        if (text ~ /-- @/)
            fail(": what does this line want? " text)
        return text
    }
    mark = substr(text, RSTART)
    sub(/^ *-- @/, "", mark)
    count = split(mark, words, " ")
    if (words[1] == "from") {
        from[lines] = number(words[2])
        bound_add(from[lines])
    }
    if (words[count - 1] == "before") {
        before[lines] = number(words[count])
        bound_add(before[lines])
    }
    return substr(text, 1, RSTART - 1)
}

# The text as servers of a version below "below" get it.
function print_text(below,    i)
{
    for (i = 1; i <= lines; i++)
        if (from[i] < below && before[i] >= below)
            printf "\n    \"%s\\n\"", line[i] > source
}

function finish_file(    at)
{
    if (name == "")
        return
    if (lines == 0)
        fail(" holds no SQL")
    printf "\nconst char *const %s =", name > source
    print_text(forever)
    print ";" > source
    for (at = 1; at <= bounds; at++) {
        printf "\nstatic const char %s_BEFORE_%d[] =", name, bound_list[at] > source
        print_text(bound_list[at])
        print ";" > source
        rows = rows sprintf("    {&%s, %d, %s_BEFORE_%d},\n", name, bound_list[at], name, bound_list[at])
        if (bound_list[at] > newest)
            newest = bound_list[at]
    }
}

function c_name(file,    n, parts)
{
    n = split(file, parts, "/")
    file = parts[n]
    sub(/\.sql$/, "", file)
    file = toupper(file)
    gsub(/[^A-Z0-9]/, "_", file)
    return "SQL_" file
}

BEGIN {
    forever = 99990000
    newest = 0
    print "/* Made by tools/embed_sql from the .sql files; do not edit. */" > header
    print "#ifndef GODWIT_SQL_TEXT_H\n#define GODWIT_SQL_TEXT_H\n" > header
    print "/* What servers before a version get instead of a text; a text's rows by rising version. */" > header
    print "typedef struct SqlVariant {\n    const char *const *sql;\n    int before;" > header
    print "    const char *text;\n} SqlVariant;" > header
    print "extern const SqlVariant sql_variants[]; /* ends with a row of NULLs */" > header
    print "extern const int sql_variants_before; /* no text has one for this version or later */" > header
    print "/* Made by tools/embed_sql from the .sql files; do not edit. */" > source
    print "#include \"sql_text.h\"\n\n#include <stddef.h>\n\nextern const int sql_text_files;" > source
}

FNR == 1 {
    finish_file()
    path = FILENAME
    name = c_name(FILENAME)
    lines = 0
    bounds = 0
    in_block = 0
    if (name in seen)
        fail(" and " seen[name] " both make " name)
    seen[name] = path
    print "/* " path " */" > header
    print "extern const char *const " name ";" > header
    files++
}

lines == 0 && in_block {
    if ($0 ~ /\*\//)
        in_block = 0
    next
}

lines == 0 && /^[ \t]*\/\*/ {
    in_block = $0 !~ /\*\//
    next
}

lines == 0 && (/^[ \t]*--/ || /^[ \t\r]*$/) { next }

{
    lines++
    text = $0
    sub(/\r$/, "", text)
    text = versions_of(text)
    gsub(/\\/, "\\\\&", text)
    gsub(/"/, "\\\"", text)
    gsub(/\t/, "\\t", text)
    gsub(/\?/, "\\?", text)
    line[lines] = text
}

END {
    if (failed)
        exit 1
    finish_file()
    if (failed)
        exit 1
    printf "\nconst SqlVariant sql_variants[] = {\n%s    {NULL, 0, NULL},\n};\n", rows > source
    printf "const int sql_variants_before = %d;\n", newest > source
    printf "\nconst int sql_text_files = %d;\n", files > source
    print "\n#endif" > header
}
