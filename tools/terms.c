/* tools/terms.c -- builds the tables of words and phrases from consent/terms.def, at build time.
 *
 *     sluice-terms OUT.def
 *
 * Expands the patterns, folds their words as consent/text.c folds those of a record
 * (consent/term_word.h), and writes what consent/text.c includes: the words with their sets and where
 * the phrases begin that end in them, the phrases as numbers of words, and a hash table of the words.
 * Refused is
 *
 *   - a bracket that is not closed, an empty alternative of ( ), a phrase or a set of no words
 *   - a word that no record can have once it is folded: other bytes than a-z and 0-9, too long
 *   - a phrase of more than TERM_WORDS words
 *   - a phrase that is there already with another meaning
 *
 * 0 written, 1 something is refused and nothing is written, 2 usage, 4 a file failed.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "consent/term_word.h"

#ifndef TERMS_DEF
#define TERMS_DEF "consent/terms.def"    /* lint/terms-finds builds this with others */
#endif

enum { PATTERN_MOST = 1024, WORDS_MOST = 4096, PHRASES_MOST = 16384, SLOTS_MOST = 4 * WORDS_MOST };

static const struct term { const char *label, *class, *flag, *pattern; } terms[] = {
#define TERM(label, class, flag, pattern) { #label, #class, #flag, pattern },
#define WORDS(set, list)
#include TERMS_DEF
#undef TERM
#undef WORDS
};
static const struct set { const char *name, *list; } sets[] = {
#define TERM(label, class, flag, pattern)
#define WORDS(set, list) { #set, list },
#include TERMS_DEF
#undef TERM
#undef WORDS
};
#define TERM_COUNT (sizeof terms / sizeof *terms)
#define SET_COUNT  (sizeof sets / sizeof *sets)
_Static_assert(SET_COUNT <= 32, "the sets of a word are bits of 32");

struct word   { char text[TERM_WORD_SIZE + 1]; uint32_t sets; unsigned number, first, count; };
struct phrase { struct word *word[TERM_WORDS]; unsigned length; const struct term *term; };

static struct word   *vocabulary[WORDS_MOST];            /* sorted at last */
static struct phrase  phrases[PHRASES_MOST];
static size_t         word_count, phrase_count;
static unsigned       refused;

static void
refuse(const char *what, const char *why)
{
    fprintf(stderr, TERMS_DEF ": \"%s\": %s\n", what, why);
    refused++;
}

/* ---- words ------------------------------------------------------------------------- */

static bool
is_word(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9')))
            return false;
    return length > 0 && length < TERM_WORD_SIZE;
}

static struct word *
word_of(const char *text, size_t length)
{
    struct word new = { .sets = 0 };

    if (!is_word(text, length)) {
        refuse(text, "begins with no word of small letters and digits, or one that is too long");
        return NULL;
    }
    memcpy(new.text, text, term_word_fold(text, length));
    for (size_t i = 0; i < word_count; i++)
        if (strcmp(vocabulary[i]->text, new.text) == 0)
            return vocabulary[i];
    struct word *w = word_count < WORDS_MOST ? malloc(sizeof *w) : NULL;
    if (w == NULL) {
        refuse(text, "too many words");
        return NULL;
    }
    *w = new;
    return vocabulary[word_count++] = w;
}

static void
read_set(unsigned number)
{
    const char *at = sets[number].list;

    for (;;) {
        size_t       length = strcspn(at, "|");
        struct word *w      = word_of(at, length);
        if (w == NULL)
            return;
        w->sets |= UINT32_C(1) << number;
        if (at[length] == 0)
            return;
        at += length + 1;
    }
}

/* ---- phrases -------------------------------------------------------------------------- */

static bool
same_words(const struct phrase *a, const struct phrase *b)
{
    return a->length == b->length && memcmp(a->word, b->word, a->length * sizeof *a->word) == 0;
}

static bool
same_meaning(const struct term *a, const struct term *b)
{
    return strcmp(a->label, b->label) == 0 && strcmp(a->class, b->class) == 0 && strcmp(a->flag, b->flag) == 0;
}

static void
add_phrase(const struct term *t, const char *text)
{
    struct phrase p = { .term = t };

    for (const char *at = text + strspn(text, " "); *at != 0; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (p.length == TERM_WORDS || (p.word[p.length++] = word_of(at, length)) == NULL) {
            if (p.word[p.length - 1] != NULL)
                refuse(text, "has too many words");
            return;
        }
        at += length;
    }
    for (size_t i = 0; i < phrase_count; i++)
        if (same_words(&phrases[i], &p)) {
            if (!same_meaning(phrases[i].term, t))
                refuse(text, "is there already with another meaning");
            return;
        }
    if (p.length == 0 || phrase_count == PHRASES_MOST)
        refuse(t->pattern, p.length == 0 ? "says no words" : "too many phrases");
    else
        phrases[phrase_count++] = p;
}

/* To the bar or the end, over brackets inside; 0 length at a bracket that is not closed is an end, too. */
static size_t
alternative(const char *text)
{
    int    depth = 0;
    size_t i     = 0;

    for (; text[i] != 0 && (depth > 0 || strchr("|)]", text[i]) == NULL); i++)
        depth += strchr("([", text[i]) != NULL ? 1 : strchr(")]", text[i]) != NULL ? -1 : 0;
    return i;
}

/* The first bracket is replaced by each of its alternatives, and what comes of it is expanded. */
static void
expand(const struct term *t, const char *text)
{
    size_t head = strcspn(text, "([");
    char   next[PATTERN_MOST];

    if (text[head] == 0) {
        add_phrase(t, text);
        return;
    }
    size_t end = head + 1;
    while (text[end += alternative(text + end)] == '|')
        end++;
    if (text[end] != (text[head] == '(' ? ')' : ']')) {
        refuse(text, "has a bracket that is not closed");
        return;
    }
    for (size_t at = head + 1; at <= end; ) {
        size_t length = alternative(text + at);
        if (length == 0)
            refuse(text, "has an empty alternative");
        (void)snprintf(next, sizeof next, "%.*s%.*s%s", (int)head, text, (int)length, text + at, text + end + 1);
        expand(t, next);
        at += length + 1;
    }
    if (text[head] == '[') {
        (void)snprintf(next, sizeof next, "%.*s%s", (int)head, text, text + end + 1);
        expand(t, next);
    }
}

static void
read_term(const struct term *t)
{
    if (strlen(t->pattern) >= PATTERN_MOST)
        refuse(t->pattern, "is too long");
    else if (strcmp(t->flag, "ANY") != 0 && strcmp(t->flag, "CAPS") != 0)
        refuse(t->pattern, "the flag is CAPS or ANY");
    else
        expand(t, t->pattern);
}

/* ---- the tables -------------------------------------------------------------------------- */

static int
by_text(const void *x, const void *y)
{
    const struct word *const *a = x, *const *b = y;

    return strcmp((*a)->text, (*b)->text);
}

/* Grouped by last word, longest first: a phrase is looked for when its last word arrives. */
static int
by_last_word(const void *x, const void *y)
{
    const struct phrase *a = x, *b = y;
    int order = strcmp(a->word[a->length - 1]->text, b->word[b->length - 1]->text);

    if (order == 0)
        order = a->length != b->length ? (a->length > b->length ? -1 : 1) : 0;
    for (unsigned i = 0; i < a->length && order == 0; i++)
        order = strcmp(a->word[i]->text, b->word[i]->text);
    return order;
}

static void
arrange(void)
{
    qsort(vocabulary, word_count, sizeof *vocabulary, by_text);
    qsort(phrases, phrase_count, sizeof *phrases, by_last_word);
    for (size_t i = 0; i < word_count; i++)
        vocabulary[i]->number = (unsigned)i + 1;
    for (size_t i = phrase_count; i-- > 0; ) {
        struct word *last = phrases[i].word[phrases[i].length - 1];
        last->first = (unsigned)i;
        last->count++;
    }
}

/* A quarter full at most. */
static void
write_slots(FILE *out)
{
    static unsigned slots[SLOTS_MOST];
    size_t          room = 1;

    while (room < 4 * word_count)
        room *= 2;
    for (size_t i = 0; i < word_count; i++) {
        size_t at = term_word_hash(vocabulary[i]->text, strlen(vocabulary[i]->text)) % room;
        while (slots[at] != 0)
            at = (at + 1) % room;
        slots[at] = vocabulary[i]->number;
    }
    fprintf(out, "#define WORD_SLOTS %zu\nstatic const uint16_t word_slots[WORD_SLOTS] = {\n", room);
    for (size_t i = 0; i < room; i++)
        fprintf(out, "%u,%s", slots[i], i % 20 == 19 ? "\n" : " ");
    fputs("};\n", out);
}

static void
write_phrases(FILE *out)
{
    fputs("static const struct phrase phrases[] = {\n", out);
    for (size_t i = 0; i < phrase_count; i++) {
        const struct phrase *p = &phrases[i];
        fputs("{ { ", out);
        for (unsigned w = 0; w < p->length; w++)
            fprintf(out, "%u, ", p->word[w]->number);
        fprintf(out, "}, %u, LABEL_%s, TERM_%s, %d },\n", p->length, p->term->label, p->term->class, strcmp(p->term->flag, "CAPS") == 0);
    }
    fputs("};\n", out);
}

static bool
write_tables(const char *path)
{
    FILE *out = fopen(path, "w");

    if (out == NULL)
        return false;
    fputs("/* Built from consent/terms.def by tools/terms.c. */\nenum word_set {\n", out);
    for (size_t i = 0; i < SET_COUNT; i++)
        fprintf(out, "SET_%s = 1 << %zu,\n", sets[i].name, i);
    fputs("};\nstatic const struct { const char *text; uint32_t sets; uint16_t phrase, phrases; } words[] = {\n{ \"\", 0, 0, 0 },\n", out);
    for (size_t i = 0; i < word_count; i++)
        fprintf(out, "{ \"%s\", 0x%x, %u, %u },\n", vocabulary[i]->text, vocabulary[i]->sets, vocabulary[i]->first, vocabulary[i]->count);
    fputs("};\n", out);
    write_phrases(out);
    write_slots(out);
    bool good = ferror(out) == 0;
    return fclose(out) == 0 && good;
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: sluice-terms OUT.def\n");
        return 2;
    }
    for (size_t i = 0; i < TERM_COUNT; i++)
        read_term(&terms[i]);
    for (unsigned i = 0; i < SET_COUNT; i++)
        read_set(i);
    if (refused > 0) {
        fprintf(stderr, "%u refused, nothing written\n", refused);
        return 1;
    }
    arrange();
    if (!write_tables(argv[1])) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return 4;
    }
    return 0;
}
