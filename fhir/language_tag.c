#include "fhir/language_tag.h"

#include "fhir/term_words.h"

/* RFC 5646 4.4.1 asks for 35 at least; the longest grandfathered tags are shorter. */
#define MAX_TAG      128u
#define MAX_SUBTAG   8u
#define MAX_VARIANTS 8u

#define LANGUAGE2(words)
#define LANGUAGE3(words)
#define EXTLANG(words)
#define SCRIPT(words)
#define REGION2(words)
#define REGION3(words)
#define VARIANT(words)
#define GRANDFATHERED(words)

#undef LANGUAGE2
#define LANGUAGE2(words) words
static const char languages2[] =
#include "fhir/term_languages.def"
;
#undef LANGUAGE2
#define LANGUAGE2(words)

#undef LANGUAGE3
#define LANGUAGE3(words) words
static const char languages3[] =
#include "fhir/term_languages.def"
;
#undef LANGUAGE3
#define LANGUAGE3(words)

#undef EXTLANG
#define EXTLANG(words) words
static const char extlangs[] =
#include "fhir/term_languages.def"
;
#undef EXTLANG
#define EXTLANG(words)

#undef SCRIPT
#define SCRIPT(words) words
static const char scripts[] =
#include "fhir/term_languages.def"
;
#undef SCRIPT
#define SCRIPT(words)

#undef REGION2
#define REGION2(words) words
static const char regions2[] =
#include "fhir/term_languages.def"
;
#undef REGION2
#define REGION2(words)

#undef REGION3
#define REGION3(words) words
static const char regions3[] =
#include "fhir/term_languages.def"
;
#undef REGION3
#define REGION3(words)

#undef VARIANT
#define VARIANT(words) words
static const char variants[] =
#include "fhir/term_languages.def"
;
#undef VARIANT
#define VARIANT(words)

#undef GRANDFATHERED
#define GRANDFATHERED(words) words
static const char grandfathered[] =
#include "fhir/term_languages.def"
;

#define HAS(list, width, word) term_words_have(SPAN_ARRAY(list), (width), (word))
#define SPAN_ARRAY(list)       span_from((list), sizeof(list) - 1)

/* What is left of a tag: `at` is the subtag at hand, empty at the end. */
struct tag { struct span at, rest; };

static bool
is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
all(struct span s, bool (*is)(char))
{
    for (size_t i = 0; i < s.length; i++)
        if (!is(s.at[i]))
            return false;
    return true;
}

static void
step(struct tag *t)
{
    t->at = t->rest.at != NULL ? span_split(&t->rest, '-') : (struct span){ NULL, 0 };
}

/* "qaa..qtz": between two words, both included. */
static bool
between(struct span s, const char *first, const char *last)
{
    return s.length == strlen(first) && memcmp(s.at, first, s.length) >= 0 && memcmp(s.at, last, s.length) <= 0;
}

static bool
take_language(struct tag *t)
{
    bool good = HAS(languages2, 2, t->at) || HAS(languages3, 3, t->at) || between(t->at, "qaa", "qtz");

    step(t);
    for (unsigned i = 0; good && i < 3 && t->at.length == 3 && all(t->at, is_letter); i++) {
        good = HAS(extlangs, 3, t->at);
        step(t);
    }
    return good;
}

static bool
take_script(struct tag *t)
{
    if (t->at.length != 4 || !all(t->at, is_letter))
        return true;
    bool good = HAS(scripts, 4, t->at) || between(t->at, "qaaa", "qabx");
    step(t);
    return good;
}

static bool
take_region(struct tag *t)
{
    bool letters = t->at.length == 2 && all(t->at, is_letter), digits = t->at.length == 3 && all(t->at, is_digit);

    if (!letters && !digits)
        return true;
    bool good = HAS(regions2, 2, t->at) || HAS(regions3, 3, t->at) || between(t->at, "qm", "qz") || between(t->at, "xa", "xz");
    step(t);
    return good;
}

static bool
take_variants(struct tag *t)
{
    struct span met[MAX_VARIANTS];

    for (unsigned count = 0; t->at.length >= 5 || (t->at.length == 4 && is_digit(t->at.at[0])); count++) {
        if (count == MAX_VARIANTS || !term_words_hold(SPAN_ARRAY(variants), t->at))
            return false;
        for (unsigned i = 0; i < count; i++)
            if (span_eq(met[i], t->at))
                return false;
        met[count] = t->at;
        step(t);
    }
    return true;
}

/* Singletons with what follows them; `x` takes all that is left. */
static bool
take_extensions(struct tag *t)
{
    uint64_t met = 0;

    while (t->at.length == 1) {
        char     c         = t->at.at[0];
        unsigned which     = is_letter(c) ? (unsigned)(c - 'a') : (unsigned)(c - '0') + 26;
        size_t   least     = c == 'x' ? 1 : 2, count = 0;
        if (met >> which & 1)
            return false;
        met |= UINT64_C(1) << which;
        for (step(t); t->at.length >= least; count++)
            step(t);
        if (count == 0)
            return false;
    }
    return t->at.length == 0;
}

/* Lower case into `text`; false when it is no row of subtags. */
static bool
fold(struct span tag, char text[MAX_TAG])
{
    size_t run = 0;

    if (tag.length == 0 || tag.length > MAX_TAG)
        return false;
    for (size_t i = 0; i < tag.length; i++) {
        char c  = tag.at[i];
        text[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        run     = c == '-' ? 0 : run + 1;
        if ((c == '-' && (i == 0 || i + 1 == tag.length || tag.at[i - 1] == '-')) || run > MAX_SUBTAG
            || (c != '-' && !is_letter(text[i]) && !is_digit(c)))
            return false;
    }
    return true;
}

bool
language_tag_good(struct span tag)
{
    char       text[MAX_TAG];
    struct tag t = { .rest = { text, tag.length } };

    if (!fold(tag, text))
        return false;
    if (term_words_hold(SPAN_ARRAY(grandfathered), t.rest))
        return true;
    step(&t);
    if (t.at.length == 1 && t.at.at[0] == 'x')
        return take_extensions(&t);
    return take_language(&t) && take_script(&t) && take_region(&t) && take_variants(&t) && take_extensions(&t);
}
