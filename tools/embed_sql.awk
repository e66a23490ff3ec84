# Turns SQL files into C: for engine/sql/copy_parts.sql a constant SQL_COPY_PARTS.
# The comment that heads a file (purpose, parameters, columns) and blank lines around it are left
# out; everything after the first line of SQL is kept as it is, comments included.
# Variables: header and source are the files to write. Called by tools/embed_sql.

function finish_file()
{
    if (name == "")
        return
    if (lines == 0) {
        print "embed_sql: " path " holds no SQL" > "/dev/stderr"
        failed = 1
        exit 1
    }
    print ";" > source
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
    print "/* Made by tools/embed_sql from the .sql files; do not edit. */" > header
    print "#ifndef GODWIT_SQL_TEXT_H\n#define GODWIT_SQL_TEXT_H\n" > header
    print "/* Made by tools/embed_sql from the .sql files; do not edit. */" > source
    print "#include \"sql_text.h\"\n\nextern const int sql_text_files;" > source
}

FNR == 1 {
    finish_file()
    path = FILENAME
    name = c_name(FILENAME)
    lines = 0
    in_block = 0
    if (name in seen) {
        print "embed_sql: " path " and " seen[name] " both make " name > "/dev/stderr"
        failed = 1
        exit 1
    }
    seen[name] = path
    print "/* " path " */" > header
    print "extern const char *const " name ";" > header
    printf "\nconst char *const %s =", name > source
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
    text = $0
    sub(/\r$/, "", text)
    gsub(/\\/, "\\\\&", text)
    gsub(/"/, "\\\"", text)
    gsub(/\t/, "\\t", text)
    gsub(/\?/, "\\?", text)
    printf "\n    \"%s\\n\"", text > source
    lines++
}

END {
    if (failed)
        exit 1
    finish_file()
    if (failed)
        exit 1
    printf "\nconst int sql_text_files = %d;\n", files > source
    print "\n#endif" > header
}
