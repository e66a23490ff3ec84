# Turns docs/codes/*.md into C: a table of {code, text}, sorted as given, for `godwit explain`.
# Variables: header and source are the files to write.

BEGIN {
    print "/* Made by tools/embed_pages.awk from docs/codes; do not edit. */" > header
    print "#ifndef GODWIT_PAGES_TEXT_H\n#define GODWIT_PAGES_TEXT_H\n" > header
    print "typedef struct PageText {\n    const char *code;\n    const char *text;\n} PageText;\n" > header
    print "extern const PageText PAGES_TEXT[];\n\n#endif" > header
    print "/* Made by tools/embed_pages.awk from docs/codes; do not edit. */" > source
    print "#include \"pages_text.h\"\n\nconst PageText PAGES_TEXT[] = {" > source
}

FNR == 1 {
    if (NR > 1)
        print "}," > source
    n = split(FILENAME, parts, "/")
    code = parts[n]
    sub(/\.md$/, "", code)
    print "{\"" code "\"," > source
}

{
    gsub(/\\/, "&&")
    gsub(/"/, "\\\\&")
    if (FNR == 1)
        sub(/^# */, "")
    print "\"" $0 "\\n\"" > source
}

END {
    if (NR > 0)
        print "}," > source
    print "{0, 0}};" > source
}
