/*
 * Suggest: optimal string alignment distance (insert, delete, change, swap neighbours), ignoring
 * case, over short words.
 */
#include "plan/suggest.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 64

Suggest suggest_begin(const char *word)
{
    /* One slip in three letters may be a typing error; more is another word. */
    size_t allowed = strlen(word) / 3;
    return (Suggest){.word = word, .distance = (allowed > 0 ? allowed : 1) + 1};
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

static int lower(char c)
{
    return tolower((unsigned char)c);
}

static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t change = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + change);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]) && two_above[j - 2] + 1 < row[j])
                row[j] = two_above[j - 2] + 1;
        }
    }
    return rows[a_length % 3][b_length];
}

void suggest_offer(Suggest *suggest, const char *candidate)
{
    size_t word_length = strlen(suggest->word);
    size_t length = strlen(candidate);
    if (word_length > WORD_MAX || length > WORD_MAX)
        return;
    size_t found = distance(suggest->word, word_length, candidate, length);
    if (found < suggest->distance) {
        suggest->best = candidate;
        suggest->distance = found;
    }
}
