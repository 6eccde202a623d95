/* consent/plan_words.h -- text as words, for finding one text inside another.
 *
 * A word is a run of letters and digits, folded to lower case; everything else
 * stands between words.  So case, white space, punctuation, markup and line
 * breaks do not matter ("Opioid\nuse-disorder" is three words).  Soft hyphens
 * and zero-width characters and bidirectional controls (U+00AD, U+200B..U+200F, U+202A..U+202E,
 * U+2060..U+206F, U+FEFF) are not there at all; full-width ASCII (U+FF01..U+FF5E) reads as ASCII; Latin-1
 * capitals fold.
 *
 * A phrase is a row of words; a set of phrases is asked with every word of a
 * text, whether a phrase ends here.  Keys are the last one, two or three words
 * of a phrase, so that thousands of URLs of one server do not share a key.
 * One pass, linear in the text.
 */
#ifndef SLUICE_CONSENT_PLAN_WORDS_H
#define SLUICE_CONSENT_PLAN_WORDS_H

#include "base/arena.h"
#include "base/span.h"

struct word { uint64_t hash; size_t at, length; };

struct word_reader { struct span text; size_t at; };

/* False at the end. */
bool word_next(struct word_reader *, struct word *out);

#define PHRASE_MAX_WORDS 24

struct phrases;

/* How a phrase has to stand in the text. */
enum phrase_form {
    PHRASE_WORDS = 0,                    /* any separators between the words            */
    PHRASE_LITERAL,                      /* the same separators, nothing glued to its end: ids, URLs */
};

struct phrases *phrases_new(struct arena *);
/* Adds a phrase and returns its number, or the number of the equal phrase that
 * is already there (same words, form and kind).  A phrase begins and ends with a
 * word: what stands around them does not count.  PHRASE_NONE when the text has
 * no word or more than PHRASE_MAX_WORDS, or the arena is spent. */
#define PHRASE_NONE ((uint32_t)-1)
uint32_t phrases_add(struct phrases *, struct span text, enum phrase_form, unsigned kind, bool *is_new);
uint32_t phrases_count(const struct phrases *);
enum phrase_form phrases_form(const struct phrases *, uint32_t phrase);
unsigned phrases_kind(const struct phrases *, uint32_t phrase);
/* The first phrase with these words, then the next one. */
uint32_t phrases_find(const struct phrases *, struct span text, uint32_t after);

/* Calls `found` for every phrase of the set in the text, with the phrase and
 * where it stands; stops when that answers false. */
typedef bool phrase_found(void *with, uint32_t phrase, size_t at, size_t length);
void phrases_scan(const struct phrases *, struct span text, phrase_found *, void *with);

#endif
