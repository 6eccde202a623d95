/* base/span.h -- a view of bytes that somebody else owns.
 *
 * A span is a value.  It never owns, never ends in NUL and may hold any byte.
 * A zeroed span is empty and equals every other empty span.
 * Lifetime: that of the bytes it points at; the header that hands one out
 * says which.
 */
#ifndef SLUICE_BASE_SPAN_H
#define SLUICE_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const char *at;
    size_t      length;
};

/* A span of a string literal, usable in initialisers. */
#define SPAN(literal) ((struct span){ "" literal, sizeof(literal) - 1 })
/* For printf: "%.*s", SPAN_PRINT(s).  Never for text of a payload in a log. */
#define SPAN_PRINT(s) ((int)(s).length), ((s).at != NULL ? (s).at : "")

#define SPAN_NOT_FOUND ((size_t)-1)

struct span span_of(const char *text);                    /* NULL: empty */
struct span span_from(const void *at, size_t length);

bool   span_empty(struct span);
bool   span_eq(struct span, struct span);
/* Inline, and without the length of the text: most comparisons end at the
 * first byte, and bundles are read by asking names. */
static inline bool span_eq_text(struct span, const char *text);
bool   span_eq_nocase(struct span, struct span);          /* ASCII only */
int    span_compare(struct span, struct span);            /* bytewise, as memcmp */
bool   span_starts(struct span, struct span prefix);
bool   span_ends(struct span, struct span suffix);
size_t span_find(struct span, struct span needle);        /* SPAN_NOT_FOUND */
size_t span_find_byte(struct span, char byte);
size_t span_find_last_byte(struct span, char byte);

struct span span_skip(struct span, size_t count);         /* clamps */
struct span span_first(struct span, size_t count);        /* clamps */
struct span span_trim(struct span);                       /* ASCII white space */
/* Cuts `*rest` at the first `byte`: returns what is before it, leaves what is
 * after it; without the byte returns all and leaves an empty span whose `at`
 * is NULL, so a loop `while (rest.at != NULL)` sees an empty last field. */
struct span span_split(struct span *rest, char byte);
/* Decimal digits only, no sign; false on anything else and on overflow. */
bool   span_to_u64(struct span, uint64_t *out);
uint64_t span_hash(struct span);                          /* FNV-1a 64 */

static inline bool
span_eq_text(struct span s, const char *text)
{
    if (text == NULL)
        return s.length == 0;
    for (size_t i = 0; i < s.length; i++)
        if (text[i] == '\0' || text[i] != s.at[i])
            return false;
    return text[s.length] == '\0';
}

#endif
