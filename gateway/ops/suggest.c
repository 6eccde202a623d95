/* gateway/ops/suggest.c -- the nearest of a list of words. */
#include "gateway/ops/suggest.h"

#include <string.h>

enum { LONGEST = 64 };                   /* longer words are nobody's slip of the finger */

static unsigned distance(struct span, struct span);

struct suggestion
suggestion_for(struct span word)
{
    unsigned near = (unsigned)(word.length / 3);
    return (struct suggestion){ word, { NULL, 0 }, (near > 2 ? near : 2) + 1 };
}

void
suggestion_offer(struct suggestion *s, struct span candidate)
{
    if (s->word.length == 0 || s->word.length > LONGEST || candidate.length > LONGEST)
        return;
    unsigned d = distance(s->word, candidate);
    if (d < s->distance && d < candidate.length) {
        s->distance = d;
        s->best     = candidate;
    }
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* Three rows of the matrix: this one, the last and the one before, which a
 * swap of two neighbours reaches back to. */
static unsigned
distance(struct span a, struct span b)
{
    unsigned before[LONGEST + 1] = { 0 }, last[LONGEST + 1], row[LONGEST + 1];

    for (size_t j = 0; j <= b.length; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= a.length; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.length; j++) {
            unsigned cost = a.at[i - 1] != b.at[j - 1];
            row[j] = min3(row[j - 1] + 1, last[j] + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1]
                && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        memcpy(before, last, sizeof before);
        memcpy(last, row, sizeof last);
    }
    return last[b.length];
}
