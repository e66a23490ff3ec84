/*
 * Statement: judged by its first words, and by words that say where its rows come from.
 */
#include "hook/statement.h"

#include "base/str.h"

#include <ctype.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

bool sql_is_no_transaction(const char *text)
{
    size_t length = strlen(SQL_NO_TRANSACTION);
    if (!text_starts_with(text, SQL_NO_TRANSACTION))
        return false;
    size_t rest = strcspn(text + length, "\n");
    return strspn(text + length, " \t\r") >= rest;
}

static bool begins(const char *words, const char *head)
{
    size_t length = strlen(head);
    return text_starts_with(words, head) && (words[length] == '\0' || words[length] == ' ');
}

static bool moves_transaction(const char *words)
{
    static const char *const HEADS[] = {"BEGIN", "START TRANSACTION",  "COMMIT", "END",
                                        "ABORT", "PREPARE TRANSACTION"};
    for (size_t i = 0; i < sizeof(HEADS) / sizeof(HEADS[0]); i++) {
        if (begins(words, HEADS[i]))
            return true;
    }
    return begins(words, "ROLLBACK") && !begins(words, "ROLLBACK TO") &&
           !begins(words, "ROLLBACK WORK TO") && !begins(words, "ROLLBACK TRANSACTION TO");
}

static bool has_word(const char *text, const char *word)
{
    for (const char *at = strcasestr(text, word); at != NULL; at = strcasestr(at + 1, word)) {
        if ((at == text || !is_word(at[-1])) && !is_word(at[strlen(word)]))
            return true;
    }
    return false;
}

const char *sql_refused(const SqlStatement *statement, bool in_transaction)
{
    if (*statement->text == '\\')
        return "is a command of psql, not SQL";
    if (begins(statement->words, "COPY") &&
        (has_word(statement->text, "STDIN") || has_word(statement->text, "STDOUT")))
        return "needs a client that reads or writes the rows";
    if (in_transaction && moves_transaction(statement->words))
        return "would begin or end a transaction: all statements run in one";
    return NULL;
}
