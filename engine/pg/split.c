/*
 * Split: a reader over the text, one token at a time. What it knows of SQL is what psql's does:
 * where quotes, comments and function bodies end.
 */
#include "pg/split.h"

#include "base/str.h"

#include <ctype.h>

#define WORDS_KEPT 5

typedef struct Reader {
    Arena *arena;
    const char *whole;
    const char *at;
    uint32_t line;
    Str words;
    size_t word_count;
    int parentheses;
    int blocks; /* BEGIN and CASE inside CREATE FUNCTION or PROCEDURE */
} Reader;

static bool is_word_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word(char c)
{
    return is_word_start(c) || isdigit((unsigned char)c) || c == '$';
}

static void step_over(Reader *reader, size_t bytes)
{
    for (; bytes > 0; bytes--, reader->at++)
        reader->line += *reader->at == '\n';
}

static bool unended(uint32_t line, const char *what, Err *err)
{
    err_set(err, ERR_RUN, "%s does not end", what);
    err->line = line;
    return false;
}

static bool skip_quoted(Reader *reader, char quote, bool escapes, Err *err)
{
    uint32_t line = reader->line;
    for (step_over(reader, 1); *reader->at != '\0'; step_over(reader, 1)) {
        if (escapes && *reader->at == '\\' && reader->at[1] != '\0') {
            step_over(reader, 1);
        } else if (*reader->at == quote) {
            step_over(reader, 1);
            return true;
        }
    }
    return unended(line, quote == '"' ? "a quoted name" : "a quoted text", err);
}

static bool skip_block_comment(Reader *reader, Err *err)
{
    uint32_t line = reader->line;
    int depth = 0;
    do {
        bool opens = text_starts_with(reader->at, "/*");
        bool closes = text_starts_with(reader->at, "*/");
        if (*reader->at == '\0')
            return unended(line, "a comment", err);
        depth += opens - closes;
        step_over(reader, opens || closes ? 2 : 1);
    } while (depth > 0);
    return true;
}

/* $tag$ ... $tag$; a dollar that begins no such quote is a character like any other. */
static bool skip_dollar(Reader *reader, Err *err)
{
    const char *end = reader->at + 1;
    if (is_word_start(*end)) {
        while (is_word(*end) && *end != '$')
            end++;
    }
    if (*end != '$') {
        step_over(reader, 1);
        return true;
    }
    uint32_t line = reader->line;
    const char *tag = arena_memdup(reader->arena, reader->at, (size_t)(end + 1 - reader->at));
    step_over(reader, strlen(tag));
    const char *close = strstr(reader->at, tag);
    if (close == NULL)
        return unended(line, "a dollar-quoted text", err);
    step_over(reader, (size_t)(close - reader->at) + strlen(tag));
    return true;
}

static bool makes_routine(const Reader *reader)
{
    static const char *const HEADS[] = {"CREATE FUNCTION", "CREATE PROCEDURE",
                                        "CREATE OR REPLACE FUNCTION",
                                        "CREATE OR REPLACE PROCEDURE"};
    for (size_t i = 0; i < sizeof(HEADS) / sizeof(HEADS[0]); i++) {
        if (text_starts_with(str_text(&reader->words), HEADS[i]))
            return true;
    }
    return false;
}

static void take_word(Reader *reader)
{
    AUTO_STR Str word = {0};
    while (is_word(*reader->at)) {
        str_append_char(&word, (char)toupper((unsigned char)*reader->at));
        step_over(reader, 1);
    }
    if (reader->word_count++ < WORDS_KEPT)
        str_appendf(&reader->words, "%s%s", reader->word_count > 1 ? " " : "", word.data);
    if (!makes_routine(reader))
        return;
    if (text_equal(word.data, "BEGIN") || (text_equal(word.data, "CASE") && reader->blocks > 0))
        reader->blocks++;
    else if (text_equal(word.data, "END") && reader->blocks > 0)
        reader->blocks--;
}

/* Takes white space or a comment. \param none set when neither is here */
static bool skip_blank(Reader *reader, bool *none, Err *err)
{
    *none = false;
    if (isspace((unsigned char)*reader->at)) {
        step_over(reader, 1);
    } else if (text_starts_with(reader->at, "--")) {
        step_over(reader, strcspn(reader->at, "\n"));
    } else if (text_starts_with(reader->at, "/*")) {
        return skip_block_comment(reader, err);
    } else {
        *none = true;
    }
    return true;
}

static bool skip_token(Reader *reader, Err *err)
{
    char c = *reader->at;
    if (c == '\'' || c == '"')
        return skip_quoted(reader, c, false, err);
    if ((c == 'e' || c == 'E') && reader->at[1] == '\'') {
        step_over(reader, 1);
        return skip_quoted(reader, '\'', true, err);
    }
    if (c == '$')
        return skip_dollar(reader, err);
    if (is_word_start(c)) {
        take_word(reader);
        return true;
    }
    reader->parentheses += (c == '(') - (c == ')');
    if (isdigit((unsigned char)c)) {
        while (is_word(*reader->at))
            step_over(reader, 1);
        return true;
    }
    step_over(reader, 1);
    return true;
}

static bool is_end(const Reader *reader)
{
    return *reader->at == '\0' ||
           (*reader->at == ';' && reader->parentheses <= 0 && reader->blocks == 0);
}

/* One statement; none is added where only blanks were left. */
static bool take_statement(Reader *reader, SqlStatements *statements, Err *err)
{
    bool none = false;
    while (!none && *reader->at != '\0') {
        if (!skip_blank(reader, &none, err))
            return false;
    }
    const char *begin = reader->at;
    uint32_t line = reader->line;
    str_reset(&reader->words);
    reader->word_count = 0;
    reader->parentheses = 0;
    reader->blocks = 0;
    while (!is_end(reader)) {
        if (!skip_blank(reader, &none, err) ||
            (none && !is_end(reader) && !skip_token(reader, err)))
            return false;
    }
    if (reader->at > begin)
        *vec_push(reader->arena, statements) = (SqlStatement){
            .text = arena_memdup(reader->arena, begin, (size_t)(reader->at - begin)),
            .offset = (size_t)(begin - reader->whole),
            .line = line,
            .words = arena_strdup(reader->arena, str_text(&reader->words)),
        };
    if (*reader->at == ';')
        step_over(reader, 1);
    return true;
}

bool sql_split(Arena *arena, const char *text, SqlStatements *statements, Err *err)
{
    static const char MARK[] = "\xEF\xBB\xBF";
    Reader reader = {.arena = arena, .whole = text, .at = text, .line = 1};
    if (text_starts_with(text, MARK))
        reader.at += strlen(MARK);
    bool ok = true;
    while (ok && *reader.at != '\0')
        ok = take_statement(&reader, statements, err);
    str_release(&reader.words);
    return ok;
}
