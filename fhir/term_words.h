/* fhir/term_words.h -- lists of short codes as one text: "aa ab ae …".
 *
 * Sorted and all of one width, each followed by a space: a binary search with
 * a stride.  For words of several widths: a search for " word " from the start.
 */
#ifndef SLUICE_FHIR_TERM_WORDS_H
#define SLUICE_FHIR_TERM_WORDS_H

#include "base/span.h"

static inline bool
term_words_have(struct span list, size_t width, struct span word)
{
    size_t low = 0, high = list.length / (width + 1);

    if (word.length != width)
        return false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int    order  = memcmp(word.at, list.at + middle * (width + 1), width);
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static inline bool
term_words_hold(struct span list, struct span word)
{
    while (!span_empty(list))
        if (span_eq(span_split(&list, ' '), word))
            return true;
    return false;
}

#endif
