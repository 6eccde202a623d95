/* consent/term_word.h -- how the words of consent/terms.def are compared: one text of it for
 * tools/terms.c, which builds the tables, and consent/text.c, which looks words up in them.
 */
#ifndef SLUICE_CONSENT_TERM_WORD_H
#define SLUICE_CONSENT_TERM_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TERM_WORDS     6u                /* of one phrase */
#define TERM_WORD_SIZE 32u               /* longer words are none of ours */

/* What is left of a word in small letters: a plural s goes. */
static inline size_t
term_word_fold(const char *word, size_t length)
{
    if (length > 3 && word[length - 1] == 's' && strchr("siu", word[length - 2]) == NULL)
        length--;
    return length;
}

/* FNV-1a 32. */
static inline uint32_t
term_word_hash(const char *word, size_t length)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)word[i]) * 16777619u;
    return h;
}

#endif
